//! Streams, from wire to chat. Whole answers are read through the same reader, so that both kinds say the same.

use std::borrow::Cow;

use serde_json::Value;

use super::response;
use crate::{
    chat::{
        event::{Block, Delta, Event, UpstreamError},
        request::ToolCall,
        response::StopReason,
    },
    dialect::EventReader,
    wire::sse::Frame,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    /// What a model without thoughts says before it calls tools: it has no number.
    Plan,
}

#[derive(Default)]
pub(super) struct Reader {
    /// Blocks begun so far.
    blocks: usize,
    /// What may still be added to: the number on the wire, ours, and what. Text stays open past its end, for its
    /// citations.
    open: Option<(u64, usize, Kind)>,
    /// Calls under way: the number on the wire, and ours.
    calls: Vec<(u64, usize)>,
    called: bool,
    /// Nothing is said after an end or an error.
    over: bool,
    raw_usage: Option<Value>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim) else { return };
        if data.is_empty() || data == "[DONE]" || self.over {
            return;
        }
        let Ok(mut value @ Value::Object(_)) = serde_json::from_str::<Value>(data) else { return out.push(Event::Malformed) };
        let kind = value.get("type").and_then(Value::as_str).map(|kind| Cow::Owned(kind.to_owned()));
        let kind = kind.or_else(|| frame.event.clone());
        let at = value.get("index").and_then(Value::as_u64).unwrap_or_default();
        let mut message = value.pointer_mut("/delta/message").map(Value::take).unwrap_or_default();
        match kind.as_deref() {
            Some("message-start") => {
                let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
                out.push(Event::Start { id, model: None });
            }
            Some("content-start") => self.content(at, message.get("content"), true, out),
            Some("content-delta") => {
                self.content(at, message.get("content"), false, out);
                self.logprobs(&value, out);
            }
            Some("content-end") if !self.is_open(at, Kind::Text) => self.close_block(out),
            Some("tool-plan-delta") => self.add(0, Kind::Plan, word(&message, "tool_plan"), Delta::Reasoning, out),
            Some("tool-call-start") => self.call(at, message.get("tool_calls"), out),
            Some("tool-call-delta") => self.arguments(at, message.pointer("/tool_calls/function/arguments"), out),
            Some("tool-call-end") => self.call_end(at, out),
            Some("citation-start") => {
                self.cite(message.get_mut("citations").map(Value::take).unwrap_or_default(), out);
            }
            Some("message-end") => self.finish(value.get("delta").unwrap_or(&Value::Null), out),
            Some("error") => self.fail(response::from_value(0, &value), out),
            _ if value.get("error").is_some() || value.get("message").is_some_and(Value::is_string) => {
                self.fail(response::from_value(0, &value), out);
            }
            // `citation-end`, `debug`, and what will be invented.
            Some(_) => {}
            None => out.push(Event::Malformed),
        }
    }

    /// The dialect has a marker of its own for a whole answer.
    fn close(&mut self, _out: &mut Vec<Event>) {}

    /// The reason and the end are one event.
    fn has_stopped(&self) -> bool {
        self.over
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    /// The message of a whole answer.
    pub(super) fn whole(&mut self, mut message: Value, out: &mut Vec<Event>) {
        self.add(0, Kind::Plan, word(&message, "tool_plan"), Delta::Reasoning, out);
        self.close_block(out);
        let mut citations = list(&mut message, "citations");
        let content = message.get("content");
        self.add(0, Kind::Text, content.and_then(Value::as_str), Delta::Text, out);
        for (at, block) in (0..).zip(content.and_then(Value::as_array).into_iter().flatten()) {
            self.content(at, Some(block), true, out);
            if self.is_open(at, Kind::Text) {
                let here =
                    |citation: &Value| citation.get("content_index").and_then(Value::as_u64).is_none_or(|index| index == at);
                let (of_this, others): (Vec<_>, Vec<_>) = citations.into_iter().partition(here);
                citations = others;
                of_this.into_iter().for_each(|citation| self.cite(citation, out));
            }
        }
        for (at, call) in (0..).zip(message.get("tool_calls").and_then(Value::as_array).into_iter().flatten()) {
            self.call(at, Some(call), out);
            self.call_end(at, out);
        }
    }

    /// `holder` has the reason to stop and the usage.
    pub(super) fn finish(&mut self, holder: &Value, out: &mut Vec<Event>) {
        if let Some(reported) = holder.get("usage").filter(|usage| usage.is_object()) {
            out.push(Event::Usage(response::read_usage(reported)));
            self.raw_usage = Some(reported.clone());
        }
        let reason = match response::read_stop(word(holder, "finish_reason").unwrap_or_default(), word(holder, "error")) {
            Ok(StopReason::End) if self.called => StopReason::ToolCalls,
            Ok(reason) => reason,
            Err(error) => return self.fail(error, out),
        };
        self.close_block(out);
        out.extend(self.calls.drain(..).map(|(_, index)| Event::BlockEnd { index }));
        out.push(Event::Stop { choice: 0, reason, sequence: None });
        out.push(Event::End);
        self.over = true;
    }

    /// `starts` says that it opens a block, also without text.
    fn content(&mut self, at: u64, content: Option<&Value>, starts: bool, out: &mut Vec<Event>) {
        let Some(content) = content else { return };
        let thoughts = word(content, "thinking");
        let kind = if thoughts.is_some() || word(content, "type") == Some("thinking") { Kind::Reasoning } else { Kind::Text };
        if starts {
            self.close_block(out);
            self.open(at, kind, out);
        }
        match kind {
            Kind::Text => self.add(at, kind, word(content, "text"), Delta::Text, out),
            Kind::Reasoning | Kind::Plan => self.add(at, kind, thoughts, Delta::Reasoning, out),
        }
    }

    fn logprobs(&mut self, value: &Value, out: &mut Vec<Event>) {
        let told = value.get("logprobs").and_then(response::read_logprob);
        if let (Some(told), Some((_, index, Kind::Text))) = (told, self.open) {
            out.push(Event::BlockDelta { index, delta: Delta::Logprobs(vec![told]) });
        }
    }

    fn call(&mut self, at: u64, call: Option<&Value>, out: &mut Vec<Event>) {
        self.close_block(out);
        self.called = true;
        let function = call.and_then(|call| call.get("function"));
        let said = |holder: Option<&Value>, key: &str| holder.and_then(|holder| word(holder, key)).unwrap_or_default().to_owned();
        let call = ToolCall { id: said(call, "id"), name: said(function, "name"), ..ToolCall::default() };
        let index = self.begin(Block::ToolCall(call), out);
        self.calls.push((at, index));
        self.arguments(at, function.and_then(|function| function.get("arguments")), out);
    }

    fn arguments(&mut self, at: u64, piece: Option<&Value>, out: &mut Vec<Event>) {
        let Some(piece) = piece.and_then(Value::as_str).filter(|piece| !piece.is_empty()) else { return };
        if !self.calls.iter().any(|(call, _)| *call == at) {
            // Its opening went by before this reader came.
            self.call(at, None, out);
        }
        let index = self.calls.iter().find(|(call, _)| *call == at).map(|(_, index)| *index);
        out.extend(index.map(|index| Event::BlockDelta { index, delta: Delta::Arguments(piece.to_owned()) }));
    }

    fn call_end(&mut self, at: u64, out: &mut Vec<Event>) {
        if let Some(place) = self.calls.iter().position(|(call, _)| *call == at) {
            out.push(Event::BlockEnd { index: self.calls.remove(place).1 });
        }
    }

    /// Of the text; what is said of plans and thoughts has no place.
    fn cite(&mut self, citation: Value, out: &mut Vec<Event>) {
        let of_text = word(&citation, "type").is_none_or(|kind| kind == "TEXT_CONTENT");
        if let (true, Some((_, index, Kind::Text))) = (of_text && citation.is_object(), self.open) {
            out.push(Event::BlockDelta { index, delta: Delta::Citation(response::read_citation(citation)) });
        }
    }

    fn add(&mut self, at: u64, kind: Kind, text: Option<&str>, wrap: impl FnOnce(String) -> Delta, out: &mut Vec<Event>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if !self.is_open(at, kind) {
            self.close_block(out);
            self.open(at, kind, out);
        }
        out.extend(self.open.map(|(_, index, _)| Event::BlockDelta { index, delta: wrap(text.to_owned()) }));
    }

    fn is_open(&self, at: u64, kind: Kind) -> bool {
        self.open.is_some_and(|(open, _, opened)| open == at && opened == kind)
    }

    fn open(&mut self, at: u64, kind: Kind, out: &mut Vec<Event>) {
        let block = if kind == Kind::Text { Block::Text } else { Block::Reasoning };
        self.open = Some((at, self.begin(block, out), kind));
    }

    fn begin(&mut self, block: Block, out: &mut Vec<Event>) -> usize {
        let index = self.blocks;
        self.blocks += 1;
        out.push(Event::BlockStart { choice: 0, index, block });
        index
    }

    fn close_block(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(|(_, index, _)| Event::BlockEnd { index }));
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Failed(error));
    }
}

fn word<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn list(value: &mut Value, key: &str) -> Vec<Value> {
    match value.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => vec![],
    }
}
