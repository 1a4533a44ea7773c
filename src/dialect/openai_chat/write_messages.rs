//! Turns, written as messages.

use serde_json::{Map, Value, json};

use super::reasoning;
use crate::chat::{
    Dialect,
    request::{Message, Part, Role, Source, ToolCall, ToolResult},
};

/// OpenAI requires a file name beside file data.
const DEFAULT_FILE_NAME: &str = "file";

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

    /// Caching is automatic in this dialect, and strict providers refuse the marks: one word for all of them.
    pub fn cache(&mut self) {
        self.push("cache_control");
    }
}

pub fn write_messages(messages: &[Message], dropped: &mut Dropped) -> Vec<Value> {
    let mut out = vec![];
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        match message.role {
            Role::System => {
                let content = content(message.parts.iter(), &path, dropped);
                out.push(json!({"role": "system", "content": content}));
            }
            Role::User => write_user(message, &path, &mut out, dropped),
            Role::Assistant => out.push(write_assistant(&message.parts, &path, dropped)),
        }
    }
    out
}

/// Results first, each its own message. What they hold beside text follows as the user's.
fn write_user(message: &Message, path: &str, out: &mut Vec<Value>, dropped: &mut Dropped) {
    let (mut rest, mut moved): (Vec<&Part>, Vec<&Part>) = (vec![], vec![]);
    for part in &message.parts {
        if let Part::ToolResult(result) = part {
            out.push(write_result(result, path, &mut moved, dropped));
        } else {
            rest.push(part);
        }
    }
    if !rest.is_empty() || !moved.is_empty() {
        let content = content(moved.into_iter().chain(rest), path, dropped);
        out.push(json!({"role": "user", "content": content}));
    }
}

fn write_result<'a>(result: &'a ToolResult, path: &str, moved: &mut Vec<&'a Part>, dropped: &mut Dropped) -> Value {
    if result.cache.is_some() {
        dropped.cache();
    }
    if result.is_error {
        dropped.push("is_error");
    }
    let (texts, others): (Vec<&Part>, Vec<&Part>) = result.parts.iter().partition(|part| matches!(part, Part::Text { .. }));
    let content = match (texts.is_empty(), others.is_empty()) {
        (true, false) => SEE_BELOW.into(),
        (_, true | false) => content(texts.into_iter(), path, dropped),
    };
    moved.extend(others);
    json!({"role": "tool", "tool_call_id": result.id, "content": content})
}

fn write_assistant(parts: &[Part], path: &str, dropped: &mut Dropped) -> Value {
    let (mut calls, mut said, mut images) = (vec![], vec![], vec![]);
    let (mut thoughts, mut refusal) = (String::new(), String::new());
    for part in parts {
        match part {
            Part::Text { .. } => said.push(part),
            Part::Image { source, detail, .. } => images.extend(image(source, detail.as_deref())),
            Part::Reasoning { text, .. } => thoughts.push_str(text),
            Part::Refusal { text } => refusal.push_str(text),
            Part::ToolCall(call) => calls.push(write_call(call, path, dropped)),
            Part::RedactedReasoning { .. } => {}
            Part::Opaque { dialect: Dialect::OpenAiChat, .. } if reasoning::is_detail(part) => {}
            Part::Opaque { value, .. } if is_call(part) => calls.push(value.clone()),
            Part::Opaque { .. } | Part::File { .. } | Part::Audio { .. } | Part::Video { .. } | Part::ToolResult(_) => {
                said.push(part)
            }
        }
    }
    let mut out = Map::new();
    out.insert("role".to_owned(), "assistant".into());
    let nothing = said.is_empty() && (!calls.is_empty() || !refusal.is_empty());
    out.insert("content".to_owned(), if nothing { Value::Null } else { content(said.into_iter(), path, dropped) });
    if !thoughts.is_empty() {
        out.insert("reasoning_content".to_owned(), thoughts.into());
    }
    let details = reasoning::write(parts);
    for (key, list) in [("reasoning_details", details), ("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            out.insert(key.to_owned(), list.into());
        }
    }
    if !refusal.is_empty() {
        out.insert("refusal".to_owned(), refusal.into());
    }
    Value::Object(out)
}

