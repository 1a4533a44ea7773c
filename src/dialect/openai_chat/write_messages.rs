//! Turns, written as messages.

use serde_json::{Map, Value};

use super::{
    reasoning,
    write_part::{content, image},
};
use crate::{
    chat::{
        Dialect,
        profile::{History, Profile},
        request::{Message, Part, Role, Source, ToolCall, ToolResult},
    },
    dialect::pairs::{NO_RESULT, Open},
    wire::compose::{Members, json},
};

/// Stands where a tool's result has no text, for `content` must be text.
const SEE_BELOW: &str = "(The result is in the next message.)";

/// What this dialect cannot say, each path once.
#[derive(Default)]
pub struct Dropped {
    pub paths: Vec<String>,
}

impl Dropped {
    pub fn push(&mut self, path: &str) {
        if !self.paths.iter().any(|known| known == path) {
            self.paths.push(path.to_owned());
        }
    }

    pub fn part(&mut self, what: &str) {
        self.push(&format!("messages[].parts[].{what}"));
    }
}

pub fn write_messages(messages: &[Message], profile: &Profile, dropped: &mut Dropped) -> Vec<Value> {
    let mut writer = Writer { out: vec![], open: Open::default(), waiting: vec![], profile, dropped };
    for message in messages {
        match message.role {
            Role::System => {
                let content = content(message.parts.iter(), profile, writer.dropped);
                writer.say(json!({"role": "system", "content": content}));
            }
            Role::User => writer.user(message),
            Role::Assistant => writer.assistant(message),
        }
    }
    writer.settle();
    writer.out
}

struct Writer<'a> {
    out: Vec<Value>,
    open: Open,
    /// What is said before all results of the last calls are there: OpenAI wants those first.
    waiting: Vec<Value>,
    profile: &'a Profile,
    dropped: &'a mut Dropped,
}

impl Writer<'_> {
    fn say(&mut self, message: Value) {
        let place = if self.open.is_empty() { &mut self.out } else { &mut self.waiting };
        place.push(message);
    }

    /// Results first, each its own message. What they hold beside text follows as the user's.
    fn user(&mut self, message: &Message) {
        let (mut rest, mut moved): (Vec<&Part>, Vec<&Part>) = (vec![], vec![]);
        for part in &message.parts {
            let Part::ToolResult(result) = part else {
                rest.push(part);
                continue;
            };
            // A result that answers no call is refused.
            if self.open.take(&result.id).is_some() {
                self.out.push(write_result(result, self.profile, &mut moved, self.dropped));
            } else {
                self.dropped.part("tool_result");
            }
        }
        if self.open.is_empty() {
            self.out.append(&mut self.waiting);
        }
        if !rest.is_empty() || !moved.is_empty() {
            let content = content(moved.into_iter().chain(rest), self.profile, self.dropped);
            self.say(json!({"role": "user", "content": content}));
        }
    }

    fn assistant(&mut self, message: &Message) {
        self.settle();
        self.out.push(write_assistant(&message.parts, self.profile, self.dropped));
        for part in &message.parts {
            let id = match part {
                Part::ToolCall(call) => Some(call.id.as_str()),
                Part::Opaque { value, .. } if is_call(part) => value.get("id").and_then(Value::as_str),
                Part::Opaque { .. }
                | Part::Text { .. }
                | Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolResult(_) => None,
            };
            if let Some(id) = id {
                self.open.push(id, id.to_owned());
            }
        }
    }

    fn settle(&mut self) {
        for id in self.open.drain() {
            self.out.push(json!({"role": "tool", "tool_call_id": id, "content": NO_RESULT}));
        }
        self.out.append(&mut self.waiting);
    }
}

