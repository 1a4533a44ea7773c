//! Tests of the room `guard`.

use portolan::sorted::SortedMap;

use portolan::{
    config::{self, Documents},
    dialect::{Dialect, Endpoint},
    error::Kind,
    guard::{
        Caller, Door, Locks, MAX_ADDRESSES, MAX_FAILED, Throttle, WINDOW_MS, admit, digest, entry_name, is_well_formed, mint,
        needs_entry, presented,
    },
    units::Millis,
};

const KEY: &str = "pk-0123456789abcdefghij";
/// 2026-11-23T00:00:00Z
const NOW: Millis = Millis(1_795_392_000_000);

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_key_is_found_wherever_an_sdk_puts_it() {
    for (pairs, query, expected) in [
        (vec![], None, None),
        (vec![("authorization", "Bearer k1")], None, Some("k1")),
        (vec![("Authorization", "bearer  k1 ")], None, Some("k1")),
        (vec![("authorization", "Basic k1")], None, None),
        (vec![("authorization", "Bearer ")], None, None),
        (vec![("authorization", "k1")], None, None),
        (vec![("X-Api-Key", "k2")], None, Some("k2")),
        (vec![("authorization", "Bearer k1"), ("x-api-key", "k2")], None, Some("k2")),
        (vec![("authorization", "Bearer k1"), ("x-api-key", "  ")], None, Some("k1")),
        (vec![("x-goog-api-key", "k3")], None, Some("k3")),
        (vec![("api-key", "k4")], None, Some("k4")),
        (vec![("api-key", "k4"), ("authorization", "Bearer k1")], Some("key=k5"), Some("k1")),
        (vec![], Some("alt=sse&key=k5"), Some("k5")),
        (vec![], Some("key=a%2Bb%zz%2"), Some("a+b%zz%2")),
        (vec![], Some("monkey=k5&key="), None),
    ] {
        assert_eq!(presented(&headers(&pairs), query).as_deref(), expected, "{pairs:?} {query:?}");
    }
}

#[test]
fn digests_are_sha256_and_keys_have_a_form() {
    assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(entry_name("abc"), format!("key:{}", digest("abc")));
    let long = format!("pk-{}", "a".repeat(300));
    for (key, expected) in [
        (KEY, true),
        ("pk-short", false),
        ("sk-0123456789abcdefghij", false),
        (&long, false),
        ("pk-0123456789 abcdefghij", false),
    ] {
        assert_eq!(is_well_formed(key), expected, "{key}");
    }
    for (key, secret, expected) in [
        (KEY, None, true),
        (KEY, Some(""), true),
        (KEY, Some("another"), true),
        (KEY, Some(KEY), false),
        ("my own", Some("my own"), false),
        ("sk-0123456789abcdefghij", None, false),
    ] {
        assert_eq!(needs_entry(key, secret).is_some(), expected, "{key} {secret:?}");
    }
}

