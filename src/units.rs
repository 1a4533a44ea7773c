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
    fn dollars_are_exact() {
        for (pico, text) in [(0, "0"), (PICO, "1"), (1_250_000, "0.00000125"), (1, "0.000000000001"), (PICO * 3 / 2, "1.5")] {
            assert_eq!(Money(pico).dollars(), text);
        }
    }
}
