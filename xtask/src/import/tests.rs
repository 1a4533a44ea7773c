use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::source::{Fate, Ledger, Node};
use super::{FORMATS, imported, parsed};

/// Format, and the file's name among the fixtures.
const CASES: [(&str, &str); 10] = [
    ("litellm", "litellm.yaml"),
    ("litellm", "litellm-small.yaml"),
    ("portkey", "portkey.json"),
    ("portkey", "portkey-conditional.json"),
    ("portkey", "portkey-single.json"),
    ("portkey", "portkey-policies.json"),
    ("openrouter", "openrouter-request.json"),
    ("openrouter", "openrouter-models.json"),
    ("tensorzero", "tensorzero.toml"),
    ("tensorzero", "tensorzero-small.toml"),
];
/// Each of the literal keys in the fixtures has this in it.
const CANARY: &str = "canary";

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/import")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(fixture(name)).unwrap_or_else(|error| unreachable!("{name}: {error}"))
}

/// `UPDATE_IMPORTS=1 cargo test -p xtask import` writes what came of each anew: read the difference.
#[test]
fn each_file_becomes_what_is_pinned() {
    for (format, name) in CASES {
        let found = imported(format, &read(name)).unwrap_or_else(|error| unreachable!("{name}: {error:#}"));
        let documents: Map<String, Value> =
            found.documents.into_iter().map(|(name, document)| (name.to_owned(), document)).collect();
        let text = format!("{:#}\n\n{}", Value::Object(documents), found.report);
        assert!(!text.contains(CANARY), "{name}: a key");
        let expected = format!("{name}.expected");
        if std::env::var_os("UPDATE_IMPORTS").is_some() {
            assert!(fs::write(fixture(&expected), &text).is_ok());
        }
        assert_eq!(text, read(&expected), "{name}");
    }
}

/// Every leaf's path, by a walk of its own.
fn leaves(value: &Value, path: String, out: &mut Vec<String>) {
    let is_plain = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(key, value)| {
            let dot = if path.is_empty() { "" } else { "." };
            let step = if is_plain(key) { format!("{path}{dot}{key}") } else { format!("{path}[{}]", json!(key)) };
            leaves(value, step, out);
        }),
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(at, value)| leaves(value, format!("{path}[{at}]"), out));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => out.push(path),
    }
}

fn each_leaf_has_one_fate(format: &str, value: &Value, what: &str) -> Ledger {
    let (ledger, mut draft) = (Ledger::default(), Draft::default());
    let Some((_, importer)) = FORMATS.iter().find(|(name, _)| *name == format) else { unreachable!("{format}") };
    assert!(importer(Node::root(value, &ledger), &mut draft).is_ok(), "{what}");
    ledger.finish(value);
    let mut expected = vec![];
    leaves(value, String::new(), &mut expected);
    let unique: BTreeSet<String> = expected.iter().cloned().collect();
    assert_eq!(unique.len(), expected.len(), "{what}: two leaves with one path");
    let report = ledger.report();
    let told: BTreeSet<String> = ledger.fates().into_keys().collect();
    assert_eq!(told, unique, "{what}");
    for path in &unique {
        let lines = report.lines().filter(|line| line.starts_with(&format!("  {path}: ")));
        assert_eq!(lines.count(), 1, "{what}: {path}");
    }
    ledger
}

/// Puts a member, or an item, into each place of a tree in turn.
fn grown(value: &Value, new: &Value) -> Vec<Value> {
    let mut out = vec![];
    match value {
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("nobody knows.this".to_owned(), new.clone());
            out.push(Value::Object(more));
            for (key, inner) in members {
                for inner in grown(inner, new) {
                    let mut changed = members.clone();
                    changed.insert(key.clone(), inner);
                    out.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            out.push(items.iter().cloned().chain([new.clone()]).collect());
            for (at, inner) in items.iter().enumerate() {
                for inner in grown(inner, new) {
                    out.push(
                        items.iter().enumerate().map(|(i, item)| if i == at { inner.clone() } else { item.clone() }).collect(),
                    );
                }
            }
        }
        // In place of what is there: another kind of value.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push(new.clone()),
    }
    out
}

#[test]
fn every_leaf_is_mapped_left_out_or_named_whatever_the_file_says() {
    let mut tried = 0;
    for (format, name) in CASES {
        let value = parsed(format, &read(name)).unwrap_or_else(|error| unreachable!("{name}: {error:#}"));
        each_leaf_has_one_fate(format, &value, name);
        for new in [json!({"a": [1, {}], "b c": "sk-canary-12345678"}), json!([]), json!(7), json!("word"), json!(null)] {
            for value in grown(&value, &new) {
                each_leaf_has_one_fate(format, &value, &format!("{name} with {new}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn an_unknown_member_is_never_called_mapped() {
    for (format, name) in CASES {
        let mut value = parsed(format, &read(name)).unwrap_or_else(|error| unreachable!("{name}: {error:#}"));
        let Some(members) = value.as_object_mut() else { continue };
        members.insert("wholly_new".to_owned(), json!({ "sub": [true] }));
        let ledger = each_leaf_has_one_fate(format, &value, name);
        let fate = ledger.fates().remove("wholly_new.sub[0]");
        // A request's own members go to the model as they are.
        let is_request = name == "openrouter-request.json";
        assert!(matches!(fate, Some(Fate::Mapped(_))) == is_request && fate.is_some(), "{name}: {fate:?}");
    }
}

#[test]
fn what_cannot_be_read_says_so() {
    for (format, text, word) in [
        ("litellm", "a: [", "YAML"),
        ("tensorzero", "a = [", "TOML"),
        ("portkey", "{", "JSON"),
        ("openrouter", "{", "JSON"),
        ("bifrost", "{}", "usage"),
    ] {
        let error = imported(format, text).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains(word), "{format}: {error}");
    }
}

#[test]
fn keys_leave_with_no_document() {
    let key = "sk-canary-0123456789";
    for (format, text) in [
        (
            "litellm",
            format!(
                "model_list: [{{model_name: a, litellm_params: {{model: openai/a, api_key: {key}, api_base: 'https://{key}.example/v1'}}}}]"
            ),
        ),
        ("portkey", json!({"provider": "openai", "api_key": key, "override_params": {"model": format!("m-{key}")}}).to_string()),
    ] {
        let error = imported(format, &text).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains("a key of the source") && !error.contains(key), "{format}: {error}");
    }
    let params = json!({"provider": "openai", "override_params": {"model": "m", "x_api_key": "1", "headers": {"a": {"b": key}}, "user": "u"}});
    let found = imported("portkey", &params.to_string()).unwrap_or_else(|error| unreachable!("{error:#}"));
    let routes = json!({"portkey": {"targets": [{"params": {"override": {"user": "u"}}, "model": "openai/m"}]}});
    assert_eq!(found.documents.into_iter().find(|(name, _)| *name == "routes").map(|(_, routes)| routes), Some(routes));
}
