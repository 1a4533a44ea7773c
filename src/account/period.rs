//! The calendar of budgets, in UTC.

use crate::{
    config::Period,
    units::Millis,
    wire::time::{date, day},
};

const DAY_MS: u64 = 86_400_000;
/// 1970-01-01 was a Thursday: that week began three days before.
const THURSDAY: u64 = 3;

/// When the period that `now` is in began; 1970 for what has no end.
pub fn begins(per: Period, now: Millis) -> Millis {
    let days = now.0 / DAY_MS;
    let (year, month, _) = date(now);
    match per {
        Period::Day => Millis(days * DAY_MS),
        Period::Week => Millis(days.saturating_sub((days + THURSDAY) % 7) * DAY_MS),
        Period::Month => day(year, month, 1).unwrap_or_default(),
        Period::Total => Millis(0),
    }
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
