//! Which object has which records, when the next one begins, and which is emptied.

use super::{Question, place};
use crate::units::{DAY_MS, Millis};

/// What an object takes in at most of what the journal may have: old records go an object at a time, and with each goes so
/// much of the journal.
const PARTS: u64 = 8;
/// Bytes of an object at most. Its index fits into memory, and reading through all its rows takes some tenths of a second.
const MAX_SHARD: u64 = 256 << 20;
/// Fewer records than these stay in one object, however old: those that are too old are deleted one by one.
const FEW: u64 = 5_000;
/// Objects that one question looks into; the page then ends, and says where to go on.
const MAX_VISITS: usize = 16;
const MB: u64 = 1 << 20;

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub days: u64,
    pub max_mb: u64,
}

impl Policy {
    /// `30 1024`
    pub fn write(self) -> String {
        format!("{} {}", self.days, self.max_mb)
    }

    pub fn read(text: &str) -> Option<Self> {
        let (days, max_mb) = text.split_once(' ')?;
        Some(Self { days: days.parse().ok()?, max_mb: max_mb.parse().ok()? })
    }

    /// What came before this place is too old.
    pub const fn floor(self, now: Millis) -> u64 {
        place(Millis(now.0.saturating_sub(self.days.saturating_mul(DAY_MS))))
    }

    const fn max_bytes(self) -> u64 {
        self.max_mb.saturating_mul(MB)
    }

    /// Of one object.
    fn part(self) -> u64 {
        (self.max_bytes() / PARTS).min(MAX_SHARD)
    }
}

/// What an object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub rows: u64,
    pub bytes: u64,
    pub first: u64,
    pub last: u64,
}

impl Stored {
    pub fn write(self) -> String {
        format!("{} {} {} {}", self.rows, self.bytes, self.first, self.last)
    }

    pub fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { rows: next()?, bytes: next()?, first: next()?, last: next()? })
    }
}

/// An object, as the catalog knows it. The last one takes records in: of it only the number is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    pub number: u64,
    pub first: u64,
    pub last: u64,
    pub bytes: u64,
}

/// Rows of the catalog's table, as `number first last bytes` with commas between.
pub fn read_shards(rows: &str) -> Vec<Shard> {
    let read = |row: &str| {
        let mut numbers = row.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Shard { number: next()?, first: next()?, last: next()?, bytes: next()? })
    };
    rows.split(',').filter_map(read).collect()
}

/// Whether the next records go into another object.
pub fn rolls(policy: Policy, stored: Stored, now: Millis) -> bool {
    let is_old = stored.first < place(Millis(now.0.saturating_sub(policy.days.saturating_mul(DAY_MS) / PARTS)));
    stored.rows > 0 && (stored.bytes >= policy.part() || is_old && stored.rows >= FEW)
}

/// Objects that are to be emptied, oldest first: all in them is too old, or all together are too large. Never the last one.
pub fn doomed(policy: Policy, shards: &[Shard], now: Millis) -> Vec<u64> {
    let Some((_, closed)) = shards.split_last() else { return vec![] };
    let floor = policy.floor(now);
    // The last one may yet become as large as it may.
    let mut bytes = closed.iter().fold(policy.part(), |sum, shard| sum.saturating_add(shard.bytes));
    let goes = |shard: &&Shard| {
        let goes = shard.last < floor || bytes > policy.max_bytes();
        bytes = if goes { bytes.saturating_sub(shard.bytes) } else { bytes };
        goes
    };
    closed.iter().take_while(goes).map(|shard| shard.number).collect()
}

/// The objects that may have what is asked for, newest first, and where the page ends at the latest when there are more of them
/// than are looked into.
pub fn visited(shards: &[Shard], question: &Question, floor: u64) -> (Vec<u64>, u64) {
    let (low, high) = question.places();
    let low = low.max(floor);
    let active = shards.last().map(|shard| shard.number);
    let may = |shard: &&Shard| Some(shard.number) == active || shard.last >= low && shard.first <= high;
    let mut found: Vec<&Shard> = shards.iter().rev().filter(may).collect();
    let rest = found.split_off(found.len().min(MAX_VISITS));
    let end = rest.first().map_or(0, |shard| shard.last.saturating_add(1));
    (found.iter().map(|shard| shard.number).collect(), end)
}
