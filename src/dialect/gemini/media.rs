//! Images, files and sounds as parts.

use serde_json::{Number, Value};

use super::{members::Members, seal};
use crate::{
    chat::{
        Dialect,
        request::{Part, Source},
    },
    error::Error,
    wire::{compose::json, fields::missing},
};

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

/// `inlineData` or `fileData`, by its type.
pub fn read(part: &mut Members, fps: Option<Number>, detail: Option<String>, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let (source, media_type, name) = if let Some(mut inline) = part.object("inlineData")? {
        let data = inline.text("data")?.unwrap_or_default();
        let media_type = inline.text("mimeType")?.ok_or_else(|| missing(&inline.path_of("mimeType")))?;
        let name = inline.text("displayName")?;
        inline.leave(dropped);
        (Source::Inline { media_type: media_type.clone(), data: seal::standard(&data) }, media_type, name)
    } else {
        let mut file = part.object("fileData")?.ok_or_else(|| missing(&format!("{}.inlineData", part.path())))?;
        let uri = file.text("fileUri")?.ok_or_else(|| missing(&file.path_of("fileUri")))?;
        let media_type = file.text("mimeType")?.filter(|media_type| !media_type.is_empty());
        let name = file.text("displayName")?;
        file.leave(dropped);
        let media_type =
            media_type.unwrap_or_else(|| guess(&uri).unwrap_or(if is_youtube(&uri) { "video/*" } else { "" }).to_owned());
        (if is_public(&uri) { Source::Url(uri) } else { Source::Id { dialect: Dialect::Gemini, id: uri } }, media_type, name)
    };
    Ok(match media_type.split('/').next() {
        Some("image") => Part::Image { source, detail, cache: None },
        Some("audio") => Part::Audio { source, transcript: None },
        Some("video") => Part::Video { source, fps },
        _ => Part::File { source, name, cache: None },
    })
}

/// Whether others could fetch it: not the files that Google keeps, which need the caller's key.
fn is_public(uri: &str) -> bool {
    uri.starts_with("http") && !uri.contains("://generativelanguage.googleapis.com/")
}

fn is_youtube(uri: &str) -> bool {
    ["://www.youtube.com/", "://youtube.com/", "://youtu.be/"].iter().any(|host| uri.contains(host))
}
