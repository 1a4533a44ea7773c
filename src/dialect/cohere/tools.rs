//! Tools, and which of them must be called.

use serde_json::{Map, Value};

use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Request, Tool, ToolChoice},
    },
    dialect::dropped::Dropped,
    wire::compose::{Members, json},
};

pub(super) fn write(request: &Request, profile: &Profile, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    let tools: Vec<&Tool> = request.tools.iter().filter(|tool| is_offered(tool, request.tool_choice.as_ref())).collect();
    let written: Vec<Value> = tools.iter().filter_map(|tool| declared(tool, dropped)).collect();
    if written.is_empty() {
        return;
    }
    let strict: Vec<bool> = tools.iter().filter_map(|tool| is_strict(tool)).collect();
    // One word for all of them; it wants a required parameter in each.
    if strict.len() == written.len() && strict.iter().all(|strict| *strict) && written.iter().all(requires) {
        body.put("strict_tools", true);
    } else {
        dropped.add_if(strict.contains(&true), "tools[].strict");
    }
    body.put("tools", written);
    dropped.add_if(request.parallel_tool_calls == Some(false), "parallel_tool_calls");
    let word = match &request.tool_choice {
        None | Some(ToolChoice::Auto | ToolChoice::Among { required: false, .. }) => None,
        Some(ToolChoice::None) => Some("NONE"),
        Some(ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Among { required: true, .. }) => Some("REQUIRED"),
    };
    let possible = profile.tool_choice || word != Some("REQUIRED");
    dropped.add_if(!possible, "tool_choice");
    body.extend(word.filter(|_| possible).map(|word| ("tool_choice".to_owned(), word.into())));
}

/// There is no word for one tool: the others stay away.
fn is_offered(tool: &Tool, choice: Option<&ToolChoice>) -> bool {
    let (Tool::Function { name, .. } | Tool::Custom { name, .. }) = tool else { return true };
    match choice {
        Some(ToolChoice::Function(only)) => name == only,
        Some(ToolChoice::Among { names, .. }) => names.contains(name),
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required) | None => true,
    }
}

fn declared(tool: &Tool, dropped: &mut Dropped) -> Option<Value> {
    match tool {
        Tool::Function { name, description, parameters, cache, .. } => {
            dropped.add_if(cache.is_some(), "tools[].cache");
            let mut function = Map::new();
            function.put("name", name.as_str());
            function.extend(description.as_ref().map(|text| ("description".to_owned(), text.as_str().into())));
            let parameters = parameters.clone().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
            function.put("parameters", parameters);
            Some(json!({"type": "function", "function": function}))
        }
        Tool::Custom { name, description, format } => {
            declared(&Tool::stand_in(name, description.as_deref(), format.as_ref()), dropped)
        }
        Tool::Opaque { dialect: Dialect::Cohere, value } => Some(value.clone()),
        Tool::Opaque { .. } => {
            dropped.add("tools[].opaque");
            None
        }
    }
}

const fn is_strict(tool: &Tool) -> Option<bool> {
    match tool {
        Tool::Function { strict, .. } => *strict,
        Tool::Custom { .. } | Tool::Opaque { .. } => None,
    }
}

fn requires(tool: &Value) -> bool {
    let required = tool.pointer("/function/parameters/required").and_then(Value::as_array);
    required.is_some_and(|names| !names.is_empty())
}
