//! Tests of the room `config`.

use std::collections::BTreeMap;

use portolan::{
    catalog::{Feature, Supports},
    config::{self, Breaker, Documents, Problem, Retry, Snapshot, Strategy, Timeouts, WhenAllUnavailable, is_private_host},
    error::Kind,
    wire::json::Edit,
};

mod schema;

const SECRETS: [&str; 4] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "LAB_KEY_2", "GOOGLE_API_KEY"];

fn secrets(names: &[&str]) -> BTreeMap<String, String> {
    names.iter().map(|name| ((*name).to_owned(), format!("value of {name}"))).collect()
}

fn documents(parts: &[(&str, &str)]) -> Documents {
    let part = |name: &str| parts.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned());
    Documents { routes: part("routes"), providers: part("providers"), settings: part("settings"), prices: part("prices") }
}

fn example() -> Documents {
    documents(&[
        ("routes", include_str!("fixtures/config/routes.json")),
        ("providers", include_str!("fixtures/config/providers.json")),
        ("settings", include_str!("fixtures/config/settings.json")),
        ("prices", include_str!("fixtures/config/prices.json")),
    ])
}

fn built(parts: &[(&str, &str)], names: &[&str]) -> Snapshot {
    config::build(&documents(parts), &secrets(names)).unwrap()
}

fn problems(parts: &[(&str, &str)]) -> Vec<Problem> {
    config::build(&documents(parts), &secrets(&SECRETS)).err().unwrap_or_default()
}

#[test]
fn the_documents_say_what_they_say() {
    let snapshot = config::build(&example(), &secrets(&SECRETS)).unwrap();
    let split = snapshot.resolve("split").unwrap();
    assert!(split.is_route);
    let route = split.route_config;
    assert_eq!((route.strategy, route.when_all_unavailable), (Strategy::Weighted, WhenAllUnavailable::Fail));
    assert_eq!(route.retry, Retry { attempts: 2, total_ms: 60_000 });
    assert_eq!(
        route.targets.iter().map(|t| (t.name(), t.weight)).collect::<Vec<_>>(),
        [("openai/gpt-4o".to_owned(), 9), ("my-lab/org/lab-large".to_owned(), 1)]
    );
    let said =
        Timeouts { headers_ms: 10_000, first_token_ms: 8_000, idle_ms: 15_000, total_ms: 120_000, non_stream_total_ms: 120_000 };
    assert_eq!(route.timeouts, said);
    assert_eq!(route.targets.iter().map(|t| t.timeouts).collect::<Vec<_>>(), [said, Timeouts { idle_ms: 5_000, ..said }]);
    assert_eq!(
        route.targets[1].edits,
        [
            Edit::Remove("logit_bias".into()),
            Edit::Default("top_p".into(), "0.9".to_owned()),
            Edit::Set("temperature".into(), "0".to_owned()),
        ]
    );

    let settings = &snapshot.settings;
    assert_eq!((settings.max_body_bytes, settings.log_console), (1 << 20, false));
    assert_eq!(settings.cors_origins, ["https://app.example", "http://localhost:3000"]);
    assert_eq!(settings.breaker.open_ms, Some(5_000));
    assert!(Breaker::default().open_ms.is_none());

    let lab = &snapshot.providers["my-lab"];
    assert_eq!((lab.kind.name, lab.base_url.as_str()), ("openai", "https://lab.example/v1"));
    assert_eq!(lab.credentials.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["LAB_KEY_2"], "those that are there");
    let model = snapshot.model("my-lab", "org/lab-large").unwrap();
    assert_eq!((model.context, model.max_output), (Some(131_072), Some(8_192)));
    assert_eq!(model.supports, Some(Supports::of(&[Feature::Tools, Feature::Vision, Feature::JsonSchema])));
    assert!(snapshot.model("my-lab", "gpt-4o").is_none(), "another house is not described by the catalog");
    assert!(snapshot.price("openai", "gpt-9-preview").is_none());
    assert_eq!(snapshot.model("openai", "gpt-9-preview").unwrap().context, Some(2_000_000));
}

