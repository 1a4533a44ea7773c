//! What is checked of a recorded answer.

use portolan::{
    chat::{
        event::{Event, UpstreamError},
        fold,
        response::Response,
    },
    dialect::{Caller, Dialect, Upstream},
    error::{self, Error},
    wire::{framing::Framing, sse::Frames},
};
use serde_json::Value;

use crate::{
    expected, facets,
    random::Random,
    recording::{Kind, Recording},
    stream::{self, Way},
};

/// Cuts at random places, of each stream.
const CUTS: usize = 3;
/// Of these, the longest piece.
const LONGEST_PIECE: usize = 700;

/// What came out of one recording.
#[derive(Default)]
pub struct Findings {
    /// What must not be.
    pub wrong: Vec<String>,
    /// What the answer lost on its way: from where to where, and what.
    pub lost: Vec<(String, String)>,
    /// Bodies that passed untouched, and such that were edited.
    pub verbatim: usize,
    pub edited: usize,
}

pub fn check(recording: &Recording, dialect: Dialect) -> Findings {
    let mut found = Findings::default();
    match recording.kind {
        _ if recording.status >= 400 => found.wrong = failure(recording, dialect),
        Kind::Whole => whole(recording, dialect, &mut found),
        Kind::Events | Kind::AmazonEvents => streamed(recording, dialect, &mut found),
        Kind::Other => found.wrong.push("an answer of an unknown kind".to_owned()),
    }
    found
}

/// What is wrong with the reading of an error's body.
pub fn failure(recording: &Recording, dialect: Dialect) -> Vec<String> {
    let read = dialect.upstream().read_error(recording.status, &recording.text());
    let mut wrong = vec![];
    if read.status != recording.status {
        wrong.push(format!("the error's status is read as {}", read.status));
    }
    if read.message.trim().is_empty() || read.message.starts_with('{') || read.message.starts_with("The provider") {
        wrong.push(format!("the error says nothing: {:?}", read.message));
    }
    for (to, caller) in callers() {
        let mut told = Error::new(error::Kind::InvalidRequest, read.message.clone());
        told.status = recording.status;
        let again = to.upstream().read_error(recording.status, &caller.write_error(&told, "req_1"));
        if again.message != read.message {
            wrong.push(format!("the error is told to {} as {:?}", to.name(), again.message));
        }
    }
    wrong
}

fn whole(recording: &Recording, dialect: Dialect, found: &mut Findings) {
    let response = match dialect.upstream().read_response(&recording.text()) {
        Ok(response) => response,
        Err(error) => return in_band(recording, &error, found),
    };
    if recording.failed {
        found.wrong.push("recorded as failed, read as an answer".to_owned());
    }
    found.wrong.extend(expected::differences(recording, dialect, &response));
    for (to, caller) in callers() {
        let facts = stream::facts();
        let written = caller.write_response(&response, &stream::asked(to, &facts), None);
        match to.upstream().read_response(&written) {
            Ok(again) => lose(dialect, to, &response, &again, found),
            Err(error) => found.wrong.push(format!("written as {}, then {error:?}", to.name())),
        }
    }
}

/// An error inside an answer of status 200.
fn in_band(recording: &Recording, error: &UpstreamError, found: &mut Findings) {
    if !recording.failed {
        found.wrong.push(format!("not read: {}", error.message));
    } else if error.message.is_empty() {
        found.wrong.push("the error says nothing".to_owned());
    }
}

pub fn callers() -> impl Iterator<Item = (Dialect, &'static dyn Caller)> {
    Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, dialect.caller()?)))
}

/// An answer in the dialects of all callers.
pub fn written(recording: &Recording, from: Dialect) -> Vec<(Dialect, String)> {
    let of = |(to, caller): (Dialect, &'static dyn Caller)| {
        let facts = stream::facts();
        let text = if recording.kind == Kind::Whole {
            let response = from.upstream().read_response(&recording.text()).ok()?;
            caller.write_response(&response, &stream::asked(to, &facts), None)
        } else {
            let way = Way { from, to, framing: recording.framing(), wants_usage: true };
            String::from_utf8_lossy(&stream::relayed(way, [recording.body.as_slice()])?).into_owned()
        };
        Some((to, text))
    };
    callers().filter_map(of).collect()
}