fn write_call(call: &ToolCall, path: &str, dropped: &mut Dropped) -> Value {
    if call.cache.is_some() {
        dropped.cache();
    }
    let extra = reasoning::google_extra(call.signature.as_ref());
    if extra.is_none() && call.signature.is_some() {
        dropped.push(&format!("{path}.tool_calls.signature"));
    }
    tool_call(call, extra)
}

/// Whether a part is a call of a kind only this dialect has (`custom`).
pub fn is_call(part: &Part) -> bool {
    let Part::Opaque { dialect: Dialect::OpenAiChat, value } = part else { return false };
    value.get("id").is_some() && value.get("custom").is_some()
}

/// A call as it stands in a whole message.
pub fn tool_call(call: &ToolCall, extra: Option<Value>) -> Value {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let mut out = json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}});
    if let Some(extra) = extra {
        out["extra_content"] = extra;
    }
    out
}

/// Parts as content: one text as a string, which everybody understands.
fn content<'a>(parts: impl Iterator<Item = &'a Part>, path: &str, dropped: &mut Dropped) -> Value {
    let mut list: Vec<Value> = parts.filter_map(|part| write_part(part, path, dropped)).collect();
    match list.as_mut_slice() {
        [] => "".into(),
        [one] if one.get("type").is_some_and(|kind| kind == "text") => one["text"].take(),
        _ => list.into(),
    }
}

fn write_part(part: &Part, path: &str, dropped: &mut Dropped) -> Option<Value> {
    if let Part::Text { cache: Some(_), .. } | Part::Image { cache: Some(_), .. } | Part::File { cache: Some(_), .. } = part {
        dropped.cache();
    }
    let (written, kind) = match part {
        Part::Text { text, .. } => (Some(json!({"type": "text", "text": text})), "text"),
        Part::Image { source, detail, .. } => (image(source, detail.as_deref()), "image"),
        Part::File { source, name, .. } => (file(source, name.as_deref()), "file"),
        Part::Audio { source: Source::Inline { media_type, data }, .. } => {
            let format = media_type.strip_prefix("audio/").unwrap_or(media_type);
            (Some(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}})), "audio")
        }
        Part::Audio { .. } => (None, "audio"),
        Part::Video { .. } => (None, "video"),
        Part::Refusal { text } => (Some(json!({"type": "refusal", "refusal": text})), "refusal"),
        Part::Opaque { dialect: Dialect::OpenAiChat, value } => (Some(value.clone()), "opaque"),
        Part::Opaque { value, .. } => (None, value.get("type").and_then(Value::as_str).unwrap_or("opaque")),
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => (None, "reasoning"),
        Part::ToolCall(_) => (None, "tool_call"),
        Part::ToolResult(_) => (None, "tool_result"),
    };
    if written.is_none() {
        dropped.push(&format!("{path}.{kind}"));
    }
    written
}

/// An image part; `None` for a file another provider keeps.
pub fn image(source: &Source, detail: Option<&str>) -> Option<Value> {
    let mut image = Map::new();
    image.insert("url".to_owned(), url(source)?.into());
    if let Some(detail) = detail {
        image.insert("detail".to_owned(), detail.into());
    }
    Some(json!({"type": "image_url", "image_url": image}))
}

fn file(source: &Source, name: Option<&str>) -> Option<Value> {
    let file = match source {
        Source::Id { dialect: Dialect::OpenAiChat, id } => json!({"file_id": id}),
        Source::Id { .. } => return None,
        Source::Url(_) | Source::Inline { .. } => {
            json!({"filename": name.unwrap_or(DEFAULT_FILE_NAME), "file_data": url(source)?})
        }
    };
    Some(json!({"type": "file", "file": file}))
}

fn url(source: &Source) -> Option<String> {
    match source {
        Source::Url(url) => Some(url.clone()),
        Source::Inline { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
        Source::Id { .. } => None,
    }
}
