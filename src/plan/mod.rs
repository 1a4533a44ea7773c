//! The pure brain: which targets, in which order, and why. The same inputs give the same plan, for ever.

mod breaker;
pub mod headers;
pub mod health;
mod judge;
mod latency;
pub mod outcome;
pub mod region;
mod rules;
pub mod seed;
pub mod strategy;
pub mod sync;
mod verdict;

use std::fmt;

use crate::{
    catalog::Endpoint,
    chat::profile::Profile,
    config::{Lossy, Provider, Route, Snapshot, Strategy, Target, Timeouts, WhenAllUnavailable},
    dialect::{Dialect, Facts, surface::Operation},
    error::{Error, Kind},
    units::Millis,
    wire::json::Edit,
};
use health::{Standing, View};

/// Attempts of a plan: six connections may wait for headers at once, and no caller waits for a fifth target.
const MAX_ATTEMPTS: usize = 4;

/// What callers are asked to wait at least: SDKs take 0 for "at once".
const MIN_WAIT_MS: u64 = 1_000;

/// What to try, in order, and what was left out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The route's name, or the name the caller asked for.
    pub route: String,
    pub attempts: Vec<Attempt>,
    pub skipped: Vec<Skipped>,
    /// No new try begins later than this after the request came.
    pub retry_total_ms: u64,
    pub lossy: Lossy,
    /// Of the health view the plan was made on.
    pub health_version: u64,
}

/// One target.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub provider: String,
    pub model: String,
    /// What it is spoken to in. The caller's own: the body goes verbatim.
    pub dialect: Dialect,
    /// Indices of the provider's credentials, the one to use first in front.
    pub credentials: Vec<usize>,
    pub reason: Reason,
    pub timeouts: Timeouts,
    /// Tokens of the model's window; 0 when nobody said.
    pub context: u64,
    pub max_output: Option<u64>,
    /// How it does what is asked besides generating; `None` where that is done here.
    pub endpoint: Option<Endpoint>,
    /// What the model takes.
    pub profile: Profile,
    /// The route's `params`, for the body as it is sent.
    pub edits: Vec<Edit>,
}

/// Why a target is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller named it, or it is first in priority.
    Priority {
        place: usize,
    },
    Weighted {
        place: usize,
    },
    /// Its circuit was open long enough; this request finds out whether it is back.
    Probe,
    /// All targets were out, and the route says to try anyway.
    TriedAnyway,
}

/// A candidate that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub target: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The provider's secret is missing; its usual names.
    NoCredential(Vec<String>),
    /// It has no dialect in which text is asked for: embeddings only.
    NoText,
    NoTools,
    /// The stored response that the request goes on from is kept elsewhere.
    NotKept,
    /// It does not do what is asked.
    NoOperation,
    /// The plan has this model already, with other parameters.
    Duplicate,
    CircuitOpen {
        until: Millis,
    },
    Cooling {
        until: Millis,
    },
    /// The plan was full.
    Surplus,
}

/// What the caller asks, as far as planning goes.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub dialect: Dialect,
    pub facts: &'a Facts,
    /// The provider that keeps what `facts.continues` names.
    pub owner: Option<&'a str>,
    /// What is asked for besides generating.
    pub operation: Option<Operation>,
}

impl<'a> Ask<'a> {
    pub const fn generate(dialect: Dialect, facts: &'a Facts) -> Self {
        Self { dialect, facts, owner: None, operation: None }
    }
}

