//! Tools and their choice, from chat to wire.

use serde_json::{Map, Value};

use super::{
    id,
    schema::{self, Weight},
    thinking::Thinking,
    write_block::Blocks,
};
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Request, Tool, ToolChoice},
    },
    wire::compose::{Members, json},
};

/// What Anthropic takes of strict tools in a request: their number, and over all of them properties that may be left out
/// and properties of several types.
const MAX_STRICT: usize = 20;
const MAX_OPTIONAL: usize = 24;
const MAX_UNIONS: usize = 16;

pub(super) fn tools(request: &Request, profile: &Profile, dropped: &mut Vec<String>) -> Vec<Value> {
    let mut writer = Writer { profile, strict: 0, weight: Weight::default() };
    let mut out = vec![];
    for tool in request.tools.iter().filter(|tool| is_choosable(tool, request.tool_choice.as_ref())) {
        match tool {
            Tool::Function { .. } => out.push(writer.function(tool, dropped)),
            Tool::Custom { name, description, format } => {
                out.push(writer.function(&Tool::stand_in(name, description.as_deref(), format.as_ref()), dropped));
            }
            Tool::Opaque { dialect: Dialect::Anthropic, value } => out.push(value.clone()),
            Tool::Opaque { .. } => dropped.push("tools[].opaque".to_owned()),
        }
    }
    out
}

/// Anthropic cannot choose among some of the tools: the others are left out.
fn is_choosable(tool: &Tool, choice: Option<&ToolChoice>) -> bool {
    let Some(ToolChoice::Among { names, .. }) = choice else { return true };
    let name = match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name.as_str()),
        Tool::Opaque { value, .. } => value.get("name").and_then(Value::as_str),
    };
    name.is_some_and(|name| names.iter().any(|other| other == name))
}

struct Writer<'a> {
    profile: &'a Profile,
    /// Of the strict tools so far.
    strict: usize,
    weight: Weight,
}

impl Writer<'_> {
    fn function(&mut self, tool: &Tool, dropped: &mut Vec<String>) -> Value {
        let Tool::Function { name, description, parameters, strict, cache } = tool else { return Value::Null };
        let mut written = Map::new();
        written.put("name", id::encode(name));
        if let Some(description) = description {
            written.put("description", description.as_str());
        }
        let enforced = parameters.as_ref().filter(|_| *strict == Some(true)).and_then(|schema| self.enforced(schema));
        if *strict == Some(true) && enforced.is_none() {
            dropped.push("tools[].strict".to_owned());
        }
        let is_strict = enforced.is_some();
        let (schema, is_loose) = enforced.map_or_else(|| schema::of_tool(parameters.as_ref()), |schema| (schema, false));
        if is_loose {
            dropped.push("tools[].parameters".to_owned());
        }
        written.put("input_schema", schema);
        if is_strict || *strict == Some(false) {
            written.put("strict", is_strict);
        }
        Blocks { image_urls: false, dropped }.marked(Value::Object(written), cache.as_ref(), "tools[].cache")
    }

    fn enforced(&mut self, schema: &Value) -> Option<Value> {
        let (schema, weight) = schema::enforced(schema).filter(|(schema, _)| schema::is_object(schema))?;
        let (optional, unions) = (self.weight.optional + weight.optional, self.weight.unions + weight.unions);
        let fits = self.profile.json_schema && self.strict < MAX_STRICT && optional <= MAX_OPTIONAL && unions <= MAX_UNIONS;
        if !fits {
            return None;
        }
        self.strict += 1;
        self.weight = Weight { optional, unions };
        Some(schema)
    }
}

/// With thinking on, Anthropic takes only `auto` and `none`.
pub(super) fn tool_choice(request: &Request, profile: &Profile, thinking: Thinking, dropped: &mut Vec<String>) -> Option<Value> {
    let wanted = match &request.tool_choice {
        None if request.parallel_tool_calls != Some(false) => return None,
        None | Some(ToolChoice::Auto | ToolChoice::Among { required: false, .. }) => json!({"type": "auto"}),
        Some(ToolChoice::None) => return Some(json!({"type": "none"})),
        Some(ToolChoice::Required | ToolChoice::Among { .. }) => json!({"type": "any"}),
        Some(ToolChoice::Function(name)) => json!({"type": "tool", "name": id::encode(name)}),
    };
    let is_forced = wanted.get("type").is_some_and(|kind| kind != "auto");
    let mut choice = if is_forced && (thinking.is_on() || !profile.tool_choice) {
        dropped.push("tool_choice".to_owned());
        json!({"type": "auto"})
    } else {
        wanted
    };
    if let (Some(parallel), Value::Object(choice)) = (request.parallel_tool_calls, &mut choice) {
        choice.put("disable_parallel_tool_use", !parallel);
    }
    Some(choice)
}
