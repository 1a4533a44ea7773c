//! OpenAI's old text completions: a prompt in, its continuation out.
//!
//! Errors, usage and the frame of an answer are those of chat completions, and so are their readers: a choice holds a
//! `text` where chat has a message.

mod read_request;
mod write_request;
mod write_response;
mod write_stream;

use super::{Asked, Caller, EventReader, EventWriter, Facts, Translated, Upstream, openai_chat::OpenAiChat};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    error::Error,
    units::Money,
    wire::json::{Edit, Outline, quoted},
};

/// The dialect.
pub struct OpenAiCompletions;

impl Caller for OpenAiCompletions {
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error> {
        // Of chat's members this dialect has those that count here.
        Ok(Facts { foreign: false, tools: false, ..OpenAiChat.facts(body)? })
    }

    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error> {
        read_request::read(body)
    }

    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
        write_response::write(response, &asked.stamp, cost)
    }

    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter> {
        Box::new(write_stream::Writer::new(asked.stamp.clone(), asked.facts.wants_usage))
    }

    fn terminal(&self) -> &'static str {
        OpenAiChat.terminal()
    }

    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &[("top_logprobs", "logprobs"), ("messages[]", "prompt")]
    }

    /// The prompt is the text that goes on: nobody is to be asked for it.
    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit> {
        match body.get("prompt") {
            Some(prompt) => {
                let prompt: String = serde_json::from_str(prompt).ok()?;
                Some(Edit::Set("prompt".into(), quoted(&(prompt + said))))
            }
            None => OpenAiChat.continued(body, said, then),
        }
    }

    fn write_error(&self, error: &Error, request_id: &str) -> String {
        OpenAiChat.write_error(error, request_id)
    }
}

impl Upstream for OpenAiCompletions {
    fn path(&self, _model: &str, _stream: bool) -> String {
        "/completions".to_owned()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        write_request::write(request, profile)
    }

    fn edits(&self, body: &Outline<'_>, model: &str, report_usage: bool) -> Vec<Edit> {
        OpenAiChat.edits(body, model, report_usage)
    }

    fn always_reports_usage(&self) -> bool {
        false
    }

    fn read_response(&self, body: &str) -> Result<Response, UpstreamError> {
        OpenAiChat.read_response(body)
    }

    fn event_reader(&self) -> Box<dyn EventReader> {
        OpenAiChat.event_reader()
    }

    fn read_error(&self, status: u16, body: &str) -> UpstreamError {
        OpenAiChat.read_error(status, body)
    }
}
