//! What is answered.

use super::{request::Part, usage::Usage};

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The provider's id, if it gave one.
    pub id: Option<String>,
    /// The model as the provider named it.
    pub model: Option<String>,
    /// Text, Reasoning, RedactedReasoning, Refusal, ToolCall, Image or Opaque, in the order produced.
    pub parts: Vec<Part>,
    pub stop: StopReason,
    /// The stop sequence that matched, where the dialect tells.
    pub stop_sequence: Option<String>,
    /// `None` when the provider sent none.
    pub usage: Option<Usage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The model was done, or met a stop sequence.
    End,
    StopSequence,
    Length,
    ToolCalls,
    /// Refused or filtered.
    ContentFilter,
    /// A server tool's loop paused; send the turn back to go on.
    Pause,
}
