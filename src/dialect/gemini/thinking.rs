//! How much to think, in the words of each generation of models.

use serde_json::{Map, Value};

use crate::{
    chat::{
        profile::Thinking,
        request::{Effort, Reasoning, Request},
    },
    wire::compose::Members,
};

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

fn control(model: &str, thinking: Thinking) -> Control {
    let is = |part: &str| model.contains(part);
    let never = ["gemma", "gemini-1", "gemini-2.0", "gemini-2.5-flash-image"].into_iter().any(is);
    match thinking {
        Thinking::None | Thinking::Switch => Control::None,
        Thinking::Budget | Thinking::Effort if never => Control::None,
        Thinking::Budget | Thinking::Effort if is("gemini-2.5-pro") => Control::Budget { off: 128, least: 128, most: 32_768 },
        Thinking::Budget | Thinking::Effort if is("gemini-2.5-flash-lite") => {
            Control::Budget { off: 0, least: 512, most: 24_576 }
        }
        Thinking::Budget => Control::Budget { off: 0, least: 1, most: 24_576 },
        Thinking::Effort if is("gemini-2.5") => Control::Budget { off: 0, least: 1, most: 24_576 },
        Thinking::Effort => Control::Level { minimal: is("flash") },
    }
}

/// Whether a history of this model must show a signature for each step of the current turn's calls (Gemini 3 on).
pub fn needs_signatures(model: &str) -> bool {
    model.contains("gemini") && matches!(control(model, Thinking::Effort), Control::Level { .. })
}

/// The `thinkingConfig`, and whether it says less than was asked. Thoughts are shown to who wants them, and to who wants
/// thinking and does not say.
pub fn config(request: &Request, thinking: Thinking) -> (Option<Value>, bool) {
    let (mut config, says_less) = match (&request.reasoning, control(&request.model, thinking)) {
        (None, Control::None) => return (None, request.show_reasoning == Some(true)),
        (None, Control::Budget { .. } | Control::Level { .. }) => (Map::new(), false),
        (Some(reasoning), Control::None) => return (None, *reasoning != Reasoning::Off),
        (Some(reasoning), Control::Budget { off, least, most }) => budget(reasoning, off, (least, most)),
        (Some(reasoning), Control::Level { minimal }) => level(reasoning, if minimal { "MINIMAL" } else { "LOW" }),
    };
    let thinks = !matches!(request.reasoning, None | Some(Reasoning::Off | Reasoning::Budget(0)));
    if let Some(shown) = request.show_reasoning.or(thinks.then_some(true)) {
        config.put("includeThoughts", shown);
    }
    ((!config.is_empty()).then(|| Value::Object(config)), says_less)
}

fn one(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

fn budget(reasoning: &Reasoning, off: u64, (least, most): (u64, u64)) -> (Map<String, Value>, bool) {
    let tokens = match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => return (one("thinkingBudget", off.into()), off > 0),
        Reasoning::Adaptive => return (one("thinkingBudget", DYNAMIC.into()), false),
        Reasoning::Budget(tokens) => *tokens,
        Reasoning::Effort(effort) => match effort {
            Effort::Minimal | Effort::Low => 1024,
            Effort::Medium => 8192,
            Effort::High | Effort::XHigh | Effort::Max => 24_576,
        },
    };
    (one("thinkingBudget", tokens.clamp(least, most).into()), false)
}

fn level(reasoning: &Reasoning, lowest: &str) -> (Map<String, Value>, bool) {
    let word = match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => return (one("thinkingLevel", lowest.into()), true),
        Reasoning::Adaptive => return (Map::new(), false),
        // Still taken by Gemini 3, in place of a level.
        Reasoning::Budget(tokens) => return (one("thinkingBudget", (*tokens).into()), false),
        Reasoning::Effort(effort) => match effort {
            Effort::Minimal => lowest,
            Effort::Low => "LOW",
            Effort::Medium => "MEDIUM",
            Effort::High | Effort::XHigh | Effort::Max => "HIGH",
        },
    };
    (one("thinkingLevel", word.into()), false)
}
