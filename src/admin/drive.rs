//! The life of one request in virtual time: the real exchange, upstreams that are scripts, and what happened when.
//!
//! What the shell awaits is here a time at which something is due; the clock jumps from one to the next.

use serde_json::{Map, Value};

use super::faults::Faults;
use crate::{
    exchange::{
        Exchange, Head, Hedging, Lesson, Received, Relaying, Send, Sendable, Side, Step,
        relay::{Ended, Relay},
        reply::Body,
    },
    mock::{Ending, Script},
    plan::{
        health::Signal,
        outcome::{Phase, Transport},
    },
    units::Millis,
    wire::{
        compose::{Members, json},
        json::join,
    },
};

/// More steps than any request takes: the mock's longest answer has some ten thousand frames.
const MAX_STEPS: usize = 40_000;
/// What the shell keeps of the end of a stream that passes natively.
const TAIL: usize = 16_384;

/// What came of it.
#[derive(Default)]
pub(super) struct Run {
    /// `{"at_ms": 0, "step": "send", …}`
    pub steps: Vec<Value>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub took_ms: u64,
}

pub(super) struct Driver<'a> {
    pub faults: &'a mut Faults,
    /// The caller's own body.
    pub body: &'a str,
    pub started: Millis,
    pub leaves_at: Option<Millis>,
}

/// An upstream's answer as far as it has not come yet.
#[derive(Default)]
struct Playing {
    script: Option<Script>,
    /// How many of its chunks came.
    played: usize,
}

impl Playing {
    /// What comes next within `limit_ms`, and after how long.
    fn next(&mut self, limit_ms: u64, phase: Phase) -> (u64, Result<Option<Vec<u8>>, Transport>) {
        let late = (limit_ms, Err(Transport::Timeout(phase)));
        let Some(script) = &mut self.script else { return (0, Err(Transport::Reset)) };
        let Some(chunk) = script.chunks.get_mut(self.played) else {
            return match script.ending {
                Ending::Clean => (0, Ok(None)),
                Ending::Cut => (0, Err(Transport::Reset)),
                Ending::Stall => late,
            };
        };
        if chunk.after_ms >= limit_ms {
            // What is left of the wait.
            chunk.after_ms -= limit_ms;
            return late;
        }
        self.played += 1;
        (chunk.after_ms, Ok(Some(std::mem::take(&mut chunk.bytes))))
    }

    fn whole(&mut self, limit_ms: u64) -> (u64, Result<Vec<u8>, Transport>) {
        let (mut spent, mut all) = (0, vec![]);
        loop {
            let (ms, got) = self.next(limit_ms.saturating_sub(spent), Phase::Answer);
            spent += ms;
            match got {
                Ok(Some(bytes)) => all.extend(bytes),
                Ok(None) => return (spent, Ok(all)),
                Err(transport) => return (spent, Err(transport)),
            }
        }
    }
}

/// What a step waits for.
enum Due {
    Head(Result<Head, Transport>),
    Chunk(Result<Option<Vec<u8>>, Transport>),
    Whole(Result<Vec<u8>, Transport>),
    /// A pause is over.
    Go,
}

/// One of the calls that an exchange may have under way: what it plays, what it read last, and what is due when.
struct Lane {
    side: Side,
    playing: Playing,
    last: Vec<u8>,
    due: Option<(Millis, Due)>,
    /// It failed, and the other one goes on.
    idle: bool,
}

impl Lane {
    fn new(side: Side) -> Self {
        Self { side, playing: Playing::default(), last: vec![], due: None, idle: false }
    }
}

/// What a step leads to.
enum Flow {
    /// Something is due after so many milliseconds.
    After(u64, Due),
    /// The other call decides.
    Idle,
    Relay(Box<Relaying>),
    Over,
}

