//! The next try: the call to the provider of the attempt, or of the first one that the request fits.

use super::{Current, Exchange, Send, Sendable, State, Step, Task, upstream};
use crate::{
    config::Lossy,
    error::{Error, Kind},
    plan::Attempt,
    units::Millis,
};

impl Exchange {
    pub(super) fn send(&mut self, now: Millis) -> Step {
        let Some(attempt) = self.plan.attempts.get(self.attempt).cloned() else {
            return self.give_up(&Error::new(Kind::Unavailable, "No target is left to try."), now);
        };
        if self.call.task != Task::Generate && attempt.endpoint.is_none() {
            self.estimate(&attempt, now);
            return self.next(now);
        }
        let built = upstream::build(&self.call, &attempt, self.credential, &self.config, (self.begun_tries(), now));
        let number = self.begun_tries();
        let target = match built {
            Ok(mut built) => {
                if let Sendable::Http { headers, .. } = &mut built.target {
                    headers.extend(self.traced(Some(number)));
                }
                self.dropped = built.dropped;
                self.plan.account(&mut self.dropped);
                if self.plan.lossy == Lossy::Refuse && !self.dropped.is_empty() {
                    if self.advance() {
                        return self.send(now);
                    }
                    let error = self.failure.take().unwrap_or_else(|| self.too_lossy(&attempt));
                    return self.give_up(&error, now);
                }
                built.target
            }
            // It may still be as another dialect takes it.
            Err(_) if self.advance() => return self.send(now),
            Err(error) => {
                let error = self.failure.take().unwrap_or(error);
                return self.give_up(&error, now);
            }
        };
        self.tries_here += 1;
        self.current = Current { number, ..Current::sent(now) };
        self.state = State::Sent;
        Step::Send(Send { target, timeout_ms: self.head_timeout(now) })
    }

    fn too_lossy(&self, attempt: &Attempt) -> Error {
        let fields = self.dropped.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        let first = self.dropped.first().cloned().unwrap_or_default();
        let route = &self.plan.route;
        Error::invalid(first, format!("`{route}` refuses what is lossy, and {} cannot take {fields}.", attempt.cell()))
    }

    /// Nothing more can be tried: the caller is told, unless the other call may still answer.
    fn give_up(&mut self, error: &Error, now: Millis) -> Step {
        if self.is_other_under_way() {
            self.state = State::Idle;
            return Step::Idle;
        }
        Step::Reply(self.refuse(error, now))
    }
}
