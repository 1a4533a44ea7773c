//! Limits, sampling, thinking, and what goes beside them.

use serde_json::{Map, Number, Value};

use super::turns::Turns;
use crate::{
    chat::{
        profile::{self, Profile},
        request::{Effort, Reasoning, Request},
    },
    dialect::dropped::Dropped,
    wire::compose::{Members, json},
};

/// The least budget Claude takes.
const MIN_BUDGET: u64 = 1024;
/// Budgets up to these are a low, a medium, a high effort.
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;
/// With thinking on, Claude takes a `topP` from here to 1.
const MIN_THINKING_TOP_P: f64 = 0.95;
const TIERS: [&str; 4] = ["priority", "default", "flex", "reserved"];
/// What Amazon lets its log of calls be labelled with.
const MAX_LABELS: usize = 16;
const MAX_LABEL: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Unsaid,
    Off,
    Budget(u64),
    /// By a switch.
    On,
    Adaptive(Option<Effort>),
}

impl Thinking {
    pub(super) const fn is_on(self) -> bool {
        match self {
            Self::Budget(_) | Self::On | Self::Adaptive(_) => true,
            Self::Unsaid | Self::Off => false,
        }
    }

    /// What the turns and the target leave of what was asked.
    pub(super) fn of(request: &Request, profile: &Profile, turns: &Turns, dropped: &mut Dropped) -> Self {
        let Some(asked) = &request.reasoning else { return Self::Unsaid };
        let off = matches!(asked, Reasoning::Off | Reasoning::Budget(0));
        let wanted = match profile.thinking {
            profile::Thinking::None => Self::Unsaid,
            profile::Thinking::Budget | profile::Thinking::Effort | profile::Thinking::Switch if off => Self::Off,
            profile::Thinking::Budget => Self::Budget(budget(asked)),
            profile::Thinking::Effort => Self::Adaptive(effort(asked)),
            profile::Thinking::Switch => Self::On,
        };
        // An answer begun by the caller cannot be thought about; with a budget, neither can a tool loop without its proofs.
        let impossible = wanted.is_on() && turns.is_prefilled() || matches!(wanted, Self::Budget(_)) && turns.lacks_thoughts();
        dropped.add_if(!off && (impossible || !wanted.is_on()), "reasoning");
        if impossible { Self::Unsaid } else { wanted }
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
            Self::Adaptive(None) | Self::Unsaid | Self::Off | Self::On | Self::Budget(_) => None,
        }
    }

    /// As the model's own request has it.
    fn write(self, show: Option<bool>, dropped: &mut Dropped) -> Option<Value> {
        let mut said = match self {
            Self::Unsaid => None,
            Self::Off => Some(json!({"type": "disabled"})),
            Self::On => Some(json!({"type": "enabled"})),
            Self::Budget(tokens) => Some(json!({"type": "enabled", "budget_tokens": tokens})),
            Self::Adaptive(_) => Some(json!({"type": "adaptive"})),
        };
        match (show, self, &mut said) {
            (Some(show), Self::Adaptive(_), Some(Value::Object(map))) => {
                map.put("display", if show { "summarized" } else { "omitted" });
            }
            // The others show their thoughts.
            (Some(false), _, _) if self.is_on() => dropped.add("show_reasoning"),
            (Some(_) | None, _, _) => {}
        }
        said
    }
}

fn budget(asked: &Reasoning) -> u64 {
    match asked {
        Reasoning::Off => 0,
        Reasoning::Budget(tokens) => MIN_BUDGET.max(*tokens),
        Reasoning::Effort(Effort::Minimal | Effort::Low) => MIN_BUDGET,
        Reasoning::Effort(Effort::Medium) => 4096,
        // Left to itself, a model that adapts thinks with high effort.
        Reasoning::Effort(Effort::High) | Reasoning::Adaptive => 16_384,
        Reasoning::Effort(Effort::XHigh) => 24_576,
        Reasoning::Effort(Effort::Max) => 31_999,
    }
}

const fn effort(asked: &Reasoning) -> Option<Effort> {
    match asked {
        Reasoning::Off | Reasoning::Adaptive => None,
        Reasoning::Effort(effort) => Some(*effort),
        Reasoning::Budget(..=LOW_BUDGET) => Some(Effort::Low),
        Reasoning::Budget(..=MEDIUM_BUDGET) => Some(Effort::Medium),
        // Not every model knows more than "high".
        Reasoning::Budget(_) => Some(Effort::High),
    }
}

pub(super) fn write(
    request: &Request,
    profile: &Profile,
    thinking: Thinking,
    body: &mut Map<String, Value>,
    dropped: &mut Dropped,
) {
    let (thinking, limit) = within(request, profile, thinking, dropped);
    let (mut config, mut native) = sampling(request, profile, thinking.is_on(), dropped);
    config.extend(limit.map(|limit| ("maxTokens".to_owned(), limit.into())));
    stops(request, &mut config, body, dropped);
    native.extend(thinking.write(request.show_reasoning, dropped).map(|said| ("thinking".to_owned(), said)));
    for (key, members) in [("inferenceConfig", config), ("additionalModelRequestFields", native)] {
        if !members.is_empty() {
            body.put(key, members);
        }
    }
    beside(request, body, dropped);
}

