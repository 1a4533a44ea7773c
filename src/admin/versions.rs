//! What was in force of each document: kept by the operator's object, listed, compared and put in force again.

use serde_json::{Map, Value};

use super::{documents, written::etag};
use crate::{
    config::{Documents, news::digest_of},
    error::{Error, Kind},
    units::Millis,
    wire::{
        compose::{IntoJson, Members, json},
        fields::{must_be, unknown},
        json::json_text,
        query::pairs,
    },
};

/// Versions kept of each document. The oldest goes when one more comes.
pub const MAX_VERSIONS: u64 = 100;
/// Bytes of a text that is kept: a row holds two megabytes. Only what is written past the admin API can be larger.
const MAX_KEPT: usize = 1 << 20;
/// KV shows an edit in one place a minute before another, and sometimes two. What comes back within that time is not an edit.
const LAG_MS: u64 = 120_000;
/// What a version is compared with, when not with another.
const CURRENT: &str = "current";

/// What a query of these calls, or of a write, says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub document: &'static str,
    /// Another version, or the text in force; none named: the version before.
    pub against: Option<String>,
    /// What would come of it, and nothing is written.
    pub is_dry: bool,
}

impl Asked {
    /// `known`: what may be said. A misspelt `dry_run` must not write.
    pub fn read(query: &str, known: &[&str]) -> Result<Self, Error> {
        let mut asked = Self::default();
        for (name, value) in pairs(query) {
            match name {
                _ if !known.contains(&name) => return Err(unknown(name)),
                "document" => asked.document = documents::named(&value).ok_or_else(document)?,
                "against" if value == CURRENT || is_number(&value) => asked.against = Some(value),
                "against" => return Err(must_be("against", "the number of a version, or `current`")),
                _ if value == "true" || value == "false" => asked.is_dry = value == "true",
                _ => return Err(must_be(name, "true or false")),
            }
        }
        if asked.document.is_empty() && known.contains(&"document") {
            return Err(document());
        }
        Ok(asked)
    }

    /// Whether it is compared with what is in force.
    pub fn is_against_current(&self) -> bool {
        self.against.as_deref() == Some(CURRENT)
    }
}

fn document() -> Error {
    must_be("document", "one of routes, providers, settings, prices and budgets")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// For the object: the documents that were replaced and those in force now, as far as they differ. `is_ours`: whether a text
/// was written by way of the admin API. `None` when there is nothing to tell.
pub fn news(
    replaced: Option<&Documents>,
    current: &Documents,
    is_ours: impl Fn(&str, &str) -> bool,
    now: Millis,
) -> Option<String> {
    let mut items = vec![];
    for (name, text) in current.by_name() {
        let was = replaced.and_then(|replaced| replaced.text(name));
        if was == text {
            continue;
        }
        // What was before may have been in force since before there were versions.
        for text in [was, text].into_iter().flatten().filter(|text| text.len() <= MAX_KEPT) {
            let by = if is_ours(name, text) { "api" } else { "kv" };
            let digest = digest_of(Some(text));
            items.push(json!({"document": name, "text": text, "digest": digest, "at": now.0, "bytes": text.len(), "by": by}));
        }
    }
    (!items.is_empty()).then(|| json_text(&Value::Array(items)))
}

/// Whether the object has to keep an item of `news`; `latest`: `[digest, at]` of what it has of that document, the newest first.
pub fn is_new(item: &Value, latest: &Value) -> bool {
    let latest = latest.as_array().map(Vec::as_slice).unwrap_or_default();
    let digest = item.get("digest").and_then(Value::as_str);
    let Some(last) = latest.first() else { return true };
    let is = |row: &Value| row.get(0).and_then(Value::as_str) == digest;
    if is(last) {
        return false;
    }
    let at = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
    let has_settled = at(item.get("at")).saturating_sub(at(last.get(1))) > LAG_MS;
    has_settled || item.get("by").and_then(Value::as_str) == Some("api") || !latest.iter().any(is)
}

/// The object's rows, with the one in force marked.
pub fn listed(rows: &str, current: Option<&str>) -> String {
    let mut rows: Vec<Value> = serde_json::from_str(rows).unwrap_or_default();
    let mut digest = current.map(|text| digest_of(Some(text)));
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        let is_current = digest.is_some() && row.get("digest").and_then(Value::as_str) == digest.as_deref();
        if is_current {
            digest = None;
        }
        row.put("current", is_current);
    }
    json_text(&json!({"data": rows}))
}

/// A version's text, with its tag.
pub fn shown(text: String) -> Result<(String, String), Error> {
    if text.is_empty() {
        let words = format!("There is no such version of this document: the last {MAX_VERSIONS} are kept.");
        return Err(Error::new(Kind::NotFound, words));
    }
    let tag = etag(&text);
    Ok((text, tag))
}

/// What makes the second text of the first, `from` and `to` being their names.
pub fn diff(document: &str, (from, was): (Option<&str>, Option<&str>), (to, is): (&str, &str)) -> String {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let was = was.map_or_else(|| Value::Object(Map::new()), read);
    let mut changes = vec![];
    compare(String::new(), &was, &read(is), &mut changes);
    json_text(&json!({"document": document, "from": from, "to": to, "changes": changes}))
}

/// In an order in which they can be done one after the other, as RFC 6902 does them.
fn compare(path: String, was: &Value, is: &Value, changes: &mut Vec<Value>) {
    match (was, is) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let path = below(&path, &escaped(key));
                match after.get(key) {
                    Some(now) => compare(path, value, now, changes),
                    None => changes.push(change(path, "remove", Some(value), None)),
                }
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                changes.push(change(below(&path, &escaped(key)), "add", None, Some(value)));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (at, (value, now)) in before.iter().zip(after).enumerate() {
                compare(below(&path, &at.to_string()), value, now, changes);
            }
            // From the end: the places of those before stay what they are.
            for (at, value) in before.iter().enumerate().skip(after.len()).rev() {
                changes.push(change(below(&path, &at.to_string()), "remove", Some(value), None));
            }
            for (at, value) in after.iter().enumerate().skip(before.len()) {
                changes.push(change(below(&path, &at.to_string()), "add", None, Some(value)));
            }
        }
        (was, is) if was == is => {}
        (was, is) => changes.push(change(path, "replace", Some(was), Some(is))),
    }
}

fn below(path: &str, part: &str) -> String {
    format!("{path}/{part}")
}

/// As RFC 6901 has it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn change(path: String, op: &str, was: Option<&Value>, is: Option<&Value>) -> Value {
    let mut change = Map::new();
    change.put("path", path);
    change.put("op", op);
    for (name, value) in [("was", was), ("is", is)] {
        if let Some(value) = value {
            change.put(name, value.clone().into_json());
        }
    }
    Value::Object(change)
}
