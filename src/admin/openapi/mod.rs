//! The description of the admin API, for who builds against it. No part of the Worker: it serves the file.

mod rows;

use rows::{ROWS, Row};
use serde_json::{Map, Value, json};

use super::{calls::CALLS, documents};

/// The schemas of what operators write; each is a component.
const SCHEMAS: [(&str, &str); 6] = [
    ("routes", include_str!("../../../schema/routes.json")),
    ("providers", include_str!("../../../schema/providers.json")),
    ("settings", include_str!("../../../schema/settings.json")),
    ("prices", include_str!("../../../schema/prices.json")),
    ("budgets", include_str!("../../../schema/budgets.json")),
    ("key", include_str!("../../../schema/key.json")),
];
const INFO: &str = "The operator's calls of Portolan, below `/admin/v1`, for whoever holds `ADMIN_TOKEN`. Errors are \
                    `{\"error\": {\"message\", \"path\"}}`. Times are milliseconds since 1970 where they are numbers; money is \
                    picodollars where it is a number, and exact dollars in members that end in `_usd`.";
/// What any call may answer besides: the description says why.
const FAULTS: [(&str, &str); 4] = [
    ("401", "No admin token, or a wrong one"),
    ("403", "The call comes from a page of another site"),
    ("429", "Too many wrong tokens from this address: `Retry-After` says when to go on"),
    ("default", "What is wrong, in words"),
];

/// As `openapi.json` has it.
pub fn text() -> String {
    format!("{:#}\n", described())
}

fn described() -> Value {
    let mut paths = Map::new();
    for (method, template, _) in &CALLS {
        let Some(row) = ROWS.iter().find(|row| row.call == format!("{method} {template}")) else { continue };
        // Each document has a schema of its own.
        let names: &[&str] = if *template == "{document}" { &documents::NAMES } else { &[""] };
        for name in names {
            let path = if name.is_empty() { format!("/{template}") } else { format!("/{name}") };
            let operation = operation(row, template, name);
            let known = paths.entry(path).or_insert_with(|| json!({}));
            // The first that fits holds, as it is found.
            if let Some(known) = known.as_object_mut() {
                known.entry(method.to_lowercase()).or_insert(operation);
            }
        }
    }
    let components: Map<String, Value> = SCHEMAS.iter().map(|(name, text)| ((*name).to_owned(), component(name, text))).collect();
    let mut components = Value::Object(components);
    if let (Some(all), Value::Object(own)) = (components.as_object_mut(), own_schemas()) {
        all.extend(own);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Portolan admin API", "version": "1", "description": INFO},
        "servers": [{"url": "/admin/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": components,
        },
    })
}

fn operation(row: &Row, template: &str, document: &str) -> Value {
    let named = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).filter(|_| document.is_empty());
    let mut parameters: Vec<Value> =
        named.map(|name| json!({"name": name, "in": "path", "required": true, "schema": path_schema(name)})).collect();
    for (name, kind, description) in row.query {
        let is_required = *kind == "document";
        let schema = if is_required { path_schema(kind) } else { json!({"type": kind}) };
        let parameter =
            json!({"name": name, "in": "query", "required": is_required, "schema": schema, "description": description});
        parameters.push(parameter);
    }
    let writes = row.call.starts_with("PUT {document}") || row.call.ends_with("/revert");
    if writes || (template.starts_with("keys/{key}") && !row.call.starts_with("GET")) {
        let description = "The `ETag` of what is to be changed: 412 when it was changed since.";
        parameters.push(json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": description}));
    }
    let mut out = json!({"summary": row.summary, "operationId": id(row.call, document), "parameters": parameters});
    let body = if row.body == "{document}" { document } else { row.body };
    if let (Some(out), false) = (out.as_object_mut(), body.is_empty()) {
        let schema = if body == "object" { json!({"type": "object"}) } else { reference(body) };
        // A rotation may say nothing.
        let is_required = body != "Rotation";
        out.insert(
            "requestBody".to_owned(),
            json!({"required": is_required, "content": {"application/json": {"schema": schema}}}),
        );
    }
    if let Some(out) = out.as_object_mut() {
        out.insert("responses".to_owned(), responses(row));
    }
    out
}

