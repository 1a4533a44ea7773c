//! Content blocks for a provider.

use serde_json::{Map, Value};

use super::citation;
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Citation, Part, Source, ToolResult},
    },
    wire::{
        base64,
        compose::{Members, json},
    },
};

/// What Anthropic takes as an image.
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// The lifetimes of a cached prompt.
const LIFETIMES: [&str; 2] = ["5m", "1h"];
/// Where nothing is left of a user's turn or a tool's result. Without it the model would go on with its own last turn, or
/// take the result for empty.
const NOT_CARRIED: &str = "[What was sent here cannot be passed on to this model.]";

/// The path of a part that is lost.
pub(super) fn path(part: &Part) -> String {
    let kind = match part {
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
    };
    format!("messages[].parts[].{kind}")
}

pub(super) fn not_carried() -> Value {
    json!({"type": "text", "text": NOT_CARRIED})
}

/// Writes blocks, and reports what none can hold.
pub(super) struct Blocks<'a> {
    /// Images may be named by their URL.
    pub image_urls: bool,
    pub dropped: &'a mut Vec<String>,
}

impl Blocks<'_> {
    /// Any part but calls and their results, which need to know each other; `None` for what says nothing or is lost.
    pub(super) fn part(&mut self, part: &Part) -> Option<Value> {
        let written = self.user_part(part);
        if written.is_none() && !is_blank(part) {
            self.dropped.push(path(part));
        }
        written
    }

    /// A text block, or nothing: Anthropic refuses text without a visible character.
    pub(super) fn text(&mut self, text: &str, cache: Option<&CacheHint>) -> Option<Value> {
        let is_visible = !text.trim().is_empty();
        is_visible.then(|| self.marked(json!({"type": "text", "text": text}), cache, "messages[].parts[].cache"))
    }

    /// Only what Anthropic said itself can it be told again.
    fn cited(&mut self, text: &str, cache: Option<&CacheHint>, citations: &[Citation]) -> Option<Value> {
        let mut block = self.text(text, cache)?;
        let native: Vec<Value> = citations.iter().filter_map(citation::native).cloned().collect();
        if native.len() < citations.len() {
            self.dropped.push("messages[].parts[].citations".to_owned());
        }
        if let (false, Value::Object(map)) = (native.is_empty(), &mut block) {
            map.put("citations", native);
        }
        Some(block)
    }

    /// With its cache mark; a lifetime that Anthropic does not know becomes its default.
    pub(super) fn marked(&mut self, mut block: Value, cache: Option<&CacheHint>, path: &str) -> Value {
        if let (Some(hint), Value::Object(map)) = (cache, &mut block) {
            let mut mark = Map::new();
            mark.put("type", "ephemeral");
            match hint.ttl.as_deref() {
                Some(ttl) if LIFETIMES.contains(&ttl) => {
                    mark.put("ttl", ttl);
                }
                Some(_) => self.dropped.push(path.to_owned()),
                None => {}
            }
            map.put("cache_control", mark);
        }
        block
    }

    fn user_part(&mut self, part: &Part) -> Option<Value> {
        match part {
            Part::Text { text, cache, citations } => self.cited(text, cache.as_ref(), citations),
            Part::Refusal { text } => self.text(text, None),
            Part::Image { source, detail, cache } => {
                let block = self.image(source)?;
                if detail.as_ref().is_some_and(|detail| detail != "auto") {
                    self.dropped.push("messages[].parts[].detail".to_owned());
                }
                Some(self.marked(block, cache.as_ref(), "messages[].parts[].cache"))
            }
            Part::File { source, name, cache } => {
                let block = self.file(source, name.as_deref())?;
                Some(self.marked(block, cache.as_ref(), "messages[].parts[].cache"))
            }
            // What was said is text.
            Part::Audio { transcript: Some(said), .. } => {
                self.dropped.push(path(part));
                self.text(said, None)
            }
            Part::Opaque { dialect: Dialect::Anthropic, value } => Some(value.clone()),
            Part::Audio { .. }
            | Part::Video { .. }
            | Part::Reasoning { .. }
            | Part::RedactedReasoning { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => None,
        }
    }

    fn image(&self, source: &Source) -> Option<Value> {
        let source = match source {
            Source::Inline { media_type, data } if IMAGE_TYPES.contains(&media_type.as_str()) => {
                json!({"type": "base64", "media_type": media_type, "data": data})
            }
            Source::Inline { .. } => return None,
            Source::Url(_) if !self.image_urls => return None,
            Source::Url(_) | Source::Id { .. } => reference(source)?,
        };
        Some(json!({"type": "image", "source": source}))
    }

    fn file(&self, source: &Source, name: Option<&str>) -> Option<Value> {
        let source = match source {
            Source::Inline { media_type, data } if media_type == "application/pdf" => {
                json!({"type": "base64", "media_type": media_type, "data": data})
            }
            Source::Inline { media_type, data } if is_text(media_type) => {
                let text = String::from_utf8(base64::decode(data)?).ok()?;
                json!({"type": "text", "media_type": "text/plain", "data": text})
            }
            Source::Inline { .. } => return self.image(source),
            Source::Url(_) | Source::Id { .. } => reference(source)?,
        };
        let mut block = json!({"type": "document", "source": source});
        if let (Some(name), Value::Object(map)) = (name, &mut block) {
            map.put("title", name);
        }
        Some(block)
    }

    /// `id` is the one its call was written with.
    pub(super) fn result(&mut self, result: &ToolResult, id: &str) -> Value {
        let mut blocks: Vec<Value> = result.parts.iter().filter_map(|part| self.result_part(part)).collect();
        if blocks.is_empty() && !result.parts.iter().all(is_blank) {
            blocks.push(not_carried());
        }
        let mut block = Map::new();
        block.put("type", "tool_result");
        block.put("tool_use_id", id);
        match (result.parts.as_slice(), blocks.is_empty()) {
            (_, true) => {}
            ([Part::Text { text, cache: None, .. }], false) => {
                block.put("content", text.as_str());
            }
            (_, false) => {
                block.put("content", blocks);
            }
        }
        if result.is_error {
            block.put("is_error", true);
        }
        self.marked(Value::Object(block), result.cache.as_ref(), "messages[].parts[].cache")
    }

    fn result_part(&mut self, part: &Part) -> Option<Value> {
        let written = self.user_part(part);
        if written.is_none() && !is_blank(part) {
            self.dropped.push(path(part).replacen("parts[]", "parts[].parts[]", 1));
        }
        written
    }
}

