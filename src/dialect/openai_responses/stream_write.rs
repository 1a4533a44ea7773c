//! Streams, from chat to wire: every piece that is added is also done, and told once more in its item and in the whole.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Dialect,
    envelope::{Status, write_usage},
    item,
    response::{call_input, finish_call, sealed_item},
    seal,
    stream_text::{Shape, Text},
    stream_wire::Wire,
    write_items::image_item,
};
use crate::{
    chat::{
        event::{Block, Delta, Event, Finish},
        request::{Signature, ToolCall},
        response::StopReason,
    },
    dialect::{Asked, EventWriter, openai_chat::error},
    error::Error,
    sorted,
    wire::{compose::json, sse::Frame},
};

/// The code of a failure that has none.
const DEFAULT_CODE: &str = "server_error";

pub(super) struct Writer {
    pub(super) wire: Wire,
    /// Where texts go that follow each other: they are parts of one message.
    pub(super) message: Option<usize>,
    pub(super) blocks: HashMap<usize, Open>,
}

/// A block that is being written.
pub(super) enum Open {
    /// On the wire from its first character on: clients send empty messages back, and providers refuse them.
    Text(Text),
    Thought {
        item: Option<usize>,
        said: String,
        proof: Option<Signature>,
    },
    Call {
        item: usize,
        call: ToolCall,
        custom: bool,
        proof: Option<Signature>,
    },
    /// Written whole at its start, or of another dialect.
    Closed,
}

impl Writer {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self { wire: Wire::new(asked), message: None, blocks: HashMap::new() }
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::Start { model, .. } => {
                self.wire.name(model.as_deref());
                self.wire.start(out);
            }
            // One question has one answer in this dialect.
            Event::BlockStart { choice: 0, index, block } => {
                self.wire.start(out);
                let open = self.begin(block, out);
                self.blocks.insert(*index, open);
            }
            Event::BlockDelta { index, delta } => {
                if let Some(open) = self.blocks.remove(index) {
                    let open = self.delta(open, delta, out);
                    self.blocks.insert(*index, open);
                }
            }
            Event::BlockEnd { index } => {
                if let Some(open) = self.blocks.remove(index) {
                    self.end(open, out);
                }
            }
            Event::BlockStart { .. }
            | Event::Usage(_)
            | Event::Stop { .. }
            | Event::End
            | Event::Failed(_)
            | Event::Malformed => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        self.wire.start(out);
        for index in sorted::in_order(self.blocks.keys().copied(), |a, b| a <= b) {
            if let Some(block) = self.blocks.remove(&index) {
                self.end(block, out);
            }
        }
        self.end_message(if finish.stop == StopReason::Length { "incomplete" } else { "completed" }, out);
        let kind = match finish.stop {
            StopReason::Length | StopReason::ContentFilter => "response.incomplete",
            StopReason::End | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause => "response.completed",
        };
        let response = self.wire.response(Status::Done(finish.stop), write_usage(Some(&finish.usage), finish.cost));
        self.wire.emit(kind, json!({"response": response}), out);
    }

    fn fail(&mut self, error: &Error, out: &mut String) {
        let told = error::write(error, None);
        let told = told.get("error").cloned().unwrap_or_default();
        let code = super::text(&told, "code").unwrap_or(DEFAULT_CODE);
        // Its members stand at the top in OpenAI's specification, and below `error` in its streams.
        let event = json!({"code": code, "message": &error.message, "param": &error.param, "error": &told});
        self.wire.emit("error", event, out);
        let response = self.wire.response(Status::Failed { code, message: &error.message }, Value::Null);
        self.wire.emit("response.failed", json!({"response": response}), out);
    }

    fn adopt(&mut self, frame: &Frame<'_>) {
        let event = frame.data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok());
        let ended = event.and_then(|event| self.wire.adopt(&event));
        if ended.is_some() && ended == self.message {
            self.message = None;
        }
    }
}

impl Writer {
    fn begin(&mut self, block: &Block, out: &mut String) -> Open {
        let text = |shape| Open::Text(Text::new(shape));
        match block {
            // What is said in an answer's audio is all of it that this dialect has.
            Block::Text | Block::Audio { .. } => return text(Shape::Text),
            Block::Refusal => return text(Shape::Refusal),
            Block::Opaque { dialect, .. } if *dialect != Dialect::OpenAiResponses => return Open::Closed,
            Block::Reasoning
            | Block::RedactedReasoning { .. }
            | Block::ToolCall(_)
            | Block::Image { .. }
            | Block::Opaque { .. } => self.leave_message(out),
        }
        match block {
            Block::Reasoning => return Open::Thought { item: None, said: String::new(), proof: None },
            Block::ToolCall(call) => return self.begin_call(call, out),
            Block::RedactedReasoning { data, dialect } => {
                let item = sealed_item(&self.wire.item_id("rs"), &seal::hidden(*dialect, data));
                self.wire.add_whole(&item, out);
            }
            Block::Image { media_type, data } => {
                let done = image_item(media_type, data, &self.wire.item_id("ig"));
                let mut item = done.clone();
                (item["status"], item["result"]) = ("in_progress".into(), Value::Null);
                let index = self.wire.add(item, out);
                self.wire.tell("response.image_generation_call.completed", index, json!({}), out);
                self.wire.done(index, done, out);
            }
            Block::Opaque { value, .. } => self.wire.add_whole(value, out),
            Block::Text | Block::Refusal | Block::Audio { .. } => {}
        }
        Open::Closed
    }

