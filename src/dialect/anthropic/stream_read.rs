//! Streams, from wire to chat.

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use super::{answer, citation, id, read_error, response::read_stop, seal, usage};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event},
        request::ToolCall,
        response::StopReason,
        usage::Usage,
    },
    dialect::EventReader,
    wire::{compose::Members, sse::Frame},
};

/// What a delta may belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    Call,
    /// The gateway's own tool, whose input is text to everybody else.
    Answer,
    Other,
}

#[derive(Default)]
pub(super) struct Reader {
    started: bool,
    usage: Usage,
    raw_usage: Option<Value>,
    /// Open blocks by their number on the wire: ours and their kind.
    open: HashMap<u64, (usize, Kind)>,
    opened: usize,
    /// Blocks that are carried whole, and hence held until they are: the block, and the JSON of its input.
    whole: HashMap<u64, (Value, String)>,
    /// A tool of the caller's was called.
    called: bool,
    /// The reason to stop was told.
    stopped: bool,
    /// The answer came through the gateway's own tool; whether anything of it did.
    answered: Option<bool>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim) else { return };
        // Some who speak this dialect close their streams in OpenAI's way.
        if data.is_empty() || data == "[DONE]" {
            return;
        }
        let Ok(value @ Value::Object(_)) = serde_json::from_str(data) else { return out.push(Event::Malformed) };
        let kind = value.get("type").and_then(Value::as_str).map(Cow::Borrowed).or_else(|| frame.event.clone());
        match kind.as_deref() {
            Some("message_start") => self.start(&value, out),
            Some("content_block_start") => self.block_start(&value, out),
            Some("content_block_delta") => self.block_delta(&value, out),
            Some("content_block_stop") => self.block_stop(number(&value), out),
            Some("message_delta") => self.message_delta(&value, out),
            Some("message_stop") => {
                self.stopped = false;
                out.push(Event::End);
            }
            Some("error") => out.push(Event::Failed(read_error::read_value(0, &value))),
            _ if value.get("error").is_some_and(|error| !error.is_null()) => {
                out.push(Event::Failed(read_error::read_value(0, &value)));
            }
            // `ping`, and what will be invented.
            Some(_) => {}
            None => out.push(Event::Malformed),
        }
    }

    /// The dialect has a marker of its own for a whole answer.
    fn close(&mut self, out: &mut Vec<Event>) {
        // Nothing but the mark is missing.
        if self.stopped {
            out.push(Event::End);
        }
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    fn start(&mut self, value: &Value, out: &mut Vec<Event>) {
        let Some(message) = value.get("message") else { return out.push(Event::Malformed) };
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start { id: word(message, "id"), model: word(message, "model") });
        }
        self.usage(message, out);
    }

    fn usage(&mut self, holder: &Value, out: &mut Vec<Event>) {
        if let Some(reported) = holder.get("usage").filter(|usage| usage.is_object()) {
            usage::read(reported, &mut self.usage);
            usage::merge(reported, &mut self.raw_usage);
            out.push(Event::Usage(self.usage));
        }
    }

    fn message_delta(&mut self, value: &Value, out: &mut Vec<Event>) {
        self.usage(value, out);
        let Some(delta) = value.get("delta") else { return };
        if let Some(reason) = delta.get("stop_reason").and_then(Value::as_str) {
            self.stopped = true;
            let mut reason = read_stop(reason);
            if reason == StopReason::ToolCalls && self.answered.is_some() && !self.called {
                reason = StopReason::End;
            }
            out.push(Event::Stop { choice: 0, reason, sequence: word(delta, "stop_sequence") });
        }
    }

    fn block_start(&mut self, value: &Value, out: &mut Vec<Event>) {
        let Some(block) = value.get("content_block").filter(|block| block.is_object()) else { return out.push(Event::Malformed) };
        let said = |key: &str| word(block, key).unwrap_or_default();
        let at = number(value);
        match block.get("type").and_then(Value::as_str) {
            Some("text") => {
                let index = self.open(at, Kind::Text, Block::Text, out);
                push(out, index, said("text"), Delta::Text);
            }
            Some("thinking") => {
                let index = self.open(at, Kind::Reasoning, Block::Reasoning, out);
                push(out, index, said("thinking"), Delta::Reasoning);
                push(out, index, said("signature"), |text| Delta::Signature(seal::unseal(text)));
            }
            Some("redacted_thinking") => {
                let signature = seal::unseal(said("data"));
                let block = Block::RedactedReasoning { data: signature.value, dialect: signature.dialect };
                self.open(at, Kind::Other, block, out);
            }
            Some("tool_use") => {
                let input = block.get("input").and_then(Value::as_object).filter(|input| !input.is_empty());
                let arguments = input.and_then(|input| serde_json::to_string(input).ok()).unwrap_or_default();
                let name = id::decode(said("name"));
                if name == answer::NAME {
                    let index = self.open(at, Kind::Answer, Block::Text, out);
                    self.answered = Some(!arguments.is_empty());
                    return push(out, index, arguments, Delta::Text);
                }
                self.called = true;
                let call = ToolCall { id: id::decode(said("id")), name, arguments, ..ToolCall::default() };
                self.open(at, Kind::Call, Block::ToolCall(call), out);
            }
            _ => {
                self.whole.insert(at, (block.clone(), String::new()));
            }
        }
    }

    fn open(&mut self, at: u64, kind: Kind, block: Block, out: &mut Vec<Event>) -> usize {
        let index = self.opened;
        self.opened += 1;
        self.open.insert(at, (index, kind));
        out.push(Event::BlockStart { choice: 0, index, block });
        index
    }

    fn block_delta(&mut self, value: &Value, out: &mut Vec<Event>) {
        let Some(delta) = value.get("delta") else { return out.push(Event::Malformed) };
        let at = number(value);
        if let Some((block, input)) = self.whole.get_mut(&at) {
            return extend(block, input, delta);
        }
        let said = |key: &str| word(delta, key).unwrap_or_default();
        let (kind, text, wrap): (_, _, fn(String) -> Delta) = match delta.get("type").and_then(Value::as_str) {
            Some("text_delta") => (Kind::Text, said("text"), Delta::Text),
            Some("thinking_delta") => (Kind::Reasoning, said("thinking"), Delta::Reasoning),
            Some("signature_delta") => (Kind::Reasoning, said("signature"), |text| Delta::Signature(seal::unseal(text))),
            Some("input_json_delta") => (Kind::Call, said("partial_json"), Delta::Arguments),
            Some("citations_delta") => return self.citation(at, delta, out),
            _ => return,
        };
        let index = match self.open.get(&at) {
            Some((index, opened)) if *opened == kind => *index,
            Some((index, Kind::Answer)) if kind == Kind::Call => {
                self.answered = self.answered.map(|said| said || !text.is_empty());
                return push(out, *index, text, Delta::Text);
            }
            Some(_) => return,
            None => self.open(at, kind, unseen(kind), out),
        };
        push(out, index, text, wrap);
    }

    fn citation(&mut self, at: u64, delta: &Value, out: &mut Vec<Event>) {
        let Some(cited) = delta.get("citation").filter(|cited| cited.is_object()) else { return out.push(Event::Malformed) };
        let index = match self.open.get(&at) {
            Some((index, Kind::Text)) => *index,
            Some(_) => return,
            None => self.open(at, Kind::Text, Block::Text, out),
        };
        out.push(Event::BlockDelta { index, delta: Delta::Citation(citation::read(cited.clone())) });
    }

    fn block_stop(&mut self, at: u64, out: &mut Vec<Event>) {
        if let Some((mut value, input)) = self.whole.remove(&at) {
            if let (Value::Object(block), Ok(input)) = (&mut value, serde_json::from_str::<Value>(&input)) {
                block.put("input", input);
            }
            self.open(at, Kind::Other, Block::Opaque { dialect: Dialect::Anthropic, value }, out);
        }
        let Some((index, kind)) = self.open.remove(&at) else { return };
        // No fragment at all is an object without members.
        if kind == Kind::Answer && self.answered == Some(false) {
            push(out, index, "{}".to_owned(), Delta::Text);
        }
        out.push(Event::BlockEnd { index });
    }
}

