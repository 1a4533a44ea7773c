//! Turns as Anthropic wants them: alternating, every call answered in the next turn, results first.

use serde_json::Value;

use super::{
    id,
    write_block::{self as block, Blocks},
};
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Message, Part, Role, ToolCall, ToolResult},
    },
    dialect::pairs::{NO_RESULT, Open, Used},
    wire::compose::json,
};

/// The first turn must be the user's.
const OPENING: &str = "Please continue.";
/// Blocks that are the assistant's own words.
const SAID: [&str; 3] = ["text", "thinking", "redacted_thinking"];

struct Turn {
    role: Role,
    blocks: Vec<Value>,
}

/// The turns of a request.
pub(super) struct Turns(Vec<Turn>);

impl Turns {
    pub(super) fn write(messages: &[Message], profile: &Profile, dropped: &mut Vec<String>) -> Self {
        let blocks = Blocks { image_urls: profile.image_urls, dropped };
        let mut draft = Draft { turns: vec![], used: Used::default(), open: Open::default(), blocks };
        for message in messages {
            match message.role {
                Role::Assistant => draft.assistant(&message.parts),
                Role::User => draft.user(&message.parts),
                Role::System => draft.instruction(&message.parts),
            }
        }
        draft.settle();
        draft.arrange();
        Self(draft.turns)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last turn is the beginning of an answer. One that ends with a server tool's work is not: it was interrupted,
    /// and is sent back to be gone on with.
    pub(super) fn is_prefilled(&self) -> bool {
        let last = self.0.last().filter(|turn| turn.role == Role::Assistant);
        last.is_some_and(|turn| turn.blocks.last().is_some_and(|block| SAID.iter().any(|kind| is(block, kind))))
    }

    /// Takes the beginning of an answer out; whether there was one.
    pub(super) fn forget_prefill(&mut self) -> bool {
        let is_prefilled = self.is_prefilled();
        if is_prefilled {
            self.0.pop();
        }
        is_prefilled
    }

    /// A budget demands that an assistant turn whose calls are being answered begins with its proven thoughts.
    pub(super) fn lacks_thoughts(&self) -> bool {
        let [.., assistant, user] = self.0.as_slice() else { return false };
        user.blocks.iter().any(|block| is(block, "tool_result"))
            && !assistant.blocks.first().is_some_and(|block| is(block, "thinking") || is(block, "redacted_thinking"))
    }

    /// Without thinking, a last turn of the assistant may hold no thoughts.
    pub(super) fn forget_last_thoughts(&mut self) {
        if let Some(last) = self.0.last_mut().filter(|turn| turn.role == Role::Assistant) {
            last.blocks.retain(|block| !is(block, "thinking") && !is(block, "redacted_thinking"));
            if last.blocks.is_empty() {
                self.0.pop();
            }
        }
    }

    pub(super) fn into_value(self) -> Value {
        self.0
            .into_iter()
            .map(|turn| {
                let role = if turn.role == Role::Assistant { "assistant" } else { "user" };
                json!({"role": role, "content": turn.blocks})
            })
            .collect()
    }
}

/// The turns under construction.
struct Draft<'a> {
    turns: Vec<Turn>,
    /// Ids already written: they must be unique in a request.
    used: Used,
    /// Calls of the last assistant turn.
    open: Open,
    blocks: Blocks<'a>,
}

impl Draft<'_> {
    fn assistant(&mut self, parts: &[Part]) {
        let mut said = false;
        for part in parts {
            let block = match part {
                Part::ToolCall(call) => {
                    self.begin_assistant(&mut said);
                    Some(self.call(call))
                }
                Part::Reasoning { .. } | Part::RedactedReasoning { .. } | Part::Image { .. } | Part::File { .. } => {
                    self.own(part)
                }
                Part::Text { .. }
                | Part::Refusal { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::ToolResult(_)
                | Part::Opaque { .. } => self.blocks.part(part),
            };
            if let Some(block) = block {
                self.begin_assistant(&mut said);
                self.push(Role::Assistant, block);
            }
        }
    }

    /// Thoughts go back only to who can check them; media of its own this dialect cannot show the model again.
    fn own(&mut self, part: &Part) -> Option<Value> {
        match part {
            Part::Reasoning { text, signature: Some(signature) } if signature.dialect == Dialect::Anthropic => {
                Some(json!({"type": "thinking", "thinking": text, "signature": &signature.value}))
            }
            Part::RedactedReasoning { data, dialect: Dialect::Anthropic } => {
                Some(json!({"type": "redacted_thinking", "data": data}))
            }
            Part::Reasoning { .. }
            | Part::RedactedReasoning { .. }
            | Part::Image { .. }
            | Part::File { .. }
            | Part::Text { .. }
            | Part::Refusal { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => {
                if !block::is_blank(part) {
                    self.blocks.dropped.push(block::path(part));
                }
                None
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
        let written = self.used.unique(&plain, &format!("{plain}-"));
        self.open.push(&call.id, written.clone());
        let input = block::input(&call.json_arguments());
        let block = json!({"type": "tool_use", "id": written, "name": id::encode(&call.name), "input": input});
        self.blocks.marked(block, call.cache.as_ref(), "messages[].parts[].cache")
    }

    fn user(&mut self, parts: &[Part]) {
        let mut is_silent = !parts.iter().all(block::is_blank);
        for part in parts {
            let written = if let Part::ToolResult(result) = part { self.result(result) } else { self.blocks.part(part) };
            if let Some(block) = written {
                is_silent = false;
                self.push(Role::User, block);
            }
        }
        let only_results = parts.iter().all(|part| matches!(part, Part::ToolResult(_)));
        if is_silent && !only_results {
            self.push(Role::User, block::not_carried());
        }
    }

    /// A result that answers no call of the turn before cannot be said.
    fn result(&mut self, result: &ToolResult) -> Option<Value> {
        let Some(written) = self.open.take(&result.id) else {
            self.blocks.dropped.push("messages[].parts[].tool_result".to_owned());
            return None;
        };
        Some(self.blocks.result(result, &written))
    }

    /// Instructions in the middle: not every model takes them as such, so they are marked text of the user.
    fn instruction(&mut self, parts: &[Part]) {
        for part in parts {
            if let Part::Text { text, cache, .. } = part {
                let said = if text.trim().is_empty() { String::new() } else { format!("<system>\n{text}\n</system>") };
                if let Some(block) = self.blocks.text(&said, cache.as_ref()) {
                    self.push(Role::User, block);
                }
            } else {
                self.blocks.dropped.push(block::path(part));
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
        for written in self.open.drain() {
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
