//! How times are spread: counted in buckets, the same on any machine, so that counts of several places add up.

/// Counts by bucket, and the sum of what was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The quickest first; none is empty.
    counts: Vec<(u8, u64)>,
    sum_ms: u64,
}

/// Seventeen minutes: longer than any answer may take by default. What took longer counts as this.
const LONGEST_MS: u64 = 1 << 20;
/// Up to here each millisecond has a bucket of its own; above, each doubling has eight.
const FINE_MS: u64 = 16;

impl Histogram {
    pub fn add(&mut self, ms: u64) {
        self.put(bucket(ms), 1);
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    fn put(&mut self, bucket: u8, count: u64) {
        // Times of one target are near each other, and few: no search is quicker.
        let at = self.counts.iter().position(|(other, _)| *other >= bucket).unwrap_or(self.counts.len());
        match self.counts.get_mut(at) {
            Some((other, known)) if *other == bucket => *known = known.saturating_add(count),
            _ => self.counts.insert(at, (bucket, count)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            self.put(*bucket, *count);
        }
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| *count).sum()
    }

    pub const fn sum_ms(&self) -> u64 {
        self.sum_ms
    }

    /// What so many of a hundred stay within, to a sixteenth of it.
    pub fn within(&self, percent: u64) -> Option<u64> {
        let mut left = self.count().saturating_mul(percent).div_ceil(100);
        for (bucket, count) in &self.counts {
            left = left.saturating_sub(*count);
            if left == 0 {
                return Some(middle(*bucket));
            }
        }
        None
    }

    /// How many were at most as long. Exact for the powers of two.
    pub fn up_to(&self, ms: u64) -> u64 {
        self.counts.iter().take_while(|(bucket, _)| span(*bucket).1 <= ms).map(|(_, count)| *count).sum()
    }

    /// `sum,bucket,count,bucket,count`
    pub(super) fn write(&self, out: &mut String) {
        out.push_str(&self.sum_ms.to_string());
        for (bucket, count) in &self.counts {
            out.push_str(&format!(",{bucket},{count}"));
        }
    }

    pub(super) fn read(text: &str) -> Self {
        let mut numbers = text.split(',').map(|number| number.parse().unwrap_or(0_u64));
        let mut read = Self { counts: vec![], sum_ms: numbers.next().unwrap_or(0) };
        while let (Some(bucket), Some(count)) = (numbers.next(), numbers.next()) {
            read.put(u8::try_from(bucket).unwrap_or(u8::MAX).min(bucket_of_longest()), count);
        }
        read
    }
}

fn bucket_of_longest() -> u8 {
    bucket(LONGEST_MS)
}

/// 0 for nothing, then one a millisecond, then eight a doubling. Its longest time belongs to a bucket.
fn bucket(ms: u64) -> u8 {
    let Some(before) = ms.min(LONGEST_MS).checked_sub(1) else { return 0 };
    let doublings = before.checked_ilog2().map_or(0, |log| log.saturating_sub(FINE_MS.ilog2() - 1));
    u8::try_from(1 + u64::from(doublings) * (FINE_MS / 2) + (before >> doublings)).unwrap_or(u8::MAX)
}

/// The shortest and the longest time of a bucket.
fn span(bucket: u8) -> (u64, u64) {
    let Some(place) = u64::from(bucket).checked_sub(1) else { return (0, 0) };
    let half = FINE_MS / 2;
    let doublings = (place / half).saturating_sub(1);
    let (low, width) = ((place - doublings * half) << doublings, 1 << doublings);
    (low + 1, low + width)
}

fn middle(bucket: u8) -> u64 {
    let (low, high) = span(bucket);
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use super::{Histogram, LONGEST_MS, bucket, span};

    #[test]
    fn a_quantile_is_right_to_a_sixteenth() {
        let mut last = 0;
        for ms in 0..=LONGEST_MS {
            let mut one = Histogram::default();
            one.add(ms);
            let found = one.within(50).unwrap();
            assert!(found.abs_diff(ms) * 16 <= ms, "{ms}: {found}");
            assert!(found >= last, "{ms}: {found} after {last}");
            last = found;
            let (low, high) = span(bucket(ms));
            assert!((low..=high).contains(&ms), "{ms}: {low} to {high}");
        }
        let mut all = Histogram::default();
        (1..=1_000).for_each(|ms| all.add(ms));
        for (percent, right) in [(1, 10), (50, 500), (95, 950), (99, 990), (100, 1_000)] {
            let found = all.within(percent).unwrap();
            assert!(found.abs_diff(right) * 16 <= right, "{percent}: {found}");
        }
        assert_eq!((all.count(), all.sum_ms()), (1_000, 500_500));
        assert_eq!(Histogram::default().within(95), None);
    }

    #[test]
    fn counts_at_powers_of_two_are_exact() {
        let mut all = Histogram::default();
        (0..5_000).for_each(|ms| all.add(ms));
        for (ms, right) in [(0, 1), (1, 2), (2, 3), (4, 5), (16, 17), (32, 33), (1_024, 1_025), (4_096, 4_097), (8_192, 5_000)] {
            assert_eq!(all.up_to(ms), right, "{ms}");
        }
        let mut late = Histogram::default();
        late.add(LONGEST_MS * 3);
        assert_eq!((late.up_to(LONGEST_MS), late.sum_ms()), (1, LONGEST_MS * 3));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut some = Histogram::default();
        [0, 0, 3, 17, 90_000, u64::MAX].iter().for_each(|ms| some.add(*ms));
        let mut text = String::new();
        some.write(&mut text);
        assert_eq!(Histogram::read(&text), some);
        for wrong in ["", "x", "1,2", ",,,", "5,999,1", "-1,3,4"] {
            // Never more than what can be made sense of.
            assert!(Histogram::read(wrong).count() <= 4, "{wrong}");
        }
    }
}
