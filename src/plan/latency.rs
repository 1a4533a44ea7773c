//! Time to the first token: how it is spread, and is it slow, by its own measure?

use super::health::Tuning;
use crate::units::Millis;

/// Samples before a latency average means anything.
const MIN_SAMPLES: u32 = 16;

/// Time to the first token: a quick average against a slow one, its own baseline; and how it is spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) quick_us: u64,
    pub(super) base_us: u64,
    pub(super) samples: u32,
    pub(super) at: Millis,
    /// Sixteenths of samples, so that halving forgets no single one at once.
    pub(super) spread: Spread,
    pub(super) faded: Millis,
}

/// A sample's weight when it is new.
const FRESH: u32 = 16;
/// A sample counts half after so long: the numbers are those of the last minutes.
const HALF_LIFE_MS: u64 = 300_000;
/// At so many samples all count half: a busy target's numbers are those of its last thousand requests.
const MAX_SAMPLES: u32 = 1_024;

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

    /// Adds samples as they were counted; older ones fade.
    pub(super) fn spread(&mut self, samples: &Spread, now: Millis) {
        if samples.counts.is_empty() {
            return;
        }
        if self.spread.counts.is_empty() {
            self.faded = now;
        }
        let halvings = now.since(self.faded) / HALF_LIFE_MS;
        self.faded = self.faded.plus(halvings.saturating_mul(HALF_LIFE_MS));
        self.spread.halve(u32::try_from(halvings).unwrap_or(u32::MAX));
        for (bucket, count) in &samples.counts {
            self.spread.put(*bucket, count.saturating_mul(FRESH));
        }
        while self.spread.total() > u64::from(MAX_SAMPLES * FRESH) {
            self.spread.halve(1);
        }
    }

    /// How many samples the spread is drawn from, the old ones in part.
    pub(super) fn weight(&self) -> u64 {
        self.spread.total() / u64::from(FRESH)
    }
}

/// A share in whole percent.
pub(super) fn percent(part: u64, whole: u64) -> u8 {
    u8::try_from(part.saturating_mul(100) / whole.max(1)).unwrap_or(100).min(100)
}

/// Times in buckets, eight to each doubling: a quantile is right to a sixteenth of its value, on any machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// By bucket, the quickest first; none is empty.
    pub(super) counts: Vec<(u8, u32)>,
}

/// Two minutes: the longest first-token deadline that is usual, doubled.
const LONGEST_MS: u64 = (1 << 17) - 1;

impl Spread {
    pub(super) fn one(ms: u64) -> Self {
        Self { counts: vec![(bucket(ms), 1)] }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            self.put(*bucket, *count);
        }
    }

    pub(super) fn put(&mut self, bucket: u8, count: u32) {
        let at = self.counts.iter().position(|(other, _)| *other >= bucket).unwrap_or(self.counts.len());
        match self.counts.get_mut(at) {
            Some((other, known)) if *other == bucket => *known = known.saturating_add(count),
            _ => self.counts.insert(at, (bucket, count)),
        }
    }

    fn halve(&mut self, times: u32) {
        if times > 0 {
            self.counts.iter_mut().for_each(|(_, count)| *count = count.checked_shr(times).unwrap_or(0));
            self.counts.retain(|(_, count)| *count > 0);
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// What so many of a hundred stay within; 0 when there are none.
    pub(super) fn within(&self, percent: u64) -> u64 {
        let mut left = (self.total() * percent).div_ceil(100);
        for (bucket, count) in &self.counts {
            left = left.saturating_sub(u64::from(*count));
            if left == 0 {
                return middle(*bucket);
            }
        }
        0
    }
}

fn bucket(ms: u64) -> u8 {
    let ms = ms.min(LONGEST_MS);
    let octave = ms.checked_ilog2().map_or(0, |log| log.saturating_sub(3));
    // Below 16 each millisecond is a bucket of its own.
    u8::try_from(u64::from(octave) * 8 + (ms >> octave)).unwrap_or(u8::MAX)
}

const fn middle(bucket: u8) -> u64 {
    if bucket < 16 {
        return u64_of(bucket);
    }
    let octave = bucket / 8 - 1;
    let low = u64_of(bucket % 8 + 8) << octave;
    low + (1 << octave) / 2
}

const fn u64_of(number: u8) -> u64 {
    u64::from_be_bytes([0, 0, 0, 0, 0, 0, 0, number])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_right_to_a_sixteenth() {
        let mut last = 0;
        for ms in 0..LONGEST_MS {
            let found = Spread::one(ms).within(50);
            assert!(found.abs_diff(ms) * 16 <= ms, "{ms}: {found}");
            assert!(found >= last, "{ms}: {found} after {last}");
            last = found;
        }
        let mut spread = Spread::default();
        (1..=1_000).for_each(|ms| spread.add(&Spread::one(ms)));
        for (percent, right) in [(1, 10), (50, 500), (95, 950), (99, 990)] {
            let found = spread.within(percent);
            assert!(found.abs_diff(right) * 16 <= right, "{percent}: {found}");
        }
        assert_eq!(Spread::default().within(95), 0);
        assert_eq!(Spread::one(10 * LONGEST_MS).within(50), Spread::one(LONGEST_MS).within(50));
    }

    #[test]
    fn old_samples_fade() {
        let mut latency = Latency::default();
        for _ in 0..100 {
            latency.spread(&Spread::one(100), Millis(1_000));
        }
        assert_eq!(latency.weight(), 100);
        let rows = [
            (HALF_LIFE_MS, 101, 100, "half as many, and the new one"),
            (2 * HALF_LIFE_MS, 80, 1_000, "more new ones than are left"),
        ];
        for (later, added, expected, what) in rows {
            for _ in 0..added {
                latency.spread(&Spread::one(expected), Millis(1_000 + later));
            }
            assert!(latency.spread.within(50).abs_diff(expected) * 16 <= expected, "{what}: {:?}", latency.spread);
        }
        let before = latency.weight();
        for _ in 0..10_000 {
            latency.spread(&Spread::one(7), Millis(1_000 + 2 * HALF_LIFE_MS));
        }
        assert!(before < 200 && latency.weight() <= u64::from(MAX_SAMPLES), "{before}, {}", latency.weight());
        assert_eq!(latency.spread.within(95), 7, "a busy target's are its last");
        latency.spread(&Spread::one(9), Millis(u64::MAX));
        assert_eq!(latency.weight(), 1);
    }
}
