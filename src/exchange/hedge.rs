//! A second target beside one that is late: two calls at once, never more, and the first to answer is the caller's.
//!
//! Each call has its own `Lane`; all else an exchange knows is of both. The late one keeps what it has under way and
//! nothing more: what comes next in the plan is the second one's.

use std::mem::swap;

use super::{Current, Exchange, MAX_TRIES, State, Task, meter::BYTES_PER_TOKEN, relay::Relay};
use crate::{
    ledger::record::HEDGED,
    operation::estimate,
    units::{Millis, Money},
};

/// Which of two calls: the one that was late, or the one started beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    First,
    Second,
}

/// Whether a second target is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedging {
    Never,
    /// Look again then.
    After(u64),
    /// It has begun: `Side::Second` has steps to take.
    Begun,
}

/// A hedge that was begun.
pub(super) struct Started {
    /// Its attempt.
    pub attempt: usize,
    /// Estimated tokens of the request, for what the loser costs.
    pub input_tokens: u64,
}

/// What one of two calls has of its own.
pub(super) struct Lane {
    pub attempt: usize,
    pub tries_here: usize,
    pub repeated: bool,
    pub credential: usize,
    pub soonest: Option<(Millis, usize)>,
    pub state: State,
    pub current: Current,
    pub dropped: Vec<String>,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Current {
    pub(super) const fn sent(now: Millis) -> Self {
        Self { sent: now, number: 0, head: None, relay: None, first: vec![], by_total: false }
    }
}

impl Lane {
    pub(super) const fn new(now: Millis) -> Self {
        Self {
            attempt: 0,
            tries_here: 0,
            repeated: false,
            credential: 0,
            soonest: None,
            state: State::Ready,
            current: Current::sent(now),
            dropped: vec![],
        }
    }
}

impl Exchange {
    /// What is asked and told from now on is of this call.
    pub fn turn(&mut self, side: Side) {
        if self.side == side {
            return;
        }
        let Some(mut lane) = self.other.take() else { return };
        self.exchange_with(&mut lane);
        self.other = Some(lane);
        self.side = side;
    }

    /// The call that is in turn.
    pub const fn side(&self) -> Side {
        self.side
    }

    fn exchange_with(&mut self, lane: &mut Lane) {
        swap(&mut self.attempt, &mut lane.attempt);
        swap(&mut self.tries_here, &mut lane.tries_here);
        swap(&mut self.repeated, &mut lane.repeated);
        swap(&mut self.credential, &mut lane.credential);
        swap(&mut self.soonest, &mut lane.soonest);
        swap(&mut self.state, &mut lane.state);
        swap(&mut self.current, &mut lane.current);
        swap(&mut self.dropped, &mut lane.dropped);
    }

    /// Whether this request may come to have two calls under way: most may not, and need no look at the clock.
    pub const fn may_hedge(&self) -> bool {
        self.plan.hedge_after_ms.is_some()
    }

    /// Begins a second call once the one under way is late, if the plan has a target for it. Once in a request.
    pub fn hedge(&mut self, now: Millis) -> Hedging {
        let Some(after) = self.plan.hedge_after_ms else { return Hedging::Never };
        let in_budget = self.tries.len() + 2 <= MAX_TRIES && now < self.retries_end();
        // What is held until it is whole has come in time.
        let has_begun = self.current.relay.as_ref().is_some_and(Relay::is_committed);
        if has_begun || self.other.is_some() || !in_budget || self.next_attempt().is_none() {
            return Hedging::Never;
        }
        let late = match self.state {
            // Late is who was asked, and not who has yet to be.
            State::Ready | State::Pause(_) => return Hedging::After(after.max(1)),
            State::Sent | State::Reading { .. } => after <= now.since(self.current.sent),
            State::Committed | State::Done(_) | State::Last | State::Over | State::Idle => return Hedging::Never,
        };
        if !late {
            return Hedging::After(self.current.sent.plus(after).since(now).max(1));
        }
        let mut lane = Box::new(Lane::new(now));
        self.exchange_with(&mut lane);
        self.other = Some(lane);
        self.side = Side::Second;
        self.advance();
        self.hedge = Some(Started { attempt: self.attempt, input_tokens: self.input_tokens() });
        Hedging::Begun
    }

    pub(super) fn input_tokens(&self) -> u64 {
        let read = std::str::from_utf8(&self.call.body).ok().filter(|_| self.call.task == Task::Generate);
        let request = read.and_then(|text| self.call.caller.read_request(text).ok());
        let by_size = || u64::try_from(self.call.body.len()).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN);
        request.map_or_else(by_size, |request| estimate::of_request(&request.value))
    }

    pub(super) fn is_other_under_way(&self) -> bool {
        self.other.as_ref().is_some_and(|other| !matches!(other.state, State::Idle | State::Over))
    }

    /// The late one, while the second is under way.
    pub(super) fn is_late(&self) -> bool {
        self.side == Side::First && self.is_other_under_way()
    }

    /// Tries begun, whether over or not.
    pub(super) fn begun_tries(&self) -> usize {
        self.tries.len() + usize::from(self.is_other_under_way())
    }

    /// This attempt was begun as a hedge.
    pub(super) fn is_hedge(&self) -> bool {
        self.hedge.as_ref().is_some_and(|hedge| hedge.attempt == self.attempt)
    }

    /// The request has its answer: the other call is cancelled, which says nothing of who was to answer it.
    pub(super) fn end_other(&mut self, now: Millis) {
        if !self.is_other_under_way() {
            return;
        }
        let winner = self.side;
        self.turn(winner.other());
        if self.is_under_way() {
            self.note_try(now, 0, HEDGED);
        }
        if let Some(cell) = self.attempt_now().map(|a| a.cell()) {
            self.release(&cell);
        }
        self.state = State::Idle;
        self.current = Current::sent(now);
        self.turn(winner);
    }

    /// A call went out and has not been answered.
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Sent | State::Reading { .. } | State::Committed)
    }

    /// Works on both calls, the one in turn first; the other one's answer too.
    pub(super) fn both(&mut self, work: impl Fn(&mut Self) -> bool) -> bool {
        let first = work(self);
        if self.other.is_none() {
            return first;
        }
        let side = self.side;
        self.turn(side.other());
        let second = work(self);
        self.turn(side);
        first || second
    }

    /// What a cancelled try costs all the same: its input, at the price of its model.
    pub(super) fn wasted(&self, outcome: &str) -> Option<Money> {
        let (hedge, attempt) = (self.hedge.as_ref()?, self.attempt_now()?);
        let price = self.config.price(&attempt.provider, &attempt.model)?;
        (outcome == HEDGED).then(|| price.input.times(hedge.input_tokens))
    }
}
