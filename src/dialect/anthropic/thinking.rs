//! How much to think, as the target is told.

use serde_json::Value;

use super::write_turns::Turns;
use crate::{
    chat::{
        profile::{self, Profile},
        request::{Effort, Reasoning, Request},
    },
    wire::compose::{Members, json},
};

/// The least budget Anthropic takes.
pub(super) const MIN_BUDGET: u64 = 1024;
/// Anthropic wants a limit for the answer. Every model can write this much.
const DEFAULT_MAX_TOKENS: u64 = 4096;
/// Budgets up to these are a low or a medium effort: the geometric middle between the budgets of the three words.
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;

/// What is said about thinking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Unsaid,
    Off,
    Budget(u64),
    Adaptive(Option<Effort>),
}

impl Thinking {
    pub(super) const fn is_on(self) -> bool {
        match self {
            Self::Budget(_) | Self::Adaptive(_) => true,
            Self::Unsaid | Self::Off => false,
        }
    }

    /// What the turns and the target leave of what was asked.
    pub(super) fn of(request: &Request, profile: &Profile, turns: &Turns, dropped: &mut Vec<String>) -> Self {
        let wanted = request.reasoning.as_ref().map_or(Self::Unsaid, |asked| match profile.thinking {
            profile::Thinking::None => Self::Unsaid,
            profile::Thinking::Budget | profile::Thinking::Switch => budgeted(asked),
            profile::Thinking::Effort => adaptive(asked),
        });
        let asked = request.reasoning.as_ref().is_some_and(|asked| !matches!(asked, Reasoning::Off | Reasoning::Budget(0)));
        // An answer begun by the caller cannot be thought about; with a budget, neither can a tool loop without its proofs.
        let is_possible =
            !(wanted.is_on() && turns.is_prefilled() || matches!(wanted, Self::Budget(_)) && turns.lacks_thoughts());
        if asked && !(wanted.is_on() && is_possible) {
            dropped.push("reasoning".to_owned());
        }
        if is_possible { wanted } else { Self::Unsaid }
    }

    /// Together with the longest answer: thoughts count as output, and an answer must have room beside them.
    pub(super) fn within(self, request: &Request, profile: &Profile, dropped: &mut Vec<String>) -> (Self, u64) {
        let most = profile.max_output.unwrap_or(u64::MAX);
        let said = request.max_tokens.map(|limit| limit.min(most));
        let limit = said.or(profile.max_output).unwrap_or(DEFAULT_MAX_TOKENS);
        let (thinking, raised) = match self {
            Self::Budget(budget) if limit <= budget => fitted(budget, limit, most),
            Self::Budget(_) | Self::Unsaid | Self::Off | Self::Adaptive(_) => (self, limit),
        };
        if request.max_tokens.is_some_and(|limit| limit != raised) {
            dropped.push("max_tokens".to_owned());
        }
        let is_shrunk = thinking != self && matches!(request.reasoning, Some(Reasoning::Budget(_)));
        if is_shrunk || self.is_on() && !thinking.is_on() {
            dropped.push("reasoning".to_owned());
        }
        (thinking, raised)
    }

    /// The `thinking` of the body.
    pub(super) fn write(self, show: Option<bool>, dropped: &mut Vec<String>) -> Option<Value> {
        let mut value = match self {
            Self::Unsaid => None,
            Self::Off => Some(json!({"type": "disabled"})),
            Self::Budget(tokens) => Some(json!({"type": "enabled", "budget_tokens": tokens})),
            Self::Adaptive(_) => Some(json!({"type": "adaptive"})),
        };
        match (show, &mut value) {
            (Some(show), Some(Value::Object(map))) if self.is_on() => {
                map.put("display", if show { "summarized" } else { "omitted" });
            }
            (Some(true), _) => dropped.push("show_reasoning".to_owned()),
            (Some(false) | None, _) => {}
        }
        value
    }

    /// The `effort` of the output's configuration.
    pub(super) const fn effort(self) -> Option<&'static str> {
        match self {
            Self::Adaptive(Some(effort)) => Some(match effort {
                Effort::Minimal | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High => "high",
                Effort::XHigh => "xhigh",
                Effort::Max => "max",
            }),
            Self::Adaptive(None) | Self::Unsaid | Self::Off | Self::Budget(_) => None,
        }
    }
}

fn budgeted(asked: &Reasoning) -> Thinking {
    match asked {
        Reasoning::Off | Reasoning::Budget(0) => Thinking::Off,
        Reasoning::Budget(tokens) => Thinking::Budget(MIN_BUDGET.max(*tokens)),
        Reasoning::Effort(effort) => Thinking::Budget(budget(*effort)),
        // Left to itself, a model that adapts thinks with high effort.
        Reasoning::Adaptive => Thinking::Budget(budget(Effort::High)),
    }
}

const fn adaptive(asked: &Reasoning) -> Thinking {
    match asked {
        Reasoning::Off | Reasoning::Budget(0) => Thinking::Off,
        Reasoning::Adaptive => Thinking::Adaptive(None),
        Reasoning::Effort(effort) => Thinking::Adaptive(Some(*effort)),
        // Not every model knows more than "high".
        Reasoning::Budget(..=LOW_BUDGET) => Thinking::Adaptive(Some(Effort::Low)),
        Reasoning::Budget(..=MEDIUM_BUDGET) => Thinking::Adaptive(Some(Effort::Medium)),
        Reasoning::Budget(_) => Thinking::Adaptive(Some(Effort::High)),
    }
}

/// Budgets that fit the output limits of all thinking models.
const fn budget(effort: Effort) -> u64 {
    match effort {
        Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 4096,
        Effort::High => 16_384,
        Effort::XHigh => 24_576,
        Effort::Max => 31_999,
    }
}

/// A budget and an answer of `limit` beside it, as far as the model can write that much: then each gets a half.
fn fitted(budget: u64, limit: u64, most: u64) -> (Thinking, u64) {
    let raised = limit.saturating_add(budget).min(most);
    if raised > budget {
        return (Thinking::Budget(budget), raised);
    }
    let half = raised / 2;
    if half < MIN_BUDGET { (Thinking::Unsaid, limit) } else { (Thinking::Budget(half), raised) }
}
