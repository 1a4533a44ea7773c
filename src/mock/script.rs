//! An answer as bytes with their times, and the faults in them.

use super::{Chunk, Ending, Script, options::Options};
use crate::{
    chat::{
        event::{Block, Delta, Event, Finish},
        request::{Part, Source},
        response::Response,
        usage::Usage,
    },
    dialect::{Asked, Caller, EventWriter, Facts},
    error::{Error, Kind},
};

/// Characters of a tool's arguments in one frame.
const ARGUMENTS_PIECE: usize = 12;

/// No dialect's data: JSON that never ends.
const MALFORMED: &str = "data: {\"mock\": \n\n";

/// An error answer.
pub fn refusal(caller: &dyn Caller, error: &Error, request_id: &str, delay_ms: u64) -> Script {
    let mut headers = vec![header("content-type", "application/json")];
    if let Some(seconds) = error.retry_after_seconds() {
        headers.push(header("retry-after", &seconds.to_string()));
    }
    let chunk = Chunk { after_ms: 0, bytes: caller.write_error(error, request_id).into_bytes() };
    Script { delay_ms, status: error.status, headers, chunks: vec![chunk], ending: Ending::Clean }
}

/// A whole answer. Faults that count frames take it as one frame: it breaks in its middle.
pub fn whole(caller: &dyn Caller, options: &Options, response: &Response, asked: &Asked<'_>) -> Script {
    let mut text = caller.write_response(response, asked, None);
    if options.error_at.is_some() {
        // As some providers do once the status line is gone.
        text = caller.write_error(&overloaded(), &asked.stamp.id);
    }
    let (stalls, cuts) = (options.stall_ms.is_some() || options.stall_at.is_some(), options.cut.is_some());
    let never_ends = stalls && options.stall_ms.is_none();
    if options.malformed.is_some() || cuts || never_ends {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        text.truncate(middle);
    }
    let ending = match (never_ends, cuts) {
        (true, _) => Ending::Stall,
        (false, true) => Ending::Cut,
        (false, false) => Ending::Clean,
    };
    let after_ms = options.first_ms.saturating_add(options.stall_ms.unwrap_or(0));
    let chunks = vec![Chunk { after_ms, bytes: text.into_bytes() }];
    let headers = vec![header("content-type", "application/json")];
    Script { delay_ms: options.delay_ms, status: 200, headers, chunks, ending }
}

pub fn stream(caller: &dyn Caller, options: &Options, response: &Response, asked: &Asked<'_>) -> Script {
    let facts = Facts { wants_usage: asked.facts.wants_usage && options.usage, ..asked.facts.clone() };
    let mut writer = caller.event_writer(&Asked { facts: &facts, ..asked.clone() });
    let mut frames = frames(writer.as_mut(), options, response);
    if let Some(at) = options.malformed {
        frames.insert(at.min(frames.len()), MALFORMED.to_owned());
    }
    let mut ending = Ending::Clean;
    let stall_at = options.stall_at.or(options.stall_ms.map(|_| 1));
    if let (Some(at), None) = (stall_at, options.stall_ms) {
        frames.truncate(at);
        ending = Ending::Stall;
    }
    if let Some(at) = options.cut.filter(|at| *at <= frames.len()) {
        frames.truncate(at);
        ending = Ending::Cut;
    }
    let chunk = |(i, frame): (usize, String)| {
        let pace = if i == 0 { options.first_ms } else { options.pace_ms };
        let stall = options.stall_ms.filter(|_| stall_at == Some(i)).unwrap_or(0);
        Chunk { after_ms: pace.saturating_add(stall), bytes: frame.into_bytes() }
    };
    let chunks = frames.into_iter().enumerate().map(chunk).collect();
    let headers = vec![header("content-type", "text/event-stream"), header("cache-control", "no-cache")];
    Script { delay_ms: options.delay_ms, status: 200, headers, chunks, ending }
}

fn frames(writer: &mut dyn EventWriter, options: &Options, response: &Response) -> Vec<String> {
    let mut frames = vec![];
    for event in events(response) {
        let mut text = String::new();
        writer.write(&event, &mut text);
        frames.extend(split(&text));
        if options.error_at.is_some_and(|at| frames.len() >= at) {
            break;
        }
    }
    let mut closing = String::new();
    if let Some(at) = options.error_at {
        frames.truncate(at);
        writer.fail(&overloaded(), &mut closing);
        frames.extend(split(&closing));
        return frames;
    }
    let (stop, stop_sequence) = (response.stop, response.stop_sequence.clone());
    writer.finish(
        &Finish { stop, stop_sequence, more: vec![], usage: response.usage.unwrap_or_default(), cost: None },
        &mut closing,
    );
    frames.extend(split(&closing));
    if options.no_done {
        frames.pop();
    }
    frames
}

/// A text of whole frames, one by one.
fn split(text: &str) -> impl Iterator<Item = String> {
    text.split_inclusive("\n\n").map(str::to_owned)
}

fn events(response: &Response) -> Vec<Event> {
    let mut events = vec![Event::Start { id: response.id.clone(), model: response.model.clone() }];
    // As Anthropic does: the prompt's tokens are known at the start.
    events.extend(response.usage.map(|usage| Event::Usage(Usage { output: 0, reasoning: 0, ..usage })));
    for (index, part) in response.parts.iter().enumerate() {
        let Some((block, deltas)) = block(part) else { continue };
        events.push(Event::BlockStart { choice: 0, index, block });
        events.extend(deltas.into_iter().map(|delta| Event::BlockDelta { index, delta }));
        events.push(Event::BlockEnd { index });
    }
    events
}

fn block(part: &Part) -> Option<(Block, Vec<Delta>)> {
    let words = |text: &str| text.split_inclusive(' ').map(str::to_owned).collect::<Vec<_>>();
    Some(match part {
        Part::Text { text, .. } => (Block::Text, words(text).into_iter().map(Delta::Text).collect()),
        Part::Reasoning { text, .. } => (Block::Reasoning, words(text).into_iter().map(Delta::Reasoning).collect()),
        Part::Refusal { text } => (Block::Refusal, words(text).into_iter().map(Delta::Refusal).collect()),
        Part::ToolCall(call) => {
            let arguments: Vec<char> = call.arguments.chars().collect();
            let deltas = arguments.chunks(ARGUMENTS_PIECE).map(|piece| Delta::Arguments(piece.iter().collect())).collect();
            let mut call = call.clone();
            call.arguments.clear();
            (Block::ToolCall(call), deltas)
        }
        Part::Image { source: Source::Inline { media_type, data }, .. } => {
            (Block::Image { media_type: media_type.clone(), data: data.clone() }, vec![])
        }
        // The mock never says these.
        Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::RedactedReasoning { .. }
        | Part::ToolResult(_)
        | Part::Opaque { .. } => return None,
    })
}

fn overloaded() -> Error {
    Error::new(Kind::Unavailable, "The mock failed inside its answer, as it was asked to.")
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
