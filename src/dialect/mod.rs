//! Wire ↔ chat, one folder a dialect. Dialects know no providers.

pub mod anthropic;
pub mod cohere;
mod continued;
pub mod converse;
mod dropped;
mod endpoint;
pub mod gemini;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
mod pairs;
pub mod surface;
pub mod workers_ai;

pub use endpoint::Endpoint;

pub use crate::chat::Dialect;
use crate::{
    chat::{
        event::{Event, Finish, Stamp, UpstreamError},
        profile::Profile,
        request::Request,
        response::Response,
    },
    error::Error,
    units::Money,
    wire::{
        json::{Edit, Outline},
        sse::Frame,
    },
};

impl Dialect {
    pub const ALL: [Self; 8] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::Anthropic,
        Self::Gemini,
        Self::Converse,
        Self::Cohere,
        Self::OpenAiCompletions,
        Self::WorkersAi,
    ];

    /// How providers of this dialect are spoken to.
    pub fn upstream(self) -> &'static dyn Upstream {
        match self {
            Self::OpenAiChat => &openai_chat::OpenAiChat,
            Self::OpenAiResponses => &openai_responses::OpenAiResponses,
            Self::OpenAiCompletions => &openai_completions::OpenAiCompletions,
            Self::Anthropic => &anthropic::Anthropic,
            Self::Gemini => &gemini::Gemini,
            Self::Converse => &converse::Converse,
            Self::Cohere => &cohere::Cohere,
            Self::WorkersAi => &workers_ai::WorkersAi,
        }
    }

    /// How callers of this dialect are answered; `None` where only providers speak it.
    pub fn caller(self) -> Option<&'static dyn Caller> {
        match self {
            Self::OpenAiChat => Some(&openai_chat::OpenAiChat),
            Self::OpenAiResponses => Some(&openai_responses::OpenAiResponses),
            Self::OpenAiCompletions => Some(&openai_completions::OpenAiCompletions),
            Self::Anthropic => Some(&anthropic::Anthropic),
            Self::Gemini => Some(&gemini::Gemini),
            Self::Converse => None,
            Self::Cohere => None,
            Self::WorkersAi => None,
        }
    }
}

/// Names that stand in a body, of whatever caller's dialect, when it has more than text in it or wants JSON of a schema.
pub const RICH: [&str; 16] = [
    "image_url",
    "input_image",
    "image",
    "input_audio",
    "video_url",
    "file",
    "input_file",
    "document",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "json_schema",
    "responseSchema",
    "response_schema",
    "responseJsonSchema",
];

/// What routing may know of a body, read from its outline without building a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub model: String,
    pub stream: bool,
    /// A stream's usage report reaches the caller (asked for, or always sent in this dialect).
    pub wants_usage: bool,
    pub tools: bool,
    pub max_output: Option<u64>,
    pub user: Option<String>,
    /// A stream is wanted as one JSON array, not as events (Gemini without `alt=sse`).
    pub array: bool,
    /// The stored response that this request goes on from: only the provider that keeps it can serve it.
    pub continues: Option<String>,
    /// The body is of another shape than the dialect it was posted to: it cannot pass verbatim.
    pub foreign: bool,
    /// It has tools that take any text, which few providers of the dialect know.
    pub custom_tools: bool,
}

/// What the writer of an answer knows of the request.
#[derive(Clone)]
pub struct Asked<'a> {
    pub stamp: Stamp,
    pub facts: &'a Facts,
    /// The caller's own body; empty where its answer is not translated, but passes verbatim.
    pub body: &'a [u8],
}

/// A value made from another dialect, with the paths of what could not be carried.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated<T> {
    pub value: T,
    pub dropped: Vec<String>,
}

/// The side of a dialect that callers see. One unit struct a dialect.
pub trait Caller: Sync {
    /// What routing needs; an error for a body that cannot be a request of this dialect. What a dialect says in the
    /// path instead ([`surface::Place`]) is filled in afterwards.
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error>;
    /// `dropped` lists what the canonical form cannot hold.
    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error>;
    /// The whole answer. `cost` goes beside the usage.
    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String;
    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter>;
    /// The frame that ends a whole stream, for providers that leave it out.
    fn terminal(&self) -> &'static str;
    /// Canonical paths and how this dialect spells them, the longest first.
    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// A canonical path in the words of this dialect's callers.
    fn spelled(&self, path: &str) -> String {
        let known = self.spelling().iter().find_map(|(ours, theirs)| Some((theirs, path.strip_prefix(ours)?)));
        let whole = known.filter(|(_, rest)| rest.is_empty() || rest.starts_with(['.', '[']));
        whole.map_or_else(|| path.to_owned(), |(theirs, rest)| format!("{theirs}{rest}"))
    }
    /// The edit after which a body's conversation ends with `said` by the assistant and, where there is one, with `then`
    /// by the user; `None` for a body with no place for them.
    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit>;
    /// What may stand between two frames and means nothing.
    fn heartbeat(&self) -> &'static str {
        ": keep-alive\n\n"
    }
    /// The body of an error answer; its status is `error.status`.
    fn write_error(&self, error: &Error, request_id: &str) -> String;
}

/// The side of a dialect that providers speak.
pub trait Upstream: Sync {
    /// Path and query below the base URL, for a call of this model.
    fn path(&self, model: &str, stream: bool) -> String;
    /// `dropped` lists what this dialect cannot say.
    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String>;
    /// The edits that send a caller's own body of this dialect to `model`; with `report_usage` the stream is asked to
    /// end with a usage report. They also take out what an answer of another dialect left in the caller's history and no
    /// provider of this one takes.
    fn edits(&self, body: &Outline<'_>, model: &str, report_usage: bool) -> Vec<Edit>;
    /// Further edits of such a body: they take out of its history what `profile` says the target refuses.
    fn repairs(&self, _body: &Outline<'_>, _profile: &Profile) -> Vec<Edit> {
        vec![]
    }
    /// Whether every stream of this dialect reports usage unasked.
    fn always_reports_usage(&self) -> bool;
    fn read_response(&self, body: &str) -> Result<Response, UpstreamError>;
    fn event_reader(&self) -> Box<dyn EventReader>;
    /// Understands any body, also one that is not of this dialect, not JSON, or empty.
    fn read_error(&self, status: u16, body: &str) -> UpstreamError;
}

/// Reads a provider's stream. It may start in the middle of one: then blocks it did not see open are opened on the way.
pub trait EventReader {
    /// One frame in, 0..n events out.
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>);
    /// The stream has ended. Adds `End` where the dialect has no marker of its own and the answer was complete.
    fn close(&mut self, out: &mut Vec<Event>);
    /// Whether nothing but an end mark can be missing.
    fn has_stopped(&self) -> bool;
    /// The provider's own numbers, as far as they came.
    fn raw_usage(&self) -> Option<&serde_json::Value> {
        None
    }
}

/// Writes a caller's stream as text of whole frames.
pub trait EventWriter {
    /// One event in, 0..n frames out. `Usage`, `Stop`, `End` and `Failed` write nothing here: they come as `finish` or `fail`.
    fn write(&mut self, event: &Event, out: &mut String);
    /// The closing frames of a whole answer.
    fn finish(&mut self, finish: &Finish, out: &mut String);
    /// The closing frames of a broken one: never a clean end.
    fn fail(&mut self, error: &Error, out: &mut String);
    /// The caller was sent this frame of its own dialect instead of what was written for the same events: what comes
    /// next must follow it, with its names and numbers.
    fn adopt(&mut self, _frame: &Frame<'_>) {}
}
