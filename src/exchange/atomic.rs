//! An answer of which nothing is sent before it is whole.

use super::{Exchange, State, answer, relay::Ended, reply::Body};
use crate::{ledger::numbers, plan::outcome::Transport, units::Millis};

/// Bytes of a stream that are held. More is passed on as it comes, and breaks as any other would: an isolate has 128 MiB
/// for all of its requests.
const MAX_GATHERED: usize = 4 << 20;

/// Silence after which an answer whose reason to stop was told is taken to be complete: usage follows that reason within
/// milliseconds, and FAILOVER allows eight seconds.
pub const SETTLE_MS: u64 = 5_000;

impl Exchange {
    /// More of it came.
    pub(super) fn gather(&mut self, now: Millis) {
        let Some(relay) = &self.current.relay else { return };
        if let Some((error, outcome)) = relay.failure().cloned() {
            return self.judge(outcome, &error, now);
        }
        if relay.is_over() {
            self.give_gathered(now);
        } else if self.current.first.len() > MAX_GATHERED {
            self.state = State::Committed;
        }
    }

    /// Whether a stream that was held is complete, though its provider did not end it well.
    pub(super) fn is_gathered(&self, transport: Transport) -> bool {
        let is_told = self.current.relay.as_ref().is_some_and(|relay| relay.is_committed() && relay.is_told(&[]));
        is_told && transport != Transport::ClientGone
    }

    fn give_gathered(&mut self, now: Millis) {
        let (Some(mut relay), Some(attempt)) = (self.current.relay.take(), self.attempt_now().cloned()) else { return };
        self.receipt = relay.receipt().clone();
        self.receipt.raw_usage = relay.raw_usage().and_then(numbers::of);
        self.keep_stream(&mut relay, now);
        self.served(now);
        let first = std::mem::take(&mut self.current.first);
        let body = String::from_utf8(first).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let cost = self.cost(&attempt);
        self.deliver(Body::Text(body), (answer::stream_type(&self.call.facts), cost), now);
    }

    /// What was said in vain has its price all the same. Whether there was any.
    pub(super) fn forfeit(&mut self) -> bool {
        let Some(relay) = self.current.relay.as_mut().filter(|relay| relay.is_committed()) else { return false };
        drop(relay.end(Ended::Cut, &[], 0));
        self.receipt = relay.receipt().clone();
        self.after.spent = self.spent();
        self.receipt = crate::ledger::Receipt::default();
        true
    }
}
