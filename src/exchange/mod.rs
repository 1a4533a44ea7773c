//! The life of one request, without I/O: what to do next, and what the answers mean.
//!
//! The shell asks `next`, does it, and reports with `answered` or `received`. Retry and failover live here and nowhere
//! else; `plan` has already said which targets may be tried, and in which order.

pub mod models;
pub mod relay;
pub mod reply;
mod story;
pub mod upstream;

use std::rc::Rc;

use crate::{
    chat::event::UpstreamError,
    config::Snapshot,
    dialect::{Caller, Dialect, Facts},
    error::{Error, Kind},
    ledger::{Receipt, record::Try},
    mock::Script,
    plan::{
        Attempt, Plan,
        health::Signal,
        outcome::{self, Again, Outcome, Phase, Transport},
        seed,
    },
    units::Millis,
    wire::json::Piece,
};
use relay::Relay;
use reply::Reply;

/// Upstream sends of one request: a free account has 50 subrequests, and no caller waits for more.
const MAX_TRIES: usize = 6;
/// Sends to one target: a second one only where the outcome allows it.
const MAX_TRIES_HERE: usize = 2;

/// A caller's request once it is understood.
pub struct Call {
    pub id: String,
    pub dialect: Dialect,
    pub caller: &'static dyn Caller,
    pub facts: Facts,
    pub body: Vec<u8>,
    /// The caller's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub started: Millis,
    pub seed: u64,
    /// The gateway key's name.
    pub key: String,
    pub region: String,
}

/// What the shell must do now.
pub enum Step {
    Send(Send),
    Wait(u64),
    /// Read from the current upstream: all of it, or its next chunk.
    Read {
        whole: bool,
        timeout_ms: u64,
    },
    Relay(Box<Relaying>),
    Reply(Reply),
}

/// One call to a provider.
pub struct Send {
    pub target: Sendable,
    /// Until the head of the answer.
    pub timeout_ms: u64,
}

pub enum Sendable {
    Http {
        url: String,
        headers: Vec<(String, String)>,
        body: Vec<Piece>,
    },
    /// The built-in provider's answer.
    Script(Script),
}

/// The head of an answer.
pub struct Head {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What a read brought.
pub enum Received<'a> {
    Bytes(&'a [u8]),
    End,
    Failed(Transport),
}

/// What health learns from a request, about one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    Signal(String, Signal),
    /// How the probe ended that this request took.
    Probed(String, Signal),
    /// The probe was not used, or proved nothing.
    Released(String),
}

/// A stream that is committed: the caller's answer begins.
pub struct Relaying {
    pub relay: Relay,
    pub headers: Vec<(String, String)>,
    pub rest: Rest,
}

/// What passing on the rest of a stream needs to know.
pub struct Rest {
    /// What to send before anything else comes.
    pub first: Vec<u8>,
    pub idle_ms: u64,
    pub total_ms: u64,
}

enum State {
    Ready,
    Pause(u64),
    Sent,
    Reading { whole: bool },
    Committed,
    Done(Reply),
    Over,
}

/// The try that is under way.
struct Current {
    sent: Millis,
    head: Option<Head>,
    relay: Option<Relay>,
    first: Vec<u8>,
}

pub struct Exchange {
    call: Call,
    config: Rc<Snapshot>,
    plan: Plan,
    attempt: usize,
    tries_here: usize,
    /// Which of the attempt's credentials is used.
    credential: usize,
    state: State,
    current: Current,
    tries: Vec<Try>,
    dropped: Vec<String>,
    lessons: Vec<Lesson>,
    /// Cells whose probe this request took and has not finished.
    probes: Vec<String>,
    upstream_ms: u64,
    receipt: Receipt,
    /// How the last try failed, or how the stream broke.
    last: Option<Outcome>,
    /// What the caller was told instead of an answer.
    refusal: Option<Error>,
    /// The provider's name for the last failure.
    words: Option<String>,
}

impl Exchange {
    pub fn new(call: Call, config: Rc<Snapshot>, plan: Plan) -> Self {
        let probes = plan.probes().collect();
        let current = Current { sent: call.started, head: None, relay: None, first: vec![] };
        Self {
            call,
            config,
            plan,
            attempt: 0,
            tries_here: 0,
            credential: 0,
            state: State::Ready,
            current,
            tries: vec![],
            dropped: vec![],
            lessons: vec![],
            probes,
            upstream_ms: 0,
            receipt: Receipt::default(),
            last: None,
            refusal: None,
            words: None,
        }
    }

