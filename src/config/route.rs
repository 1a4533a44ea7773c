//! `routes`: public model names and what stands behind them.

use super::{Condition, SomeRetry, SomeTimeouts, Subject};
use crate::{units::Money, wire::json::Edit};

/// In which order targets are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    Priority,
    Weighted,
    LeastCost,
    LeastLatency,
    /// Cost, latency and reliability in one score.
    Balanced,
    /// The same session, the same target.
    Sticky,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenAllUnavailable {
    #[default]
    TryAnyway,
    Fail,
    /// For the first that is back, at most so long.
    Wait {
        ms: u64,
    },
}

/// After the commit point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStreamBreak {
    /// The stream ends with an error frame.
    #[default]
    Error,
    /// Another target goes on where it broke.
    Continue,
    /// Nothing is sent before the answer is whole.
    Atomic,
}

/// What follows when a provider's content filter refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnContentFilter {
    #[default]
    Error,
    /// The next target is asked.
    Fallback,
}

/// A second target is started when the first token is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedge {
    /// Later than 95 of 100 of the target's own.
    P95,
    AfterMs(u64),
}

/// What becomes of a request that a target cannot take whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lossy {
    /// It is sent, and what is missing is reported.
    #[default]
    Report,
    /// It goes to a target that takes all of it, or to none.
    Refuse,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The first that holds says where to go on; without any, `choices`.
    pub rules: Vec<Rule>,
    pub strategy: Strategy,
    pub choices: Vec<Choice>,
    pub policy: Policy,
    /// What the strategy `sticky` keeps together, where the operator says it: a text.
    pub sticky_by: Option<Subject>,
    /// A condition of this route, or of one it may lead to, looks at what only the canonical request tells.
    pub needs_features: bool,
    /// The smallest window, in tokens, of the models it may lead to, as far as they are known.
    pub min_context: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub when: Condition,
    pub then: Place,
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Route(String),
    Target(Box<Target>),
}

/// One entry of `targets`.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub place: Place,
    /// 0: only when the others cannot.
    pub weight: u32,
    /// It stands here only while this holds.
    pub when: Option<Condition>,
}

/// How a route is carried out, as far as it says. What it does not say, the route that leads here does, then `settings`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub retry: SomeRetry,
    pub timeouts: SomeTimeouts,
    pub when_all_unavailable: Option<WhenAllUnavailable>,
    pub on_stream_break: Option<OnStreamBreak>,
    pub on_content_filter: Option<OnContentFilter>,
    /// `Some(None)`: never, whatever is said further out.
    pub hedge: Option<Option<Hedge>>,
    pub lossy: Option<Lossy>,
    /// Only targets that keep nothing.
    pub zdr: Option<bool>,
    /// `Some(None)`: never, whatever is said further out.
    pub cache: Option<Option<Cache>>,
}

/// Good answers are kept and given again to whoever asks the very same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    pub ttl_s: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Canonical name: a key of `Snapshot::providers`, or of `off`.
    pub provider: String,
    /// As the provider knows it.
    pub model: String,
    /// `params`, for the body as it is sent to this target.
    pub edits: Vec<Edit>,
    pub timeouts: SomeTimeouts,
    /// Only for requests that come in there; empty: everywhere.
    pub regions: Vec<String>,
    pub max_price: MaxPrice,
    pub requires: Requires,
}

/// Picodollars a token; a target that costs more, or nobody knows what, is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxPrice {
    pub input: Option<Money>,
    pub output: Option<Money>,
}

/// What a target must be known to be, whatever the request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requires {
    pub zdr: bool,
    pub tools: bool,
    pub vision: bool,
    pub json_schema: bool,
    pub min_context: Option<u64>,
}

impl Strategy {
    pub const ALL: [Self; 6] =
        [Self::Priority, Self::Weighted, Self::LeastCost, Self::LeastLatency, Self::Balanced, Self::Sticky];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Weighted => "weighted",
            Self::LeastCost => "least_cost",
            Self::LeastLatency => "least_latency",
            Self::Balanced => "balanced",
            Self::Sticky => "sticky",
        }
    }
}

impl Target {
    pub fn of(provider: String, model: String) -> Self {
        Self { provider, model, ..Self::default() }
    }

    /// `openai/gpt-5.4`
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }
}

impl Choice {
    /// Always there, at the usual weight.
    pub fn of(target: Target) -> Self {
        Self { place: Place::Target(Box::new(target)), weight: 1, when: None }
    }
}

impl Policy {
    /// What is said here, over what is said further out.
    #[must_use]
    pub fn or(self, outer: Self) -> Self {
        Self {
            retry: self.retry.or(outer.retry),
            timeouts: self.timeouts.or(outer.timeouts),
            when_all_unavailable: self.when_all_unavailable.or(outer.when_all_unavailable),
            on_stream_break: self.on_stream_break.or(outer.on_stream_break),
            on_content_filter: self.on_content_filter.or(outer.on_content_filter),
            hedge: self.hedge.or(outer.hedge),
            lossy: self.lossy.or(outer.lossy),
            zdr: self.zdr.or(outer.zdr),
            cache: self.cache.or(outer.cache),
        }
    }
}

impl Route {
    /// Where it may lead, in the order it is written: rules, then targets.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.rules.iter().map(|rule| &rule.then).chain(self.choices.iter().map(|choice| &choice.place))
    }
}
