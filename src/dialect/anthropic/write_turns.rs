//! Turns as Anthropic wants them: alternating, every call answered in the next turn, results first.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{id, write_block as block};
use crate::chat::{
    Dialect,
    request::{Message, Part, Role, ToolCall, ToolResult},
};

/// The first turn must be the user's.
const OPENING: &str = "Please continue.";
/// Stands for a result that the caller cut from the history.
const NO_RESULT: &str = "No result: the tool was not run.";

struct Turn {
    role: Role,
    blocks: Vec<Value>,
}

/// The turns of a request under construction.
#[derive(Default)]
pub(super) struct Turns {
    turns: Vec<Turn>,
    /// Ids already written: they must be unique in a request.
    used: HashSet<String>,
    /// Calls of the last assistant turn without a result yet: the id as given and as written.
    open: Vec<(String, String)>,
}

impl Turns {
    /// `first` is the number of the first of these messages, for paths.
    pub(super) fn write(messages: &[Message], first: usize, dropped: &mut Vec<String>) -> Self {
        let mut turns = Self::default();
        for (i, message) in messages.iter().enumerate() {
            let path = format!("messages[{}]", first + i);
            match message.role {
                Role::Assistant => turns.assistant(&message.parts, &path, dropped),
                Role::User => turns.user(&message.parts, &path, dropped),
                Role::System => turns.instruction(&message.parts, &path, dropped),
            }
        }
        turns.settle();
        turns.arrange();
        turns
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    pub(super) fn ends_with_assistant(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.role == Role::Assistant)
    }

    /// A budget demands that an assistant turn whose calls are being answered begins with its proven thoughts.
    pub(super) fn lacks_thoughts(&self) -> bool {
        let [.., assistant, user] = self.turns.as_slice() else { return false };
        user.blocks.iter().any(|block| is(block, "tool_result"))
            && !assistant.blocks.first().is_some_and(|block| is(block, "thinking") || is(block, "redacted_thinking"))
    }

    /// Without thinking, a last turn of the assistant may hold no thoughts.
    pub(super) fn forget_last_thoughts(&mut self) {
        if let Some(last) = self.turns.last_mut().filter(|turn| turn.role == Role::Assistant) {
            last.blocks.retain(|block| !is(block, "thinking") && !is(block, "redacted_thinking"));
            if last.blocks.is_empty() {
                self.turns.pop();
            }
        }
    }

    pub(super) fn into_value(self) -> Value {
        self.turns
            .into_iter()
            .map(|turn| {
                let role = if turn.role == Role::Assistant { "assistant" } else { "user" };
                json!({"role": role, "content": turn.blocks})
            })
            .collect()
    }

    fn assistant(&mut self, parts: &[Part], path: &str, dropped: &mut Vec<String>) {
        let mut said = false;
        for (i, part) in parts.iter().enumerate() {
            if block::is_blank(part) {
                continue;
            }
            if let Part::ToolCall(call) = part {
                self.begin_assistant(&mut said);
                let block = self.call(call);
                self.push(Role::Assistant, block);
                continue;
            }
            match assistant_block(part) {
                Some(block) => {
                    self.begin_assistant(&mut said);
                    self.push(Role::Assistant, block);
                }
                None => dropped.push(format!("{path}.parts[{i}]")),
            }
        }
    }

    fn begin_assistant(&mut self, said: &mut bool) {
        if !*said {
            self.settle();
            *said = true;
        }
    }

    fn call(&mut self, call: &ToolCall) -> Value {
        let plain = id::encode(&call.id);
        let mut written = plain.clone();
        let mut number = 2_u32;
        while !self.used.insert(written.clone()) {
            written = format!("{plain}-{number}");
            number += 1;
        }
        self.open.push((call.id.clone(), written.clone()));
        let block = json!({"type": "tool_use", "id": written, "name": call.name, "input": block::input(&call.arguments)});
        block::with_cache(block, call.cache.as_ref())
    }

