//! What Workers AI's binding takes and gives, spoken by it alone: OpenAI's chat in, and out either that or its own
//! `{response, tool_calls, usage}`, by the model's age.
//!
//! <https://developers.cloudflare.com/workers-ai/configuration/bindings/>

mod native;

use std::borrow::Cow;

use serde_json::Value;

use super::{EventReader, Translated, Upstream, openai_chat::OpenAiChat};
use crate::{
    chat::{
        event::{Event, UpstreamError},
        profile::Profile,
        request::Request,
        response::Response,
    },
    wire::{
        json::{Edit, Outline},
        sse::Frame,
    },
};

/// The dialect.
pub struct WorkersAi;

const DONE: &str = "[DONE]";

impl Upstream for WorkersAi {
    /// None: a binding is asked, not a server.
    fn path(&self, _model: &str, _stream: bool) -> String {
        String::new()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        OpenAiChat.write_request(request, profile)
    }

    /// None: no caller speaks this.
    fn edits(&self, _body: &Outline<'_>, _model: &str, _report_usage: bool) -> Vec<Edit> {
        vec![]
    }

    fn always_reports_usage(&self) -> bool {
        true
    }

    fn read_response(&self, body: &str) -> Result<Response, UpstreamError> {
        OpenAiChat.read_response(&native::answer(body).map_or(Cow::Borrowed(body), Cow::Owned))
    }

    fn event_reader(&self) -> Box<dyn EventReader> {
        Box::new(Reader { chat: OpenAiChat.event_reader(), chunks: native::Chunks::default() })
    }

    fn read_error(&self, status: u16, body: &str) -> UpstreamError {
        native::error(status, body).unwrap_or_else(|| OpenAiChat.read_error(status, body))
    }
}

/// Makes chunks of OpenAI's of those that are not.
struct Reader {
    chat: Box<dyn EventReader>,
    chunks: native::Chunks,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let data = frame.data.as_deref().map(str::trim).unwrap_or_default();
        let made = if data == DONE { self.chunks.last() } else { self.chunks.read(data) };
        let is_native = made.is_some() && data != DONE;
        if let Some(made) = made {
            self.chat.read(&Frame { event: None, data: Some(Cow::Owned(made)), raw: &[] }, out);
        }
        if !is_native {
            self.chat.read(frame, out);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        self.chat.close(out);
    }

    fn has_stopped(&self) -> bool {
        self.chat.has_stopped()
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.chat.raw_usage()
    }
}
