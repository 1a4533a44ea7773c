//! A request on its way: what it waits for, and what its client has got so far.

use std::{collections::BTreeMap, rc::Rc};

use portolan::{
    dialect::Dialect,
    exchange::{
        Exchange, Head, Relaying, Sendable,
        relay::{Ended, Relay},
    },
    plan::{
        Plan, Reason,
        outcome::{Phase, Transport},
    },
    wire::json::Piece,
};

use super::{
    report::SendRow,
    scenario::Place,
    upstream::{Answer, Ending},
};

/// What the shell keeps of the end of a stream that passes natively.
pub const TAIL: usize = 16_384;

/// What comes when the wait is over.
pub enum Pending {
    Nothing,
    Head(Result<Head, Transport>),
    Whole(Result<Vec<u8>, Transport>),
    Chunk(Result<Option<Vec<u8>>, Transport>),
    /// Of a committed stream.
    Pass(Vec<u8>),
    Over(Ended),
}

/// A committed stream.
pub struct Passing {
    pub relay: Relay,
    pub is_native: bool,
    /// What passed natively.
    pub passed: Vec<u8>,
    pub idle_ms: u64,
    pub ends_at: u64,
}

pub struct Flight {
    pub exchange: Exchange,
    pub arrival: usize,
    pub isolate: usize,
    pub turn: u32,
    pub pending: Pending,
    pub answer: Option<Answer>,
    pub passing: Option<Passing>,
    pub body: Rc<String>,
    /// What the client got.
    pub got: Vec<u8>,
    pub status: u16,
    pub sends: Vec<SendRow>,
    pub reasons: BTreeMap<String, Reason>,
    pub first: Option<(String, Reason)>,
    pub total_ms: u64,
    /// Taken and not given back.
    pub probes: Vec<String>,
    pub whole: Vec<u8>,
    pub steps: u32,
}

impl Flight {
    pub fn new(exchange: Exchange, plan: &Plan, (arrival, isolate): (usize, usize), body: Rc<String>) -> Self {
        Self {
            exchange,
            arrival,
            isolate,
            turn: 0,
            pending: Pending::Nothing,
            answer: None,
            passing: None,
            body,
            got: vec![],
            status: 0,
            sends: vec![],
            reasons: plan.attempts.iter().map(|attempt| (attempt.cell(), attempt.reason)).collect(),
            first: plan.attempts.first().map(|attempt| (attempt.cell(), attempt.reason)),
            total_ms: plan.total_ms,
            probes: plan.probes().collect(),
            whole: vec![],
            steps: 0,
        }
    }

    /// Until the head of the answer, or the end of patience.
    pub fn head(&mut self, limit: u64) -> u64 {
        let Some(answer) = &self.answer else { return 0 };
        let (wait, result) = match answer.head_after.filter(|after| *after < limit) {
            None => (limit, Err(Transport::Timeout(Phase::Headers))),
            Some(after) => {
                let head = Head { status: answer.status, headers: answer.headers.clone() };
                (after, answer.refusal.map_or(Ok(head), Err))
            }
        };
        self.pending = Pending::Head(result);
        wait
    }

    /// Until all of it is there.
    pub fn read_whole(&mut self, limit: u64) -> u64 {
        let Some(answer) = &mut self.answer else { return 0 };
        let (mut waited, mut bytes) = (0, vec![]);
        while let Some((after, chunk)) = answer.chunks.pop_front() {
            waited += after;
            bytes.extend(chunk);
            answer.read += 1;
        }
        let (wait, result) = match answer.ending {
            _ if waited >= limit => (limit, Err(Transport::Timeout(Phase::Answer))),
            Ending::Clean => (waited, Ok(bytes)),
            Ending::Cut => (waited + 1, Err(Transport::Reset)),
            Ending::Stall => (limit, Err(Transport::Timeout(Phase::Answer))),
        };
        self.pending = Pending::Whole(result);
        wait
    }