fn lose(from: Dialect, to: Dialect, before: &Response, after: &Response, found: &mut Findings) {
    let place = format!("{} > {}", from.name(), to.name());
    // A provider's own words are for its own dialect.
    let is_own = |loss: &String| from == to || !loss.starts_with("citations.native");
    found.lost.extend(facets::losses(before, after).into_iter().filter(is_own).map(|loss| (place.clone(), loss)));
}

fn streamed(recording: &Recording, dialect: Dialect, found: &mut Findings) {
    let (bytes, upstream) = (recording.body.as_slice(), dialect.upstream());
    let events = stream::events(upstream, recording.framing(), [bytes]);
    found.wrong.extend(stream::unruly(&events));
    same_however_cut(recording, upstream, &events, found);
    let malformed = events.iter().filter(|event| **event == Event::Malformed).count();
    if malformed > 0 {
        found.wrong.push(format!("{malformed} frames cannot be read"));
    }
    let failed = events.iter().any(|event| matches!(event, Event::Failed(_)));
    if !failed && !events.contains(&Event::End) {
        found.wrong.push("neither ends nor fails".to_owned());
    }
    match fold::fold(events.clone()) {
        Ok(response) => {
            if recording.failed {
                found.wrong.push("recorded as failed, read as an answer".to_owned());
            }
            found.wrong.extend(expected::differences(recording, dialect, &response));
        }
        Err(error) => in_band(recording, &error, found),
    }
    for (to, _) in callers() {
        translated(Way { from: dialect, to, framing: recording.framing(), wants_usage: true }, recording, &events, found);
    }
    if recording.kind == Kind::Events {
        passed_on(recording, dialect, failed, found);
    }
}

fn cuts(recording: &Recording) -> Vec<Vec<&[u8]>> {
    let mut random = Random::named(&recording.name);
    let bytes = recording.body.as_slice();
    let mut all = vec![recording.reads()];
    all.extend((0..CUTS).map(|_| random.cut(bytes, LONGEST_PIECE)));
    all
}

fn same_however_cut(recording: &Recording, upstream: &dyn Upstream, events: &[Event], found: &mut Findings) {
    if stream::events(upstream, recording.framing(), recording.body.chunks(1)) != events {
        found.wrong.push("reads otherwise byte by byte".to_owned());
    }
    for (number, pieces) in cuts(recording).into_iter().enumerate() {
        if stream::events(upstream, recording.framing(), pieces) != events {
            found.wrong.push(format!("reads otherwise in cut {number}"));
        }
    }
}

/// The stream as callers of another dialect get it through the relay, read back.
fn translated(way: Way, recording: &Recording, events: &[Event], found: &mut Findings) {
    let written = if way.from == way.to {
        way.to.caller().map(|caller| stream::rewritten(way.to, caller, events).into_bytes())
    } else {
        stream::relayed(way, [recording.body.as_slice()])
    };
    let Some(written) = written else { return };
    if way.from != way.to {
        for (number, pieces) in cuts(recording).into_iter().enumerate() {
            if stream::relayed(way, pieces).as_ref() != Some(&written) {
                found.wrong.push(format!("relayed to {} otherwise in cut {number}", way.to.name()));
            }
        }
    }
    let again = stream::events(way.to.upstream(), Framing::Sse, [written.as_slice()]);
    if let Some(rule) = stream::unruly(&again) {
        found.wrong.push(format!("written as {}: {rule}", way.to.name()));
    }
    match (fold::fold(events.iter().cloned()), fold::fold(again.clone())) {
        (Ok(before), Ok(after)) => {
            if again.contains(&Event::End) != events.contains(&Event::End) {
                found.wrong.push(format!("written as {}, its end is lost or made up", way.to.name()));
            }
            lose(way.from, way.to, &before, &after, found);
        }
        (Err(_), Err(error)) if !error.message.is_empty() && !again.contains(&Event::End) => {}
        (before, after) => {
            found.wrong.push(format!("written as {}: {} becomes {}", way.to.name(), told(&before), told(&after)));
        }
    }
}

