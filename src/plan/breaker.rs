//! One health cell: a window of outcomes, a breaker, a cooldown and a latency average. Pure: (cell, signal, now) → cell.

use super::{
    health::{Numbers, Standing, Tuning},
    latency::{Latency, percent},
    seed::{below, mix},
};
use crate::units::Millis;

/// Buckets of the window: an outcome is forgotten at most a sixth of a window late.
const BUCKETS: u64 = 6;
/// Shares of the traffic while a closed breaker ramps up.
const RAMP: [u8; 2] = [10, 50];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) buckets: Vec<Bucket>,
    /// Failures since the last success.
    pub(super) row: u32,
    pub(super) state: State,
    pub(super) outage: Outage,
    /// A limit or a rejected credential: shut until then, whatever else.
    pub(super) cool_until: Millis,
    pub(super) latency: Latency,
    pub(super) touched: Millis,
    /// The numbers that were told last, and when.
    pub(super) shown: Numbers,
    pub(super) shown_at: Millis,
    /// Why it opened, in words for the history; not kept, for the history is.
    pub(super) cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// The number of its stretch of time since the epoch.
    pub(super) number: u64,
    pub(super) good: u32,
    pub(super) bad: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Up,
    Open {
        until: Millis,
    },
    /// One probe at a time: the permit's holder, and how many went well.
    Half {
        since: Millis,
        permit: Option<Permit>,
        good: u32,
    },
    Ramp {
        step: u8,
        since: Millis,
        good: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    pub(super) holder: u64,
    pub(super) expires: Millis,
}

/// How long it has been bad, over half-opens and ramps that failed, until it is wholly up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) since: Millis,
    pub(super) trips: u32,
}

/// Outcomes of one cell, folded together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub good: u32,
    pub bad: u32,
    /// Failures since the last success, at the end.
    pub row: u32,
    /// The sum of the first-token times of `timed` successes.
    pub first_ms: u64,
    pub timed: u32,
    /// `Retry-After` of the failures: a floor under the opening.
    pub floor_ms: u64,
}

impl Batch {
    pub(super) const fn good(first_ms: u64) -> Self {
        Self { good: 1, bad: 0, row: 0, first_ms, timed: 1, floor_ms: 0 }
    }

    pub(super) const fn served() -> Self {
        Self { good: 1, bad: 0, row: 0, first_ms: 0, timed: 0, floor_ms: 0 }
    }

    pub(super) const fn bad(floor_ms: u64) -> Self {
        Self { good: 0, bad: 1, row: 1, first_ms: 0, timed: 0, floor_ms }
    }

    /// This batch, then `next`.
    pub(super) fn add(&mut self, next: Self) {
        self.row = if next.good > 0 { next.row } else { self.row.saturating_add(next.row) };
        self.good = self.good.saturating_add(next.good);
        self.bad = self.bad.saturating_add(next.bad);
        self.first_ms = self.first_ms.saturating_add(next.first_ms);
        self.timed = self.timed.saturating_add(next.timed);
        self.floor_ms = self.floor_ms.max(next.floor_ms);
    }
}

impl State {
    /// What others must be told of: which state, and until when.
    const fn shape(&self) -> (u8, Millis) {
        match self {
            Self::Up => (0, Millis(0)),
            Self::Open { until } => (1, *until),
            Self::Half { .. } => (2, Millis(0)),
            Self::Ramp { .. } => (3, Millis(0)),
        }
    }

    /// Where a ramp is by now: further by successes, or by time where there is little traffic.
    pub(super) fn ramped(&self, now: Millis, tuning: &Tuning) -> Option<Self> {
        let Self::Ramp { mut step, mut since, mut good } = *self else { return None };
        while usize::from(step) < RAMP.len() {
            let passed = now.since(since);
            let by_success = good >= tuning.ramp_successes && passed >= tuning.ramp_min_ms;
            if !by_success && passed < tuning.ramp_ms {
                return Some(Self::Ramp { step, since, good });
            }
            since = if by_success { now } else { since.plus(tuning.ramp_ms) };
            (step, good) = (step + 1, 0);
        }
        Some(Self::Up)
    }

    /// When a ramp ends by time alone.
    pub(super) fn ramp_ends(&self, tuning: &Tuning) -> Millis {
        let Self::Ramp { step, since, .. } = *self else { return Millis(u64::MAX) };
        let steps = RAMP.len().saturating_sub(usize::from(step));
        since.plus(tuning.ramp_ms.saturating_mul(u64::try_from(steps).unwrap_or(0)))
    }
}

