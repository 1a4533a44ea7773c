//! Images, documents, video and audio: their formats and sources.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    chat::request::Source,
    wire::compose::{Members, json},
};

/// Media types and what Converse calls them.
type Formats = &'static [(&'static str, &'static str)];

pub(super) const IMAGES: Formats =
    &[("image/png", "png"), ("image/jpeg", "jpeg"), ("image/jpg", "jpeg"), ("image/gif", "gif"), ("image/webp", "webp")];
pub(super) const VIDEOS: Formats = &[
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];
pub(super) const AUDIO: Formats = &[
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/flac", "flac"),
    ("audio/aac", "aac"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/webm", "webm"),
    ("audio/pcm", "pcm"),
    ("audio/l16", "pcm"),
];
const DOCUMENTS: Formats = &[
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/markdown", "md"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/json", "txt"),
    ("text/", "txt"),
];
/// Where a document has no name of its own; a neutral one, for the model reads it.
const DEFAULT_NAME: &str = "document";
/// Characters of a document's name, the number that makes it unique included.
const MAX_NAME: usize = 200;
const MAX_STEM: usize = MAX_NAME - 10;

/// `{format, source}`. `None` for a format Converse does not have, and for a place it does not fetch from.
pub(super) fn write(source: &Source, formats: Formats) -> Option<Value> {
    let (format, place) = match source {
        Source::Inline { media_type, data } => {
            let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let known = |name: &str| essence == name || name.ends_with('/') && essence.starts_with(name);
            (formats.iter().find(|(name, _)| known(name))?.1, json!({"bytes": data}))
        }
        Source::Url(url) if url.starts_with("s3://") => {
            let ending = url.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            let ending = if ending == "jpg" { "jpeg" } else { &ending };
            (formats.iter().find(|(_, format)| *format == ending)?.1, json!({"s3Location": {"uri": url}}))
        }
        // A file's id belongs to its provider.
        Source::Url(_) | Source::Id { .. } => return None,
    };
    Some(json!({"format": format, "source": place}))
}

/// A document, or an image that came as a file.
pub(super) fn file(source: &Source, name: Option<&str>, names: &mut HashSet<String>) -> Option<Value> {
    if let Some(image) = write(source, IMAGES) {
        return Some(json!({"image": image}));
    }
    let Value::Object(written) = write(source, DOCUMENTS)? else { return None };
    let mut document = Map::new();
    document.put("name", unique(&plain(name.unwrap_or_default()), names));
    document.extend(written);
    Some(json!({"document": document}))
}

/// Only letters, digits, single spaces, hyphens, parentheses and square brackets are taken.
fn plain(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '(' | ')' | '[' | ']');
    let name: String = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).take(MAX_STEM).collect();
    let words: Vec<&str> = name.split_ascii_whitespace().collect();
    let name = words.join(" ");
    if name.contains(|c: char| c.is_ascii_alphanumeric()) { name } else { DEFAULT_NAME.to_owned() }
}

fn unique(name: &str, names: &mut HashSet<String>) -> String {
    let (mut written, mut number) = (name.to_owned(), 2_u32);
    while !names.insert(written.clone()) {
        written = format!("{name}-{number}");
        number += 1;
    }
    written
}
