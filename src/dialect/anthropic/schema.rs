//! JSON Schemas as Anthropic takes them.
//!
//! The schema of a tool may hold anything below its root. Where Anthropic enforces one (an answer's format, a strict
//! tool) it refuses objects that are open, recursion, and most constraints. As its own SDKs do, what it does not enforce
//! is said in the description; a schema that would then mean something else does not fit at all.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::wire::{
    compose::{Members, json},
    json::json_text,
};

/// Formats of strings that Anthropic enforces.
const FORMATS: [&str; 10] = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/// Holders of named schemas.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
const UNIONS: [&str; 3] = ["anyOf", "oneOf", "allOf"];

/// What a tool's `input_schema` must be: an object by name, without alternatives at its root. `true` when alternatives
/// had to be given up: their properties are all named, but none is bound to another.
pub(super) fn of_tool(parameters: Option<&Value>) -> (Value, bool) {
    let Some(Value::Object(schema)) = parameters else { return (json!({"type": "object", "properties": {}}), false) };
    let mut schema = schema.clone();
    if schema.get("type").is_none_or(Value::is_null) {
        schema.put("type", "object");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    let branches: Vec<Value> = UNIONS.iter().filter_map(|key| schema.shift_remove(*key)).collect();
    for branch in branches.iter().filter_map(Value::as_array).flatten() {
        let known = schema.entry("properties").or_insert_with(|| json!({}));
        if let (Value::Object(known), Some(Value::Object(more))) = (known, branch.get("properties")) {
            for (name, property) in more {
                known.entry(name.as_str()).or_insert_with(|| property.clone());
            }
        }
    }
    (Value::Object(schema), !branches.is_empty())
}

/// Whether the root is an object, as a tool's input must be.
pub(super) fn is_object(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object")
}

/// What the enforced schemas of a request hold together: Anthropic limits both.
#[derive(Clone, Copy, Default)]
pub(super) struct Weight {
    /// Properties that may be left out.
    pub optional: usize,
    /// Properties of several types.
    pub unions: usize,
}

/// The schema as Anthropic enforces it; `None` for one that it cannot enforce.
pub(super) fn enforced(schema: &Value) -> Option<(Value, Weight)> {
    if is_recursive(schema) {
        return None;
    }
    let mut weight = Weight::default();
    let fitted = fit(schema, &mut weight)?;
    Some((fitted, weight))
}

fn fit(schema: &Value, weight: &mut Weight) -> Option<Value> {
    let Value::Object(map) = schema else { return None };
    let mut out = Map::new();
    let mut words = vec![];
    for (key, value) in map {
        let mut put = |value: Value| out.insert(if key == "oneOf" { "anyOf".to_owned() } else { key.clone() }, value);
        match key.as_str() {
            "$schema" | "$id" | "$comment" => {}
            "anyOf" | "oneOf" | "allOf" => {
                weight.unions += usize::from(key != "allOf");
                let branches: Option<Vec<Value>> = value.as_array()?.iter().map(|branch| fit(branch, weight)).collect();
                put(Value::Array(branches?));
            }
            "properties" | "$defs" | "definitions" => {
                put(fit_each(value, weight)?);
            }
            "items" => {
                put(fit(value, weight)?);
            }
            "additionalProperties" | "patternProperties" if *value != Value::Bool(false) => return None,
            _ if is_enforced(key, value) => {
                weight.unions += usize::from(key == "type" && value.is_array());
                put(value.clone());
            }
            _ => words.push(format!("{key}: {}", json_text(value))),
        }
    }
    close(&mut out, weight)?;
    if !words.is_empty() {
        let said = out.get("description").and_then(Value::as_str).map(|said| format!("{said}\n\n")).unwrap_or_default();
        out.put("description", format!("{said}{{{}}}", words.join(", ")));
    }
    Some(Value::Object(out))
}

/// What Anthropic takes as it stands.
fn is_enforced(key: &str, value: &Value) -> bool {
    match key {
        "$ref" | "type" | "title" | "description" | "required" | "default" | "additionalProperties" => true,
        "enum" => value.as_array().is_some_and(|all| all.iter().all(is_plain)),
        "const" => is_plain(value),
        "minItems" => value.as_u64().is_some_and(|least| least <= 1),
        "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        _ => false,
    }
}

fn fit_each(schemas: &Value, weight: &mut Weight) -> Option<Value> {
    let fitted: Option<Map<String, Value>> =
        schemas.as_object()?.iter().map(|(name, schema)| Some((name.clone(), fit(schema, weight)?))).collect();
    fitted.map(Value::Object)
}

/// Says that an object has no other properties; `None` for one that was meant to have them, and for "anything".
fn close(schema: &mut Map<String, Value>, weight: &mut Weight) -> Option<()> {
    let named = schema.get("properties").and_then(Value::as_object).map_or(0, Map::len);
    let is_object = |kind: &Value| kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "object"));
    if schema.get("type").map_or(named > 0, is_object) {
        let required = schema.get("required").and_then(Value::as_array).map_or(0, Vec::len);
        weight.optional += named.saturating_sub(required);
        if named == 0 && !schema.contains_key("additionalProperties") {
            return None;
        }
        schema.entry("type").or_insert_with(|| "object".into());
        schema.entry("additionalProperties").or_insert(Value::Bool(false));
        return Some(());
    }
    ["type", "$ref", "anyOf", "allOf", "enum", "const"].iter().any(|key| schema.contains_key(*key)).then_some(())
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// Whether a definition leads back to itself, or a reference leaves the definitions.
fn is_recursive(schema: &Value) -> bool {
    let mut open: Vec<(String, HashSet<&str>)> = vec![];
    for holder in DEFINITIONS {
        for (name, definition) in schema.get(holder).and_then(Value::as_object).into_iter().flatten() {
            let mut used = HashSet::new();
            references(definition, &mut used);
            open.push((format!("#/{holder}/{name}"), used));
        }
    }
    let mut used = HashSet::new();
    references(schema, &mut used);
    if !used.iter().all(|path| open.iter().any(|(name, _)| name == path)) {
        return true;
    }
    // Definitions that only use settled ones are settled; a circle never is.
    loop {
        let before = open.len();
        let names: HashSet<String> = open.iter().map(|(name, _)| name.clone()).collect();
        open.retain(|(_, used)| used.iter().any(|path| names.contains(*path)));
        if open.len() == before {
            return before > 0;
        }
    }
}

fn references<'a>(schema: &'a Value, used: &mut HashSet<&'a str>) {
    if let Some(items) = schema.as_array() {
        items.iter().for_each(|item| references(item, used));
    }
    for (key, value) in schema.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(path) if key == "$ref" => {
                used.insert(path);
            }
            Some(_) | None => references(value, used),
        }
    }
}
