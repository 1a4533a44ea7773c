//! The calendar of budgets, in UTC.

use crate::{config::Period, units::Millis};

const DAY_MS: u64 = 86_400_000;
/// 1970-01-01 was a Thursday: that week began three days before.
const THURSDAY: u64 = 3;

/// When the period that `now` is in began; 1970 for what has no end.
pub fn begins(per: Period, now: Millis) -> Millis {
    let day = now.0 / DAY_MS;
    let first = match per {
        Period::Day => day,
        Period::Week => day.saturating_sub((day + THURSDAY) % 7),
        Period::Month => day + 1 - day_of_month(day),
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

/// From 1, of a day since 1970, by years that begin in March:
/// https://howardhinnant.github.io/date_algorithms.html#civil_from_days
const fn day_of_month(day: u64) -> u64 {
    let of_era = (day + 719_468) % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    of_year - (153 * month + 2) / 5 + 1
}

/// `2026-12-01`, of a time at which a day begins.
pub(super) fn text(at: Millis) -> String {
    let days = at.0 / DAY_MS;
    // From the first of March of the year 0, in eras of 400 years.
    let (era, of_era) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097);
    let of_era_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (month, carry) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    format!("{:04}-{month:02}-{:02}", era * 400 + of_era_year + carry, day_of_month(days))
}
