//! The life of one request, without I/O: what to do next, and what the answers mean.
//!
//! The shell asks `next`, does it, and reports with `answered` or `received`. Retry and failover live here and nowhere
//! else; `plan` has already said which targets may be tried, and in which order.

mod answer;
mod atomic;
pub mod authority;
mod carriage;
mod closing;
mod deadline;
mod ended;
pub mod forward;
mod hedge;
mod hosting;
mod kept;
mod meter;
pub mod models;
pub mod operate;
mod overlap;
pub mod owed;
mod patience;
pub mod probe;
pub mod relay;
pub mod reply;
mod resume;
mod retention;
mod retry;
mod send;
mod story;
mod streaming;
mod told;
pub mod traced;
pub mod upstream;

use std::rc::Rc;

use crate::{
    chat::event::UpstreamError,
    config::Snapshot,
    dialect::{Caller, Dialect, Facts, surface::Operation},
    error::{Error, Kind},
    ledger::{Payer, Receipt, record::Try},
    plan::{
        Attempt, Plan,
        health::Signal,
        outcome::{self, Outcome, Transport},
    },
    units::Millis,
    wire::framing::Framing,
};
pub use atomic::SETTLE_MS;
pub use hedge::{Hedging, Side};
use hedge::{Lane, Started};
pub use patience::Opening;
use relay::Relay;
use reply::Reply;
use resume::After;
pub use upstream::Sendable;

/// Upstream sends of one request: a free account has 50 subrequests, and no caller waits for more.
const MAX_TRIES: usize = 6;
/// Sends to one target, its credentials together, after which it is not waited for.
const MAX_TRIES_HERE: usize = 4;

/// What a caller wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Generate,
    Operate(Operation),
}

impl Task {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Operate(operation) => operation.name(),
        }
    }
}

/// A caller's request once it is understood.
pub struct Call {
    pub id: String,
    pub dialect: Dialect,
    pub task: Task,
    pub caller: &'static dyn Caller,
    pub facts: Facts,
    pub body: Rc<Vec<u8>>,
    /// The caller's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub started: Millis,
    pub seed: u64,
    pub payer: Payer,
    pub region: String,
    /// Where the request came in; empty where nobody knows.
    pub colo: String,
}

impl Call {
    /// Whether the body goes to the provider as it is, and its answer comes back so.
    pub fn is_verbatim(&self, attempt: &Attempt) -> bool {
        let is_understood = !self.facts.custom_tools || attempt.profile.custom_tools;
        attempt.dialect == self.dialect && !self.facts.foreign && is_understood
    }
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
    /// The last bytes of an answer that has begun.
    Last(Vec<u8>),
    /// Nothing: this call failed, and the other one goes on.
    Idle,
}

/// One call to a provider.
pub struct Send {
    pub target: Sendable,
    /// Until the head of the answer.
    pub timeout_ms: u64,
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
    Reading {
        whole: bool,
    },
    Committed,
    Done(Reply),
    /// The answer has begun, and nothing more is to be had for it.
    Last,
    Over,
    /// This call failed or was given up, and the other one decides.
    Idle,
}

/// The try that is under way.
struct Current {
    sent: Millis,
    /// How many were sent before.
    number: usize,
    head: Option<Head>,
    relay: Option<Relay>,
    first: Vec<u8>,
    /// The wait under way ends with the whole request, before the provider's own limit.
    by_total: bool,
}

pub struct Exchange {
    call: Call,
    config: Rc<Snapshot>,
    plan: Plan,
    attempt: usize,
    tries_here: usize,
    /// The target had its second try.
    repeated: bool,
    /// Which of the attempt's credentials is used.
    credential: usize,
    /// Which of them may be used again first, and when.
    soonest: Option<(Millis, usize)>,
    state: State,
    current: Current,
    dropped: Vec<String>,
    /// Which of two calls the fields above are of.
    side: Side,
    /// The same of the other one, once there is a second.
    other: Option<Box<Lane>>,
    hedge: Option<Started>,
    /// The last attempt begun, and how many were.
    furthest: usize,
    begun: usize,
    tries: Vec<Try>,
    lessons: Vec<Lesson>,
    /// Cells whose probe this request took and has not finished.
    probes: Vec<String>,
    /// Before the first try and between tries.
    paused_ms: u64,
    receipt: Receipt,
    /// How the last try failed, or how the stream broke.
    last: Option<Outcome>,
    /// That failure as the caller would be told it.
    failure: Option<Error>,
    /// The largest window that was too small.
    too_small: Option<u64>,
    /// What the caller was told instead of an answer.
    refusal: Option<Error>,
    /// The provider's name for the last failure.
    words: Option<String>,
    /// The answer is the gateway's own.
    served_here: bool,
    /// Once the answer has begun.
    after: After,
    /// What the plan was made of, for the record.
    inputs: story::Inputs,
    /// Headers that say how the caller stands under its limits.
    limits: Vec<(String, String)>,
    keeping: kept::Keeping,
}

