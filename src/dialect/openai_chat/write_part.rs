//! What a message holds, written.

use serde_json::{Map, Value};

use super::write_messages::Dropped;
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Part, Source},
    },
    wire::compose::{Members, json},
};

/// OpenAI requires a file name beside file data.
const DEFAULT_FILE_NAME: &str = "file";

/// Media types whose short name is not their second half.
const FORMATS: [(&str, &str); 5] = [("mpeg", "mp3"), ("mpga", "mp3"), ("x-wav", "wav"), ("wave", "wav"), ("vnd.wave", "wav")];

/// Parts as content: one text as a string, which everybody understands.
pub fn content<'a>(parts: impl Iterator<Item = &'a Part>, profile: &Profile, dropped: &mut Dropped) -> Value {
    let mut list: Vec<Value> = parts.filter_map(|part| write_part(part, profile, dropped)).collect();
    match list.as_mut_slice() {
        [] => "".into(),
        [one] if one.get("type").is_some_and(|kind| kind == "text") => one["text"].take(),
        _ => list.into(),
    }
}

fn write_part(part: &Part, profile: &Profile, dropped: &mut Dropped) -> Option<Value> {
    if let Part::Text { cache: Some(_), .. } | Part::Image { cache: Some(_), .. } | Part::File { cache: Some(_), .. } = part {
        dropped.part("cache");
    }
    let (written, kind) = match part {
        Part::Text { text, citations, .. } => {
            if !citations.is_empty() {
                dropped.part("citations");
            }
            (Some(json!({"type": "text", "text": text})), "text")
        }
        Part::Image { source: Source::Url(_), .. } if !profile.image_urls => (None, "image"),
        Part::Image { source, detail, .. } => (image(source, detail.as_deref()), "image"),
        Part::File { source, name, .. } => (file(source, name.as_deref()), "file"),
        Part::Audio { source: Source::Inline { media_type, data }, transcript: None } => (Some(audio(media_type, data)), "audio"),
        // What the model said aloud goes back as its words.
        Part::Audio { transcript: Some(text), .. } => {
            dropped.part("audio");
            (Some(json!({"type": "text", "text": text})), "audio")
        }
        Part::Audio { .. } => (None, "audio"),
        Part::Video { source, fps } => (video(source, fps.as_ref().map(|fps| Value::Number(fps.clone()))), "video"),
        Part::Refusal { text } => (Some(json!({"type": "refusal", "refusal": text})), "refusal"),
        Part::Opaque { dialect: Dialect::OpenAiChat, value } if !super::reasoning::is_detail(part) => {
            (Some(value.clone()), "opaque")
        }
        Part::Opaque { .. } => (None, "opaque"),
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } => (None, "reasoning"),
        Part::ToolCall(_) => (None, "tool_call"),
        Part::ToolResult(_) => (None, "tool_result"),
    };
    if written.is_none() {
        dropped.part(kind);
    }
    written
}

/// An image part; `None` for a file another provider keeps.
pub fn image(source: &Source, detail: Option<&str>) -> Option<Value> {
    let mut image = Map::new();
    image.put("url", url(source)?);
    if let Some(detail) = detail {
        image.put("detail", detail);
    }
    Some(json!({"type": "image_url", "image_url": image}))
}

fn audio(media_type: &str, data: &str) -> Value {
    let kind = media_type.split(';').next().unwrap_or(media_type);
    let kind = kind.strip_prefix("audio/").unwrap_or(kind);
    let format = FORMATS.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, format)| format);
    json!({"type": "input_audio", "input_audio": {"data": data, "format": format}})
}

fn video(source: &Source, fps: Option<Value>) -> Option<Value> {
    let mut video = json!({"url": url(source)?});
    if let Some(fps) = fps {
        video["fps"] = fps;
    }
    Some(json!({"type": "video_url", "video_url": video}))
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
