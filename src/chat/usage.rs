//! Counted tokens.

use serde::Serialize;

/// Which of a provider's offers a request was served under: each has prices of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
}

impl Service {
    pub const ALL: [Self; 4] = [Self::Standard, Self::Batch, Self::Flex, Self::Priority];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }

    /// Of a provider's word. What is paid for otherwise, such as capacity that was bought before, costs here as usual.
    pub fn read(word: &str) -> Self {
        match word {
            "batch" => Self::Batch,
            "flex" => Self::Flex,
            "priority" | "fast" => Self::Priority,
            _ => Self::Standard,
        }
    }

    pub const fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }
}

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
