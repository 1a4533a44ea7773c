//! A scripted upstream and virtual time: what the shell does, without a shell.

use std::{collections::BTreeMap, rc::Rc};

use portolan::{
    config::{self, Documents, OnStreamBreak, Snapshot},
    dialect::{
        Dialect, Facts,
        surface::{Operation, Place},
    },
    error::Error,
    exchange::{
        Call, Exchange, Head, Lesson, Received, Relaying, Sendable, Step, Task,
        authority::Sign,
        operate,
        relay::{Ended, Relay},
        reply::Body,
    },
    ledger::record::Record,
    plan::{
        self, Ask, Plan,
        health::View,
        outcome::{Phase, Transport},
    },
    units::Millis,
    wire::json::{Outline, Piece},
};

use super::script::{Answer, Ending};

pub const START: Millis = Millis(1_800_000_000_000);
/// What the shell keeps of the end of a stream that passes natively.
const TAIL: usize = 16_384;
/// More steps than any request takes: an exchange that goes round in circles fails its test instead of hanging it.
const MAX_STEPS: usize = 5_000;
/// The shell's.
const SETTLE_MS: u64 = 5_000;

const PROVIDERS: &str = include_str!("../fixtures/exchange/providers.json");
pub const SECRETS: [&str; 6] = ["ALPHA_KEY", "BETA_KEY", "GAMMA_KEY", "GEMINI_API_KEY", "PAIR_KEY_1", "PAIR_KEY_2"];

/// The gateway with three houses: `alpha` and `beta` speak OpenAI's, `gamma` Anthropic's; `pair` has two credentials.
pub fn gateway(routes: &str, settings: &str) -> Rc<Snapshot> {
    let secrets: BTreeMap<_, _> = SECRETS.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))).collect();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let documents = Documents { providers: some(PROVIDERS), routes: some(routes), settings: some(settings), prices: None };
    Rc::new(config::build(&documents, &secrets).unwrap())
}

/// A request and the world it comes into.
#[derive(Clone)]
pub struct Case {
    pub config: Rc<Snapshot>,
    pub dialect: Dialect,
    pub task: Task,
    /// What the path says of it.
    pub place: Place,
    pub body: String,
    pub headers: Vec<(String, String)>,
    pub health: View,
    pub seed: u64,
    /// The client leaves then, milliseconds after it came.
    pub leaves_at: Option<u64>,
    /// The wasm instance dies once so many bytes were relayed.
    pub traps_after: Option<usize>,
    pub on_break: OnStreamBreak,
}

impl Case {
    pub fn of(dialect: Dialect, model: &str, stream: bool) -> Self {
        Self::with(gateway("", ""), dialect, model, stream)
    }

    pub fn with(config: Rc<Snapshot>, dialect: Dialect, model: &str, stream: bool) -> Self {
        let body = format!(
            r#"{{"model":"{model}","max_tokens":100,"stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#
        );
        Self {
            config,
            dialect,
            task: Task::Generate,
            place: Place::default(),
            body,
            headers: vec![],
            health: View::default(),
            seed: 7,
            leaves_at: None,
            traps_after: None,
            on_break: OnStreamBreak::Error,
        }
    }

    pub fn chat(model: &str) -> Self {
        Self::of(Dialect::OpenAiChat, model, false)
    }

    pub fn chat_stream(model: &str) -> Self {
        Self::of(Dialect::OpenAiChat, model, true)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Asks for something else than text.
    pub fn operation(operation: Operation, dialect: Dialect, body: &str) -> Self {
        Self { task: Task::Operate(operation), ..Self::with(gateway("", ""), dialect, "", false).body(body) }
    }

    /// The same in a body of this type.
    pub fn operation_of(operation: Operation, dialect: Dialect, body: &str, content_type: &str) -> Self {
        Self::operation(operation, dialect, body).header("content-type", content_type)
    }

    fn facts(&self) -> Facts {
        let of_type = self.headers.iter().find(|(name, _)| *name == "content-type").map_or("", |(_, value)| value);
        self.place.fill(match self.task {
            Task::Generate => self.dialect.caller().unwrap().facts(&Outline::read(self.body.as_bytes()).unwrap()).unwrap(),
            Task::Operate(operation) => operate::facts(operation, self.dialect, self.body.as_bytes(), of_type).unwrap(),
        })
    }

    pub fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }

