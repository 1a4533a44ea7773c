//! A caller's request, read.

use serde_json::Value;

use super::{messages, request_reasoning, request_tools};
use crate::{
    chat::request::{Format, Request},
    dialect::{Caller, Translated, dropped, openai_responses::OpenAiResponses},
    error::{Error, Kind},
    wire::fields::{Fields, missing, must_be},
};

pub fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value = serde_json::from_str::<Value>(body)
        .map_err(|e| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {e}.")))?;
    let mut top = Fields::read(value, "")?;
    if top.peek("messages").is_none() && top.peek("input").is_some() {
        return read_foreign(body);
    }
    let mut dropped = vec![];
    // Answers of the old form hold one call at most.
    let one_call = top.peek("functions").map(|_| false);
    let mut request = Request {
        model: top.need_str("model")?,
        messages: messages::read(&mut top, &mut dropped)?,
        tools: request_tools::read(&mut top, &mut dropped)?,
        format: read_format(&mut top, &mut dropped)?,
        modalities: read_modalities(&mut top)?,
        ..Request::default()
    };
    read_parameters(&mut top, &mut request, &mut dropped)?;
    read_wishes(&mut top, &mut request)?;
    request.parallel_tool_calls = top.take_bool("parallel_tool_calls")?.or(one_call);
    request.tool_choice = request_tools::read_choice(&mut top, &mut dropped)?;
    let thinking = request_reasoning::read(&mut top, &mut dropped)?;
    (request.reasoning, request.show_reasoning) = (thinking.how_much(), thinking.show);
    top.leave(&mut dropped);
    Ok(Translated { value: request, dropped: dropped::tidy(&dropped) })
}

/// Cursor's agents post bodies of Responses here, and wait for an answer of chat.
fn read_foreign(body: &str) -> Result<Translated<Request>, Error> {
    let mut read = OpenAiResponses.read_request(body)?;
    // Chat's own member, and obeyed.
    read.dropped.retain(|path| !path.starts_with("stream_options"));
    Ok(read)
}

/// How tokens are drawn, and how many.
pub fn read_parameters(top: &mut Fields, request: &mut Request, dropped: &mut Vec<String>) -> Result<(), Error> {
    request.stream = top.take_bool("stream")?.unwrap_or(false);
    request.include_usage = read_include_usage(top, dropped)? && request.stream;
    let (limit, old_limit) = (top.take_u64("max_completion_tokens")?, top.take_u64("max_tokens")?);
    request.max_tokens = limit.or(old_limit);
    request.temperature = top.take_number("temperature")?;
    request.top_p = top.take_number("top_p")?;
    request.top_k = top.take_number("top_k")?;
    request.presence_penalty = top.take_number("presence_penalty")?;
    request.frequency_penalty = top.take_number("frequency_penalty")?;
    request.seed = top.take_number("seed")?;
    request.stop = read_stop(top)?;
    request.n = top.take_u64("n")?.filter(|n| *n > 1);
    request.user = top.take_str("user")?;
    Ok(())
}

/// What the newer members ask for beside the answer's text.
fn read_wishes(top: &mut Fields, request: &mut Request) -> Result<(), Error> {
    request.logprobs = top.take_bool("logprobs")?.unwrap_or(false);
    request.top_logprobs = top.take_u64("top_logprobs")?;
    request.service_tier = top.take_str("service_tier")?;
    request.verbosity = top.take_str("verbosity")?;
    request.store = top.take_bool("store")?;
    request.cache_key = top.take_str("prompt_cache_key")?;
    request.metadata = top.take_fields("metadata")?.map(|labels| Value::Object(labels.into_map()));
    let name = top.take_str("safety_identifier")?;
    request.user = request.user.take().or(name);
    Ok(())
}

fn read_include_usage(top: &mut Fields, dropped: &mut Vec<String>) -> Result<bool, Error> {
    let Some(mut options) = top.take_fields("stream_options")? else { return Ok(false) };
    let include = options.take_bool("include_usage")?.unwrap_or(false);
    // Padding against eavesdroppers: written by nobody but OpenAI.
    options.take("include_obfuscation");
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

/// Text alone is what everybody gives unasked.
fn read_modalities(top: &mut Fields) -> Result<Vec<String>, Error> {
    let path = top.path_of("modalities");
    let list = top.take_array("modalities")?.unwrap_or_default();
    let words: Option<Vec<String>> = list.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    let words = words.ok_or_else(|| must_be(&path, "an array of strings"))?;
    Ok(if words.iter().all(|word| word == "text") { vec![] } else { words })
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
