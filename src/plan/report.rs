//! What an isolate and its region's object tell each other, and what the object makes of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    breaker::Batch,
    health::{Health, MAX_CELLS, Numbers, Tuning, View},
    latency::Spread,
};
use crate::{sorted::SortedMap, units::Millis};

/// What an isolate has to tell of one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) batch: Batch,
    pub(super) cool_until: Option<Millis>,
    pub(super) open_until: Option<Millis>,
    /// The probe is on its way.
    pub(super) probing: bool,
    /// How the probe ended; all zero: it proved nothing.
    pub(super) probed: Option<Batch>,
    /// Its times to the first token, one by one.
    pub(super) times: Spread,
}

impl Told {
    /// This, then `later`.
    pub(super) fn add(&mut self, later: &Self) {
        self.batch.add(later.batch);
        self.cool_until = self.cool_until.max(later.cool_until);
        self.open_until = self.open_until.max(later.open_until);
        self.probing |= later.probing;
        self.probed = later.probed.or(self.probed);
        self.times.add(&later.times);
    }
}

/// From an isolate to the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Report {
    pub(super) isolate: u64,
    /// Of the view it has.
    pub(super) version: u64,
    /// Of the numbers it has, and of the last reset it has heard of.
    pub(super) numbers_at: Millis,
    pub(super) reset_at: Millis,
    pub(super) cells: SortedMap<String, Told>,
    /// Open cells it would probe.
    pub(super) wants: Vec<String>,
    /// The operator's numbers, which the object hears of in no other way.
    pub(super) tuning: Tuning,
}

/// From the object to an isolate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Reply {
    pub(super) version: u64,
    /// None: the one it has is current.
    pub(super) view: Option<View>,
    /// Those that moved since the isolate heard of them last, and when the last of all did.
    pub(super) numbers: SortedMap<String, Numbers>,
    pub(super) numbers_at: Millis,
    /// Permits for one probe each, and when they end.
    pub(super) permits: SortedMap<String, Millis>,
    /// Number of the last news of configuration and keys that the object has.
    pub(super) news: u64,
}

impl Report {
    /// Whether it says that this isolate's probe of a cell is on its way.
    pub fn tells_of_probe(&self, cell: &str) -> bool {
        self.cells.get(cell).is_some_and(|told| told.probing)
    }
}

/// The object's side: takes a report in, and answers with all that is known.
pub fn absorb(health: &mut Health, report: &Report, now: Millis, seed: u64) -> Reply {
    health.tune(report.tuning);
    health.note(now, "");
    for (key, told) in &report.cells {
        // It may have been learned before the reset; what is still so will be learned again.
        if health.marks.was_reset(key, report.reset_at) {
            continue;
        }
        if told.batch != Batch::default() {
            health.count(key, told.batch, now, seed);
            health.spread(key, &told.times, now);
        }
        if let Some(until) = told.cool_until {
            health.cell(key, now).cool(until);
        }
        if let Some(until) = told.open_until.filter(|until| *until > now) {
            health.cell(key, now).open_until_at_least(until, now);
        }
        if told.probing {
            health.probing(key, report.isolate, now.plus(report.tuning.held_ms));
        }
        if let Some(batch) = told.probed {
            health.probed(key, report.isolate, batch, now, seed);
        }
    }
    let grant = |key: &String| Some((key.clone(), health.permit(key, report.isolate, now)?));
    let mut permits = SortedMap::new();
    permits.extend(report.wants.iter().take(MAX_CELLS).filter_map(grant));
    health.note(now, "");
    health.renew_numbers(now);
    let mut numbers = SortedMap::new();
    let moved = health.iter().filter(|(_, cell)| cell.shown_at > report.numbers_at);
    numbers.extend(moved.map(|(key, cell)| (key.clone(), cell.shown)));
    let numbers_at = health.iter().map(|(_, cell)| cell.shown_at).max().unwrap_or_default();
    let view = health.standings(now);
    let version = view.version();
    Reply { version, view: (version != report.version).then_some(view), numbers, numbers_at, permits, news: 0 }
}

impl Reply {
    #[must_use]
    pub fn with_news(self, news: u64) -> Self {
        Self { news, ..self }
    }

    pub const fn news(&self) -> u64 {
        self.news
    }

    /// The object must store its state before it sends this, or another life of it might hand out a permit that is out.
    pub fn is_promise(&self, to: &Report) -> bool {
        let moves = |told: &Told| told.probing || told.probed.is_some();
        !self.permits.is_empty() || to.cells.values().any(moves)
    }
}