impl Cell {
    /// Ordinary outcomes. True when the breaker changed its state.
    pub(super) fn count(&mut self, batch: Batch, now: Millis, tuning: &Tuning, seed: u64) -> bool {
        let before = self.state.shape();
        self.advance(now, tuning);
        if self.totals(now, tuning) == (0, 0) {
            self.row = 0;
        }
        self.bucket(batch, now, tuning);
        self.row = if batch.good > 0 { batch.row } else { self.row.saturating_add(batch.row) };
        if let Some(mean_us) = (batch.first_ms.saturating_mul(1_000)).checked_div(u64::from(batch.timed)) {
            self.latency.add(mean_us, now, tuning);
        }
        match &mut self.state {
            // Answers to requests that began before it opened prove nothing; a longer wait still holds.
            State::Open { until } => *until = (*until).max(floor(batch.floor_ms, now)),
            State::Half { .. } => {}
            State::Ramp { since, good, .. } => {
                if batch.bad > 0 {
                    (*since, *good) = (now, 0);
                } else {
                    *good = good.saturating_add(batch.good);
                }
                self.trip_if_bad(batch, now, tuning, seed);
                self.advance(now, tuning);
            }
            State::Up => self.trip_if_bad(batch, now, tuning, seed),
        }
        before != self.state.shape()
    }

    fn trip_if_bad(&mut self, batch: Batch, now: Millis, tuning: &Tuning, seed: u64) {
        let (good, bad) = self.totals(now, tuning);
        let all = good + bad;
        let too_many = all >= tuning.min_requests && bad * 100 >= all * tuning.open_percent;
        if batch.bad > 0 && (too_many || self.row >= tuning.in_a_row) {
            self.cause = if too_many { failed_of(bad, all) } else { format!("{} failures in a row", self.row) };
            self.open(batch.floor_ms, now, tuning, seed);
        }
    }

    /// Opens, doubling within one outage; ±10 % so that a fleet does not return at once. Never before an older deadline.
    fn open(&mut self, floor_ms: u64, now: Millis, tuning: &Tuning, seed: u64) {
        if self.outage.trips == 0 {
            self.outage.since = now;
        }
        let is_early = now.since(self.outage.since) < tuning.early_ms;
        let max_ms = if is_early { tuning.early_max_open_ms } else { tuning.max_open_ms };
        let doubled = tuning.open_ms.saturating_mul(1_u64.checked_shl(self.outage.trips).unwrap_or(u64::MAX));
        let spread = u64::from(tuning.jitter_percent);
        let drawn = 100_u64.saturating_sub(spread) * 10 + below(mix(seed) ^ u64::from(self.outage.trips), spread * 20 + 1);
        let ms = doubled.min(max_ms).saturating_mul(drawn) / 1_000;
        let old = self.open_until().unwrap_or_default();
        self.state = State::Open { until: now.plus(ms).max(floor(floor_ms, now)).max(old) };
        self.outage.trips = self.outage.trips.saturating_add(1);
        self.buckets.clear();
        self.row = 0;
    }

    /// Opens because somebody who saw it says so.
    pub(super) fn open_until_at_least(&mut self, until: Millis, now: Millis) -> bool {
        match &mut self.state {
            State::Open { until: old } => {
                let longer = until > *old;
                *old = until.max(*old);
                longer
            }
            State::Half { .. } => false,
            State::Up | State::Ramp { .. } => {
                if self.outage.trips == 0 {
                    self.outage.since = now;
                }
                self.outage.trips = self.outage.trips.saturating_add(1);
                self.state = State::Open { until };
                "an isolate saw it fail".clone_into(&mut self.cause);
                self.buckets.clear();
                self.row = 0;
                true
            }
        }
    }

    pub(super) fn cool(&mut self, until: Millis) -> bool {
        let longer = until > self.cool_until;
        self.cool_until = until.max(self.cool_until);
        longer
    }

    /// The permit for the one probe, when it is time and nobody holds it; the time it ends.
    pub(super) fn permit(&mut self, holder: u64, lease_ms: u64, now: Millis) -> Option<Millis> {
        if !self.wants_probe(now) {
            return None;
        }
        let (since, good) = match &self.state {
            State::Open { until } => (*until, 0),
            State::Half { since, good, .. } => (*since, *good),
            State::Up | State::Ramp { .. } => return None,
        };
        let expires = now.plus(lease_ms);
        self.state = State::Half { since, permit: Some(Permit { holder, expires }), good };
        Some(expires)
    }

    /// The holder's probe is on its way: nobody else's may start before it must have ended.
    pub(super) fn probing(&mut self, by: u64, until: Millis) {
        if let State::Half { permit: Some(Permit { holder, expires }), .. } = &mut self.state
            && *holder == by
        {
            *expires = until.max(*expires);
        }
    }

    /// The outcome of a probe. True when it changed the state.
    pub(super) fn probed(&mut self, by: u64, batch: Batch, now: Millis, tuning: &Tuning, seed: u64) -> bool {
        let (since, permit, good) = match &self.state {
            State::Up | State::Ramp { .. } => return self.count(batch, now, tuning, seed),
            State::Open { until } if *until > now => return false,
            State::Open { until } => (*until, None, 0),
            State::Half { since, permit, good } => (*since, permit.filter(|p| p.holder != by), *good),
        };
        if batch.bad > 0 {
            // Of one that went without the permit: opening anew would forget the probe that is on its way with it.
            if permit.is_some_and(|permit| permit.expires > now) {
                return false;
            }
            "a probe failed".clone_into(&mut self.cause);
            self.open(batch.floor_ms, now, tuning, seed);
            return true;
        }
        let good = good.saturating_add(batch.good);
        self.state = if good >= tuning.probes_to_close {
            State::Ramp { step: 0, since: now, good: 0 }
        } else {
            State::Half { since, permit, good }
        };
        true
    }

