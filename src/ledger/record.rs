//! One request, one line. Ids, decisions, times, counts and money; never content.

use serde::Serialize;

use crate::{
    chat::usage::Usage,
    units::{Millis, Money},
};

/// One upstream send and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Try {
    pub provider: String,
    pub model: String,
    /// Why this target was tried.
    pub reason: String,
    /// The HTTP status, or 0 when none came.
    pub status: u16,
    /// `ok`, or the class of the failure.
    pub outcome: &'static str,
    /// To the whole answer, or to the first content of a stream.
    pub ms: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Record {
    pub time: Millis,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The gateway key's name.
    pub key: String,
    pub dialect: &'static str,
    /// The model as the caller named it.
    pub asked: String,
    pub route: String,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// The model as the provider named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    pub stream: bool,
    pub status: u16,
    /// `ok`, or what went wrong last.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// For the operator: what the caller was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub tries: Vec<Try>,
    /// Candidates that were left out, with the reason.
    pub skipped: Vec<String>,
    pub first_ms: Option<u64>,
    pub upstream_ms: u64,
    pub total_ms: u64,
    pub usage: Option<Usage>,
    /// The provider reported no usage; the counts are reckoned from sizes.
    pub estimated: bool,
    /// Picodollars.
    pub cost: Option<Money>,
    pub dropped: Vec<String>,
    pub malformed: u32,
    /// Version of the configuration and of the health view the decision was made on.
    pub config: String,
    pub health: u64,
    pub region: String,
}
