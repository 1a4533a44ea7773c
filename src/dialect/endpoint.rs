//! The doors of the gateway, by the names that a gateway key's `endpoints` has for them.

use super::{
    Dialect,
    surface::{Operation, Surface},
};

/// What a request may be let into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Chat,
    Responses,
    Completions,
    Messages,
    GenerateContent,
    Embeddings,
    Rerank,
    Moderations,
    CountTokens,
    Images,
    Videos,
    Models,
    Passthrough,
    /// What a provider keeps under an id.
    Stored,
}

impl Endpoint {
    pub const ALL: [Self; 14] = [
        Self::Chat,
        Self::Responses,
        Self::Completions,
        Self::Messages,
        Self::GenerateContent,
        Self::Embeddings,
        Self::Rerank,
        Self::Moderations,
        Self::CountTokens,
        Self::Images,
        Self::Videos,
        Self::Models,
        Self::Passthrough,
        Self::Stored,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Completions => "completions",
            Self::Messages => "messages",
            Self::GenerateContent => "generate_content",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Moderations => "moderations",
            Self::CountTokens => "count_tokens",
            Self::Images => "images",
            Self::Videos => "videos",
            Self::Models => "models",
            Self::Passthrough => "passthrough",
            Self::Stored => "stored",
        }
    }

    /// Where text is asked for in a dialect.
    pub const fn generate(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAiResponses => Self::Responses,
            Dialect::OpenAiCompletions => Self::Completions,
            Dialect::Anthropic => Self::Messages,
            Dialect::Gemini => Self::GenerateContent,
            // Nobody calls in the last three.
            Dialect::OpenAiChat | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => Self::Chat,
        }
    }

    pub const fn operate(operation: Operation) -> Self {
        match operation {
            Operation::Embed => Self::Embeddings,
            Operation::Rerank => Self::Rerank,
            Operation::Moderate => Self::Moderations,
            Operation::CountTokens => Self::CountTokens,
            Operation::Image => Self::Images,
            Operation::Video => Self::Videos,
        }
    }

    /// The dialects that a key's `dialects` may name: those that callers speak.
    pub fn dialects() -> impl Iterator<Item = &'static str> + Clone {
        Dialect::ALL.into_iter().filter(|dialect| dialect.caller().is_some()).map(Dialect::name)
    }
}

impl Surface {
    /// What a gateway key must be let into; `None` where none is asked for.
    pub const fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Self::Generate { dialect, .. } => Some(Endpoint::generate(*dialect)),
            Self::Operate { operation, .. } => Some(Endpoint::operate(*operation)),
            Self::Stored { .. } => Some(Endpoint::Stored),
            Self::Passthrough { .. } => Some(Endpoint::Passthrough),
            Self::Models { .. } => Some(Endpoint::Models),
            Self::Hello
            | Self::Root
            | Self::Live
            | Self::Ready
            | Self::Metrics
            | Self::Admin(_)
            | Self::Upgrade(_)
            | Self::Preflight
            | Self::WrongMethod { .. }
            | Self::Unknown(_) => None,
        }
    }
}
