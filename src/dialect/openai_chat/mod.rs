//! OpenAI Chat Completions, and everyone compatible with it.
//!
//! Thoughts have no slot in this dialect. They travel as `reasoning_content`; what their provider must get back
//! (signatures, encrypted thoughts) as `reasoning_details`, the shape OpenRouter's clients already return.

mod asked;
mod audio;
mod citations;
pub(super) mod data_url;
pub(super) mod error;
mod logprobs;
mod messages;
mod parts;
mod reasoning;
mod repair;
pub(super) mod request;
mod request_reasoning;
mod request_tools;
mod response;
pub(super) mod stop;
mod stream;
mod stream_call;
mod stream_choice;
mod stream_open;
mod stream_write;
pub(super) mod usage;
mod write;
mod write_messages;
mod write_part;
mod write_response;
mod write_tools;

use serde::de::IgnoredAny;
use serde_json::Value;

pub(super) use citations::characters;
pub(super) use messages::results_first;

use asked::Form;

use super::{
    Asked, Caller, Dialect, EventReader, EventWriter, Facts, Translated, Upstream,
    continued::{appended, turns},
};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    error::Error,
    units::Money,
    wire::{
        fields::{missing, must_be},
        json::json_text,
        json::{self, Edit, Outline, join, names_any, quoted},
    },
};

/// Canonical paths in this dialect's words.
const SPELLING: [(&str, &str); 9] = [
    ("messages[].parts[].cache", "messages[].content[].cache_control"),
    ("messages[].parts[].reasoning", "messages[].reasoning_content"),
    ("messages[].parts[].citations", "messages[].annotations"),
    ("messages[].parts[]", "messages[].content[]"),
    ("tools[].cache", "tools[].cache_control"),
    ("format.schema", "response_format.json_schema.schema"),
    ("cache_key", "prompt_cache_key"),
    ("reasoning", "reasoning_effort"),
    ("format", "response_format"),
];

/// The dialect.
pub struct OpenAiChat;

impl Caller for OpenAiChat {
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error> {
        let model = body.parse::<String>("model", "a string")?.ok_or_else(|| missing("model"))?;
        if model.trim().is_empty() {
            return Err(must_be("model", "the name of a model"));
        }
        let stream = body.parse("stream", "true or false")?.unwrap_or(false);
        let options = body.parse::<Value>("stream_options", "an object")?;
        let asked = options.as_ref().and_then(|o| o.get("include_usage")).and_then(Value::as_bool).unwrap_or(false);
        // What only the provider judges is read with good will: a body passed on verbatim is the provider's to refuse.
        let some = |key| body.parse::<Vec<IgnoredAny>>(key, "an array").ok().flatten().is_some_and(|items| !items.is_empty());
        let number = |key| body.parse::<u64>(key, "a whole number").ok().flatten();
        Ok(Facts {
            model,
            stream,
            wants_usage: stream && asked,
            tools: some("tools") || some("functions"),
            max_output: number("max_completion_tokens").or_else(|| number("max_tokens")).or_else(|| number("max_output_tokens")),
            user: body.parse("user", "a string").ok().flatten(),
            foreign: is_foreign(body),
            custom_tools: has_custom_tools(body),
            ..Facts::default()
        })
    }

    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error> {
        request::read(body)
    }

    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
        write_response::write(response, &asked.stamp, &Form::of(asked), cost)
    }

    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter> {
        Box::new(stream_write::Writer::new(asked.stamp.clone(), asked.facts.wants_usage, Form::of(asked)))
    }

    fn terminal(&self) -> &'static str {
        "data: [DONE]\n\n"
    }

    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &SPELLING
    }

    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit> {
        if body.get("messages").is_none() {
            return super::openai_responses::OpenAiResponses.continued(body, said, then);
        }
        appended(body, "messages", &turns(said, then))
    }

    fn write_error(&self, error: &Error, request_id: &str) -> String {
        json_text(&error::write(error, Some(request_id)))
    }
}

impl Upstream for OpenAiChat {
    fn path(&self, _model: &str, _stream: bool) -> String {
        "/chat/completions".to_owned()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        write::write(request, profile)
    }

    fn edits(&self, body: &Outline<'_>, model: &str, report_usage: bool) -> Vec<Edit> {
        let mut edits = vec![Edit::Set("model".into(), quoted(model))];
        if report_usage {
            let asked = body.get("stream_options").unwrap_or("{}");
            let ask = [Edit::Set("include_usage".into(), "true".to_owned())];
            // What is not an object is the provider's to refuse.
            if let Ok(options) = Outline::read(asked.as_bytes()) {
                edits.push(Edit::Set("stream_options".into(), join(asked, &options.edit(&ask))));
            }
        }
        edits
    }

    fn repairs(&self, body: &Outline<'_>, profile: &Profile) -> Vec<Edit> {
        repair::repairs(body, profile)
    }

    fn always_reports_usage(&self) -> bool {
        false
    }

    fn read_response(&self, body: &str) -> Result<Response, UpstreamError> {
        response::read(body)
    }

    fn event_reader(&self) -> Box<dyn EventReader> {
        Box::new(stream::Reader::default())
    }

    fn read_error(&self, status: u16, body: &str) -> UpstreamError {
        error::read(status, body)
    }
}

/// Bytes of messages that are searched for another dialect's blocks: each look takes time, and longer histories are an
/// agent's, whose tools tell.
const MAX_FOREIGN: usize = 1 << 18;

fn has_custom_tools(body: &Outline<'_>) -> bool {
    let Some(tools) = body.get("tools").filter(|tools| tools.contains("\"custom\"")) else { return false };
    let tools: Vec<Value> = serde_json::from_str(tools).unwrap_or_default();
    tools.iter().any(|tool| text(tool, "type") == Some("custom"))
}

/// What Cursor posts here in other shapes: bodies of Responses, flat tools, Anthropic's tools and blocks. Inside a text
/// the quotes would be escaped.
fn is_foreign(body: &Outline<'_>) -> bool {
    let Some(messages) = body.get("messages") else { return body.get("input").is_some() };
    let tools = body.get("tools").and_then(json::items).unwrap_or_default();
    let is_flat = |tool: &str| {
        Outline::read(tool.as_bytes()).is_ok_and(|tool| tool.get("name").is_some() && tool.get("function").is_none())
    };
    let blocks = messages.len() <= MAX_FOREIGN;
    tools.iter().any(|tool| is_flat(tool)) || blocks && names_any(messages, &["tool_use", "tool_use_id", "media_type"])
}

/// A member that is a text and not empty.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The items of a member that is an array.
fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
