//! What of an exchange is worth keeping for the next who asks the same: a whole, good answer, as the caller was sent it.

use super::{Exchange, answer::JSON, relay::Relay, reply::Body};
use crate::{
    cache::{MAX_BYTES, Slot, Standing, Stored},
    chat::response::StopReason,
    plan::Attempt,
    units::Millis,
};

/// Milliseconds in the second that a slot counts in.
const MS_PER_SECOND: u64 = 1_000;

/// The cache's part in an exchange.
#[derive(Default)]
pub(super) struct Keeping {
    pub standing: Standing,
    /// A good answer is kept for so long.
    ttl_s: Option<u64>,
    kept: Option<Stored>,
}

impl Exchange {
    /// There is a cache for this request, and it had no answer.
    #[must_use]
    pub fn missed(mut self, slot: &Slot) -> Self {
        // A target further in may require what neither the caller nor the route named does.
        let zdr = self.plan.attempts.iter().chain(&self.plan.larger).any(|attempt| attempt.zdr);
        if !zdr {
            self.keeping = Keeping { standing: Standing::Miss, ttl_s: Some(slot.ttl_s).filter(|_| slot.writes), kept: None };
        }
        self
    }

    /// What is to be stored now that the answer is over; given out once.
    pub fn take_kept(&mut self) -> Option<Stored> {
        self.keeping.kept.take()
    }

    pub(super) const fn keeps_answers(&self) -> bool {
        self.keeping.ttl_s.is_some()
    }

    /// Every byte of this stream is to be seen.
    pub(super) fn record_stream(&self, relay: &mut Relay) {
        if self.keeps_answers() {
            relay.record();
        }
    }

    /// A whole answer that the provider's filter let through. `upstream`: its own bytes.
    pub(super) fn keep_answer(&mut self, stop: Option<StopReason>, body: &Body, upstream: &[u8], now: Millis) {
        let bytes = match body {
            Body::Text(text) => text.as_bytes(),
            Body::Upstream => upstream,
        };
        if self.keeps_answers() && stop != Some(StopReason::ContentFilter) {
            let bytes = bytes.to_vec();
            self.keep(bytes, now);
        }
    }

    /// A stream that is over.
    pub(super) fn keep_stream(&mut self, relay: &mut Relay, now: Millis) {
        let whole = relay.take_recorded();
        if let Some(bytes) = whole.filter(|_| self.keeps_answers() && !self.after.spliced) {
            self.keep(bytes, now);
        }
    }

    fn keep(&mut self, body: Vec<u8>, now: Millis) {
        let (Some(ttl_s), Some(attempt)) = (self.keeping.ttl_s, self.attempt_now()) else { return };
        if body.is_empty() || body.len() > MAX_BYTES || self.served_here {
            return;
        }
        let Attempt { provider, model, .. } = attempt.clone();
        let is_stream = self.call.facts.stream;
        self.keeping.kept = Some(Stored {
            provider,
            model,
            answered_by: self.receipt.model.clone(),
            content_type: if is_stream { super::answer::stream_type(&self.call.facts) } else { JSON }.to_owned(),
            usage: self.receipt.usage,
            estimated: self.receipt.estimated,
            until: now.plus(ttl_s.saturating_mul(MS_PER_SECOND)),
            body,
        });
    }
}
