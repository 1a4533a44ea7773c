//! The numbers of the breaker, as they are unless the operator says otherwise.

use crate::config::Breaker;

/// The numbers of FAILOVER 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    pub window_ms: u64,
    /// Outcomes before a ratio means anything.
    pub min_requests: u64,
    pub open_percent: u64,
    pub in_a_row: u32,
    pub open_ms: u64,
    /// The longest opening while the outage is young.
    pub early_max_open_ms: u64,
    pub early_ms: u64,
    pub max_open_ms: u64,
    pub jitter_percent: u8,
    pub probes_to_close: u32,
    /// A step of the ramp takes this long, or `ramp_successes`, but never less than `ramp_min_ms`.
    pub ramp_ms: u64,
    pub ramp_min_ms: u64,
    pub ramp_successes: u32,
    pub degraded_percent: u64,
    pub slow_factor: u64,
    /// Faster than this is never slow, whatever its baseline.
    pub slow_floor_ms: u64,
    /// A permit not used by then goes to another isolate: short, for the primary must be back in 30 s.
    pub lease_ms: u64,
    /// A probe on its way has an outcome by then: longer than the longest first-token deadline.
    pub probe_ms: u64,
    /// Without a word of who makes it, a probe is believed in no longer: its isolate may be dead. Three reports of a busy one.
    pub held_ms: u64,
    /// Counters travel, and news are fetched, this often: 10 calls per 1 000 requests at 20 a second.
    pub sync_ms: u64,
    /// The least time between two calls that no change of state demands.
    pub gap_ms: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            window_ms: 30_000,
            min_requests: 5,
            open_percent: 50,
            in_a_row: 3,
            open_ms: 5_000,
            early_max_open_ms: 20_000,
            early_ms: 600_000,
            max_open_ms: 120_000,
            jitter_percent: 10,
            probes_to_close: 2,
            ramp_ms: 5_000,
            ramp_min_ms: 1_000,
            ramp_successes: 5,
            degraded_percent: 10,
            slow_factor: 3,
            slow_floor_ms: 500,
            lease_ms: 10_000,
            probe_ms: 90_000,
            held_ms: 15_000,
            sync_ms: 5_000,
            gap_ms: 1_000,
        }
    }
}

impl Tuning {
    /// The defaults with what the operator says.
    pub fn of(breaker: &Breaker) -> Self {
        let usual = Self::default();
        let open_ms = breaker.open_ms.unwrap_or(usual.open_ms);
        let ramp_ms = breaker.ramp_ms.unwrap_or(usual.ramp_ms);
        let in_a_row = breaker.consecutive_failures.and_then(|count| u32::try_from(count).ok());
        Self {
            window_ms: breaker.window_ms.unwrap_or(usual.window_ms),
            min_requests: breaker.min_requests.unwrap_or(usual.min_requests),
            open_percent: breaker.failure_percent.unwrap_or(usual.open_percent),
            in_a_row: in_a_row.unwrap_or(usual.in_a_row),
            open_ms,
            early_max_open_ms: breaker.early_max_open_ms.unwrap_or(usual.early_max_open_ms),
            early_ms: breaker.early_ms.unwrap_or(usual.early_ms),
            max_open_ms: breaker.max_open_ms.unwrap_or(usual.max_open_ms),
            ramp_ms,
            // What is quicker than usual must not wait for what is not.
            ramp_min_ms: usual.ramp_min_ms.min(ramp_ms),
            gap_ms: usual.gap_ms.min(open_ms),
            ..usual
        }
    }
}
