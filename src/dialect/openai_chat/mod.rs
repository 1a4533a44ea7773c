//! OpenAI Chat Completions, and everyone compatible with it.

/// The dialect.
pub struct OpenAiChat;
