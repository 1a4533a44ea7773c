//! A caller's request, read.

use serde_json::Value;

use super::{data_url, messages};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Effort, Format, Reasoning, Request, Source, Tool, ToolChoice},
    },
    dialect::Translated,
    error::{Error, Kind},
    wire::fields::{Fields, missing, must_be},
};

pub fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value = serde_json::from_str::<Value>(body)
        .map_err(|e| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {e}.")))?;
    let mut top = Fields::read(value, "")?;
    let mut dropped = vec![];
    let stream = top.take_bool("stream")?.unwrap_or(false);
    let request = Request {
        model: top.need_str("model")?,
        stream,
        include_usage: read_include_usage(&mut top, &mut dropped)? && stream,
        messages: messages::read(&mut top, &mut dropped)?,
        tools: read_tools(&mut top, &mut dropped)?,
        tool_choice: read_tool_choice(&mut top, &mut dropped)?,
        parallel_tool_calls: top.take_bool("parallel_tool_calls")?,
        max_tokens: match (top.take_u64("max_completion_tokens")?, top.take_u64("max_tokens")?) {
            (Some(limit), _) | (None, Some(limit)) => Some(limit),
            (None, None) => None,
        },
        temperature: top.take_number("temperature")?,
        top_p: top.take_number("top_p")?,
        top_k: top.take_number("top_k")?,
        presence_penalty: top.take_number("presence_penalty")?,
        frequency_penalty: top.take_number("frequency_penalty")?,
        seed: top.take_number("seed")?,
        stop: read_stop(&mut top)?,
        format: read_format(&mut top, &mut dropped)?,
        reasoning: read_reasoning(&mut top, &mut dropped)?,
        user: match (top.take_str("user")?, top.take_str("safety_identifier")?) {
            (Some(user), _) => Some(user),
            (None, user) => user,
        },
        ..Request::default()
    };
    // What only says the default is not a loss.
    for (key, default) in [("n", Value::from(1)), ("logprobs", Value::from(false)), ("store", Value::from(false))] {
        if top.peek(key) == Some(&default) {
            top.take(key);
        }
    }
    top.leave(&mut dropped);
    Ok(Translated { value: request, dropped })
}

fn read_include_usage(top: &mut Fields, dropped: &mut Vec<String>) -> Result<bool, Error> {
    let Some(mut options) = top.take_fields("stream_options")? else { return Ok(false) };
    let include = options.take_bool("include_usage")?.unwrap_or(false);
    options.leave(dropped);
    Ok(include)
}

