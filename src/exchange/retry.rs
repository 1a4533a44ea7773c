//! What follows a try that failed: the same target again, another one, or an error for the caller.

use super::{Exchange, MAX_TRIES, MAX_TRIES_HERE, State, story};
use crate::{
    chat::event::UpstreamError,
    plan::{
        Attempt, Reason,
        outcome::{Again, Outcome},
        seed,
    },
    units::Millis,
};

impl Exchange {
    /// One try is over without an answer: what now?
    pub(super) fn judge(&mut self, outcome: Outcome, error: &UpstreamError, now: Millis) {
        if self.after.is_resumed() {
            return self.judge_resumed(outcome, now);
        }
        self.forfeit();
        self.note_try(now, outcome.status, outcome.name());
        self.words = story::machine_word(error);
        self.learn(&outcome, now);
        self.current.relay = None;
        self.current.first = vec![];
        let over = self.tries.len() >= MAX_TRIES || now >= self.retry_until() || now >= self.deadline();
        let provider = self.attempt_now().map_or("", |a| a.provider.as_str());
        let failure = outcome.to_error(provider, error);
        self.state = if !over && self.may_repeat(&outcome, now) {
            self.repeat(&outcome)
        } else if !over && self.move_on(&outcome) {
            State::Ready
        } else {
            State::Done(self.refuse(&failure, now))
        };
        self.failure = Some(failure);
        self.last = Some(outcome);
    }

    pub(super) fn may_repeat(&self, outcome: &Outcome, now: Millis) -> bool {
        if self.tries_here >= MAX_TRIES_HERE {
            return false;
        }
        let budget = self.retry_until().min(self.deadline()).since(now);
        // A probe is one request: when it fails, the cell has shut again.
        let is_probe = self.attempt_now().is_some_and(|a| a.reason == Reason::Probe);
        self.other_credential(outcome)
            || !is_probe
                && match outcome.again_here() {
                    Again::Never => false,
                    Again::After { max_ms, .. } => max_ms < budget,
                    Again::WaitFor { ms } => ms < budget,
                }
    }

    /// A failure of the credential: another one of the same provider comes before another target.
    fn other_credential(&self, outcome: &Outcome) -> bool {
        outcome.other_credential_first() && self.attempt_now().is_some_and(|a| self.credential + 1 < a.credentials.len())
    }

    pub(super) fn repeat(&mut self, outcome: &Outcome) -> State {
        if self.other_credential(outcome) {
            self.credential += 1;
            return State::Ready;
        }
        match outcome.again_here() {
            Again::Never => State::Ready,
            Again::After { min_ms, max_ms } => {
                let draw = seed::fold(self.call.seed, &format!("wait {}", self.tries.len()));
                State::Pause(min_ms + seed::below(draw, max_ms.saturating_sub(min_ms)))
            }
            Again::WaitFor { ms } => State::Pause(ms),
        }
    }

    /// To the next attempt that could do better; false when there is none.
    fn move_on(&mut self, outcome: &Outcome) -> bool {
        if !outcome.may_move_on() {
            return false;
        }
        if outcome.needs_larger_window() {
            self.too_small = self.too_small.max(self.attempt_now().map(|a| a.context));
        }
        self.advance()
    }

    /// To the next attempt whose window may hold the request; false when there is none.
    pub(super) fn advance(&mut self) -> bool {
        let fits = |a: &Attempt| self.too_small.is_none_or(|window| a.context > window || a.context == 0);
        let next = self.plan.attempts.iter().enumerate().skip(self.attempt + 1).find(|(_, a)| fits(a));
        let Some((index, _)) = next else { return false };
        self.attempt = index;
        self.tries_here = 0;
        self.credential = 0;
        true
    }
}