    /// Whoever knows better says that the outage is over.
    pub(super) fn close(&mut self) {
        self.state = State::Up;
        self.outage = Outage::default();
        self.buckets.clear();
        self.row = 0;
    }

    fn advance(&mut self, now: Millis, tuning: &Tuning) {
        if let Some(state) = self.state.ramped(now, tuning) {
            if state == State::Up {
                self.outage = Outage::default();
            }
            self.state = state;
        }
    }

    fn bucket(&mut self, batch: Batch, now: Millis, tuning: &Tuning) {
        let number = now.0 / bucket_ms(tuning);
        self.buckets.retain(|bucket| bucket.number + BUCKETS > number);
        match self.buckets.last_mut() {
            Some(last) if last.number >= number => {
                last.good = last.good.saturating_add(batch.good);
                last.bad = last.bad.saturating_add(batch.bad);
            }
            _ => self.buckets.push(Bucket { number, good: batch.good, bad: batch.bad }),
        }
    }

    /// Good and bad outcomes within the window.
    pub(super) fn totals(&self, now: Millis, tuning: &Tuning) -> (u64, u64) {
        let number = now.0 / bucket_ms(tuning);
        let live = self.buckets.iter().filter(|bucket| bucket.number + BUCKETS > number);
        live.fold((0, 0), |(good, bad), bucket| (good + u64::from(bucket.good), bad + u64::from(bucket.bad)))
    }

    pub(super) const fn open_until(&self) -> Option<Millis> {
        match &self.state {
            State::Open { until } | State::Half { since: until, .. } => Some(*until),
            State::Up | State::Ramp { .. } => None,
        }
    }

    /// Whether `permit` would say yes.
    pub(super) fn wants_probe(&self, now: Millis) -> bool {
        let is_free = match &self.state {
            State::Open { until } => *until <= now,
            State::Half { permit, .. } => permit.is_none_or(|permit| permit.expires <= now),
            State::Up | State::Ramp { .. } => false,
        };
        is_free && self.cool_until <= now
    }

    pub(super) fn standing(&self, now: Millis, tuning: &Tuning) -> Standing {
        match self.state.ramped(now, tuning).as_ref().unwrap_or(&self.state) {
            State::Open { until } | State::Half { since: until, .. } => Standing::Open { until: self.cool_until.max(*until) },
            State::Up | State::Ramp { .. } if self.cool_until > now => Standing::Cooling { until: self.cool_until },
            State::Ramp { step, .. } => Standing::Ramping { percent: RAMP.get(usize::from(*step)).copied().unwrap_or(100) },
            State::Up => self.degraded(now, tuning).map_or(Standing::Up, |percent| Standing::Degraded { percent }),
        }
    }

    pub(super) fn numbers(&self, now: Millis, tuning: &Tuning) -> Numbers {
        let (good, bad) = self.totals(now, tuning);
        let failed = bad.saturating_mul(1_000).checked_div(good + bad).unwrap_or(0);
        let spread = &self.latency.spread;
        Numbers {
            p50_ms: spread.within(50),
            p95_ms: spread.within(95),
            samples: self.latency.weight(),
            failed_permille: u16::try_from(failed).unwrap_or_default(),
        }
    }

    /// The share of traffic that a worse cell keeps; nothing when it is fine.
    fn degraded(&self, now: Millis, tuning: &Tuning) -> Option<u8> {
        self.by_errors(now, tuning).into_iter().chain(self.latency.share(now, tuning)).min()
    }

    /// A tenth of failures sends a fifth away, half of them everything.
    pub(super) fn by_errors(&self, now: Millis, tuning: &Tuning) -> Option<u8> {
        let (good, bad) = self.totals(now, tuning);
        let all = good + bad;
        let errs = all >= tuning.min_requests && bad * 100 >= all * tuning.degraded_percent;
        errs.then(|| 100_u8.saturating_sub(percent(bad.saturating_mul(2), all)))
    }

    pub(super) fn failed(&self, now: Millis, tuning: &Tuning) -> String {
        let (good, bad) = self.totals(now, tuning);
        failed_of(bad, good + bad)
    }
}

fn failed_of(bad: u64, all: u64) -> String {
    format!("{bad} of {all} failed")
}

fn bucket_ms(tuning: &Tuning) -> u64 {
    (tuning.window_ms / BUCKETS).max(1)
}

/// A wait of nothing is no deadline.
const fn floor(ms: u64, now: Millis) -> Millis {
    if ms == 0 { Millis(0) } else { now.plus(ms) }
}
