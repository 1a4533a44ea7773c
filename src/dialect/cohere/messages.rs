//! Turns, written as messages.

use serde_json::{Map, Value};

use crate::{
    chat::{
        Dialect,
        profile::{History, Profile},
        request::{CacheHint, Message, Part, Role, Source, ToolCall, ToolResult},
    },
    dialect::{
        dropped::Dropped,
        pairs::{NO_RESULT, Open},
    },
    wire::{
        base64,
        compose::{Members, json},
    },
};

/// Stands where a tool's result has no text.
const SEE_BELOW: &str = "(The result is in the next message.)";
const NO_OUTPUT: &str = "(no output)";

#[derive(Default)]
pub(super) struct Messages {
    out: Vec<Value>,
    /// Calls without a result yet.
    open: Open,
}

impl Messages {
    pub(super) fn write(messages: &[Message], profile: &Profile, dropped: &mut Dropped) -> Vec<Value> {
        let mut written = Self::default();
        for message in messages {
            match message.role {
                Role::System => written.said("system", message.parts.iter(), dropped),
                Role::User => written.user(&message.parts, dropped),
                Role::Assistant => written.assistant(&message.parts, profile, dropped),
            }
        }
        written.settle();
        written.out
    }

    /// A message of instructions or of the user, unless it says nothing.
    fn said<'a>(&mut self, role: &str, parts: impl Iterator<Item = &'a Part>, dropped: &mut Dropped) {
        let content: Vec<Value> = parts.filter_map(|part| block(part, dropped)).collect();
        if !content.is_empty() {
            self.settle();
            self.out.push(json!({"role": role, "content": content}));
        }
    }

    /// Results first, each its own message. What they hold beside text follows as the user's.
    fn user(&mut self, parts: &[Part], dropped: &mut Dropped) {
        let mut rest = vec![];
        for part in parts {
            if let Part::ToolResult(result) = part {
                self.result(result, &mut rest, dropped);
            }
        }
        rest.extend(parts.iter().filter(|part| !matches!(part, Part::ToolResult(_))));
        self.said("user", rest.into_iter(), dropped);
    }

    fn result<'a>(&mut self, result: &'a ToolResult, moved: &mut Vec<&'a Part>, dropped: &mut Dropped) {
        let Some(id) = self.open.take(&result.id) else { return dropped.part("tool_result") };
        lost_cache(result.cache.as_ref(), dropped);
        dropped.add_if(result.is_error, "messages[].parts[].is_error");
        let mut said = vec![];
        for part in &result.parts {
            if let Part::Text { text, cache, .. } = part {
                lost_cache(cache.as_ref(), dropped);
                said.push(text.as_str());
            } else {
                moved.push(part);
            }
        }
        let content = match said.concat() {
            text if !text.is_empty() => text,
            _ if moved.is_empty() => NO_OUTPUT.to_owned(),
            _ => SEE_BELOW.to_owned(),
        };
        self.out.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
    }

    fn assistant(&mut self, parts: &[Part], profile: &Profile, dropped: &mut Dropped) {
        let (mut content, mut calls, mut plan) = (vec![], vec![], String::new());
        let plans = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        for part in parts {
            match part {
                Part::ToolCall(call) => calls.push(call),
                Part::Reasoning { text, .. } if text.trim().is_empty() => {}
                Part::Reasoning { text, signature } => {
                    // Another's proof says that the thoughts are another's.
                    let ours = signature.as_ref().is_none_or(|proof| proof.dialect == Dialect::Cohere);
                    match (ours && profile.history != History::Bare, plans) {
                        (false, _) => dropped.part("reasoning"),
                        (true, true) => plan.push_str(text),
                        (true, false) => content.push(json!({"type": "thinking", "thinking": text})),
                    }
                }
                Part::RedactedReasoning { .. } => dropped.part("reasoning"),
                Part::Image { .. } => dropped.part("image"),
                Part::Audio { transcript: Some(said), .. } => {
                    dropped.part("audio");
                    content.extend(text(said));
                }
                Part::Text { .. }
                | Part::Refusal { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::ToolResult(_)
                | Part::Opaque { .. } => content.extend(block(part, dropped)),
            }
        }
        if content.is_empty() && calls.is_empty() {
            return;
        }
        self.settle();
        let mut message = Map::new();
        message.put("role", "assistant");
        if !plan.is_empty() {
            message.put("tool_plan", plan);
        }
        if !content.is_empty() {
            message.put("content", content);
        }
        if !calls.is_empty() {
            calls.iter().for_each(|call| self.open.push(&call.id, call.id.clone()));
            message.put("tool_calls", calls.into_iter().map(|call| written(call, dropped)).collect::<Vec<_>>());
        }
        self.out.push(Value::Object(message));
    }

    /// Every call must be answered before anything else is said.
    fn settle(&mut self) {
        for id in self.open.drain() {
            self.out.push(json!({"role": "tool", "tool_call_id": id, "content": NO_RESULT}));
        }
    }
}

