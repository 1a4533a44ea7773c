//! The calendar of budgets, in UTC.

use crate::{
    config::Period,
    units::{DAY_MS, Millis},
};

/// 1970-01-01 was a Thursday: that week began three days before.
const THURSDAY: u64 = 3;

/// When the period that `now` is in began; 1970 for what has no end.
pub fn begins(per: Period, now: Millis) -> Millis {
    let day = now.0 / DAY_MS;
    let first = match per {
        Period::Day => day,
        Period::Week => day.saturating_sub((day + THURSDAY) % 7),
        Period::Month => day + 1 - now.civil().2,
        Period::Total => 0,
    };
    Millis(first * DAY_MS)
}

/// When the next one begins.
pub fn ends(per: Period, now: Millis) -> Option<Millis> {
    let begun = begins(per, now);
    match per {
        Period::Day => Some(begun.plus(DAY_MS)),
        // The first week was cut short.
        Period::Week => Some(begins(per, begun.plus(7 * DAY_MS))),
        // No month has more days, and none two months.
        Period::Month => Some(begins(per, begun.plus(31 * DAY_MS))),
        Period::Total => None,
    }
}
