//! The pure brain: which targets, in which order, and why. The same inputs give the same plan, for ever.

mod ask;
mod breaker;
mod cells;
mod filter;
mod gather;
pub mod headers;
pub mod health;
pub mod history;
pub mod inputs;
mod judge;
mod latency;
mod look;
mod needs;
mod numbers;
pub mod operator;
pub mod outcome;
mod packing;
mod preferences;
mod probing;
mod reason;
pub mod region;
mod report;
mod rules;
pub mod seed;
pub mod standings;
pub mod strategy;
pub mod sync;
mod tuning;
mod verdict;
mod wait;
pub mod wishes;

use crate::{
    catalog::Endpoint,
    chat::profile::Profile,
    config::{
        Hedge, Lossy, OnContentFilter, OnStreamBreak, Provider, Resolved, Snapshot, Strategy, Target, Timeouts,
        WhenAllUnavailable,
    },
    dialect::Dialect,
    error::{Error, Kind},
    units::Millis,
    wire::json::Edit,
};
pub use ask::{Ask, KeyHolder, Origin};
pub use cells::{cell, credential_cell, place_cell};
use cells::{is_own_key, of_own_key, own_cell};
use filter::{Demand, only_schema_left_out};
use gather::{Candidate, Gathered, World};
use health::{Standing, View};
pub use needs::needs_features;
pub use reason::{Reason, Skipped, Why};
use strategy::Arranged;
pub use wait::Wait;
pub use wishes::{Sort, Wishes};

/// Attempts of a plan: six connections may wait for headers at once, and no caller waits for a fifth target.
const MAX_ATTEMPTS: usize = 4;

/// First tokens of which the slowest twentieth means anything.
const MIN_SAMPLES: u64 = 20;

/// What to try, in order, and what was left out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The route's name, or the name the caller asked for.
    pub route: String,
    /// Which rules held: `auto.rules[1] → cheap`. `None` where there was none to ask.
    pub rule: Option<String>,
    pub attempts: Vec<Attempt>,
    pub skipped: Vec<Skipped>,
    /// No new try begins later than this after the request came.
    pub retry_total_ms: u64,
    /// Everything is over then, whichever attempt it has come to.
    pub total_ms: u64,
    pub on_stream_break: OnStreamBreak,
    pub on_content_filter: OnContentFilter,
    /// So long after a try was sent a second target is asked besides.
    pub hedge_after_ms: Option<u64>,
    /// Nothing was usable, and the route says to wait: then this plan is not for trying.
    pub wait: Option<Wait>,
    /// Beyond `attempts`: the target with the largest window, where that is larger than all of theirs.
    pub larger: Option<Attempt>,
    pub lossy: Lossy,
    /// Members of the body that were said of the routing and followed: not lost on the way.
    pub obeyed: Vec<&'static str>,
    /// Those that were not.
    pub ignored: Vec<String>,
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
    /// The fingerprint of the tenant's own key, where that is the credential.
    pub own: Option<String>,
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
    /// Nothing may be kept of what it is sent, and it is told so.
    pub zdr: bool,
}

