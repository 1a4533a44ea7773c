//! The components: what operators write, as its own schemas have it, and what calls take and answer.

use serde_json::{Map, Value, json};

use super::{
    accounts, bodies,
    kinds::{self, Object, reference},
    records, setup,
};
use crate::{admin::documents, guard::OWN_MEMBERS};

/// The schemas of what operators write; each is a component.
const SCHEMAS: [(&str, &str); 6] = [
    ("routes", include_str!("../../../schema/routes.json")),
    ("providers", include_str!("../../../schema/providers.json")),
    ("settings", include_str!("../../../schema/settings.json")),
    ("prices", include_str!("../../../schema/prices.json")),
    ("budgets", include_str!("../../../schema/budgets.json")),
    ("key", include_str!("../../../schema/key.json")),
];
const ANSWERS: [&[Object]; 3] = [setup::OBJECTS, records::OBJECTS, accounts::OBJECTS];

pub(super) fn all() -> Map<String, Value> {
    let mut out: Map<String, Value> = SCHEMAS.iter().map(|(name, text)| ((*name).to_owned(), document(name, text))).collect();
    out.extend(key(&out));
    for (name, ..) in ANSWERS.into_iter().flatten() {
        out.insert((*name).to_owned(), kinds::object(name, &ANSWERS));
    }
    for (name, ..) in bodies::OBJECTS {
        let mut body = kinds::object(name, &[bodies::OBJECTS]);
        if let Some(body) = body.as_object_mut() {
            body.insert("additionalProperties".to_owned(), false.into());
        }
        out.insert((*name).to_owned(), body);
    }
    let texts: Vec<Value> = documents::NAMES.iter().map(|name| reference(name)).collect();
    out.insert("Document".to_owned(), json!({"description": "A document's text.", "anyOf": texts}));
    let price = json!({"$ref": "#/components/schemas/prices/$defs/price"});
    out.insert("Price".to_owned(), price);
    let schema = json!({"type": "object", "description": "Of draft 2020-12.", "required": ["$schema", "type"]});
    out.insert("JsonSchema".to_owned(), schema);
    let openapi =
        json!({"type": "object", "description": "Of OpenAPI 3.1.", "required": ["openapi", "info", "paths", "components"]});
    out.insert("OpenApi".to_owned(), openapi);
    out
}

/// A document's schema, its references leading where it stands now. `null` counts as absent, which its own schema does not tell
/// those who write one.
fn document(name: &str, text: &str) -> Value {
    let text = text.replace("\"#/$defs/", &format!("\"#/components/schemas/{name}/$defs/"));
    let text = text.replace("\"$ref\": \"#\"", &format!("\"$ref\": \"#/components/schemas/{name}\""));
    let mut schema: Value = serde_json::from_str(&text).unwrap_or_default();
    with_nulls(&mut schema);
    schema
}

/// Members that may be missing may be null.
fn with_nulls(schema: &mut Value) {
    let needed: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (_, property) in properties.iter_mut().filter(|(name, _)| !needed.contains(name)) {
            *property = kinds::or_null(property.take());
        }
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(with_nulls),
        Value::Array(items) => items.iter_mut().for_each(with_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A key's entry without what the gateway writes, and a patch of one.
fn key(components: &Map<String, Value>) -> [(String, Value); 2] {
    let mut entry = components.get("key").cloned().unwrap_or_default();
    let mut names = vec![];
    if let Some(entry) = entry.as_object_mut() {
        entry.retain(|name, _| name != "$defs" && name != "$schema");
        entry.insert("title".to_owned(), "What an operator says of a gateway key".into());
        if let Some(properties) = entry.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !OWN_MEMBERS.contains(&name.as_str()));
            names = properties.keys().cloned().collect();
        }
    }
    let patch = json!({
        "type": "object",
        "description": "Members of an entry, as they are to be; null takes one away.",
        "propertyNames": {"enum": names},
    });
    [("KeyEntry".to_owned(), entry), ("KeyPatch".to_owned(), patch)]
}
