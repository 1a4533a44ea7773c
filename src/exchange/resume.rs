//! After the commit point: a stream that broke, and the next target, which goes on with it.

use std::{cell::Cell, rc::Rc};

use super::{
    Exchange, MAX_TRIES, MAX_TRIES_HERE, Sendable, State, Step,
    closing::Thread,
    relay::{Ended, Relay},
    story,
};
use crate::{
    catalog,
    dialect::Dialect,
    error::Error,
    ledger::{Receipt, Spent},
    plan::outcome::{Class, Outcome},
    units::Millis,
    wire::json::{Outline, Piece, join},
};

/// Characters of an answer's end that a model is reminded of.
const REMINDER: usize = 200;

#[derive(Default)]
pub(super) struct After {
    /// The caller's stream, while no relay has it.
    pub thread: Option<Thread>,
    /// How it broke: what the caller is told should nobody go on.
    broke: Option<Broke>,
    /// Bytes for the caller that nothing has taken along yet.
    pub owed: Vec<u8>,
    /// The caller's own.
    body: Rc<Vec<u8>>,
    /// The target is asked to go on, for it does not take up what was said.
    asked: bool,
    since: Millis,
    /// What other targets were paid.
    pub spent: Option<Spent>,
    /// Until the first content of all.
    pub first_ms: Option<u64>,
    /// The head of the response has gone out before there was anything to tell.
    pub opened: Rc<Cell<bool>>,
    /// Another target has been turned to.
    pub spliced: bool,
    /// The instance died.
    pub trapped: bool,
}

struct Broke {
    /// Of the attempt that had said the last of it.
    attempt: usize,
    outcome: Outcome,
    words: Option<String>,
    error: Error,
}

impl After {
    pub const fn is_resumed(&self) -> bool {
        self.broke.is_some()
    }

    pub fn broken_at(&self) -> Option<Millis> {
        self.broke.as_ref().map(|_| self.since)
    }

    /// Keeps the request, for it may have to be sent again.
    pub fn keep(&mut self, body: &Rc<Vec<u8>>) {
        if self.body.is_empty() {
            self.body = Rc::clone(body);
        }
    }
}

impl Exchange {
    /// A committed stream is over. What follows, `next` tells: its last bytes, or another call.
    pub fn ended(&mut self, relay: &mut Relay, how: Ended, now: Millis) {
        let mut out = relay.end(how, &[], 0);
        self.relayed(relay, now);
        let broke = relay.fault().cloned();
        if broke.is_some_and(|outcome| self.goes_on(relay, outcome, now)) {
            self.state = State::Ready;
        } else {
            if relay.is_followed() {
                relay.last_words(&mut out);
            }
            self.after.broke = None;
            self.state = State::Last;
        }
        self.after.owed.append(&mut out);
    }

    /// Whether another target is there to go on, and is turned to.
    fn goes_on(&mut self, relay: &mut Relay, outcome: Outcome, now: Millis) -> bool {
        let can = relay.told.as_ref().is_some_and(|told| told.is_open()) && outcome.may_move_on();
        let in_time = self.tries.len() < MAX_TRIES && now < self.deadline();
        if !can || !in_time || self.has_form() {
            return false;
        }
        let Some(error) = relay.error() else { return false };
        let (attempt, spent) = (self.attempt, self.spent());
        if !self.advance() {
            return false;
        }
        let Some(mut thread) = relay.hand_over() else { return false };
        thread.told.hand_over();
        thread.told.spent = spent;
        let words = relay.failure().and_then(|(error, _)| story::machine_word(error));
        if let Some(last) = self.tries.last_mut() {
            last.outcome = outcome.name();
        }
        self.after.thread = Some(thread);
        self.after.broke = Some(Broke { attempt, outcome, words, error });
        self.after.since = now;
        self.after.spliced = true;
        self.after.asked = self.must_ask();
        self.after.spent = spent;
        self.receipt = Receipt::default();
        true
    }

    /// Two halves of a structure, or of its weights, do not make a whole.
    fn has_form(&self) -> bool {
        let body = std::str::from_utf8(&self.after.body).unwrap_or_default();
        let Ok(request) = self.call.caller.read_request(body) else { return true };
        let request = request.value;
        request.format.is_some() || request.logprobs || request.n.is_some_and(|n| n > 1)
    }

    /// What all targets were paid so far.
    pub(super) fn spent(&self) -> Option<Spent> {
        let price = self.attempt_now().and_then(|a| self.config.price(&a.provider, &a.model));
        let own = self.receipt.usage.map(|usage| Spent::of(usage, price, self.receipt.estimated));
        match (self.after.spent, own) {
            (Some(before), Some(own)) => Some(before.plus(own)),
            (before, own) => before.or(own),
        }
    }