fn told(answer: &Result<Response, UpstreamError>) -> String {
    answer.as_ref().map_or_else(|error| format!("the failure {:?}", error.message), |_| "an answer".to_owned())
}

/// The caller's own dialect: the very bytes; and, where only the gateway asked for the report of usage, all but that.
fn passed_on(recording: &Recording, dialect: Dialect, failed: bool, found: &mut Findings) {
    let way = Way { from: dialect, to: dialect, framing: Framing::Sse, wants_usage: true };
    // Of what its provider broke off, the rest does not matter.
    let cuts = if failed { vec![] } else { cuts(recording) };
    for pieces in std::iter::once(vec![recording.body.as_slice()]).chain(cuts) {
        let Some(out) = stream::relayed(way, pieces) else { return };
        let supplied = out.strip_prefix(recording.body.as_slice());
        match supplied {
            Some([]) => found.verbatim += 1,
            // What its provider left out: the end mark, or why it broke.
            Some(more) if is_end(dialect, more) || failed => found.edited += 1,
            // Blank lines behind the end mark say nothing.
            None if recording.body.strip_prefix(out.as_slice()).is_some_and(|rest| rest.trim_ascii().is_empty()) => {
                found.verbatim += 1;
            }
            _ => found.wrong.push("does not pass as the very bytes".to_owned()),
        }
    }
    if failed {
        return;
    }
    let hidden = stream::relayed(Way { wants_usage: false, ..way }, [recording.body.as_slice()]).unwrap_or_default();
    let expected = without_reports(dialect, &recording.body);
    let rest = hidden.strip_prefix(expected.as_slice());
    if !rest.is_some_and(|more| more.is_empty() || is_end(dialect, more)) {
        found.wrong.push("without its report of usage it is not all the rest".to_owned());
    }
    if expected.len() < recording.body.len() {
        found.edited += 1;
    }
}

fn is_end(dialect: Dialect, more: &[u8]) -> bool {
    let terminal = dialect.caller().map_or("", |caller| caller.terminal());
    String::from_utf8_lossy(more).trim_start() == terminal.trim_start()
}

/// The stream without the events that hold usage and no choice; only OpenAI's dialects have such.
fn without_reports(dialect: Dialect, body: &[u8]) -> Vec<u8> {
    let (mut frames, mut out) = (Frames::default(), vec![]);
    if dialect.upstream().always_reports_usage() || frames.push(body).is_err() {
        return body.to_vec();
    }
    let mut stopped = false;
    let mut keep = |raw: &[u8], data: Option<&str>| {
        let chunk = serde_json::from_str::<Value>(data.unwrap_or_default().trim()).unwrap_or_default();
        if !is_only_usage(&chunk, stopped) {
            out.extend_from_slice(raw);
        }
        stopped |= choices(&chunk).iter().any(|choice| choice["finish_reason"].is_string());
    };
    while let Some(frame) = frames.next_frame() {
        keep(frame.raw, frame.data.as_deref());
    }
    if let Some(frame) = frames.last_frame() {
        keep(frame.raw, frame.data.as_deref());
    }
    out
}

/// Counts tokens, and says nothing else: no choice, or choices whose deltas are empty and that stopped before.
fn is_only_usage(chunk: &Value, stopped: bool) -> bool {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    };
    let speaks = |choice: &Value| {
        let delta = choice["delta"].as_object();
        let stops = choice["finish_reason"].is_string() && !stopped;
        stops || says(&choice["text"]) || delta.is_some_and(|delta| delta.iter().any(|(key, value)| key != "role" && says(value)))
    };
    chunk["usage"].is_object() && !choices(chunk).iter().any(speaks)
}

fn choices(chunk: &Value) -> &[Value] {
    chunk["choices"].as_array().map(Vec::as_slice).unwrap_or_default()
}
