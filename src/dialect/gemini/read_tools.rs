//! A caller's tools, and which of them to call.

use serde_json::{Map, Value};

use super::{members::Members, schema};
use crate::{
    chat::{
        Dialect,
        request::{Tool, ToolChoice},
    },
    error::Error,
    wire::fields::missing,
};

const MODES: [&str; 5] = ["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"];

pub(super) fn read(body: &mut Members, dropped: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = vec![];
    for mut tool in body.objects("tools")? {
        for mut function in tool.objects("functionDeclarations")? {
            let schema = function.take("parametersJsonSchema");
            tools.push(Tool::Function {
                name: function.text("name")?.ok_or_else(|| missing(&function.path_of("name")))?,
                description: function.text("description")?.filter(|text| !text.is_empty()),
                parameters: function.take("parameters").map(schema::to_json_schema).filter(|_| schema.is_none()).or(schema),
                strict: None,
                cache: None,
            });
            function.leave(dropped);
        }
        // Each is a tool of Google's own.
        for (name, value) in tool.into_map().into_iter().filter(|(_, value)| !value.is_null()) {
            let value = Value::Object(Map::from_iter([(name, value)]));
            tools.push(Tool::Opaque { dialect: Dialect::Gemini, value });
        }
    }
    Ok(tools)
}

pub(super) fn read_choice(body: &mut Members, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    let Some(mut config) = body.object("toolConfig")? else { return Ok(None) };
    let calling = config.object("functionCallingConfig")?;
    config.leave(dropped);
    let Some(mut calling) = calling else { return Ok(None) };
    let path = calling.path_of("mode");
    let mode = calling.word("mode", &MODES)?;
    let mut names = calling.texts("allowedFunctionNames")?;
    calling.leave(dropped);
    Ok(match (mode.as_deref(), names.as_mut_slice()) {
        (Some("NONE"), _) => Some(ToolChoice::None),
        (Some("ANY"), []) => Some(ToolChoice::Required),
        (Some("ANY"), [name]) => Some(ToolChoice::Function(std::mem::take(name))),
        (Some("ANY"), _) => Some(ToolChoice::Among { names, required: true }),
        (Some("AUTO" | "VALIDATED"), []) => Some(ToolChoice::Auto),
        (Some("AUTO" | "VALIDATED"), _) => Some(ToolChoice::Among { names, required: false }),
        (None | Some("MODE_UNSPECIFIED"), _) => None,
        (Some(_), _) => {
            dropped.push(path);
            None
        }
    })
}
