//! Counted tokens.

use serde::Serialize;

/// Tokens of one response. The three input counts are disjoint; `reasoning` is the share of `output` spent thinking.
///
/// Anthropic reports input so; OpenAI and Gemini count cached tokens within input, and their readers subtract. Gemini
/// counts thoughts beside the answer, and its reader adds them to `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub output: u64,
    pub reasoning: u64,
}

impl Usage {
    /// All of the prompt, cached or not.
    pub const fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    pub const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }

    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}
