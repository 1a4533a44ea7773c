//! A tenant's own keys over the operator's configuration.

use portolan::{
    config::{self, OwnKey, Snapshot, fingerprint},
    sorted::SortedMap,
};

use super::documents;

const CANARY: &str = "sk-own-canary-7a1c44e0";
const ACCOUNT: &str = r#"{"client_email":"g@acme.iam.gserviceaccount.com","private_key":"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"}"#;
const PROVIDERS: &str = r#"{
  "lab": {"kind": "openai", "base_url": "https://lab.example/v1", "keys": ["${LAB_1}", "${LAB_2}"]},
  "open": {"kind": "openai", "base_url": "https://open.example/v1"},
  "closed": {"kind": "openai", "base_url": "https://closed.example/v1", "keys": ["${CLOSED_KEY}"], "models": {"m": {"context": 9000}}}
}"#;
const PRICES: &str = r#"{"closed/m": {"input": 1.5, "output": 2}}"#;

fn operator() -> Snapshot {
    let found = [("LAB_1", "one"), ("LAB_2", "two"), ("AI", "binding"), ("OPENAI_API_KEY", "operator's")];
    let found: SortedMap<String, String> = found.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    config::build(&documents(&[("providers", PROVIDERS), ("prices", PRICES)]), &found).unwrap()
}

fn own(provider: &str, value: Option<&str>) -> OwnKey {
    OwnKey { provider: provider.to_owned(), fingerprint: format!("print-{provider}"), value: value.map(str::to_owned) }
}

fn keys_of(config: &Snapshot, provider: &str) -> Option<Vec<String>> {
    config.providers.get(provider).map(|p| p.credentials.iter().map(|credential| credential.value.clone()).collect())
}

#[test]
fn a_tenants_key_stands_in_for_all_of_the_operators() {
    let base = operator();
    let names = ["lab", "open", "closed", "groq", "openai"];
    let theirs = base.with_own(&names.map(|name| own(name, Some(CANARY))));
    for name in names {
        assert_eq!(keys_of(&theirs, name).unwrap(), [CANARY], "{name}");
        assert_eq!(theirs.providers.get(name).unwrap().own.as_deref(), Some(format!("print-{name}").as_str()));
        assert!(!theirs.off.contains_key(name), "{name}");
    }
    // What the operator said of a provider that was off holds too.
    assert!(theirs.resolve("closed/m").is_ok() && base.resolve("closed/m").is_err());
    assert_eq!(theirs.model("closed", "m").unwrap().context, Some(9000));
    assert!(theirs.price("closed", "m").is_some());
    assert_eq!(theirs.version, base.version);
    let listed = |config: &Snapshot| config.model_list().iter().filter(|model| model.owner == "groq").count();
    assert!(listed(&base) == 0 && listed(&theirs) > 0);
    // The operator's own is as it was.
    assert_eq!(keys_of(&base, "lab").unwrap(), ["one", "two"]);
    assert!(base.providers.values().all(|provider| provider.own.is_none()));
    assert_eq!(keys_of(&base, "closed"), None);
}

#[test]
fn a_key_that_cannot_be_opened_is_not_the_operators() {
    let theirs = operator().with_own(&[own("openai", None), own("closed", None)]);
    for name in ["openai", "closed"] {
        assert_eq!(keys_of(&theirs, name), None);
        let error = theirs.resolve(&format!("{name}/m")).unwrap_err();
        assert!(error.message.contains("the tenant's own key for it cannot be opened"), "{}", error.message);
    }
    assert_eq!(theirs.own_keys().collect::<Vec<_>>(), [("closed", ""), ("openai", "")]);
    assert_eq!(keys_of(&theirs, "lab").unwrap().len(), 2);
}

#[test]
fn what_takes_no_key_is_left_alone() {
    let base = operator();
    let theirs = base.with_own(&["mock", "workers-ai", "nobody", "vertex"].map(|name| own(name, Some(CANARY))));
    assert_eq!(theirs.own_keys().count(), 0);
    assert_eq!(theirs.providers.keys().collect::<Vec<_>>(), base.providers.keys().collect::<Vec<_>>());
}

#[test]
fn a_key_is_brought_to_a_provider_by_any_of_its_names() {
    let base = operator();
    for (name, expected) in [
        ("openai", Ok("openai")),
        ("gemini", Ok("google")),
        ("closed", Ok("closed")),
        ("open", Ok("open")),
        ("mock", Err("takes no key")),
        ("workers-ai", Err("takes no key")),
        ("vertex", Err("address needs `VERTEX_")),
        ("opnai", Err("There is no provider `opnai`")),
    ] {
        match (base.own_key_provider(name), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(words)) => {
                assert!(error.message.contains(words) && error.status == 404, "{name}: {}", error.message)
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn texts_that_are_no_keys_are_refused_and_not_repeated() {
    let found = [("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "eu")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let base = config::build(&documents(&[]), &found.into()).unwrap();
    let long = "k".repeat(8_193);
    for (provider, key, wrong) in [
        ("openai", CANARY, ""),
        ("openai", "fifteen-letters", "16 to 8192 bytes"),
        ("openai", &long, "16 to 8192 bytes"),
        ("openai", "sk-own-canary\r\nx-evil: 1", "visible ASCII"),
        ("openai", "sk-own canary with blanks", "visible ASCII"),
        ("openai", "sk-own-cänary-with-umlaut", "visible ASCII"),
        ("vertex", ACCOUNT, ""),
        ("vertex", CANARY, "not the JSON key of a service account"),
    ] {
        let checked = base.check_own_key(provider, key);
        let words = checked.map_or_else(|error| error.message.clone(), |()| String::new());
        assert!(words.contains(wrong) && words.is_empty() == wrong.is_empty(), "{provider} {key}: {words}");
        assert!(!words.contains("canary") && !words.contains("evil"), "{words}");
    }
}

#[test]
fn fingerprints_tell_keys_apart_and_nothing_else() {
    let prints = [
        fingerprint("acme", "openai", CANARY),
        fingerprint("globex", "openai", CANARY),
        fingerprint("acme", "anthropic", CANARY),
        fingerprint("acme", "openai", "sk-own-canary-7a1c44e1"),
    ];
    for (i, print) in prints.iter().enumerate() {
        assert!(print.len() == 16 && print.bytes().all(|b| b.is_ascii_hexdigit()), "{print}");
        assert!(prints.iter().skip(i + 1).all(|other| other != print));
    }
    assert_eq!(prints[0], fingerprint("acme", "openai", CANARY));
    let shown = format!("{:?}", operator().with_own(&[own("openai", Some(CANARY))]).providers.get("openai").unwrap());
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!format!("{:?}", own("openai", Some(CANARY))).contains("canary"));
}
