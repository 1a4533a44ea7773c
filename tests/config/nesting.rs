//! Rules and routes inside routes.

use portolan::{
    config::{
        Hedge, MaxPrice, OnContentFilter, OnStreamBreak, Place, Requires, SomeRetry, SomeTimeouts, Strategy, Subject,
        WhenAllUnavailable,
    },
    units::Money,
};
use serde_json::json;

use super::{built, problems};

const ROUTES: &str = include_str!("../fixtures/config/rules.json");

#[test]
fn rules_lead_to_routes_and_models() {
    let snapshot = built(&[("routes", ROUTES)], &["OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"]);
    assert_eq!(snapshot.warnings, Vec::<String>::new());
    let auto = snapshot.routes.get("auto").unwrap();
    let leads = |place: &Place| match place {
        Place::Route(name) => name.clone(),
        Place::Target(target) => target.name(),
    };
    assert_eq!(auto.places().map(leads).collect::<Vec<_>>(), ["vision", "cheap", "smart", "mock/echo", "smart"]);
    let policy = auto.policy;
    assert_eq!(policy.retry, SomeRetry { attempts: Some(3), total_ms: Some(60_000) });
    let timeouts = SomeTimeouts { first_token_ms: Some(12_000), idle_ms: Some(20_000), ..SomeTimeouts::default() };
    assert_eq!(policy.timeouts, timeouts);
    assert_eq!(policy.on_stream_break, Some(OnStreamBreak::Continue));
    let all: Vec<String> = snapshot.targets(auto).iter().map(|target| target.name()).collect();
    let smart = ["anthropic/claude-opus-4-6", "openai/gpt-5.4", "google/gemini-2.5-pro"];
    assert_eq!(
        all,
        [&["google/gemini-2.5-flash", "google/gemini-2.5-flash-lite", "openai/gpt-5.4-nano"], &smart[..], &["mock/echo"]]
            .concat()
    );

    assert!(auto.needs_features && !snapshot.routes.get("smart").unwrap().needs_features);
    assert!(snapshot.routes.get("outer").unwrap().needs_features, "by way of a route inside");
    let window = |name: &str| snapshot.routes.get(name).unwrap().min_context;
    let known = |provider, model| snapshot.model(provider, model).unwrap().context;
    assert_eq!(window("cheap"), known("google", "gemini-2.5-flash-lite").min(known("openai", "gpt-5.4-nano")));
    assert_eq!(window("outer"), window("auto"));
    assert!(window("auto") <= window("cheap") && window("auto").is_some());
    assert_eq!(snapshot.resolve("gpt-5.4").unwrap().config.min_context, known("openai", "gpt-5.4"), "without a route too");

    let listed = |id: &str| snapshot.model_list().into_iter().find(|line| line.id == id).unwrap();
    let (route, usual) = (listed("outer"), listed("anthropic/claude-opus-4-6"));
    assert_eq!((route.owner.as_str(), route.context, route.price), ("portolan", usual.context, None), "as most requests find it");
}