    fn user(&mut self, parts: &[Part], path: &str, dropped: &mut Vec<String>) {
        for (i, part) in parts.iter().enumerate() {
            let path = format!("{path}.parts[{i}]");
            let written = match part {
                Part::ToolResult(result) => self.result(result, &path, dropped),
                Part::Text { .. }
                | Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::Opaque { .. } => block::user_part(part),
            };
            match written {
                Some(block) => self.push(Role::User, block),
                None if block::is_blank(part) => {}
                None => dropped.push(path),
            }
        }
    }

    /// A result that answers no call of the turn before cannot be said.
    fn result(&mut self, result: &ToolResult, path: &str, dropped: &mut Vec<String>) -> Option<Value> {
        let at = self.open.iter().position(|(given, _)| *given == result.id)?;
        let (_, written) = self.open.remove(at);
        Some(block::result(result, &written, path, dropped))
    }

    /// Instructions in the middle: not every model takes them as such, so they are marked text of the user.
    fn instruction(&mut self, parts: &[Part], path: &str, dropped: &mut Vec<String>) {
        for (i, part) in parts.iter().enumerate() {
            match part {
                Part::Text { text, .. } if text.trim().is_empty() => {}
                Part::Text { text, cache, .. } => {
                    let marked = json!({"type": "text", "text": format!("<system>\n{text}\n</system>")});
                    self.push(Role::User, block::with_cache(marked, cache.as_ref()));
                }
                Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::ToolResult(_)
                | Part::Opaque { .. } => dropped.push(format!("{path}.parts[{i}]")),
            }
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
        for (_, written) in std::mem::take(&mut self.open) {
            let block = json!({"type": "tool_result", "tool_use_id": written, "content": NO_RESULT, "is_error": true});
            self.push(Role::User, block);
        }
    }

    fn arrange(&mut self) {
        for turn in &mut self.turns {
            if turn.role == Role::User {
                to_front(&mut turn.blocks, "tool_result");
            } else {
                text_before_calls(&mut turn.blocks);
            }
        }
        if let Some(last) = self.turns.last_mut().filter(|turn| turn.role == Role::Assistant) {
            trim_end(last);
        }
        if self.turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
            let blocks = vec![json!({"type": "text", "text": OPENING})];
            self.turns.insert(0, Turn { role: Role::User, blocks });
        }
    }
}

/// Thoughts go back only to who can check them.
fn assistant_block(part: &Part) -> Option<Value> {
    match part {
        Part::Reasoning { text, signature: Some(signature) } if signature.dialect == Dialect::Anthropic => {
            Some(json!({"type": "thinking", "thinking": text, "signature": signature.value}))
        }
        Part::RedactedReasoning { data, dialect: Dialect::Anthropic } => Some(json!({"type": "redacted_thinking", "data": data})),
        Part::Text { .. } | Part::Refusal { .. } | Part::Opaque { .. } => block::user_part(part),
        Part::Reasoning { .. }
        | Part::RedactedReasoning { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_) => None,
    }
}

/// Text after a call breaks the pairing with its result.
fn text_before_calls(blocks: &mut Vec<Value>) {
    let Some(first_call) = blocks.iter().position(|block| is(block, "tool_use")) else { return };
    let mut late = blocks.split_off(first_call);
    to_front(&mut late, "text");
    blocks.append(&mut late);
}

/// Blocks of this type come first; else the order stays.
fn to_front(blocks: &mut Vec<Value>, kind: &str) {
    let (first, rest): (Vec<_>, Vec<_>) = std::mem::take(blocks).into_iter().partition(|block| is(block, kind));
    *blocks = first;
    blocks.extend(rest);
}

/// The answer goes on from here: Anthropic refuses white space at its end.
fn trim_end(turn: &mut Turn) {
    if let Some(Value::Object(block)) = turn.blocks.last_mut()
        && let Some(Value::String(text)) = block.get_mut("text")
    {
        text.truncate(text.trim_end().len());
    }
}

fn is(block: &Value, kind: &str) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}
