//! A caller's request, read.

use serde_json::Value;

use super::{
    input::{self, stored},
    lose, tools,
};
use crate::{
    chat::request::{Effort, Format, Reasoning, Request},
    dialect::{Translated, dropped},
    error::{Error, Kind},
    wire::fields::{Fields, missing, must_be},
};

/// Members that name what only their provider stores.
const STORED: [(&str, &str); 3] =
    [("previous_response_id", "response"), ("conversation", "conversation"), ("prompt", "prompt template")];

/// Members that change nothing when they say this.
fn defaults() -> [(&'static str, Value); 3] {
    [("truncation", "disabled".into()), ("background", false.into()), ("top_logprobs", 0.into())]
}

pub(super) fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value = serde_json::from_str::<Value>(body)
        .map_err(|e| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {e}.")))?;
    let mut top = Fields::read(value, "")?;
    for (key, what) in STORED {
        if top.peek(key).is_some() {
            return Err(stored(key, what));
        }
    }
    let mut dropped = vec![];
    for (key, default) in defaults() {
        if top.peek(key) == Some(&default) {
            top.take(key);
        }
    }
    if top.take_bool("background")? == Some(true) {
        return Err(Error::invalid(
            "background",
            "`background` needs a provider that stores the answer, and this request goes to one of another API. Leave it out.",
        ));
    }
    let stream = top.take_bool("stream")?.unwrap_or(false);
    if let Some(mut options) = top.take_fields("stream_options")? {
        if options.peek("include_obfuscation") == Some(&Value::Bool(false)) {
            options.take("include_obfuscation");
        }
        options.leave(&mut dropped);
    }
    let (logprobs, top_logprobs) = (read_include(&mut top, &mut dropped)?, top.take_u64("top_logprobs")?);
    let (format, verbosity) = read_text(&mut top, &mut dropped)?;
    let (reasoning, show_reasoning) = read_reasoning(&mut top, &mut dropped)?;
    let user = top.take_str("user")?;
    let request = Request {
        model: top.need_str("model")?,
        stream,
        include_usage: stream,
        messages: input::read(&mut top, &mut dropped)?,
        tools: tools::read(&mut top, &mut dropped)?,
        tool_choice: tools::read_choice(&mut top, &mut dropped)?,
        parallel_tool_calls: top.take_bool("parallel_tool_calls")?,
        max_tokens: top.take_u64("max_output_tokens")?,
        temperature: top.take_number("temperature")?,
        top_p: top.take_number("top_p")?,
        format,
        reasoning,
        show_reasoning,
        user: top.take_str("safety_identifier")?.or(user),
        logprobs: logprobs || top_logprobs.is_some(),
        top_logprobs,
        service_tier: top.take_str("service_tier")?,
        verbosity,
        store: top.take_bool("store")?,
        metadata: top.take("metadata").filter(|labels| labels.as_object().is_none_or(|labels| !labels.is_empty())),
        cache_key: top.take_str("prompt_cache_key")?,
        ..Request::default()
    };
    top.leave(&mut dropped);
    Ok(Translated { value: request, dropped: dropped::tidy(&dropped) })
}

/// Whether the answer's likelihoods are wanted. What only the provider reads is always asked for, where it can be.
fn read_include(top: &mut Fields, dropped: &mut Vec<String>) -> Result<bool, Error> {
    let mut logprobs = false;
    for wanted in top.take_array("include")?.unwrap_or_default() {
        match wanted.as_str() {
            Some("message.output_text.logprobs") => logprobs = true,
            Some("reasoning.encrypted_content") => {}
            Some(_) | None => lose(dropped, "include[]"),
        }
    }
    Ok(logprobs)
}

fn read_text(top: &mut Fields, dropped: &mut Vec<String>) -> Result<(Option<Format>, Option<String>), Error> {
    let Some(mut text) = top.take_fields("text")? else { return Ok((None, None)) };
    let (format, verbosity) = (text.take_fields("format")?, text.take_str("verbosity")?);
    text.leave(dropped);
    let Some(mut format) = format else { return Ok((None, verbosity)) };
    let found = match format.need_str("type")?.as_str() {
        "text" => None,
        "json_object" => Some(Format::Json),
        "json_schema" => {
            // Some nest it as chat does.
            let mut schema = format.take_fields("json_schema")?.unwrap_or_else(|| std::mem::replace(&mut format, empty()));
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
    Ok((found, verbosity))
}

fn empty() -> Fields {
    Fields::new(serde_json::Map::new(), String::new())
}

fn read_reasoning(top: &mut Fields, dropped: &mut Vec<String>) -> Result<(Option<Reasoning>, Option<bool>), Error> {
    let Some(mut reasoning) = top.take_fields("reasoning")? else { return Ok((None, None)) };
    let path = reasoning.path_of("effort");
    let effort = reasoning.take_str("effort")?.map(|word| read_effort(&word, &path)).transpose()?;
    let older = reasoning.take_str("generate_summary")?;
    let summary = reasoning.take_str("summary")?.or(older);
    if summary.as_deref().is_some_and(|length| matches!(length, "concise" | "detailed")) {
        lose(dropped, "reasoning.summary");
    }
    reasoning.leave(dropped);
    Ok((effort, summary.map(|word| word != "none")))
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
