//! Health of what a request may be sent to: cells by name, each with a breaker and a cooldown.
//!
//! The same state machine runs in every isolate, which reacts at once, and in the region's object, which knows them all.
//! Cells are `provider/model` (breaker, and cooldown of the model) and `provider#n` (cooldown of its credential n).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    breaker::{Batch, Cell},
    seed::{fold, hash},
};
use crate::{config::Breaker, units::Millis};

/// Cells kept: routes name some dozens of targets, and a caller who names models freely must not fill the memory.
pub const MAX_CELLS: usize = 512;

/// What happened to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It served; the time to its first token.
    Ok { first_ms: u64 },
    /// It served a whole answer: there was no first token to time, and how long it took says more of its length.
    Served,
    /// The provider's fault. An opening lasts at least `floor_ms` (its `Retry-After`).
    Failed { floor_ms: u64 },
    /// A limit: shut until then.
    Cool { until: Millis },
    /// Rejected, or an empty account: shut until then.
    Down { until: Millis },
}

/// What routing sees of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    #[serde(rename = "u")]
    Up,
    /// Keeps this share of its traffic.
    #[serde(rename = "d")]
    Degraded { percent: u8 },
    /// Back from an outage, with this share of its traffic.
    #[serde(rename = "r")]
    Ramping { percent: u8 },
    /// This isolate holds the permit for the one probe.
    #[serde(rename = "p")]
    Probe,
    /// Until then at least, and then until somebody's probes went well.
    #[serde(rename = "o")]
    Open { until: Millis },
    #[serde(rename = "c")]
    Cooling { until: Millis },
}

impl Standing {
    /// The worse of two opinions.
    pub fn worst(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open { until }, Self::Open { until: also } | Self::Cooling { until: also })
            | (Self::Cooling { until: also }, Self::Open { until }) => Self::Open { until: until.max(also) },
            (Self::Cooling { until }, Self::Cooling { until: also }) => Self::Cooling { until: until.max(also) },
            (a, b) if a.badness() >= b.badness() => a,
            (_, b) => b,
        }
    }

    /// Shut is worse than a share, a smaller share worse than a larger one.
    fn badness(self) -> u16 {
        match self {
            Self::Up => 0,
            Self::Degraded { percent } | Self::Ramping { percent } => 101_u16.saturating_sub(u16::from(percent)),
            Self::Probe => 200,
            Self::Cooling { .. } => 300,
            Self::Open { .. } => 400,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded { .. } => "degraded",
            Self::Ramping { .. } => "ramping",
            Self::Probe => "probe",
            Self::Open { .. } => "open",
            Self::Cooling { .. } => "cooling",
        }
    }
}

/// The numbers of FAILOVER 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    pub window_ms: u64,
    /// Outcomes before a ratio means anything.
    pub min_requests: u64,
    pub open_percent: u64,
    pub in_a_row: u32,
    pub open_ms: u64,
    /// The longest opening while the outage is young.
    pub early_max_open_ms: u64,
    pub early_ms: u64,
    pub max_open_ms: u64,
    pub jitter_percent: u8,
    pub probes_to_close: u32,
    /// A step of the ramp takes this long, or `ramp_successes`, but never less than `ramp_min_ms`.
    pub ramp_ms: u64,
    pub ramp_min_ms: u64,
    pub ramp_successes: u32,
    pub degraded_percent: u64,
    pub slow_factor: u64,
    /// Faster than this is never slow, whatever its baseline.
    pub slow_floor_ms: u64,
    /// A permit not used by then goes to another isolate: short, for the primary must be back in 30 s.
    pub lease_ms: u64,
    /// A probe on its way has an outcome by then: longer than the longest first-token deadline.
    pub probe_ms: u64,
    /// Counters travel, and news are fetched, this often: 10 calls per 1 000 requests at 20 a second.
    pub sync_ms: u64,
    /// The least time between two calls that no change of state demands.
    pub gap_ms: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            window_ms: 30_000,
            min_requests: 5,
            open_percent: 50,
            in_a_row: 3,
            open_ms: 5_000,
            early_max_open_ms: 20_000,
            early_ms: 600_000,
            max_open_ms: 120_000,
            jitter_percent: 10,
            probes_to_close: 2,
            ramp_ms: 5_000,
            ramp_min_ms: 1_000,
            ramp_successes: 5,
            degraded_percent: 10,
            slow_factor: 3,
            slow_floor_ms: 500,
            lease_ms: 10_000,
            probe_ms: 90_000,
            sync_ms: 5_000,
            gap_ms: 1_000,
        }
    }
}