    fn begin_call(&mut self, call: &ToolCall, out: &mut String) -> Open {
        if let Some(signature) = &call.signature {
            self.wire.carry(&seal::call(&call.id, signature), out);
        }
        let custom = call.custom || self.wire.envelope.toolbox.is_custom(&call.name);
        let id = self.wire.item_id(if custom { "ctc" } else { "fc" });
        let item = self.wire.add(self.wire.envelope.toolbox.call_item(&id, &call.id, &call.name, custom), out);
        let said = call.arguments.clone();
        let call = ToolCall { arguments: String::new(), ..call.clone() };
        self.delta(Open::Call { item, call, custom, proof: None }, &Delta::Arguments(said), out)
    }

    fn delta(&mut self, mut open: Open, delta: &Delta, out: &mut String) -> Open {
        match (&mut open, delta) {
            (Open::Text(text), delta) => self.text_delta(text, delta, out),
            (Open::Thought { item, said, .. }, Delta::Reasoning(more)) if !more.is_empty() => {
                let item = *item.get_or_insert_with(|| self.begin_thought(out));
                said.push_str(more);
                let event = json!({"summary_index": 0, "delta": more});
                self.wire.tell("response.reasoning_summary_text.delta", item, event, out);
            }
            (Open::Thought { proof, .. }, Delta::Signature(signature)) => *proof = Some(signature.clone()),
            (Open::Call { proof, .. }, Delta::Signature(signature)) => *proof = Some(signature.clone()),
            (Open::Call { item, call, custom, .. }, Delta::Arguments(more)) if !more.is_empty() => {
                call.arguments.push_str(more);
                // The input of a custom tool is inside of what the function that stands in for it is given.
                if *custom == call.custom {
                    self.argue(*item, *custom, more, out);
                }
            }
            // Empty, or not of this block.
            (
                Open::Thought { .. } | Open::Call { .. } | Open::Closed,
                Delta::Text(_)
                | Delta::Reasoning(_)
                | Delta::Refusal(_)
                | Delta::Arguments(_)
                | Delta::Signature(_)
                | Delta::Citation(_)
                | Delta::Logprobs(_)
                | Delta::Audio(_),
            ) => {}
        }
        open
    }

    fn argue(&mut self, item: usize, custom: bool, said: &str, out: &mut String) {
        let kind = if custom { "response.custom_tool_call_input.delta" } else { "response.function_call_arguments.delta" };
        self.wire.tell(kind, item, json!({"delta": said}), out);
    }

    fn begin_thought(&mut self, out: &mut String) -> usize {
        let item = json!({"id": self.wire.item_id("rs"), "type": "reasoning", "summary": []});
        let index = self.wire.add(item, out);
        let part = json!({"summary_index": 0, "part": {"type": "summary_text", "text": ""}});
        self.wire.tell("response.reasoning_summary_part.added", index, part, out);
        index
    }

    fn end(&mut self, open: Open, out: &mut String) {
        match open {
            Open::Text(mut text) => {
                let proof = text.proof.take();
                if let Some((item, place)) = text.place {
                    self.end_part(item, place, text, out);
                }
                if let Some(proof) = proof {
                    self.leave_message(out);
                    self.wire.carry(&proof, out);
                }
            }
            Open::Thought { item, said, proof } => self.end_thought(item, &said, proof.as_ref(), out),
            Open::Call { item, call, custom, proof } => {
                self.end_call(item, &call, custom, out);
                if let Some(signature) = proof {
                    self.wire.carry(&seal::call(&call.id, &signature), out);
                }
            }
            Open::Closed => {}
        }
    }

    fn end_thought(&mut self, item: Option<usize>, said: &str, proof: Option<&Signature>, out: &mut String) {
        let Some(index) = item else {
            let own = proof.filter(|proof| proof.dialect == Dialect::OpenAiResponses);
            match (own.and_then(|proof| item::restored(&proof.value)), proof) {
                (Some(item), _) => self.wire.add_whole(&item, out),
                (None, Some(_)) => self.wire.carry(&seal::own(proof), out),
                (None, None) => {}
            }
            return;
        };
        let part = json!({"type": "summary_text", "text": said});
        self.wire.tell("response.reasoning_summary_text.done", index, json!({"summary_index": 0, "text": said}), out);
        self.wire.tell("response.reasoning_summary_part.done", index, json!({"summary_index": 0, "part": &part}), out);
        if let Some(mut item) = self.wire.output.get(index).cloned() {
            item["summary"] = json!([part]);
            item["encrypted_content"] = seal::own(proof).into();
            self.wire.done(index, item, out);
        }
    }

    fn end_call(&mut self, index: usize, call: &ToolCall, custom: bool, out: &mut String) {
        // What was told stays so; what no arguments mean, or what stood in another form, is told now.
        let is_told = custom == call.custom && !call.arguments.is_empty();
        let input = if is_told { call.arguments.clone() } else { call_input(call, custom) };
        if !is_told && !input.is_empty() {
            self.argue(index, custom, &input, out);
        }
        let (kind, key) = if custom {
            ("response.custom_tool_call_input.done", "input")
        } else {
            ("response.function_call_arguments.done", "arguments")
        };
        let mut event = json!({});
        if let Some(name) = self.wire.output.get(index).and_then(|item| item.get("name")).filter(|_| !custom) {
            event["name"] = name.clone();
        }
        event[key] = input.as_str().into();
        self.wire.tell(kind, index, event, out);
        if let Some(mut item) = self.wire.output.get(index).cloned() {
            finish_call(&mut item, &input);
            self.wire.done(index, item, out);
        }
    }
}
