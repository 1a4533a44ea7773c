//! Anthropic Messages.

mod answer;
mod citation;
mod id;
mod marks;
mod read_block;
mod read_error;
mod read_request;
mod repair;
mod response;
mod schema;
mod seal;
mod stream_read;
mod stream_write;
mod thinking;
mod usage;
mod write_block;
mod write_request;
mod write_settings;
mod write_tools;
mod write_turns;

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Asked, Caller, EventReader, EventWriter, Facts, Translated, Upstream,
    continued::{appended, turns},
};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    error::{Error, Kind},
    units::Money,
    wire::{
        compose::json,
        fields::missing,
        json::json_text,
        json::{Edit, Outline, quoted},
    },
};

/// The dialect.
pub struct Anthropic;

/// What callers call the fields of the canonical form, the longest first.
const SPELLING: [(&str, &str); 17] = [
    ("messages[].parts[].tool_result", "messages[].content[].tool_result"),
    ("messages[].parts[].tool_call", "messages[].content[].tool_use"),
    ("messages[].parts[].reasoning", "messages[].content[].thinking"),
    ("messages[].parts[].parts[]", "messages[].content[].content[]"),
    ("messages[].parts[].opaque", "messages[].content[]"),
    ("messages[].parts[].cache", "messages[].content[].cache_control"),
    ("messages[].parts[].file", "messages[].content[].document"),
    ("parallel_tool_calls", "tool_choice.disable_parallel_tool_use"),
    ("messages[].parts[]", "messages[].content[]"),
    ("tools[].parameters", "tools[].input_schema"),
    ("show_reasoning", "thinking.display"),
    ("tools[].opaque", "tools[]"),
    ("tools[].cache", "tools[].cache_control"),
    ("reasoning", "thinking"),
    ("format", "output_config.format"),
    ("user", "metadata.user_id"),
    ("stop", "stop_sequences"),
];

impl Caller for Anthropic {
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error> {
        let model: String = body.parse("model", "a string")?.ok_or_else(|| missing("model"))?;
        let stream = body.parse("stream", "true or false")?.unwrap_or(false);
        Ok(Facts {
            model,
            stream,
            wants_usage: stream,
            tools: body.get("tools").is_some_and(has_items),
            max_output: body.parse("max_tokens", "a whole number, 0 or more")?,
            user: user(body),
            ..Facts::default()
        })
    }

    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error> {
        read_request::read(body)
    }

    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
        response::write(response, &asked.stamp, cost)
    }

    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter> {
        Box::new(stream_write::Writer::new(asked.stamp.clone()))
    }

    fn terminal(&self) -> &'static str {
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
    }

    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &SPELLING
    }

    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit> {
        appended(body, "messages", &turns(said, then))
    }

    fn write_error(&self, error: &Error, request_id: &str) -> String {
        json_text(&json!({"type": "error", "error": write_error(error), "request_id": request_id}))
    }
}

impl Upstream for Anthropic {
    fn path(&self, _model: &str, _stream: bool) -> String {
        "/v1/messages".to_owned()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        write_request::write(request, profile)
    }

    fn edits(&self, body: &Outline<'_>, model: &str, _report_usage: bool) -> Vec<Edit> {
        let mut edits = vec![Edit::Set(Cow::Borrowed("model"), quoted(model))];
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
        Box::new(stream_read::Reader::default())
    }

    fn read_error(&self, status: u16, body: &str) -> UpstreamError {
        read_error::read(status, body)
    }
}

/// Whether the text of an array has an item, seen without parsing it.
fn has_items(text: &str) -> bool {
    text.strip_prefix('[').is_some_and(|rest| !rest.trim_start().starts_with(']'))
}

/// The end user's name; a `metadata` of another shape is the provider's business.
fn user(body: &Outline<'_>) -> Option<String> {
    let metadata: Value = serde_json::from_str(body.get("metadata")?).ok()?;
    metadata.get("user_id").and_then(Value::as_str).map(str::to_owned)
}

/// What Anthropic's clients recognise an overlong prompt by: they shorten it and try again.
const TOO_LONG: &str = "prompt is too long";

/// The inner object of an error.
fn write_error(error: &Error) -> Value {
    let message = match error.kind {
        Kind::ContextTooLong if !error.message.contains(TOO_LONG) => Cow::Owned(format!("{TOO_LONG}: {}", error.message)),
        Kind::ContextTooLong
        | Kind::InvalidRequest
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::ModelNotFound
        | Kind::MethodNotAllowed
        | Kind::UpgradeRequired
        | Kind::TooLarge
        | Kind::ContentFiltered
        | Kind::RateLimited
        | Kind::TokensLimited
        | Kind::Internal
        | Kind::BadGateway
        | Kind::Unavailable
        | Kind::Timeout => Cow::Borrowed(error.message.as_str()),
    };
    json!({"type": error_type(error), "message": message})
}

/// The type its status stands for, as the SDKs have it; the kind decides where the status stands for none.
fn error_type(error: &Error) -> &'static str {
    match error.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => match error.kind {
            Kind::InvalidRequest
            | Kind::MethodNotAllowed
            | Kind::UpgradeRequired
            | Kind::ContextTooLong
            | Kind::ContentFiltered => "invalid_request_error",
            Kind::Unauthenticated => "authentication_error",
            Kind::Forbidden => "permission_error",
            Kind::NotFound | Kind::ModelNotFound => "not_found_error",
            Kind::TooLarge => "request_too_large",
            Kind::RateLimited | Kind::TokensLimited => "rate_limit_error",
            Kind::Internal | Kind::BadGateway => "api_error",
            Kind::Unavailable => "overloaded_error",
            Kind::Timeout => "timeout_error",
        },
    }
}
