//! Sound in answers: base64 without a word about what it is.

use serde_json::Value;

use super::{data_url, text};
use crate::{
    chat::{
        Dialect,
        request::{Part, Source},
    },
    wire::compose::json,
};

/// What files begin with, in base64, and what they are.
const STARTS: [(&str, &str); 5] =
    [("UklGR", "audio/wav"), ("T2dnUw", "audio/ogg"), ("ZkxhQ", "audio/flac"), ("SUQz", "audio/mp3"), ("//", "audio/mp3")];

/// Streams hold samples without a header.
pub const RAW: &str = "audio/pcm16";

pub fn media_type(data: &str) -> Option<&'static str> {
    STARTS.iter().find(|(start, _)| data.starts_with(start)).map(|(_, media_type)| *media_type)
}

/// The `audio` of an assistant's message: the sound itself, or in a history the id of what OpenAI keeps of it.
pub fn read_said(audio: &Value) -> Option<Part> {
    let transcript = text(audio, "transcript").map(str::to_owned);
    let source = match text(audio, "data").and_then(data_url::clean_base64) {
        Some(data) => Source::Inline { media_type: media_type(&data).unwrap_or(RAW).to_owned(), data },
        None => Source::Id { dialect: Dialect::OpenAiChat, id: text(audio, "id")?.to_owned() },
    };
    Some(Part::Audio { source, transcript })
}

/// The name and the end that OpenAI gives to what is said.
pub fn id(answer: &str) -> String {
    format!("audio_{answer}")
}

/// `None` for what cannot be said here: audio that is somewhere else.
pub fn write_said(source: &Source, transcript: Option<&str>, answer: &str, created: u64) -> Option<Value> {
    let Source::Inline { data, .. } = source else { return None };
    Some(json!({"id": id(answer), "expires_at": created, "data": data, "transcript": transcript.unwrap_or_default()}))
}
