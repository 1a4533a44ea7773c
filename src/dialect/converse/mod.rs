//! Amazon Bedrock's Converse, spoken by providers only.

mod block;
mod error;
mod format;
mod held;
mod media;
mod request;
mod response;
mod settings;
mod stream;
mod tools;
mod turns;

use super::{EventReader, Translated, Upstream};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    wire::{
        json::{Edit, Outline},
        percent,
    },
};

/// The tool whose input is the answer, for models that take no schema for their text. Readers know it by this name.
const ANSWER_TOOL: &str = "portolan_answer";

/// The dialect.
pub struct Converse;

impl Upstream for Converse {
    fn path(&self, model: &str, stream: bool) -> String {
        let operation = if stream { "converse-stream" } else { "converse" };
        format!("/model/{}/{operation}", percent::encoded(model))
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        request::write(request, profile)
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