    /// Whether the target would answer to what was said, not go on with it. OpenAI's models take it for a turn that is
    /// over, and Claude refuses it while it thinks.
    fn must_ask(&self) -> bool {
        let Some(attempt) = self.attempt_now() else { return false };
        let is_openai = self.config.providers.get(&attempt.provider).is_some_and(|p| catalog::closes_turns(p.kind.name));
        let body = std::str::from_utf8(&self.after.body).unwrap_or_default();
        let thinks = || self.call.caller.read_request(body).is_ok_and(|request| request.value.reasoning.is_some());
        !attempt.profile.prefill || is_openai || attempt.dialect == Dialect::OpenAiResponses || thinks()
    }

    /// The call that goes on.
    pub(super) fn send_on(&mut self, now: Millis) -> Step {
        let Some(body) = self.continued() else { return self.last_step() };
        self.call.body = Rc::new(body);
        match self.send(now) {
            Step::Send(mut send) => {
                own(&mut send.target, &self.call.body);
                Step::Send(send)
            }
            Step::Reply(_) => self.last_step(),
            step @ (Step::Wait(_) | Step::Read { .. } | Step::Relay(_) | Step::Last(_) | Step::Idle) => step,
        }
    }

    /// The caller's conversation with what was said so far.
    fn continued(&self) -> Option<Vec<u8>> {
        // White space at its end is refused by some.
        let said = self.after.thread.as_ref()?.told.text().trim_end();
        if said.is_empty() {
            return Some(self.after.body.to_vec());
        }
        let from = said.char_indices().rev().nth(REMINDER - 1).map_or(0, |(at, _)| at);
        let end = said.get(from..).unwrap_or_default();
        let then = self.after.asked.then(|| {
            format!(
                "Your previous answer was cut off. It ended with:\n\n{end}\n\nContinue exactly where it stopped, without \
                 repeating any of it and without a word about this."
            )
        });
        let outline = Outline::read(&self.after.body).ok()?;
        let edit = self.call.caller.continued(&outline, said, then.as_deref())?;
        Some(join(outline.text(), &outline.edit(&[edit])).into_bytes())
    }

    /// A target that was to go on has failed before it said anything.
    pub(super) fn judge_resumed(&mut self, outcome: Outcome, now: Millis) {
        self.note_try(now, outcome.status, outcome.name());
        self.learn(&outcome, now);
        if let Some(thread) = self.current.relay.as_mut().and_then(Relay::hand_over) {
            self.after.thread = Some(thread);
        }
        if let Some(thread) = &mut self.after.thread {
            thread.told.hand_over();
        }
        self.current.relay = None;
        self.current.first = vec![];
        let over = self.tries.len() >= MAX_TRIES || now >= self.retries_end();
        // What it refuses is not the caller's request: it may be the way it was told what had been said.
        let refuses = outcome.class == Class::Caller && !self.after.asked && self.tries_here < MAX_TRIES_HERE;
        let ends = over || matches!(outcome.class, Class::Gone | Class::Deadline);
        self.state = if ends {
            State::Last
        } else if refuses {
            self.after.asked = true;
            State::Ready
        } else if let Some(state) = self.repeated(&outcome, now) {
            state
        } else if self.advance() {
            self.after.asked = self.must_ask();
            State::Ready
        } else {
            State::Last
        };
        if let (Class::Gone, Some(broke)) = (outcome.class, &mut self.after.broke) {
            broke.outcome = outcome;
        }
    }

    /// Nobody goes on: the caller is told how it broke.
    pub(super) fn last_step(&mut self) -> Step {
        let mut out = std::mem::take(&mut self.after.owed);
        self.refusal = None;
        self.after.body = Rc::default();
        self.call.body = Rc::default();
        if let Some(Broke { attempt, outcome, words, error }) = self.after.broke.take() {
            (self.attempt, self.last, self.words) = (attempt, Some(outcome), words);
            let mut text = String::new();
            if let Some(mut thread) = self.after.thread.take() {
                thread.writer.fail(&error, &mut text);
            }
            out.extend_from_slice(text.as_bytes());
        }
        self.state = State::Over;
        Step::Last(out)
    }

    /// The instance that passed this answer on died. No provider is to blame.
    pub fn trapped(&mut self) {
        self.last = None;
        self.after.trapped = true;
        self.state = State::Over;
    }
}

/// A body of ours: pieces of the caller's own are of no use to it.
fn own(target: &mut Sendable, body: &[u8]) {
    match target {
        Sendable::Http { body: pieces, .. } | Sendable::WorkersAi { body: pieces, .. } => {
            *pieces = vec![Piece::New(join(std::str::from_utf8(body).unwrap_or_default(), pieces))];
        }
        Sendable::Script(_) => {}
    }
}