#[test]
fn no_key_no_service() {
    let none = Locks::default();
    let secret = Locks { gateway_key: Some("my own\n"), ..none };
    let blank = Locks { gateway_key: Some(" "), ..none };
    let others = Locks { any_entries: true, ..none };
    let entry = |entry: &'static str| Locks { entry: Some(entry), ..none };
    for (key, locks, expected) in [
        (None, none, Err((Kind::Unauthenticated, "wrangler secret put GATEWAY_KEY"))),
        (Some(KEY), none, Err((Kind::Unauthenticated, "wrangler secret put GATEWAY_KEY"))),
        (Some(" "), blank, Err((Kind::Unauthenticated, "wrangler secret put GATEWAY_KEY"))),
        (Some(""), blank, Err((Kind::Unauthenticated, "wrangler secret put GATEWAY_KEY"))),
        (None, secret, Err((Kind::Unauthenticated, "is missing"))),
        (None, others, Err((Kind::Unauthenticated, "is missing"))),
        (Some("my own"), secret, Ok("gateway")),
        (Some("my ow"), secret, Err((Kind::Unauthenticated, "not known"))),
        (Some("MY OWN"), secret, Err((Kind::Unauthenticated, "not known"))),
        (Some(""), secret, Err((Kind::Unauthenticated, "not known"))),
        (Some(KEY), others, Err((Kind::Unauthenticated, "not known"))),
        (Some(KEY), entry(r#"{"name":"ci"}"#), Ok("ci")),
        (Some("not-ours"), entry(r#"{"name":"ci"}"#), Err((Kind::Unauthenticated, "not known"))),
        (Some(KEY), entry(r#"{"name":"ci","disabled":true}"#), Err((Kind::Unauthenticated, "`ci` is disabled"))),
        (Some(KEY), entry(r#"{"name":"ci","disabled":false,"tags":["a"],"tenant":"t"}"#), Ok("ci")),
        (Some(KEY), entry(r#"{"name":"ci","budget":{"usd":1}}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"ci","endpoints":["chat","embed"]}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"ci","dialects":["cohere"]}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"ci","tenant":"@operator"}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"a\nb"}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"ci","models":"openai/*"}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry(r#"{"name":"ci","expires":"tomorrow"}"#), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry("{}"), Err((Kind::Internal, "operator must correct"))),
        (Some(KEY), entry("not json"), Err((Kind::Internal, "operator must correct"))),
    ] {
        let got = admit(key, locks, NOW);
        match (&got, expected) {
            (Ok(caller), Ok(name)) => assert_eq!(caller.name, name),
            (Err(error), Err((kind, part))) => {
                assert_eq!(error.kind, kind, "{key:?} {locks:?}");
                assert!(error.message.contains(part), "{key:?} {locks:?}: {}", error.message);
                let told = format!("{}{}", error.message, error.detail.as_deref().unwrap_or_default());
                assert!(key.is_none_or(|key| key.trim().is_empty() || !told.contains(key)), "the key is echoed: {told}");
            }
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("{key:?} {locks:?}: {got:?}"),
        }
    }
}

#[test]
fn a_key_ends_when_it_says() {
    for (expires, is_over) in [
        ("\"2026-11-23T00:00:00Z\"", true),
        ("\"2026-11-23T00:00:01Z\"", false),
        ("\"2026-11-22T23:59:59.999Z\"", true),
        ("\"2026-11-23T01:00:00+01:00\"", true),
        ("\"2026-11-23T01:00:01+01:00\"", false),
        ("\"2026-11-22T19:00:01-05:00\"", false),
        ("\"2026-11-22T19:00:00-05:00\"", true),
        ("\"2028-02-29T12:00:00Z\"", false),
        ("\"2024-02-29t12:00:00z\"", true),
        ("1795392000000", true),
        ("1795392000001", false),
        ("null", false),
    ] {
        let entry = format!("{{\"name\":\"ci\",\"expires\":{expires}}}");
        let got = admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW);
        assert_eq!(got.as_ref().err().is_some_and(|e| e.message.contains("has expired")), is_over, "{expires}: {got:?}");
        assert_eq!(got.is_ok(), !is_over, "{expires}");
    }
    for wrong in [
        "2027-02-29T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-00-01T00:00:00Z",
        "2027-01-01",
        "2027-01-01T24:00:00Z",
        "2027-01-01T00:00:00",
        "2027-1-1T00:00:00Z",
        "2027-01-01T00:00:00+0100",
        "2027-01-01T00:00:00*01:00",
        "1900-01-01T00:00:00Z",
        "2027-01-01T00:00:00é",
        "",
    ] {
        let entry = format!("{{\"name\":\"ci\",\"expires\":\"{wrong}\"}}");
        let got = admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW);
        assert_eq!(got.err().map(|e| e.kind), Some(Kind::Internal), "{wrong}");
    }
}

#[test]
fn a_key_uses_what_is_on_its_lists() {
    let routes = r#"{"smart":{"targets":["openai/gpt-4o","anthropic/claude-opus-4-6"]},"cheap":{"targets":["openai/gpt-4o-mini"]},
        "auto":{"rules":[{"when":{"stream":true},"use":"cheap"},{"when":{"tools":1},"use":"openai/gpt-4o"}],"default":"smart"},
        "thrifty":{"rules":[{"when":{"stream":true},"use":"cheap"}],"targets":[{"use":"cheap"}]}}"#;
    let documents = Documents { routes: Some(routes.to_owned()), ..Documents::default() };
    let keys = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"];
    let secrets: SortedMap<String, String> = keys.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    let snapshot = config::build(&documents, &secrets).unwrap();
    for (lists, name, expected) in [
        ("", "smart", true),
        ("", "openai/gpt-4o", true),
        (r#","routes":["smart"]"#, "smart", true),
        (r#","routes":["smart"]"#, "cheap", false),
        (r#","routes":["smart"]"#, "openai/gpt-4o", false),
        (r#","routes":[]"#, "smart", false),
        (r#","models":["openai/*"]"#, "openai/gpt-4o", true),
        (r#","models":["openai/*"]"#, "gpt-4o", true),
        (r#","models":["openai/*"]"#, "cheap", true),
        (r#","models":["openai/*"]"#, "smart", false),
        (r#","models":["openai/*"]"#, "openai/gpt-4o,anthropic/claude-opus-4-6", false),
        (r#","models":["gpt-4o"]"#, "openai/gpt-4o", true),
        (r#","models":["openai/gpt-4o"]"#, "openai/gpt-4o-mini", false),
        (r#","models":["gemini/gemini-2.5-pro"]"#, "google/gemini-2.5-pro", true),
        (r#","models":["mock/flaky"]"#, "mock/flaky?fail=503", true),
        (r#","models":["*"]"#, "smart", true),
        // By way of rules and other routes: all that may be reached counts, or the route's own name.
        (r#","models":["openai/*"]"#, "auto", false),
        (r#","models":["openai/*","anthropic/*"]"#, "auto", true),
        (r#","models":["openai/gpt-4o-mini"]"#, "thrifty", true),
        (r#","routes":["auto"]"#, "auto", true),
        (r#","routes":["smart","cheap"]"#, "auto", false),
        (r#","models":["openai/gpt-4o"],"routes":["smart"]"#, "smart", true),
        (r#","models":["openai/gpt-4o"],"routes":["smart"]"#, "openai/gpt-4o", true),
        (r#","models":["openai/gpt-4o-mini"],"routes":["smart"]"#, "cheap", false),
    ] {
        let entry = format!("{{\"name\":\"ci\"{lists}}}");
        let caller = admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW).unwrap();
        let verdict = caller.permit(&snapshot.resolve(name).unwrap(), &snapshot);
        assert_eq!(verdict.is_ok(), expected, "{lists} {name}: {verdict:?}");
        if let Err(error) = verdict {
            assert_eq!(error.kind, Kind::Forbidden);
            assert!(error.message.contains("`ci` may not use") && error.message.contains("it may use"), "{}", error.message);
        }
    }
}

#[test]
fn a_key_may_require_that_nothing_is_kept() {
    for (said, expected) in [
        ("", Some(false)),
        (r#","zdr":null"#, Some(false)),
        (r#","zdr":false"#, Some(false)),
        (r#","zdr":true"#, Some(true)),
        (r#","zdr":"required""#, Some(true)),
        // What is not understood lets nobody in: to pass it over would be to keep something.
        (r#","zdr":"yes""#, None),
        (r#","zdr":1"#, None),
    ] {
        let entry = format!(r#"{{"name":"ci"{said}}}"#);
        let got = admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW);
        assert_eq!(got.ok().map(|caller| caller.zdr), expected, "{said}");
    }
}

#[test]
fn who_may_say_how_its_requests_are_routed() {
    for (entry, expected) in [
        (None, true),
        (Some(r#"{"name":"ci"}"#), true),
        (Some(r#"{"name":"ci","overrides":true}"#), true),
        (Some(r#"{"name":"ci","overrides":false}"#), false),
    ] {
        let locks = Locks { gateway_key: entry.is_none().then_some(KEY), entry, ..Locks::default() };
        assert_eq!(admit(Some(KEY), locks, NOW).unwrap().overrides, expected, "{entry:?}");
    }
    let locks = Locks { entry: Some(r#"{"name":"ci","overrides":"no"}"#), ..Locks::default() };
    assert_eq!(admit(Some(KEY), locks, NOW).err().map(|e| e.kind), Some(Kind::Internal));
}

fn caller(members: &str) -> Caller {
    let entry = format!("{{\"name\":\"ci\"{members}}}");
    admit(Some(KEY), Locks { entry: Some(&entry), ..Locks::default() }, NOW).unwrap()
}

#[test]
fn a_key_comes_in_by_its_own_doors() {
    use Endpoint::{Chat, Embeddings, Messages, Models, Passthrough};
    let chat = Some(Dialect::OpenAiChat);
    for (members, endpoint, dialect, expected) in [
        ("", Chat, chat, Ok(())),
        (r#","endpoints":["chat","models"]"#, Chat, chat, Ok(())),
        (r#","endpoints":["chat","models"]"#, Models, None, Ok(())),
        (r#","endpoints":["chat","models"]"#, Embeddings, chat, Err("may not use `embeddings`; it may use: `chat`, `models`.")),
        (r#","endpoints":[]"#, Chat, chat, Err("may not use `chat`; it may use: nothing.")),
        (r#","dialects":["anthropic"]"#, Messages, Some(Dialect::Anthropic), Ok(())),
        (r#","dialects":["anthropic"]"#, Chat, chat, Err("may not use `openai-chat`; it may use: `anthropic`.")),
        // No dialect is spoken there.
        (r#","dialects":["anthropic"]"#, Models, None, Ok(())),
        (r#","dialects":["anthropic"],"endpoints":["chat"]"#, Chat, chat, Err("it may use: `anthropic`.")),
        (r#","dialects":["anthropic"],"endpoints":["passthrough"]"#, Passthrough, None, Ok(())),
    ] {
        let got = caller(members).enter(endpoint, dialect);
        match (&got, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => {
                assert!(error.kind == Kind::Forbidden && error.message.contains(part), "{members}: {}", error.message);
            }
            (Ok(()), Err(_)) | (Err(_), Ok(())) => panic!("{members} {endpoint:?}: {got:?}"),
        }
    }
    // What passes unread is closed to whoever is limited to what stands in it.
    for (members, expected) in [
        ("", true),
        (r#","models":["openai/*"]"#, false),
        (r#","routes":["smart"]"#, false),
        (r#","dialects":["anthropic"]"#, false),
        (r#","providers":["openai"]"#, true),
    ] {
        assert_eq!(caller(members).permit_all().is_ok(), expected, "{members}");
    }
    for (members, provider, expected) in [
        ("", "openai", true),
        (r#","providers":["openai"]"#, "openai", true),
        (r#","providers":["gemini"]"#, "google", true),
        (r#","providers":["openai"]"#, "anthropic", false),
        (r#","providers":[]"#, "openai", false),
    ] {
        assert_eq!(caller(members).permit_provider(provider).is_ok(), expected, "{members} {provider}");
    }
}

#[test]
fn a_limited_key_is_told_of_nothing_else() {
    let routes = r#"{"smart":{"targets":["openai/gpt-4o"]},"secret-route":{"targets":["anthropic/claude-opus-4-6"]}}"#;
    let documents = Documents { routes: Some(routes.to_owned()), ..Documents::default() };
    let secrets: SortedMap<String, String> =
        ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"].iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    let config = config::build(&documents, &secrets).unwrap();
    let own = r#","routes":["smart"],"models":["openai/*"]"#;
    // Whether it is there or not, and whatever it is like, the words are the same.
    for asked in ["secret-route", "secret-rout", "anthropic/claude-opus-4-6", "nobody/x"] {
        let error = caller(own).permit_each([("model", asked)].into_iter(), &config).unwrap_err();
        let words = format!("The gateway key `ci` may not use `{asked}`; it may use: `smart`, `openai/*`.");
        assert_eq!((error.kind, error.message.as_str()), (Kind::Forbidden, words.as_str()));
    }
    // On its own list, or with no list: what is wrong.
    for (members, asked) in [(r#","routes":["gone"]"#, "gone"), ("", "secret-rout")] {
        let error = caller(members).permit_each([("model", asked)].into_iter(), &config).unwrap_err();
        assert_eq!(error.kind, Kind::ModelNotFound, "{}", error.message);
    }
    for (members, name, expected) in [
        ("", "secret-route", true),
        (own, "smart", true),
        (own, "openai/gpt-4o", true),
        (own, "secret-route", false),
        (own, "anthropic/claude-opus-4-6", false),
        (r#","providers":["openai"]"#, "smart", true),
        (r#","providers":["openai"]"#, "secret-route", false),
    ] {
        assert_eq!(caller(members).sees(name, &config), expected, "{members} {name}");
    }
}

#[test]
fn a_key_keeps_its_account_through_rotations() {
    assert_eq!(caller("").id, digest(KEY));
    assert_eq!(caller(r#","account":"first","rotated_from":"before""#).id, "first");
}

#[test]
fn a_made_key_carries_its_checksum() {
    let (one, other) = (mint(&[0; 32]), mint(&[255; 32]));
    assert_eq!((one.len(), other.len()), (55, 55));
    assert!(one.starts_with("pk-v1_0000000000") && one != other, "{one}");
    assert!(is_well_formed(&one) && is_well_formed(&other));
    let mut slips = vec![one.to_uppercase(), format!("{one}0"), one[..54].to_owned(), format!("pk-v1_{}", "a".repeat(49))];
    for at in 6..55 {
        let mut slip = other.clone();
        let digit = if &slip[at..=at] == "7" { "8" } else { "7" };
        slip.replace_range(at..=at, digit);
        slips.push(slip);
    }
    for slip in slips {
        assert!(!is_well_formed(&slip) && needs_entry(&slip, None).is_none(), "{slip} would cost a look-up");
    }
}

#[test]
fn an_address_that_guesses_is_shut_for_a_while() {
    let wait = |error: portolan::error::Error| (error.kind, error.retry_after_ms);
    for (guesser, same, other) in [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:0:0:9", "2001:db8:0:1::1"),
        ("", "not an address", "192.0.2.1"),
    ] {
        let mut throttle = Throttle::default();
        for n in 0..MAX_FAILED {
            assert!(throttle.check(Door::Gateway, guesser, NOW).is_ok(), "{guesser} after {n}");
            throttle.failed(Door::Gateway, guesser, NOW.plus(u64::from(n)));
        }
        let shut = throttle.check(Door::Gateway, same, NOW.plus(1_000)).unwrap_err();
        assert_eq!(wait(shut), (Kind::RateLimited, Some(WINDOW_MS - 1_000)), "{guesser} {same}");
        assert!(throttle.check(Door::Gateway, other, NOW).is_ok(), "{other}");
        assert!(throttle.check(Door::Admin, same, NOW).is_ok(), "another door");
        assert!(throttle.check(Door::Gateway, same, NOW.plus(WINDOW_MS)).is_ok(), "it is over");
        throttle.failed(Door::Gateway, same, NOW.plus(WINDOW_MS));
        assert!(throttle.check(Door::Gateway, same, NOW.plus(WINDOW_MS)).is_ok(), "it begins anew");
    }
}

#[test]
fn guessing_addresses_take_no_more_room_than_there_is() {
    let mut throttle = Throttle::default();
    for _ in 0..MAX_FAILED {
        throttle.failed(Door::Gateway, "192.0.2.1", NOW);
    }
    for n in 0..MAX_ADDRESSES * 2 {
        throttle.failed(
            Door::Gateway,
            &format!("2001:db8:{:x}:{:x}::", n >> 16, n & 0xffff),
            NOW.plus(u64::try_from(n).unwrap() / 1_000),
        );
        assert!(throttle.len() <= MAX_ADDRESSES);
    }
    assert!(throttle.check(Door::Gateway, "192.0.2.1", NOW.plus(10)).is_err(), "who is shut stays shut");
    throttle.failed(Door::Admin, "192.0.2.9", NOW.plus(WINDOW_MS * 2));
    assert!(throttle.len() <= MAX_ADDRESSES);
}

/// Keys are found by the digest of all their bytes, and the two secrets are compared by theirs, to the last byte: what a
/// look-up takes says nothing of how much of a guess was right.
#[test]
fn keys_are_never_compared_as_they_are() {
    let rooms = [
        "guard/mod.rs",
        "guard/key.rs",
        "guard/caller.rs",
        "guard/entry.rs",
        "shell/serve.rs",
        "shell/store.rs",
        "shell/admin.rs",
    ];
    let compared =
        ["key ==", "== key", "key ==", "presented ==", "== presented", "token ==", "== token", "secret ==", "== secret", ".eq("];
    for room in rooms {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
        let text = std::fs::read_to_string(path).unwrap();
        for words in compared {
            assert!(!text.contains(words), "src/{room} compares a key: `{words}`");
        }
        // Whatever is looked up by a key goes by its entry's name, which is a digest.
        for line in text.lines().filter(|line| line.contains("bindings::value(") && line.contains("key")) {
            assert!(!line.contains("presented"), "src/{room}: {line}");
        }
    }
    for key in ["pk-0123456789abcdefghij", &mint(&[1; 32])] {
        let name = needs_entry(key, None).unwrap();
        assert!(name.len() == 68 && !name.contains(&key[3..]), "{name}");
    }
}
