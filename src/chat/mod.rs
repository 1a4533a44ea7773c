//! The canonical form between two dialects: a superset of them all, with no wire names.

pub mod event;
pub mod fold;
pub mod profile;
pub mod request;
pub mod response;
pub mod usage;

/// A wire language. The canonical form only tags with it what belongs to one dialect alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenAiChat,
    OpenAiResponses,
    /// OpenAI's old text completions.
    OpenAiCompletions,
    Anthropic,
    Gemini,
    /// Amazon Bedrock's Converse.
    Converse,
    /// Cohere's chat, version 2.
    Cohere,
    /// What Cloudflare's binding to its own models takes and gives.
    WorkersAi,
}

impl Dialect {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::OpenAiResponses => "openai-responses",
            Self::OpenAiCompletions => "openai-completions",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Converse => "bedrock-converse",
            Self::Cohere => "cohere",
            Self::WorkersAi => "workers-ai",
        }
    }
}
