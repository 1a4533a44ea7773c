//! What only the canonical request tells of itself: sizes, kinds of content, language, and how hard it is.

mod opening;

use crate::chat::request::{Effort, Request};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Estimated.
    pub input_tokens: u64,
    pub messages: u64,
    pub tools: u64,
    pub images: bool,
    pub audio: bool,
    pub files: bool,
    pub video: bool,
    pub json_schema: bool,
    pub reasoning_effort: Option<Effort>,
    /// ISO 639-1, or empty where nobody can tell.
    pub language: &'static str,
    /// How hard the request is, in thousandths from 0 to 1000.
    pub complexity: u16,
    /// A hash of how the conversation begins, the same on each of its turns.
    pub opening: u64,
}

pub fn of(request: &Request) -> Features {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Features {
        messages: count(request.messages.len()),
        tools: count(request.tools.len()),
        opening: opening::of(request),
        ..Features::default()
    }
}
