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
    let mut out = vec![];
    for message in messages {
        match message.role {
            Role::System => {
                let content = content(message.parts.iter(), profile, dropped);
                out.push(json!({"role": "system", "content": content}));
            }
            Role::User => write_user(message, profile, &mut out, dropped),
            Role::Assistant => out.push(write_assistant(&message.parts, profile, dropped)),
        }
    }
    out
}

/// Results first, each its own message. What they hold beside text follows as the user's.
fn write_user(message: &Message, profile: &Profile, out: &mut Vec<Value>, dropped: &mut Dropped) {
    let (mut rest, mut moved): (Vec<&Part>, Vec<&Part>) = (vec![], vec![]);
    for part in &message.parts {
        if let Part::ToolResult(result) = part {
            out.push(write_result(result, profile, &mut moved, dropped));
        } else {
            rest.push(part);
        }
    }
    if !rest.is_empty() || !moved.is_empty() {
        let content = content(moved.into_iter().chain(rest), profile, dropped);
        out.push(json!({"role": "user", "content": content}));
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
            Part::Reasoning { text, signature } => {
                thoughts.push_str(text);
                if profile.history == History::Bare {
                    dropped.part("reasoning");
                } else if signature.is_some() && !whole {
                    dropped.part("signature");
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
    if extra.is_none() && call.signature.is_some() {
        dropped.part("signature");
    }
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
