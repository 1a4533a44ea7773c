//! Turns as Converse wants them: alternating, the user's first, every call answered in the next turn, results first.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::block;
use crate::{
    chat::request::{Message, Part, Role, ToolCall, ToolResult},
    dialect::{
        dropped::Dropped,
        pairs::{NO_RESULT, Open, Used},
    },
    wire::compose::json,
};

/// The first turn must be the user's.
const OPENING: &str = "Please continue.";
/// A turn with a document must have text.
const SEE_DOCUMENT: &str = "See the attached document.";
/// The longest id of a call.
const MAX_ID: usize = 64;

struct Turn {
    role: Role,
    blocks: Vec<Value>,
}

#[derive(Default)]
pub(super) struct Turns {
    turns: Vec<Turn>,
    /// Ids already written: they must be unique in a request.
    used: Used,
    /// Names of documents: so must these.
    names: HashSet<String>,
    /// Calls of the last assistant turn.
    open: Open,
    /// Names of the tools called.
    called: Vec<String>,
    known: HashSet<String>,
}

impl Turns {
    pub(super) fn write(messages: &[Message], dropped: &mut Dropped) -> Self {
        let mut turns = Self::default();
        for message in messages {
            match message.role {
                Role::Assistant => turns.assistant(&message.parts, dropped),
                Role::User => turns.user(&message.parts, dropped),
                Role::System => turns.instruction(&message.parts, dropped),
            }
        }
        turns.settle();
        turns.arrange();
        turns
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Tools that the history tells of: they must be declared.
    pub(super) fn called(&self) -> &[String] {
        &self.called
    }

    /// Whether the last turn is the beginning of an answer.
    pub(super) fn is_prefilled(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.role == Role::Assistant)
    }

    pub(super) fn forget_prefill(&mut self) {
        if self.is_prefilled() {
            self.turns.pop();
        }
    }

    /// A budget demands that an assistant turn whose calls are being answered begins with its proven thoughts.
    pub(super) fn lacks_thoughts(&self) -> bool {
        let [.., assistant, user] = self.turns.as_slice() else { return false };
        user.blocks.iter().any(|block| is(block, "toolResult"))
            && !assistant.blocks.first().is_some_and(|block| is(block, "reasoningContent"))
    }

    /// Without thinking, the beginning of an answer may hold no thoughts.
    pub(super) fn forget_last_thoughts(&mut self) {
        if let Some(last) = self.turns.last_mut().filter(|turn| turn.role == Role::Assistant) {
            last.blocks.retain(|block| !is(block, "reasoningContent"));
            if last.blocks.is_empty() {
                self.turns.pop();
            }
        }
    }

    pub(super) fn into_value(self) -> Value {
        let name = |role| if role == Role::Assistant { "assistant" } else { "user" };
        self.turns.into_iter().map(|turn| json!({"role": name(turn.role), "content": turn.blocks})).collect()
    }

    fn assistant(&mut self, parts: &[Part], dropped: &mut Dropped) {
        let mut said = false;
        for part in parts {
            let written = match part {
                Part::ToolCall(call) => {
                    self.settle_once(&mut said);
                    Some(self.call(call))
                }
                Part::Text { .. }
                | Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolResult(_)
                | Part::Opaque { .. } => block::assistant_part(part, dropped),
            };
            if let Some(written) = written {
                self.settle_once(&mut said);
                self.push(Role::Assistant, written);
                self.mark(Role::Assistant, part);
            }
        }
    }

    /// Before the first word of a turn: calls of the turn before.
    fn settle_once(&mut self, said: &mut bool) {
        if !std::mem::replace(said, true) {
            self.settle();
        }
    }

    fn call(&mut self, call: &ToolCall) -> Value {
        let fits = !call.id.is_empty() && call.id.len() <= MAX_ID && call.id.bytes().all(is_plain);
        let written = self.used.unique(if fits { &call.id } else { "call_1" }, "call_");
        self.open.push(&call.id, written.clone());
        if self.known.insert(call.name.clone()) {
            self.called.push(call.name.clone());
        }
        json!({"toolUse": {"toolUseId": written, "name": &call.name, "input": input(call)}})
    }

