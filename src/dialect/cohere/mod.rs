//! Cohere's chat, version 2, spoken by providers only.

mod messages;
mod request;
mod response;
mod stream;
mod tools;

use super::{EventReader, Translated, Upstream};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    wire::json::{Edit, Outline},
};

/// The dialect.
pub struct Cohere;

impl Upstream for Cohere {
    fn path(&self, _model: &str, _stream: bool) -> String {
        "/v2/chat".to_owned()
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        request::write(request, profile)
    }

    /// None: no caller speaks this dialect.
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
        response::read_error(status, body)
    }
}