impl Exchange {
    pub fn new(call: Call, config: Rc<Snapshot>, plan: Plan) -> Self {
        let probes = plan.probes().collect();
        let Lane { attempt, tries_here, repeated, credential, soonest, state, current, dropped } = Lane::new(call.started);
        Self {
            call,
            config,
            plan,
            attempt,
            tries_here,
            repeated,
            credential,
            soonest,
            state,
            current,
            dropped,
            side: Side::First,
            other: None,
            hedge: None,
            furthest: 0,
            begun: 1,
            tries: vec![],
            lessons: vec![],
            probes,
            paused_ms: 0,
            receipt: Receipt::default(),
            last: None,
            failure: None,
            too_small: None,
            refusal: None,
            words: None,
            served_here: false,
            after: After::default(),
            inputs: story::Inputs::new(),
            limits: vec![],
            keeping: kept::Keeping::default(),
        }
    }

    /// The request was held so long before there was a plan for it.
    pub const fn held(&mut self, ms: u64) {
        self.paused_ms = ms;
    }

    pub fn next(&mut self, now: Millis) -> Step {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ready if self.after.is_resumed() => self.send_on(now),
            State::Ready => self.send(now),
            State::Pause(ms) => {
                self.state = State::Ready;
                self.paused_ms += ms;
                Step::Wait(ms)
            }
            State::Reading { whole } => {
                self.state = State::Reading { whole };
                Step::Read { whole, timeout_ms: self.read_timeout(now) }
            }
            State::Committed => self.commit(now),
            State::Done(reply) => Step::Reply(reply),
            State::Last => self.last_step(),
            State::Idle => {
                self.state = State::Idle;
                Step::Idle
            }
            State::Sent | State::Over => {
                Step::Reply(self.refuse(&Error::new(Kind::Internal, "The exchange was asked for a step it does not have."), now))
            }
        }
    }

    /// The head of the answer came, or none.
    pub fn answered(&mut self, now: Millis, answer: Result<Head, Transport>) {
        let head = match answer {
            Ok(head) => head,
            Err(transport) => return self.judge(outcome::of_transport(self.phased(transport)), &UpstreamError::default(), now),
        };
        let good = (200..300).contains(&head.status);
        // Some send no type, or another one, with a stream; these are none.
        let is_whole = |value: &str| value.contains("json") || value.contains("html");
        let whole = head.headers.iter().any(|(name, value)| name == "content-type" && is_whole(value));
        let stream = good && self.call.facts.stream && !whole;
        if stream {
            let content_type = head.headers.iter().find(|(name, _)| name == "content-type");
            self.current.relay = self.new_relay(content_type.map_or(Framing::Sse, |(_, value)| Framing::of(value)));
        }
        self.current.head = Some(head);
        self.state = State::Reading { whole: !stream };
    }

    /// Bytes of the answer came, or its end, or neither.
    pub fn received(&mut self, now: Millis, received: Received<'_>) {
        match (&self.state, received) {
            (State::Reading { whole: true }, Received::Bytes(bytes)) => self.received_whole(bytes, now),
            (State::Reading { .. }, Received::Bytes(bytes)) => self.received_chunk(bytes, now),
            (_, Received::End) => self.received_end(now),
            (_, Received::Failed(transport)) if self.is_gathered(transport) => self.received_end(now),
            // The status has told what there is to know.
            (_, Received::Failed(transport)) if self.is_refused() && transport != Transport::ClientGone => {
                self.received_whole(&[], now);
            }
            (_, Received::Failed(transport)) => {
                self.judge(outcome::of_transport(self.phased(transport)), &UpstreamError::default(), now);
            }
            (_, Received::Bytes(_)) => {}
        }
    }
}
