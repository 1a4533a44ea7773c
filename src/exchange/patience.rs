//! Answers that are long in coming: the response's head goes out before them, and signs of life.

use std::{cell::Cell, rc::Rc};

use super::{Exchange, Task, answer, reply};
use crate::{config::OnStreamBreak, dialect::Asked, error::Error, units::Millis};

/// A first token that may take so long is waited for with signs of life; sooner ones come before the second.
const LONG_MS: u64 = 20_000;

/// Headers that say what is decided by the time an answer begins, and not before.
const DECIDED: [&str; 6] = [
    "x-portolan-provider",
    "x-portolan-model",
    "x-portolan-reason",
    "x-portolan-attempts",
    "x-portolan-dropped",
    "server-timing",
];

/// A response's head, for when nothing is decided yet; and to be set once it has gone out.
pub struct Opening {
    pub headers: Vec<(String, String)>,
    pub opened: Rc<Cell<bool>>,
    /// Silence that a deadline would end; signs of life come before its half is over.
    pub idle_ms: u64,
    pub heartbeat: &'static str,
}

impl Exchange {
    /// Whether the caller may have to wait long, in a dialect whose clients take signs of life before the answer. In one
    /// JSON array there is no place for them.
    pub fn is_patient(&self) -> bool {
        let facts = &self.call.facts;
        let takes_long = || self.plan.attempts.iter().any(|attempt| attempt.timeouts.first_token_ms >= LONG_MS);
        self.call.task == Task::Generate
            && facts.stream
            && !facts.array
            && (self.plan.on_stream_break == OnStreamBreak::Atomic || takes_long())
    }

    pub fn opening(&self, now: Millis) -> Opening {
        let mut headers = self.story(now);
        headers.retain(|(name, _)| !DECIDED.contains(&name.as_str()));
        headers.push(("content-type".to_owned(), answer::stream_type(&self.call.facts).to_owned()));
        headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        let idle_ms = self.attempt_now().map_or(u64::MAX, |attempt| attempt.timeouts.idle_ms);
        Opening { headers, opened: Rc::clone(&self.after.opened), idle_ms, heartbeat: self.call.caller.heartbeat() }
    }

    /// An error as the body of an answer, or as the end of one that has begun.
    pub(super) fn error_text(&self, error: &Error) -> String {
        let attempt = self.attempt_now().or(self.plan.attempts.first()).filter(|_| self.after.opened.get());
        let Some(attempt) = attempt else { return self.call.caller.write_error(error, &self.call.id) };
        let asked = Asked { stamp: reply::stamp(&self.call, attempt), facts: &self.call.facts, body: &self.call.body };
        let mut text = String::new();
        self.call.caller.event_writer(&asked).fail(error, &mut text);
        text
    }
}
