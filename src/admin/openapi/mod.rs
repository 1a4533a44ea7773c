//! The description of the admin API, for who builds against it. No part of the Worker: it serves the file.

mod accounts;
mod bodies;
mod components;
mod kinds;
mod queries;
mod records;
mod rows;
mod setup;

use serde_json::{Map, Value, json};

use super::{calls::CALLS, documents};
use kinds::{Member, reference};
use rows::{ROWS, Row};

/// A status, what it says, and which calls may answer so.
type Fault = (u16, &'static str, fn(&Place<'_>) -> bool);

const INFO: &str = "The operator's calls of Portolan, below `/admin/v1`, for whoever holds `ADMIN_TOKEN`. Errors are \
                    `{\"error\": {\"message\", \"path\"}}`. Times are milliseconds since 1970 where they are numbers; money is \
                    picodollars where it is a number, and exact dollars in members that end in `_usd`. Answers may come to have \
                    more members than are described.";
/// What calls may answer besides: the status, why, and which calls.
const FAULTS: [Fault; 11] = [
    (400, "What was sent is wrong", |at| !at.row.query.is_empty() || !at.row.body.is_empty() || at.has("{tenant}")),
    (401, "No admin token, or a wrong one", |_| true),
    (403, "The call comes from a page of another site", |_| true),
    (404, "There is no such thing", |at| at.has("{") || !at.document.is_empty() || at.is_file() || at.has("/document")),
    (409, "Its entry cannot be read, or it was rotated already", |at| at.has("keys/{key}") && !at.is_read()),
    (412, "`If-Match` does not match", |at| at.is_conditional()),
    (413, "The body is too large", |at| !at.row.body.is_empty()),
    (428, "`If-Match` is missing", |at| at.is_conditional() && !at.has("keys/")),
    (429, "Too many wrong tokens from this address: `Retry-After` says when to go on", |_| true),
    (500, "The gateway failed", |_| true),
    (503, "KV, an object or a secret is not there: try again", |_| true),
];

/// As `openapi.json` has it.
pub fn text() -> String {
    format!("{:#}\n", described())
}

/// One operation: a row, its path's template, and the document where that has one for each.
struct Place<'a> {
    row: &'a Row,
    template: &'a str,
    document: &'a str,
}

impl Place<'_> {
    fn has(&self, part: &str) -> bool {
        self.document.is_empty() && self.template.contains(part)
    }

    fn is_read(&self) -> bool {
        self.row.call.starts_with("GET")
    }

    fn is_file(&self) -> bool {
        self.row.call.contains("schema/") || self.row.call.ends_with("openapi.json")
    }

    /// Whether it looks at `If-Match`.
    fn is_conditional(&self) -> bool {
        self.row.call.starts_with("PUT {document}")
            || self.row.call.ends_with("/revert")
            || (self.template.starts_with("keys/{key}") && !self.is_read())
    }

    /// What `{document}` stands for.
    fn named<'b>(&'b self, text: &'b str) -> &'b str {
        if text == "{document}" { self.document } else { text }
    }
}

