//! A scripted upstream and virtual time: what the shell does, without a shell.

use portolan::{
    cache::Stored,
    exchange::{
        Exchange, Head, Hedging, Lesson, Received, Relaying, Sendable, Side, Step,
        authority::Sign,
        relay::{self, Relay},
        reply::{Body, Reply},
    },
    ledger::record::Record,
    plan::outcome::{Phase, Transport},
    units::Millis,
    wire::json::Piece,
};

pub use super::case::{Case, START, gateway};
use super::script::{Answer, Ending};

/// What the shell keeps of the end of a stream that passes natively.
const TAIL: usize = 16_384;
/// More steps than any request takes: an exchange that goes round in circles fails its test instead of hanging it.
const MAX_STEPS: usize = 5_000;
/// Of one request.
const MOST_TRIES: usize = 6;
/// The shell's.
const SETTLE_MS: u64 = 5_000;

impl Case {
    /// Plays the script to its end: it has exactly the answers that are asked for.
    pub fn run(&self, answers: impl IntoIterator<Item = Answer>) -> Run {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let count = answers.len();
        let run = self.play(answers);
        let tries = run.record.iter().flat_map(|r| &r.tries).map(|t| t.outcome).collect::<Vec<_>>();
        assert_eq!(run.sends.len(), count, "tries: {:?} {tries:?}", run.hosts());
        run
    }

    /// The same answer to each try, as many as there are.
    pub fn run_on(&self, answer: &Answer) -> Run {
        self.play(vec![answer.clone(); MOST_TRIES])
    }