/// The same inputs give the same plan, on any machine, for ever: nothing here asks a clock or a die.
pub fn plan(ask: Ask<'_>, config: &Snapshot, health: &View, now: Millis, seed: u64) -> Result<Plan, Error> {
    let wishes = ask.wishes;
    let resolved = config.resolve(wishes.route.as_deref().unwrap_or(&ask.facts.model))?;
    let others = others(wishes, config)?;
    let demand = Demand { ask, config, schema_may_go: false };
    let mut found = gathered(World { demand, health, now, seed }, &resolved, &others);
    if found.candidates.is_empty() && only_schema_left_out(&found.skipped) {
        let demand = Demand { schema_may_go: true, ..demand };
        found = gathered(World { demand, health, now, seed }, &resolved, &others);
    }
    let standing =
        |index: usize| found.candidates.get(index).map_or(Standing::Up, |c| standing(c.target, ask, config, health, now));
    let arranged = strategy::arrange(&found.order, standing, seed);
    let policy = found.policy.or(config.settings.policy);
    let mut skipped = std::mem::take(&mut found.skipped);
    let leave_out = |i: &usize| Some(out_of_it(found.candidates.get(*i)?.target, ask, health, standing(*i), now));
    let is_shut = |i: &&usize| matches!(standing(**i), Standing::Shut { .. });
    skipped.extend(found.order.iter().filter(is_shut).filter_map(leave_out));
    let mut wait = None;
    let (usable, tried) = match arranged {
        Arranged { usable, excluded } if !usable.is_empty() => {
            skipped.extend(excluded.iter().filter_map(leave_out));
            (usable, None)
        }
        Arranged { excluded, .. } if !excluded.is_empty() => {
            let until = soonest(&excluded, standing);
            match policy.when_all_unavailable.unwrap_or_default() {
                WhenAllUnavailable::Fail => return Err(wait::all_out(until, now)),
                WhenAllUnavailable::Wait { ms } => wait = Some(Wait::new(ms, until)),
                WhenAllUnavailable::TryAnyway => {}
            }
            (excluded, Some(Reason::TriedAnyway))
        }
        Arranged { .. } => return Err(nothing_left(&resolved.route, &skipped, ask.key)),
    };
    let retry = policy.retry.over(config.settings.retry);
    let alone = wishes.allow_fallbacks == Some(false) && wishes.order.is_empty();
    let limit = if alone { 1 } else { usize::try_from(retry.attempts).map_or(MAX_ATTEMPTS, |n| n.min(MAX_ATTEMPTS)) };
    let mut attempts: Vec<Attempt> = vec![];
    let mut larger: Option<Attempt> = None;
    for index in usable {
        let Some(candidate) = found.candidates.get(index) else { continue };
        let target = candidate.target;
        // After the draw, for one model may stand there with several parameters, each with its weight.
        let is_there = |a: &Attempt| a.provider == target.provider && a.model == target.model;
        let (twice, full) = (attempts.iter().any(is_there), attempts.len() == limit);
        if twice || full {
            let why = if twice {
                Why::Duplicate
            } else if alone {
                Why::NoFallback
            } else {
                Why::Surplus
            };
            let window = context(target, config);
            if matches!(why, Why::Surplus) && attempts.iter().chain(&larger).all(|a| a.context < window) {
                larger =
                    attempt(ask, candidate, config, health, (now, seed)).map(|a| Attempt { reason: Reason::LargerWindow, ..a });
            }
            skipped.push(Skipped { target: target.name(), why });
            continue;
        }
        let probe = (standing(index) == Standing::Probe).then_some(Reason::Probe);
        let reason = tried.or(probe).or(candidate.reason).unwrap_or(Reason::Priority { place: 0 });
        let place = attempts.len() + 1;
        attempts.extend(attempt(ask, candidate, config, health, (now, seed)).map(|a| Attempt { reason: reason.at(place), ..a }));
    }
    if attempts.is_empty() {
        return Err(nothing_left(&resolved.route, &skipped, ask.key));
    }
    let total_ms = attempts.iter().map(|a| a.timeouts.total(ask.facts.stream)).max().unwrap_or_default();
    let whole = policy.lossy.unwrap_or_default();
    let rule = found.rule.take();
    Ok(Plan {
        route: resolved.route,
        rule,
        skipped,
        retry_total_ms: retry.total_ms,
        total_ms: wishes.timeout_ms.map_or(total_ms, |wished| wished.min(total_ms)),
        on_stream_break: policy.on_stream_break.unwrap_or_default(),
        on_content_filter: policy.on_content_filter.unwrap_or_default(),
        // What is down is not asked twice at once.
        hedge_after_ms: policy
            .hedge
            .flatten()
            .filter(|_| !alone && tried.is_none())
            .and_then(|hedge| late_after(hedge, ask, attempts.first()?, health)),
        wait,
        larger,
        lossy: if wishes.require_parameters { Lossy::Refuse } else { whole },
        obeyed: wishes.obeyed.clone(),
        ignored: wishes.ignored.clone(),
        health_version: health.version(),
        attempts,
    })
}

/// What the caller names besides `model`.
fn others<'a>(wishes: &Wishes, config: &'a Snapshot) -> Result<Vec<Resolved<'a>>, Error> {
    let named = wishes.models.iter().enumerate();
    named.map(|(i, name)| config.resolve(name).map_err(|error| error.with_param(format!("models[{i}]")))).collect()
}

