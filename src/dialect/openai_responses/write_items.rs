//! Turns, written as input items.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Dialect, item, lose, piece, text};
use crate::{
    chat::{
        profile::{History, Profile, Thinking},
        request::{Message, Part, Request, Role, Signature, Source, ToolCall, ToolResult},
    },
    dialect::pairs::{NO_RESULT, Open},
    wire::compose::{Members, json},
};

/// OpenAI requires a file name beside file data.
const DEFAULT_FILE_NAME: &str = "file";

/// The instructions, and the input.
pub(super) fn write(request: &Request, profile: &Profile, dropped: &mut Vec<String>) -> (Option<String>, Vec<Value>) {
    let (mut messages, mut instructions) = (request.messages.as_slice(), None);
    // One text before all others, unless nothing else is said: an input must not be empty.
    if let [Message { role: Role::System, parts }, rest @ ..] = messages
        && let [Part::Text { text, cache, .. }] = parts.as_slice()
        && !rest.is_empty()
    {
        if cache.is_some() {
            lose(dropped, "messages[].parts[].cache");
        }
        (instructions, messages) = (Some(text.clone()), rest);
    }
    let stored = request.store == Some(true);
    let customs = if profile.custom_tools { custom_calls(messages) } else { HashSet::new() };
    let mut writer = Writer { out: vec![], open: Open::default(), profile, stored, customs, dropped };
    for message in messages {
        match message.role {
            Role::System => writer.message("system", &message.parts),
            Role::User => writer.user(&message.parts),
            Role::Assistant => writer.assistant(&message.parts),
        }
    }
    writer.settle();
    (instructions, writer.out)
}

/// Ids of the calls of custom tools: their results have items of their own.
fn custom_calls(messages: &[Message]) -> HashSet<&str> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| if let Part::ToolCall(call) = part { call.custom.then_some(call.id.as_str()) } else { None })
        .collect()
}

struct Writer<'a> {
    out: Vec<Value>,
    open: Open,
    profile: &'a Profile,
    stored: bool,
    customs: HashSet<&'a str>,
    dropped: &'a mut Vec<String>,
}

