//! The pure brain: which targets, in which order, and why. The same inputs give the same plan, for ever.

mod ask;
mod breaker;
mod filter;
pub mod headers;
pub mod health;
mod judge;
mod latency;
mod numbers;
pub mod operator;
pub mod outcome;
mod packing;
mod reason;
pub mod region;
mod report;
mod rules;
pub mod seed;
pub mod strategy;
pub mod sync;
mod tuning;
mod verdict;
pub mod wishes;

use crate::{
    catalog::Endpoint,
    chat::profile::Profile,
    config::{Hedge, Lossy, OnContentFilter, OnStreamBreak, Snapshot, Target, Timeouts, WhenAllUnavailable},
    dialect::{Dialect, Facts},
    error::{Error, Kind},
    units::Millis,
    wire::json::Edit,
};
pub use ask::{Ask, KeyHolder, Origin};
use filter::{Candidate, filter};
use health::{Standing, View};
pub use reason::{Reason, Skipped, Why};
pub use wishes::Wishes;

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
    /// Everything is over then, whichever attempt it has come to.
    pub total_ms: u64,
    pub on_stream_break: OnStreamBreak,
    pub on_content_filter: OnContentFilter,
    pub hedge: Option<Hedge>,
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

/// Whether planning looks at what only the canonical request tells: a parse of the whole body, which most routes save.
pub fn needs_features(_facts: &Facts, _config: &Snapshot, _body_bytes: usize) -> bool {
    false
}

pub fn plan(ask: Ask<'_>, config: &Snapshot, health: &View, now: Millis, seed: u64) -> Result<Plan, Error> {
    let resolved = config.resolve(&ask.facts.model)?;
    let route = &resolved.config;
    let mut skipped = vec![];
    let candidates = filter(ask, route, config, &mut skipped);
    let weights: Vec<u64> = candidates.iter().map(|c| u64::from(c.weight)).collect();
    let order = strategy::order(route.strategy, &weights, seed);
    let standing = |index: usize| candidates.get(index).map_or(Standing::Up, |c| standing(c.target, ask, config, health, now));
    let arranged = strategy::arrange(&order, standing, seed);
    let tried_anyway = arranged.usable.is_empty();
    if tried_anyway && route.policy.when_all_unavailable == Some(WhenAllUnavailable::Fail) && !candidates.is_empty() {
        return Err(all_out(&arranged.excluded, standing, now));
    }
    let usable = if tried_anyway { &arranged.excluded } else { &arranged.usable };
    for (index, candidate) in candidates.iter().enumerate() {
        let standing = standing(index);
        if matches!(standing, Standing::Shut { .. }) || (!tried_anyway && arranged.excluded.contains(&index)) {
            skipped.push(out(candidate.target, ask, health, standing, now));
        }
    }
    let retry = route.policy.retry.over(config.settings.retry);
    let limit = usize::try_from(retry.attempts).map_or(MAX_ATTEMPTS, |n| n.min(MAX_ATTEMPTS));
    let mut attempts = vec![];
    for &index in usable {
        let Some(candidate) = candidates.get(index) else { continue };
        let target = candidate.target;
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
        let reason = Reason::of(standing(index), route.strategy, tried_anyway, attempts.len() + 1);
        attempts.extend(attempt(ask, candidate, config, health, now).map(|a| Attempt { reason, ..a }));
    }
    if attempts.is_empty() {
        return Err(nothing_left(&resolved.route, &skipped));
    }
    Ok(Plan {
        route: resolved.route,
        skipped,
        retry_total_ms: retry.total_ms,
        total_ms: attempts.iter().map(|a| a.timeouts.total(ask.facts.stream)).max().unwrap_or_default(),
        on_stream_break: route.policy.on_stream_break.unwrap_or_default(),
        on_content_filter: route.policy.on_content_filter.unwrap_or_default(),
        hedge: route.policy.hedge,
        lossy: route.policy.lossy.unwrap_or_default(),
        health_version: health.version(),
        attempts,
    })
}

