//! How long is waited, and for what (FAILOVER 3).

use super::{Exchange, Relay, atomic::SETTLE_MS};
use crate::{
    config::OnStreamBreak,
    plan::{
        Reason,
        outcome::{Phase, Transport},
    },
    units::Millis,
};

/// The status has told what to do; a reason that does not come is not waited for.
const MAX_REASON_MS: u64 = 2_000;
/// An isolate may speak of its probe for 90 s (`Tuning::probe_ms`), then another one may begin. Without stream silence would
/// last five minutes.
const MAX_PROBE_MS: u64 = 60_000;

impl Exchange {
    /// When everything must be over.
    pub(super) fn deadline(&self) -> Millis {
        self.call.started.plus(self.plan.total_ms)
    }

    /// No new try begins later. What is held may break at any time; and once an answer has begun, the time counts from
    /// where it broke.
    pub(super) fn retry_until(&self) -> Millis {
        match (self.after.broken_at(), self.plan.on_stream_break) {
            (Some(since), _) => since.plus(self.plan.retry_total_ms),
            (None, OnStreamBreak::Atomic) => self.deadline(),
            (None, OnStreamBreak::Error | OnStreamBreak::Continue) => self.call.started.plus(self.plan.retry_total_ms),
        }
    }

    /// Until the head of the answer. Without stream it comes when the answer is done.
    pub(super) fn head_timeout(&mut self, now: Millis) -> u64 {
        let timeouts = self.attempt_now().map(|a| a.timeouts).filter(|_| self.call.facts.stream);
        let limit = timeouts.map_or(u64::MAX, |t| t.headers_ms.min(t.first_token_ms));
        self.within(limit.min(self.probe_limit(now)), now)
    }

    /// Until the whole answer, or the next chunk before anything is committed.
    pub(super) fn read_timeout(&mut self, now: Millis) -> u64 {
        let timeouts = self.attempt_now().map(|a| a.timeouts).filter(|_| self.call.facts.stream);
        let first = match (&self.current.relay, timeouts) {
            // It is held until it is whole.
            (Some(relay), Some(t)) if relay.is_committed() => {
                if relay.is_told(&[]) {
                    SETTLE_MS.min(t.idle_ms / 4)
                } else {
                    t.idle_ms
                }
            }
            (_, Some(t)) => self.current.sent.plus(t.first_token_ms).since(now),
            (_, None) => u64::MAX,
        };
        let reason = if self.is_refused() { MAX_REASON_MS } else { u64::MAX };
        self.within(first.min(reason).min(self.probe_limit(now)), now)
    }

    /// Until the first content of a probe, or its whole answer: two must not be on their way at once.
    fn probe_limit(&self, now: Millis) -> u64 {
        let is_probe = self.attempt_now().is_some_and(|attempt| attempt.reason == Reason::Probe);
        // What has begun to come and is held until it is whole has shown that its provider is back.
        if is_probe && !self.current.relay.as_ref().is_some_and(Relay::is_committed) {
            self.current.sent.plus(MAX_PROBE_MS).since(now)
        } else {
            u64::MAX
        }
    }

    /// The provider's own limit, or what is left of the whole; it is remembered which.
    fn within(&mut self, limit_ms: u64, now: Millis) -> u64 {
        let left = self.deadline().since(now);
        self.current.by_total = left < limit_ms;
        left.min(limit_ms).max(1)
    }

    /// The head says it was refused; only the reason is still to come.
    pub(super) fn is_refused(&self) -> bool {
        self.current.head.as_ref().is_some_and(|head| !(200..300).contains(&head.status))
    }

    /// A wait that only the caller's deadline ended is nobody's fault. Without stream that is the only limit, and the
    /// first try had all of it.
    pub(super) fn phased(&self, transport: Transport) -> Transport {
        match transport {
            Transport::Timeout(_) if self.current.by_total && (self.call.facts.stream || !self.tries.is_empty()) => {
                Transport::Timeout(Phase::Total)
            }
            Transport::Timeout(Phase::Headers) if !self.call.facts.stream => Transport::Timeout(Phase::Answer),
            Transport::Timeout(_)
            | Transport::Dns
            | Transport::Tls
            | Transport::Refused
            | Transport::Reset
            | Transport::ClientGone
            | Transport::Rejected
            | Transport::NoToken => transport,
        }
    }
}