impl Tuning {
    /// The defaults with what the operator says.
    pub fn of(breaker: &Breaker) -> Self {
        let usual = Self::default();
        let open_ms = breaker.open_ms.unwrap_or(usual.open_ms);
        let ramp_ms = breaker.ramp_ms.unwrap_or(usual.ramp_ms);
        let in_a_row = breaker.consecutive_failures.and_then(|count| u32::try_from(count).ok());
        Self {
            window_ms: breaker.window_ms.unwrap_or(usual.window_ms),
            min_requests: breaker.min_requests.unwrap_or(usual.min_requests),
            open_percent: breaker.failure_percent.unwrap_or(usual.open_percent),
            in_a_row: in_a_row.unwrap_or(usual.in_a_row),
            open_ms,
            early_max_open_ms: breaker.early_max_open_ms.unwrap_or(usual.early_max_open_ms),
            early_ms: breaker.early_ms.unwrap_or(usual.early_ms),
            max_open_ms: breaker.max_open_ms.unwrap_or(usual.max_open_ms),
            ramp_ms,
            // What is quicker than usual must not wait for what is not.
            ramp_min_ms: usual.ramp_min_ms.min(ramp_ms),
            gap_ms: usual.gap_ms.min(open_ms),
            ..usual
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    #[serde(rename = "t", default)]
    tuning: Tuning,
    #[serde(rename = "c", default)]
    cells: BTreeMap<String, Cell>,
}

impl Health {
    pub const fn new(tuning: Tuning) -> Self {
        Self { tuning, cells: BTreeMap::new() }
    }

    /// Other numbers from now on; deadlines already set stay.
    pub const fn tune(&mut self, tuning: Tuning) {
        self.tuning = tuning;
    }

    pub const fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// Folds one outcome in; true when the cell's state changed and must be told at once.
    pub fn report(&mut self, key: &str, signal: Signal, now: Millis, seed: u64) -> bool {
        match signal {
            Signal::Ok { first_ms } => self.count(key, Batch::good(first_ms), now, seed),
            Signal::Served => self.count(key, Batch::served(), now, seed),
            Signal::Failed { floor_ms } => self.count(key, Batch::bad(floor_ms), now, seed),
            Signal::Cool { until } | Signal::Down { until } => self.cell(key, now).cool(until),
        }
    }

    pub(super) fn count(&mut self, key: &str, batch: Batch, now: Millis, seed: u64) -> bool {
        let tuning = self.tuning;
        self.cell(key, now).count(batch, now, &tuning, fold(seed, key))
    }

    /// The permit for the one probe of an open cell, when it is time and nobody holds it; the time it ends.
    pub(super) fn permit(&mut self, key: &str, holder: u64, now: Millis) -> Option<Millis> {
        let lease_ms = self.tuning.lease_ms;
        self.cells.get_mut(key)?.permit(holder, lease_ms, now)
    }

    pub(super) fn probing(&mut self, key: &str, holder: u64, now: Millis) {
        let until = now.plus(self.tuning.probe_ms);
        if let Some(cell) = self.cells.get_mut(key) {
            cell.probing(holder, until);
        }
    }

    pub(super) fn probed(&mut self, key: &str, holder: u64, batch: Batch, now: Millis, seed: u64) -> bool {
        let tuning = self.tuning;
        self.cell(key, now).probed(holder, batch, now, &tuning, fold(seed, key))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Cell> {
        self.cells.get(key)
    }

    pub(super) fn cell(&mut self, key: &str, now: Millis) -> &mut Cell {
        if !self.cells.contains_key(key) && self.cells.len() >= MAX_CELLS {
            self.forget_one(now);
        }
        let cell = self.cells.entry(key.to_owned()).or_default();
        cell.touched = now;
        cell
    }

    /// The cell that says least: plain up before any other, then the one not heard of for longest.
    fn forget_one(&mut self, now: Millis) {
        let worth = |cell: &Cell| (cell.standing(now, &self.tuning) != Standing::Up, cell.touched);
        let least = self.cells.iter().min_by_key(|(_, cell)| worth(cell)).map(|(key, _)| key.clone());
        if let Some(key) = least {
            self.cells.remove(&key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Cell)> {
        self.cells.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Cell)> {
        self.cells.iter_mut()
    }

    /// What routing sees: only cells that are not plainly up.
    pub fn snapshot(&self, now: Millis) -> View {
        let standings = self.cells.iter().map(|(key, cell)| (key.clone(), cell.standing(now, &self.tuning)));
        View::of(standings)
    }
}

/// Standings of all cells that are not plainly up, and the numbers of those that were heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    #[serde(rename = "c", default)]
    pub(super) cells: BTreeMap<String, Standing>,
    /// For strategies; they do not change the version.
    #[serde(rename = "n", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) numbers: BTreeMap<String, Numbers>,
}

/// What a cell has done of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// To the first token, of half of its streams, and of 95 in 100.
    #[serde(rename = "p", default)]
    pub p50_ms: u64,
    #[serde(rename = "q", default)]
    pub p95_ms: u64,
    /// How many of them these are drawn from.
    #[serde(rename = "s", default)]
    pub samples: u64,
    /// Failures among a thousand requests in the window.
    #[serde(rename = "e", default)]
    pub failed_permille: u16,
}

impl View {
    /// A view of these cells.
    pub fn of(cells: impl IntoIterator<Item = (String, Standing)>) -> Self {
        // Not collected: that would bring a whole sort for each kind of map into the module.
        let mut view = Self::default();
        view.cells.extend(cells.into_iter().filter(|(_, standing)| *standing != Standing::Up));
        view
    }

    /// A cooldown ends by itself; an open cell stays so until it was probed.
    pub fn standing(&self, key: &str, now: Millis) -> Standing {
        match self.cells.get(key) {
            Some(Standing::Cooling { until }) if *until <= now => Standing::Up,
            Some(standing) => *standing,
            None => Standing::Up,
        }
    }

    /// The same content, the same version, in whatever isolate.
    pub fn version(&self) -> u64 {
        self.cells.iter().fold(0, |sum, (key, standing)| {
            let (kind, number) = match standing {
                Standing::Up => (0, 0),
                Standing::Degraded { percent } => (1, u64::from(*percent)),
                Standing::Ramping { percent } => (2, u64::from(*percent)),
                Standing::Probe => (3, 0),
                Standing::Open { until } => (4, until.0),
                Standing::Cooling { until } => (5, until.0),
            };
            fold(sum ^ hash(key), standing.name()) ^ fold(number, "version") ^ kind
        })
    }

    pub fn numbers(&self, key: &str) -> Option<&Numbers> {
        self.numbers.get(key)
    }

    /// The same standings, with these numbers.
    #[must_use]
    pub fn with_numbers(mut self, numbers: impl IntoIterator<Item = (String, Numbers)>) -> Self {
        self.numbers.extend(numbers);
        self
    }

    pub fn cells(&self) -> impl Iterator<Item = (&str, Standing)> {
        self.cells.iter().map(|(key, standing)| (key.as_str(), *standing))
    }

    /// Adds another opinion of a cell; the worse counts.
    pub(super) fn add(&mut self, key: &str, standing: Standing) {
        if standing == Standing::Up {
            return;
        }
        let known = self.cells.entry(key.to_owned()).or_insert(Standing::Up);
        *known = known.worst(standing);
    }
}