    pub fn try_plan(&self) -> Result<Plan, Error> {
        let facts = self.facts();
        let operation = match self.task {
            Task::Generate => None,
            Task::Operate(operation) => Some(operation),
        };
        plan::plan(Ask { operation, ..Ask::generate(self.dialect, &facts) }, &self.config, &self.health, START, self.seed)
    }

    fn exchange(&self) -> Exchange {
        let caller = self.dialect.caller().unwrap();
        let facts = self.facts();
        let call = Call {
            id: "req_0123456789".to_owned(),
            dialect: self.dialect,
            caller,
            facts,
            task: self.task,
            body: std::rc::Rc::new(self.body.clone().into_bytes()),
            headers: self.headers.clone(),
            started: START,
            seed: self.seed,
            key: "ci".to_owned(),
            region: "weur".to_owned(),
        };
        let plan = Plan { on_stream_break: self.on_break, ..self.plan() };
        Exchange::new(call, Rc::clone(&self.config), plan)
    }

    /// Plays the script to its end: it has exactly the answers that are asked for.
    pub fn run(&self, answers: impl IntoIterator<Item = Answer>) -> Run {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let count = answers.len();
        let mut driver = Driver { case: self, now: START, answers: answers.into_iter(), run: Run::default(), left: false };
        driver.drive();
        let tries = driver.run.record.iter().flat_map(|r| &r.tries).map(|t| t.outcome).collect::<Vec<_>>();
        assert_eq!(driver.run.sends.len(), count, "tries: {:?} {tries:?}", driver.run.hosts());
        driver.run
    }
}

/// One call to a provider, as it was sent.
#[derive(Debug)]
pub struct Sent {
    /// Milliseconds after the request came.
    pub at: u64,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub sign: Option<Sign>,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// What came of a request.
#[derive(Default)]
pub struct Run {
    pub sends: Vec<Sent>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// What the caller got.
    pub body: String,
    /// Whether it got a stream, and that passed natively.
    pub native: Option<bool>,
    /// Where in `body` that begins which came after the commit point.
    pub committed: usize,
    pub took: u64,
    pub lessons: Vec<Lesson>,
    pub record: Option<Record>,
}

impl Run {
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The houses called, in order: `alpha alpha beta`.
    pub fn hosts(&self) -> String {
        let host = |sent: &Sent| sent.url.split(['/', '.']).nth(2).unwrap_or_default().to_owned();
        self.sends.iter().map(host).collect::<Vec<_>>().join(" ")
    }

    pub fn record(&self) -> &Record {
        self.record.as_ref().unwrap()
    }

