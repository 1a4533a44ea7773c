//! A whole answer: read as a stream of one chunk, so that both kinds say the same.

use serde_json::Value;

use super::{error, stream::Reader};
use crate::chat::{
    event::{Block, Delta, Event, UpstreamError},
    request::{Part, Source},
    response::{Response, StopReason},
};

pub fn read(body: &str) -> Result<Response, UpstreamError> {
    let value: Value = serde_json::from_str(body.trim()).map_err(|_| no_answer("The answer is not JSON."))?;
    if let Some(error) = error::find(&value) {
        return Err(error::from_value(0, error));
    }
    if !is_answer(&value) {
        return Err(no_answer("The answer has neither candidates nor the reason why."));
    }
    let (mut reader, mut events) = (Reader::default(), vec![]);
    reader.read_value(value, &mut events);
    reader.finish(&mut events);
    collect(events)
}

fn is_answer(value: &Value) -> bool {
    if let Value::Array(chunks) = value {
        return chunks.iter().any(is_answer);
    }
    let has_candidate = value.get("candidates").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    has_candidate || value.pointer("/promptFeedback/blockReason").is_some()
}

fn no_answer(message: &str) -> UpstreamError {
    UpstreamError { message: message.to_owned(), ..UpstreamError::default() }
}

fn collect(events: Vec<Event>) -> Result<Response, UpstreamError> {
    let mut response = Response { id: None, model: None, parts: vec![], stop: StopReason::End, stop_sequence: None, usage: None };
    for event in events {
        match event {
            Event::Start { id, model } => (response.id, response.model) = (id, model),
            Event::BlockStart { block, .. } => response.parts.push(part(block)),
            Event::BlockDelta { delta, .. } => {
                if let Some(part) = response.parts.last_mut() {
                    extend(part, delta);
                }
            }
            Event::Usage(usage) => response.usage = Some(usage),
            Event::Stop { reason, sequence } => (response.stop, response.stop_sequence) = (reason, sequence),
            Event::Failed(error) => return Err(error),
            Event::BlockEnd { .. } | Event::End | Event::Malformed => {}
        }
    }
    Ok(response)
}

fn part(block: Block) -> Part {
    match block {
        Block::Text => Part::Text { text: String::new(), cache: None },
        Block::Reasoning => Part::Reasoning { text: String::new(), signature: None },
        Block::RedactedReasoning { data, dialect } => Part::RedactedReasoning { data, dialect },
        Block::Refusal => Part::Refusal { text: String::new() },
        Block::ToolCall(call) => Part::ToolCall(call),
        Block::Image { media_type, data } => {
            Part::Image { source: Source::Inline { media_type, data }, detail: None, cache: None }
        }
        Block::Opaque { dialect, value } => Part::Opaque { dialect, value },
    }
}

fn extend(part: &mut Part, delta: Delta) {
    match (part, delta) {
        (Part::Text { text, .. }, Delta::Text(more)) | (Part::Reasoning { text, .. }, Delta::Reasoning(more)) => {
            text.push_str(&more);
        }
        (Part::Reasoning { signature, .. }, Delta::Signature(proof)) => *signature = Some(proof),
        (Part::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        // The reader makes no other pair.
        (_, Delta::Text(_) | Delta::Reasoning(_) | Delta::Refusal(_) | Delta::Arguments(_) | Delta::Signature(_)) => {}
    }
}
