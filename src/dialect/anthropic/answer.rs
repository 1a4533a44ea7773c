//! An answer in a format: JSON of any kind, or of a schema.

use serde_json::{Map, Value};

use super::{schema, thinking::Thinking};
use crate::{
    chat::{
        profile::Profile,
        request::{Format, Request, ToolChoice},
    },
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// The tool whose input is the answer, where a model cannot be given a schema for its text. Readers of answers know it by
/// this name, which is the gateway's own.
pub(super) const NAME: &str = "portolan_answer";

const DESCRIPTION: &str = "Give the final answer by calling this tool: its input is the answer.";
const JSON: &str = "Answer with one valid JSON object and nothing else: no prose, no code fence.";
const SCHEMA: &str = "Answer with JSON that matches this JSON Schema and nothing else: no prose, no code fence.";

pub(super) enum Answer {
    Free,
    /// The target holds its text to this schema.
    Enforced(Value),
    /// Through the tool [`NAME`].
    Tool(Value),
    /// Only told so.
    Told(String),
}

/// `format` is reported where nobody sees to it.
pub(super) fn of(request: &Request, profile: &Profile, thinking: Thinking, dropped: &mut Vec<String>) -> Answer {
    let (schema, description) = match &request.format {
        None => return Answer::Free,
        Some(Format::Json) => return Answer::Told(JSON.to_owned()),
        Some(Format::Schema { schema, description, .. }) => (schema, description),
    };
    if profile.json_schema
        && let Some((schema, _)) = schema::enforced(schema)
    {
        return Answer::Enforced(schema);
    }
    let wants_tools = match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
        Some(ToolChoice::Among { required, .. }) => *required,
        Some(ToolChoice::Auto | ToolChoice::None) | None => false,
    };
    // With thinking on, Anthropic lets no tool be forced.
    if profile.tool_choice && !thinking.is_on() && !wants_tools && schema::is_object(schema) {
        let mut tool = Map::new();
        tool.put("name", NAME);
        tool.put("description", description.as_deref().unwrap_or(DESCRIPTION));
        tool.put("input_schema", schema::of_tool(Some(schema)).0);
        return Answer::Tool(Value::Object(tool));
    }
    dropped.push("format".to_owned());
    Answer::Told(format!("{SCHEMA}\n{}", json_text(schema)))
}

/// The choice that makes the model answer through the tool, or call one of the caller's.
pub(super) fn choice(request: &Request) -> Value {
    if request.tools.is_empty() || request.tool_choice == Some(ToolChoice::None) {
        return json!({"type": "tool", "name": NAME, "disable_parallel_tool_use": true});
    }
    let mut choice = json!({"type": "any"});
    if let (Some(parallel), Value::Object(map)) = (request.parallel_tool_calls, &mut choice) {
        map.put("disable_parallel_tool_use", !parallel);
    }
    choice
}