/// Thoughts count as output: the limit must leave room for an answer beside them, below what the model can write.
fn within(request: &Request, profile: &Profile, wanted: Thinking, dropped: &mut Dropped) -> (Thinking, Option<u64>) {
    let most = profile.max_output.unwrap_or(u64::MAX);
    let said = request.max_tokens.map(|limit| limit.min(most));
    let (thinking, limit) = match (wanted, said.or(profile.max_output)) {
        (Thinking::Budget(budget), Some(limit)) if limit <= budget => {
            let raised = limit.saturating_add(budget).min(most);
            if budget < raised {
                (wanted, said.map(|_| raised))
            } else if raised > MIN_BUDGET {
                // Half for each.
                (Thinking::Budget(MIN_BUDGET.max(raised / 2)), said.map(|_| raised))
            } else {
                (Thinking::Unsaid, said)
            }
        }
        (_, _) => (wanted, said),
    };
    dropped.add_if(request.max_tokens != limit, "max_tokens");
    let is_shrunk = thinking != wanted && matches!(request.reasoning, Some(Reasoning::Budget(_)));
    dropped.add_if(is_shrunk || wanted.is_on() && !thinking.is_on(), "reasoning");
    (thinking, limit)
}

/// What every model takes, and what only some do.
fn sampling(
    request: &Request,
    profile: &Profile,
    thinks: bool,
    dropped: &mut Dropped,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut config, mut native) = (Map::new(), Map::new());
    if let Some(temperature) = &request.temperature {
        // With thinking on, Claude takes its default only.
        let fits = profile.sampling && (!thinks || temperature.as_f64() == Some(1.0));
        let taken = fits.then(|| clamped(temperature));
        dropped.add_if(taken.as_ref() != Some(temperature), "temperature");
        config.extend(taken.map(|taken| ("temperature".to_owned(), Value::Number(taken))));
    }
    if let Some(top_p) = &request.top_p {
        let fits = profile.sampling && (!thinks || top_p.as_f64().is_some_and(|p| p >= MIN_THINKING_TOP_P));
        dropped.add_if(!fits, "top_p");
        config.extend(fits.then(|| ("topP".to_owned(), Value::Number(top_p.clone()))));
    }
    if let Some(top_k) = &request.top_k {
        let fits = profile.sampling && !thinks;
        dropped.add_if(!fits, "top_k");
        native.extend(fits.then(|| ("top_k".to_owned(), Value::Number(top_k.clone()))));
    }
    (config, native)
}

/// 0 to 1, where others go to 2.
fn clamped(temperature: &Number) -> Number {
    match temperature.as_f64() {
        Some(value) if value > 1.0 => Number::from(1),
        Some(value) if value < 0.0 => Number::from(0),
        _ => temperature.clone(),
    }
}

fn stops(request: &Request, config: &mut Map<String, Value>, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    // Claude refuses blank ones.
    let (stop, blank): (Vec<_>, Vec<_>) = request.stop.iter().partition(|stop| !stop.trim().is_empty());
    dropped.add_if(!blank.is_empty(), "stop");
    if !stop.is_empty() {
        config.put("stopSequences", json!(stop));
        // Which one it was is told only on demand; a model that does not say is not asked twice.
        body.put("additionalModelResponseFieldPaths", json!(["/stop_sequence"]));
    }
}

fn beside(request: &Request, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    match request.service_tier.as_deref() {
        Some(tier) if TIERS.contains(&tier) => {
            body.put("serviceTier", json!({"type": tier}));
        }
        Some("auto") | None => {}
        Some(_) => dropped.add("service_tier"),
    }
    if let Some(labels) = &request.metadata {
        if are_labels(labels) {
            body.put("requestMetadata", labels.clone());
        } else {
            dropped.add("metadata");
        }
    }
    let said = |text: &Option<String>, default: &str| text.as_deref().is_some_and(|text| text != default);
    for (is_lost, path) in [
        (request.presence_penalty.is_some(), "presence_penalty"),
        (request.frequency_penalty.is_some(), "frequency_penalty"),
        (request.seed.is_some(), "seed"),
        (request.user.is_some(), "user"),
        (request.n.is_some_and(|n| n > 1), "n"),
        (request.logprobs, "logprobs"),
        (request.top_logprobs.is_some_and(|top| top > 0), "top_logprobs"),
        (said(&request.verbosity, "medium"), "verbosity"),
        (request.store == Some(true), "store"),
        (request.cache_key.is_some(), "cache_key"),
        (request.modalities.iter().any(|kind| kind != "text"), "modalities"),
    ] {
        dropped.add_if(is_lost, path);
    }
}

fn are_labels(labels: &Value) -> bool {
    let plain = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || ":_@$#=/+,-.".contains(c);
        text.len() <= MAX_LABEL && text.chars().all(fits)
    };
    labels.as_object().is_some_and(|map| {
        let all = map.iter().all(|(key, value)| !key.is_empty() && plain(key) && value.as_str().is_some_and(plain));
        !map.is_empty() && map.len() <= MAX_LABELS && all
    })
}
