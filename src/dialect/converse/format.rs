//! An answer in a format: JSON of any kind, or of a schema.

use serde_json::{Map, Value};

use crate::{
    chat::{
        profile::Profile,
        request::{Format, Request, ToolChoice},
    },
    dialect::dropped::Dropped,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

const DESCRIPTION: &str = "Give the final answer by calling this tool: its input is the answer.";
const JSON: &str = "Answer with one valid JSON object and nothing else: no prose, no code fence.";
const SCHEMA: &str = "Answer with JSON that matches this JSON Schema and nothing else: no prose, no code fence.";

/// How the answer gets its format; nothing of it where any will do.
#[derive(Default)]
pub(super) struct Answer {
    /// The target holds its text to a schema.
    pub text_format: Option<Value>,
    /// Description and schema of the tool whose input is the answer.
    pub tool: Option<(String, Value)>,
    /// Only told so.
    pub told: Option<String>,
    /// Calls of tools can be forced: a thinking model lets none be.
    pub may_force: bool,
}

/// `format` is reported where nobody sees to it.
pub(super) fn of(request: &Request, profile: &Profile, thinks: bool, dropped: &mut Dropped) -> Answer {
    let free = Answer { may_force: profile.tool_choice && !thinks, ..Answer::default() };
    let (name, description, schema) = match &request.format {
        None => return free,
        Some(Format::Json) => return Answer { told: Some(JSON.to_owned()), ..free },
        Some(Format::Schema { name, description, schema, .. }) => (name, description, schema),
    };
    if profile.json_schema {
        let mut definition = Map::new();
        // Here the schema is text.
        definition.put("schema", json_text(&closed(schema)));
        for (key, said) in [("name", name), ("description", description)] {
            definition.extend(said.as_ref().map(|said| (key.to_owned(), said.as_str().into())));
        }
        let format = json!({"type": "json_schema", "structure": {"jsonSchema": definition}});
        return Answer { text_format: Some(format), ..free };
    }
    let wants_tools = match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
        Some(ToolChoice::Among { required, .. }) => *required,
        Some(ToolChoice::Auto | ToolChoice::None) | None => false,
    };
    if free.may_force && !wants_tools && schema.get("type").is_some_and(|kind| kind == "object") {
        let description = description.as_deref().unwrap_or(DESCRIPTION).to_owned();
        return Answer { tool: Some((description, schema.clone())), ..free };
    }
    dropped.add("format");
    Answer { told: Some(format!("{SCHEMA}\n{}", json_text(schema))), ..free }
}

/// An object schema that does not say it is closed is refused.
fn closed(schema: &Value) -> Value {
    if let Value::Array(items) = schema {
        return items.iter().map(closed).collect();
    }
    let Value::Object(map) = schema else { return schema.clone() };
    // These hold values, not schemas.
    let is_data = |key: &str| matches!(key, "enum" | "const" | "default" | "examples");
    let mut out: Map<String, Value> =
        map.iter().map(|(key, value)| (key.clone(), if is_data(key) { value.clone() } else { closed(value) })).collect();
    if out.get("type").is_some_and(|kind| kind == "object") {
        out.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    Value::Object(out)
}
