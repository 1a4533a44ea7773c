//! Tools, and which of them must be called.

use serde_json::{Map, Value};

use super::{ANSWER_TOOL, block, format::Answer};
use crate::{
    chat::{
        Dialect,
        request::{Request, Tool, ToolChoice},
    },
    dialect::dropped::Dropped,
    wire::compose::{Members, json},
};

/// `called` are the tools that the history tells of.
pub(super) fn write(request: &Request, answer: &Answer, called: &[String], dropped: &mut Dropped) -> Option<Value> {
    // There is no word for "none": what is not declared cannot be called.
    let forbidden = request.tool_choice == Some(ToolChoice::None);
    let mut specs = if forbidden && called.is_empty() { vec![] } else { declared(&request.tools, dropped) };
    let has_own = !specs.is_empty();
    for name in called.iter().filter(|name| !specs.iter().any(|spec| is_named(spec, name))).collect::<Vec<_>>() {
        // A history with calls of tools that are not declared is refused.
        specs.push(spec(name, None, json!({"type": "object"})));
    }
    if let Some((description, schema)) = &answer.tool {
        specs.push(spec(ANSWER_TOOL, Some(description), schema.clone()));
    }
    if specs.is_empty() {
        return None;
    }
    dropped.add_if(forbidden && !called.is_empty() && answer.tool.is_none(), "tool_choice");
    dropped.add_if(request.parallel_tool_calls == Some(false) && has_own, "parallel_tool_calls");
    let choice = match &answer.tool {
        Some(_) if has_own && !forbidden => Some(json!({"any": {}})),
        Some(_) => Some(json!({"tool": {"name": ANSWER_TOOL}})),
        None => choice(request, answer.may_force, dropped),
    };
    let mut config = Map::new();
    config.put("tools", specs);
    config.extend(choice.map(|choice| ("toolChoice".to_owned(), choice)));
    Some(Value::Object(config))
}

fn choice(request: &Request, may_force: bool, dropped: &mut Dropped) -> Option<Value> {
    let (forced, exact) = match request.tool_choice.as_ref()? {
        ToolChoice::Auto => return Some(json!({"auto": {}})),
        ToolChoice::None => return None,
        ToolChoice::Required => (json!({"any": {}}), true),
        ToolChoice::Function(name) => (json!({"tool": {"name": name}}), true),
        ToolChoice::Among { names, required } => match (names.as_slice(), *required) {
            ([name], true) => (json!({"tool": {"name": name}}), true),
            (_, true) => (json!({"any": {}}), false),
            (_, false) => {
                dropped.add("tool_choice");
                return None;
            }
        },
    };
    dropped.add_if(!(may_force && exact), "tool_choice");
    may_force.then_some(forced)
}

fn declared(tools: &[Tool], dropped: &mut Dropped) -> Vec<Value> {
    let mut specs = vec![];
    for tool in tools {
        match tool {
            Tool::Function { .. } => specs.extend(function(tool)),
            Tool::Custom { name, description, format } => {
                specs.extend(function(&Tool::stand_in(name, description.as_deref(), format.as_ref())));
            }
            Tool::Opaque { dialect: Dialect::Converse, value } => specs.push(value.clone()),
            Tool::Opaque { .. } => dropped.add("tools[].opaque"),
        }
    }
    specs
}

/// The tool, and the mark of the cache where it has one.
fn function(tool: &Tool) -> Vec<Value> {
    let Tool::Function { name, description, parameters, strict, cache } = tool else { return vec![] };
    let mut written = spec(name, description.as_deref(), object_schema(parameters.as_ref()));
    if let (Some(strict), Some(Value::Object(spec))) = (strict, written.get_mut("toolSpec")) {
        spec.put("strict", *strict);
    }
    std::iter::once(written).chain(cache.as_ref().map(block::cache_point)).collect()
}

fn spec(name: &str, description: Option<&str>, schema: Value) -> Value {
    let mut spec = Map::new();
    spec.put("name", name);
    // A blank one is refused.
    let description = description.filter(|text| !text.trim().is_empty());
    spec.extend(description.map(|text| ("description".to_owned(), text.into())));
    spec.put("inputSchema", json!({"json": schema}));
    json!({"toolSpec": spec})
}

fn is_named(spec: &Value, name: &str) -> bool {
    spec.pointer("/toolSpec/name").is_some_and(|known| known == name)
}

/// A schema without `type: object` is refused.
fn object_schema(parameters: Option<&Value>) -> Value {
    let Some(Value::Object(schema)) = parameters else { return json!({"type": "object", "properties": {}}) };
    let mut schema = schema.clone();
    if schema.get("type").is_none_or(Value::is_null) {
        schema.put("type", "object");
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    Value::Object(schema)
}