/// A target is as well as its cell, and not better than the best of its credentials; nor where its provider does not serve.
fn standing(target: &Target, ask: Ask<'_>, config: &Snapshot, health: &View, now: Millis) -> Standing {
    if health.is_plain() {
        return Standing::Up;
    }
    let cell = health.standing(&cell(&target.provider, &target.model), now);
    // A provider without a key is limited as if it had one.
    let credentials = config.providers.get(&target.provider).map_or(0, |p| p.credentials.len().max(1));
    let credentials = (0..credentials).map(|index| health.standing(&credential_cell(&target.provider, index), now));
    let best = credentials.reduce(Standing::best).filter(|best| best.is_out());
    cell.worst(best.unwrap_or(Standing::Up)).worst(blocked(target, ask, health, now))
}

/// Until when the provider is not asked where the request came in.
fn blocked(target: &Target, ask: Ask<'_>, health: &View, now: Millis) -> Standing {
    health.standing(&place_cell(&target.provider, ask.origin.colo), now)
}

fn out(target: &Target, ask: Ask<'_>, health: &View, standing: Standing, now: Millis) -> Skipped {
    let why = match (standing, blocked(target, ask, health, now)) {
        (Standing::Cooling { .. }, Standing::Cooling { until }) => Why::Blocked { until },
        (standing, _) => Why::out(standing),
    };
    Skipped { target: target.name(), why }
}

fn attempt(ask: Ask<'_>, candidate: &Candidate<'_>, config: &Snapshot, health: &View, now: Millis) -> Option<Attempt> {
    let target = candidate.target;
    let provider = config.providers.get(&target.provider)?;
    let dialect = provider.dialects(&target.model).find(|d| *d == ask.dialect);
    let dialect = dialect.or_else(|| provider.dialects(&target.model).next());
    let dialect = dialect.or_else(|| ask.operation.map(|_| ask.dialect))?;
    let standing = |index: &usize| health.standing(&credential_cell(&target.provider, *index), now);
    let (mut out, mut credentials): (Vec<usize>, Vec<usize>) =
        (0..provider.credentials.len()).partition(|index| !health.is_plain() && standing(index).is_out());
    out.retain(|index| !matches!(standing(index), Standing::Shut { .. }));
    credentials.extend(out);
    let known = config.model(&target.provider, &target.model);
    Some(Attempt {
        provider: target.provider.clone(),
        model: target.model.clone(),
        dialect,
        credentials,
        reason: Reason::TriedAnyway,
        timeouts: config.timeouts(target, candidate.policy.timeouts),
        context: known.and_then(|m| m.context).unwrap_or(0),
        max_output: known.and_then(|m| m.max_output),
        endpoint: ask.operation.and_then(|operation| provider.offers(operation)),
        profile: provider.profile(&target.model),
        edits: target.edits.clone(),
    })
}

fn all_out(excluded: &[usize], standing: impl Fn(usize) -> Standing, now: Millis) -> Error {
    let until = excluded.iter().filter_map(|&i| match standing(i) {
        Standing::Open { until } | Standing::Cooling { until } | Standing::Shut { until } => Some(until),
        Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe | Standing::Drained => None,
    });
    let wait = until.min().map(|until| until.since(now).max(MIN_WAIT_MS));
    Error::new(Kind::Unavailable, "All targets of this route are unavailable at the moment. Try again after the time given.")
        .with_wait(wait)
}

fn nothing_left(route: &str, skipped: &[Skipped]) -> Error {
    let why: Vec<String> = skipped.iter().map(ToString::to_string).collect();
    if skipped.iter().any(|skipped| matches!(skipped.why, Why::Shut { .. })) {
        return Error::new(Kind::Unavailable, format!("No target of `{route}` is available: {}.", why.join("; ")));
    }
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

/// The name under which is kept that a provider does not serve where a request came in.
pub fn place_cell(provider: &str, colo: &str) -> String {
    format!("{provider}@{colo}")
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
