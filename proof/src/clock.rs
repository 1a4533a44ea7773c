//! The monotonic clock, read in one place.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "this is a native program; only the Worker may not read a clock")]
pub fn now() -> Instant {
    Instant::now()
}