    /// `signal alpha/small Ok`, a line each, without numbers.
    pub fn learned(&self) -> Vec<String> {
        let word =
            |signal: &dyn std::fmt::Debug| format!("{signal:?}").split(' ').next().unwrap_or_default().replace("Served", "Ok");
        let line = |lesson: &Lesson| match lesson {
            Lesson::Signal(cell, signal) => format!("signal {cell} {}", word(signal)),
            Lesson::Probed(cell, signal) => format!("probed {cell} {}", word(signal)),
            Lesson::Released(cell) => format!("released {cell}"),
        };
        self.lessons.iter().map(line).collect()
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Pieces of the caller's body and new text, put together as the shell does.
fn assembled(original: &str, pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Kept(range) => original[range.clone()].to_owned(),
        Piece::New(text) => text.clone(),
    };
    pieces.iter().map(text).collect()
}

struct Driver<'a> {
    case: &'a Case,
    now: Millis,
    answers: std::vec::IntoIter<Answer>,
    run: Run,
    /// The client has, while its answer was passed on.
    left: bool,
}

impl Driver<'_> {
    fn drive(&mut self) {
        let mut exchange = self.case.exchange();
        let (mut answer, mut whole) = (Answer::default(), String::new());
        for _ in 0..MAX_STEPS {
            let step = exchange.next(self.now);
            match step {
                Step::Send(send) => {
                    answer = match send.target {
                        Sendable::Http { url, headers, body, sign } => {
                            let body = assembled(&self.case.body, &body);
                            self.run.sends.push(Sent { at: self.now.since(START), url, headers, body, sign });
                            let Some(next) = self.answers.next() else { return };
                            next
                        }
                        Sendable::WorkersAi { model, body } => {
                            let (url, body) = (format!("AI.run {model}"), assembled(&self.case.body, &body));
                            self.run.sends.push(Sent { at: self.now.since(START), url, headers: vec![], body, sign: None });
                            let Some(next) = self.answers.next() else { return };
                            next
                        }
                        Sendable::Script(script) => Answer::of(script),
                    };
                    let head = self.head(&answer, send.timeout_ms);
                    exchange.answered(self.now, head);
                }
                Step::Wait(ms) if self.leaves_within(ms) => break,
                Step::Wait(ms) => self.now = self.now.plus(ms),
                Step::Read { whole: true, timeout_ms } => match self.whole(&mut answer, timeout_ms) {
                    Ok(text) => {
                        whole = text;
                        exchange.received(self.now, Received::Bytes(whole.as_bytes()));
                    }
                    Err(transport) => exchange.received(self.now, Received::Failed(transport)),
                },
                Step::Read { whole: false, timeout_ms } => match self.chunk(&mut answer, timeout_ms) {
                    Ok(Some(bytes)) => exchange.received(self.now, Received::Bytes(&bytes)),
                    Ok(None) => exchange.received(self.now, Received::End),
                    Err(transport) => exchange.received(self.now, Received::Failed(transport)),
                },
                Step::Relay(relaying) => {
                    let (mut relay, how) = self.relay(*relaying, &mut answer);
                    match how {
                        None => {
                            exchange.relayed(&relay, self.now);
                            return self.close(exchange);
                        }
                        Some(how) => exchange.ended(&mut relay, how, self.now),
                    }
                }
                Step::Last(bytes) => {
                    if !self.left {
                        self.run.body.push_str(std::str::from_utf8(&bytes).unwrap());
                    }
                    return self.close(exchange);
                }
                Step::Reply(reply) => {
                    self.run.status = reply.status;
                    self.run.headers = reply.headers;
                    self.run.body = match reply.body {
                        Body::Text(text) => text,
                        Body::Upstream => whole,
                    };
                    return self.close(exchange);
                }
            }
            self.run.lessons.extend(exchange.take_lessons());
        }
        assert!(self.case.leaves_at.is_some(), "the exchange does not end");
        self.close(exchange);
    }

    fn close(&mut self, mut exchange: Exchange) {
        exchange.close(self.now);
        self.run.lessons.extend(exchange.take_lessons());
        assert!(exchange.take_lessons().is_empty(), "each lesson is given out once");
        self.run.took = self.now.since(START);
        self.run.record = Some(exchange.record(self.now));
    }

    fn leaves_within(&self, ms: u64) -> bool {
        self.case.leaves_at.is_some_and(|at| START.plus(at) <= self.now.plus(ms))
    }

    /// Lets time pass until something comes after `ms`, the deadline or the client's leaving.
    fn wait(&mut self, ms: Option<u64>, limit: u64, phase: Phase) -> Result<(), Transport> {
        let first = ms.unwrap_or(u64::MAX).min(limit);
        if self.leaves_within(first) {
            self.now = START.plus(self.case.leaves_at.unwrap_or_default());
            return Err(Transport::ClientGone);
        }
        self.now = self.now.plus(first);
        if ms.is_some_and(|ms| ms < limit) { Ok(()) } else { Err(Transport::Timeout(phase)) }
    }