fn read_stop(top: &mut Fields) -> Result<Vec<String>, Error> {
    let path = top.path_of("stop");
    let sequences = match top.take("stop") {
        None => vec![],
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list
            .into_iter()
            .enumerate()
            .map(|(i, item)| item.as_str().map(str::to_owned).ok_or_else(|| must_be(&format!("{path}[{i}]"), "a string")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(must_be(&path, "a string or an array of strings")),
    };
    // An empty sequence stops nothing, and other dialects refuse it.
    Ok(sequences.into_iter().filter(|sequence| !sequence.is_empty()).collect())
}

fn read_format(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<Format>, Error> {
    let Some(mut format) = top.take_fields("response_format")? else { return Ok(None) };
    let kind = format.need_str("type")?;
    let found = match kind.as_str() {
        "text" => None,
        "json_object" => Some(Format::Json),
        "json_schema" => {
            let mut schema = format.take_fields("json_schema")?.ok_or_else(|| missing(&format.path_of("json_schema")))?;
            let found = Format::Schema {
                name: schema.take_str("name")?,
                description: schema.take_str("description")?,
                schema: schema.take("schema").ok_or_else(|| missing(&schema.path_of("schema")))?,
                strict: schema.take_bool("strict")?,
            };
            schema.leave(dropped);
            Some(found)
        }
        _ => return Err(must_be(&format.path_of("type"), "`text`, `json_object` or `json_schema`")),
    };
    format.leave(dropped);
    Ok(found)
}

/// `reasoning_effort`, or how OpenRouter (`reasoning`) and DeepSeek (`thinking`) say it.
fn read_reasoning(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<Reasoning>, Error> {
    if let Some(word) = top.take_str("reasoning_effort")? {
        return read_effort(&word, "reasoning_effort").map(Some);
    }
    if let Some(mut reasoning) = top.take_fields("reasoning")? {
        let path = reasoning.path_of("effort");
        let (effort, budget) = (reasoning.take_str("effort")?, reasoning.take_u64("max_tokens")?);
        let enabled = reasoning.take_bool("enabled")?;
        reasoning.leave(dropped);
        return match (enabled, effort, budget) {
            (Some(false), _, _) => Ok(Some(Reasoning::Off)),
            (_, Some(word), _) => read_effort(&word, &path).map(Some),
            (_, None, Some(tokens)) => Ok(Some(Reasoning::Budget(tokens))),
            (enabled, None, None) => Ok(enabled.map(|_| Reasoning::Adaptive)),
        };
    }
    let Some(mut thinking) = top.take_fields("thinking")? else { return Ok(None) };
    let (kind, budget) = (thinking.need_str("type")?, thinking.take_u64("budget_tokens")?);
    let path = thinking.path_of("type");
    thinking.leave(dropped);
    match (kind.as_str(), budget) {
        ("disabled", _) => Ok(Some(Reasoning::Off)),
        ("enabled", Some(tokens)) => Ok(Some(Reasoning::Budget(tokens))),
        ("enabled" | "adaptive" | "auto", _) => Ok(Some(Reasoning::Adaptive)),
        _ => Err(must_be(&path, "`enabled`, `disabled` or `adaptive`")),
    }
}

fn read_effort(word: &str, path: &str) -> Result<Reasoning, Error> {
    Ok(Reasoning::Effort(match word {
        "none" => return Ok(Reasoning::Off),
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return Err(must_be(path, "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`")),
    }))
}

fn read_tools(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = vec![];
    for mut tool in top.take_objects("tools")? {
        // Cursor sends Anthropic's tools here too: they have no type.
        let kind = match tool.take_str("type")? {
            None if tool.peek("input_schema").is_none() => return Err(missing(&tool.path_of("type"))),
            kind => kind.unwrap_or_else(|| "function".to_owned()),
        };
        if kind != "function" {
            let mut value = tool.into_map();
            value.insert("type".to_owned(), kind.into());
            tools.push(Tool::Opaque { dialect: Dialect::OpenAiChat, value: Value::Object(value) });
            continue;
        }
        let cache = read_cache(&mut tool, dropped)?;
        // Cursor mixes the nested shape with the flat one of Responses in one list.
        match tool.take_fields("function")? {
            Some(function) => {
                tool.leave(dropped);
                tools.push(read_function(function, cache, dropped)?);
            }
            None => tools.push(read_function(tool, cache, dropped)?),
        }
    }
    for function in top.take_objects("functions")? {
        tools.push(read_function(function, None, dropped)?);
    }
    Ok(tools)
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

fn read_tool_choice(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    for key in ["tool_choice", "function_call"] {
        let path = top.path_of(key);
        match top.take(key) {
            None => {}
            Some(Value::String(word)) => {
                return match word.as_str() {
                    "auto" => Ok(Some(ToolChoice::Auto)),
                    "none" => Ok(Some(ToolChoice::None)),
                    "required" | "any" => Ok(Some(ToolChoice::Required)),
                    _ => Err(must_be(&path, "`none`, `auto`, `required` or a tool to call")),
                };
            }
            Some(value) => return read_named_choice(Fields::read(value, path)?, dropped),
        }
    }
    Ok(None)
}

fn read_named_choice(mut choice: Fields, dropped: &mut Vec<String>) -> Result<Option<ToolChoice>, Error> {
    if choice.take_str("type")?.is_some_and(|kind| kind != "function") {
        dropped.push(choice.path().to_owned());
        return Ok(None);
    }
    let name = match choice.take_fields("function")? {
        Some(mut function) => function.need_str("name")?,
        None => choice.need_str("name")?,
    };
    choice.leave(dropped);
    Ok(Some(ToolChoice::Function(name)))
}

/// `cache_control`, as OpenRouter and gateways before Claude know it.
pub fn read_cache(holder: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<CacheHint>, Error> {
    let Some(mut control) = holder.take_fields("cache_control")? else { return Ok(None) };
    control.take("type");
    let hint = CacheHint { ttl: control.take_str("ttl")? };
    control.leave(dropped);
    Ok(Some(hint))
}

/// A URL of any kind; a data URL must be whole.
pub fn read_source(url: &str, path: &str) -> Result<Source, Error> {
    data_url::source(url).ok_or_else(|| must_be(path, "a URL or a valid data URL"))
}
