//! Tests of the room `config`.

use portolan::sorted::SortedMap;

use portolan::{
    catalog::{Feature, Supports},
    config::{self, Breaker, Documents, Problem, Retry, Settings, Snapshot, Strategy, Timeouts, WhenAllUnavailable},
    error::Kind,
    wire::json::Edit,
};

mod conditions;
mod given;
mod manual;
mod nesting;
mod news;
mod otlp;
mod own_entry;
mod own_keys;
mod prices;
mod problems;
mod schema;
mod secrets;
mod upstreams;

const SECRETS: [&str; 4] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "LAB_KEY_2", "GOOGLE_API_KEY"];

fn secrets(names: &[&str]) -> SortedMap<String, String> {
    names.iter().map(|name| ((*name).to_owned(), format!("value of {name}"))).collect()
}

fn documents(parts: &[(&str, &str)]) -> Documents {
    let part = |name: &str| parts.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned());
    Documents {
        routes: part("routes"),
        providers: part("providers"),
        settings: part("settings"),
        prices: part("prices"),
        budgets: part("budgets"),
    }
}

fn example() -> Documents {
    documents(&[
        ("routes", include_str!("fixtures/config/routes.json")),
        ("providers", include_str!("fixtures/config/providers.json")),
        ("settings", include_str!("fixtures/config/settings.json")),
        ("prices", include_str!("fixtures/config/prices.json")),
        ("budgets", include_str!("fixtures/config/budgets.json")),
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
    let route = split.config;
    let targets = snapshot.targets(&route);
    assert_eq!((route.strategy, route.policy.when_all_unavailable), (Strategy::Weighted, Some(WhenAllUnavailable::Fail)));
    assert_eq!(route.policy.retry.over(snapshot.settings.retry), Retry { attempts: 2, total_ms: 60_000 });
    assert_eq!(route.choices.iter().map(|c| c.weight).collect::<Vec<_>>(), [9, 1]);
    assert_eq!(targets.iter().map(|t| t.name()).collect::<Vec<_>>(), ["openai/gpt-4o", "my-lab/org/lab-large"]);
    let said =
        Timeouts { headers_ms: 10_000, first_token_ms: 8_000, idle_ms: 15_000, total_ms: 120_000, non_stream_total_ms: 120_000 };
    let timeouts: Vec<Timeouts> = targets.iter().map(|t| snapshot.timeouts(t, route.policy.timeouts)).collect();
    assert_eq!(timeouts, [said, Timeouts { idle_ms: 5_000, ..said }]);
    assert_eq!(
        targets[1].edits,
        [
            Edit::Remove("logit_bias".into()),
            Edit::Default("top_p".into(), "0.9".to_owned()),
            Edit::Set("temperature".into(), "0".to_owned()),
        ]
    );

    let settings = &snapshot.settings;
    assert_eq!((settings.max_body_bytes, settings.log_console), (1 << 20, false));
    assert_eq!(settings.cors_origins, ["https://app.example", "http://localhost:3000"]);
    assert_eq!(settings.audit.webhook.as_deref(), Some("https://hooks.example/audit?to=us"));
    assert_eq!((settings.audit.max_entries, Settings::default().audit.max_entries), (5_000, 1_000_000));
    assert_eq!(settings.breaker.open_ms, Some(5_000));
    assert!(Breaker::default().open_ms.is_none());

    let lab = snapshot.providers.get("my-lab").unwrap();
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
        assert_eq!(built.and_then(|s| s.price("openai", "gpt-4o").map(|p| p.input.0)), expected, "{text}");
    }
}

#[test]
fn without_documents_a_secret_is_enough() {
    let snapshot = built(&[], &["GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"]);
    assert_eq!(snapshot.providers.keys().collect::<Vec<_>>(), ["google", "mock", "openai"]);
    let google = &snapshot.providers.get("google").unwrap().credentials;
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
    assert_eq!(*snapshot.off.get("lab").unwrap(), ["LAB_KEY"]);
    assert!(snapshot.warnings.iter().any(|w| w.contains("wrangler secret put LAB_KEY")), "{:?}", snapshot.warnings);
    assert_eq!(snapshot.targets(&snapshot.resolve("r").unwrap().config).len(), 2, "the plan says why one is skipped");
    assert!(snapshot.resolve("dead").unwrap_err().message.contains("LAB_KEY"));
}

#[test]
fn another_house_never_gets_the_usual_secret() {
    let elsewhere = r#"{"lab":{"kind":"openai","base_url":"https://lab.example/v1"},"twin":{"kind":"openai"},
        "openai":{"base_url":"https://eu.api.openai.com/v1"}}"#;
    let snapshot = built(&[("providers", elsewhere)], &["OPENAI_API_KEY"]);
    let keys = |name: &str| snapshot.providers.get(name).unwrap().credentials.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
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
        let found: Vec<String> = snapshot.targets(&resolved.config).iter().map(|t| t.name()).collect();
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
        ("openai/..", Kind::ModelNotFound, "must be followed by"),
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
        let route = snapshot.resolve(name).unwrap().config;
        let timeouts = |t| snapshot.timeouts(t, route.policy.timeouts).first_token_ms;
        snapshot.targets(&route).into_iter().map(timeouts).collect::<Vec<_>>()
    };
    assert_eq!(patience("a"), [60_000, 12_000]);
    assert_eq!(patience("b"), [7]);
    assert_eq!(patience("c"), [8]);
    assert_eq!(patience("openai/gpt-5.4,openai/gpt-4o"), [60_000, 12_000]);
    let route = snapshot.resolve("openai/gpt-4o").unwrap().config;
    let defaults = snapshot.timeouts(snapshot.targets(&route)[0], route.policy.timeouts);
    assert_eq!((defaults.total_ms, defaults.non_stream_total_ms, defaults.idle_ms), (600_000, 300_000, 20_000));
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