fn described() -> Value {
    let mut paths = Map::new();
    for (method, template, _) in &CALLS {
        let Some(row) = ROWS.iter().find(|row| row.call == format!("{method} {template}")) else { continue };
        // Each document has a schema of its own.
        let names: &[&str] = if *template == "{document}" { &documents::NAMES } else { &[""] };
        for name in names {
            let path = if name.is_empty() { format!("/{template}") } else { format!("/{name}") };
            let operation = operation(&Place { row, template, document: name });
            let known = paths.entry(path).or_insert_with(|| json!({}));
            // The first that fits holds, as it is found.
            if let Some(known) = known.as_object_mut() {
                known.entry(method.to_lowercase()).or_insert(operation);
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Portolan admin API", "version": "1", "description": INFO},
        "servers": [{"url": "/admin/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": faults(),
            "schemas": components::all(),
        },
    })
}

fn operation(at: &Place<'_>) -> Value {
    let Place { row, template, document } = at;
    let named = template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).filter(|_| document.is_empty());
    let mut parameters: Vec<Value> =
        named.map(|name| json!({"name": name, "in": "path", "required": true, "schema": path_schema(name)})).collect();
    parameters.extend(row.query.iter().map(query));
    if at.is_conditional() {
        let description = "The `ETag` of what is to be changed: 412 when it was changed since.";
        parameters.push(json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": description}));
    }
    let mut out = json!({"summary": row.summary, "operationId": id(row.call, document), "parameters": parameters});
    if let (Some(out), false) = (out.as_object_mut(), row.body.is_empty()) {
        // A rotation may say nothing.
        let is_required = row.body != "Rotation";
        let media = if row.body == "KeyPatch" { "application/merge-patch+json" } else { "application/json" };
        let content = json!({media: {"schema": reference(at.named(row.body))}});
        out.insert("requestBody".to_owned(), json!({"required": is_required, "content": content}));
    }
    if let Some(out) = out.as_object_mut() {
        out.insert("responses".to_owned(), responses(at));
    }
    out
}

/// A name that ends in `!` is needed.
fn query(member: &Member) -> Value {
    let (name, kind, says) = member;
    let plain = name.trim_end_matches('!');
    json!({"name": plain, "in": "query", "required": plain != *name, "schema": kinds::schema(kind, says)})
}

fn responses(at: &Place<'_>) -> Value {
    let row = at.row;
    let content: Map<String, Value> = row
        .media
        .iter()
        .map(|media| {
            let schema = if media.contains("json;") || media.contains("csv") || media.contains("ndjson") {
                json!({"type": "string"})
            } else {
                reference(at.named(row.answer))
            };
            ((*media).to_owned(), json!({"schema": schema}))
        })
        .collect();
    let mut done = json!({"description": row.summary, "content": content});
    if let Some(done) = done.as_object_mut() {
        let is_tagged = ["Key", "NewKey", "Written", "Document", "prices", "{document}"].contains(&row.answer);
        if is_tagged {
            let schema = json!({"type": "string", "pattern": "^\"[0-9a-f]{16}\"$"});
            done.insert("headers".to_owned(), json!({"ETag": {"required": true, "schema": schema}}));
        }
        if !row.links.is_empty() {
            done.insert("links".to_owned(), links(at));
        }
    }
    let mut out: Map<String, Value> = row.done.iter().map(|status| (status.to_string(), done.clone())).collect();
    for (status, _, is_here) in FAULTS {
        if is_here(at) {
            out.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{status}")}));
        }
    }
    Value::Object(out)
}

/// Each is a component.
fn faults() -> Map<String, Value> {
    let fault = |(status, description, _): (u16, &str, fn(&Place<'_>) -> bool)| {
        let mut fault = json!({"description": description, "content": {"application/json": {"schema": reference("Error")}}});
        if let (Some(fault), true) = (fault.as_object_mut(), status == 429) {
            let seconds = json!({"required": true, "schema": kinds::schema("seconds", "")});
            fault.insert("headers".to_owned(), json!({"Retry-After": seconds}));
        }
        (status.to_string(), fault)
    };
    FAULTS.into_iter().map(fault).collect()
}

fn links(at: &Place<'_>) -> Value {
    let link = |(call, parameters): &rows::Link| {
        let id = id(call, at.document);
        let parameters: Map<String, Value> = parameters.iter().map(|(name, from)| ((*name).to_owned(), (*from).into())).collect();
        (id.clone(), json!({"operationId": id, "parameters": parameters}))
    };
    Value::Object(at.row.links.iter().map(link).collect())
}

/// `get_requests_id_replay`
fn id(call: &str, document: &str) -> String {
    let call = if document.is_empty() { call.to_owned() } else { call.replace("{document}", document) };
    call.to_lowercase().replace(['{', '}'], "").replace([' ', '/', '.'], "_")
}

fn path_schema(name: &str) -> Value {
    match name {
        "document" => kinds::schema("document", ""),
        "version" => kinds::schema("/^[0-9]+$/", ""),
        "id" => kinds::schema("/^[A-Za-z0-9_]+$/", "The gateway's own: `x-request-id` of the answer."),
        "key" => kinds::schema("sha256", "Of the key."),
        "target" => {
            json!({"type": "string", "minLength": 1, "maxLength": 256, "description": "`provider`, `provider/model` or `provider#n`"})
        }
        "tenant" => json!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]+$"}),
        _ => json!({"type": "string", "minLength": 1}),
    }
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

    #[test]
    fn links_lead_to_calls() {
        for (call, _) in ROWS.iter().flat_map(|row| row.links) {
            assert!(ROWS.iter().any(|row| row.call == *call) || *call == "PUT prices", "{call}");
        }
    }
}
