//! How tables say what a value is, and the JSON Schema of it.
//!
//! `count`, `ms`, … are words below; `a|b` is one of these texts; `1..500` a whole number in that range; `/…/` a text of this
//! pattern; `@Name` a component. Behind it `[]` makes a list of it, `{}` an object with any names, `,` a text with commas between,
//! `?` also `null`.

use serde_json::{Map, Value, json};

use crate::{
    admin::documents,
    audit,
    dialect::{Dialect, surface::Operation},
    metrics::LABELS,
    plan::{outcome::Class, region},
};

/// A member or a parameter: its name, what it is, and what it says. Of a member: a name that ends in `?` may be missing.
pub(super) type Member = (&'static str, &'static str, &'static str);
/// An object: its name among the components, what it is, and its members.
pub(super) type Object = (&'static str, &'static str, &'static [Member]);

/// A word, what it is in JSON Schema, and its unit.
const WORDS: [(&str, &str, &str); 23] = [
    ("any", "{}", ""),
    ("text", r#"{"type": "string"}"#, ""),
    ("flag", r#"{"type": "boolean"}"#, ""),
    ("object", r#"{"type": "object"}"#, ""),
    ("count", r#"{"type": "integer", "minimum": 0}"#, ""),
    ("tokens", r#"{"type": "integer", "minimum": 0}"#, "Tokens."),
    ("bytes", r#"{"type": "integer", "minimum": 0}"#, "Bytes."),
    ("seconds", r#"{"type": "integer", "minimum": 0}"#, "Seconds."),
    ("ms", r#"{"type": "integer", "minimum": 0}"#, "Milliseconds."),
    ("at", r#"{"type": "integer", "minimum": 0}"#, "Milliseconds since 1970."),
    ("time", r#"{"type": "string", "format": "date-time"}"#, "RFC 3339, in UTC."),
    ("date", r#"{"type": "string", "pattern": "^\\d{4}-\\d{2}(-\\d{2})?$"}"#, ""),
    ("percent", r#"{"type": "integer", "minimum": 0, "maximum": 100}"#, "Percent."),
    ("share", r#"{"type": "number", "minimum": 0, "maximum": 1}"#, "From 0 to 1."),
    ("pico", r#"{"type": "integer", "minimum": 0}"#, "Picodollars (10^-12 US dollars)."),
    ("usd", r#"{"type": "string", "pattern": "^\\d+(\\.\\d{1,12})?$"}"#, "Exact US dollars."),
    ("sha256", r#"{"type": "string", "pattern": "^[0-9a-f]{64}$"}"#, "SHA-256, in hex."),
    ("digest", r#"{"type": "string", "pattern": "^[0-9a-f]{16}$"}"#, ""),
    ("status", r#"{"type": "integer", "minimum": 0, "maximum": 999}"#, "An HTTP status."),
    ("tenant", r#"{"type": "string", "minLength": 1, "maxLength": 200}"#, ""),
    (
        "moment",
        r#"{"type": "string", "pattern": "^[0-9]+$|^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?$"}"#,
        "A day, a time or milliseconds since 1970.",
    ),
    ("own-key", r#"{"type": ["string", "object"]}"#, ""),
    ("names", r#"{"type": "string"}"#, "At most 100, with commas between."),
];

/// The JSON Schema of a kind, with what is said of it.
pub(super) fn schema(kind: &str, says: &str) -> Value {
    let mut out = bare(kind);
    let base = kind.trim_end_matches(['?', '[', ']', '{', '}']);
    let unit = WORDS.iter().find(|(word, ..)| *word == base).map_or("", |(_, _, unit)| unit);
    let said = [says, unit].iter().filter(|words| !words.is_empty()).copied().collect::<Vec<_>>().join(" ");
    if let (Value::Object(out), false) = (&mut out, said.is_empty()) {
        out.insert("description".to_owned(), said.into());
    }
    out
}

fn bare(kind: &str) -> Value {
    if let Some(inner) = kind.strip_suffix('?') {
        return or_null(bare(inner));
    }
    if let Some(inner) = kind.strip_suffix(',') {
        let words = words(inner).join("|");
        return json!({"type": "string", "pattern": format!("^(({words})(,({words}))*)?$")});
    }
    if let Some(inner) = kind.strip_suffix("[]") {
        return json!({"type": "array", "items": bare(inner)});
    }
    if let Some(inner) = kind.strip_suffix("{}") {
        return json!({"type": "object", "additionalProperties": bare(inner)});
    }
    if let Some(name) = kind.strip_prefix('@') {
        return reference(name);
    }
    if let Some(pattern) = kind.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return json!({"type": "string", "pattern": pattern});
    }
    if let Some((least, most)) = kind.split_once("..") {
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        return json!({"type": "integer", "minimum": number(least), "maximum": number(most)});
    }
    match WORDS.iter().find(|(word, ..)| *word == kind) {
        Some((_, text, _)) => serde_json::from_str(text).unwrap_or_default(),
        None => json!({"type": "string", "enum": words(kind)}),
    }
}

/// What is one of a few texts: a list of the gateway's own, or `a|b`.
fn words(kind: &str) -> Vec<&str> {
    let classes = || Class::ALL.into_iter().map(Class::name);
    match kind {
        "region" => region::ALL.to_vec(),
        "document" => documents::NAMES.to_vec(),
        "dialect" => Dialect::ALL.into_iter().map(Dialect::name).collect(),
        "task" => ["", "generate"].into_iter().chain(Operation::ALL.into_iter().map(Operation::name)).collect(),
        "outcome" => ["ok", "refused", "forwarded", "gateway"].into_iter().chain(classes()).collect(),
        "try-outcome" => ["ok", "hedged"].into_iter().chain(classes()).collect(),
        "audit-kind" => audit::Kind::ALL.into_iter().map(audit::Kind::name).collect(),
        "standing" => words("up|degraded|ramping|probe|open|cooling|drained|shut"),
        "state" => words("up|degraded|ramping|half|open|cooling|drained|shut"),
        "dimension" => words("tenant|key|tag|user|route|provider|model|hour|day|month"),
        "label" => LABELS.to_vec(),
        _ => kind.split('|').filter(|word| !word.is_empty()).collect(),
    }
}

pub(super) fn or_null(mut schema: Value) -> Value {
    let is_listed = schema.get("enum").is_some();
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    let kind = schema.get("type").filter(|kind| kind.is_string()).cloned();
    if let (Some(kind), Some(members)) = (&kind, schema.as_object_mut()) {
        members.insert("type".to_owned(), json!([kind, "null"]));
    }
    if kind.is_some() || is_listed { schema } else { json!({"anyOf": [schema, {"type": "null"}]}) }
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object of the tables; a member `...` stands for all members of another.
pub(super) fn object(name: &str, tables: &[&'static [Object]]) -> Value {
    let Some((_, says, _)) = find(name, tables) else { return Value::Null };
    let (mut needed, mut properties) = (vec![], Map::new());
    for (name, kind, says) in members(name, tables) {
        let plain = name.trim_end_matches('?');
        if plain == name {
            needed.push(plain);
        }
        properties.insert(plain.to_owned(), schema(kind, says));
    }
    let mut out = json!({"type": "object", "description": says, "properties": properties, "required": needed});
    if let Value::Object(out) = &mut out {
        out.retain(|_, value| value.as_str() != Some("") && value.as_array().is_none_or(|list| !list.is_empty()));
    }
    out
}

fn find(name: &str, tables: &[&'static [Object]]) -> Option<&'static Object> {
    tables.iter().flat_map(|table| table.iter()).find(|(known, ..)| *known == name)
}

fn members(name: &str, tables: &[&'static [Object]]) -> Vec<Member> {
    let own = find(name, tables).map_or(&[][..], |(_, _, members)| members);
    let spread = |member: &Member| if member.0 == "..." { members(member.1, tables) } else { vec![*member] };
    own.iter().flat_map(spread).collect()
}
