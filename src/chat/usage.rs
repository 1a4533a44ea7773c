//! Counted tokens.

use serde::Serialize;

use crate::units::Money;

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

    /// Of a provider's word; Google Cloud puts one before it. What is paid for otherwise, such as capacity that was bought
    /// before, costs here as usual.
    pub fn read(word: &str) -> Self {
        let lower = word.to_ascii_lowercase();
        let word = lower.trim_start_matches("on_demand_");
        let known = Self::ALL.into_iter().find(|service| service.name() == word);
        known.or((word == "fast").then_some(Self::Priority)).unwrap_or_default()
    }

    pub const fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }
}

/// Tokens of one response, and what else of it is paid for. `input`, `cache_read` and `cache_write` are disjoint, and
/// together the prompt. The others are shares: of the input what was heard or seen, of the output what was thought, said
/// aloud or drawn, of the cache writes what is kept for an hour.
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
    #[serde(skip_serializing_if = "is_none")]
    pub cache_write_1h: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub input_audio: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub cache_read_audio: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub input_image: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub output_audio: u64,
    #[serde(skip_serializing_if = "is_none")]
    pub output_image: u64,
    /// Of the web by the provider, or units of ranking.
    #[serde(skip_serializing_if = "is_none")]
    pub searches: u64,
    /// Pictures made.
    #[serde(skip_serializing_if = "is_none")]
    pub images: u64,
    /// Of sound heard, or of sound or film made.
    #[serde(skip_serializing_if = "is_none")]
    pub duration_ms: u64,
    /// Read aloud.
    #[serde(skip_serializing_if = "is_none")]
    pub characters: u64,
    #[serde(skip_serializing_if = "Service::is_standard")]
    pub service: Service,
    /// What the provider says it asks for all of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Money>,
}

// By reference, as serde calls it.
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// All of the prompt, cached or not.
    pub const fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// What two answers used together. The tier is the one that is not usual, if there is one.
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            input_audio: self.input_audio.saturating_add(other.input_audio),
            cache_read_audio: self.cache_read_audio.saturating_add(other.cache_read_audio),
            input_image: self.input_image.saturating_add(other.input_image),
            output_audio: self.output_audio.saturating_add(other.output_audio),
            output_image: self.output_image.saturating_add(other.output_image),
            searches: self.searches.saturating_add(other.searches),
            images: self.images.saturating_add(other.images),
            duration_ms: self.duration_ms.saturating_add(other.duration_ms),
            characters: self.characters.saturating_add(other.characters),
            service: if other.service.is_standard() { self.service } else { other.service },
            reported: self.reported.zip(other.reported).map(|(one, other)| one.plus(other)),
        }
    }

    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}