/// Candidates, in the order of the routes' strategies and of the caller's wishes.
fn gathered<'a>(world: World<'a>, resolved: &'a Resolved<'a>, others: &'a [Resolved<'a>]) -> Gathered<'a> {
    let wishes = world.demand.ask.wishes;
    let mut found = Gathered::new(world);
    found.add_main(&resolved.config, &resolved.route);
    for other in others {
        found.add_other(&other.config, &other.route);
    }
    if let Some(sort) = wishes.sort {
        found.sort(match sort {
            Sort::Price => Strategy::LeastCost,
            Sort::Latency | Sort::Throughput => Strategy::LeastLatency,
        });
    }
    if !wishes.order.is_empty() {
        found.put_first(&wishes.order);
    }
    found
}

/// A target is as well as its cell, and not better than the best of its credentials; nor where its provider does not serve.
fn standing(target: &Target, ask: Ask<'_>, config: &Snapshot, health: &View, now: Millis) -> Standing {
    if health.is_plain() {
        return Standing::Up;
    }
    let cell = health.standing(&cell(&target.provider, &target.model), now);
    let provider = config.providers.get(&target.provider);
    // A provider without a key is limited as if it had one.
    let credentials = provider.map_or(0, |p| p.credentials.len().max(1));
    let own = provider.and_then(|p| p.own.as_deref());
    let credentials = (0..credentials).map(|index| health.standing(&credential_cell(&target.provider, own, index), now));
    let best = credentials.reduce(Standing::best).filter(|best| best.is_out());
    let own = own.map_or(Standing::Up, |own| health.standing(&own_cell(&target.provider, own, &target.model), now));
    cell.worst(best.unwrap_or(Standing::Up)).worst(own).worst(blocked(target, ask, health, now))
}

/// Until when the provider is not asked where the request came in.
fn blocked(target: &Target, ask: Ask<'_>, health: &View, now: Millis) -> Standing {
    health.standing(&place_cell(&target.provider, ask.origin.colo), now)
}

fn out_of_it(target: &Target, ask: Ask<'_>, health: &View, standing: Standing, now: Millis) -> Skipped {
    let why = match (standing, blocked(target, ask, health, now)) {
        (Standing::Cooling { .. }, Standing::Cooling { until }) => Why::Blocked { until },
        (standing, _) => Why::out(standing),
    };
    Skipped { target: target.name(), why }
}

/// When an answer is late. Whole answers are not timed: how long they take says more of their length.
fn late_after(hedge: Hedge, ask: Ask<'_>, first: &Attempt, health: &View) -> Option<u64> {
    match hedge {
        Hedge::AfterMs(ms) => Some(ms),
        Hedge::P95 => {
            let numbers = health.numbers(&first.cell()).filter(|_| ask.facts.stream)?;
            (numbers.samples >= MIN_SAMPLES && numbers.p95_ms > 0).then_some(numbers.p95_ms)
        }
    }
}

/// Tokens of a target's window; 0 when nobody said.
fn context(target: &Target, config: &Snapshot) -> u64 {
    config.model(&target.provider, &target.model).and_then(|m| m.context).unwrap_or(0)
}

/// The credentials to use, in an order that spreads requests over them; those that are limited or rejected only where
/// no other is left.
fn credentials(provider: &Provider, health: &View, (now, seed): (Millis, u64)) -> Vec<usize> {
    let own = provider.own.as_deref();
    let standing = |index: &usize| health.standing(&credential_cell(&provider.name, own, *index), now);
    let (mut out, usable): (Vec<usize>, Vec<usize>) =
        (0..provider.credentials.len()).partition(|index| !health.is_plain() && standing(index).is_out());
    out.retain(|index| !matches!(standing(index), Standing::Shut { .. }));
    let mut order = if usable.is_empty() { out } else { usable };
    let turn = seed::below(seed::fold(seed, &provider.name), u64::try_from(order.len()).unwrap_or(0));
    order.rotate_left(usize::try_from(turn).unwrap_or(0));
    order
}

