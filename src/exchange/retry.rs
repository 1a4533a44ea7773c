//! What follows a try that failed: the same target again, another one, or an error for the caller.

use super::{Exchange, MAX_TRIES, MAX_TRIES_HERE, State, story};
use crate::{
    chat::event::UpstreamError,
    config::OnContentFilter,
    plan::{
        Attempt, Reason,
        outcome::{Again, Class, Outcome},
        seed,
    },
    units::Millis,
};

/// Characters of a credential: what is shorter is a word that a message may have.
const MIN_SECRET: usize = 8;

impl Exchange {
    /// One try is over without an answer: what now?
    pub(super) fn judge(&mut self, outcome: Outcome, error: &UpstreamError, now: Millis) {
        let error = &self.discreet(error);
        let is_left = outcome.class == Class::Gone;
        if is_left {
            self.owe();
        }
        if self.after.is_resumed() {
            return self.judge_resumed(outcome, now);
        }
        // What broke once it had begun to answer is not asked again: another target is.
        let outcome = Outcome { settled: outcome.settled || !is_left && self.forfeit(), ..outcome };
        self.note_try(now, outcome.status, outcome.name());
        self.words = story::machine_word(error);
        self.learn(&outcome, now);
        self.current.relay = None;
        self.current.first = vec![];
        let (provider, own) = self.attempt_now().map_or(("", false), |a| (a.provider.as_str(), a.own.is_some()));
        let mut failure = outcome.to_error(provider, error);
        if own {
            failure = outcome.of_own_key(provider, failure);
        }
        self.state = match self.onward(&outcome, now) {
            Some(state) => state,
            None if self.leaves_it(&outcome, now) => State::Idle,
            None => State::Done(self.refuse(&failure, now)),
        };
        self.failure = Some(failure);
        self.last = Some(outcome);
    }

    /// What a provider said, without the credential it was sent: some servers repeat a request that they refuse.
    fn discreet(&self, error: &UpstreamError) -> UpstreamError {
        let provider = self.attempt_now().and_then(|attempt| self.config.providers.get(&attempt.provider));
        let secrets = || provider.iter().flat_map(|provider| &provider.credentials).map(|secret| secret.value.trim());
        let mut said = error.clone();
        let texts = [Some(&mut said.message), said.code.as_mut(), said.kind.as_mut(), said.param.as_mut()];
        for text in texts.into_iter().flatten() {
            for secret in secrets().filter(|secret| secret.len() >= MIN_SECRET && text.contains(secret)).collect::<Vec<_>>() {
                *text = text.replace(secret, "…");
            }
        }
        said
    }

    /// No try begins later.
    pub(super) fn retries_end(&self) -> Millis {
        self.retry_until().min(self.deadline())
    }

    /// How it goes on; `None`: not at all.
    fn onward(&mut self, outcome: &Outcome, now: Millis) -> Option<State> {
        let left = MAX_TRIES.saturating_sub(self.begun_tries());
        if left == 0 || now >= self.retries_end() || self.is_late() {
            return None;
        }
        self.repeated(outcome, now).or_else(|| self.move_on(outcome).then_some(State::Ready))
    }

    /// The same target, with another credential or after a while.
    pub(super) fn repeated(&mut self, outcome: &Outcome, now: Millis) -> Option<State> {
        self.note_soonest(outcome, now);
        if self.other_credential(outcome, MAX_TRIES.saturating_sub(self.begun_tries())) {
            self.credential += 1;
            return Some(State::Ready);
        }
        self.again(outcome, now)
    }

    /// The other call may still answer. That the request itself is at fault is known once its first target says so: a
    /// second one, perhaps of another kind, does not speak for the first.
    fn leaves_it(&self, outcome: &Outcome, now: Millis) -> bool {
        let is_settled = self.is_late() && !self.may_move_on(outcome);
        self.is_other_under_way() && !is_settled && now < self.deadline()
    }