pub fn plan(ask: Ask<'_>, config: &Snapshot, health: &View, now: Millis, seed: u64) -> Result<Plan, Error> {
    let resolved = config.resolve(&ask.facts.model)?;
    let route = &resolved.route_config;
    let mut skipped = vec![];
    let candidates = filter(ask, route, config, &mut skipped);
    let weights: Vec<u64> = candidates.iter().map(|t| u64::from(t.weight)).collect();
    let order = strategy::order(route.strategy, &weights, seed);
    let standing = |index: usize| candidates.get(index).map_or(Standing::Up, |t| standing(t, config, health, now));
    let arranged = strategy::arrange(&order, standing, seed);
    let tried_anyway = arranged.usable.is_empty();
    if tried_anyway && route.when_all_unavailable == WhenAllUnavailable::Fail && !candidates.is_empty() {
        return Err(all_out(&arranged.excluded, standing, now));
    }
    let usable = if tried_anyway { &arranged.excluded } else { &arranged.usable };
    if !tried_anyway {
        skipped.extend(
            arranged
                .excluded
                .iter()
                .filter_map(|&i| Some(Skipped { target: candidates.get(i)?.name(), why: why_out(standing(i)) })),
        );
    }
    let limit = usize::try_from(route.retry.attempts).map_or(MAX_ATTEMPTS, |n| n.min(MAX_ATTEMPTS));
    let mut attempts = vec![];
    for &index in usable {
        let Some(target) = candidates.get(index) else { continue };
        // After the draw, for one model may stand there with several parameters, each with its weight.
        let is_there = |a: &Attempt| a.provider == target.provider && a.model == target.model;
        if attempts.iter().any(is_there) {
            skipped.push(Skipped { target: target.name(), why: Why::Duplicate });
            continue;
        }
        if attempts.len() == limit {
            skipped.push(Skipped { target: target.name(), why: Why::Surplus });
            continue;
        }
        let reason = reason(standing(index), route.strategy, tried_anyway, attempts.len() + 1);
        attempts.extend(attempt(ask, target, config, health, now).map(|a| Attempt { reason, ..a }));
    }
    if attempts.is_empty() {
        return Err(nothing_left(&resolved.route, &skipped));
    }
    Ok(Plan {
        route: resolved.route,
        attempts,
        skipped,
        retry_total_ms: route.retry.total_ms,
        lossy: route.lossy,
        health_version: health.version(),
    })
}

/// Hard filters: what cannot serve this request at all.
fn filter<'a>(ask: Ask<'_>, route: &'a Route, config: &Snapshot, skipped: &mut Vec<Skipped>) -> Vec<&'a Target> {
    let mut kept: Vec<&Target> = vec![];
    for target in &route.targets {
        let supports = config.model(&target.provider, &target.model).and_then(|m| m.supports);
        let why = if !config.providers.contains_key(&target.provider) {
            Some(Why::NoCredential(config.off.get(&target.provider).cloned().unwrap_or_default()))
        } else if ask.operation.is_some_and(|operation| !offers(operation, target, config)) {
            Some(Why::NoOperation)
        } else if ask.operation.is_none() && !writes_text(target, config) {
            Some(Why::NoText)
        } else if ask.facts.tools && supports.is_some_and(|s| !s.tools) {
            Some(Why::NoTools)
        } else if ask.facts.continues.is_some() && !may_continue(ask, target, config) {
            Some(Why::NotKept)
        } else {
            None
        };
        match why {
            Some(why) => skipped.push(Skipped { target: target.name(), why }),
            None => kept.push(target),
        }
    }
    kept
}

fn writes_text(target: &Target, config: &Snapshot) -> bool {
    let answers = config.model(&target.provider, &target.model).and_then(|m| m.max_output) != Some(0);
    answers && config.providers.get(&target.provider).is_some_and(|p| p.dialects(&target.model).next().is_some())
}

/// Where tokens are not counted they are estimated.
fn offers(operation: Operation, target: &Target, config: &Snapshot) -> bool {
    let offers = |p: &Provider| p.offers(operation).is_some();
    operation == Operation::CountTokens || config.providers.get(&target.provider).is_some_and(offers)
}

/// Only the provider that keeps a response can go on from it; where nobody knows which, any that keeps responses may be asked.
fn may_continue(ask: Ask<'_>, target: &Target, config: &Snapshot) -> bool {
    let speaks = |p: &Provider| p.dialects(&target.model).any(|d| d == Dialect::OpenAiResponses);
    config.providers.get(&target.provider).is_some_and(speaks)
        && ask.dialect == Dialect::OpenAiResponses
        && ask.owner.is_none_or(|owner| owner == target.provider)
}

/// A target is as well as its cell, and not better than the best of its credentials.
fn standing(target: &Target, config: &Snapshot, health: &View, now: Millis) -> Standing {
    let cell = health.standing(&cell(&target.provider, &target.model), now);
    // A provider without a key is limited as if it had one.
    let credentials = config.providers.get(&target.provider).map_or(0, |p| p.credentials.len().max(1));
    let mut soonest = None;
    for index in 0..credentials {
        match health.standing(&credential_cell(&target.provider, index), now) {
            Standing::Open { until } | Standing::Cooling { until } => {
                soonest = Some(soonest.map_or(until, |s: Millis| s.min(until)));
            }
            Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe => return cell,
        }
    }
    soonest.map_or(cell, |until| Standing::Cooling { until })
}

