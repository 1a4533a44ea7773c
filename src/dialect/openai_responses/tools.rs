//! Tools: flat here, with `strict` on unless said otherwise, some of them nested in a namespace.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Dialect, items, lose, text};
use crate::{
    chat::request::{Tool, ToolChoice},
    error::Error,
    wire::{
        compose::{Members, json},
        fields::{Fields, missing, must_be},
    },
};

/// Names of functions are no longer than this.
const MAX_NAME: usize = 64;

/// A nested tool's name where there are no namespaces; by itself where both would be too long. OpenAI calls a tool that it
/// had to search for by its name in a namespace of the same name.
pub(super) fn flat_name(namespace: &str, name: &str) -> String {
    let joined = format!("{namespace}__{name}");
    if namespace == name || joined.len() > MAX_NAME { name.to_owned() } else { joined }
}

pub(super) fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = vec![];
    for tool in top.take_objects("tools")? {
        read_tool(tool, None, &mut tools, dropped)?;
    }
    Ok(tools)
}

fn read_tool(mut tool: Fields, space: Option<&str>, out: &mut Vec<Tool>, dropped: &mut Vec<String>) -> Result<(), Error> {
    let kind = tool.need_str("type")?;
    match kind.as_str() {
        "function" => {
            // Some send the nested shape of chat.
            let mut function = match tool.take_fields("function")? {
                Some(function) => {
                    tool.leave(dropped);
                    function
                }
                None => tool,
            };
            let name = function.need_str("name")?;
            let description = function.take_str("description")?;
            let parameters = function.take("parameters");
            let strict = function.take_bool("strict")?.unwrap_or_else(|| parameters.as_ref().is_some_and(is_strict));
            out.push(Tool::Function { name: named(space, name), description, parameters, strict: Some(strict), cache: None });
            leave(function, dropped);
        }
        "custom" => {
            let name = named(space, tool.need_str("name")?);
            out.push(Tool::Custom { name, description: tool.take_str("description")?, format: tool.take("format") });
            leave(tool, dropped);
        }
        "namespace" => read_namespace(tool, out, dropped)?,
        _ => {
            let mut value = tool.into_map();
            value.put("type", kind);
            out.push(Tool::Opaque { dialect: Dialect::OpenAiResponses, value: Value::Object(value) });
        }
    }
    Ok(())
}

/// What is said of the whole namespace is said before its first tool.
fn read_namespace(mut space: Fields, out: &mut Vec<Tool>, dropped: &mut Vec<String>) -> Result<(), Error> {
    let (name, about) = (space.need_str("name")?, space.take_str("description")?);
    let first = out.len();
    for tool in space.take_objects("tools")? {
        read_tool(tool, Some(&name), out, dropped)?;
    }
    if let (Some(about), Some(Tool::Function { description, .. } | Tool::Custom { description, .. })) =
        (about, out.get_mut(first))
    {
        let own = description.take().map(|own| format!("\n\n{own}")).unwrap_or_default();
        *description = Some(format!("{name}: {about}{own}"));
    }
    space.leave(dropped);
    Ok(())
}

fn named(space: Option<&str>, name: String) -> String {
    space.map_or_else(|| name.clone(), |space| flat_name(space, &name))
}

fn leave(mut tool: Fields, dropped: &mut Vec<String>) {
    if tool.peek("defer_loading") == Some(&Value::Bool(false)) {
        tool.take("defer_loading");
    }
    tool.leave(dropped);
}

/// Whether a schema can be held to the letter. Responses normalises one that cannot and is strict all the same; elsewhere
/// such a schema is refused when called strict.
fn is_strict(schema: &Value) -> bool {
    let members = |key: &str| schema.get(key).and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value);
    let listed = ["anyOf", "allOf", "oneOf"].into_iter().flat_map(|key| items(schema, key));
    let nested = members("properties").chain(members("$defs")).chain(schema.get("items")).chain(listed);
    let is_object = schema.get("properties").is_some() || text(schema, "type") == Some("object");
    let is_closed = || {
        let required = items(schema, "required");
        let names = schema.get("properties").and_then(Value::as_object);
        schema.get("additionalProperties") == Some(&Value::Bool(false))
            && names.is_none_or(|names| names.keys().all(|name| required.iter().any(|r| r.as_str() == Some(name))))
    };
    (!is_object || is_closed()) && nested.into_iter().all(is_strict)
}

pub(super) fn read_choice(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    let path = top.path_of("tool_choice");
    let mut choice = match top.take("tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) => {
            return match word.as_str() {
                "auto" => Ok(Some(ToolChoice::Auto)),
                "none" => Ok(Some(ToolChoice::None)),
                "required" => Ok(Some(ToolChoice::Required)),
                _ => Err(must_be(&path, "`none`, `auto`, `required` or a tool to call")),
            };
        }
        Some(value) => Fields::read(value, path.clone())?,
    };
    match choice.need_str("type")?.as_str() {
        "function" | "custom" => {
            let value = Value::Object(choice.into_map());
            let name = tool_name(&value).ok_or_else(|| missing(&format!("{path}.name")))?;
            Ok(Some(ToolChoice::Function(name)))
        }
        "allowed_tools" => {
            // Chat nests it once more.
            let mut allowed = choice.take_fields("allowed_tools")?.unwrap_or(choice);
            let required = allowed.take_str("mode")?.as_deref() == Some("required");
            let listed = allowed.take_array("tools")?.unwrap_or_default();
            let names: Vec<String> = listed.iter().filter_map(tool_name).collect();
            if names.len() < listed.len() {
                lose(dropped, "tool_choice.tools[]");
            }
            Ok(Some(ToolChoice::Among { names, required }))
        }
        _ => {
            dropped.push(path);
            Ok(None)
        }
    }
}