    fn head(&mut self, answer: &Answer, limit: u64) -> Result<Head, Transport> {
        self.wait(answer.head_after(), limit, Phase::Headers)?;
        let headers = answer.headers.clone();
        answer.refusal.map_or(Ok(Head { status: answer.status, headers }), Err)
    }

    fn whole(&mut self, answer: &mut Answer, limit: u64) -> Result<String, Transport> {
        let began = self.now;
        let mut text = vec![];
        loop {
            let left = limit.saturating_sub(self.now.since(began));
            match self.next(answer, left, Phase::Answer)? {
                Some(bytes) => text.extend(bytes),
                None => return Ok(String::from_utf8(text).unwrap()),
            }
        }
    }

    fn chunk(&mut self, answer: &mut Answer, limit: u64) -> Result<Option<Vec<u8>>, Transport> {
        self.next(answer, limit, Phase::FirstToken)
    }

    fn next(&mut self, answer: &mut Answer, limit: u64, phase: Phase) -> Result<Option<Vec<u8>>, Transport> {
        let Some((after, bytes)) = answer.chunks.pop_front() else {
            return match answer.ending {
                Ending::Clean => Ok(None),
                Ending::Cut => Err(Transport::Reset),
                Ending::Stall => self.wait(None, limit, phase).map(|()| None),
            };
        };
        self.wait(Some(after), limit, phase)?;
        Ok(Some(bytes))
    }

    /// The rest of a committed stream, as `relay.js` passes it; how it ended, where that is for the exchange to judge.
    fn relay(&mut self, relaying: Relaying, answer: &mut Answer) -> (Relay, Option<Ended>) {
        let Relaying { mut relay, headers, rest } = relaying;
        if self.run.native.is_none() {
            (self.run.status, self.run.headers) = (200, headers);
        }
        let (native, followed) = (relay.is_native(), relay.is_followed() || self.run.native.is_some());
        let (mut out, mut passed) = (rest.first, vec![]);
        self.run.native = self.run.native.or(Some(native));
        self.run.committed = out.len();
        let end = self.now.plus(rest.total_ms);
        let how = loop {
            if followed && relay.is_over() {
                break Ended::Closed;
            }
            let left = end.since(self.now);
            let settle = SETTLE_MS.min(rest.idle_ms / 2).min(left);
            let tail = passed.get(passed.len().saturating_sub(TAIL)..).unwrap_or_default();
            if answer.next_after().is_none_or(|ms| ms > settle) && !self.leaves_within(settle) && relay.is_told(tail) {
                self.now = self.now.plus(settle);
                break Ended::Closed;
            }
            match self.next(answer, rest.idle_ms.min(left), Phase::Idle) {
                Ok(Some(bytes)) if native => passed.extend(bytes),
                Ok(Some(bytes)) => out.extend(relay.push(&bytes)),
                Ok(None) => break Ended::Closed,
                Err(Transport::ClientGone) => break Ended::Gone,
                Err(Transport::Timeout(_)) if left <= rest.idle_ms => break Ended::Total,
                Err(Transport::Timeout(_)) => break Ended::Idle,
                Err(_) => break Ended::Cut,
            }
            if self.case.traps_after.is_some_and(|bytes| out.len() + passed.len() >= bytes) {
                break Ended::Trap;
            }
        };
        self.left = how == Ended::Gone;
        if followed {
            self.run.body.push_str(std::str::from_utf8(&out).unwrap());
            return (relay, Some(how));
        }
        out.extend_from_slice(&passed);
        let tail = passed.get(passed.len().saturating_sub(TAIL)..).unwrap_or_default();
        let last = relay.end(how, tail, u64::try_from(passed.len()).unwrap());
        if how != Ended::Gone {
            out.extend(if how == Ended::Trap { relay.trap_frames().to_vec() } else { last });
        }
        self.run.body = String::from_utf8_lossy(&out).into_owned();
        (relay, None)
    }
}
