//! Content blocks for a provider.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::media;
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Citation, Part, ToolResult},
    },
    dialect::dropped::Dropped,
    wire::compose::{Members, json},
};

/// Blank text is refused, and so is a result without content.
const NO_OUTPUT: &str = "(no output)";
/// Lifetimes of a cache entry.
const TTLS: [&str; 2] = ["5m", "1h"];

/// A part of a user's turn or of a tool's result; `None` for what says nothing, or cannot be said, which is reported.
pub(super) fn user_part(part: &Part, names: &mut HashSet<String>, dropped: &mut Dropped) -> Option<Value> {
    let (written, what) = match part {
        Part::Text { text: said, .. } | Part::Refusal { text: said } => return text(said),
        Part::Image { source, detail, .. } => {
            dropped.add_if(detail.as_deref().is_some_and(|detail| detail != "auto"), "messages[].parts[].detail");
            (media::write(source, media::IMAGES).map(|image| json!({"image": image})), "image")
        }
        Part::File { source, name, .. } => (media::file(source, name.as_deref(), names), "file"),
        Part::Video { source, fps } => {
            dropped.add_if(fps.is_some(), "messages[].parts[].fps");
            (media::write(source, media::VIDEOS).map(|video| json!({"video": video})), "video")
        }
        Part::Audio { source, .. } => (media::write(source, media::AUDIO).map(|audio| json!({"audio": audio})), "audio"),
        Part::Opaque { dialect: Dialect::Converse, value } => (Some(value.clone()), "opaque"),
        Part::Opaque { .. } => (None, "opaque"),
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => (None, "reasoning"),
        Part::ToolCall(_) => (None, "tool_call"),
        Part::ToolResult(_) => (None, "tool_result"),
    };
    if written.is_none() {
        dropped.part(what);
    }
    written
}

/// Thoughts go back only to who can check them.
pub(super) fn assistant_part(part: &Part, dropped: &mut Dropped) -> Option<Value> {
    let (written, what) = match part {
        Part::Text { text: said, citations, .. } => return cited(said, citations, dropped),
        Part::Refusal { text: said } => return text(said),
        Part::Reasoning { text, signature: Some(signature) } if signature.dialect == Dialect::Converse => {
            let thoughts = json!({"text": text, "signature": &signature.value});
            (Some(json!({"reasoningContent": {"reasoningText": thoughts}})), "reasoning")
        }
        Part::Reasoning { text, .. } if text.is_empty() => return None,
        Part::RedactedReasoning { data, dialect: Dialect::Converse } => {
            (Some(json!({"reasoningContent": {"redactedContent": data}})), "reasoning")
        }
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => (None, "reasoning"),
        Part::Opaque { dialect: Dialect::Converse, value } => (Some(value.clone()), "opaque"),
        Part::Opaque { .. } => (None, "opaque"),
        Part::Audio { transcript: Some(said), .. } => {
            dropped.part("audio");
            return text(said);
        }
        Part::Audio { transcript: None, .. } => (None, "audio"),
        Part::Image { .. } => (None, "image"),
        Part::File { .. } => (None, "file"),
        Part::Video { .. } => (None, "video"),
        Part::ToolCall(_) => (None, "tool_call"),
        Part::ToolResult(_) => (None, "tool_result"),
    };
    if written.is_none() {
        dropped.part(what);
    }
    written
}

/// Blank text is refused.
pub(super) fn text(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"text": text}))
}

fn cited(said: &str, citations: &[Citation], dropped: &mut Dropped) -> Option<Value> {
    let native = citations.iter().filter_map(|citation| match &citation.native {
        Some((Dialect::Converse, value)) => Some(value),
        Some(_) | None => None,
    });
    let native: Vec<&Value> = native.collect();
    dropped.add_if(native.len() < citations.len(), "messages[].parts[].citations");
    let block = text(said)?;
    Some(if native.is_empty() { block } else { json!({"citationsContent": {"content": [block], "citations": native}}) })
}

/// `id` is the one its call was written with.
pub(super) fn result(result: &ToolResult, id: &str, names: &mut HashSet<String>, dropped: &mut Dropped) -> Value {
    let mut content = vec![];
    for part in &result.parts {
        // The one kind that a turn may hold and a result may not.
        if matches!(part, Part::Audio { .. }) {
            dropped.part("audio");
        } else {
            content.extend(user_part(part, names, dropped));
        }
    }
    if content.is_empty() {
        content.push(json!({"text": NO_OUTPUT}));
    }
    let mut block = Map::new();
    block.put("toolUseId", id);
    block.put("content", content);
    // Only some models take the word at all, and success needs none.
    if result.is_error {
        block.put("status", "error");
    }
    json!({"toolResult": block})
}

/// "Up to here", as a block of its own.
pub(super) fn cache_point(hint: &CacheHint) -> Value {
    let mut point = Map::new();
    point.put("type", "default");
    if let Some(ttl) = hint.ttl.as_deref().filter(|ttl| TTLS.contains(ttl)) {
        point.put("ttl", ttl);
    }
    json!({"cachePoint": point})
}

/// The mark of a part; of a result also one within, for its content can hold none.
pub(super) fn cache_of(part: &Part) -> Option<&CacheHint> {
    match part {
        Part::Text { cache, .. } | Part::Image { cache, .. } | Part::File { cache, .. } => cache.as_ref(),
        Part::ToolCall(call) => call.cache.as_ref(),
        Part::ToolResult(result) => result.cache.as_ref().or_else(|| result.parts.iter().find_map(cache_of)),
        Part::Audio { .. }
        | Part::Video { .. }
        | Part::Reasoning { .. }
        | Part::RedactedReasoning { .. }
        | Part::Refusal { .. }
        | Part::Opaque { .. } => None,
    }
}
