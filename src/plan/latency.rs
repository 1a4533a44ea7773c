//! Time to the first token: is it slow, by its own measure?

use serde::{Deserialize, Serialize};

use super::health::Tuning;
use crate::units::Millis;

/// Samples before a latency average means anything.
const MIN_SAMPLES: u32 = 16;

/// Time to the first token: a quick average against a slow one, its own baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latency {
    #[serde(rename = "q")]
    quick_us: u64,
    #[serde(rename = "b")]
    base_us: u64,
    #[serde(rename = "n")]
    samples: u32,
    #[serde(rename = "a")]
    at: Millis,
}

impl Latency {
    pub(super) fn add(&mut self, sample_us: u64, now: Millis, tuning: &Tuning) {
        let toward = |old: u64, weight: u64, sample: u64| (old.saturating_mul(weight - 1).saturating_add(sample)) / weight;
        self.samples = self.samples.saturating_add(1);
        self.at = now;
        let weight = u64::from(self.samples);
        self.quick_us = toward(self.quick_us, weight.min(8), sample_us);
        // A lasting change becomes the new baseline, but slowly: it must not hide a slow hour, nor may one outlier.
        let longest = if self.is_slow(tuning) { 512 } else { 64 };
        let calm = if self.samples > MIN_SAMPLES { sample_us.min(self.base_us.max(1_000).saturating_mul(2)) } else { sample_us };
        self.base_us = toward(self.base_us, weight.min(longest), calm);
    }

    const fn is_slow(&self, tuning: &Tuning) -> bool {
        self.samples >= MIN_SAMPLES
            && self.quick_us > self.base_us.saturating_mul(tuning.slow_factor)
            && self.quick_us > tuning.slow_floor_ms.saturating_mul(1_000)
    }

    /// The share of traffic it keeps: what it does in the time of its baseline.
    pub(super) fn share(&self, now: Millis, tuning: &Tuning) -> Option<u8> {
        let is_stale = now.since(self.at) > tuning.window_ms;
        (!is_stale && self.is_slow(tuning)).then(|| percent(self.base_us, self.quick_us))
    }
}

/// A share in whole percent.
pub(super) fn percent(part: u64, whole: u64) -> u8 {
    u8::try_from(part.saturating_mul(100) / whole.max(1)).unwrap_or(100).min(100)
}
