//! What is answered, as it comes.

use serde_json::Value;

use super::{
    Dialect,
    request::{Citation, Signature, ToolCall},
    response::{StopReason, TokenLogprob},
    usage::Usage,
};
use crate::units::Money;

/// One step of a stream. Blocks are numbered by their reader from 0 in order of opening; blocks of parallel tool calls
/// may be open together. Usage is cumulative: a later report replaces an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Start {
        id: Option<String>,
        model: Option<String>,
    },
    BlockStart {
        /// Which of several answers; 0 where there is one.
        choice: usize,
        index: usize,
        block: Block,
    },
    BlockDelta {
        index: usize,
        delta: Delta,
    },
    BlockEnd {
        index: usize,
    },
    Usage(Usage),
    Stop {
        choice: usize,
        reason: StopReason,
        sequence: Option<String>,
    },
    /// The dialect's terminal marker was seen.
    End,
    /// The provider reported a failure inside the stream.
    Failed(UpstreamError),
    /// A frame nobody can read: skipped and counted.
    Malformed,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Text,
    Reasoning,
    RedactedReasoning {
        data: String,
        dialect: Dialect,
    },
    Refusal,
    /// Its `arguments` are those known at the start, usually none; more come as deltas.
    ToolCall(ToolCall),
    Image {
        media_type: String,
        data: String,
    },
    /// Its data come as deltas.
    Audio {
        media_type: String,
    },
    Opaque {
        dialect: Dialect,
        value: Value,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    Text(String),
    Reasoning(String),
    Refusal(String),
    Arguments(String),
    /// Of the block's reasoning, text or tool call.
    Signature(Signature),
    /// Of the block's text.
    Citation(Citation),
    /// Of the block's text so far.
    Logprobs(Vec<TokenLogprob>),
    /// Base64, decodable piece by piece.
    Audio(String),
}

impl Delta {
    /// Bytes of text the model produced here.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::Refusal(text) | Self::Arguments(text) => {
                u64::try_from(text.len()).unwrap_or(u64::MAX)
            }
            Self::Signature(_) | Self::Citation(_) | Self::Logprobs(_) | Self::Audio(_) => 0,
        }
    }
}

impl Event {
    /// The commit predicate: something the client would miss if another target began anew. A stop reason counts, for an
    /// empty answer is one.
    pub fn is_content(&self) -> bool {
        match self {
            Self::BlockStart { block, .. } => match block {
                Block::Text | Block::Reasoning | Block::Refusal | Block::Audio { .. } => false,
                Block::RedactedReasoning { .. } | Block::ToolCall(_) | Block::Image { .. } | Block::Opaque { .. } => true,
            },
            Self::BlockDelta { delta, .. } => match delta {
                Delta::Text(text) | Delta::Reasoning(text) | Delta::Refusal(text) | Delta::Arguments(text) => !text.is_empty(),
                Delta::Signature(_) | Delta::Citation(_) | Delta::Audio(_) => true,
                // Some send empty ones with the first, empty delta.
                Delta::Logprobs(tokens) => !tokens.is_empty(),
            },
            Self::Stop { .. } => true,
            Self::Start { .. } | Self::BlockEnd { .. } | Self::Usage(_) | Self::End | Self::Failed(_) | Self::Malformed => false,
        }
    }
}

/// How a stream ended well: what every writer needs for its closing frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    pub stop: StopReason,
    pub stop_sequence: Option<String>,
    /// Of further answers, where `n` asked for them: the choice and why it stopped.
    pub more: Vec<(usize, StopReason)>,
    pub usage: Usage,
    pub cost: Option<Money>,
}

/// A provider's error as it said it: not yet judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// The HTTP status; inside a stream the one the error names, or 0.
    pub status: u16,
    pub message: String,
    /// The provider's machine-readable words: OpenAI's `type` and `code`, Anthropic's `type`, Google's `status`.
    pub kind: Option<String>,
    pub code: Option<String>,
    pub param: Option<String>,
    /// A wait named in the body (Google's `retryDelay`).
    pub retry_after_ms: Option<u64>,
}

/// What a stream's writer needs to name its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Minted by the gateway; used where the provider's id does not fit the dialect.
    pub id: String,
    /// Seconds since the epoch, for dialects whose answers carry a time.
    pub created: u64,
    /// The model to name when the provider names none.
    pub model: String,
}
