//! A plausible instance of a JSON Schema, always the same for one schema.

use serde_json::{Map, Value};

use crate::wire::compose::json;

/// Levels of objects and arrays; recursive schemas end here.
const MAX_DEPTH: u32 = 12;
/// Items that `minItems` may ask for.
const MAX_ITEMS: u64 = 16;
/// Characters that `minLength` may ask for.
const MAX_LENGTH: u64 = 1000;

/// Words for properties one meets often; others say their own name.
const WORDS: [(&str, &str); 12] = [
    ("city", "Paris"),
    ("location", "Paris"),
    ("place", "Paris"),
    ("country", "France"),
    ("name", "Ada Lovelace"),
    ("email", "ada@example.com"),
    ("query", "what is a portolan"),
    ("url", "https://example.com/"),
    ("language", "en"),
    ("currency", "EUR"),
    ("path", "README.md"),
    ("date", "2026-01-31"),
];

const FORMATS: [(&str, &str); 8] = [
    ("date", "2026-01-31"),
    ("date-time", "2026-01-31T12:00:00Z"),
    ("time", "12:00:00Z"),
    ("email", "ada@example.com"),
    ("uri", "https://example.com/"),
    ("uuid", "00000000-0000-4000-8000-000000000000"),
    ("ipv4", "192.0.2.1"),
    ("hostname", "example.com"),
];

pub fn of(schema: &Value) -> Value {
    instance(schema, &Place { root: schema, name: "", depth: 0 })
}

struct Place<'a> {
    /// Where references lead.
    root: &'a Value,
    /// The property's.
    name: &'a str,
    depth: u32,
}

impl<'a> Place<'a> {
    const fn below(&self, name: &'a str) -> Self {
        Place { root: self.root, name, depth: self.depth + 1 }
    }
}

fn instance(schema: &Value, place: &Place<'_>) -> Value {
    if place.depth > MAX_DEPTH {
        return Value::Null;
    }
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|all| all.first());
    if let Some(value) = schema.get("const").or_else(|| schema.get("default")).or_else(|| first("enum")) {
        return value.clone();
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|to| place.root.pointer(to.strip_prefix('#')?));
    if let Some(other) = target.or_else(|| first("anyOf")).or_else(|| first("oneOf")).or_else(|| first("allOf")) {
        return instance(other, &place.below(place.name));
    }
    match kind(schema) {
        "object" => object(schema, place),
        "array" => array(schema, place),
        "integer" => number(schema, json!(1)),
        "number" => number(schema, json!(1.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => string(schema, place.name).into(),
    }
}

fn kind(schema: &Value) -> &str {
    let named = |value: &'_ Value| value.as_str().is_some_and(|kind| kind != "null");
    let kind = schema.get("type").and_then(|kind| match kind.as_array() {
        Some(kinds) => kinds.iter().find(|kind| named(kind)).or(kinds.first()),
        None => Some(kind),
    });
    let implied = if schema.get("properties").is_some() {
        "object"
    } else if schema.get("items").is_some() {
        "array"
    } else {
        "string"
    };
    kind.and_then(Value::as_str).unwrap_or(implied)
}

/// The required properties; all of them where the schema does not say which.
fn object(schema: &Value, place: &Place<'_>) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    let wanted = |key: &str| required.is_none_or(|keys| keys.iter().any(|known| known.as_str() == Some(key)));
    let mut fields = Map::new();
    for (key, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if wanted(key) {
            fields.insert(key.clone(), instance(property, &place.below(key)));
        }
    }
    Value::Object(fields)
}

fn array(schema: &Value, place: &Place<'_>) -> Value {
    let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(MAX_ITEMS);
    let Some(items) = schema.get("items") else { return json!([]) };
    (0..count).map(|_| instance(items, &place.below(place.name))).collect()
}

fn number(schema: &Value, usual: Value) -> Value {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    let is_beyond = |bound: &Value, over: bool| {
        let (bound, usual) = (bound.as_f64().unwrap_or_default(), usual.as_f64().unwrap_or_default());
        if over { usual > bound } else { usual < bound }
    };
    let low = bound("minimum").filter(|low| is_beyond(low, false));
    low.or_else(|| bound("maximum").filter(|high| is_beyond(high, true))).cloned().unwrap_or(usual)
}

fn string(schema: &Value, name: &str) -> String {
    let find = |table: &[(&str, &str)], key: &str| table.iter().find(|(known, _)| *known == key).map(|row| row.1.to_owned());
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let own = if name.is_empty() { "text" } else { name };
    let text = find(&FORMATS, format).or_else(|| find(&WORDS, name)).unwrap_or_else(|| own.to_owned());
    let limit = |key: &str| schema.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n.min(MAX_LENGTH)).unwrap_or(0));
    let least = limit("minLength").unwrap_or(0).saturating_sub(text.chars().count());
    let longer = text.chars().chain("x".repeat(least).chars()).collect::<String>();
    longer.chars().take(limit("maxLength").unwrap_or(usize::MAX)).collect()
}
