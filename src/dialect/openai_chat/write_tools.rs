//! Tools for a provider, written.

use serde_json::{Map, Value};

use super::write_messages::Dropped;
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Request, Tool, ToolChoice},
    },
    wire::compose::{Members, json},
};

/// Without tools OpenAI refuses the members that speak about them.
pub fn write(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Dropped) {
    let tools: Vec<Value> = request.tools.iter().filter_map(|tool| write_tool(tool, profile, dropped)).collect();
    if tools.is_empty() {
        return;
    }
    out.put("tools", tools);
    if let Some(choice) = &request.tool_choice {
        if profile.tool_choice || matches!(choice, ToolChoice::Auto | ToolChoice::None) {
            out.put("tool_choice", write_choice(choice, request, profile));
        } else {
            dropped.push("tool_choice");
        }
    }
    if let Some(parallel) = request.parallel_tool_calls {
        out.put("parallel_tool_calls", parallel);
    }
}

fn write_tool(tool: &Tool, profile: &Profile, dropped: &mut Dropped) -> Option<Value> {
    match tool {
        Tool::Function { name, description, parameters, strict, cache } => {
            if cache.is_some() {
                dropped.push("tools[].cache");
            }
            let mut function = named(name, description.as_deref());
            if let Some(parameters) = parameters {
                function.put("parameters", parameters.clone());
            }
            if let Some(strict) = strict {
                function.put("strict", *strict);
            }
            Some(json!({"type": "function", "function": function}))
        }
        Tool::Custom { name, description, format } if profile.custom_tools => {
            let mut custom = named(name, description.as_deref());
            if let Some(format) = format {
                custom.put("format", nested(format));
            }
            Some(json!({"type": "custom", "custom": custom}))
        }
        Tool::Custom { name, description, format } => {
            write_tool(&Tool::stand_in(name, description.as_deref(), format.as_ref()), profile, dropped)
        }
        Tool::Opaque { dialect: Dialect::OpenAiChat, value } => Some(value.clone()),
        Tool::Opaque { .. } => {
            dropped.push("tools[].opaque");
            None
        }
    }
}

fn named(name: &str, description: Option<&str>) -> Map<String, Value> {
    let mut out = Map::new();
    out.put("name", name);
    if let Some(description) = description {
        out.put("description", description);
    }
    out
}

/// Responses has a grammar flat, chat nests it.
fn nested(format: &Value) -> Value {
    match (format.get("syntax"), format.get("definition")) {
        (Some(syntax), Some(definition)) => {
            json!({"type": "grammar", "grammar": {"syntax": syntax, "definition": definition}})
        }
        _ => format.clone(),
    }
}

fn write_choice(choice: &ToolChoice, request: &Request, profile: &Profile) -> Value {
    let by_name = |wanted: &str| {
        let is_custom = |tool: &Tool| matches!(tool, Tool::Custom { name, .. } if name == wanted);
        let kind = if profile.custom_tools && request.tools.iter().any(is_custom) { "custom" } else { "function" };
        json!({"type": kind, kind: {"name": wanted}})
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Among { names, required } => {
            let tools: Vec<Value> = names.iter().map(|name| by_name(name)).collect();
            let mode = if *required { "required" } else { "auto" };
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        }
        ToolChoice::Function(name) => by_name(name),
    }
}
