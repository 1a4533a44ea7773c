//! What must hold of any input at all.

use std::hash::{DefaultHasher, Hash, Hasher};

use portolan::{
    chat::{event::Event, fold, profile::Profile},
    dialect::Dialect,
    plan::outcome,
    wire::{
        framing::{Decoder, Framing},
        json::{Edit, Outline, Piece, join},
        sse::Frame,
    },
};
use serde_json::Value;

use crate::{
    amazon,
    answers::callers,
    random::Random,
    stream::{self, Way},
};

/// Pieces of a random cut.
const LONGEST_PIECE: usize = 40;

/// A number for what happened: words alone, for figures are always new.
fn behaviour(words: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.chars().filter(|c| !c.is_ascii_digit()).for_each(|c| c.hash(&mut hasher));
    hasher.finish()
}

fn must(holds: bool, rule: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

pub fn outline(input: &[u8]) -> Result<u64, String> {
    let outline = match Outline::read(input) {
        Ok(outline) => outline,
        Err(error) => return Ok(behaviour(&error.message)),
    };
    let text = std::str::from_utf8(input).map_err(|_| "taken, and no UTF-8".to_owned())?;
    let value = serde_json::from_str::<Value>(text);
    must(value.is_ok() || text.contains(['e', 'E']), "taken, and no JSON")?;
    must(outline.edit(&[]) == [Piece::Kept(0..text.len())], "changed by no edit")?;
    let keys: Vec<String> = value.ok().and_then(|v| Some(v.as_object()?.keys().cloned().collect())).unwrap_or_default();
    let key = keys.first().cloned().unwrap_or_default();
    let edits = [
        Edit::Set("model".into(), "\"other\"".into()),
        Edit::Remove(key.clone().into()),
        Edit::Rename(keys.last().cloned().unwrap_or_default().into(), "renamed".into()),
        Edit::Default("added".into(), "1".into()),
    ];
    let edited = join(text, &outline.edit(&edits));
    let again = Outline::read(edited.as_bytes()).map_err(|error| format!("edited, it is refused: {}", error.message))?;
    must(again.get("added").is_some(), "an edit is missing")?;
    must(key == "added" || key == "renamed" || again.get(&key).is_none(), "what was removed is there")?;
    Ok(behaviour(&format!("{} members", keys.len().min(9)).replace(char::is_numeric, ""))
        .wrapping_add(u64::try_from(keys.len()).unwrap_or(0)))
}

/// Event and data of each frame, and the bytes they came in.
#[derive(Default, PartialEq)]
struct Split(Vec<(Option<String>, String)>, Vec<u8>);

impl Split {
    /// Blank lines and comments may be cut into frames of their own.
    fn add(&mut self, frame: &Frame<'_>) {
        self.1.extend_from_slice(frame.raw);
        if let Some(data) = &frame.data {
            self.0.push((frame.event.as_deref().map(str::to_owned), data.to_string()));
        }
    }
}

fn split<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Split {
    let (mut frames, mut split) = (Decoder::new(framing), Split::default());
    for piece in pieces {
        if frames.push(piece).is_err() {
            split.1.clear();
            return split;
        }
        while let Some(frame) = frames.next_frame() {
            split.add(&frame);
        }
    }
    if let Some(frame) = frames.last_frame() {
        split.add(&frame);
    }
    split
}

/// Random, but the same for the same input.
fn cut(input: &[u8]) -> Vec<&[u8]> {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    Random::new(hasher.finish()).cut(input, LONGEST_PIECE)
}

pub fn frames(input: &[u8]) -> Result<u64, String> {
    let whole = split(Framing::Sse, [input]);
    must(whole.1 == input, "a byte is lost")?;
    same_frames(Framing::Sse, &whole, input)
}

/// Amazon's messages, as they are and with their lengths and sums put right: else all would be refused at once.
pub fn amazon(input: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(input);
    let sealed: Vec<u8> = text.split("\n\n").flat_map(|event| amazon::message("chunk", event.as_bytes())).collect();
    let mut behaviour = 0;
    for bytes in [input, &sealed] {
        let whole = split(Framing::EventStream, [bytes]);
        if !whole.0.is_empty() {
            behaviour ^= same_frames(Framing::EventStream, &whole, bytes)?;
        }
    }
    let messages = split(Framing::EventStream, [sealed.as_slice()]).0.len();
    must(messages == text.split("\n\n").count(), "a sealed message is not read")?;
    Ok(behaviour)
}

fn same_frames(framing: Framing, whole: &Split, input: &[u8]) -> Result<u64, String> {
    must(split(framing, cut(input)) == *whole, "split otherwise when cut")?;
    must(split(framing, input.chunks(1)) == *whole, "split otherwise byte by byte")?;
    let kinds: String = whole.0.iter().take(6).map(|(event, data)| format!("{event:?}{}", data.is_empty())).collect();
    Ok(behaviour(&kinds))
}

pub fn stream(dialect: Dialect, input: &[u8]) -> Result<u64, String> {
    let upstream = dialect.upstream();
    let events = stream::events(upstream, Framing::Sse, [input]);
    must(stream::events(upstream, Framing::Sse, cut(input)) == events, "read otherwise when cut")?;
    // A provider may leave a block open; what we write never does.
    if let Some(rule) = stream::unruly(&events).filter(|rule| !rule.starts_with(stream::LEFT_OPEN)) {
        return Err(rule);
    }
    for (to, caller) in callers() {
        let text = stream::rewritten(to, caller, &events);
        let again = stream::events(to.upstream(), Framing::Sse, [text.as_bytes()]);
        must(!again.contains(&Event::Malformed), format!("written as {}, a frame cannot be read", to.name()))?;
        if let Some(rule) = stream::unruly(&again) {
            return Err(format!("written as {}: {rule}", to.name()));
        }
    }
    Ok(behaviour(&shape(&events)))
}

/// The kinds of events in order, runs as one.
fn shape(events: &[Event]) -> String {
    let mut out = String::new();
    let mut last = String::new();
    for event in events {
        let text = format!("{event:?}");
        let kind: String = text.split(['"', '[']).next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect();
        if kind != last {
            out.push_str(&kind);
            last = kind;
        }
    }
    out
}

/// A broken stream never ends cleanly, and however it is cut the caller gets the same bytes.
pub fn relay(from: Dialect, input: &[u8]) -> Result<u64, String> {
    let mut words = String::new();
    for (to, _) in callers() {
        let way = Way { from, to, framing: Framing::Sse, wants_usage: true };
        let Some(out) = stream::relayed(way, [input]) else { continue };
        if from == to {
            continue;
        }
        must(stream::relayed(way, cut(input)).as_ref() == Some(&out), format!("relayed to {} otherwise when cut", to.name()))?;
        let again = stream::events(to.upstream(), Framing::Sse, [out.as_slice()]);
        let events = stream::events(from.upstream(), Framing::Sse, [input]);
        let whole = events.contains(&Event::End) && !events.iter().any(|event| matches!(event, Event::Failed(_)));
        must(whole || !again.contains(&Event::End), format!("broken, and ends cleanly as {}", to.name()))?;
        words.push_str(&shape(&again));
    }
    Ok(behaviour(&words))
}

pub fn response(dialect: Dialect, input: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(input);
    let error = dialect.upstream().read_error(500, &text);
    must(!outcome::in_band(&error).to_error("p", &error).message.is_empty(), "an error without a message")?;
    let response = match dialect.upstream().read_response(&text) {
        Ok(response) => response,
        Err(error) => return Ok(behaviour(&error.message)),
    };
    let facts = stream::facts();
    for (to, caller) in callers() {
        let written = caller.write_response(&response, &stream::asked(to, &facts), None);
        must(serde_json::from_str::<Value>(&written).is_ok(), format!("written as {} it is no JSON", to.name()))?;
        if let Err(error) = to.upstream().read_response(&written) {
            return Err(format!("written as {} it is refused: {}", to.name(), error.message));
        }
    }
    let (events, _) = fold::unfold(&response, None);
    Ok(behaviour(&format!("{}{:?}", shape(&events), response.stop)))
}

pub fn request(dialect: Dialect, input: &[u8]) -> Result<u64, String> {
    let Some(caller) = dialect.caller() else { return Ok(0) };
    let facts = Outline::read(input).and_then(|outline| caller.facts(&outline));
    let text = String::from_utf8_lossy(input);
    if let Ok(outline) = Outline::read(input) {
        let edits = dialect.upstream().edits(&outline, "other", true);
        let edited = join(&text, &outline.edit(&edits));
        must(Outline::read(edited.as_bytes()).is_ok(), "edited, it is refused")?;
    }
    let read = match caller.read_request(&text) {
        Ok(read) => read,
        Err(error) => {
            must(error.status == 400 && !error.message.is_empty(), "refused without a reason")?;
            return Ok(behaviour(&format!("{:?}{}", error.param, error.message)));
        }
    };
    for to in Dialect::ALL {
        let written = to.upstream().write_request(&read.value, &Profile::DEFAULT);
        must(serde_json::from_str::<Value>(&written.value).is_ok(), format!("written as {} it is no JSON", to.name()))?;
    }
    let parts = read.value.messages.iter().flat_map(|message| &message.parts).take(9);
    let kinds: String = parts.map(|part| format!("{part:?}").chars().take(12).collect::<String>()).collect();
    Ok(behaviour(&format!("{kinds}{}{:?}", facts.is_ok(), read.dropped)))
}