impl Writer<'_> {
    fn lose(&mut self, what: &str) {
        lose(self.dropped, &format!("messages[].parts[].{what}"));
    }

    fn message<'p>(&mut self, role: &str, parts: impl IntoIterator<Item = &'p Part>) {
        let mut list: Vec<Value> = parts.into_iter().filter_map(|part| self.input_part(part)).collect();
        let content = match list.as_mut_slice() {
            [] => return,
            [one] if text(one, "type") == Some("input_text") => one["text"].take(),
            _ => list.into(),
        };
        self.out.push(json!({"type": "message", "role": role, "content": content}));
    }

    /// Items of the caller's side and results first.
    fn user(&mut self, parts: &[Part]) {
        let mut said = vec![];
        for part in parts {
            match part {
                Part::ToolResult(result) => self.result(result),
                Part::Opaque { dialect: Dialect::OpenAiResponses, value } => self.out.push(value.clone()),
                Part::Text { .. }
                | Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::Opaque { .. } => said.push(part),
            }
        }
        self.message("user", said);
    }

    fn result(&mut self, result: &ToolResult) {
        // A result that answers no call is refused.
        if self.open.take(&result.id).is_none() {
            return self.lose("tool_result");
        }
        if result.cache.is_some() {
            self.lose("cache");
        }
        if result.is_error {
            self.lose("is_error");
        }
        let mut list: Vec<Value> = result.parts.iter().filter_map(|part| self.input_part(part)).collect();
        let output = match list.as_mut_slice() {
            [] => "".into(),
            [one] if text(one, "type") == Some("input_text") => one["text"].take(),
            _ => list.into(),
        };
        self.output(&result.id, output);
    }

    fn output(&mut self, id: &str, output: Value) {
        let kind = if self.customs.contains(id) { "custom_tool_call_output" } else { "function_call_output" };
        self.out.push(json!({"type": kind, "call_id": id, "output": output}));
    }

    fn settle(&mut self) {
        for id in self.open.drain() {
            self.output(&id, NO_RESULT.into());
        }
    }

    fn assistant(&mut self, parts: &[Part]) {
        self.settle();
        let mut said: Vec<Value> = vec![];
        for part in parts {
            let item = match part {
                Part::Text { text, cache, citations } => {
                    if cache.is_some() {
                        self.lose("cache");
                    }
                    let annotations: Vec<Value> = citations.iter().map(|c| piece::write_citation(c, text)).collect();
                    said.push(json!({"type": "output_text", "text": text, "annotations": annotations}));
                    continue;
                }
                Part::Refusal { text } => {
                    said.push(json!({"type": "refusal", "refusal": text}));
                    continue;
                }
                Part::Reasoning { text, signature } => self.reasoning(text, signature.as_ref()),
                Part::ToolCall(call) => Some(self.call(call)),
                Part::Image { source: Source::Inline { media_type, data }, .. } => {
                    Some(image_item(media_type, data, &format!("ig_{}", self.out.len())))
                }
                Part::Opaque { dialect: Dialect::OpenAiResponses, value } => Some(value.clone()),
                Part::Audio { transcript: Some(transcript), .. } => {
                    self.lose("audio");
                    said.push(json!({"type": "output_text", "text": transcript, "annotations": []}));
                    continue;
                }
                Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::RedactedReasoning { .. }
                | Part::ToolResult(_)
                | Part::Opaque { .. } => {
                    self.lose(kind(part));
                    None
                }
            };
            if let Some(item) = item {
                self.say(&mut said);
                self.out.push(item);
            }
        }
        self.say(&mut said);
        // Thoughts without what they led to are refused.
        while self.out.last().is_some_and(|item| text(item, "type") == Some("reasoning")) {
            self.out.pop();
            self.lose("reasoning");
        }
    }

    fn say(&mut self, said: &mut Vec<Value>) {
        if !said.is_empty() {
            self.out.push(json!({"type": "message", "role": "assistant", "content": std::mem::take(said)}));
        }
    }

    /// Thoughts go back only to who can check them; in the open, where the model takes them so.
    fn reasoning(&mut self, thought: &str, signature: Option<&Signature>) -> Option<Value> {
        // A model that does not think refuses those of one that does.
        let thinks = self.profile.thinking != Thinking::None;
        let own = signature.filter(|signature| signature.dialect == Dialect::OpenAiResponses);
        let restored = own.filter(|_| thinks).and_then(|signature| item::restored(&signature.value));
        match restored.filter(|item| self.stored || text(item, "encrypted_content").is_some()) {
            Some(item) => Some(item),
            None if thinks && self.profile.history == History::Content && !thought.is_empty() => {
                Some(json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": thought}]}))
            }
            None => {
                if !thought.is_empty() || own.is_some() {
                    self.lose("reasoning");
                }
                None
            }
        }
    }

    fn call(&mut self, call: &ToolCall) -> Value {
        self.open.push(&call.id, call.id.clone());
        if call.cache.is_some() {
            self.lose("cache");
        }
        if call.custom && self.profile.custom_tools {
            return json!({"type": "custom_tool_call", "call_id": &call.id, "name": &call.name, "input": &call.arguments});
        }
        json!({"type": "function_call", "call_id": &call.id, "name": &call.name, "arguments": call.json_arguments()})
    }

    fn input_part(&mut self, part: &Part) -> Option<Value> {
        if let Part::Text { cache: Some(_), .. } | Part::Image { cache: Some(_), .. } | Part::File { cache: Some(_), .. } = part {
            self.lose("cache");
        }
        let written = match part {
            Part::Text { text, .. } | Part::Refusal { text } => Some(json!({"type": "input_text", "text": text})),
            Part::Image { source: Source::Url(_), .. } if !self.profile.image_urls => None,
            Part::Image { source, detail, .. } => {
                let mut image = placed("input_image", "image_url", source);
                if let (Some(image), Some(detail)) = (&mut image, detail) {
                    image.put("detail", detail.as_str());
                }
                image.map(Value::Object)
            }
            Part::File { source, name, .. } => file(source, name.as_deref()),
            Part::Audio { source: Source::Inline { media_type, data }, .. } => {
                let format = media_type.strip_prefix("audio/").unwrap_or(media_type);
                Some(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}))
            }
            Part::Video { source, fps } => {
                let mut video = placed("input_video", "video_url", source);
                if let (Some(video), Some(fps)) = (&mut video, fps) {
                    video.put("fps", fps.clone());
                }
                video.map(Value::Object)
            }
            Part::Audio { .. }
            | Part::Reasoning { .. }
            | Part::RedactedReasoning { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => None,
        };
        if written.is_none() {
            self.lose(kind(part));
        }
        written
    }
}

const fn kind(part: &Part) -> &'static str {
    match part {
        Part::Text { .. } => "text",
        Part::Image { .. } => "image",
        Part::File { .. } => "file",
        Part::Audio { .. } => "audio",
        Part::Video { .. } => "video",
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => "reasoning",
        Part::Refusal { .. } => "refusal",
        Part::ToolCall(_) => "tool_call",
        Part::ToolResult(_) => "tool_result",
        Part::Opaque { .. } => "opaque",
    }
}

/// A part with its source; `None` for a file another provider keeps. OpenAI's files are the same in both its dialects.
fn placed(kind: &str, key: &str, source: &Source) -> Option<Map<String, Value>> {
    let (key, place) = match source {
        Source::Url(url) => (key, url.clone()),
        Source::Inline { media_type, data } => (key, format!("data:{media_type};base64,{data}")),
        Source::Id { dialect: Dialect::OpenAiResponses | Dialect::OpenAiChat, id } => ("file_id", id.clone()),
        Source::Id { .. } => return None,
    };
    Some(Map::from_iter([("type".to_owned(), kind.into()), (key.to_owned(), place.into())]))
}

fn file(source: &Source, name: Option<&str>) -> Option<Value> {
    let key = if matches!(source, Source::Url(_)) { "file_url" } else { "file_data" };
    let mut file = placed("input_file", key, source)?;
    if file.contains_key("file_data") {
        file.put("filename", name.unwrap_or(DEFAULT_FILE_NAME));
    }
    Some(Value::Object(file))
}

/// An image that the model made.
pub(super) fn image_item(media_type: &str, data: &str, id: &str) -> Value {
    let format = media_type.strip_prefix("image/").unwrap_or(media_type);
    json!({"type": "image_generation_call", "id": id, "status": "completed", "output_format": format, "result": data})
}
