//! The JSON Schemas under `schema/` say what the reader takes: no more, no less.

use std::collections::BTreeSet;

use portolan::{
    catalog, config,
    dialect::Endpoint,
    guard::{MEMBERS, OWN_MEMBERS, read_entry},
};
use serde_json::{Value, json};

use super::{documents, example, problems, secrets};
use crate::json_schema::Schema;

fn schema(name: &str) -> Value {
    let text = match name {
        "routes" => include_str!("../../schema/routes.json"),
        "providers" => include_str!("../../schema/providers.json"),
        "settings" => include_str!("../../schema/settings.json"),
        "budgets" => include_str!("../../schema/budgets.json"),
        _ => include_str!("../../schema/prices.json"),
    };
    serde_json::from_str(text).unwrap()
}

/// Whether a schema takes a value. `pattern`s are the reader's business.
fn takes(root: &Value, schema: &Value, value: &Value) -> bool {
    Schema { root, is_closed: false }.fault(schema, value, "").is_none()
}

#[test]
fn schemas_and_reader_agree_on_documents() {
    let example = example();
    for (name, text, expected) in [
        ("routes", example.routes.as_deref().unwrap(), true),
        ("routes", include_str!("../fixtures/config/rules.json"), true),
        ("providers", example.providers.as_deref().unwrap(), true),
        ("settings", example.settings.as_deref().unwrap(), true),
        ("prices", example.prices.as_deref().unwrap(), true),
        ("budgets", example.budgets.as_deref().unwrap(), true),
        ("routes", r#"{"a":{"targets":[]}}"#, false),
        ("routes", r#"{"a":{"targets":[{"weight":1}]}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"strategy":"sticky","sticky_by":"metadata.session"}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"strategy":"fastest"}}"#, false),
        ("routes", r#"{"a":{"rules":[{"when":{"stream":true},"use":"mock/echo"}],"default":"mock/lorem"}}"#, true),
        ("routes", r#"{"a":{"rules":[{"when":{"stream":true},"use":"mock/echo"}],"targets":["mock/lorem"]}}"#, true),
        ("routes", r#"{"a":{"rules":[{"when":{"stream":true},"use":"mock/echo"}]}}"#, false),
        ("routes", r#"{"a":{"rules":[{"use":"mock/echo"}],"default":"mock/lorem"}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo",{"use":"mock/lorem","when":{"key.tags":"gold"}}]}}"#, true),
        ("routes", r#"{"a":{"targets":[{"use":"mock/lorem","regions":["weur"]}]}}"#, false),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","regions":["weur"],"requires":{"min_context":9}}]}}"#, true),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","regions":["europe"]}]}}"#, false),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","max_price":{}}]}}"#, false),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","max_price":{"output":15}}]}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"when_all_unavailable":{"wait_ms":30000}}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"when_all_unavailable":{"wait_ms":30001}}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"when_all_unavailable":{}}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"hedge":{"after":"p95"}}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"hedge":{"after":"p99"}}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"hedge":true}}"#, false),
        ("settings", r#"{"hedge":false,"zdr":true,"on_content_filter":"fallback","probes":{"active":true}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"cache":{"ttl_s":60}}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"cache":false}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"cache":true}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"cache":{}}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"cache":{"ttl_s":59}}}"#, false),
        ("settings", r#"{"cache":{"ttl_s":604800}}"#, true),
        ("settings", r#"{"cache":{"ttl_s":604801}}"#, false),
        ("settings", r#"{"budgets":{"on_error":"allow"}}"#, true),
        ("settings", r#"{"otlp":{"endpoint":"https://otel.example","headers":{"x-a":"b"},"sample":0.5}}"#, true),
        ("settings", r#"{"otlp":{"traces":true}}"#, false),
        ("settings", r#"{"otlp":{"endpoint":"https://otel.example","sample":1.1}}"#, false),
        ("settings", r#"{"otlp":{"endpoint":"https://otel.example","headers":{"x-a":1}}}"#, false),
        ("settings", r#"{"records":{"webhook":"https://hooks.example"}}"#, true),
        ("routes", r#"{"a":{"targets":["mock/echo"],"retry":{"attempts":5}}}"#, false),
        ("routes", r#"{"a":{"targets":["mock/echo"],"retry":{"attempts":4}}}"#, true),
        ("providers", r#"{"lab":{"kind":"openai","models":{"x":{"supports":["magic"]}}}}"#, false),
        ("settings", r#"{"max_body_bytes":1023}"#, false),
        ("settings", r#"{"max_body_bytes":50331648}"#, true),
        ("settings", r#"{"max_body_bytes":50331649}"#, false),
        ("settings", r#"{"timeouts":{"idle_ms":3600001}}"#, false),
        ("prices", r#"{"openai/x":{"input":1}}"#, false),
        ("prices", r#"{"openai/x":{"input":1,"output":100001}}"#, false),
        ("prices", r#"{"openai/x":{"image":0.04}}"#, true),
        ("prices", r#"{"openai/x":{"image":0.04,"output":1}}"#, false),
        ("prices", r#"{"openai/x":{"cache_read":1}}"#, false),
        (
            "prices",
            r#"{"openai/x":{"input":1,"output":2,"above":{"200000":{"input":2}},"batch":{"output":1,"above":{"9":{"input":1}}}}}"#,
            true,
        ),
        ("prices", r#"{"openai/x":{"input":1,"output":2,"above":{"200000":{"inputs":2}}}}"#, false),
        ("prices", r#"{"openai/x":{"input":1,"output":2,"batch":{"batch":{"input":1}}}}"#, false),
        ("prices", r#"{"openai/x":{"input":1,"output":2,"scale":{"input":1}}}"#, false),
        (
            "prices",
            r#"{"openai/x":{"input":1,"output":2,"currency":"CNY","rate":{"usd":0.14,"date":"2026-11-01"},"source":"s","date":"2026-11"}}"#,
            true,
        ),
        (
            "prices",
            r#"{"currencies":{"CNY":{"usd":0.14,"date":"2026-11-01"}},"openai/x":{"input":1,"output":2,"currency":"CNY"}}"#,
            true,
        ),
        ("prices", r#"{"currencies":{"CNY":{"usd":0,"date":"2026-11-01"}}}"#, false),
        ("prices", r#"{"currencies":{"CNY":{"usd":0.14}}}"#, false),
        ("prices", r#"{"currencies":{"CNY":{"usd":0.14,"date":"2026-11-01","x":1}}}"#, false),
        ("budgets", r#"{"tenants":{"a":{"budgets":[{"usd":1}]}}}"#, false),
        ("budgets", r#"{"tenants":{"a":{"budgets":[{"usd":1,"per":"year"}]}}}"#, false),
        ("budgets", r#"{"tenants":{"a":{"budgets":[{"usd":0.000000000001,"per":"total"}]}}}"#, true),
        ("budgets", r#"{"tenants":{"a":{"budgets":[{"usd":1000001,"per":"total"}]}}}"#, false),
        ("budgets", r#"{"users":{"an end user":{"limits":{"concurrent":0}}}}"#, false),
        ("budgets", r#"{"users":{"an end user":{"limits":{"concurrent":1}}}}"#, true),
    ] {
        let root = schema(name);
        assert_eq!(takes(&root, &root, &serde_json::from_str(text).unwrap()), expected, "the schema on {text}");
        let mut parts = documents(&[(name, text)]);
        if expected && name == "routes" {
            parts.providers.clone_from(&example.providers);
        }
        assert_eq!(config::build(&parts, &secrets(&[])).is_ok(), expected, "the reader on {text}");
    }
}

/// Every object of the documents: its place in the schema, and a document with an unknown field `zz` there.
#[test]
fn schemas_name_exactly_the_fields_that_are_read() {
    let zz = || json!({"zz": 1});
    let target = |field: &str| json!({"a": {"targets": [{"model": "mock/echo", (field): zz()}]}});
    for (name, at, document) in [
        ("routes", "/$defs/route", json!({"a": {"targets": ["mock/echo"], "zz": 1}})),
        ("routes", "/$defs/route/properties/retry", json!({"a": {"targets": ["mock/echo"], "retry": zz()}})),
        ("routes", "/$defs/timeouts", json!({"a": {"targets": ["mock/echo"], "timeouts": zz()}})),
        ("routes", "/$defs/timeouts", target("timeouts")),
        ("routes", "/$defs/detailed", json!({"a": {"targets": [{"model": "mock/echo", "zz": 1}]}})),
        ("routes", "/$defs/detailed/properties/params", target("params")),
        ("routes", "/$defs/detailed/properties/max_price", target("max_price")),
        ("routes", "/$defs/detailed/properties/requires", target("requires")),
        ("routes", "/$defs/nested", json!({"a": {"targets": [{"use": "mock/echo", "zz": 1}]}})),
        ("routes", "/$defs/rule", json!({"a": {"targets": ["mock/echo"], "rules": [zz()]}})),
        (
            "routes",
            "/$defs/route/properties/when_all_unavailable/anyOf/1",
            json!({"a": {"targets": ["mock/echo"], "when_all_unavailable": zz()}}),
        ),
        ("routes", "/$defs/route/properties/hedge/anyOf/1", json!({"a": {"targets": ["mock/echo"], "hedge": zz()}})),
        (
            "routes",
            "/$defs/route/properties/cache/anyOf/1",
            json!({"a": {"targets": ["mock/echo"], "cache": {"ttl_s": 60, "zz": 1}}}),
        ),
        ("settings", "/properties/cache/anyOf/1", json!({"cache": {"ttl_s": 60, "zz": 1}})),
        ("providers", "/$defs/provider", json!({"openai": zz()})),
        ("providers", "/$defs/model", json!({"openai": {"models": {"x": zz()}}})),
        ("providers", "/$defs/price", json!({"openai": {"models": {"x": {"price": {"input": 1, "output": 1, "zz": 1}}}}})),
        ("prices", "/$defs/price", json!({"openai/x": {"input": 1, "output": 1, "zz": 1}})),
        ("budgets", "", zz()),
        ("budgets", "/$defs/rules", json!({"tags": {"a": zz()}})),
        ("budgets", "/$defs/rules/properties/limits", json!({"tags": {"a": {"limits": zz()}}})),
        ("budgets", "/$defs/budget", json!({"tags": {"a": {"budgets": [{"usd": 1, "per": "day", "zz": 1}]}}})),
        ("settings", "", zz()),
        ("settings", "/properties/timeouts", json!({"timeouts": zz()})),
        ("settings", "/properties/retry", json!({"retry": zz()})),
        ("settings", "/properties/breaker", json!({"breaker": zz()})),
        ("settings", "/properties/probes", json!({"probes": zz()})),
        ("settings", "/properties/audit", json!({"audit": zz()})),
        ("settings", "/properties/journal", json!({"journal": zz()})),
        ("settings", "/properties/budgets", json!({"budgets": zz()})),
        ("settings", "/properties/otlp", json!({"otlp": {"endpoint": "https://otel.example", "zz": 1}})),
        ("settings", "/properties/records", json!({"records": zz()})),
        ("settings", "/properties/cors", json!({"cors": zz()})),
        ("settings", "/properties/log", json!({"log": zz()})),
    ] {
        let root = schema(name);
        let described = root.pointer(at).and_then(|s| s.get("properties")).and_then(Value::as_object).unwrap();
        let described: BTreeSet<&str> = described.keys().map(String::as_str).collect();
        let found = problems(&[(name, &document.to_string())]);
        let message = found.iter().map(|p| p.message.as_str()).find(|m| m.contains("unknown field")).unwrap();
        let read = message.split_once("fields here are: ").unwrap().1.trim_end_matches('.');
        assert_eq!(read.split(", ").collect::<BTreeSet<_>>(), described, "{name} {at}");
    }
}

#[test]
fn the_schema_knows_every_kind() {
    let root = schema("providers");
    let kinds = root.pointer("/$defs/provider/properties/kind/enum").and_then(Value::as_array).unwrap();
    let kinds: BTreeSet<&str> = kinds.iter().filter_map(Value::as_str).collect();
    let rows = catalog::providers().iter().filter(|row| row.name != catalog::MOCK);
    assert_eq!(kinds, rows.flat_map(|row| [&[row.name], row.aliases].concat()).collect());
}

/// What can be tested, and how: each value of each subject alone, and under each operator.
#[test]
fn the_schema_knows_every_condition() {
    let root = schema("routes");
    let condition = root.pointer("/$defs/condition").unwrap();
    let described: BTreeSet<String> = condition.get("properties").and_then(Value::as_object).unwrap().keys().cloned().collect();
    // Which of these are conditions; many in one document, for each reading takes in the whole catalog.
    let read = |conditions: &[Value]| {
        let rules = |when: &Value| json!({"rules": [{"when": when, "use": "mock/echo"}], "default": "mock/lorem"});
        let routes: serde_json::Map<_, _> =
            conditions.iter().enumerate().map(|(i, when)| (format!("r{i}"), rules(when))).collect();
        let found = problems(&[("routes", &Value::Object(routes).to_string())]);
        let is_good = |i: usize| !found.iter().any(|p| p.path.starts_with(&format!("r{i}.")));
        ((0..conditions.len()).map(is_good).collect::<Vec<_>>(), found)
    };
    let message = read(&[json!({"zz": 1})]).1.remove(0).message;
    let known = message.split_once("What can: ").unwrap().1.trim_end_matches('.');
    let names = known.split(", ").filter(|name| !name.ends_with("NAME")).map(str::to_owned);
    assert_eq!(names.collect::<BTreeSet<_>>(), described);

    let values = [
        json!(true),
        json!(0),
        json!(7),
        json!(0.5),
        json!(24),
        json!(-1),
        json!(""),
        json!("x"),
        json!("high"),
        json!("weur"),
        json!("anthropic"),
        json!("bedrock-converse"),
        json!(null),
        json!([]),
        json!({}),
    ];
    let combined = ["all", "any", "not"];
    let subjects = described.iter().map(String::as_str).filter(|name| !combined.contains(name));
    let mut rows = 0;
    for subject in subjects.chain(["header.x-team", "metadata.team"]) {
        for value in &values {
            let mut tests = vec![value.clone()];
            for operator in ["eq", "ne", "gt", "gte", "lt", "lte", "exists", "regex", "like"] {
                tests.push(json!({ (operator): value }));
            }
            tests.extend(["in", "nin"].map(|operator| json!({ (operator): [value] })));
            let conditions: Vec<Value> = tests.into_iter().map(|test| json!({ (subject): test })).collect();
            let (good, found) = read(&conditions);
            let described: Vec<bool> = conditions.iter().map(|when| takes(&root, condition, when)).collect();
            assert_eq!(described, good, "{conditions:?}: {found:#?}");
            rows += conditions.len();
        }
    }
    assert_eq!(rows, 24 * 15 * 12);
}

/// A gateway key's entry has a reader of its own.
#[test]
fn the_schema_of_keys_says_what_their_reader_takes() {
    let root: Value = serde_json::from_str(include_str!("../../schema/key.json")).unwrap();
    for (text, expected) in [
        (r#"{"name":"ci"}"#, true),
        (include_str!("../fixtures/config/key.json"), true),
        (r"{}", false),
        (r#"{"name":""}"#, false),
        (r#"{"name":1}"#, false),
        (r#"{"name":"ci","tenant":""}"#, false),
        (r#"{"name":"ci","tags":["a",1]}"#, false),
        (r#"{"name":"ci","endpoints":["embed"]}"#, false),
        (r#"{"name":"ci","dialects":["cohere"]}"#, false),
        (r#"{"name":"ci","expires":-1}"#, false),
        (r#"{"name":"ci","expires":1}"#, true),
        (r#"{"name":"ci","disabled":1}"#, false),
        (r#"{"name":"ci","budgets":[{"usd":1}]}"#, false),
        (r#"{"name":"ci","limits":{"concurrent":0}}"#, false),
        (r#"{"name":"ci","zz":1}"#, false),
    ] {
        assert_eq!(takes(&root, &root, &serde_json::from_str(text).unwrap()), expected, "the schema on {text}");
        let read = read_entry(text);
        assert_eq!(read.is_ok(), expected, "the reader on {text}: {read:?}");
    }
    let known = |at: &str| root.pointer(at).and_then(Value::as_object).unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let words = |at: &str| -> BTreeSet<String> {
        root.pointer(at).and_then(Value::as_array).unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(known("/properties"), MEMBERS.into_iter().chain(OWN_MEMBERS).map(str::to_owned).collect());
    let endpoints = Endpoint::ALL.into_iter().map(|endpoint| endpoint.name().to_owned());
    assert_eq!(words("/properties/endpoints/items/enum"), endpoints.collect());
    assert_eq!(words("/properties/dialects/items/enum"), Endpoint::dialects().map(str::to_owned).collect());
    let budgets = schema("budgets");
    for (ours, theirs) in [("/$defs/limits", "/$defs/rules/properties/limits"), ("/$defs/budget", "/$defs/budget")] {
        assert_eq!(root.pointer(ours), budgets.pointer(theirs), "{ours}");
    }
}
