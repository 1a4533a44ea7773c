//! What strategies go by: how a cell has done of late.

/// What a cell has done of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// To the first token, of half of its streams, and of 95 in 100.
    pub p50_ms: u64,
    pub p95_ms: u64,
    /// How many of them these are drawn from.
    pub samples: u64,
    /// Failures among a thousand requests in the window.
    pub failed_permille: u16,
}

/// A change of a percentile that is worth telling.
const NEWS_PERCENT: u64 = 10;
/// A change of the share of failures that is.
const NEWS_PERMILLE: u16 = 20;

impl Numbers {
    /// Enough for others to be told.
    pub(super) fn moved_from(&self, old: &Self) -> bool {
        let far = |new: u64, old: u64| new.abs_diff(old) * 100 > old * NEWS_PERCENT;
        let more = self.samples > old.samples.saturating_mul(2) || self.samples < old.samples / 2;
        let failed = (self.failed_permille == 0) != (old.failed_permille == 0)
            || self.failed_permille.abs_diff(old.failed_permille) >= NEWS_PERMILLE;
        more || failed || far(self.p50_ms, old.p50_ms) || far(self.p95_ms, old.p95_ms)
    }

    /// These of many, and `other` of so many more.
    pub(super) fn blend(self, other: Self, count: u64) -> Self {
        let all = self.samples.saturating_add(count).max(1);
        let mean = |mine: u64, theirs: u64| (mine * self.samples + theirs * count) / all;
        let failed = mean(u64::from(self.failed_permille), u64::from(other.failed_permille));
        Self {
            p50_ms: mean(self.p50_ms, other.p50_ms),
            p95_ms: mean(self.p95_ms, other.p95_ms),
            samples: self.samples.max(other.samples),
            failed_permille: u16::try_from(failed).unwrap_or_default(),
        }
    }
}
