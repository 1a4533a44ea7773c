//! What is answered.

use serde_json::Value;

use super::{request::Part, usage::Usage};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The provider's id, if it gave one.
    pub id: Option<String>,
    /// The model as the provider named it.
    pub model: Option<String>,
    /// Text, Reasoning, RedactedReasoning, Refusal, ToolCall, Image, Audio or Opaque, in the order produced.
    pub parts: Vec<Part>,
    pub stop: StopReason,
    /// The stop sequence that matched, where the dialect tells.
    pub stop_sequence: Option<String>,
    pub logprobs: Vec<TokenLogprob>,
    /// Further answers to the same question, where `n` asked for them.
    pub more: Vec<Choice>,
    /// `None` when the provider sent none.
    pub usage: Option<Usage>,
    /// The provider's own numbers.
    pub raw_usage: Option<Value>,
    pub service_tier: Option<String>,
}

/// One of several answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    pub parts: Vec<Part>,
    pub stop: StopReason,
    pub stop_sequence: Option<String>,
    pub logprobs: Vec<TokenLogprob>,
}

/// How likely a token of the answer's text was: a natural logarithm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenLogprob {
    pub token: String,
    pub logprob: f64,
    pub bytes: Option<Vec<u8>>,
    /// The likeliest in its place, likeliest first; these have no `top` of their own.
    pub top: Vec<TokenLogprob>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StopReason {
    /// The model was done, or met a stop sequence.
    #[default]
    End,
    StopSequence,
    Length,
    ToolCalls,
    /// Refused or filtered.
    ContentFilter,
    /// A server tool's loop paused; send the turn back to go on.
    Pause,
}