fn write_result<'a>(result: &'a ToolResult, profile: &Profile, moved: &mut Vec<&'a Part>, dropped: &mut Dropped) -> Value {
    if result.cache.is_some() {
        dropped.part("cache");
    }
    if result.is_error {
        dropped.part("is_error");
    }
    let (texts, others): (Vec<&Part>, Vec<&Part>) = result.parts.iter().partition(|part| matches!(part, Part::Text { .. }));
    let content = match (texts.is_empty(), others.is_empty()) {
        (true, false) => SEE_BELOW.into(),
        (_, true | false) => content(texts.into_iter(), profile, dropped),
    };
    moved.extend(others);
    json!({"role": "tool", "tool_call_id": &result.id, "content": content})
}

fn write_assistant(parts: &[Part], profile: &Profile, dropped: &mut Dropped) -> Value {
    let (mut calls, mut said, mut images) = (vec![], vec![], vec![]);
    let (mut thoughts, mut refusal, mut audio) = (String::new(), String::new(), None);
    let whole = profile.history == History::Details;
    for part in parts {
        match part {
            Part::Text { .. } => said.push(part),
            Part::Image { source, detail, .. } if whole => images.extend(image(source, detail.as_deref())),
            Part::Reasoning { text, .. } => {
                thoughts.push_str(text);
                if profile.history == History::Bare && !text.is_empty() {
                    dropped.part("reasoning");
                }
            }
            Part::Refusal { text } => refusal.push_str(text),
            Part::ToolCall(call) => calls.push(write_call(call, profile, dropped)),
            Part::RedactedReasoning { .. } if whole => {}
            Part::RedactedReasoning { .. } => dropped.part("reasoning"),
            Part::Audio { source: Source::Id { dialect: Dialect::OpenAiChat, id }, .. } => audio = Some(json!({"id": id})),
            Part::Opaque { .. } if reasoning::is_detail(part) && whole => {}
            Part::Opaque { value, .. } if is_call(part) => calls.push(value.clone()),
            Part::Opaque { .. }
            | Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::ToolResult(_) => said.push(part),
        }
    }
    let mut out = Map::new();
    out.put("role", "assistant");
    let other = !calls.is_empty() || !refusal.is_empty() || audio.is_some();
    let spoken = content(said.into_iter(), profile, dropped);
    let is_null = other && spoken.as_str().is_some_and(str::is_empty);
    out.put("content", if is_null { Value::Null } else { spoken });
    if !thoughts.is_empty() && profile.history != History::Bare {
        out.put("reasoning_content", thoughts);
    }
    let details = if whole { reasoning::write(parts) } else { vec![] };
    for (key, list) in [("reasoning_details", details), ("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            out.put(key, list);
        }
    }
    if !refusal.is_empty() {
        out.put("refusal", refusal);
    }
    if let Some(audio) = audio {
        out.put("audio", audio);
    }
    Value::Object(out)
}

fn write_call(call: &ToolCall, profile: &Profile, dropped: &mut Dropped) -> Value {
    if call.cache.is_some() {
        dropped.part("cache");
    }
    let extra = reasoning::google_extra(call.signature.as_ref()).filter(|_| profile.history == History::Details);
    tool_call(call, call.custom && profile.custom_tools, extra)
}

/// Whether a part is a call of a kind only this dialect has.
pub fn is_call(part: &Part) -> bool {
    let Part::Opaque { dialect: Dialect::OpenAiChat, value } = part else { return false };
    value.get("id").is_some() && value.get("type").is_some() && !reasoning::is_detail(part)
}

/// A call as it stands in a whole message; `custom`: in the words of custom tools.
pub fn tool_call(call: &ToolCall, custom: bool, extra: Option<Value>) -> Value {
    let mut out = if custom {
        let input = if call.custom { call.arguments.clone() } else { ToolCall::custom_input(&call.arguments) };
        json!({"id": &call.id, "type": "custom", "custom": {"name": &call.name, "input": input}})
    } else {
        json!({"id": &call.id, "type": "function", "function": {"name": &call.name, "arguments": call.json_arguments()}})
    };
    if let Some(extra) = extra {
        out["extra_content"] = extra;
    }
    out
}
