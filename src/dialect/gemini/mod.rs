//! Gemini generateContent, spoken by providers only.

mod contents;
mod error;
mod media;
mod part;
mod request;
mod response;
mod stream;
mod thinking;

use super::{EventReader, Translated, Upstream};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    wire::{
        json::{Edit, Outline},
        percent,
    },
};

/// The dialect.
pub struct Gemini;

impl Upstream for Gemini {
    fn path(&self, model: &str, stream: bool) -> String {
        let model = percent::encoded(model.strip_prefix("models/").unwrap_or(model));
        let operation = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("/v1beta/models/{model}:{operation}")
    }

    fn write_request(&self, request: &Request, _profile: &Profile) -> Translated<String> {
        request::write(request)
    }

    /// None: the model is in the path, and no caller speaks this dialect.
    fn edits(&self, _body: &Outline<'_>, _model: &str, _report_usage: bool) -> Vec<Edit> {
        vec![]
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