    pub fn next(&mut self, now: Millis) -> Step {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ready => self.send(now),
            State::Pause(ms) => {
                self.state = State::Ready;
                Step::Wait(ms)
            }
            State::Reading { whole } => {
                self.state = State::Reading { whole };
                Step::Read { whole, timeout_ms: self.read_timeout(whole, now) }
            }
            State::Committed => self.commit(now),
            State::Done(reply) => Step::Reply(reply),
            State::Sent | State::Over => {
                Step::Reply(self.refuse(&Error::new(Kind::Internal, "The exchange was asked for a step it does not have.")))
            }
        }
    }

    fn send(&mut self, now: Millis) -> Step {
        let Some(attempt) = self.plan.attempts.get(self.attempt).cloned() else {
            return Step::Reply(self.refuse(&Error::new(Kind::Unavailable, "No target is left to try.")));
        };
        let built = upstream::build(&self.call, &attempt, self.credential, &self.config, self.tries.len());
        let target = match built {
            Ok(built) => {
                self.dropped = built.dropped;
                built.target
            }
            Err(error) => return Step::Reply(self.refuse(&error)),
        };
        self.tries_here += 1;
        self.current = Current { sent: now, head: None, relay: None, first: vec![] };
        self.state = State::Sent;
        let left = self.deadline().since(now);
        let timeout_ms = if self.call.facts.stream {
            attempt.timeouts.headers_ms.min(attempt.timeouts.first_token_ms).min(left)
        } else {
            left
        };
        Step::Send(Send { target, timeout_ms: timeout_ms.max(1) })
    }

    /// When everything must be over.
    fn deadline(&self) -> Millis {
        let timeouts = self.plan.attempts.get(self.attempt).map(|a| &a.timeouts);
        let total = timeouts.map_or(0, |t| if self.call.facts.stream { t.total_ms } else { t.non_stream_total_ms });
        self.call.started.plus(total)
    }

    fn read_timeout(&self, whole: bool, now: Millis) -> u64 {
        let left = self.deadline().since(now);
        let Some(attempt) = self.plan.attempts.get(self.attempt) else { return left };
        let first = self.current.sent.plus(attempt.timeouts.first_token_ms).since(now);
        if whole && !self.call.facts.stream { left.max(1) } else { left.min(first).max(1) }
    }

    /// The head of the answer came, or none.
    pub fn answered(&mut self, now: Millis, answer: Result<Head, Transport>) {
        let head = match answer {
            Ok(head) => head,
            Err(transport) => return self.judge(outcome::of_transport(self.phased(transport)), &UpstreamError::default(), now),
        };
        let good = (200..300).contains(&head.status);
        let json = head.headers.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
        let stream = good && self.call.facts.stream && !json;
        if stream {
            self.current.relay = self.new_relay();
        }
        self.current.head = Some(head);
        self.state = State::Reading { whole: !stream };
    }

    /// A timeout before the head is the headers'; after it the first token's; without a stream the whole's.
    fn phased(&self, transport: Transport) -> Transport {
        if transport == Transport::Timeout(Phase::Headers) && !self.call.facts.stream {
            Transport::Timeout(Phase::Answer)
        } else {
            transport
        }
    }

    fn new_relay(&self) -> Option<Relay> {
        let attempt = self.plan.attempts.get(self.attempt)?;
        Some(Relay::new(relay::Route {
            caller: self.call.caller,
            caller_dialect: self.call.dialect,
            upstream_dialect: attempt.dialect,
            facts: self.call.facts.clone(),
            stamp: reply::stamp(&self.call, attempt),
            price: self.config.price(&attempt.provider, &attempt.model),
            request_bytes: u64::try_from(self.call.body.len()).unwrap_or(u64::MAX),
        }))
    }

    /// Bytes of the answer came, or its end, or neither.
    pub fn received(&mut self, now: Millis, received: Received<'_>) {
        match (&self.state, received) {
            (State::Reading { whole: true }, Received::Bytes(bytes)) => self.received_whole(bytes, now),
            (State::Reading { .. }, Received::Bytes(bytes)) => self.received_chunk(bytes, now),
            (_, Received::End) => self.received_end(now),
            (_, Received::Failed(transport)) => {
                self.judge(outcome::of_transport(self.phased(transport)), &UpstreamError::default(), now);
            }
            (_, Received::Bytes(_)) => {}
        }
    }

    fn received_chunk(&mut self, bytes: &[u8], now: Millis) {
        let Some(relay) = &mut self.current.relay else { return };
        let out = relay.push(bytes);
        self.current.first.extend_from_slice(&out);
        self.after_relay(now);
    }

    fn received_end(&mut self, now: Millis) {
        let Some(relay) = &mut self.current.relay else {
            return self.judge(outcome::broken(200), &UpstreamError::default(), now);
        };
        let out = relay.end(relay::Ended::Closed, &[], 0);
        self.current.first.extend_from_slice(&out);
        self.after_relay(now);
    }

    fn after_relay(&mut self, now: Millis) {
        let Some(relay) = &self.current.relay else { return };
        if let Some((error, outcome)) = relay.failure().cloned() {
            return self.judge(outcome, &error, now);
        }
        if relay.is_committed() {
            self.state = State::Committed;
        }
    }

    fn received_whole(&mut self, bytes: &[u8], now: Millis) {
        let text = String::from_utf8_lossy(bytes);
        let Some(attempt) = self.plan.attempts.get(self.attempt).cloned() else { return };
        let status = self.current.head.as_ref().map_or(0, |h| h.status);
        let upstream = attempt.dialect.upstream();
        if !(200..300).contains(&status) {
            let error = upstream.read_error(status, &text);
            let headers = self.current.head.as_ref().map_or(&[][..], |h| &h.headers);
            let outcome = outcome::of_answer(status, headers, &error, now);
            return self.judge(outcome, &error, now);
        }
        match upstream.read_response(&text) {
            Err(error) if error.status == 0 => self.judge(outcome::broken(200), &error, now),
            Err(error) => self.judge(outcome::in_band(&error), &error, now),
            Ok(_) if self.call.facts.stream => self.judge(outcome::broken(200), &UpstreamError::default(), now),
            Ok(response) => self.answer(&attempt, &response, now),
        }
    }

    /// A whole answer, on its way to the caller.
    fn answer(&mut self, attempt: &Attempt, response: &crate::chat::response::Response, now: Millis) {
        self.receipt.usage = response.usage;
        self.receipt.model.clone_from(&response.model);
        let status = self.current.head.as_ref().map_or(200, |h| h.status);
        self.last = None;
        self.words = None;
        self.note_try(now, status, "ok");
        self.learn_good(now.since(self.current.sent));
        let price = self.config.price(&attempt.provider, &attempt.model);
        let cost = response.usage.zip(price.as_ref()).map(|(usage, price)| crate::ledger::cost::of(&usage, price));
        let body = if attempt.dialect == self.call.dialect {
            reply::Body::Upstream
        } else {
            reply::Body::Text(self.call.caller.write_response(response, &reply::stamp(&self.call, attempt), cost))
        };
        let mut headers = self.story(now);
        if let Some(cost) = cost {
            headers.push(("x-portolan-cost".to_owned(), cost.dollars()));
        }
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        self.state = State::Done(Reply { status, headers, body });
    }

    fn commit(&mut self, now: Millis) -> Step {
        let (Some(relay), Some(attempt)) = (self.current.relay.take(), self.plan.attempts.get(self.attempt).cloned()) else {
            return Step::Reply(self.refuse(&Error::new(Kind::Internal, "There is no stream to pass on.")));
        };
        let status = self.current.head.as_ref().map_or(200, |h| h.status);
        self.last = None;
        self.words = None;
        self.note_try(now, status, "ok");
        let mut headers = self.story(now);
        headers.push(("content-type".to_owned(), "text/event-stream; charset=utf-8".to_owned()));
        headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        self.state = State::Over;
        self.call.body = vec![];
        Step::Relay(Box::new(Relaying {
            relay,
            headers,
            rest: Rest {
                first: std::mem::take(&mut self.current.first),
                idle_ms: attempt.timeouts.idle_ms,
                total_ms: self.deadline().since(now).max(1),
            },
        }))
    }

    /// One try is over without an answer: what now?
    fn judge(&mut self, outcome: Outcome, error: &UpstreamError, now: Millis) {
        self.note_try(now, outcome.status, outcome.name());
        self.words = story::machine_word(error);
        self.learn(&outcome, now);
        self.current.relay = None;
        self.current.first = vec![];
        let over =
            self.tries.len() >= MAX_TRIES || now >= self.call.started.plus(self.plan.retry_total_ms) || now >= self.deadline();
        self.state = if !over && self.may_repeat(&outcome, now) {
            self.repeat(&outcome)
        } else if !over && self.move_on(&outcome) {
            State::Ready
        } else {
            let provider = self.plan.attempts.get(self.attempt).map_or("", |a| a.provider.as_str());
            State::Done(self.refuse(&outcome.to_error(provider, error)))
        };
        self.last = Some(outcome);
    }

    fn may_repeat(&self, outcome: &Outcome, now: Millis) -> bool {
        if self.tries_here >= MAX_TRIES_HERE {
            return false;
        }
        let budget = self.call.started.plus(self.plan.retry_total_ms).since(now);
        self.other_credential(outcome)
            || match outcome.again_here() {
                Again::Never => false,
                Again::After { max_ms, .. } => max_ms <= budget,
                Again::WaitFor { ms } => ms <= budget,
            }
    }

    /// A failure of the credential: another one of the same provider comes before another target.
    fn other_credential(&self, outcome: &Outcome) -> bool {
        outcome.other_credential_first()
            && self.plan.attempts.get(self.attempt).is_some_and(|a| self.credential + 1 < a.credentials.len())
    }

    fn repeat(&mut self, outcome: &Outcome) -> State {
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
        let window = self.plan.attempts.get(self.attempt).map_or(0, |a| a.context);
        let larger = |a: &Attempt| !outcome.needs_larger_window() || a.context > window || a.context == 0;
        let next = self.plan.attempts.iter().enumerate().skip(self.attempt + 1).find(|(_, a)| larger(a));
        let Some((index, _)) = next else { return false };
        self.attempt = index;
        self.tries_here = 0;
        self.credential = 0;
        true
    }
}
