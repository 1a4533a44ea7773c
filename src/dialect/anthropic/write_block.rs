//! Content blocks for a provider.

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Part, Source, ToolResult},
    },
    wire::base64,
};

/// What Anthropic takes as an image.
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A text block, or nothing: Anthropic refuses text without a visible character.
pub(super) fn text(text: &str, cache: Option<&CacheHint>) -> Option<Value> {
    (!text.trim().is_empty()).then(|| with_cache(json!({"type": "text", "text": text}), cache))
}

pub(super) fn with_cache(mut block: Value, cache: Option<&CacheHint>) -> Value {
    if let (Some(hint), Value::Object(map)) = (cache, &mut block) {
        let mut mark = Map::new();
        mark.insert("type".to_owned(), Value::from("ephemeral"));
        if let Some(ttl) = &hint.ttl {
            mark.insert("ttl".to_owned(), Value::from(ttl.as_str()));
        }
        map.insert("cache_control".to_owned(), Value::Object(mark));
    }
    block
}

/// Image, document or text of a user turn or a tool's result; `None` for what this dialect cannot say.
pub(super) fn user_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text: said, cache, .. } => text(said, cache.as_ref()),
        Part::Refusal { text: said } => text(said, None),
        Part::Image { source, cache, .. } => {
            image_source(source).map(|source| with_cache(json!({"type": "image", "source": source}), cache.as_ref()))
        }
        Part::File { source, name, cache } => file(source, name.as_deref()).map(|block| with_cache(block, cache.as_ref())),
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

/// A part that says nothing may go without a report.
pub(super) fn is_blank(part: &Part) -> bool {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => text.trim().is_empty(),
        Part::Reasoning { .. }
        | Part::RedactedReasoning { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_)
        | Part::Opaque { .. } => false,
    }
}

fn image_source(source: &Source) -> Option<Value> {
    match source {
        Source::Inline { media_type, data } if IMAGE_TYPES.contains(&media_type.as_str()) => {
            Some(json!({"type": "base64", "media_type": media_type, "data": data}))
        }
        Source::Inline { .. } => None,
        Source::Url(_) | Source::Id { .. } => reference(source),
    }
}

fn reference(source: &Source) -> Option<Value> {
    match source {
        Source::Url(url) => Some(json!({"type": "url", "url": url})),
        Source::Id { dialect: Dialect::Anthropic, id } => Some(json!({"type": "file", "file_id": id})),
        // A file id belongs to one provider.
        Source::Id { .. } | Source::Inline { .. } => None,
    }
}

fn file(source: &Source, name: Option<&str>) -> Option<Value> {
    let source = match source {
        Source::Inline { media_type, data } if media_type == "application/pdf" => {
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
        Source::Inline { media_type, data } if media_type.starts_with("text/") || media_type == "application/json" => {
            let text = String::from_utf8(base64::decode(data)?).ok()?;
            json!({"type": "text", "media_type": "text/plain", "data": text})
        }
        Source::Inline { .. } => return image_source(source).map(|source| json!({"type": "image", "source": source})),
        Source::Url(_) | Source::Id { .. } => reference(source)?,
    };
    let mut block = json!({"type": "document", "source": source});
    if let (Some(name), Value::Object(map)) = (name, &mut block) {
        map.insert("title".to_owned(), Value::from(name));
    }
    Some(block)
}

/// `id` is the one its call was written with.
pub(super) fn result(result: &ToolResult, id: &str, path: &str, dropped: &mut Vec<String>) -> Value {
    let mut blocks = vec![];
    for (i, part) in result.parts.iter().enumerate() {
        match user_part(part) {
            Some(block) => blocks.push(block),
            None if is_blank(part) => {}
            None => dropped.push(format!("{path}.parts[{i}]")),
        }
    }
    let mut block = Map::new();
    block.insert("type".to_owned(), Value::from("tool_result"));
    block.insert("tool_use_id".to_owned(), Value::from(id));
    match (result.parts.as_slice(), blocks.is_empty()) {
        (_, true) => {}
        ([Part::Text { text, cache: None, .. }], false) => {
            block.insert("content".to_owned(), Value::from(text.as_str()));
        }
        (_, false) => {
            block.insert("content".to_owned(), Value::Array(blocks));
        }
    }
    if result.is_error {
        block.insert("is_error".to_owned(), Value::Bool(true));
    }
    with_cache(Value::Object(block), result.cache.as_ref())
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