/// One more piece of a block that is carried whole: its input as JSON text, or a member of it.
fn extend(block: &mut Value, input: &mut String, delta: &Value) {
    let Value::Object(block) = block else { return };
    for (key, more) in delta.as_object().into_iter().flatten().filter(|(key, _)| *key != "type") {
        match (key.as_str(), more.as_str(), block.get_mut(key)) {
            ("partial_json", Some(more), _) => input.push_str(more),
            (_, Some(more), Some(Value::String(text))) => text.push_str(more),
            _ => {
                block.insert(key.clone(), more.clone());
            }
        }
    }
}

/// The block of a delta whose opening went by before this reader came.
fn unseen(kind: Kind) -> Block {
    match kind {
        Kind::Text | Kind::Answer | Kind::Other => Block::Text,
        Kind::Reasoning => Block::Reasoning,
        Kind::Call => {
            let nothing = String::new;
            Block::ToolCall(ToolCall { id: nothing(), name: nothing(), arguments: nothing(), ..ToolCall::default() })
        }
    }
}

/// A delta, unless it is empty.
fn push(out: &mut Vec<Event>, index: usize, text: String, wrap: impl FnOnce(String) -> Delta) {
    if !text.is_empty() {
        out.push(Event::BlockDelta { index, delta: wrap(text) });
    }
}

fn number(value: &Value) -> u64 {
    value.get("index").and_then(Value::as_u64).unwrap_or_default()
}

fn word(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}