fn written(call: &ToolCall, dropped: &mut Dropped) -> Value {
    lost_cache(call.cache.as_ref(), dropped);
    let function = json!({"name": &call.name, "arguments": call.json_arguments()});
    json!({"id": &call.id, "type": "function", "function": function})
}

/// `None` for what says nothing, or cannot be said, which is reported.
fn block(part: &Part, dropped: &mut Dropped) -> Option<Value> {
    let (written, what) = match part {
        Part::Text { text: said, cache, citations } => {
            lost_cache(cache.as_ref(), dropped);
            dropped.add_if(!citations.is_empty(), "messages[].parts[].citations");
            return text(said);
        }
        Part::Refusal { text: said } => return text(said),
        Part::Image { source, detail, cache } => {
            lost_cache(cache.as_ref(), dropped);
            (image(source, detail.as_deref()), "image")
        }
        Part::File { source, name, cache } => {
            lost_cache(cache.as_ref(), dropped);
            (file(source, name.as_deref()), "file")
        }
        Part::Audio { .. } => (None, "audio"),
        Part::Video { .. } => (None, "video"),
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => (None, "reasoning"),
        Part::ToolCall(_) => (None, "tool_call"),
        Part::ToolResult(_) => (None, "tool_result"),
        Part::Opaque { dialect: Dialect::Cohere, value } => (Some(value.clone()), "opaque"),
        Part::Opaque { .. } => (None, "opaque"),
    };
    if written.is_none() {
        dropped.part(what);
    }
    written
}

fn text(said: &str) -> Option<Value> {
    (!said.trim().is_empty()).then(|| json!({"type": "text", "text": said}))
}

fn image(source: &Source, detail: Option<&str>) -> Option<Value> {
    let url = match source {
        Source::Url(url) => url.clone(),
        Source::Inline { media_type, data } => format!("data:{media_type};base64,{data}"),
        // A file's id belongs to its provider.
        Source::Id { .. } => return None,
    };
    let mut image = Map::new();
    image.put("url", url);
    image.extend(detail.map(|detail| ("detail".to_owned(), detail.into())));
    Some(json!({"type": "image_url", "image_url": image}))
}

/// Text is said as text, below its name. `documents` would be another kind of request: answers then cite.
fn file(source: &Source, name: Option<&str>) -> Option<Value> {
    let Source::Inline { media_type, data } = source else { return None };
    if media_type.starts_with("image/") {
        return image(source, None);
    }
    if !media_type.starts_with("text/") && media_type != "application/json" {
        return None;
    }
    let said = String::from_utf8(base64::decode(data)?).ok()?;
    text(&name.map_or_else(|| said.clone(), |name| format!("{name}\n\n{said}")))
}

fn lost_cache(hint: Option<&CacheHint>, dropped: &mut Dropped) {
    dropped.add_if(hint.is_some(), "messages[].parts[].cache");
}
