//! A caller's tools: this dialect's own, the old `functions`, and the shapes that Cursor mixes in.

use serde_json::Value;

use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Tool, ToolChoice},
    },
    error::Error,
    wire::{
        compose::Members,
        fields::{Fields, missing, must_be},
    },
};

pub fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = vec![];
    for tool in top.take_objects("tools")? {
        tools.push(read_tool(tool, dropped)?);
    }
    for function in top.take_objects("functions")? {
        tools.push(read_function(function, None, dropped)?);
    }
    Ok(tools)
}

fn read_tool(mut tool: Fields, dropped: &mut Vec<String>) -> Result<Tool, Error> {
    // Anthropic's tools have no type, or `custom`.
    let is_anthropics = tool.peek("input_schema").is_some();
    let kind = match tool.take_str("type")? {
        None if !is_anthropics => return Err(missing(&tool.path_of("type"))),
        Some(kind) if kind != "custom" || !is_anthropics => kind,
        None | Some(_) => "function".to_owned(),
    };
    match kind.as_str() {
        "function" => {
            let cache = read_cache(&mut tool, dropped)?;
            // Nested, or flat as in Responses.
            match tool.take_fields("function")? {
                Some(function) => {
                    tool.leave(dropped);
                    read_function(function, cache, dropped)
                }
                None => read_function(tool, cache, dropped),
            }
        }
        "custom" => {
            let mut custom = match tool.take_fields("custom")? {
                Some(custom) => {
                    tool.leave(dropped);
                    custom
                }
                None => tool,
            };
            let (name, description) = (custom.need_str("name")?, custom.take_str("description")?);
            let format = custom.take("format");
            custom.leave(dropped);
            Ok(Tool::Custom { name, description, format })
        }
        _ => {
            let mut value = tool.into_map();
            value.put("type", kind);
            Ok(Tool::Opaque { dialect: Dialect::OpenAiChat, value: Value::Object(value) })
        }
    }
}

fn read_function(mut function: Fields, cache: Option<CacheHint>, dropped: &mut Vec<String>) -> Result<Tool, Error> {
    let cache = match cache {
        Some(hint) => Some(hint),
        None => read_cache(&mut function, dropped)?,
    };
    let tool = Tool::Function {
        name: function.need_str("name")?,
        description: function.take_str("description")?,
        parameters: function.take_either("parameters", "input_schema"),
        strict: function.take_bool("strict")?,
        cache,
    };
    function.leave(dropped);
    Ok(tool)
}

pub fn read_choice(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    for key in ["tool_choice", "function_call"] {
        let path = top.path_of(key);
        match top.take(key) {
            None => {}
            Some(Value::String(word)) => {
                return read_word(&word).map(Some).ok_or_else(|| must_be(&path, "`none`, `auto`, `required` or a tool to call"));
            }
            Some(value) => return read_named(Fields::read(value, path)?, dropped),
        }
    }
    Ok(None)
}

fn read_word(word: &str) -> Option<ToolChoice> {
    match word {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" | "any" => Some(ToolChoice::Required),
        _ => None,
    }
}

fn read_named(mut choice: Fields, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    let found = match choice.take_str("type")?.as_deref() {
        None | Some("function" | "tool" | "custom") => Some(ToolChoice::Function(name_of(&mut choice)?)),
        Some("allowed_tools") => Some(read_allowed(&mut choice, dropped)?),
        Some(word) => read_word(word),
    };
    if found.is_none() {
        dropped.push(choice.path().to_owned());
    } else {
        choice.leave(dropped);
    }
    Ok(found)
}

fn name_of(tool: &mut Fields) -> Result<String, Error> {
    for holder in ["function", "custom"] {
        if let Some(mut inner) = tool.take_fields(holder)? {
            return inner.need_str("name");
        }
    }
    tool.need_str("name")
}

/// Nested, or flat as in Responses. What is not called by its name is not known here.
fn read_allowed(choice: &mut Fields, dropped: &mut Vec<String>) -> Result<ToolChoice, Error> {
    let inner = choice.take_fields("allowed_tools")?;
    let allowed = match inner {
        Some(mut inner) => {
            let found = read_among(&mut inner, dropped)?;
            inner.leave(dropped);
            found
        }
        None => read_among(choice, dropped)?,
    };
    Ok(allowed)
}

fn read_among(allowed: &mut Fields, dropped: &mut Vec<String>) -> Result<ToolChoice, Error> {
    let required = allowed.take_str("mode")?.is_some_and(|mode| mode == "required");
    let path = allowed.path_of("tools");
    let mut names = vec![];
    for mut tool in allowed.take_objects("tools")? {
        match tool.take_str("type")?.as_deref() {
            None | Some("function" | "custom") => names.push(name_of(&mut tool)?),
            Some(_) => dropped.push(tool.path().to_owned()),
        }
    }
    if names.is_empty() {
        return Err(must_be(&path, "an array that names at least one tool"));
    }
    Ok(ToolChoice::Among { names, required })
}

/// `cache_control`, as OpenRouter and gateways before Claude know it.
pub fn read_cache(holder: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<CacheHint>, Error> {
    let Some(mut control) = holder.take_fields("cache_control")? else { return Ok(None) };
    control.take("type");
    let hint = CacheHint { ttl: control.take_str("ttl")? };
    control.leave(dropped);
    Ok(Some(hint))
}
