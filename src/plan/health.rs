//! Health of what a request may be sent to: cells by name, each with a breaker and a cooldown.
//!
//! The same state machine runs in every isolate, which reacts at once, and in the region's object, which knows them all.
//! Cells are `provider/model` (breaker, and cooldown of the model), `provider#n` (cooldown of its credential n),
//! `provider@COLO` (where the provider does not serve), and of a tenant's own key `provider#own-…` (its cooldown) and
//! `provider#own-…/model` (that of a model for its account).

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    breaker::{Batch, Cell},
    history::History,
    is_own_key,
    latency::Spread,
    operator::{Action, Marks, covers},
    seed::{fold, hash},
};
pub use super::{numbers::Numbers, tuning::Tuning};
use crate::{sorted::SortedMap, units::Millis};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Up,
    /// Keeps this share of its traffic.
    Degraded {
        percent: u8,
    },
    /// Back from an outage, with this share of its traffic.
    Ramping {
        percent: u8,
    },
    /// This isolate holds the permit for the one probe.
    Probe,
    /// Until then at least, and then until somebody's probes went well.
    Open {
        until: Millis,
    },
    Cooling {
        until: Millis,
    },
    /// By the operator's word: only where nothing else is left.
    Drained,
    /// By the operator's word: not at all.
    Shut {
        until: Millis,
    },
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

    /// The better of two.
    pub(super) fn best(self, other: Self) -> Self {
        match (self, other) {
            (Self::Cooling { until }, Self::Cooling { until: also }) => Self::Cooling { until: until.min(also) },
            (a, b) if a.badness() <= b.badness() => a,
            (_, b) => b,
        }
    }

    /// Whether anything else should be used.
    pub(super) fn is_out(self) -> bool {
        self.badness() > Self::Probe.badness()
    }

    /// Shut is worse than a share, a smaller share worse than a larger one.
    fn badness(self) -> u16 {
        match self {
            Self::Up => 0,
            Self::Degraded { percent } | Self::Ramping { percent } => 101_u16.saturating_sub(u16::from(percent)),
            Self::Probe => 200,
            Self::Drained => 250,
            Self::Cooling { .. } => 300,
            Self::Open { .. } => 400,
            Self::Shut { .. } => 500,
        }
    }

    /// Kind and value, as they travel.
    pub(super) fn numbers(self) -> (u64, u64) {
        match self {
            Self::Up => (0, 0),
            Self::Degraded { percent } => (1, u64::from(percent)),
            Self::Ramping { percent } => (2, u64::from(percent)),
            Self::Probe => (3, 0),
            Self::Open { until } => (4, until.0),
            Self::Cooling { until } => (5, until.0),
            Self::Drained => (6, 0),
            Self::Shut { until } => (7, until.0),
        }
    }

    pub(super) fn of_numbers(kind: u64, value: u64) -> Self {
        let (percent, until) = (u8::try_from(value).unwrap_or(100).min(100), Millis(value));
        match kind {
            1 => Self::Degraded { percent },
            2 => Self::Ramping { percent },
            3 => Self::Probe,
            4 => Self::Open { until },
            5 => Self::Cooling { until },
            6 => Self::Drained,
            7 => Self::Shut { until },
            _ => Self::Up,
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
            Self::Drained => "drained",
            Self::Shut { .. } => "shut",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Health {
    pub(super) tuning: Tuning,
    pub(super) cells: SortedMap<String, Cell>,
    pub(super) marks: Marks,
    /// Only in the region's object.
    pub(super) history: History,
}

impl Health {
    pub fn new(tuning: Tuning) -> Self {
        Self { tuning, ..Self::default() }
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
            Signal::Ok { first_ms } => {
                let changed = self.count(key, Batch::good(first_ms), now, seed);
                self.spread(key, &Spread::one(first_ms), now);
                changed
            }
            Signal::Served => self.count(key, Batch::served(), now, seed),
            Signal::Failed { floor_ms } => self.count(key, Batch::bad(floor_ms), now, seed),
            Signal::Cool { until } | Signal::Down { until } => self.cell(key, now).cool(until),
        }
    }

    pub(super) fn count(&mut self, key: &str, batch: Batch, now: Millis, seed: u64) -> bool {
        let tuning = self.tuning;
        self.cell(key, now).count(batch, now, &tuning, fold(seed, key))
    }

    pub(super) fn spread(&mut self, key: &str, samples: &Spread, now: Millis) {
        self.cell(key, now).latency.spread(samples, now);
    }

    pub(super) fn forget(&mut self, target: &str) {
        self.cells.retain(|cell, _| !covers(target, cell));
    }

    /// The permit for the one probe of an open cell, when it is time and nobody holds it; the time it ends.
    pub(super) fn permit(&mut self, key: &str, holder: u64, now: Millis) -> Option<Millis> {
        let lease_ms = self.tuning.lease_ms;
        self.cells.get_mut(key)?.permit(holder, lease_ms, now)
    }

    /// The holder says that its probe is on its way, for so long.
    pub(super) fn probing(&mut self, key: &str, holder: u64, until: Millis) {
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
        let cell = self.cells.or_default(key.to_owned());
        cell.touched = now;
        cell
    }

    /// The cell that says least: that of a tenant's own key, which says nothing of others; then plain up before any other;
    /// then the one not heard of for longest.
    fn forget_one(&mut self, now: Millis) {
        let worth =
            |(key, cell): &(&String, &Cell)| (!is_own_key(key), cell.standing(now, &self.tuning) != Standing::Up, cell.touched);
        let least = self.cells.iter().min_by_key(worth).map(|(key, _)| key.clone());
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

    /// What routing sees.
    pub fn snapshot(&self, now: Millis) -> View {
        let numbers = self.cells.iter().filter(|(_, cell)| cell.shown != Numbers::default());
        self.standings(now).with_numbers(numbers.map(|(key, cell)| (key.clone(), cell.shown)))
    }

    /// The same without the numbers.
    pub(super) fn standings(&self, now: Millis) -> View {
        let standings = self.cells.iter().map(|(key, cell)| (key.clone(), cell.standing(now, &self.tuning)));
        View { marks: self.marks.clone(), ..View::of(standings) }
    }

    /// Of all cells heard of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cells.keys().map(String::as_str)
    }

    /// The operator's words that hold: on what, which, until when.
    pub fn orders(&self, now: Millis) -> impl Iterator<Item = (&str, Action, Millis)> {
        let marks = self.marks.by_target.iter().filter(move |(_, mark)| mark.until > now && mark.action != Action::Reset);
        marks.map(|(target, mark)| (target.as_str(), mark.action, mark.until))
    }

    pub fn numbers(&self, key: &str, now: Millis) -> Numbers {
        self.cells.get(key).map(|cell| cell.numbers(now, &self.tuning)).unwrap_or_default()
    }

    /// Takes the numbers down that moved, with a time that is later than all before.
    pub(super) fn renew_numbers(&mut self, now: Millis) {
        let at = now.max(self.cells.values().map(|cell| cell.shown_at).max().unwrap_or_default().plus(1));
        for cell in self.cells.values_mut() {
            let fresh = cell.numbers(now, &self.tuning);
            if fresh.moved_from(&cell.shown) {
                (cell.shown, cell.shown_at) = (fresh, at);
            }
        }
    }
}

/// Standings of all cells that are not plainly up, the operator's word, and the numbers of cells that were heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct View {
    pub(super) cells: SortedMap<String, Standing>,
    /// Go before the standings.
    pub(super) marks: Marks,
    /// For strategies; they do not change the version. Shared, for each request looks at a view of its own.
    pub(super) numbers: Rc<SortedMap<String, Numbers>>,
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
        if let Some(standing) = self.marks.standing(key, now) {
            return standing;
        }
        match self.cells.get(key) {
            Some(Standing::Cooling { until }) if *until <= now => Standing::Up,
            Some(standing) => *standing,
            None => Standing::Up,
        }
    }

    /// The same content, the same version, in whatever isolate.
    pub fn version(&self) -> u64 {
        let cells = self.cells.iter().fold(0, |sum, (key, standing)| {
            let (kind, number) = standing.numbers();
            fold(sum ^ hash(key), standing.name()) ^ fold(number, "version") ^ kind
        });
        self.marks.by_target.iter().fold(cells, |sum, (target, mark)| {
            fold(sum ^ hash(target), mark.action.name()) ^ fold(mark.until.0, "until") ^ fold(mark.reset.0, "reset")
        })
    }

    /// No cell is anything but up, and the operator says nothing.
    pub fn is_plain(&self) -> bool {
        self.cells.is_empty() && self.marks.by_target.is_empty()
    }

    pub fn numbers(&self, key: &str) -> Option<&Numbers> {
        self.numbers.get(key)
    }

    /// The same standings, with these numbers.
    #[must_use]
    pub fn with_numbers(mut self, numbers: impl IntoIterator<Item = (String, Numbers)>) -> Self {
        Rc::make_mut(&mut self.numbers).extend(numbers);
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
        let known = self.cells.or_insert(key.to_owned(), Standing::Up);
        *known = known.worst(standing);
    }
}
