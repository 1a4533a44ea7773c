//! How long is waited, and for what (FAILOVER 3).

use super::Exchange;
use crate::{
    plan::outcome::{Phase, Transport},
    units::Millis,
};

impl Exchange {
    /// When everything must be over.
    pub(super) fn deadline(&self) -> Millis {
        let timeouts = self.plan.attempts.get(self.attempt).map(|a| &a.timeouts);
        let total = timeouts.map_or(0, |t| if self.call.facts.stream { t.total_ms } else { t.non_stream_total_ms });
        self.call.started.plus(total)
    }

    pub(super) fn read_timeout(&self, whole: bool, now: Millis) -> u64 {
        let left = self.deadline().since(now);
        let Some(attempt) = self.plan.attempts.get(self.attempt) else { return left };
        let first = self.current.sent.plus(attempt.timeouts.first_token_ms).since(now);
        if whole && !self.call.facts.stream { left.max(1) } else { left.min(first).max(1) }
    }

    /// A timeout before the head is the headers'; after it the first token's; without a stream the whole's.
    pub(super) fn phased(&self, transport: Transport) -> Transport {
        if transport == Transport::Timeout(Phase::Headers) && !self.call.facts.stream {
            Transport::Timeout(Phase::Answer)
        } else {
            transport
        }
    }
}