#[test]
fn prices_are_exact_and_the_last_word_is_the_price_book_s() {
    let snapshot = config::build(&example(), &secrets(&SECRETS)).unwrap();
    let price = |provider, model| {
        let price = snapshot.price(provider, model).unwrap();
        [price.input.0, price.output.0, price.cache_read.0, price.cache_write.0]
    };
    assert_eq!(price("my-lab", "org/lab-large"), [1_250_000, 10_000_000, 125_000, 1_500_000]);
    assert_eq!(price("openai", "gpt-4o"), [2_000_000, 8_000_000, 500_000, 2_000_000]);
    assert_eq!(price("anthropic", "claude-opus-4-6"), [4_500_000, 22_500_000, 4_500_000, 4_500_000]);
    for (text, expected) in [
        ("0", Some(0)),
        ("0.1", Some(100_000)),
        ("0.000001", Some(1)),
        ("1e-6", Some(1)),
        ("1.1e0", Some(1_100_000)),
        ("1E2", Some(100_000_000)),
        ("75.123456", Some(75_123_456)),
        ("100000", Some(100_000_000_000)),
        ("0.0000001", None),
        ("1.0000001", None),
        ("100000.1", None),
        ("-1", None),
        ("1e300", None),
        ("1e-300", None),
    ] {
        let prices = format!("{{\"openai/gpt-4o\":{{\"input\":{text},\"output\":1}}}}");
        let built = config::build(&documents(&[("prices", &prices)]), &secrets(&SECRETS)).ok();
        assert_eq!(built.and_then(|s| s.price("openai", "gpt-4o")).map(|p| p.input.0), expected, "{text}");
    }
}

#[test]
fn without_documents_a_secret_is_enough() {
    let snapshot = built(&[], &["GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"]);
    assert_eq!(snapshot.providers.keys().collect::<Vec<_>>(), ["google", "mock", "openai"]);
    let google = &snapshot.providers["google"].credentials;
    assert_eq!(google.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["GEMINI_API_KEY"], "the first found wins");
    assert!(!format!("{snapshot:?}").contains("value of"), "no credential in a debug line");
    assert!(snapshot.warnings.is_empty(), "what nobody asked for is no warning");
    let error = snapshot.resolve("groq/openai/gpt-oss-20b").unwrap_err();
    assert_eq!(error.kind, Kind::ModelNotFound);
    assert!(error.message.contains("wrangler secret put GROQ_API_KEY"), "{}", error.message);
    let empty = config::build(&Documents::default(), &[("OPENAI_API_KEY".to_owned(), "  ".to_owned())].into()).unwrap();
    assert_eq!(empty.providers.keys().collect::<Vec<_>>(), ["mock"]);
}

#[test]
fn a_missing_secret_turns_a_provider_off_and_says_so() {
    let providers = r#"{"lab":{"kind":"openai","base_url":"https://lab.example/v1","keys":["${LAB_KEY}"]}}"#;
    let routes = r#"{"r":{"targets":["lab/x","mock/echo"]},"dead":{"targets":["lab/x"]}}"#;
    let snapshot = built(&[("providers", providers), ("routes", routes)], &[]);
    assert_eq!(snapshot.off["lab"], ["LAB_KEY"]);
    assert!(snapshot.warnings.iter().any(|w| w.contains("wrangler secret put LAB_KEY")), "{:?}", snapshot.warnings);
    assert_eq!(snapshot.resolve("r").unwrap().route_config.targets.len(), 2, "the plan says why one is skipped");
    assert!(snapshot.resolve("dead").unwrap_err().message.contains("LAB_KEY"));
}

#[test]
fn another_house_never_gets_the_usual_secret() {
    let elsewhere = r#"{"lab":{"kind":"openai","base_url":"https://lab.example/v1"},"twin":{"kind":"openai"},
        "openai":{"base_url":"https://eu.api.openai.com/v1"}}"#;
    let snapshot = built(&[("providers", elsewhere)], &["OPENAI_API_KEY"]);
    let keys = |name: &str| snapshot.providers[name].credentials.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(keys("lab"), Vec::<String>::new());
    assert_eq!(keys("twin"), ["OPENAI_API_KEY"], "the same house under another name");
    assert_eq!(keys("openai"), ["OPENAI_API_KEY"]);
    assert!(snapshot.price("twin", "gpt-4o").is_some() && snapshot.price("openai", "gpt-4o").is_some());
}

