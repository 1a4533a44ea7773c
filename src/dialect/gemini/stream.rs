//! A streamed answer: whole responses, each with an increment, and no marker at the end.

use serde_json::Value;

use super::{
    error,
    part::{self, Ending, Piece},
};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event},
        request::{Signature, ToolCall},
        response::StopReason,
        usage::Usage,
    },
    dialect::EventReader,
    wire::sse::Frame,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Reasoning,
}

#[derive(Default)]
pub struct Reader {
    started: bool,
    /// Nothing is said after an error.
    failed: bool,
    response_id: Option<String>,
    /// The block that text may still be added to.
    open: Option<Open>,
    /// Blocks begun so far.
    blocks: usize,
    calls: usize,
    usage: Option<Usage>,
    /// Held to the end: chunks with usage or a signature follow it, and a later reason is the truer one.
    stop: Option<StopReason>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let bare = || std::str::from_utf8(frame.raw).ok().map(str::trim).filter(|text| text.starts_with(['{', '[']));
        let Some(text) = frame.data.as_deref().map(str::trim).or_else(bare) else { return };
        // Gateways in between add OpenAI's marker.
        if text.is_empty() || text == "[DONE]" {
            return;
        }
        match serde_json::from_str(text) {
            Ok(value) => self.read_value(value, out),
            Err(_) => out.push(Event::Malformed),
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        let Some(stop) = self.stop.filter(|_| !self.failed) else { return };
        self.close_block(out);
        let reason = if stop == StopReason::End && self.calls > 0 { StopReason::ToolCalls } else { stop };
        out.push(Event::Stop { choice: 0, reason, sequence: None });
        out.push(Event::End);
    }
}

impl Reader {
    /// One response, or an array of them (a call without `alt=sse`).
    pub fn read_value(&mut self, value: Value, out: &mut Vec<Event>) {
        if self.failed {
            return;
        }
        if let Some(error) = error::find(&value) {
            return self.fail(Event::Failed(error::from_value(0, error)), out);
        }
        match value {
            Value::Array(items) => items.into_iter().for_each(|item| self.read_value(item, out)),
            Value::Object(_) => self.read_chunk(value, out),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push(Event::Malformed),
        }
    }

    /// A whole answer needs no reason to be whole.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        self.stop.get_or_insert(StopReason::End);
        self.close(out);
    }

    fn read_chunk(&mut self, mut chunk: Value, out: &mut Vec<Event>) {
        self.start(&chunk, out);
        // First, for callers whose opening frame tells the prompt's tokens.
        let usage = chunk.get("usageMetadata").and_then(part::read_usage);
        if let Some(usage) = usage.filter(|usage| self.usage != Some(*usage)) {
            self.usage = Some(usage);
            out.push(Event::Usage(usage));
        }
        let mut candidates = chunk.get_mut("candidates").map(Value::take).unwrap_or_default();
        let first = candidates.as_array_mut().and_then(|all| all.iter_mut().find(|c| is_first(c)));
        if let Some(candidate) = first {
            match part::read_ending(candidate) {
                Some(Ending::Stop(reason)) => self.stop = Some(reason),
                // Before its parts are told: then another target may still answer.
                Some(Ending::Failed(error)) => return self.fail(Event::Failed(error), out),
                None => {}
            }
            let parts = candidate.pointer_mut("/content/parts").map(Value::take).unwrap_or_default();
            if let Value::Array(parts) = parts {
                parts.into_iter().flat_map(part::read).for_each(|piece| self.tell(piece, out));
            }
        }
        if chunk.pointer("/promptFeedback/blockReason").is_some_and(|reason| !reason.is_null()) {
            self.stop = Some(StopReason::ContentFilter);
        }
    }

    fn start(&mut self, chunk: &Value, out: &mut Vec<Event>) {
        let text = |key: &str| chunk.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        if self.started {
            return;
        }
        self.started = true;
        self.response_id = text("responseId");
        out.push(Event::Start { id: self.response_id.clone(), model: text("modelVersion") });
    }

    fn fail(&mut self, event: Event, out: &mut Vec<Event>) {
        self.failed = true;
        out.push(event);
    }

    fn tell(&mut self, piece: Piece, out: &mut Vec<Event>) {
        match piece {
            Piece::Text(text) => self.add(Open::Text, Delta::Text(text), out),
            Piece::Thought { text, signature } => {
                self.add(Open::Reasoning, Delta::Reasoning(text), out);
                if let Some(signature) = signature {
                    self.add(Open::Reasoning, Delta::Signature(ours(signature)), out);
                    self.close_block(out);
                }
            }
            Piece::Signature(signature) => {
                self.close_block(out);
                self.add(Open::Reasoning, Delta::Signature(ours(signature)), out);
                self.close_block(out);
            }
            Piece::Call { id, name, arguments, signature } => {
                let id = id.unwrap_or_else(|| part::mint_id(self.calls, self.response_id.as_deref(), &name, &arguments));
                let signature = signature.map(ours);
                self.calls += 1;
                let call = ToolCall { id, name, arguments: String::new(), signature, ..ToolCall::default() };
                self.whole(Block::ToolCall(call), Some(Delta::Arguments(arguments)), out);
            }
            Piece::Image { media_type, data } => self.whole(Block::Image { media_type, data }, None, out),
            Piece::Opaque(value) => self.whole(Block::Opaque { dialect: Dialect::Gemini, value }, None, out),
        }
    }

    fn add(&mut self, kind: Open, delta: Delta, out: &mut Vec<Event>) {
        if self.open != Some(kind) {
            self.close_block(out);
            let block = match kind {
                Open::Text => Block::Text,
                Open::Reasoning => Block::Reasoning,
            };
            out.push(Event::BlockStart { choice: 0, index: self.blocks, block });
            self.blocks += 1;
            self.open = Some(kind);
        }
        out.push(Event::BlockDelta { index: self.blocks - 1, delta });
    }

    /// A block that comes in one piece.
    fn whole(&mut self, block: Block, delta: Option<Delta>, out: &mut Vec<Event>) {
        self.close_block(out);
        let index = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { choice: 0, index, block });
        out.extend(delta.map(|delta| Event::BlockDelta { index, delta }));
        out.push(Event::BlockEnd { index });
    }

    fn close_block(&mut self, out: &mut Vec<Event>) {
        if self.open.take().is_some() {
            out.push(Event::BlockEnd { index: self.blocks - 1 });
        }
    }
}

/// The gateway asks for one candidate; of several only the first is read.
fn is_first(candidate: &Value) -> bool {
    candidate.get("index").and_then(Value::as_u64).unwrap_or(0) == 0
}

const fn ours(value: String) -> Signature {
    Signature { dialect: Dialect::Gemini, value }
}