impl Driver<'_> {
    /// From `now` on, when the request had been held until then.
    pub fn run(&mut self, exchange: &mut Exchange, mut now: Millis) -> Run {
        let (mut run, mut lanes) = (Run::default(), vec![Lane::new(Side::First)]);
        for _ in 0..MAX_STEPS {
            // Who waits for nothing takes its next step.
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.due.is_none() && !lane.idle) {
                exchange.turn(lane.side);
                match self.step(exchange, lane, (&mut run, now)) {
                    Flow::After(ms, due) => lane.due = Some((now.plus(ms), due)),
                    Flow::Idle => lane.idle = true,
                    Flow::Over => break,
                    Flow::Relay(relaying) => {
                        let mut relay = self.relay(*relaying, &mut lane.playing, (&mut run, &mut now));
                        if !relay.is_followed() {
                            exchange.relayed(&mut relay, now);
                            break;
                        }
                        exchange.ended(&mut relay, Ended::Closed, now);
                    }
                }
                self.learned(exchange, (&mut run, now));
                continue;
            }
            let late = match if lanes.len() == 1 { exchange.hedge(now) } else { Hedging::Never } {
                Hedging::Begun => {
                    self.note((&mut run, now), "hedge", json!({}));
                    lanes.push(Lane::new(Side::Second));
                    continue;
                }
                Hedging::After(ms) => Some(now.plus(ms)),
                Hedging::Never => None,
            };
            // The first of two at the same time.
            let at = |lane: &Lane| lane.due.as_ref().map(|(at, _)| *at);
            let Some(soonest) = lanes.iter().filter_map(at).min() else { break };
            let next = late.map_or(soonest, |late| late.min(soonest));
            if let Some(gone) = self.leaves_at.filter(|gone| *gone <= next) {
                now = gone;
                self.note((&mut run, now), "client_left", json!({}));
                break;
            }
            now = next;
            if let Some(lane) = lanes.iter_mut().find(|lane| at(lane) == Some(now))
                && let Some((_, due)) = lane.due.take()
            {
                exchange.turn(lane.side);
                self.tell(exchange, due, lane, (&mut run, now));
                self.learned(exchange, (&mut run, now));
            }
        }
        exchange.close(now);
        self.learned(exchange, (&mut run, now));
        run.took_ms = now.since(self.started);
        run
    }

    fn note(&self, (run, now): (&mut Run, Millis), step: &str, more: Value) {
        let mut entry = Map::new();
        entry.put("at_ms", now.since(self.started));
        entry.put("step", step);
        if let Value::Object(more) = more {
            entry.extend(more);
        }
        run.steps.push(Value::Object(entry));
    }

    /// Does what the exchange says.
    fn step(&mut self, exchange: &mut Exchange, lane: &mut Lane, (run, now): (&mut Run, Millis)) -> Flow {
        match exchange.next(now) {
            Step::Send(send) => {
                let (ms, head) = self.send(exchange, &send, lane, (run, now));
                Flow::After(ms, Due::Head(head))
            }
            Step::Wait(ms) => {
                self.note((run, now), "wait", json!({"ms": ms}));
                Flow::After(ms, Due::Go)
            }
            Step::Read { whole: true, timeout_ms } => {
                let (ms, got) = lane.playing.whole(timeout_ms);
                Flow::After(ms, Due::Whole(got))
            }
            Step::Read { whole: false, timeout_ms } => {
                let (ms, got) = lane.playing.next(timeout_ms, Phase::FirstToken);
                Flow::After(ms, Due::Chunk(got))
            }
            Step::Idle => Flow::Idle,
            Step::Last(bytes) => {
                run.body.extend(bytes);
                Flow::Over
            }
            Step::Relay(relaying) => {
                self.note((run, now), "commit", json!({}));
                Flow::Relay(relaying)
            }
            Step::Reply(reply) => {
                self.note((run, now), "answer", json!({"status": reply.status}));
                (run.status, run.headers) = (reply.status, reply.headers);
                run.body = match reply.body {
                    Body::Text(text) => text.into_bytes(),
                    Body::Upstream => std::mem::take(&mut lane.last),
                };
                Flow::Over
            }
        }
    }

    /// One call to an upstream; when the head of its answer comes.
    fn send(
        &mut self,
        exchange: &Exchange,
        send: &Send,
        lane: &mut Lane,
        (run, now): (&mut Run, Millis),
    ) -> (u64, Result<Head, Transport>) {
        let Some(attempt) = exchange.attempt_now() else { return (0, Err(Transport::Refused)) };
        let (target, reason) = (attempt.cell(), attempt.reason.to_string());
        self.note((run, now), "send", json!({"target": target, "reason": reason, "timeout_ms": send.timeout_ms}));
        let answer = match &send.target {
            Sendable::Script(script) if !self.faults.names(attempt) => Ok(script.clone()),
            Sendable::Script(_) => self.faults.answer(exchange.call(), attempt, self.body, now),
            Sendable::Http { body, .. } | Sendable::WorkersAi { body, .. } => {
                self.faults.answer(exchange.call(), attempt, &join(self.body, body), now)
            }
        };
        let script = match answer {
            Ok(script) => script,
            Err(transport) => return (0, Err(transport)),
        };
        let (ms, status, headers) = (script.delay_ms, script.status, script.headers.clone());
        lane.playing = Playing { script: Some(script), played: 0 };
        if ms < send.timeout_ms {
            (ms, Ok(Head { status, headers }))
        } else {
            (send.timeout_ms, Err(Transport::Timeout(Phase::Headers)))
        }
    }

    /// Reports what was due.
    fn tell(&self, exchange: &mut Exchange, due: Due, lane: &mut Lane, (run, now): (&mut Run, Millis)) {
        let failed = |run: &mut Run, transport: &Transport| {
            self.note((run, now), "failure", json!({"what": word(*transport)}));
        };
        match due {
            Due::Go => {}
            Due::Head(head) => {
                match &head {
                    Ok(head) => self.note((run, now), "head", json!({"status": head.status})),
                    Err(transport) => failed(run, transport),
                }
                exchange.answered(now, head);
            }
            Due::Chunk(Ok(Some(bytes))) => exchange.received(now, Received::Bytes(&bytes)),
            Due::Chunk(Ok(None)) => {
                self.note((run, now), "end", json!({}));
                exchange.received(now, Received::End);
            }
            Due::Whole(Ok(bytes)) => {
                self.note((run, now), "whole", json!({"bytes": bytes.len()}));
                lane.last = bytes;
                exchange.received(now, Received::Bytes(&lane.last));
            }
            Due::Chunk(Err(transport)) | Due::Whole(Err(transport)) => {
                failed(run, &transport);
                exchange.received(now, Received::Failed(transport));
            }
        }
    }

    fn learned(&self, exchange: &mut Exchange, (run, now): (&mut Run, Millis)) {
        for lesson in exchange.take_lessons() {
            let (step, cell, signal) = match lesson {
                Lesson::Signal(cell, signal) => ("lesson", cell, Some(signal)),
                Lesson::Probed(cell, signal) => ("probed", cell, Some(signal)),
                Lesson::Released(cell) => ("released", cell, None),
            };
            let mut more = Map::new();
            more.put("cell", cell);
            let (word, number) = match signal {
                None => (None, None),
                Some(Signal::Ok { first_ms }) => (Some("ok"), Some(("first_ms", first_ms))),
                Some(Signal::Served) => (Some("ok"), None),
                Some(Signal::Failed { floor_ms }) => (Some("failed"), Some(("floor_ms", floor_ms))),
                Some(Signal::Cool { until }) => (Some("cool"), Some(("until", until.0))),
                Some(Signal::Down { until }) => (Some("down"), Some(("until", until.0))),
            };
            if let Some(word) = word {
                more.put("signal", word);
            }
            if let Some((key, number)) = number.filter(|(_, number)| *number > 0) {
                more.put(key, number);
            }
            self.note((run, now), step, Value::Object(more));
        }
    }

    /// The rest of a committed stream, as the shell passes it.
    fn relay(&self, relaying: Relaying, playing: &mut Playing, (run, now): (&mut Run, &mut Millis)) -> Relay {
        let Relaying { mut relay, headers, rest } = relaying;
        // Of one that goes on with another the head has gone out.
        if run.body.is_empty() {
            (run.status, run.headers) = (200, headers);
        }
        run.body.extend(rest.first);
        let (native, from) = (relay.is_native(), run.body.len());
        let end = now.plus(rest.total_ms);
        let how = loop {
            let left = end.since(*now);
            let (ms, got) = playing.next(rest.idle_ms.min(left), Phase::Idle);
            if let Some(gone) = self.leaves_at.filter(|at| *at <= now.plus(ms)) {
                *now = gone;
                break Ended::Gone;
            }
            *now = now.plus(ms);
            match got {
                Ok(Some(bytes)) if native => run.body.extend(bytes),
                Ok(Some(bytes)) => run.body.extend(relay.push(&bytes)),
                Ok(None) => break Ended::Closed,
                Err(Transport::Timeout(_)) if left <= rest.idle_ms => break Ended::Total,
                Err(Transport::Timeout(_)) => break Ended::Idle,
                Err(_) => break Ended::Cut,
            }
        };
        let passed = run.body.get(from..).filter(|_| native).unwrap_or_default();
        let tail = passed.get(passed.len().saturating_sub(TAIL)..).unwrap_or_default();
        let last = relay.end(how, tail, u64::try_from(passed.len()).unwrap_or(u64::MAX));
        if how != Ended::Gone {
            run.body.extend(last);
        }
        let name = ended(how);
        self.note((run, *now), if how == Ended::Closed { "end" } else { "break" }, json!({"how": name}));
        relay
    }
}

const fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Dns => "dns",
        Transport::Tls => "tls",
        Transport::Refused => "refused",
        Transport::Reset => "reset",
        Transport::Timeout(Phase::Headers) => "no headers in time",
        Transport::Timeout(Phase::FirstToken) => "no first content in time",
        Transport::Timeout(Phase::Idle) => "idle",
        Transport::Timeout(Phase::Answer) => "no whole answer in time",
        Transport::Timeout(Phase::Total) => "out of time",
        Transport::ClientGone => "client left",
        Transport::Rejected => "credential rejected",
        Transport::NoToken => "no token",
    }
}

const fn ended(how: Ended) -> &'static str {
    match how {
        Ended::Closed => "closed",
        Ended::Cut => "cut",
        Ended::Idle => "idle",
        Ended::Total => "total",
        Ended::Gone => "client left",
        Ended::Trap => "trap",
    }
}