fn responses(row: &Row) -> Value {
    let mut kinds = vec![if row.call.contains("schema/") { "application/schema+json" } else { "application/json" }];
    match row.call {
        "GET usage" => kinds.extend(["text/csv; charset=utf-8", "application/x-ndjson"]),
        "GET audit" => kinds.push("application/jsonl; charset=utf-8"),
        _ => {}
    }
    let content =
        |schema: &Value| kinds.iter().map(|kind| ((*kind).to_owned(), json!({"schema": schema}))).collect::<Map<_, _>>();
    let any = json!({});
    let mut out: Map<String, Value> = row
        .done
        .iter()
        .map(|status| (status.to_string(), json!({"description": row.summary, "content": content(&any)})))
        .collect();
    for (status, description) in FAULTS {
        let content = json!({"application/json": {"schema": reference("Error")}});
        out.insert(status.to_owned(), json!({"description": description, "content": content}));
    }
    Value::Object(out)
}

/// `get_requests_id_replay`
fn id(call: &str, document: &str) -> String {
    let call = if document.is_empty() { call.to_owned() } else { call.replace("{document}", document) };
    call.to_lowercase().replace(['{', '}'], "").replace([' ', '/', '.'], "_")
}

fn path_schema(name: &str) -> Value {
    match name {
        "document" => json!({"type": "string", "enum": documents::NAMES}),
        "version" => json!({"type": "string", "pattern": "^[0-9]+$"}),
        "id" => json!({"type": "string", "pattern": "^[A-Za-z0-9_]+$"}),
        "key" => json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "The SHA-256 of the key, in hex."}),
        _ => json!({"type": "string", "minLength": 1}),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A document's schema, its references leading where it stands now.
fn component(name: &str, text: &str) -> Value {
    let text = text.replace("\"#/$defs/", &format!("\"#/components/schemas/{name}/$defs/"));
    let text = text.replace("\"$ref\": \"#\"", &format!("\"$ref\": \"#/components/schemas/{name}\""));
    serde_json::from_str(&text).unwrap_or_default()
}

fn own_schemas() -> Value {
    json!({
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {
                        "message": {"type": "string"},
                        "path": {"type": ["string", "null"], "description": "Where in the body or the query."},
                    },
                },
                "problems": {
                    "type": "array",
                    "description": "Of a document that was not written: all that is wrong with it.",
                    "items": {
                        "type": "object",
                        "required": ["document", "path", "message"],
                        "properties": {"document": {"type": "string"}, "path": {"type": "string"}, "message": {"type": "string"}},
                    },
                },
            },
        },
        "HealthOrder": {
            "type": "object",
            "required": ["action"],
            "properties": {
                "action": {"enum": ["drain", "force_open", "force_close", "reset"]},
                "for_ms": {"type": "integer", "minimum": 1, "maximum": 2_592_000_000_u64},
                "region": {"enum": crate::plan::region::ALL},
            },
            "additionalProperties": false,
        },
        "OwnKey": {"type": "object", "required": ["key"], "properties": {"key": {}}},
        "Rotation": {
            "type": "object",
            "properties": {"overlap_s": {"type": "integer", "minimum": 0, "maximum": 2_592_000}},
            "additionalProperties": false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{CALLS, ROWS, text};

    #[test]
    fn each_call_is_described_and_nothing_else() {
        let mut calls: Vec<String> = CALLS.iter().map(|(method, template, _)| format!("{method} {template}")).collect();
        let mut described: Vec<String> = ROWS.iter().map(|row| row.call.to_owned()).collect();
        calls.sort();
        described.sort();
        assert_eq!(calls, described);
    }

    #[test]
    fn the_file_is_current() {
        assert!(include_str!("../../../openapi.json") == text(), "run `cargo xtask openapi`");
    }

    #[test]
    fn references_lead_somewhere() {
        let all: serde_json::Value = serde_json::from_str(&text()).unwrap_or_default();
        let text = text();
        let references: Vec<&str> = text.split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > 100, "{}", references.len());
        for reference in references {
            assert!(all.pointer(reference).is_some(), "{reference}");
        }
    }
}
