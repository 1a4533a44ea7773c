//! What the object keeps: rows by the minute, the quarter of an hour and the hour, each a table; and the sum of all.

use super::table::Table;
use crate::{sorted::SortedMap, units::Millis};

pub const MINUTE_MS: u64 = 60_000;

/// How fine a row is: its length in minutes, and how many minutes it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// 0: the sum of all that was ever told.
    pub minutes: u64,
    pub kept: u64,
}

const DAY: u64 = 24 * 60;
/// An hour more than a day of minutes, so that a day's chart is never short of one.
pub const KEPT: [Grain; 4] = [
    Grain { minutes: 1, kept: DAY + 60 },
    Grain { minutes: 15, kept: 8 * DAY },
    Grain { minutes: 60, kept: 35 * DAY },
    Grain { minutes: 0, kept: u64::MAX },
];

impl Grain {
    /// The minute since 1970 at which the row of another begins.
    pub fn begin(self, minute: u64) -> u64 {
        minute.checked_div(self.minutes).map_or(0, |rows| rows * self.minutes)
    }
}

/// What an isolate tells: `isolate number`, and its table.
pub struct Message<'a> {
    pub isolate: &'a str,
    pub number: u64,
    pub table: &'a str,
}

impl<'a> Message<'a> {
    pub fn write(isolate: &str, number: u64, table: &str) -> String {
        format!("{isolate} {number}\n{table}")
    }

    pub fn read(text: &'a str) -> Option<Self> {
        let (head, table) = text.split_once('\n')?;
        let (isolate, number) = head.split_once(' ')?;
        Some(Self { isolate, number: number.parse().ok()?, table })
    }
}

/// Rows as they come from storage, with commas between: a line `@minute`, and the lines of a table.
pub(super) fn each(text: &str, mut work: impl FnMut(u64, &str)) {
    let mut minute = 0;
    for line in text.lines() {
        match line.trim_start_matches(',').strip_prefix('@') {
            Some(number) => minute = number.parse().unwrap_or(0),
            None => work(minute, line),
        }
    }
}

/// What waits, with the minute it belongs to, together by that minute.
pub fn rolled_up(waiting: &str) -> SortedMap<u64, Table> {
    let mut minutes: SortedMap<u64, Table> = SortedMap::new();
    each(waiting, |minute, line| minutes.or_default(minute).read(line));
    minutes
}

/// The minute since 1970.
pub const fn minute(now: Millis) -> u64 {
    now.0 / MINUTE_MS
}