    fn user(&mut self, parts: &[Part], dropped: &mut Dropped) {
        for part in parts {
            let written = match part {
                Part::ToolResult(result) => self.result(result, dropped),
                Part::Text { .. }
                | Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::Opaque { .. } => block::user_part(part, &mut self.names, dropped),
            };
            if let Some(written) = written {
                self.push(Role::User, written);
                self.mark(Role::User, part);
            }
        }
    }

    /// A result that answers no call of the turn before cannot be said.
    fn result(&mut self, result: &ToolResult, dropped: &mut Dropped) -> Option<Value> {
        let Some(written) = self.open.take(&result.id) else {
            dropped.part("tool_result");
            return None;
        };
        Some(block::result(result, &written, &mut self.names, dropped))
    }

    /// Instructions in the middle: not every model takes them as such, so they are marked text of the user.
    fn instruction(&mut self, parts: &[Part], dropped: &mut Dropped) {
        for part in parts {
            if let Part::Text { text, .. } = part {
                if let Some(said) = (!text.trim().is_empty()).then(|| format!("<system>\n{text}\n</system>")) {
                    self.push(Role::User, json!({"text": said}));
                    self.mark(Role::User, part);
                }
            } else if let Some(written) = block::user_part(part, &mut self.names, dropped) {
                self.push(Role::User, written);
                self.mark(Role::User, part);
            }
        }
    }

    fn mark(&mut self, role: Role, part: &Part) {
        if let Some(hint) = block::cache_of(part) {
            self.push(role, block::cache_point(hint));
        }
    }

    fn push(&mut self, role: Role, block: Value) {
        match self.turns.last_mut() {
            Some(last) if last.role == role => last.blocks.push(block),
            _ => self.turns.push(Turn { role, blocks: vec![block] }),
        }
    }

    /// Every call must be answered in the next turn.
    fn settle(&mut self) {
        for written in self.open.drain() {
            let content = json!([{"text": NO_RESULT}]);
            self.push(Role::User, json!({"toolResult": {"toolUseId": written, "content": content, "status": "error"}}));
        }
    }

    fn arrange(&mut self) {
        for turn in &mut self.turns {
            if turn.role == Role::Assistant {
                text_before_calls(&mut turn.blocks);
                continue;
            }
            results_first(&mut turn.blocks);
            let has = |kind: &str| turn.blocks.iter().any(|block| is(block, kind));
            if has("document") && !has("text") {
                turn.blocks.push(json!({"text": SEE_DOCUMENT}));
            }
        }
        if let Some(last) = self.turns.last_mut().filter(|turn| turn.role == Role::Assistant) {
            trim_end(last);
        }
        if self.turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
            self.turns.insert(0, Turn { role: Role::User, blocks: vec![json!({"text": OPENING})] });
        }
    }
}

/// Results before all else, each with its cache mark; the order is else kept.
fn results_first(blocks: &mut Vec<Value>) {
    let (mut first, mut rest, mut in_result) = (vec![], vec![], false);
    for block in std::mem::take(blocks) {
        in_result = is(&block, "toolResult") || in_result && is(&block, "cachePoint");
        if in_result { first.push(block) } else { rest.push(block) }
    }
    first.append(&mut rest);
    *blocks = first;
}

/// Text between a call and its result breaks the pair. A call that the provider answered itself has its result beside it.
fn text_before_calls(blocks: &mut Vec<Value>) {
    let is_call = |block: &Value| block.get("toolUse").is_some_and(|call| call.get("type").is_none());
    let Some(first_call) = blocks.iter().position(is_call) else { return };
    let (mut text, mut calls): (Vec<_>, Vec<_>) = blocks.split_off(first_call).into_iter().partition(|block| is(block, "text"));
    blocks.append(&mut text);
    blocks.append(&mut calls);
}

/// The answer goes on from here: white space at its end is refused.
fn trim_end(turn: &mut Turn) {
    if let Some(Value::Object(block)) = turn.blocks.last_mut()
        && let Some(Value::String(text)) = block.get_mut("text")
    {
        text.truncate(text.trim_end().len());
    }
}

/// An object is wanted: text that is none is kept under `_raw`.
fn input(call: &ToolCall) -> Value {
    let arguments = call.json_arguments();
    let object = serde_json::from_str::<Map<String, Value>>(&arguments);
    object.map_or_else(|_| json!({"_raw": arguments}), Value::Object)
}

/// Of an id of a call: Claude takes no other.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is(block: &Value, kind: &str) -> bool {
    block.get(kind).is_some()
}