#[test]
fn names_are_routes_then_models() {
    let snapshot = built(&[("routes", r#"{"gpt-4o":{"targets":["mock/echo"]},"smart":{"targets":["mock/lorem"]}}"#)], &SECRETS);
    for (name, is_route, targets) in [
        ("smart", true, vec!["mock/lorem"]),
        ("gpt-4o", true, vec!["mock/echo"]),
        ("openai/gpt-4o", false, vec!["openai/gpt-4o"]),
        ("gpt-4o-mini", false, vec!["openai/gpt-4o-mini"]),
        ("openai/something-new", false, vec!["openai/something-new"]),
        ("gemini/gemini-2.5-pro", false, vec!["google/gemini-2.5-pro"]),
        ("mock/flaky?fail=503&rate=0.3", false, vec!["mock/flaky?fail=503&rate=0.3"]),
        ("openai/org/model", false, vec!["openai/org/model"]),
        ("openai/gpt-4o, anthropic/claude-opus-4-6", false, vec!["openai/gpt-4o", "anthropic/claude-opus-4-6"]),
        ("openai/gpt-4o,openai/gpt-4o", false, vec!["openai/gpt-4o"]),
        ("openai/gpt-4o,groq/x", false, vec!["openai/gpt-4o", "groq/x"]),
    ] {
        let resolved = snapshot.resolve(name).unwrap();
        let found: Vec<String> = resolved.route_config.targets.iter().map(config::Target::name).collect();
        assert_eq!(
            (resolved.route.as_str(), resolved.is_route, found),
            (name, is_route, targets.into_iter().map(str::to_owned).collect())
        );
    }
    for (name, kind, part) in [
        ("smrt", Kind::ModelNotFound, "Did you mean `smart`?"),
        ("gpt-5.4-minni", Kind::ModelNotFound, "`gpt-5.4-mini`"),
        ("opnai/gpt-4o", Kind::ModelNotFound, "Did you mean `openai`?"),
        ("groq/x", Kind::ModelNotFound, "GROQ_API_KEY"),
        ("openai/", Kind::ModelNotFound, "must be followed by"),
        ("openai/gpt 4o", Kind::ModelNotFound, "must be followed by"),
        ("openai/gpt-4o,smart", Kind::ModelNotFound, "no route or model `smart`"),
        ("openai/a,openai/b,openai/c,openai/d,openai/e", Kind::InvalidRequest, "at most 4"),
        ("", Kind::InvalidRequest, "must name"),
        ("a\nb", Kind::InvalidRequest, "must name"),
    ] {
        let error = snapshot.resolve(name).unwrap_err();
        assert_eq!(error.kind, kind, "{name}");
        assert!(error.message.contains(part), "{name}: {}", error.message);
        assert_eq!(error.param.as_deref(), Some("model"));
    }
    assert!(snapshot.model("mock", "flaky?fail=503").is_some());
}

#[test]
fn models_that_think_get_more_time_unless_somebody_says_otherwise() {
    let routes = r#"{"a":{"targets":["openai/gpt-5.4","openai/gpt-4o"]},
        "b":{"targets":["openai/gpt-5.4"],"timeouts":{"first_token_ms":7}},
        "c":{"targets":[{"model":"openai/gpt-5.4","timeouts":{"first_token_ms":8}}],"timeouts":{"first_token_ms":7}}}"#;
    let snapshot = built(&[("routes", routes)], &SECRETS);
    let patience = |name: &str| {
        let targets = snapshot.resolve(name).unwrap().route_config.targets;
        targets.iter().map(|t| t.timeouts.first_token_ms).collect::<Vec<_>>()
    };
    assert_eq!(patience("a"), [60_000, 12_000]);
    assert_eq!(patience("b"), [7]);
    assert_eq!(patience("c"), [8]);
    assert_eq!(patience("openai/gpt-5.4,openai/gpt-4o"), [60_000, 12_000]);
    let defaults = snapshot.resolve("openai/gpt-4o").unwrap().route_config.timeouts;
    assert_eq!((defaults.total_ms, defaults.non_stream_total_ms, defaults.idle_ms), (600_000, 300_000, 20_000));
}

#[test]
fn every_problem_has_its_path_and_says_what_to_do() {
    let lab = |field: &str| format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1",{field}}}}}"#);
    for (document, text, path, part) in [
        ("routes", "", "", "not valid JSON"),
        ("routes", "[]", "", "must be a JSON object"),
        ("routes", "{} x", "", "not valid JSON"),
        ("routes", r#"{"a":{"targets":["mock/echo"]},"a":{"targets":["mock/echo"]}}"#, "a", "there twice"),
        ("settings", r#"{"retry":{"attempts":1,"attempts":2}}"#, "retry.attempts", "there twice"),
        ("routes", r#"{"a":[]}"#, "a", "must be an object"),
        ("routes", r#"{"a":{}}"#, "a.targets", "at least one target"),
        ("routes", r#"{"a":{"targets":[]}}"#, "a.targets", "at least one target"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"stratgy":"weighted"}}"#, "a.stratgy", "Did you mean `strategy`?"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"stratgy":null}}"#, "a.stratgy", "unknown field"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"strategy":"least_cost"}}"#, "a.strategy", "use `priority` or `weighted`"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"on_stream_break":"continue"}}"#, "a.on_stream_break", "not supported"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"when_all_unavailable":"wait"}}"#, "a.when_all_unavailable", "`try_anyway`"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"rules":[]}}"#, "a.rules", "not supported yet"),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","requires":{"zdr":true}}]}}"#,
            "a.targets[0].requires",
            "not supported yet",
        ),
        (
            "routes",
            r#"{"a":{"targets":["mock/echo",{"use":"b","model":"mock/lorem"}]}}"#,
            "a.targets[1].use",
            "not supported yet",
        ),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","weight":2}]}}"#, "a.targets[0].weight", "weighted"),
        (
            "routes",
            r#"{"a":{"strategy":"weighted","targets":[{"model":"mock/echo","weight":0}]}}"#,
            "a.targets[0].weight",
            "from 1 to",
        ),
        (
            "routes",
            r#"{"a":{"strategy":"weighted","targets":[{"model":"mock/echo","weight":0.5}]}}"#,
            "a.targets[0].weight",
            "whole",
        ),
        ("routes", r#"{"a":{"targets":[7]}}"#, "a.targets[0]", "must be an object"),
        ("routes", r#"{"a":{"targets":[{}]}}"#, "a.targets[0].model", "required"),
        ("routes", r#"{"a":{"targets":["opnai/x"]}}"#, "a.targets[0]", "Did you mean `openai`?"),
        ("routes", r#"{"a":{"targets":[{"provider":"antropic","model":"x"}]}}"#, "a.targets[0].provider", "`anthropic`"),
        ("routes", r#"{"a":{"targets":["gpt-5.5-prro"]}}"#, "a.targets[0]", "no route or model"),
        ("routes", r#"{"a":{"targets":["mock/echo","mock/echo"]}}"#, "a.targets[1]", "twice"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"retry":{"attempts":5}}}"#, "a.retry.attempts", "from 1 to 4"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"timeouts":{"idle_ms":0}}}"#, "a.timeouts.idle_ms", "from 1 to"),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"override":{"model":"x"}}}]}}"#,
            "a.targets[0].params.override",
            "`model` is the gateway's",
        ),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"drop":["messages"]}}]}}"#,
            "a.targets[0].params.drop",
            "`messages`",
        ),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"drop":["n"],"default":{"n":1}}}]}}"#,
            "a.targets[0].params.default",
            "named twice",
        ),
        ("routes", r#"{"a/b":{"targets":["mock/echo"]}}"#, "a/b", "letters, digits"),
        ("routes", r#"{"a,b":{"targets":["mock/echo"]}}"#, "a,b", "letters, digits"),
        ("providers", r#"{"lab":{}}"#, "lab.kind", "One of: anthropic"),
        ("providers", r#"{"lab":{"kind":"opnai"}}"#, "lab.kind", "Did you mean `openai`"),
        ("providers", r#"{"lab":{"kind":"mock"}}"#, "lab.kind", "not a known kind"),
        ("providers", r#"{"groq":{"kind":"openai"}}"#, "groq.kind", "leave `kind` out"),
        ("providers", r#"{"gemini":{}}"#, "gemini", "write `google`"),
        ("providers", r#"{"mock":{}}"#, "mock", "built in"),
        ("providers", &lab(r#""keys":["sk-secret-1234"]"#), "lab.keys[0]", "wrangler secret put"),
        ("providers", &lab(r#""keys":["${GATEWAY_KEY}"]"#), "lab.keys[0]", "goes to nobody"),
        ("providers", &lab(r#""keys":["${A B}"]"#), "lab.keys[0]", "wrangler secret put"),
        ("providers", &lab(r#""keys":[1]"#), "lab.keys[0]", "must be a string"),
        ("providers", &lab(r#""regions":["weur"]"#), "lab.regions", "not supported yet"),
        ("providers", &lab(r#""models":{"x":{"context":0}}"#), "lab.models.x.context", "from 1 to"),
        ("providers", &lab(r#""models":{"x":{"supports":["magic"]}}"#), "lab.models.x.supports[0]", "`magic` is not a feature"),
        ("providers", &lab(r#""models":{"x":{"price":{"input":1}}}"#), "lab.models.x.price", "`input` and `output`"),
        ("prices", r#"{"nobody/x":{"input":1,"output":1}}"#, "nobody/x", "no provider `nobody`"),
        ("prices", r#"{"openai/x":{"input":-1,"output":1}}"#, "openai/x.input", "at most six decimals"),
        ("prices", r#"{"openai/x":{"input":"1","output":1}}"#, "openai/x.input", "must be a number"),
        ("settings", r#"{"max_body_bytes":1}"#, "max_body_bytes", "from 1024"),
        ("settings", r#"{"retri":{}}"#, "retri", "Did you mean `retry`?"),
        ("settings", r#"{"cors":{"origins":["app.example"]}}"#, "cors.origins[0]", "must be an origin"),
        ("settings", r#"{"allow_private_upstreams":"yes"}"#, "allow_private_upstreams", "true or false"),
        ("settings", r#"{"breaker":{"failure_percent":101}}"#, "breaker.failure_percent", "from 1 to 100"),
    ] {
        let found = problems(&[(document, text)]);
        let hit = found.iter().any(|p| p.document == document && p.path == path && p.message.contains(part));
        assert!(hit, "{text}\nshould have {part:?} at {path:?}: {found:#?}");
        assert!(!found.iter().any(|p| p.message.contains("sk-secret")), "a literal key is repeated: {found:?}");
        let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
        // The number itself and the price it leaves without are two facts.
        assert!(paths.len() == 1 || document == "prices", "one fault, one problem: {found:#?}");
    }
}

#[test]
fn all_problems_come_at_once_and_none_because_of_another() {
    let found = problems(&[
        ("settings", r#"{"a":1,"retry":{"attempts":9}}"#),
        ("providers", r#"{"lab":{"kind":"openai","base_url":"ftp://x"}}"#),
        ("routes", r#"{"a":{"targets":["lab/x","nobody/x"],"b":1}}"#),
    ]);
    let paths: Vec<(&str, &str)> = found.iter().map(|p| (p.document, p.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            ("settings", "retry.attempts"),
            ("settings", "a"),
            ("providers", "lab.base_url"),
            ("routes", "a.targets[1]"),
            ("routes", "a.b"),
        ]
    );
    let unreadable = problems(&[("providers", "{"), ("routes", r#"{"a":{"targets":["lab/x"]}}"#)]);
    assert_eq!(unreadable.iter().map(|p| p.document).collect::<Vec<_>>(), ["providers"]);
}

#[test]
fn private_hosts_are_known_in_every_spelling() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "db",
        "metadata",
        "10.0.0.1",
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "169.254.169.254",
        "0xa9fea9fe",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "127.0.0.1.",
        "1.2.3.4.5",
        "999.1.1.1",
        "0x",
        "1.2.3.0x100",
        "[::1]",
        "::1",
        "[::]",
        "[fc00::1]",
        "[fdff::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[fe80::1%25eth0]",
        "[::1",
        "",
        "exa mple.com",
        "127。0。0。1",
        "ex%61mple.com",
        "home.arpa",
        "nas.home.arpa",
    ] {
        assert!(is_private_host(host), "{host} is private");
    }
    for host in [
        "api.openai.com",
        "API.OPENAI.COM",
        "api.openai.com.",
        "8.8.8.8",
        "134744072",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "169.253.0.1",
        "192.169.0.1",
        "11.0.0.1",
        "223.255.255.255",
        "localhost.example.com",
        "notlocalhost.io",
        "internal.example.com",
        "mylocal.com",
        "[2606:4700::1111]",
        "2606:4700::1111",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::8.8.8.8]",
        "x.ai",
        "1e100.net",
    ] {
        assert!(!is_private_host(host), "{host} is public");
    }
}

#[test]
fn base_urls_lead_out_unless_the_operator_says_otherwise() {
    // What is wrong: without, and with `allow_private_upstreams`.
    for (url, strict, allowed) in [
        ("https://lab.example/v1", None, None),
        ("https://lab.example:8443", None, None),
        ("https://[2606:4700::1]:8443/v1", None, None),
        ("http://lab.example/v1", Some("https://"), Some("https://")),
        ("http://127.0.0.1:8080/v1", Some("private address"), None),
        ("https://10.1.2.3", Some("private address"), None),
        ("http://[::1]:8080", Some("private address"), None),
        ("http://0x7f.1/", Some("private address"), None),
        ("https://user:pass@lab.example", Some("user name"), Some("user name")),
        ("https://lab.example@127.0.0.1", Some("user name"), Some("user name")),
        ("https://lab.example/v1#x", Some("fragment"), Some("fragment")),
        ("https://lab.example/v1?x=1", Some("query"), Some("query")),
        ("https://lab.example\\\\@127.0.0.1", Some("plain ASCII"), Some("plain ASCII")),
        ("https://lab.exämple", Some("xn--"), Some("xn--")),
        ("https://lab.example:0", Some("host and port"), Some("host and port")),
        ("https://lab.example:99999", Some("host and port"), Some("host and port")),
        ("https:///v1", Some("host and port"), Some("host and port")),
        ("https://lab%2eexample", Some("host and port"), Some("host and port")),
        ("ftp://lab.example", Some("https://"), Some("https://")),
        ("lab.example", Some("must be a URL"), Some("must be a URL")),
        ("mock:", Some("must be a URL"), Some("must be a URL")),
    ] {
        for (allow, expected) in [(false, strict), (true, allowed)] {
            let providers = format!(r#"{{"lab":{{"kind":"openai","base_url":"{url}"}}}}"#);
            let settings = format!(r#"{{"allow_private_upstreams":{allow}}}"#);
            let found = problems(&[("providers", &providers), ("settings", &settings)]);
            let message = found.iter().map(|p| p.message.as_str()).collect::<String>();
            match expected {
                None => assert_eq!(message, "", "{url}"),
                Some(part) => assert!(message.contains(part), "{url} ({allow}): {message:?}"),
            }
        }
    }
}

#[test]
fn the_list_shows_routes_and_what_is_on() {
    let snapshot = built(&[("routes", r#"{"fast":{"targets":["openai/gpt-4o"]}}"#)], &["OPENAI_API_KEY"]);
    let list = snapshot.model_list();
    let ids: Vec<&str> = list.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(ids.first(), Some(&"fast"));
    assert!(ids.contains(&"openai/gpt-4o") && ids.contains(&"mock/echo"));
    assert!(!ids.iter().any(|id| id.starts_with("anthropic/")), "it has no secret");
    for model in &list {
        assert!(snapshot.resolve(&model.id).is_ok(), "{} is listed and unknown", model.id);
    }
}

#[test]
fn the_version_is_the_documents_and_nothing_else() {
    let version = |parts: &[(&str, &str)], names: &[&str]| built(parts, names).version;
    let empty = version(&[], &[]);
    assert_eq!(empty.len(), 16);
    assert_eq!(empty, version(&[], &SECRETS));
    let others = [version(&[("settings", "{}")], &[]), version(&[("routes", "{}")], &[]), version(&[("routes", "{} ")], &[])];
    for (i, other) in others.iter().enumerate() {
        assert!(*other != empty && !others[..i].contains(other), "{other}");
    }
}

#[test]
fn the_shell_is_told_which_secrets_to_read() {
    let providers = r#"{"lab":{"keys":["${LAB_KEY}","${LAB_KEY}","${GATEWAY_KEY}","${a b}"]"#;
    let names = config::secret_names(&documents(&[("providers", providers)]));
    for (name, expected) in
        [("LAB_KEY", true), ("OPENAI_API_KEY", true), ("GOOGLE_API_KEY", true), ("GATEWAY_KEY", false), ("a b", false)]
    {
        assert_eq!(names.iter().filter(|n| *n == name).count(), usize::from(expected), "{name}");
    }
}
