//! Numbers that cannot be mixed up.

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The time `ms` later; saturates, for deadlines may be "never".
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; nothing when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds in a day of UTC, which knows no leap seconds here.
const DAY_MS: u64 = 86_400_000;

impl Millis {
    /// `2026-11-23`, in UTC.
    pub fn date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `2026-11-23T10:05:07Z`: ISO 8601, in UTC.
    pub fn timestamp(self) -> String {
        let seconds = self.0 / 1000;
        format!("{}T{:02}:{:02}:{:02}Z", self.date(), seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }

    /// Year, month and day in UTC. Years begin in March here, so that the leap day is their last:
    /// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
    pub const fn civil(self) -> (u64, u64, u64) {
        let days = self.0 / DAY_MS + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400;
        (if month <= 2 { year + 1 } else { year }, month, day)
    }

    /// When the next day begins in UTC.
    pub const fn midnight_after(self) -> Self {
        Self((self.0 / DAY_MS).saturating_add(1).saturating_mul(DAY_MS))
    }
}

/// Money in picodollars (1e-12 USD): a price of $1.25 per million tokens is 1_250_000 of them a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub u64);

/// Picodollars in a dollar.
const PICO: u64 = 1_000_000_000_000;

impl Money {
    /// `count` times this price.
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Dollars as exact decimal text without trailing zeros: `0.00125`.
    pub fn dollars(self) -> String {
        let (whole, part) = (self.0 / PICO, self.0 % PICO);
        if part == 0 {
            return whole.to_string();
        }
        let text = format!("{whole}.{part:012}");
        text.trim_end_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (time, date, next) in [
            (0, "1970-01-01", 86_400_000),
            (951_782_399_999, "2000-02-28", 951_782_400_000),
            (951_782_400_000, "2000-02-29", 951_868_800_000),
            (1_795_428_307_999, "2026-11-23", 1_795_478_400_000),
            (4_107_542_399_999, "2100-02-28", 4_107_542_400_000),
            (4_107_542_400_000, "2100-03-01", 4_107_628_800_000),
        ] {
            assert!(Millis(time).timestamp().starts_with(date));
            assert_eq!((Millis(time).date().as_str(), Millis(time).midnight_after().0), (date, next), "{time}");
        }
    }

    #[test]
    fn dollars_are_exact() {
        for (pico, text) in [(0, "0"), (PICO, "1"), (1_250_000, "0.00000125"), (1, "0.000000000001"), (PICO * 3 / 2, "1.5")] {
            assert_eq!(Money(pico).dollars(), text);
        }
    }
}
