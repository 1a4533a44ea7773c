//! Streams, from chat to wire.

use std::{collections::VecDeque, mem};

use serde_json::Value;

use super::{
    citation, id,
    response::{Held, NO_AUDIO, NO_IMAGE, message_id, write_stop},
    seal, usage, write_error,
};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish, Stamp},
        request::{CUSTOM_INPUT, Signature},
        usage::Usage,
    },
    dialect::EventWriter,
    error::Error,
    wire::{
        compose::json,
        json::{json_text, quoted},
        sse::{self, Frame},
    },
};

pub(super) struct Writer {
    stamp: Stamp,
    id: Option<String>,
    model: Option<String>,
    usage: Usage,
    started: bool,
    pinged: bool,
    /// The number on the wire of the next block.
    next: usize,
    /// The canonical block that is being written.
    open: Option<Open>,
    /// Blocks that began while another was open: the dialect has one open block at a time.
    waiting: VecDeque<Waiting>,
    held: Held,
}

struct Open {
    index: usize,
    shape: Shape,
    /// Opened on the wire. Text is, at its first character: clients send empty blocks back, and Anthropic refuses them.
    begun: bool,
    /// A proof that came where its block has no place for it: it follows in a block of its own.
    late: Option<String>,
}

enum Shape {
    Text,
    /// What is said in it is text; without words a note stands for it.
    Audio,
    Reasoning,
    Call {
        id: String,
        fragments: bool,
    },
    /// A call whose input is any text: here the one string of an object, escaped piece by piece.
    Custom {
        id: String,
    },
    /// Written whole at its start.
    Whole,
    /// Of another dialect: nothing is written.
    Foreign,
}

struct Waiting {
    index: usize,
    block: Block,
    deltas: Vec<Delta>,
    ended: bool,
}

impl Writer {
    pub(super) fn new(stamp: Stamp) -> Self {
        Self {
            stamp,
            id: None,
            model: None,
            usage: Usage::default(),
            started: false,
            pinged: false,
            next: 0,
            open: None,
            waiting: VecDeque::new(),
            held: Held::default(),
        }
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::Start { id, model } => (self.id, self.model) = (id.clone(), model.clone()),
            Event::Usage(usage) => self.usage = *usage,
            // Nobody who speaks this dialect can ask for several answers.
            Event::BlockStart { choice: 1.., .. } => {}
            Event::BlockStart { index, block, .. } if self.open.is_some() => {
                self.waiting.push_back(Waiting { index: *index, block: block.clone(), deltas: vec![], ended: false });
            }
            Event::BlockStart { index, block, .. } => self.begin(*index, block, out),
            Event::BlockDelta { index, delta } => match &mut self.open {
                Some(open) if open.index == *index => self.delta(delta, out),
                _ => {
                    if let Some(block) = self.waiting.iter_mut().find(|block| block.index == *index) {
                        block.deltas.push(delta.clone());
                    }
                }
            },
            Event::BlockEnd { index } => {
                if self.open.as_ref().is_some_and(|open| open.index == *index) {
                    self.end(out);
                    self.follow(false, out);
                } else if let Some(block) = self.waiting.iter_mut().find(|block| block.index == *index) {
                    block.ended = true;
                }
            }
            Event::Stop { .. } | Event::End | Event::Failed(_) | Event::Malformed => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        self.start(out);
        self.end(out);
        self.follow(true, out);
        let delta = json!({"stop_reason": write_stop(finish.stop, self.held), "stop_sequence": &finish.stop_sequence});
        let usage = usage::write(&finish.usage, finish.cost);
        emit(out, "message_delta", &json!({"type": "message_delta", "delta": delta, "usage": usage}));
        emit(out, "message_stop", &json!({"type": "message_stop"}));
    }

    fn fail(&mut self, error: &Error, out: &mut String) {
        emit(out, "error", &json!({"type": "error", "error": write_error(error)}));
    }