    /// Until the next chunk.
    pub fn read_chunk(&mut self, limit: u64) -> u64 {
        let Some(answer) = &mut self.answer else { return 0 };
        let (wait, result) = next(answer, limit, Phase::FirstToken);
        self.pending = Pending::Chunk(result);
        wait
    }

    pub fn begin(&mut self, relaying: Relaying, now: u64) {
        let Relaying { relay, rest, .. } = relaying;
        self.got = rest.first;
        self.status = 200;
        let is_native = relay.is_native();
        self.passing = Some(Passing { relay, is_native, passed: vec![], idle_ms: rest.idle_ms, ends_at: now + rest.total_ms });
    }

    /// Until the committed stream goes on, or is over.
    pub fn pass(&mut self, now: u64) -> u64 {
        let (Some(answer), Some(passing)) = (&mut self.answer, &self.passing) else { return 0 };
        let left = passing.ends_at.saturating_sub(now);
        let (wait, result) = next(answer, passing.idle_ms.min(left), Phase::Idle);
        self.pending = match result {
            Ok(Some(bytes)) => Pending::Pass(bytes),
            Ok(None) => Pending::Over(Ended::Closed),
            Err(Transport::Timeout(_)) if left <= passing.idle_ms => Pending::Over(Ended::Total),
            Err(Transport::Timeout(_)) => Pending::Over(Ended::Idle),
            Err(_) => Pending::Over(Ended::Cut),
        };
        wait
    }

    pub fn passed(&mut self, bytes: &[u8]) {
        let Some(passing) = &mut self.passing else { return };
        if passing.is_native {
            passing.passed.extend_from_slice(bytes);
            self.got.extend_from_slice(bytes);
        } else {
            self.got.extend(passing.relay.push(bytes));
        }
    }

    /// The stream is over; true when its relay was there to say so.
    pub fn end(&mut self, how: Ended) -> Option<Relay> {
        let mut passing = self.passing.take()?;
        let tail = passing.passed.get(passing.passed.len().saturating_sub(TAIL)..).unwrap_or_default();
        let last = passing.relay.end(how, tail, u64::try_from(passing.passed.len()).unwrap_or(0));
        if how != Ended::Gone {
            self.got.extend(last);
        }
        Some(passing.relay)
    }
}

fn next(answer: &mut Answer, limit: u64, phase: Phase) -> (u64, Result<Option<Vec<u8>>, Transport>) {
    let after = answer.chunks.front().map(|(after, _)| *after);
    match (after, answer.ending) {
        (Some(after), _) if after < limit => {
            answer.read += 1;
            (after, Ok(answer.chunks.pop_front().map(|(_, bytes)| bytes)))
        }
        (Some(_), _) | (None, Ending::Stall) => (limit, Err(Transport::Timeout(phase))),
        (None, Ending::Clean) => (0, Ok(None)),
        (None, Ending::Cut) => (1, Err(Transport::Reset)),
    }
}

/// Where a send goes: the host names the provider, path or body the model, a header the credential.
pub fn place(target: &Sendable, original: &str, region: usize) -> Option<Place> {
    let Sendable::Http { url, headers, body, .. } = target else { return None };
    let digit = |text: &str| text.chars().next().and_then(|c| c.to_digit(10)).and_then(|d| usize::try_from(d).ok());
    let after = |text: &str, mark: &str| text.split_once(mark).and_then(|(_, rest)| digit(rest));
    let text: String = body
        .iter()
        .map(|piece| match piece {
            Piece::Kept(range) => original.get(range.clone()).unwrap_or_default(),
            Piece::New(text) => text.as_str(),
        })
        .collect();
    let provider = after(url, "//p")?;
    let model = after(url, "/models/m").or_else(|| after(&text, "\"model\":\"m"))?;
    let key = headers.iter().find_map(|(_, value)| after(value, "_KEY_")).unwrap_or(0);
    Some(Place { provider, model, key, region })
}

/// Dialects that have a way to ask for a stream by their path.
pub fn is_by_path(dialect: Dialect) -> bool {
    dialect == Dialect::Gemini
}
