//! Guessed keys, limited keys, and what each may learn.

use portolan::{
    config::{self, Documents, Snapshot},
    dialect::Dialect,
    error::{Error, Kind},
    exchange::models,
    guard::{Caller, Locks, admit, is_operator, needs_entry},
    sorted::SortedMap,
    units::Millis,
};

const KEY: &str = "pk-0123456789abcdefghij";
const NOW: Millis = Millis(1_795_392_000_000);

fn snapshot() -> Snapshot {
    let routes = r#"{
        "merger-2027":{"targets":["openai/gpt-4o"]},
        "merger-2028":{"targets":["openai/gpt-4o"]},
        "public":{"targets":["openai/gpt-4o-mini"]},
        "asleep":{"targets":["groq/llama-3.3-70b-versatile"]}
    }"#;
    let providers = r#"{
        "lab":{"kind":"openai","base_url":"https://lab.example/v1","keys":["${LAB_KEY}"]}
    }"#;
    let some = |text: &str| Some(text.to_owned());
    let documents = Documents { routes: some(routes), providers: some(providers), ..Documents::default() };
    let secrets: SortedMap<_, _> = ["OPENAI_API_KEY", "LAB_KEY"].map(|name| (name.to_owned(), "x".to_owned())).into();
    config::build(&documents, &secrets).unwrap()
}

fn caller(lists: &str) -> Caller {
    let entry = format!(r#"{{"name":"ci"{lists}}}"#);
    admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW).unwrap()
}

fn refusal(caller: &Caller, name: &str, config: &Snapshot) -> Error {
    caller.permit_each([("model", name)].into_iter(), config).unwrap_err()
}

/// The words of a refusal without the name that was asked for.
fn words(error: &Error, name: &str) -> (Kind, u16, Option<String>, String) {
    (error.kind, error.status, error.param.clone(), error.message.replace(&format!("`{name}`"), "…"))
}

