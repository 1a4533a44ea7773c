//! What tests of streams share: bytes to events, and events folded to an answer.

use portolan::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        request::{Part, Source, ToolCall},
        response::StopReason,
        usage::Usage,
    },
    dialect::{Asked, Caller, EventReader, Facts, Upstream},
    wire::sse::{Frame, Frames},
};

/// The events of a stream that arrives in these chunks, its close included.
pub fn events<'a>(dialect: &dyn Upstream, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let (mut reader, mut frames, mut out) = (dialect.event_reader(), Frames::default(), vec![]);
    let read = |reader: &mut Box<dyn EventReader>, frame: &Frame<'_>, out: &mut Vec<Event>| reader.read(frame, out);
    for chunk in chunks {
        frames.push(chunk).unwrap();
        while let Some(frame) = frames.next_frame() {
            read(&mut reader, &frame, &mut out);
        }
    }
    if let Some(frame) = frames.last_frame() {
        read(&mut reader, &frame, &mut out);
    }
    reader.close(&mut out);
    out
}

/// The same stream as a caller of this dialect gets it, usage included.
pub fn rewritten(dialect: &dyn Caller, events: &[Event]) -> String {
    let stamp = Stamp { id: "chatcmpl-minted".to_owned(), created: 1_700_000_000, model: "asked-for".to_owned() };
    let mut writer = dialect.event_writer(&Asked { stamp, facts: &Facts { wants_usage: true, ..Facts::default() }, body: &[] });
    let mut out = String::new();
    for event in events {
        writer.write(event, &mut out);
    }
    let folded = fold(events);
    let (stop, usage) = (folded.stop.unwrap_or(StopReason::End), folded.usage.unwrap_or_default());
    let more = events.iter().filter_map(|event| {
        if let Event::Stop { choice: choice @ 1.., reason, .. } = event { Some((*choice, *reason)) } else { None }
    });
    writer.finish(&Finish { stop, stop_sequence: None, more: more.collect(), usage, cost: None }, &mut out);
    out
}

/// A stream's events as the whole answer they tell.
#[derive(Debug, Default, PartialEq)]
pub struct Folded {
    pub id: Option<String>,
    pub model: Option<String>,
    pub parts: Vec<Part>,
    pub stop: Option<StopReason>,
    pub usage: Option<Usage>,
    pub ended: bool,
    pub failed: Option<String>,
    pub malformed: usize,
    /// Parts of further answers, as they came.
    pub more: Vec<(usize, Part)>,
}

/// Folds, and holds the stream to its rules: blocks numbered in order of opening, deltas into open blocks only, none open
/// at the end.
pub fn fold(events: &[Event]) -> Folded {
    let (mut folded, mut open, mut choices) = (Folded::default(), vec![], vec![]);
    for event in events {
        match event {
            Event::Start { id, model } => {
                assert!(folded.parts.is_empty(), "starts once, and first");
                folded.id.clone_from(id);
                folded.model.clone_from(model);
            }
            Event::BlockStart { choice, index, block } => {
                assert_eq!(*index, folded.parts.len(), "numbered in order of opening");
                choices.push(*choice);
                open.push(*index);
                folded.parts.push(part(block));
            }
            Event::BlockDelta { index, delta } => {
                assert!(open.contains(index), "a delta of a block that is not open: {event:?}");
                add(&mut folded.parts[*index], delta);
            }
            Event::BlockEnd { index } => {
                assert!(open.contains(index), "ends twice: {event:?}");
                open.retain(|i| i != index);
            }
            Event::Usage(usage) => folded.usage = Some(*usage),
            Event::Stop { choice: 1.., .. } => {}
            Event::Stop { reason, .. } => {
                assert!(folded.stop.is_none(), "stops once");
                folded.stop = Some(*reason);
            }
            Event::End => {
                assert!(open.is_empty(), "ends with open blocks");
                folded.ended = true;
            }
            Event::Failed(error) => folded.failed = Some(error.message.clone()),
            Event::Malformed => folded.malformed += 1,
        }
    }
    let (first, more) = choices.into_iter().zip(std::mem::take(&mut folded.parts)).partition(|(choice, _)| *choice == 0);
    let first: Vec<(usize, Part)> = first;
    folded.parts = first.into_iter().map(|(_, part)| part).collect();
    folded.more = more;
    folded
}

fn part(block: &Block) -> Part {
    match block.clone() {
        Block::Text => Part::text(String::new()),
        Block::Reasoning => Part::Reasoning { text: String::new(), signature: None },
        Block::RedactedReasoning { data, dialect } => Part::RedactedReasoning { data, dialect },
        Block::Refusal => Part::Refusal { text: String::new() },
        Block::ToolCall(call) => Part::ToolCall(call),
        Block::Image { media_type, data } => {
            Part::Image { source: Source::Inline { media_type, data }, detail: None, cache: None }
        }
        Block::Audio { media_type } => {
            Part::Audio { source: Source::Inline { media_type, data: String::new() }, transcript: None }
        }
        Block::Opaque { dialect, value } => Part::Opaque { dialect, value },
    }
}

fn add(part: &mut Part, delta: &Delta) {
    match (part, delta) {
        (Part::Text { text, .. }, Delta::Text(more))
        | (Part::Reasoning { text, .. }, Delta::Reasoning(more))
        | (Part::Refusal { text }, Delta::Refusal(more)) => text.push_str(more),
        (Part::ToolCall(ToolCall { arguments, .. }), Delta::Arguments(more)) => arguments.push_str(more),
        (Part::Reasoning { signature, .. } | Part::ToolCall(ToolCall { signature, .. }), Delta::Signature(value)) => {
            *signature = Some(value.clone());
        }
        (Part::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation.clone()),
        (Part::Audio { source: Source::Inline { data, .. }, .. }, Delta::Audio(more)) => data.push_str(more),
        (Part::Audio { transcript, .. }, Delta::Text(more)) => transcript.get_or_insert_default().push_str(more),
        (Part::Text { .. }, Delta::Signature(_) | Delta::Logprobs(_)) => {}
        (part, delta) => unreachable!("{delta:?} does not belong into {part:?}"),
    }
}

/// What a reader of an answer sees, whatever its blocks.
pub fn texts(parts: &[Part]) -> (String, String, String) {
    let (mut text, mut reasoning, mut refusal) = (String::new(), String::new(), String::new());
    for part in parts {
        match part {
            Part::Text { text: more, .. } => text.push_str(more),
            Part::Reasoning { text: more, .. } => reasoning.push_str(more),
            Part::Refusal { text: more } => refusal.push_str(more),
            Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::RedactedReasoning { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => {}
        }
    }
    (text, reasoning, refusal)
}

pub fn calls(parts: &[Part]) -> Vec<&ToolCall> {
    parts.iter().filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None }).collect()
}
