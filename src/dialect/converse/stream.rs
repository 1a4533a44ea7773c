//! Streams, from wire to chat. Whole answers are read through the same reader, so that both kinds say the same.

use serde_json::Value;

use super::{ANSWER_TOOL, error, held::Held, response};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, UpstreamError},
        request::{Signature, ToolCall},
        response::StopReason,
    },
    dialect::EventReader,
    wire::{compose::json, json::json_text, sse::Frame},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
}

#[derive(Default)]
pub(super) struct Reader {
    /// Blocks begun so far.
    blocks: usize,
    /// The text or thoughts that may still be added to: the number on the wire, ours, and what. Text stays open past its
    /// end, for its citations may follow in a block of their own.
    open: Option<(u64, usize, Kind)>,
    /// Calls under way: the number on the wire, and ours.
    calls: Vec<(u64, usize)>,
    /// What is told only when it is whole, by its number on the wire.
    held: Vec<(u64, Held)>,
    called: bool,
    stopped: bool,
    ended: bool,
    /// Nothing is said after an error.
    failed: bool,
    raw_usage: Option<Value>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim).filter(|data| !data.is_empty()) else { return };
        if self.failed || self.ended {
            return;
        }
        let Ok(mut value @ Value::Object(_)) = serde_json::from_str::<Value>(data) else { return out.push(Event::Malformed) };
        if value.get("error").is_some_and(Value::is_object) {
            return self.fail(error::from_value(0, &value), out);
        }
        let at = value.get("contentBlockIndex").and_then(Value::as_u64).unwrap_or_default();
        match frame.event.as_deref() {
            Some("messageStart") => out.push(Event::Start { id: None, model: None }),
            Some("contentBlockStart") => self.block_start(at, value.get_mut("start").map(Value::take), out),
            Some("contentBlockDelta") => self.delta(at, value.get_mut("delta").map(Value::take), out),
            Some("contentBlockStop") => self.block_end(at, out),
            Some("messageStop") => self.stop(&value, out),
            Some("metadata") => {
                let reported = value.get_mut("usage").map(Value::take);
                self.usage(reported, &value, out);
                self.end(out);
            }
            // What will be invented.
            Some(_) => {}
            None => out.push(Event::Malformed),
        }
    }

    /// The report after the reason to stop may be missing, and the answer is whole without it.
    fn close(&mut self, out: &mut Vec<Event>) {
        self.end(out);
    }

    fn has_stopped(&self) -> bool {
        self.stopped && !self.failed
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    /// A block of a whole answer.
    pub(super) fn whole(&mut self, at: u64, block: Value, out: &mut Vec<Event>) {
        let Value::Object(members) = block else { return out.push(Event::Malformed) };
        let Some((kind, mut value)) = members.into_iter().next() else { return };
        match kind.as_str() {
            "text" => self.text(at, value.as_str(), out),
            "toolUse" if value.get("type").and_then(Value::as_str) != Some("server_tool_use") => {
                let input = value.get_mut("input").map(Value::take).filter(|input| !input.is_null());
                self.block_start(at, Some(json!({"toolUse": value})), out);
                self.arguments(at, input.map(|input| json_text(&input)).as_deref(), out);
            }
            "reasoningContent" => {
                let thoughts = value.get_mut("reasoningText").map(Value::take).unwrap_or(value);
                self.reasoning(at, &thoughts, out);
            }
            "citationsContent" => {
                for text in list(&mut value, "content") {
                    self.text(at, text.get("text").and_then(Value::as_str), out);
                }
                for citation in list(&mut value, "citations") {
                    self.cite(at, citation, out);
                }
            }
            "image" => {
                let mut image = Held::image(&value);
                image.add_image(&value);
                self.held.push((at, image));
            }
            _ => self.held.push((at, Held::whole(json!({(&kind): value})))),
        }
        self.block_end(at, out);
    }

    /// A whole answer needs no reason to be whole.
    pub(super) fn finish(&mut self, value: &Value, usage: Option<Value>, out: &mut Vec<Event>) {
        self.usage(usage, value, out);
        self.stop(value, out);
        self.end(out);
    }

    fn block_start(&mut self, at: u64, start: Option<Value>, out: &mut Vec<Event>) {
        let Some(Value::Object(start)) = start else { return out.push(Event::Malformed) };
        let Some((kind, value)) = start.into_iter().next() else { return };
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.close_text(out);
        match kind.as_str() {
            "toolUse" if !word("type").is_empty() && word("type") != "tool_use" => self.held.push((at, Held::call(value))),
            // The caller wanted the answer in a shape, and gets it as text.
            "toolUse" if word("name") == ANSWER_TOOL => self.open(at, Kind::Text, out),
            "toolUse" => {
                self.called = true;
                let call = ToolCall { id: word("toolUseId"), name: word("name"), ..ToolCall::default() };
                let index = self.begin(Block::ToolCall(call), out);
                self.calls.push((at, index));
            }
            "toolResult" => self.held.push((at, Held::result(value))),
            "image" => self.held.push((at, Held::image(&value))),
            _ => {}
        }
    }

    fn delta(&mut self, at: u64, delta: Option<Value>, out: &mut Vec<Event>) {
        let Some(Value::Object(delta)) = delta else { return out.push(Event::Malformed) };
        for (kind, value) in delta {
            match kind.as_str() {
                "text" => self.text(at, value.as_str(), out),
                "toolUse" => self.arguments(at, value.get("input").and_then(Value::as_str), out),
                "reasoningContent" => self.reasoning(at, &value, out),
                "citation" => self.cite(at, value, out),
                "toolResult" => self.hold(at).into_iter().for_each(|held| held.add_results(value.clone())),
                "image" => self.hold(at).into_iter().for_each(|held| held.add_image(&value)),
                _ => {}
            }
        }
    }

    fn block_end(&mut self, at: u64, out: &mut Vec<Event>) {
        if self.open.is_some_and(|(open, _, kind)| open == at && kind == Kind::Reasoning) {
            self.close_text(out);
        }
        if let Some(place) = self.calls.iter().position(|(call, _)| *call == at) {
            out.push(Event::BlockEnd { index: self.calls.remove(place).1 });
        }
        if let Some(place) = self.held.iter().position(|(held, _)| *held == at) {
            let (_, held) = self.held.remove(place);
            self.close_text(out);
            let index = self.begin(held.into_block(), out);
            out.push(Event::BlockEnd { index });
        }
    }

    fn stop(&mut self, value: &Value, out: &mut Vec<Event>) {
        let reason = value.get("stopReason").and_then(Value::as_str).unwrap_or_default();
        let stop = match response::read_stop(reason) {
            Ok(StopReason::End) if self.called => StopReason::ToolCalls,
            // The only call was the answer itself.
            Ok(StopReason::ToolCalls) if !self.called => StopReason::End,
            Ok(stop) => stop,
            Err(error) => return self.fail(error, out),
        };
        self.close_blocks(out);
        self.stopped = true;
        let sequence = value.pointer("/additionalModelResponseFields/stop_sequence").and_then(Value::as_str);
        out.push(Event::Stop { choice: 0, reason: stop, sequence: sequence.map(str::to_owned) });
    }

    fn usage(&mut self, reported: Option<Value>, answer: &Value, out: &mut Vec<Event>) {
        if let Some(reported) = reported.filter(Value::is_object) {
            out.push(Event::Usage(response::read_usage(&reported, answer)));
            self.raw_usage = Some(reported);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.stopped && !self.failed && !std::mem::replace(&mut self.ended, true) {
            out.push(Event::End);
        }
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        self.failed = true;
        out.push(Event::Failed(error));
    }

    fn text(&mut self, at: u64, text: Option<&str>, out: &mut Vec<Event>) {
        self.add(at, Kind::Text, text, Delta::Text, out);
    }

    fn reasoning(&mut self, at: u64, value: &Value, out: &mut Vec<Event>) {
        let word = |key: &str| value.get(key).and_then(Value::as_str);
        self.add(at, Kind::Reasoning, word("text"), Delta::Reasoning, out);
        let ours = |value| Delta::Signature(Signature { dialect: Dialect::Converse, value });
        self.add(at, Kind::Reasoning, word("signature"), ours, out);
        if let Some(data) = word("redactedContent") {
            if self.hold(at).is_none() {
                self.held.push((at, Held::redacted()));
            }
            self.hold(at).into_iter().for_each(|held| held.add_redacted(data));
        }
    }

    fn arguments(&mut self, at: u64, piece: Option<&str>, out: &mut Vec<Event>) {
        let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return };
        if self.open.is_some_and(|(open, _, kind)| open == at && kind == Kind::Text) {
            return self.text(at, Some(piece), out);
        }
        if let Some(held) = self.hold(at) {
            return held.add_input(piece);
        }
        let known = self.calls.iter().find(|(call, _)| *call == at).map(|(_, index)| *index);
        let index = known.unwrap_or_else(|| {
            // Its opening went by before this reader came.
            self.block_start(at, Some(json!({"toolUse": {}})), out);
            self.blocks.saturating_sub(1)
        });
        out.push(Event::BlockDelta { index, delta: Delta::Arguments(piece.to_owned()) });
    }

    /// Of the text before it, also when that block has ended.
    fn cite(&mut self, at: u64, citation: Value, out: &mut Vec<Event>) {
        if self.open.is_none_or(|(_, _, kind)| kind != Kind::Text) {
            self.close_text(out);
            self.open(at, Kind::Text, out);
        }
        if let Some((_, index, _)) = self.open {
            out.push(Event::BlockDelta { index, delta: Delta::Citation(response::read_citation(citation)) });
        }
    }

    fn add(&mut self, at: u64, kind: Kind, text: Option<&str>, wrap: impl FnOnce(String) -> Delta, out: &mut Vec<Event>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if self.open.is_none_or(|(open, _, opened)| open != at || opened != kind) {
            self.close_text(out);
            self.open(at, kind, out);
        }
        if let Some((_, index, _)) = self.open {
            out.push(Event::BlockDelta { index, delta: wrap(text.to_owned()) });
        }
    }

    fn open(&mut self, at: u64, kind: Kind, out: &mut Vec<Event>) {
        let block = match kind {
            Kind::Text => Block::Text,
            Kind::Reasoning => Block::Reasoning,
        };
        self.open = Some((at, self.begin(block, out), kind));
    }

    fn begin(&mut self, block: Block, out: &mut Vec<Event>) -> usize {
        let index = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { choice: 0, index, block });
        index
    }

    fn hold(&mut self, at: u64) -> Option<&mut Held> {
        self.held.iter_mut().find(|(held, _)| *held == at).map(|(_, held)| held)
    }

    fn close_text(&mut self, out: &mut Vec<Event>) {
        if let Some((_, index, _)) = self.open.take() {
            out.push(Event::BlockEnd { index });
        }
    }

    fn close_blocks(&mut self, out: &mut Vec<Event>) {
        self.close_text(out);
        let unfinished: Vec<u64> = self.calls.iter().map(|(at, _)| *at).chain(self.held.iter().map(|(at, _)| *at)).collect();
        unfinished.into_iter().for_each(|at| self.block_end(at, out));
    }
}

fn list(value: &mut Value, key: &str) -> Vec<Value> {
    match value.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => vec![],
    }
}
