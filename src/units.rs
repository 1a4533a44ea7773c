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

/// The last second of the year 9999: years of RFC 3339 have four digits.
const LAST_OF_RFC_3339: Millis = Millis(253_402_300_799_000);
/// Milliseconds in a day of UTC, which knows no leap seconds here.
pub const DAY_MS: u64 = 86_400_000;

impl Millis {
    /// `2026-11-23`, in UTC.
    pub fn date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `2026-11-23T10:05:07Z`: RFC 3339, in UTC.
    pub fn timestamp(self) -> String {
        let time = self.min(LAST_OF_RFC_3339);
        let seconds = time.0 / 1000;
        format!("{}T{:02}:{:02}:{:02}Z", time.date(), seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }

    /// Midnight in UTC of a date such as `2026-11-23`, or of the first day of `2026-11`.
    pub fn of_date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |digits: usize| -> Option<u64> {
            let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse().ok()
        };
        let (year, month) = (next(4)?, next(2)?);
        let day = if text.len() > "2026-11".len() { next(2)? } else { 1 };
        // The inverse of `civil`.
        let year_from_march = if month <= 2 { year.checked_sub(1)? } else { year };
        let month_from_march = if month > 2 { month.checked_sub(3)? } else { month + 9 };
        let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
        let day_of_year = ((153 * month_from_march + 2) / 5 + day).checked_sub(1)?;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let midnight = Self(days.checked_sub(719_468)? * DAY_MS);
        // A day that the month does not have would be one of the next.
        (midnight.civil() == (year, month, day) && parts.next().is_none()).then_some(midnight)
    }

    /// Whole days from `earlier` to here.
    pub const fn days_since(self, earlier: Self) -> u64 {
        self.since(earlier) / DAY_MS
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

    /// Dollars as somebody else wrote them, to the nearest picodollar.
    pub fn of_dollars(text: &str) -> Option<Self> {
        Decimal::read(text)?.nearest(12).map(Self)
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

/// A number as it was written, `digits` × 10^`exponent`: no sum of money goes through floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    pub const ONE: Self = Self { digits: 1, exponent: 0 };

    /// Of decimal text without a sign, such as JSON has: `0.1402`, `1.5e-7`.
    pub fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let part = part.trim_end_matches('0');
        let digits = format!("{whole}{part}").parse().ok()?;
        Some(Self { digits, exponent: exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(part.len()).ok()?)? })
    }

    /// Exactly; `None` where the digits of both are too many.
    pub fn times(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.checked_add(other.exponent)?;
        Some(Self { digits: self.digits.checked_mul(other.digits)?, exponent })
    }

    /// The number times ten to the power of `decimals`, if that is whole.
    pub fn whole(self, decimals: i32) -> Option<u64> {
        let (whole, rest, _) = self.shifted(decimals)?;
        (rest == 0).then_some(whole)
    }

    /// The same to the nearest whole number; halves go up.
    pub fn nearest(self, decimals: i32) -> Option<u64> {
        let (whole, rest, divisor) = self.shifted(decimals)?;
        whole.checked_add(u64::from(rest >= divisor - rest))
    }

    /// Whole number, rest and what it is a rest of.
    fn shifted(self, decimals: i32) -> Option<(u64, u64, u64)> {
        let shift = self.exponent.checked_add(decimals)?;
        match (self.digits, 10_u64.checked_pow(shift.unsigned_abs())) {
            (0, _) => Some((0, 0, 1)),
            (digits, Some(factor)) if shift >= 0 => Some((digits.checked_mul(factor)?, 0, 1)),
            (digits, Some(factor)) => Some((digits / factor, digits % factor, factor)),
            // Less than any digit of what is wanted.
            (_, None) if shift < 0 => Some((0, 1, u64::MAX)),
            (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_what_was_written() {
        for (text, decimals, whole, nearest) in [
            ("0", 6, Some(0), Some(0)),
            ("1.25", 6, Some(1_250_000), Some(1_250_000)),
            ("0.1402", 12, Some(140_200_000_000), Some(140_200_000_000)),
            ("1e-6", 6, Some(1), Some(1)),
            ("5e-7", 6, None, Some(1)),
            ("4.9E-7", 6, None, Some(0)),
            ("1.5e2", 0, Some(150), Some(150)),
            ("2.9999999999999997e-07", 12, None, Some(300_000)),
            ("1e-300", 12, None, Some(0)),
            ("1e300", 12, None, None),
            ("0e300", 12, Some(0), Some(0)),
            ("18446744073709551615", 0, Some(u64::MAX), Some(u64::MAX)),
            ("18446744073709551615", 1, None, None),
            ("0.50", 0, None, Some(1)),
        ] {
            let read = Decimal::read(text).unwrap();
            assert_eq!((read.whole(decimals), read.nearest(decimals)), (whole, nearest), "{text}");
        }
        for text in ["", "-1", "x", "1.2.3", "1e", "99999999999999999999", "1e99999999999"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
        let times = |one: &str, other: &str| Decimal::read(one).and_then(|one| one.times(Decimal::read(other)?));
        assert_eq!(times("0.8", "0.1402").and_then(|product| product.whole(6)), Some(112_160));
        assert_eq!(times("12345678901", "1234567890123"), None);
    }

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
    fn a_time_is_told_in_four_digits_of_years() {
        for time in [253_402_300_799_999, 253_402_300_800_000, u64::MAX] {
            assert_eq!(Millis(time).timestamp(), "9999-12-31T23:59:59Z", "{time}");
        }
    }

    #[test]
    fn a_date_is_a_day_that_there_is() {
        for (date, time) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(951_782_400_000)),
            ("2026-11-23", Some(1_795_392_000_000)),
            ("2026-11", Some(1_793_491_200_000)),
            ("2100-03-01", Some(4_107_542_400_000)),
            ("2100-02-29", None),
            ("1969-12-31", None),
            ("2026-13-01", None),
            ("2026-00-10", None),
            ("2026-11-31", None),
            ("2026-11-1", None),
            ("2026-11-01-", None),
            ("2026-11-01T00", None),
            ("2026", None),
            ("+026-11-01", None),
            ("", None),
        ] {
            assert_eq!(Millis::of_date(date).map(|time| time.0), time, "{date}");
        }
        assert_eq!(Millis(3 * DAY_MS).days_since(Millis(DAY_MS + 1)), 1);
    }

    #[test]
    fn dollars_are_exact() {
        for (pico, text) in [(0, "0"), (PICO, "1"), (1_250_000, "0.00000125"), (1, "0.000000000001"), (PICO * 3 / 2, "1.5")] {
            assert_eq!(Money(pico).dollars(), text);
        }
    }
}
