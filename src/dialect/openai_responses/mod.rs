//! OpenAI Responses.
//!
//! What only the provider that stores it knows (earlier responses, conversations, templates, referenced items) cannot be
//! translated, and is refused with a word on what to send instead. What is translated is never stored.

mod envelope;
mod input;
mod item;
mod part;
mod piece;
mod repair;
mod request;
mod response;
mod seal;
mod stream;
mod stream_items;
mod stream_text;
mod stream_wire;
mod stream_write;
mod tools;
mod usage;
mod write;
mod write_items;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    Asked, Caller, Dialect, EventReader, EventWriter, Facts, Translated, Upstream,
    continued::{appended, turns},
    openai_chat::error,
};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    error::Error,
    units::Money,
    wire::{
        compose::json,
        fields::{missing, must_be},
        json::{Edit, Outline, json_text, quoted},
    },
};

/// Where callers find what the canonical form calls otherwise, the longest first.
const SPELLING: [(&str, &str); 20] = [
    ("messages[].parts[].tool_result", "input[]"),
    ("messages[].parts[].reasoning", "input[].summary"),
    ("messages[].parts[].tool_call", "input[]"),
    ("messages[].parts[].parts[]", "input[].output[]"),
    ("messages[].parts[].opaque", "input[]"),
    ("messages[].parts[].image", "input[].content[].input_image"),
    ("messages[].parts[].audio", "input[].content[].input_audio"),
    ("messages[].parts[].video", "input[].content[].input_video"),
    ("messages[].parts[].cache", "input[].content[].prompt_cache_breakpoint"),
    ("messages[].parts[].file", "input[].content[].input_file"),
    ("messages[].parts[]", "input[].content[]"),
    ("tools[].opaque", "tools[]"),
    ("show_reasoning", "reasoning.summary"),
    ("max_tokens", "max_output_tokens"),
    ("verbosity", "text.verbosity"),
    ("cache_key", "prompt_cache_key"),
    ("reasoning", "reasoning.effort"),
    ("logprobs", "include[]"),
    ("messages", "input"),
    ("format", "text.format"),
];

/// The dialect.
pub struct OpenAiResponses;

impl Caller for OpenAiResponses {
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error> {
        let model = body.parse::<String>("model", "a string")?.ok_or_else(|| missing("model"))?;
        if model.trim().is_empty() {
            return Err(must_be("model", "the name of a model"));
        }
        let stream = body.parse("stream", "true or false")?.unwrap_or(false);
        // What only the provider judges is read with good will: a body passed on verbatim is the provider's to refuse.
        let word = |key| body.parse::<String>(key, "a string").ok().flatten();
        let tools = body.parse::<Vec<IgnoredAny>>("tools", "an array").ok().flatten();
        let conversation = || body.parse::<Value>("conversation", "an object").ok().flatten();
        Ok(Facts {
            model,
            stream,
            wants_usage: stream,
            tools: tools.is_some_and(|tools| !tools.is_empty()),
            max_output: body.parse("max_output_tokens", "a whole number").ok().flatten(),
            user: word("safety_identifier").or_else(|| word("user")),
            continues: word("previous_response_id")
                .or_else(|| word("conversation"))
                .or_else(|| conversation().and_then(|c| text(&c, "id").map(str::to_owned))),
            ..Facts::default()
        })
    }

    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error> {
        request::read(body)
    }

    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
        response::write(response, asked, cost)
    }

    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter> {
        Box::new(stream_write::Writer::new(asked))
    }

    /// The last frame holds the whole answer: a stream without it is not whole.
    fn terminal(&self) -> &'static str {
        ""
    }

    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &SPELLING
    }

    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit> {
        let turns = turns(said, then);
        // A text alone is what the user says.
        match body.get("input").and_then(|input| serde_json::from_str::<String>(input).ok()) {
            Some(input) => {
                let list: Vec<Value> = std::iter::once(json!({"role": "user", "content": input})).chain(turns).collect();
                Some(Edit::Set("input".into(), json_text(&list.into())))
            }
            None => appended(body, "input", &turns),
        }
    }

    fn write_error(&self, error: &Error, request_id: &str) -> String {
        json_text(&error::write(error, Some(request_id)))
    }
}

impl Upstream for OpenAiResponses {
    fn path(&self, _model: &str, _stream: bool) -> String {
        "/responses".to_owned()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        write::write(request, profile)
    }

    fn edits(&self, body: &Outline<'_>, model: &str, _report_usage: bool) -> Vec<Edit> {
        let mut edits = vec![Edit::Set("model".into(), quoted(model))];
        edits.extend(repair::repairs(body));
        edits
    }

    fn always_reports_usage(&self) -> bool {
        true
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

/// A member that is a text and not empty.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The items of a member that is an array.
fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A path of something lost, once.
fn lose(dropped: &mut Vec<String>, path: &str) {
    if !dropped.iter().any(|known| known == path) {
        dropped.push(path.to_owned());
    }
}
