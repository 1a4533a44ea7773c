//! Google's own schemas → JSON Schema.
//!
//! Their types are in capitals, `null` is a flag, and 64-bit numbers are strings. Callers also put JSON Schema in their
//! place: what is that already stays as it is.

use serde_json::{Map, Value};

use super::members::{camel, word};
use crate::wire::compose::{Members, json};

/// In the order of their numbers.
const TYPES: [&str; 8] = ["TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];
/// 64 bits: strings on Google's wire.
const COUNTS: [&str; 6] = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

pub(super) fn to_json_schema(schema: Value) -> Value {
    let Value::Object(fields) = schema else { return schema };
    let mut out = Map::new();
    let (mut nullable, mut ordering) = (false, None);
    for (key, value) in fields {
        // Properties have names of their own; those of a schema have two spellings.
        let key = if key.starts_with('$') { key } else { camel(&key) };
        let value = match key.as_str() {
            "type" => types(&value),
            "nullable" => {
                nullable = value == Value::Bool(true);
                None
            }
            "propertyOrdering" => {
                ordering = value.as_array().cloned();
                None
            }
            "properties" | "$defs" | "definitions" | "defs" => Some(members(value)),
            "items" | "additionalProperties" | "not" => Some(to_json_schema(value)),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => Some(items(value)),
            // Only says that there is an `enum`.
            "format" if value == "enum" => None,
            _ if COUNTS.contains(&key.as_str()) => {
                Some(value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or(value.clone(), Value::from))
            }
            _ => Some(value),
        };
        if let Some(value) = value {
            out.insert(key, value);
        }
    }
    if let Some(example) = out.shift_remove("example") {
        out.put("examples", json!([example]));
    }
    if let (Some(ordering), Some(Value::Object(properties))) = (ordering, out.get_mut("properties")) {
        order(properties, &ordering);
    }
    if nullable {
        allow_null(&mut out);
    }
    Value::Object(out)
}

fn types(value: &Value) -> Option<Value> {
    if let Value::Array(all) = value {
        return Some(Value::Array(all.iter().filter_map(types).collect()));
    }
    let word = word(value, &TYPES)?;
    (word != "TYPE_UNSPECIFIED").then(|| Value::from(word.to_ascii_lowercase()))
}

fn members(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    Value::Object(fields.into_iter().map(|(name, schema)| (name, to_json_schema(schema))).collect())
}

fn items(value: Value) -> Value {
    let Value::Array(items) = value else { return value };
    Value::Array(items.into_iter().map(to_json_schema).collect())
}

fn order(properties: &mut Map<String, Value>, ordering: &[Value]) {
    let mut sorted = Map::new();
    for name in ordering.iter().filter_map(Value::as_str) {
        if let Some(schema) = properties.get_mut(name).filter(|_| !sorted.contains_key(name)) {
            sorted.put(name, schema.take());
        }
    }
    for (name, schema) in std::mem::take(properties) {
        sorted.entry(name).or_insert(schema);
    }
    *properties = sorted;
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get_mut("type").filter(|kind| kind.is_string()) {
        *kind = json!([kind.take(), "null"]);
    } else if let Some(Value::Array(options)) = schema.get_mut("anyOf") {
        options.push(json!({ "type": "null" }));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