fn tool_name(tool: &Value) -> Option<String> {
    let nested = || ["function", "custom"].into_iter().find_map(|key| text(tool.get(key)?, "name"));
    let name = text(tool, "name").or_else(nested)?;
    Some(text(tool, "namespace").map_or_else(|| name.to_owned(), |space| flat_name(space, name)))
}

pub(super) fn write(tools: &[Tool], custom_tools: bool, dropped: &mut Vec<String>) -> Vec<Value> {
    let mut out = vec![];
    for tool in tools {
        let stand_in = match tool {
            Tool::Custom { name, description, format } if !custom_tools => {
                Some(Tool::stand_in(name, description.as_deref(), format.as_ref()))
            }
            Tool::Custom { .. } | Tool::Function { .. } | Tool::Opaque { .. } => None,
        };
        match stand_in.as_ref().unwrap_or(tool) {
            Tool::Function { name, description, parameters, strict, cache } => {
                if cache.is_some() {
                    lose(dropped, "tools[].cache");
                }
                let mut function = named_tool("function", name, description.as_deref());
                // Left out it would mean yes here, and no everywhere else.
                function.put("strict", strict.unwrap_or(false));
                if let Some(parameters) = parameters {
                    function.put("parameters", parameters.clone());
                }
                out.push(Value::Object(function));
            }
            Tool::Custom { name, description, format } => {
                let mut custom = named_tool("custom", name, description.as_deref());
                if let Some(format) = format {
                    custom.put("format", flat_format(format));
                }
                out.push(Value::Object(custom));
            }
            Tool::Opaque { dialect: Dialect::OpenAiResponses, value } => out.push(value.clone()),
            Tool::Opaque { .. } => lose(dropped, "tools[].opaque"),
        }
    }
    out
}

fn named_tool(kind: &str, name: &str, description: Option<&str>) -> Map<String, Value> {
    let mut out = Map::new();
    out.put("type", kind);
    out.put("name", name);
    if let Some(description) = description {
        out.put("description", description);
    }
    out
}

/// Chat nests a grammar: `{type, grammar: {definition, syntax}}`.
fn flat_format(format: &Value) -> Value {
    let Some(grammar) = format.get("grammar").and_then(Value::as_object) else { return format.clone() };
    let mut out = Map::new();
    out.put("type", "grammar");
    out.extend(grammar.clone());
    Value::Object(out)
}

pub(super) fn write_choice(choice: &ToolChoice, tools: &[Tool], custom_tools: bool) -> Value {
    let named = |wanted: &String| {
        let is_custom = custom_tools && tools.iter().any(|tool| matches!(tool, Tool::Custom { name, .. } if name == wanted));
        json!({"type": if is_custom { "custom" } else { "function" }, "name": wanted})
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Function(name) => named(name),
        ToolChoice::Among { names, required } => {
            let tools: Vec<Value> = names.iter().map(named).collect();
            json!({"type": "allowed_tools", "mode": if *required { "required" } else { "auto" }, "tools": tools})
        }
    }
}

/// What the caller's tools are to the caller: an answer names them in its shape.
#[derive(Default)]
pub(super) struct Toolbox {
    /// Flat names of custom tools.
    customs: HashSet<String>,
    /// Flat names of nested tools: their namespace and own name.
    nested: HashMap<String, (String, String)>,
}

impl Toolbox {
    pub(super) fn read(tools: &[Value]) -> Self {
        let mut toolbox = Self::default();
        for tool in tools {
            let Some(name) = text(tool, "name") else { continue };
            match text(tool, "type") {
                Some("custom") => {
                    toolbox.customs.insert(name.to_owned());
                }
                Some("namespace") => {
                    for inner in items(tool, "tools") {
                        let Some(own) = text(inner, "name") else { continue };
                        let flat = flat_name(name, own);
                        if text(inner, "type") == Some("custom") {
                            toolbox.customs.insert(flat.clone());
                        }
                        toolbox.nested.insert(flat, (name.to_owned(), own.to_owned()));
                    }
                }
                Some(_) | None => {}
            }
        }
        toolbox
    }

    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.customs.contains(name)
    }

    /// The item of a call, its input still to come.
    pub(super) fn call_item(&self, id: &str, call_id: &str, name: &str, custom: bool) -> Value {
        let (kind, said) = if custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
        let mut item = json!({"id": id, "type": kind, "status": "in_progress", "call_id": call_id, "name": name});
        if let Some((space, own)) = self.nested.get(name) {
            item["name"] = own.as_str().into();
            item["namespace"] = space.as_str().into();
        }
        item[said] = "".into();
        item
    }
}