fn attempt(ask: Ask<'_>, candidate: &Candidate<'_>, config: &Snapshot, health: &View, chance: (Millis, u64)) -> Option<Attempt> {
    let target = candidate.target;
    let provider = config.providers.get(&target.provider)?;
    let dialect = provider.dialects(&target.model).find(|d| *d == ask.dialect);
    let dialect = dialect.or_else(|| provider.dialects(&target.model).next());
    let dialect = dialect.or_else(|| ask.operation.map(|_| ask.dialect))?;
    let known = config.model(&target.provider, &target.model);
    Some(Attempt {
        provider: target.provider.clone(),
        model: target.model.clone(),
        dialect,
        credentials: credentials(provider, health, chance),
        own: provider.own.clone(),
        reason: Reason::TriedAnyway,
        timeouts: config.timeouts(target, candidate.timeouts),
        context: context(target, config),
        max_output: known.and_then(|m| m.max_output),
        endpoint: ask.operation.and_then(|operation| provider.offers(operation)),
        profile: provider.profile(&target.model),
        edits: target.edits.clone(),
        zdr: candidate.zdr,
    })
}

/// When the first of them may be back.
fn soonest(excluded: &[usize], standing: impl Fn(usize) -> Standing) -> Option<Millis> {
    let until = excluded.iter().filter_map(|&i| match standing(i) {
        Standing::Open { until } | Standing::Cooling { until } | Standing::Shut { until } => Some(until),
        Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe | Standing::Drained => None,
    });
    until.min()
}

/// Of what the gateway key may not use, no names.
fn nothing_left(route: &str, skipped: &[Skipped], key: KeyHolder<'_>) -> Error {
    let (denied, open): (Vec<&Skipped>, Vec<&Skipped>) = skipped.iter().partition(|skipped| skipped.why == Why::NotForKey);
    let mut why: Vec<String> = open.iter().map(ToString::to_string).collect();
    if !denied.is_empty() {
        let may = key.providers.unwrap_or_default().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let may = if may.is_empty() { "use no provider".to_owned() } else { format!("only use {may}") };
        why.push(format!("the gateway key `{}` may {may}", key.name));
        if open.is_empty() {
            return Error::new(Kind::Forbidden, format!("No target of `{route}` can serve this request: {}.", why.join("; ")));
        }
    }
    let kind = if skipped.iter().any(|skipped| matches!(skipped.why, Why::Shut { .. })) {
        Kind::Unavailable
    } else if !skipped.is_empty() && skipped.iter().all(|skipped| matches!(skipped.why, Why::TooLong { .. })) {
        Kind::ContextTooLong
    } else {
        Kind::InvalidRequest
    };
    Error::new(kind, format!("No target of `{route}` can serve this request: {}.", why.join("; ")))
}

impl Plan {
    /// `openai/gpt-5.4: priority 1`, a line each attempt.
    pub fn told(&self) -> Vec<String> {
        self.attempts.iter().map(|a| format!("{}: {}", a.cell(), a.reason)).collect()
    }

    /// What a body says of the routing is lost where it was not followed, and only there.
    pub fn account(&self, dropped: &mut Vec<String>) {
        dropped.retain(|path| !self.obeyed.contains(&path.as_str()));
        let more = self.ignored.iter().filter(|path| !dropped.contains(path)).cloned().collect::<Vec<_>>();
        dropped.extend(more);
    }

    /// Cells that this plan would probe.
    pub fn probes(&self) -> impl Iterator<Item = String> {
        self.attempts.iter().filter(|a| a.reason == Reason::Probe).map(Attempt::cell)
    }
}

impl Attempt {
    pub fn cell(&self) -> String {
        cell(&self.provider, &self.model)
    }

    /// Of the `nth` credential to be used.
    pub fn credential_cell(&self, nth: usize) -> String {
        let index = self.credentials.get(nth).copied().unwrap_or_default();
        credential_cell(&self.provider, self.own.as_deref(), index)
    }

    /// What is the model's limit for one account is nobody else's: it goes by the tenant's own key, where that is used.
    pub fn own_cell(&self) -> Option<String> {
        self.own.as_ref().map(|own| own_cell(&self.provider, own, &self.model))
    }
}