    fn play(&self, answers: Vec<Answer>) -> Run {
        let mut driver = Driver { case: self, now: START, answers: answers.into_iter(), run: Run::default(), left: false };
        driver.drive();
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
    /// What is kept for the next who asks.
    pub kept: Option<Stored>,
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

/// What an upstream call, or a pause, comes to.
enum Event {
    Head(Result<Head, Transport>),
    Whole(Result<String, Transport>),
    Chunk(Result<Option<Vec<u8>>, Transport>),
    Woken,
    /// The client left in a pause: nobody goes on with it.
    Left,
}

/// One of the calls of a request, and what it waits for.
struct Lane {
    side: Side,
    answer: Answer,
    whole: String,
    /// When something comes, and what.
    pending: Option<(Millis, Event)>,
}

/// How a request ended, for the shell.
enum Ended {
    Relay(Box<Relaying>, Answer),
    Reply(Reply, String),
    Last(Vec<u8>),
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
        let mut lanes = vec![Lane { side: Side::First, answer: Answer::default(), whole: String::new(), pending: None }];
        let mut ended = self.step(&mut exchange, &mut lanes[0]);
        for steps in 0.. {
            assert!(steps < MAX_STEPS, "the exchange does not end");
            self.run.lessons.extend(exchange.take_lessons());
            match ended {
                Some(Ended::Relay(relaying, mut answer)) => {
                    let (mut relay, how) = self.relay(*relaying, &mut answer);
                    let Some(how) = how else {
                        exchange.relayed(&mut relay, self.now);
                        return self.close(exchange);
                    };
                    exchange.ended(&mut relay, how, self.now);
                    let side = exchange.side();
                    lanes.retain(|lane| lane.side == side);
                    ended = self.step(&mut exchange, &mut lanes[0]);
                    if ended.is_some() {
                        continue;
                    }
                }
                Some(Ended::Last(bytes)) => {
                    if !self.left {
                        self.run.body.push_str(std::str::from_utf8(&bytes).unwrap());
                    }
                    return self.close(exchange);
                }
                Some(Ended::Reply(reply, whole)) => {
                    self.run.status = reply.status;
                    self.run.headers = reply.headers;
                    self.run.body = match reply.body {
                        Body::Text(text) => text,
                        Body::Upstream => whole,
                    };
                    return self.close(exchange);
                }
                None => {}
            }
            let due = self.due(&mut exchange, &mut lanes);
            let next = lanes.iter_mut().filter(|lane| lane.pending.is_some());
            let Some(lane) = next.min_by_key(|lane| lane.pending.as_ref().map(|(at, _)| *at)) else { return };
            if let Some(due) = due
                && lane.pending.as_ref().is_some_and(|(at, _)| due < *at)
            {
                self.now = due;
                ended = None;
                continue;
            }
            let Some((at, event)) = lane.pending.take() else { return };
            self.now = at;
            exchange.turn(lane.side);
            match event {
                Event::Head(head) => exchange.answered(at, head),
                Event::Whole(Ok(text)) => {
                    exchange.received(at, Received::Bytes(text.as_bytes()));
                    lane.whole = text;
                }
                Event::Chunk(Ok(Some(bytes))) => exchange.received(at, Received::Bytes(&bytes)),
                Event::Chunk(Ok(None)) => exchange.received(at, Received::End),
                Event::Whole(Err(transport)) | Event::Chunk(Err(transport)) => {
                    exchange.received(at, Received::Failed(transport));
                }
                Event::Woken => {}
                Event::Left => return self.close(exchange),
            }
            ended = self.step(&mut exchange, lane);
        }
    }

    /// Looks whether a second call is due, and begins it; else says when to look again.
    fn due(&mut self, exchange: &mut Exchange, lanes: &mut Vec<Lane>) -> Option<Millis> {
        if lanes.len() > 1 {
            return None;
        }
        match exchange.hedge(self.now) {
            Hedging::Never => None,
            Hedging::After(ms) => Some(self.now.plus(ms)),
            Hedging::Begun => {
                let mut lane = Lane { side: Side::Second, answer: Answer::default(), whole: String::new(), pending: None };
                assert!(self.step(exchange, &mut lane).is_none(), "a second call has yet to be answered");
                lanes.push(lane);
                None
            }
        }
    }

    /// One call's next step: done at once, or what comes of it and when.
    fn step(&mut self, exchange: &mut Exchange, lane: &mut Lane) -> Option<Ended> {
        exchange.turn(lane.side);
        let pending = match exchange.next(self.now) {
            Step::Send(send) => {
                lane.answer = match send.target {
                    Sendable::Http { url, headers, body, sign } => {
                        let body = assembled(&self.case.body, &body);
                        self.run.sends.push(Sent { at: self.now.since(START), url, headers, body, sign });
                        self.answers.next()?
                    }
                    Sendable::WorkersAi { model, body } => {
                        let (url, body) = (format!("AI.run {model}"), assembled(&self.case.body, &body));
                        self.run.sends.push(Sent { at: self.now.since(START), url, headers: vec![], body, sign: None });
                        self.answers.next()?
                    }
                    Sendable::Script(script) => Answer::of(script),
                };
                let (at, came) = self.wait(self.now, lane.answer.head_after(), send.timeout_ms, Phase::Headers);
                let headers = lane.answer.headers.clone();
                let head = || lane.answer.refusal.map_or(Ok(Head { status: lane.answer.status, headers }), Err);
                (at, Event::Head(came.and_then(|()| head())))
            }
            Step::Wait(ms) if self.leaves_within(ms) => (self.now, Event::Left),
            Step::Wait(ms) => (self.now.plus(ms), Event::Woken),
            Step::Read { whole: true, timeout_ms } => {
                let (at, text) = self.whole(&mut lane.answer, timeout_ms);
                (at, Event::Whole(text))
            }
            Step::Read { whole: false, timeout_ms } => {
                let (at, chunk) = self.next(self.now, &mut lane.answer, timeout_ms, Phase::FirstToken);
                (at, Event::Chunk(chunk))
            }
            Step::Relay(relaying) => return Some(Ended::Relay(relaying, std::mem::take(&mut lane.answer))),
            Step::Reply(reply) => return Some(Ended::Reply(reply, std::mem::take(&mut lane.whole))),
            Step::Last(bytes) => return Some(Ended::Last(bytes)),
            Step::Idle => return None,
        };
        lane.pending = Some(pending);
        None
    }

    fn close(&mut self, mut exchange: Exchange) {
        exchange.close(self.now);
        self.run.lessons.extend(exchange.take_lessons());
        assert!(exchange.take_lessons().is_empty(), "each lesson is given out once");
        self.run.took = self.now.since(START);
        self.run.record = Some(exchange.record(self.now));
        self.run.kept = exchange.take_kept();
    }

    fn leaves_within(&self, ms: u64) -> bool {
        self.case.leaves_at.is_some_and(|at| START.plus(at) <= self.now.plus(ms))
    }

    /// When something comes after `ms`, or else the deadline or the client's leaving.
    fn wait(&self, from: Millis, ms: Option<u64>, limit: u64, phase: Phase) -> (Millis, Result<(), Transport>) {
        let first = from.plus(ms.unwrap_or(u64::MAX).min(limit));
        match self.case.leaves_at.map(|at| START.plus(at)).filter(|at| *at <= first) {
            Some(left) => (left, Err(Transport::ClientGone)),
            None if ms.is_some_and(|ms| ms < limit) => (first, Ok(())),
            None => (first, Err(Transport::Timeout(phase))),
        }
    }

    fn whole(&self, answer: &mut Answer, limit: u64) -> (Millis, Result<String, Transport>) {
        let (mut at, mut text) = (self.now, vec![]);
        loop {
            let left = limit.saturating_sub(at.since(self.now));
            let (then, got) = self.next(at, answer, left, Phase::Answer);
            at = then;
            match got {
                Ok(Some(bytes)) => text.extend(bytes),
                Ok(None) => return (at, Ok(String::from_utf8(text).unwrap())),
                Err(transport) => return (at, Err(transport)),
            }
        }
    }

    fn next(&self, from: Millis, answer: &mut Answer, limit: u64, phase: Phase) -> (Millis, Result<Option<Vec<u8>>, Transport>) {
        let Some((after, bytes)) = answer.chunks.pop_front() else {
            return match answer.ending {
                Ending::Clean => (from, Ok(None)),
                Ending::Cut => (from, Err(Transport::Reset)),
                Ending::Stall => {
                    let (at, came) = self.wait(from, None, limit, phase);
                    (at, came.map(|()| None))
                }
            };
        };
        let (at, came) = self.wait(from, Some(after), limit, phase);
        (at, came.map(|()| Some(bytes)))
    }

    /// The rest of a committed stream, as `relay.js` passes it; how it ended, where that is for the exchange to judge.
    fn relay(&mut self, relaying: Relaying, answer: &mut Answer) -> (Relay, Option<relay::Ended>) {
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
                break relay::Ended::Closed;
            }
            let left = end.since(self.now);
            let settle = SETTLE_MS.min(rest.idle_ms / 4).min(left);
            let tail = passed.get(passed.len().saturating_sub(TAIL)..).unwrap_or_default();
            if answer.next_after().is_none_or(|ms| ms > settle) && !self.leaves_within(settle) && relay.is_told(tail) {
                self.now = self.now.plus(settle);
                break relay::Ended::Closed;
            }
            let (at, got) = self.next(self.now, answer, rest.idle_ms.min(left), Phase::Idle);
            self.now = at;
            match got {
                Ok(Some(bytes)) if native => passed.extend(bytes),
                Ok(Some(bytes)) => out.extend(relay.push(&bytes)),
                Ok(None) => break relay::Ended::Closed,
                Err(Transport::ClientGone) => break relay::Ended::Gone,
                Err(Transport::Timeout(_)) if left <= rest.idle_ms => break relay::Ended::Total,
                Err(Transport::Timeout(_)) => break relay::Ended::Idle,
                Err(_) => break relay::Ended::Cut,
            }
            if self.case.traps_after.is_some_and(|bytes| out.len() + passed.len() >= bytes) {
                break relay::Ended::Trap;
            }
        };
        self.left = how == relay::Ended::Gone;
        if followed {
            self.run.body.push_str(std::str::from_utf8(&out).unwrap());
            return (relay, Some(how));
        }
        out.extend_from_slice(&passed);
        let tail = passed.get(passed.len().saturating_sub(TAIL)..).unwrap_or_default();
        let last = relay.end(how, tail, u64::try_from(passed.len()).unwrap());
        if how != relay::Ended::Gone {
            out.extend(if how == relay::Ended::Trap { relay.trap_frames().to_vec() } else { last });
        }
        self.run.body = String::from_utf8_lossy(&out).into_owned();
        (relay, None)
    }
}