#[test]
fn a_route_and_its_targets_say_all_they_can() {
    let snapshot = built(&[("routes", ROUTES)], &["OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"]);
    let full = snapshot.routes.get("full").unwrap();
    assert_eq!((full.strategy, &full.sticky_by), (Strategy::Sticky, &Some(Subject::Metadata("session".to_owned()))));
    assert_eq!(full.policy.when_all_unavailable, Some(WhenAllUnavailable::Wait { ms: 1_500 }));
    assert_eq!(full.policy.on_stream_break, Some(OnStreamBreak::Atomic));
    assert_eq!(full.policy.on_content_filter, Some(OnContentFilter::Fallback));
    assert_eq!((full.policy.hedge, full.policy.zdr), (Some(Some(Hedge::AfterMs(900))), Some(false)));
    let Place::Target(target) = &full.choices[0].place else { unreachable!() };
    assert_eq!(target.regions, ["weur", "eeur"]);
    assert_eq!(target.max_price, MaxPrice { input: Some(Money(2_500_000)), output: Some(Money(15_000_000)) });
    let requires = Requires { zdr: true, tools: true, vision: true, json_schema: true, min_context: Some(200_000) };
    assert_eq!(target.requires, requires);
    assert!(full.choices[0].when.is_some());
    assert_eq!(full.choices[1].place, Place::Route("cheap".to_owned()));
    assert!(full.needs_features, "by the `when` of a target");

    for (text, expected) in [
        (r#""wait""#, WhenAllUnavailable::Wait { ms: 5_000 }),
        (r#""fail""#, WhenAllUnavailable::Fail),
        (r#""try_anyway""#, WhenAllUnavailable::TryAnyway),
    ] {
        let snapshot = built(&[("settings", &format!(r#"{{"when_all_unavailable":{text},"hedge":{{"after":"p95"}}}}"#))], &[]);
        assert_eq!(snapshot.settings.policy.when_all_unavailable, Some(expected));
        assert_eq!(snapshot.settings.policy.hedge, Some(Some(Hedge::P95)));
        assert!(!snapshot.settings.active_probes);
    }
    let off = built(&[("settings", r#"{"hedge":false,"zdr":true,"probes":{"active":true}}"#)], &[]).settings;
    assert_eq!((off.policy.hedge, off.policy.zdr, off.active_probes), (Some(None), Some(true), true));
}

#[test]
fn who_keeps_nothing_and_who_serves_where_stands_with_the_provider() {
    let providers = r#"{
        "quiet": {"kind": "openai", "base_url": "https://a.example/v1", "zdr": true, "regions": ["weur"],
                  "models": {"loud": {"zdr": false}, "small": {}}},
        "loud": {"kind": "openai", "base_url": "https://b.example/v1", "models": {"quiet": {"zdr": true}}}
    }"#;
    let snapshot = built(&[("providers", providers)], &[]);
    let provider = |name: &str| snapshot.providers.get(name).unwrap();
    let said = |name: &str| (provider(name).zdr, provider(name).regions.clone());
    assert_eq!(said("quiet"), (true, vec!["weur".to_owned()]));
    assert_eq!((said("loud"), said("mock")), ((false, vec![]), (true, vec![])));
    let of_model = |provider: &str, model: &str| snapshot.model(provider, model).and_then(|model| model.zdr);
    assert_eq!(
        [of_model("quiet", "loud"), of_model("quiet", "small"), of_model("loud", "quiet")],
        [Some(false), None, Some(true)]
    );
}

#[test]
fn a_lookalike_says_what_it_speaks() {
    let lab = |rest: &str| format!(r#"{{"lab":{{"kind":"openai","base_url":"https://a.example/v1"{rest}}}}}"#);
    for (rest, expected) in [
        ("", vec!["openai-chat", "openai-completions"]),
        (r#","dialects":["openai-responses","openai-chat"]"#, vec!["openai-responses", "openai-chat"]),
        (r#","dialects":["openai-chat","openai-chat"]"#, vec!["openai-chat"]),
    ] {
        let snapshot = built(&[("providers", &lab(rest))], &[]);
        let spoken: Vec<&str> = snapshot.providers.get("lab").unwrap().dialects("any").map(|dialect| dialect.name()).collect();
        assert_eq!(spoken, expected, "{rest}");
    }
}

#[test]
fn what_does_not_fit_together_is_told_at_its_path() {
    let chain = |length: usize| {
        let link = |i: usize| (format!("r{i}"), json!({"targets": [{"use": format!("r{}", i + 1)}]}));
        let mut routes: serde_json::Map<_, _> = (0..length).map(link).collect();
        routes.insert(format!("r{length}"), json!({"targets": ["mock/echo"]}));
        serde_json::Value::Object(routes)
    };
    assert_eq!(problems(&[("routes", &chain(8).to_string())]), []);
    let rule = json!([{"when": {"stream": true}, "use": "mock/echo"}]);
    let rules = |count: usize| json!((0..count).map(|_| rule[0].clone()).collect::<Vec<_>>());
    assert_eq!(problems(&[("routes", &json!({"a": {"rules": rules(64), "default": "mock/echo"}}).to_string())]), []);
    let one = |field: &str, value: serde_json::Value| json!({"a": {"targets": ["mock/echo"], (field): value}});
    let target = |field: &str, value: serde_json::Value| json!({"a": {"targets": [{"model": "mock/echo", (field): value}]}});
    for (routes, path, part) in [
        (json!({"a": {"rules": rule}}), "a.default", "is required"),
        (json!({"a": {"rules": rule, "targets": []}}), "a.default", "is required"),
        (json!({"a": {"rules": rule, "default": "mock/echo", "targets": ["mock/echo"]}}), "a.default", "Either"),
        (json!({"a": {"default": "mock/echo"}}), "a.default", "`targets`"),
        (json!({"a": {"rules": rule, "default": "mock/echo", "strategy": "weighted"}}), "a.strategy", "in the routes used"),
        (one("rules", json!([])), "a.rules", "1 to 64"),
        (one("rules", rules(65)), "a.rules", "1 to 64"),
        (one("rules", json!([{"use": "mock/echo"}])), "a.rules[0].when", "needs `when`"),
        (one("rules", json!([{"when": {"stream": true}}])), "a.rules[0].use", "needs `use`"),
        (one("rules", json!([{"when": {"stream": true}, "use": "mok/echo"}])), "a.rules[0].use", "Did you mean `mock`"),
        (one("rules", json!([{"when": {"stream": true}, "use": "mock/echo", "then": 1}])), "a.rules[0].then", "unknown field"),
        (
            json!({"smart": {"targets": ["mock/echo"]}, "a": {"targets": [{"use": "smrt"}]}}),
            "a.targets[0].use",
            "no route or model `smrt`. Did you mean `smart`?",
        ),
        (json!({"b": {"targets": ["mock/echo"]}, "a": {"targets": ["b"]}}), "a.targets[0]", "write {\"use\": \"b\"}"),
        (
            json!({"b": {"targets": ["mock/echo"]}, "a": {"targets": [{"use": "b", "timeouts": {"idle_ms": 5}}]}}),
            "a.targets[0].timeouts",
            "at the targets of that route",
        ),
        (json!({"b": {"targets": ["mock/echo"]}, "a": {"targets": [{"use": "b"}, {"use": "b"}]}}), "a.targets[1]", "twice"),
        (json!({"a": {"targets": [{"use": "mock/echo", "weight": 2}]}}), "a.targets[0].weight", "weighted"),
        (json!({"a": {"targets": [{"use": "a"}]}}), "a.targets[0].use", "`a` → `a`"),
        (
            json!({"a": {"rules": [{"when": {"stream": true}, "use": "b"}], "default": "mock/echo"},
                   "b": {"rules": [{"when": {"stream": true}, "use": "mock/echo"}], "default": "c"},
                   "c": {"targets": ["mock/echo", {"use": "a"}]}, "d": {"targets": [{"use": "b"}]}}),
            "a.rules[0].use",
            "`a` → `b` → `c` → `a`",
        ),
        (chain(9), "r0", "8 deep"),
        (chain(12), "r3", "8 deep"),
        (one("sticky_by", json!("user")), "a.sticky_by", "no effect"),
        (json!({"a": {"targets": ["mock/echo"], "strategy": "sticky", "sticky_by": "tools"}}), "a.sticky_by", "no session"),
        (one("when_all_unavailable", json!("later")), "a.when_all_unavailable", "`wait`"),
        (one("when_all_unavailable", json!({})), "a.when_all_unavailable.wait_ms", "is required"),
        (one("when_all_unavailable", json!({"wait_ms": 30_001})), "a.when_all_unavailable.wait_ms", "1 to 30000"),
        (one("on_stream_break", json!("retry")), "a.on_stream_break", "`atomic`"),
        (one("on_content_filter", json!("ignore")), "a.on_content_filter", "`fallback`"),
        (one("hedge", json!(true)), "a.hedge", "Say when"),
        (one("hedge", json!("p95")), "a.hedge", "an object"),
        (one("hedge", json!({})), "a.hedge.after", "is required"),
        (one("hedge", json!({"after": "p50"})), "a.hedge.after", "a whole number from 1"),
        (one("hedge", json!({"after": 0})), "a.hedge.after", "from 1 to"),
        (one("zdr", json!("required")), "a.zdr", "true or false"),
        (one("cache", json!(true)), "a.cache", "Say for how long"),
        (one("cache", json!(300)), "a.cache", "an object"),
        (one("cache", json!({})), "a.cache.ttl_s", "is required"),
        (one("cache", json!({"ttl_s": 59})), "a.cache.ttl_s", "from 60 to 604800"),
        (json!({"a": {"targets": ["mock/echo"], "zdr": true, "cache": {"ttl_s": 60}}}), "a.cache", "nothing is kept"),
        (target("regions", json!(["eu"])), "a.targets[0].regions[0]", "wnam"),
        (target("max_price", json!({})), "a.targets[0].max_price", "`input` or `output`"),
        (target("max_price", json!({"input": -1})), "a.targets[0].max_price.input", "dollars"),
        (target("requires", json!({"speed": true})), "a.targets[0].requires.speed", "unknown field"),
        (target("requires", json!({"min_context": 0})), "a.targets[0].requires.min_context", "from 1"),
        (target("when", json!({"has_image": true})), "a.targets[0].when.has_image", "`has_images`"),
    ] {
        let found = problems(&[("routes", &routes.to_string())]);
        let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(paths, [path], "{routes}: {found:#?}");
        assert!(found[0].message.contains(part), "{routes}: {found:#?}");
    }
}

#[test]
fn a_route_with_only_conditional_targets_is_pointed_out() {
    let routes = json!({"a": {"targets": [{"model": "mock/echo", "when": {"stream": true}}]}, "b": {"targets": ["mock/echo"]}});
    let warnings = built(&[("routes", &routes.to_string())], &[]).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("Route `a` refuses"));
    let routes =
        json!({"a": {"rules": [{"when": {"stream": true}, "use": "groq/x"}], "default": "b"}, "b": {"targets": ["mock/echo"]}});
    let warnings = built(&[("routes", &routes.to_string())], &[]).warnings;
    assert!(warnings[0].contains("Route `a` skips `groq/x`") && warnings.len() == 1, "{warnings:?}");
}
