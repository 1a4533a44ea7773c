//! What only the canonical request tells of itself: sizes, kinds of content, language, and how hard it is.

pub mod complexity;
mod language;
mod opening;
mod scan;
mod table;
mod words;

use crate::{
    chat::request::{Effort, Format, Part, Reasoning, Request},
    operation::estimate,
};

/// Budgets up to these are low and medium effort: the same that the dialects write for them.
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;

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
    /// `None` where nothing is said, where thinking is off, and where the model is to find out.
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
    let mut features = Features {
        input_tokens: estimate::of_request(request),
        messages: count(request.messages.len()),
        tools: count(request.tools.len()),
        json_schema: matches!(request.format, Some(Format::Schema { .. })),
        reasoning_effort: request.reasoning.as_ref().and_then(effort),
        opening: opening::of(request),
        ..Features::default()
    };
    for message in &request.messages {
        kinds(&message.parts, &mut features);
    }
    let signals = complexity::signals(request, features.input_tokens);
    Features { language: signals.language, complexity: signals.score(), ..features }
}

const fn effort(reasoning: &Reasoning) -> Option<Effort> {
    match reasoning {
        Reasoning::Off | Reasoning::Budget(0) | Reasoning::Adaptive => None,
        Reasoning::Effort(effort) => Some(*effort),
        Reasoning::Budget(..=LOW_BUDGET) => Some(Effort::Low),
        Reasoning::Budget(..=MEDIUM_BUDGET) => Some(Effort::Medium),
        Reasoning::Budget(_) => Some(Effort::High),
    }
}

fn kinds(parts: &[Part], features: &mut Features) {
    for part in parts {
        match part {
            Part::Image { .. } => features.images = true,
            Part::Audio { .. } => features.audio = true,
            Part::File { .. } => features.files = true,
            Part::Video { .. } => features.video = true,
            // No part of a result is a result: this ends.
            Part::ToolResult(result) => kinds(&result.parts, features),
            Part::Text { .. }
            | Part::Reasoning { .. }
            | Part::RedactedReasoning { .. }
            | Part::Refusal { .. }
            | Part::ToolCall(_)
            | Part::Opaque { .. } => {}
        }
    }
}