    /// A failure of the credential: another one of the same provider comes before another target, for which one try is
    /// kept.
    fn other_credential(&self, outcome: &Outcome, left: usize) -> bool {
        let kept = usize::from(self.next_attempt().is_some());
        let is_there = self.attempt_now().is_some_and(|a| self.credential + 1 < a.credentials.len());
        outcome.other_credential_first() && is_there && left > kept
    }

    /// Remembers which of the target's credentials may be used again first.
    fn note_soonest(&mut self, outcome: &Outcome, now: Millis) {
        let ms = match outcome.again_here() {
            Again::Never => return,
            Again::After { min_ms, max_ms } => {
                let draw = seed::fold(self.call.seed, &format!("wait {}", self.tries.len()));
                min_ms + seed::below(draw, max_ms.saturating_sub(min_ms))
            }
            Again::WaitFor { ms } => ms,
        };
        if self.soonest.is_none_or(|(at, _)| now.plus(ms) < at) {
            self.soonest = Some((now.plus(ms), self.credential));
        }
    }

    /// The same target once more, with the credential that may be used first.
    fn again(&mut self, outcome: &Outcome, now: Millis) -> Option<State> {
        // A probe is one request: when it fails, the cell has shut again.
        let is_probe = self.attempt_now().is_some_and(|a| a.reason == Reason::Probe);
        let is_of_use = outcome.other_credential_first() || outcome.again_here() != Again::Never;
        let is_spent = self.repeated || is_probe || self.tries_here >= MAX_TRIES_HERE;
        let end = self.retries_end();
        let (at, credential) = self.soonest.take().filter(|(at, _)| is_of_use && !is_spent && *at < end)?;
        // The ones in front of the one in use have been used.
        if let Some(attempt) = self.plan.attempts.get_mut(self.attempt)
            && credential < attempt.credentials.len()
        {
            attempt.credentials.swap(credential, self.credential);
        }
        self.repeated = true;
        Some(State::Pause(at.since(now)))
    }

    fn may_move_on(&self, outcome: &Outcome) -> bool {
        let routes_around = self.plan.on_content_filter == OnContentFilter::Fallback;
        outcome.may_move_on() || (routes_around && outcome.class == Class::ContentFilter)
    }

    /// Whether an answer that the provider's filter withheld whole is worth another target.
    pub(super) fn moves_on_when_filtered(&self) -> bool {
        let has_next = self.next_attempt().is_some() && self.begun_tries() + 1 < MAX_TRIES;
        self.plan.on_content_filter == OnContentFilter::Fallback && (has_next || self.is_late())
    }

    /// To the next attempt that could do better; false when there is none.
    fn move_on(&mut self, outcome: &Outcome) -> bool {
        if !self.may_move_on(outcome) {
            return false;
        }
        if outcome.needs_larger_window() {
            self.too_small = self.too_small.max(self.attempt_now().map(|a| a.context));
            self.call_larger();
        }
        self.advance()
    }

    /// The plan had no room for the target with the largest window; what it skips now makes some.
    fn call_larger(&mut self) {
        let too_small = self.too_small.unwrap_or_default();
        if self.next_attempt().is_none() && self.begun < self.plan.attempts.len() {
            self.plan.attempts.extend(self.plan.larger.take().filter(|larger| larger.context > too_small));
        }
    }

    /// To the next attempt whose window may hold the request; false when there is none.
    pub(super) fn advance(&mut self) -> bool {
        let Some(index) = self.next_attempt() else { return false };
        if let Some(left) = self.attempt_now().map(Attempt::cell) {
            self.release(&left);
        }
        (self.attempt, self.furthest) = (index, index);
        self.begun += 1;
        (self.tries_here, self.repeated, self.credential, self.soonest) = (0, false, 0, None);
        true
    }

    /// No attempt comes twice.
    pub(super) fn next_attempt(&self) -> Option<usize> {
        let fits = |a: &Attempt| self.too_small.is_none_or(|window| a.context > window || a.context == 0);
        self.plan.attempts.iter().enumerate().skip(self.furthest + 1).find(|(_, a)| fits(a)).map(|(index, _)| index)
    }
}