/// Whether there is such a route, provider or model, another key's, one that is off or none: the same answer.
#[test]
fn a_limited_key_learns_nothing_of_what_else_there_is() {
    let config = snapshot();
    for lists in [
        r#","routes":["public"]"#,
        r#","models":["openai/gpt-4o-mini"]"#,
        r#","routes":["public"],"models":[]"#,
        r#","routes":[]"#,
    ] {
        let caller = caller(lists);
        let there = refusal(&caller, "merger-2027", &config);
        for name in [
            "merger-2028",
            "merger-202",
            "merger",
            "asleep",
            "nothing",
            "openai/gpt-4o",
            "openai/nothing",
            "lab/x",
            "labs/x",
            "groq/x",
            "gpt-4o",
            "gpt-40",
            "openai/..",
            "a,b",
            "a,b,c,d,e",
            "OPENAI_API_KEY",
        ] {
            let error = refusal(&caller, name, &config);
            assert_eq!(words(&error, name), words(&there, "merger-2027"), "{lists} {name}");
        }
        let long = "m".repeat(1 << 20);
        assert!(refusal(&caller, &long, &config).message.len() < 1_000);
        assert_eq!(refusal(&caller, "a\r\nb", &config).kind, Kind::Forbidden);
    }
    // On its own list it is told what is wrong.
    let error = refusal(&caller(r#","routes":["asleep"]"#), "asleep", &config);
    assert!(error.message.contains("groq"), "{}", error.message);
    let error = refusal(&caller(r#","models":["groq/*"]"#), "groq/llama", &config);
    assert!(error.message.contains("groq"), "{}", error.message);
    // Who may name anything may be helped.
    assert!(refusal(&caller(""), "merger-202", &config).message.contains("merger-202"));
}

#[test]
fn the_list_of_models_is_what_the_key_may_name() {
    let config = snapshot();
    for (lists, sees, not) in [
        ("", vec!["merger-2027", "public", "openai/gpt-4o", "mock/echo"], vec![]),
        (r#","routes":["public"]"#, vec!["public"], vec!["merger", "openai/", "mock/", "lab/", "asleep"]),
        (
            r#","models":["openai/gpt-4o-mini"]"#,
            vec!["openai/gpt-4o-mini", "public"],
            vec!["merger", "\"openai/gpt-4o\"", "mock/"],
        ),
        (r#","routes":[]"#, vec![], vec!["merger", "public", "openai", "mock"]),
    ] {
        let caller = caller(lists);
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini] {
            let list = models::list(&config, dialect, None, &|name| caller.sees(name, &config)).unwrap();
            let quoted = |name: &str| list.contains(&format!("\"{name}\"")) || list.contains(&format!("models/{name}\""));
            assert!(sees.iter().all(|name| quoted(name)), "{lists}: {list}");
            assert!(not.iter().all(|name| !list.contains(name)), "{lists}: {list}");
        }
        let one = |id: &str| models::list(&config, Dialect::OpenAiChat, Some(id), &|name| caller.sees(name, &config));
        for id in ["merger-2027", "nothing"] {
            let expected =
                if lists.is_empty() && id != "nothing" { None } else { Some(format!("The model `{id}` does not exist here.")) };
            assert_eq!(one(id).err().map(|error| error.message.clone()), expected, "{lists}");
        }
    }
}

/// A question mark begins options at the mock alone; anywhere else it is of the name, and the list has the whole name.
#[test]
fn no_suffix_makes_another_model_of_an_allowed_one() {
    let config = snapshot();
    for (list, name, may) in [
        ("mock/flaky", "mock/flaky?fail=503", true),
        ("lab/small", "lab/small", true),
        ("lab/small", "lab/small?x", false),
        ("lab/small", "lab/small?/../large", false),
        ("lab/small", "lab/small#x", false),
        ("lab/small", "lab/smaller", false),
        ("lab/small", "lab/SMALL", false),
        ("lab/small", "lab/small,lab/large", false),
        ("lab/*", "lab/small,openai/gpt-4o", false),
        ("lab/*", "labs/small", false),
    ] {
        let caller = caller(&format!(r#","models":["{list}"]"#));
        assert_eq!(caller.permit_each([("model", name)].into_iter(), &config).is_ok(), may, "{list} {name}");
        assert_eq!(caller.sees(name, &config), may, "{list} {name}");
    }
}

#[test]
fn who_may_use_providers_own_paths() {
    for (entry, may, stored) in [
        ("", true, true),
        (r#","tenant":"acme""#, false, true),
        (r#","tenant":"acme","endpoints":["passthrough"]"#, true, true),
        (r#","models":["openai/*"]"#, false, false),
        (r#","routes":["public"]"#, false, false),
    ] {
        let caller = caller(entry);
        assert_eq!((caller.permit_passthrough().is_ok(), caller.permit_all().is_ok()), (may, stored), "{entry}");
        assert!(!caller.is_owner());
    }
    let owner = admit(Some("my own"), Locks { gateway_key: Some("my own"), ..Locks::default() }, NOW).unwrap();
    assert!(owner.is_owner() && owner.permit_passthrough().is_ok());
}

/// A key that is wrong in whatever way: one answer. Only its holder hears that it is disabled or over.
#[test]
fn refusals_do_not_tell_keys_apart() {
    let entry = Locks { entry: None, any_entries: true, ..Locks::default() };
    let first = admit(Some(KEY), entry, NOW).unwrap_err();
    for (key, locks) in [
        ("pk-0123456789abcdefghij0", entry),
        ("pk-", entry),
        ("x", entry),
        ("'; DROP TABLE keys; --", entry),
        ("pk-0123456789abcdefghij\0", entry),
        (KEY, Locks { gateway_key: Some("pk-0123456789abcdefghik"), ..entry }),
        ("pk-0123456789abcdefghi", Locks { gateway_key: Some("pk-0123456789abcdefghij"), ..entry }),
    ] {
        assert_eq!(admit(Some(key), locks, NOW).unwrap_err(), first, "{key}");
    }
}

/// What cannot be a key costs no look-up, and the name that is looked up is always of one length and one alphabet.
#[test]
fn a_look_up_is_by_digest() {
    let long = format!("pk-{}", "a".repeat(1 << 16));
    for key in [
        "",
        "pk-",
        "x",
        "config@good",
        "../key:x",
        "key:aaaa",
        "pk-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "pk-é0123456789abcdefg",
        &long,
    ] {
        assert_eq!(needs_entry(key, None), None, "{key:.40}");
    }
    let name = needs_entry(KEY, None).unwrap();
    let digest = name.strip_prefix("key:").unwrap();
    assert!(
        digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) && !name.contains(KEY)
    );
}

/// By its structure, for a clock in a test would tell more of the machine: secrets are compared as digests, all bytes of
/// them, at one place, and nowhere as texts.
#[test]
fn secrets_are_compared_in_one_place_and_whole() {
    let source = include_str!("../../src/guard/key.rs");
    let compare = source.split("fn is_same").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    assert!(
        compare.matches("Sha256::digest").count() == 2 && compare.contains(".fold(0, |difference, (x, y)| difference | (x ^ y))")
    );
    let guard = concat!(include_str!("../../src/guard/mod.rs"), include_str!("../../src/guard/caller.rs"));
    for wrong in ["== gateway_key", "gateway_key ==", "gateway_key == Some", "== token", "token ==", "Some(key) == "] {
        assert!(!guard.contains(wrong), "{wrong}");
    }
}

#[test]
fn the_operators_token_is_no_gateway_key_and_stands_in_no_query() {
    let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (headers, token, expected) in [
        (header("authorization", "Bearer t0ken"), Some("t0ken"), true),
        (header("authorization", "Bearer t0ken"), None, false),
        (header("authorization", "Bearer t0ken"), Some(""), false),
        (header("authorization", "Bearer "), Some(""), false),
        (header("authorization", "Bearer t0ke"), Some("t0ken"), false),
        (header("authorization", "Bearer t0ken0"), Some("t0ken"), false),
        (header("authorization", "Basic t0ken"), Some("t0ken"), false),
        (header("cookie", "ADMIN_TOKEN=t0ken"), Some("t0ken"), false),
        (vec![], Some("t0ken"), false),
        (vec![], None, false),
    ] {
        assert_eq!(is_operator(&headers, token), expected, "{headers:?} {token:?}");
    }
}
