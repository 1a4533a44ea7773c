//! A stream on its way to the commit point, and through it.

use std::rc::Rc;

use super::{
    Exchange, Relaying, Rest, State, Step, answer,
    relay::{self, Relay},
    reply,
};
use crate::{
    chat::event::UpstreamError,
    config::OnStreamBreak,
    error::{Error, Kind},
    ledger::record::OK,
    plan::outcome,
    units::Millis,
    wire::framing::Framing,
};

impl Exchange {
    pub(super) fn new_relay(&mut self, framing: Framing) -> Option<Relay> {
        let attempt = self.plan.attempts.get(self.attempt)?;
        // Without another target there is nobody to go on, and nothing to be remembered for it.
        let is_last = self.next_attempt().is_none() && !self.after.is_resumed();
        let on_break = match self.plan.on_stream_break {
            OnStreamBreak::Continue if is_last => OnStreamBreak::Error,
            mode @ (OnStreamBreak::Error | OnStreamBreak::Continue | OnStreamBreak::Atomic) => mode,
        };
        let mut relay = Relay::new(relay::Route {
            caller: self.call.caller,
            verbatim: self.call.is_verbatim(attempt),
            framing,
            request_id: self.call.id.clone(),
            upstream_dialect: attempt.dialect,
            facts: self.call.facts.clone(),
            body: Rc::clone(&self.call.body),
            stamp: reply::stamp(&self.call, attempt),
            provider: attempt.provider.clone(),
            on_break,
            moves_on_when_filtered: self.moves_on_when_filtered(),
            price: self.config.price(&attempt.provider, &attempt.model).cloned(),
            request_bytes: u64::try_from(self.call.body.len()).unwrap_or(u64::MAX),
        });
        if let Some(thread) = self.after.thread.take() {
            relay.take_over(thread);
        }
        self.record_stream(&mut relay);
        Some(relay)
    }

    pub(super) fn received_chunk(&mut self, bytes: &[u8], now: Millis) {
        let Some(relay) = &mut self.current.relay else { return };
        let out = relay.push(bytes);
        self.current.first.extend_from_slice(&out);
        self.after_relay(now);
    }

    pub(super) fn received_end(&mut self, now: Millis) {
        let Some(relay) = &mut self.current.relay else {
            return self.judge(outcome::broken(200), &UpstreamError::default(), now);
        };
        let out = relay.end(relay::Ended::Closed, &[], 0);
        self.current.first.extend_from_slice(&out);
        self.after_relay(now);
    }

    fn after_relay(&mut self, now: Millis) {
        if self.plan.on_stream_break == OnStreamBreak::Atomic {
            return self.gather(now);
        }
        let Some(relay) = &self.current.relay else { return };
        // What a target that goes on has said is in the caller's stream: it is too late to take it back.
        let is_said = self.after.is_resumed() && relay.is_committed();
        if let Some((error, outcome)) = relay.failure().filter(|_| !is_said).cloned() {
            return self.judge(outcome, &error, now);
        }
        if relay.is_committed() {
            self.state = State::Committed;
        }
    }

    pub(super) fn commit(&mut self, now: Millis) -> Step {
        let (Some(relay), Some(attempt)) = (self.current.relay.take(), self.plan.attempts.get(self.attempt).cloned()) else {
            return Step::Reply(self.refuse(&Error::new(Kind::Internal, "There is no stream to pass on."), now));
        };
        let status = self.current.head.as_ref().map_or(200, |h| h.status);
        self.end_other(now);
        self.last = None;
        self.words = None;
        self.note_try(now, status, OK);
        let mut headers = self.story(now);
        headers.push(("content-type".to_owned(), answer::stream_type(&self.call.facts).to_owned()));
        headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        self.state = State::Over;
        self.after.first_ms = self.after.first_ms.or(self.decisive().map(|t| t.ms));
        if relay.is_followed() {
            self.after.keep(&self.call.body);
        } else {
            self.release_rest();
        }
        self.call.body = Rc::default();
        let mut first = std::mem::take(&mut self.after.owed);
        first.append(&mut self.current.first);
        Step::Relay(Box::new(Relaying {
            relay,
            headers,
            rest: Rest { first, idle_ms: attempt.timeouts.idle_ms, total_ms: self.deadline().since(now).max(1) },
        }))
    }
}