fn attempt(ask: Ask<'_>, target: &Target, config: &Snapshot, health: &View, now: Millis) -> Option<Attempt> {
    let provider = config.providers.get(&target.provider)?;
    let dialect = provider.dialects(&target.model).find(|d| *d == ask.dialect);
    let dialect = dialect.or_else(|| provider.dialects(&target.model).next());
    let dialect = dialect.or_else(|| ask.operation.map(|_| ask.dialect))?;
    let is_out = |index: &usize| match health.standing(&credential_cell(&target.provider, *index), now) {
        Standing::Open { .. } | Standing::Cooling { .. } => true,
        Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe => false,
    };
    let (out, mut credentials): (Vec<usize>, Vec<usize>) = (0..provider.credentials.len()).partition(is_out);
    credentials.extend(out);
    let known = config.model(&target.provider, &target.model);
    Some(Attempt {
        provider: target.provider.clone(),
        model: target.model.clone(),
        dialect,
        credentials,
        reason: Reason::TriedAnyway,
        timeouts: target.timeouts,
        context: known.and_then(|m| m.context).unwrap_or(0),
        max_output: known.and_then(|m| m.max_output),
        endpoint: ask.operation.and_then(|operation| provider.offers(operation)),
        profile: provider.profile(&target.model),
        edits: target.edits.clone(),
    })
}

const fn reason(standing: Standing, strategy: Strategy, tried_anyway: bool, place: usize) -> Reason {
    match (tried_anyway, standing, strategy) {
        (true, _, _) => Reason::TriedAnyway,
        (_, Standing::Probe, _) => Reason::Probe,
        (_, _, Strategy::Priority) => Reason::Priority { place },
        (_, _, Strategy::Weighted) => Reason::Weighted { place },
    }
}

const fn why_out(standing: Standing) -> Why {
    match standing {
        Standing::Cooling { until } => Why::Cooling { until },
        Standing::Open { until } => Why::CircuitOpen { until },
        Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe => Why::Surplus,
    }
}

fn all_out(excluded: &[usize], standing: impl Fn(usize) -> Standing, now: Millis) -> Error {
    let until = excluded.iter().filter_map(|&i| match standing(i) {
        Standing::Open { until } | Standing::Cooling { until } => Some(until),
        Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe => None,
    });
    let wait = until.min().map(|until| until.since(now).max(MIN_WAIT_MS));
    Error::new(Kind::Unavailable, "All targets of this route are unavailable at the moment. Try again after the time given.")
        .with_wait(wait)
}

fn nothing_left(route: &str, skipped: &[Skipped]) -> Error {
    let why: Vec<String> = skipped.iter().map(ToString::to_string).collect();
    Error::new(Kind::InvalidRequest, format!("No target of `{route}` can serve this request: {}.", why.join("; ")))
}

impl Plan {
    /// Cells that this plan would probe.
    pub fn probes(&self) -> impl Iterator<Item = String> {
        self.attempts.iter().filter(|a| a.reason == Reason::Probe).map(Attempt::cell)
    }
}

/// The name under which a target's health is kept.
pub fn cell(provider: &str, model: &str) -> String {
    format!("{provider}/{model}")
}

/// The name under which a credential's cooldown is kept.
pub fn credential_cell(provider: &str, index: usize) -> String {
    format!("{provider}#{index}")
}

impl Attempt {
    pub fn cell(&self) -> String {
        cell(&self.provider, &self.model)
    }

    /// Of the `nth` credential to be used.
    pub fn credential_cell(&self, nth: usize) -> String {
        credential_cell(&self.provider, self.credentials.get(nth).copied().unwrap_or_default())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority { place } => write!(f, "priority {place}"),
            Self::Weighted { place } => write!(f, "weighted draw {place}"),
            Self::Probe => write!(f, "probe"),
            Self::TriedAnyway => write!(f, "all unavailable, tried anyway"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.target)?;
        match &self.why {
            Why::NoCredential(names) if names.is_empty() => write!(f, "the provider is not configured"),
            Why::NoCredential(names) => write!(f, "no secret {}", names.join(" or ")),
            Why::NoText => write!(f, "writes no text"),
            Why::NoTools => write!(f, "cannot call tools"),
            Why::NotKept => write!(f, "does not keep the response that this one goes on from"),
            Why::NoOperation => write!(f, "does not do this"),
            Why::Duplicate => write!(f, "in the plan already"),
            Why::CircuitOpen { until } => write!(f, "circuit open until {}", until.0),
            Why::Cooling { until } => write!(f, "cooling until {}", until.0),
            Why::Surplus => write!(f, "not needed"),
        }
    }
}