    fn adopt(&mut self, frame: &Frame<'_>) {
        let Some(event) = frame.data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok()) else { return };
        let index = || event.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        match (event.get("type").and_then(Value::as_str), index()) {
            (Some("message_start"), _) => (self.started, self.pinged) = (true, true),
            (Some("content_block_start"), Some(index)) => {
                self.next = index;
                if let Some(open) = &mut self.open {
                    open.begun = true;
                }
            }
            (Some("content_block_stop"), Some(index)) => self.next = index + 1,
            _ => {}
        }
    }
}

impl Writer {
    /// The opening frame, held until there is something to say: by then the prompt's tokens are often known.
    fn start(&mut self, out: &mut String) {
        if mem::replace(&mut self.started, true) {
            return;
        }
        let message = json!({
            "id": message_id(self.id.as_deref(), &self.stamp),
            "type": "message",
            "role": "assistant",
            "model": self.model.as_deref().unwrap_or(&self.stamp.model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::write(&self.usage, None),
        });
        emit(out, "message_start", &json!({"type": "message_start", "message": message}));
    }

    fn begin(&mut self, index: usize, block: &Block, out: &mut String) {
        self.start(out);
        let mut arguments = None;
        let (shape, whole) = match block {
            Block::Text => (Shape::Text, None),
            Block::Refusal => {
                self.held.refusal = true;
                (Shape::Text, None)
            }
            Block::Reasoning => (Shape::Reasoning, None),
            Block::RedactedReasoning { data, dialect } => {
                (Shape::Whole, Some(json!({"type": "redacted_thinking", "data": seal::seal(*dialect, data)})))
            }
            Block::ToolCall(call) => {
                self.held.call = true;
                if let Some(signature) = &call.signature {
                    self.proof(&seal::call_seal(&call.id, signature), out);
                }
                arguments = Some(Delta::Arguments(call.arguments.clone()));
                let opening = json!({"type": "tool_use", "id": id::encode(&call.id), "name": &call.name, "input": {}});
                let id = call.id.clone();
                (if call.custom { Shape::Custom { id } } else { Shape::Call { id, fragments: false } }, Some(opening))
            }
            Block::Audio { .. } => (Shape::Audio, None),
            Block::Image { .. } => (Shape::Whole, Some(json!({"type": "text", "text": NO_IMAGE}))),
            Block::Opaque { dialect: Dialect::Anthropic, value } => (Shape::Whole, Some(value.clone())),
            Block::Opaque { .. } => (Shape::Foreign, None),
        };
        if let Some(block) = &whole {
            self.block_start(block, out);
        }
        if let Shape::Custom { .. } = shape {
            self.fragment(&format!("{{{}:\"", quoted(CUSTOM_INPUT)), out);
        }
        self.open = Some(Open { index, shape, begun: whole.is_some(), late: None });
        if let Some(arguments) = arguments {
            self.delta(&arguments, out);
        }
    }

    fn delta(&mut self, delta: &Delta, out: &mut String) {
        let Some(mut open) = self.open.take() else { return };
        let written = match (&mut open.shape, delta) {
            (Shape::Text | Shape::Audio, Delta::Text(text) | Delta::Refusal(text)) if !text.is_empty() => {
                Some(json!({"type": "text_delta", "text": text}))
            }
            (Shape::Text, Delta::Citation(cited)) => Some(json!({"type": "citations_delta", "citation": citation::write(cited)})),
            (Shape::Reasoning, Delta::Reasoning(text)) if !text.is_empty() => {
                Some(json!({"type": "thinking_delta", "thinking": text}))
            }
            (Shape::Reasoning, Delta::Signature(Signature { dialect, value })) => {
                Some(json!({"type": "signature_delta", "signature": seal::seal(*dialect, value)}))
            }
            (Shape::Call { fragments, .. }, Delta::Arguments(text)) if !text.is_empty() => {
                *fragments = true;
                Some(json!({"type": "input_json_delta", "partial_json": text}))
            }
            (Shape::Custom { .. }, Delta::Arguments(text)) if !text.is_empty() => {
                let escaped = quoted(text);
                let inner = escaped.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
                Some(json!({"type": "input_json_delta", "partial_json": inner}))
            }
            (Shape::Call { id, .. } | Shape::Custom { id }, Delta::Signature(signature)) => {
                open.late = Some(seal::call_seal(id, signature));
                None
            }
            (Shape::Text, Delta::Signature(Signature { dialect, value })) => {
                open.late = Some(seal::seal(*dialect, value));
                None
            }
            // Empty, or not of this block.
            (
                Shape::Text
                | Shape::Audio
                | Shape::Reasoning
                | Shape::Call { .. }
                | Shape::Custom { .. }
                | Shape::Whole
                | Shape::Foreign,
                _,
            ) => None,
        };
        if let Some(delta) = written {
            if !open.begun {
                open.begun = true;
                let block = match open.shape {
                    Shape::Reasoning => json!({"type": "thinking", "thinking": "", "signature": ""}),
                    Shape::Text | Shape::Audio | Shape::Call { .. } | Shape::Custom { .. } | Shape::Whole | Shape::Foreign => {
                        json!({"type": "text", "text": ""})
                    }
                };
                self.block_start(&block, out);
            }
            self.block_delta(&delta, out);
        }
        self.open = Some(open);
    }

    /// Closes the open block.
    fn end(&mut self, out: &mut String) {
        let Some(open) = self.open.take() else { return };
        match open.shape {
            Shape::Call { fragments: false, .. } => self.fragment("", out),
            Shape::Custom { .. } => self.fragment("\"}", out),
            Shape::Audio if !open.begun => {
                self.block_start(&json!({"type": "text", "text": NO_AUDIO}), out);
                self.block_stop(out);
            }
            Shape::Text | Shape::Audio | Shape::Reasoning | Shape::Call { .. } | Shape::Whole | Shape::Foreign => {}
        }
        if open.begun {
            self.block_stop(out);
        }
        if let Some(signature) = &open.late {
            self.proof(signature, out);
        }
    }

    /// Writes what was held back, up to the first block that goes on; at the end of the stream all of it.
    fn follow(&mut self, all: bool, out: &mut String) {
        while let Some(block) = self.waiting.pop_front() {
            self.begin(block.index, &block.block, out);
            for delta in &block.deltas {
                self.delta(delta, out);
            }
            if !block.ended && !all {
                return;
            }
            self.end(out);
        }
    }

    /// A block that carries only a signature.
    fn proof(&mut self, signature: &str, out: &mut String) {
        self.block_start(&json!({"type": "thinking", "thinking": "", "signature": ""}), out);
        self.block_delta(&json!({"type": "signature_delta", "signature": signature}), out);
        self.block_stop(out);
    }

    fn block_start(&mut self, block: &Value, out: &mut String) {
        let frame = json!({"type": "content_block_start", "index": self.next, "content_block": block});
        emit(out, "content_block_start", &frame);
        // Where Anthropic sends its own.
        if !mem::replace(&mut self.pinged, true) {
            emit(out, "ping", &json!({"type": "ping"}));
        }
    }

    fn fragment(&self, text: &str, out: &mut String) {
        self.block_delta(&json!({"type": "input_json_delta", "partial_json": text}), out);
    }

    fn block_delta(&self, delta: &Value, out: &mut String) {
        emit(out, "content_block_delta", &json!({"type": "content_block_delta", "index": self.next, "delta": delta}));
    }

    fn block_stop(&mut self, out: &mut String) {
        emit(out, "content_block_stop", &json!({"type": "content_block_stop", "index": self.next}));
        self.next += 1;
    }
}

fn emit(out: &mut String, event: &str, data: &Value) {
    sse::write(out, Some(event), &json_text(data));
}
