//! The canonical form between two dialects: a superset of them all, with no wire names.

pub mod event;
pub mod request;
pub mod response;
pub mod usage;

/// A wire language. The canonical form only tags with it what belongs to one dialect alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenAiChat,
    Anthropic,
    Gemini,
}

impl Dialect {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}
