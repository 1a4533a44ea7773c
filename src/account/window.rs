//! What was counted in the last 60 seconds, by the second.

use crate::units::Millis;

const SECOND_MS: u64 = 1_000;
/// A second that has begun counts whole: no 60 seconds, wherever they begin, hold more than the window.
const SECONDS: u64 = 61;

/// Seconds with their counts, in order. Some are still to come: a lease counts as if it were spent when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Window(pub(super) Vec<(u64, u64)>);

const fn second(at: Millis) -> u64 {
    at.0 / SECOND_MS
}

impl Window {
    pub(super) fn put(&mut self, at: Millis, count: u64) {
        if count == 0 {
            return;
        }
        let second = second(at);
        match self.0.binary_search_by_key(&second, |(known, _)| *known) {
            Ok(place) => self.0.iter_mut().skip(place).take(1).for_each(|(_, known)| *known = known.saturating_add(count)),
            Err(place) => self.0.insert(place, (second, count)),
        }
    }

    /// Takes back what was counted too much, as far as it still counts.
    pub(super) fn take(&mut self, at: Millis, count: u64) {
        let second = second(at);
        let slot = self.0.iter_mut().find(|(known, _)| *known == second);
        slot.into_iter().for_each(|(_, known)| *known = known.saturating_sub(count));
    }

    pub(super) fn forget(&mut self, now: Millis) {
        let first = second(now).saturating_add(1).saturating_sub(SECONDS);
        self.0.retain(|(second, count)| *second >= first && *count > 0);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// How long until at most `room` are counted; nothing where that is so, or never will be.
    pub(super) fn wait(&self, room: u64, now: Millis) -> u64 {
        let mut sum = self.sum();
        for (second, count) in &self.0 {
            if sum <= room {
                break;
            }
            sum = sum.saturating_sub(*count);
            if sum <= room {
                return Millis(second.saturating_add(SECONDS).saturating_mul(SECOND_MS)).since(now);
            }
        }
        0
    }
}
