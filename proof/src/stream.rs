//! Streams through the real readers, writers and relay.

use std::rc::Rc;

use portolan::{
    chat::{
        event::{Event, Finish, Stamp},
        response::StopReason,
        usage::Usage,
    },
    dialect::{Asked, Caller, Dialect, Facts, Upstream},
    exchange::relay::{Ended, Relay, Route},
    plan::outcome,
    wire::framing::{Decoder, Framing},
};

/// A body that asks for all that can be left out of an answer: the writers look at it.
pub const fn asked_for(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Gemini => {
            r#"{"contents":[],"generationConfig":{"thinkingConfig":{"includeThoughts":true},"responseLogprobs":true}}"#
        }
        Dialect::OpenAiResponses => {
            r#"{"model":"asked-for","input":"?","reasoning":{"summary":"auto"},"include":["reasoning.encrypted_content","message.output_text.logprobs"]}"#
        }
        Dialect::OpenAiChat
        | Dialect::OpenAiCompletions
        | Dialect::Anthropic
        | Dialect::Converse
        | Dialect::Cohere
        | Dialect::WorkersAi => r#"{"model":"asked-for"}"#,
    }
}

pub fn stamp() -> Stamp {
    Stamp { id: "gw-0123456789abcdef01234567".to_owned(), created: 1_760_000_000, model: "asked-for".to_owned() }
}

pub fn facts() -> Facts {
    Facts { model: "asked-for".to_owned(), stream: true, wants_usage: true, ..Facts::default() }
}

pub fn asked(to: Dialect, facts: &Facts) -> Asked<'_> {
    Asked { stamp: stamp(), facts, body: asked_for(to).as_bytes() }
}

/// The events of a provider's stream that arrives in these pieces, its close included. As the relay does, it stops at the
/// end: what a provider says after it nobody hears.
pub fn events<'a>(upstream: &dyn Upstream, framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let (mut reader, mut frames, mut out) = (upstream.event_reader(), Decoder::new(framing), vec![]);
    for piece in pieces {
        if frames.push(piece).is_err() {
            return out;
        }
        while let Some(frame) = frames.next_frame() {
            let before = out.len();
            reader.read(&frame, &mut out);
            if out.iter().skip(before).any(|event| matches!(event, Event::End | Event::Failed(_))) {
                return out;
            }
        }
    }
    if let Some(frame) = frames.last_frame() {
        reader.read(&frame, &mut out);
    }
    reader.close(&mut out);
    out
}

/// How a stream is passed on.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub from: Dialect,
    pub to: Dialect,
    pub framing: Framing,
    pub wants_usage: bool,
}

/// The caller's bytes of a provider's stream that arrives in these pieces; `None` when nobody calls in that dialect.
pub fn relayed<'a>(way: Way, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut relay = Relay::new(Route {
        caller: way.to.caller()?,
        upstream_dialect: way.from,
        verbatim: way.from == way.to,
        framing: way.framing,
        request_id: "gw-0".to_owned(),
        facts: Facts { wants_usage: way.wants_usage, ..facts() },
        body: Rc::new(asked_for(way.to).as_bytes().to_vec()),
        stamp: stamp(),
        provider: "recorded".to_owned(),
        on_break: portolan::config::OnStreamBreak::Error,
        price: None,
        moves_on_when_filtered: false,
        request_bytes: 100,
    });
    let mut out = vec![];
    for piece in pieces {
        out.extend(relay.push(piece));
    }
    out.extend(relay.end(Ended::Closed, &[], 0));
    Some(out)
}

/// A whole stream written by its own dialect's writer, as if it came from elsewhere.
pub fn rewritten(to: Dialect, caller: &dyn Caller, events: &[Event]) -> String {
    let (facts, mut out) = (facts(), String::new());
    let mut writer = caller.event_writer(&asked(to, &facts));
    let mut finish = Finish { stop: StopReason::End, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None };
    for event in events {
        writer.write(event, &mut out);
        match event {
            Event::Usage(usage) => finish.usage = *usage,
            Event::Stop { choice: 0, reason, sequence } => (finish.stop, finish.stop_sequence) = (*reason, sequence.clone()),
            Event::Stop { choice, reason, .. } => finish.more.push((*choice, *reason)),
            Event::Failed(error) => {
                writer.fail(&outcome::in_band(error).to_error("recorded", error), &mut out);
                return out;
            }
            Event::Start { .. }
            | Event::BlockStart { .. }
            | Event::BlockDelta { .. }
            | Event::BlockEnd { .. }
            | Event::End
            | Event::Malformed => {}
        }
    }
    writer.finish(&finish, &mut out);
    out
}

pub const LEFT_OPEN: &str = "ends with open blocks";

/// Why a stream breaks the rules that every writer relies on: blocks numbered in order of opening, deltas into open
/// blocks alone, none open at the end, nothing after it.
pub fn unruly(events: &[Event]) -> Option<String> {
    let (mut open, mut next, mut over, mut started) = (vec![], 0, false, false);
    for event in events {
        if over {
            return Some(format!("{event:?} after the end"));
        }
        match event {
            Event::Start { .. } if started => return Some("starts twice".to_owned()),
            Event::Start { .. } => started = true,
            Event::BlockStart { index, .. } => {
                if *index != next {
                    return Some(format!("block {index} opens as number {next}"));
                }
                next += 1;
                open.push(*index);
            }
            Event::BlockDelta { index, .. } if !open.contains(index) => return Some(format!("{event:?} into no open block")),
            Event::BlockEnd { index } => {
                if !open.contains(index) {
                    return Some(format!("block {index} closes, but is not open"));
                }
                open.retain(|other| other != index);
            }
            Event::End => {
                if !open.is_empty() {
                    return Some(format!("{LEFT_OPEN} {open:?}"));
                }
                over = true;
            }
            Event::Failed(_) => over = true,
            Event::BlockDelta { .. } | Event::Usage(_) | Event::Stop { .. } | Event::Malformed => {}
        }
    }
    None
}
