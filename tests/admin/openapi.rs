//! What `openapi.json` says of answers and queries is what the gateway answers and takes. Answers that tests of other rooms
//! are about are held against it where they are made.

use std::sync::LazyLock;

use portolan::{
    admin::{audit, health, keys::Page, openapi, refusal, versions},
    error::Error,
    journal, ledger, metrics,
    units::Millis,
};
use serde_json::{Value, json};

use crate::json_schema::Schema;

static DESCRIBED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&openapi::text()).unwrap());

fn fault(component: &str, value: &Value) -> Option<String> {
    let schema = DESCRIBED.pointer(&format!("/components/schemas/{component}"));
    let schema = schema.unwrap_or_else(|| unreachable!("no component {component}"));
    Schema { root: &DESCRIBED, is_closed: true }.fault(schema, value, component)
}

/// An answer is as the component says, with no member that it does not speak of.
pub fn hold(component: &str, value: &Value) {
    assert_eq!(fault(component, value), None, "{value}");
}

#[test]
fn what_is_not_described_is_seen() {
    let difference = |more: Value| json!({"path": "rule", "recorded": null, "recomputed": more});
    hold("Difference", &difference(json!("x")));
    for wrong in [
        difference(json!(7)),
        json!({"path": "rule", "recorded": null}),
        json!({"path": "a", "recorded": "", "recomputed": "", "b": 1}),
    ] {
        assert!(fault("Difference", &wrong).is_some(), "{wrong}");
    }
    hold("Error", &serde_json::from_str(&refusal(&Error::invalid("a", "b"))).unwrap());
}

#[test]
fn queries_are_described_as_they_are_read() {
    let now = Millis(1_800_000_000_000);
    type Read<'a> = &'a dyn Fn(&str) -> Option<Error>;
    let versions: Read<'_> = &|query| versions::Asked::read(query, &["document"]).err();
    let diff: Read<'_> = &|query| versions::Asked::read(query, &["document", "against"]).err();
    let revert: Read<'_> = &|query| versions::Asked::read(query, &["document", "dry_run"]).err();
    let audit: Read<'_> = &|query| audit::Question::read(query).err();
    let journal: Read<'_> = &|query| journal::Question::read(query).err();
    for (path, read) in [
        ("/requests", journal),
        ("/requests/{id}", journal),
        ("/metrics", &|query| metrics::Question::read(query, now).err()),
        ("/health", &|query| health::asked(query).err()),
        ("/usage", &|query| ledger::report::Question::read(query, now).err()),
        ("/audit", audit),
        ("/audit/verify", audit),
        ("/audit/head", audit),
        ("/keys", &|query| Page::read(query).err()),
        ("/config/versions", versions),
        ("/config/versions/{version}/diff", diff),
        ("/config/versions/{version}/revert", revert),
    ] {
        let knows = |name: &str| read(&format!("{name}=")).is_none_or(|error| !error.message.contains("is not known here"));
        let method = if path.ends_with("/revert") { "post" } else { "get" };
        let parameters = DESCRIBED["paths"][path][method]["parameters"].as_array().unwrap();
        let names: Vec<&str> = parameters.iter().filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| knows(name)), "{path}: {names:?}");
        assert!(!knows("nobodys"), "{path}");
        // Where the reader lists what it knows, all of that is described.
        let said = read("nobodys=1").unwrap().message.clone();
        let known = said.split_once("; use ").map_or("", |(_, known)| known.trim_end_matches('.'));
        if path != "/requests/{id}" {
            assert!(known.split(", ").filter(|name| !name.is_empty()).all(|name| names.contains(&name)), "{path}: {known}");
        }
    }
}
