//! What a tenant's ledger makes of what it is told: each request one entry, closed once and counted once.

use super::entry::{Close, Closing, Entry, Opening};
use crate::{sorted::SortedMap, units::Millis};

/// What the ledger has of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Open,
    Closed,
    /// It was given up as lost, and counted so.
    Swept(Box<Entry>),
}

/// Whose requests are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Hours since 1970. Of the hour in which a request began: so it is the same whoever closes it, and when.
    pub hour: u64,
    pub key: String,
    /// As a JSON list.
    pub tags: String,
    pub user: String,
    pub route: String,
    pub provider: String,
    pub model: String,
}

/// What requests come to. Of a correction what was counted before is taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub requests: i64,
    pub errors: i64,
    pub lost: i64,
    pub input: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    pub output: i64,
    /// Picodollars.
    pub cost: i64,
    pub unpriced: i64,
    pub estimated: i64,
    pub failovers: i64,
    pub ms: i64,
    pub upstream_ms: i64,
}

/// What is to be stored, all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posting {
    /// Requests under way that were not known.
    pub opened: Vec<Opening>,
    /// Entries that are closed now, or corrected; none of them is under way any more.
    pub closed: Vec<Entry>,
    /// What is to be added to the sums.
    pub sums: SortedMap<Group, Sums>,
    /// What was closed as lost, and is corrected now.
    pub withdrawn: Vec<Entry>,
}

const HOUR_MS: u64 = 3_600_000;

/// The first word on a request's end is the last one; only the guess at one that was given up yields to the truth.
pub fn post(told: Vec<Entry>, mut known: SortedMap<String, Known>) -> Posting {
    let mut posting = Posting::default();
    for entry in told {
        let before = known.get(&entry.open.id).cloned();
        match (before, &entry.close) {
            (None, None) => {
                known.insert(entry.open.id.clone(), Known::Open);
                posting.opened.push(entry.open);
            }
            (None | Some(Known::Open), Some(_)) => {
                known.insert(entry.open.id.clone(), Known::Closed);
                posting.close(entry);
            }
            (Some(Known::Swept(lost)), Some(closing)) if closing.close != Close::Sweep => {
                known.insert(entry.open.id.clone(), Known::Closed);
                posting.correct(*lost, entry);
            }
            (Some(Known::Open | Known::Closed | Known::Swept(_)), _) => {}
        }
    }
    let Posting { opened, closed, .. } = &mut posting;
    opened.retain(|opening| !closed.iter().any(|entry| entry.open.id == opening.id));
    posting
}

/// Those of whom nothing was heard in time.
pub fn sweep(lost: Vec<Opening>, now: Millis) -> Posting {
    let mut posting = Posting::default();
    for open in lost {
        posting.close(Entry { close: Some(open.swept(now)), open });
    }
    posting
}

impl Posting {
    pub const fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }

    fn close(&mut self, entry: Entry) {
        self.count(&entry, 1);
        self.closed.push(entry);
    }

    fn correct(&mut self, lost: Entry, mut entry: Entry) {
        self.count(&lost, -1);
        self.withdrawn.push(lost);
        if let Some(closing) = &mut entry.close {
            closing.corrected = true;
        }
        self.close(entry);
    }

    fn count(&mut self, entry: &Entry, sign: i64) {
        let Some(closing) = &entry.close else { return };
        let sums = self.sums.or_default(Group::of(&entry.open, closing));
        let counts = [
            (&mut sums.requests, 1),
            (&mut sums.errors, i64::from(closing.is_error())),
            (&mut sums.lost, i64::from(closing.close == Close::Sweep)),
            (&mut sums.input, number(closing.input)),
            (&mut sums.cache_read, number(closing.cache_read)),
            (&mut sums.cache_write, number(closing.cache_write)),
            (&mut sums.output, number(closing.output)),
            (&mut sums.cost, number(closing.cost.0)),
            (&mut sums.unpriced, i64::from(closing.unpriced)),
            (&mut sums.estimated, i64::from(closing.estimated)),
            (&mut sums.failovers, i64::from(closing.failovers)),
            (&mut sums.ms, number(closing.ms)),
            (&mut sums.upstream_ms, number(closing.upstream_ms)),
        ];
        for (sum, count) in counts {
            *sum = sum.saturating_add(count * sign);
        }
    }
}

impl Group {
    fn of(open: &Opening, closing: &Closing) -> Self {
        Self {
            hour: open.at.0 / HOUR_MS,
            key: open.key.clone(),
            tags: serde_json::to_string(&open.tags).unwrap_or_default(),
            user: open.user.clone(),
            route: open.route.clone(),
            provider: closing.provider.clone(),
            model: closing.model.clone(),
        }
    }
}

/// Tokens and milliseconds of one request are far from where this ends, and its cost has a bound.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
