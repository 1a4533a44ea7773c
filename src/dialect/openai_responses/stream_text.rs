//! Texts of a caller's stream: parts of one message, as long as nothing else comes between them.

use serde_json::Value;

use super::{
    piece,
    response::{refusal_part, text_part},
    seal,
    stream_write::{Open, Writer},
};
use crate::{chat::event::Delta, wire::compose::json};

pub(super) struct Text {
    pub(super) shape: Shape,
    /// Its item, and its place there.
    pub(super) place: Option<(usize, usize)>,
    said: String,
    notes: Vec<Value>,
    logprobs: Vec<Value>,
    /// A proof that has no place beside a text: it follows in an item of its own.
    pub(super) proof: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Refusal,
}

impl Text {
    pub(super) const fn new(shape: Shape) -> Self {
        Self { shape, place: None, said: String::new(), notes: vec![], logprobs: vec![], proof: None }
    }
}

impl Writer {
    pub(super) fn text_delta(&mut self, text: &mut Text, delta: &Delta, out: &mut String) {
        let is_text = text.shape == Shape::Text;
        let says = match delta {
            Delta::Text(more) | Delta::Refusal(more) => !more.is_empty(),
            Delta::Logprobs(tokens) => is_text && !tokens.is_empty(),
            Delta::Citation(_) => is_text,
            Delta::Signature(signature) => {
                text.proof = Some(seal::own(Some(signature)));
                false
            }
            Delta::Reasoning(_) | Delta::Arguments(_) | Delta::Audio(_) => false,
        };
        if !says {
            return;
        }
        let shape = text.shape;
        let (item, part) = *text.place.get_or_insert_with(|| self.begin_part(shape, out));
        match delta {
            Delta::Text(more) | Delta::Refusal(more) => {
                text.said.push_str(more);
                if is_text {
                    self.say(item, part, more, json!([]), out);
                } else {
                    self.wire.tell("response.refusal.delta", item, json!({"content_index": part, "delta": more}), out);
                }
            }
            Delta::Logprobs(tokens) => {
                let written = piece::write_logprobs(tokens);
                text.logprobs.extend(written.as_array().cloned().unwrap_or_default());
                self.say(item, part, "", written, out);
            }
            Delta::Citation(citation) => {
                let note = piece::write_citation(citation, &text.said);
                let event = json!({"content_index": part, "annotation_index": text.notes.len(), "annotation": &note});
                self.wire.tell("response.output_text.annotation.added", item, event, out);
                text.notes.push(note);
            }
            Delta::Signature(_) | Delta::Reasoning(_) | Delta::Arguments(_) | Delta::Audio(_) => {}
        }
    }

    fn say(&mut self, item: usize, part: usize, said: &str, logprobs: Value, out: &mut String) {
        let event = json!({"content_index": part, "delta": said, "logprobs": logprobs});
        self.wire.tell("response.output_text.delta", item, event, out);
    }

    /// A new part of the message, which is opened where none is: its item and the part's place in it.
    fn begin_part(&mut self, shape: Shape, out: &mut String) -> (usize, usize) {
        let item = match self.message {
            Some(item) => item,
            None => {
                let id = self.wire.item_id("msg");
                let item = json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []});
                self.wire.add(item, out)
            }
        };
        self.message = Some(item);
        let part = match shape {
            Shape::Text => text_part("", json!([]), json!([])),
            Shape::Refusal => refusal_part(""),
        };
        let content = self.wire.output.get_mut(item).and_then(|item| item.get_mut("content")).and_then(Value::as_array_mut);
        let place = content.map_or(0, |content| {
            content.push(part.clone());
            content.len().saturating_sub(1)
        });
        self.wire.tell("response.content_part.added", item, json!({"content_index": place, "part": &part}), out);
        (item, place)
    }

    pub(super) fn end_part(&mut self, item: usize, place: usize, text: Text, out: &mut String) {
        let Text { shape, said, notes, logprobs, .. } = text;
        let part = match shape {
            Shape::Text => {
                let event = json!({"content_index": place, "text": &said, "logprobs": &logprobs});
                self.wire.tell("response.output_text.done", item, event, out);
                text_part(&said, notes.into(), logprobs.into())
            }
            Shape::Refusal => {
                self.wire.tell("response.refusal.done", item, json!({"content_index": place, "refusal": &said}), out);
                refusal_part(&said)
            }
        };
        self.wire.tell("response.content_part.done", item, json!({"content_index": place, "part": &part}), out);
        let content = self.wire.output.get_mut(item).and_then(|item| item.get_mut("content"));
        if let Some(slot) = content.and_then(|content| content.get_mut(place)) {
            *slot = part;
        }
        // Another item began meanwhile: the message ends with its last open part.
        if self.message != Some(item) && !self.is_open(item) {
            self.wire.end_item(item, "completed", out);
        }
    }

    fn is_open(&self, message: usize) -> bool {
        self.blocks.values().any(|open| matches!(open, Open::Text(Text { place: Some((item, _)), .. }) if *item == message))
    }

    /// Something else than text begins.
    pub(super) fn leave_message(&mut self, out: &mut String) {
        if let Some(item) = self.message.take().filter(|item| !self.is_open(*item)) {
            self.wire.end_item(item, "completed", out);
        }
    }

    pub(super) fn end_message(&mut self, status: &str, out: &mut String) {
        if let Some(item) = self.message.take() {
            self.wire.end_item(item, status, out);
        }
    }
}
