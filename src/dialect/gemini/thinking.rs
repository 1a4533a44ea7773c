//! How much to think, in the words of each generation of models.

use serde_json::{Value, json};

use crate::chat::request::{Effort, Reasoning};

/// What a model can be told. The generation is in its name; Google's documentation of thinking has the bounds.
enum Control {
    /// Thinks never, or not to order.
    None,
    /// Tokens; `off` is 0 where thinking can be switched off.
    Budget { off: u64, least: u64, most: u64 },
    /// A word; never off.
    Level { minimal: bool },
}

/// Lets the model decide.
const DYNAMIC: i64 = -1;

fn control(model: &str) -> Control {
    let is = |part: &str| model.contains(part);
    if !is("gemini-") || is("gemini-1") || is("gemini-2.0") || is("gemini-2.5-flash-image") {
        Control::None
    } else if is("gemini-2.5-pro") {
        Control::Budget { off: 128, least: 128, most: 32_768 }
    } else if is("gemini-2.5-flash-lite") {
        Control::Budget { off: 0, least: 512, most: 24_576 }
    } else if is("gemini-2.5") {
        Control::Budget { off: 0, least: 1, most: 24_576 }
    } else {
        Control::Level { minimal: is("flash") }
    }
}

/// Whether a history of this model must show a signature for each step of the current turn's calls (Gemini 3 on).
pub fn needs_signatures(model: &str) -> bool {
    matches!(control(model), Control::Level { .. })
}

/// The `thinkingConfig`, and whether it says less than was asked.
pub fn config(reasoning: &Reasoning, model: &str) -> (Option<Value>, bool) {
    match control(model) {
        Control::None => (None, *reasoning != Reasoning::Off),
        Control::Budget { off, least, most } => budget(reasoning, off, (least, most)),
        Control::Level { minimal } => level(reasoning, if minimal { "MINIMAL" } else { "LOW" }),
    }
}

fn budget(reasoning: &Reasoning, off: u64, (least, most): (u64, u64)) -> (Option<Value>, bool) {
    let tokens = match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => return (Some(json!({ "thinkingBudget": off })), off > 0),
        Reasoning::Adaptive => return (Some(json!({ "thinkingBudget": DYNAMIC, "includeThoughts": true })), false),
        Reasoning::Budget(tokens) => *tokens,
        Reasoning::Effort(effort) => match effort {
            Effort::Minimal | Effort::Low => 1024,
            Effort::Medium => 8192,
            Effort::High | Effort::XHigh | Effort::Max => 24_576,
        },
    };
    (Some(json!({ "thinkingBudget": tokens.clamp(least, most), "includeThoughts": true })), false)
}

fn level(reasoning: &Reasoning, lowest: &str) -> (Option<Value>, bool) {
    let word = match reasoning {
        Reasoning::Off => return (Some(json!({ "thinkingLevel": lowest })), true),
        Reasoning::Adaptive => return (Some(json!({ "includeThoughts": true })), false),
        // Still taken by Gemini 3, in place of a level.
        Reasoning::Budget(tokens) => return (Some(json!({ "thinkingBudget": tokens, "includeThoughts": true })), false),
        Reasoning::Effort(effort) => match effort {
            Effort::Minimal => lowest,
            Effort::Low => "LOW",
            Effort::Medium => "MEDIUM",
            Effort::High | Effort::XHigh | Effort::Max => "HIGH",
        },
    };
    (Some(json!({ "thinkingLevel": word, "includeThoughts": true })), false)
}
