//! Images, files and sounds as parts.

use serde_json::{Value, json};

use crate::chat::{Dialect, request::Source};

/// Google wants a type beside an address; the name's ending is all there is to tell.
const TYPES: [(&str, &str); 20] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("json", "application/json"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("mov", "video/mov"),
    ("webm", "video/webm"),
];

/// `None` for a file that another provider keeps.
pub fn write(source: &Source, otherwise: &str) -> Option<Value> {
    match source {
        Source::Inline { media_type, data } => Some(json!({ "inlineData": { "mimeType": media_type, "data": data } })),
        Source::Url(url) => Some(json!({ "fileData": { "mimeType": guess(url).unwrap_or(otherwise), "fileUri": url } })),
        Source::Id { dialect: Dialect::Gemini, id } => Some(json!({ "fileData": { "fileUri": id } })),
        Source::Id { .. } => None,
    }
}

fn guess(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}
