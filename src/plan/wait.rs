//! A route without a usable target: `fail` at once, or `wait` for one that is back.

use crate::{
    error::{Error, Kind},
    units::Millis,
};

/// What callers are asked to wait at least: SDKs take 0 for "at once".
const MIN_WAIT_MS: u64 = 1_000;
/// Between two looks at health: an outage may end before its time.
const LOOK_MS: u64 = 500;
const MIN_LOOK_MS: u64 = 50;

/// For a target to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Since the request came.
    max_ms: u64,
    /// When the first target may be back.
    until: Option<Millis>,
}

impl Wait {
    pub(super) const fn new(max_ms: u64, until: Option<Millis>) -> Self {
        Self { max_ms, until }
    }

    /// How long to wait before a new plan is made, for a request that came at `started`; then it is told when to come
    /// again.
    pub fn pause(self, started: Millis, now: Millis) -> Result<u64, Error> {
        let left = started.plus(self.max_ms).since(now);
        if left == 0 {
            return Err(all_out(self.until, now));
        }
        let soonest = self.until.map_or(LOOK_MS, |until| until.since(now));
        Ok(soonest.clamp(MIN_LOOK_MS, LOOK_MS).min(left))
    }
}

pub(super) fn all_out(until: Option<Millis>, now: Millis) -> Error {
    let wait = until.map(|until| until.since(now).max(MIN_WAIT_MS));
    Error::new(Kind::Unavailable, "All targets of this route are unavailable at the moment. Try again after the time given.")
        .with_wait(wait)
}
