//! Tests of the room `cache`: whose answer is found, where there is one at all, and what is stored.

use portolan::{
    cache::{Question, Slot, Standing, Stored, slot, warning},
    catalog::Operation,
    chat::usage::Usage,
    config::{self, Documents, Snapshot},
    dialect::{Dialect, Facts},
    sorted::SortedMap,
    units::Millis,
};

const ROUTES: &str = r#"{
    "warm": {"targets": ["mock/echo"], "cache": {"ttl_s": 300}},
    "cold": {"targets": ["mock/echo"], "cache": false},
    "plain": {"targets": ["mock/echo"]},
    "strict": {"targets": ["mock/echo"], "zdr": true}
}"#;

fn snapshot(routes: &str, settings: &str) -> Snapshot {
    let some = |text: &str| Some(text.to_owned());
    let documents = Documents { routes: some(routes), settings: some(settings), ..Documents::default() };
    config::build(&documents, &SortedMap::new()).unwrap()
}

fn facts(model: &str) -> Facts {
    Facts { model: model.to_owned(), ..Facts::default() }
}

fn question(facts: &Facts) -> Question<'_> {
    Question {
        key: "digest",
        tenant: "default",
        dialect: Dialect::OpenAiChat,
        operation: None,
        model: &facts.model,
        facts,
        zdr: false,
        headers: &[],
        place: &[],
        body: br#"{"model":"warm","messages":[]}"#,
    }
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_cache_is_there_only_where_it_is_asked_for_and_may_be() {
    let (plain, everywhere) = (snapshot(ROUTES, "{}"), snapshot(ROUTES, r#"{"cache":{"ttl_s":60}}"#));
    let strict = snapshot(ROUTES, r#"{"cache":{"ttl_s":60},"zdr":true}"#);
    let ttl = |config: &Snapshot, model: &str| {
        slot(question(&facts(model)), config).unwrap().map(|slot: Slot| (slot.ttl_s, slot.reads, slot.writes))
    };
    for (config, model, expected) in [
        (&plain, "warm", Some(300)),
        (&plain, "cold", None),
        (&plain, "plain", None),
        (&plain, "mock/echo", None),
        (&everywhere, "warm", Some(300)),
        (&everywhere, "cold", None),
        (&everywhere, "plain", Some(60)),
        (&everywhere, "mock/echo", Some(60)),
        (&everywhere, "strict", None),
        (&strict, "warm", None),
        (&strict, "mock/echo", None),
    ] {
        assert_eq!(ttl(config, model), expected.map(|ttl| (ttl, true, true)), "{model}");
    }
    let warm = facts("warm");
    let continued = Facts { continues: Some("resp_1".to_owned()), ..warm.clone() };
    let responses = Dialect::OpenAiResponses;
    for (what, question, is_there) in [
        ("embeddings", Question { operation: Some(Operation::Embed), ..question(&warm) }, true),
        ("a picture", Question { operation: Some(Operation::Image), ..question(&warm) }, false),
        ("moderation", Question { operation: Some(Operation::Moderate), ..question(&warm) }, false),
        ("zero retention", Question { zdr: true, ..question(&warm) }, false),
        ("what goes on from a stored response", Question { dialect: responses, ..question(&continued) }, false),
        ("a response", Question { dialect: responses, ..question(&warm) }, true),
        ("one that is fetched later", Question { dialect: responses, body: br#"{"background":true}"#, ..question(&warm) }, false),
    ] {
        assert_eq!(slot(question, &plain).unwrap().is_some(), is_there, "{what}");
    }
}

#[test]
fn the_caller_has_a_say() {
    let config = snapshot(ROUTES, "{}");
    let facts = facts("warm");
    for (said, expected) in [("no-store", Some((true, false))), ("Refresh", Some((false, true))), (" off ", None)] {
        let headers = headers(&[("x-portolan-cache", said)]);
        let found = slot(Question { headers: &headers, ..question(&facts) }, &config).unwrap();
        assert_eq!(found.map(|slot| (slot.reads, slot.writes)), expected, "{said}");
    }
    for model in ["warm", "plain"] {
        let (headers, facts) = (headers(&[("x-portolan-cache", "on")]), self::facts(model));
        let error = slot(Question { headers: &headers, ..question(&facts) }, &config).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some("x-portolan-cache")), "{model}");
    }
}

#[test]
fn two_requests_share_an_answer_only_if_nothing_tells_them_apart() {
    let config = snapshot(ROUTES, "{}");
    let other = snapshot(ROUTES, r#"{"max_body_bytes":2048}"#);
    let warm = facts("warm");
    let name = |question: Question<'_>, config: &Snapshot| slot(question, config).unwrap().unwrap().name;
    let base = name(question(&warm), &config);
    assert!(base.starts_with("answer1:") && base.len() == 8 + 64, "{base}");
    assert_eq!(name(question(&warm), &config), base, "the same again");
    let (streamed, array) = (Facts { stream: true, ..warm.clone() }, Facts { stream: true, array: true, ..warm.clone() });
    let elsewhere = facts("mock/echo");
    let [beta, ours, named, both] = [
        headers(&[("anthropic-beta", "x")]),
        headers(&[("x-portolan-metadata", "{}")]),
        headers(&[("openai-beta", "x")]),
        headers(&[("anthropic-beta", ""), ("x", "")]),
    ];
    let rows = [
        ("another key", Question { key: "other", ..question(&warm) }),
        ("no key", Question { key: "", ..question(&warm) }),
        ("another tenant", Question { tenant: "other", ..question(&warm) }),
        ("another dialect", Question { dialect: Dialect::Anthropic, ..question(&warm) }),
        ("another task", Question { operation: Some(Operation::Embed), ..question(&warm) }),
        ("a stream", question(&streamed)),
        ("an array", question(&array)),
        ("another model by the header", Question { model: "warm", ..question(&elsewhere) }),
        ("a beta", Question { headers: &beta, ..question(&warm) }),
        ("a header of ours", Question { headers: &ours, ..question(&warm) }),
        ("another beta", Question { headers: &named, ..question(&warm) }),
        ("an empty beta", Question { headers: &both, ..question(&warm) }),
        ("a region", Question { place: &[("region", "weur")], ..question(&warm) }),
        ("a user", Question { body: br#"{"model":"warm","messages":[],"user":"u"}"#, ..question(&warm) }),
        ("a space", Question { body: br#"{"model":"warm", "messages":[]}"#, ..question(&warm) }),
        ("nothing", Question { body: b"", ..question(&warm) }),
    ];
    let mut names: Vec<String> = rows.iter().map(|(_, question)| name(*question, &config)).collect();
    names.extend([base.clone(), name(question(&warm), &other)]);
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two of the rows share a name");
    for (what, pairs) in [
        ("the connection's", &[("user-agent", "a"), ("x-request-id", "r")][..]),
        ("its credential", &[("authorization", "Bearer x")]),
        ("the cache's own", &[("x-portolan-cache", "refresh"), ("x-portolan-timeout-ms", "9")]),
    ] {
        let headers = headers(pairs);
        assert_eq!(name(Question { headers: &headers, ..question(&warm) }, &config), base, "{what} headers change nothing");
    }
}

#[test]
fn what_is_stored_comes_back_until_it_is_too_old() {
    let usage = Usage { input: 1, cache_read: 2, cache_write: 3, output: 4, reasoning: 5, ..Usage::default() };
    let plain = Stored {
        provider: "acme".to_owned(),
        model: "a/b".to_owned(),
        answered_by: Some("b-2026".to_owned()),
        content_type: "text/event-stream; charset=utf-8".to_owned(),
        usage: Some(usage),
        estimated: true,
        until: Millis(1_000),
        body: b"data: \n\n\xff\x00".to_vec(),
    };
    let bare = Stored { answered_by: None, usage: None, estimated: false, body: vec![], ..plain.clone() };
    for stored in [&plain, &bare] {
        let bytes = stored.to_bytes();
        assert_eq!(Stored::read(&bytes, Millis(999)).as_ref(), Some(stored));
        assert_eq!(Stored::read(&bytes, Millis(1_000)), None, "too old");
    }
    for wrong in ["", "\n", "{}\n", "[]\nx", r#"{"provider":"a"}"#, "{\"provider\":\"a\",\"model\":1,\"content_type\":\"x\"}\n"] {
        assert_eq!(Stored::read(wrong.as_bytes(), Millis(0)), None, "{wrong}");
    }
}

#[test]
fn the_operator_is_told_what_a_cache_lacks() {
    let (asked, everywhere, none) =
        (snapshot(ROUTES, "{}"), snapshot("{}", r#"{"cache":{"ttl_s":60}}"#), snapshot("{}", r#"{"cache":false}"#));
    for (config, namespace, secret, words) in [
        (&asked, true, true, None),
        (&asked, false, true, Some("`CACHE`")),
        (&asked, true, false, Some("`ENCRYPTION_SECRET`")),
        (&everywhere, false, false, Some("`CACHE`, and")),
        (&none, false, false, None),
    ] {
        let told = warning(config, namespace, secret);
        assert_eq!(told.is_some(), words.is_some());
        assert!(words.is_none_or(|words| told.unwrap_or_default().contains(words)));
    }
    assert_eq!([Standing::Off, Standing::Miss, Standing::Hit].map(Standing::name), ["off", "miss", "hit"]);
}