/// Text by any of its names: data, markup and code come as types of applications too.
fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim_end();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["json", "xml", "yaml", "x-yaml", "toml", "javascript", "x-sh", "sql", "x-ndjson"]
            .iter()
            .any(|name| kind.strip_prefix("application/") == Some(*name))
}

fn reference(source: &Source) -> Option<Value> {
    match source {
        Source::Url(url) => Some(json!({"type": "url", "url": url})),
        Source::Id { dialect: Dialect::Anthropic, id } => Some(json!({"type": "file", "file_id": id})),
        // A file id belongs to one provider.
        Source::Id { .. } | Source::Inline { .. } => None,
    }
}

/// A part that says nothing may go without a report.
pub(super) fn is_blank(part: &Part) -> bool {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => text.trim().is_empty(),
        // Without words only a proof is left, which its provider alone can read.
        Part::Reasoning { text, .. } => text.is_empty(),
        Part::RedactedReasoning { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_)
        | Part::Opaque { .. } => false,
    }
}

/// Anthropic takes an object only: nothing becomes `{}`, and text that is no object is kept under `_raw`.
pub(super) fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(Map::new());
    }
    match serde_json::from_str::<Map<String, Value>>(arguments) {
        Ok(input) => Value::Object(input),
        Err(_) => json!({"_raw": arguments}),
    }
}
