//! What one part, one candidate's end and one usage report of an answer say.

use serde_json::{Map, Value};

use crate::{
    chat::{event::UpstreamError, response::StopReason, usage::Usage},
    wire::json::json_text,
};

/// The longest call id that OpenAI's callers take.
const MAX_CALL_ID: usize = 40;

/// A part in the gateway's words.
pub enum Piece {
    Text(String),
    Thought {
        text: String,
        signature: Option<String>,
    },
    /// The signature of the text or image that follows, or of nothing visible.
    Signature(String),
    Call {
        id: Option<String>,
        name: String,
        arguments: String,
        signature: Option<String>,
    },
    Image {
        media_type: String,
        data: String,
    },
    Opaque(Value),
}

/// The pieces of one part, in the order in which they are told.
pub fn read(part: Value) -> Vec<Piece> {
    let Value::Object(mut fields) = part else { return vec![] };
    if let Some(call) = take_object(&mut fields, "functionCall") {
        return vec![read_call(call, take_text(&mut fields, "thoughtSignature"))];
    }
    if let Some(text) = take_text(&mut fields, "text") {
        let signature = take_text(&mut fields, "thoughtSignature");
        if fields.get("thought").and_then(Value::as_bool) == Some(true) {
            return vec![Piece::Thought { text, signature }];
        }
        return before(signature, (!text.is_empty()).then_some(Piece::Text(text)));
    }
    let media_type = fields.get("inlineData").and_then(|data| data.get("mimeType")).and_then(Value::as_str);
    if let Some(media_type) = media_type.filter(|media_type| media_type.starts_with("image/")).map(str::to_owned) {
        let signature = take_text(&mut fields, "thoughtSignature");
        let data = take_object(&mut fields, "inlineData").and_then(|mut inline| take_text(&mut inline, "data"));
        return before(signature, Some(Piece::Image { media_type, data: data.unwrap_or_default() }));
    }
    if fields.len() == 1 && fields.contains_key("thoughtSignature") {
        return before(take_text(&mut fields, "thoughtSignature"), None);
    }
    if fields.is_empty() { vec![] } else { vec![Piece::Opaque(Value::Object(fields))] }
}

fn before(signature: Option<String>, piece: Option<Piece>) -> Vec<Piece> {
    signature.map(Piece::Signature).into_iter().chain(piece).collect()
}

fn read_call(mut call: Map<String, Value>, signature: Option<String>) -> Piece {
    let args = call.shift_remove("args").filter(Value::is_object);
    Piece::Call {
        id: take_text(&mut call, "id").filter(|id| !id.is_empty()),
        name: take_text(&mut call, "name").unwrap_or_default(),
        arguments: args.map_or_else(|| "{}".to_owned(), |args| json_text(&args)),
        signature,
    }
}

/// An id for a call that has none: `call_0_` and the answer's id, or the name and a digest of the arguments, so that ids
/// of one conversation differ. Only characters that every caller's dialect takes.
pub fn mint_id(index: usize, response_id: Option<&str>, name: &str, arguments: &str) -> String {
    let tail = response_id.map_or_else(|| format!("{:08x}_{name}", digest(name, arguments)), str::to_owned);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("call_{index}_{tail}").chars().map(plain).take(MAX_CALL_ID).collect()
}

/// FNV-1a: short and the same everywhere; nothing depends on its strength.
fn digest(name: &str, arguments: &str) -> u32 {
    let bytes = name.bytes().chain([0]).chain(arguments.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

pub fn read_usage(usage: &Value) -> Option<Usage> {
    let count = |key: &str| usage.get(key).and_then(Value::as_u64);
    let (prompt, tool_use) = (count("promptTokenCount"), count("toolUsePromptTokenCount"));
    let (candidates, thoughts) = (count("candidatesTokenCount"), count("thoughtsTokenCount"));
    if prompt.is_none() && candidates.is_none() && thoughts.is_none() {
        return None;
    }
    let whole = prompt.unwrap_or(0).saturating_add(tool_use.unwrap_or(0));
    let cache_read = count("cachedContentTokenCount").unwrap_or(0).min(whole);
    let reasoning = thoughts.unwrap_or(0);
    let output = candidates.unwrap_or(0).saturating_add(reasoning);
    Some(Usage { input: whole - cache_read, cache_read, cache_write: 0, output, reasoning })
}

/// How a candidate ended. `None`: it has not.
pub enum Ending {
    Stop(StopReason),
    Failed(UpstreamError),
}

pub fn read_ending(candidate: &Value) -> Option<Ending> {
    let reason = candidate.get("finishReason")?;
    let word = match reason.as_u64() {
        Some(number) => numbered(number),
        None => reason.as_str().unwrap_or_default(),
    };
    Some(Ending::Stop(match word {
        "" | "FINISH_REASON_UNSPECIFIED" => return None,
        "MAX_TOKENS" => StopReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "MODEL_ARMOR" => StopReason::ContentFilter,
        "IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION" | "IMAGE_OTHER" => StopReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => return Some(Ending::Failed(broken(candidate, word))),
        // STOP, and the words that say no more than that it ended: OTHER, LANGUAGE, NO_IMAGE, those to come.
        _ => StopReason::End,
    }))
}

fn broken(candidate: &Value, word: &str) -> UpstreamError {
    let said = candidate.get("finishMessage").and_then(Value::as_str);
    let message = said.map_or_else(|| format!("The model's answer was unusable: {word}."), str::to_owned);
    UpstreamError { message, kind: Some(word.to_owned()), ..UpstreamError::default() }
}

/// Vertex with `enum-encoding=int` answers numbers: the order of its discovery document.
const fn numbered(number: u64) -> &'static str {
    match number {
        1 => "STOP",
        2 => "MAX_TOKENS",
        3 => "SAFETY",
        4 => "RECITATION",
        5 => "OTHER",
        6 => "BLOCKLIST",
        7 => "PROHIBITED_CONTENT",
        8 => "SPII",
        9 => "MALFORMED_FUNCTION_CALL",
        10 => "MODEL_ARMOR",
        11 => "IMAGE_SAFETY",
        12 => "IMAGE_PROHIBITED_CONTENT",
        13 => "IMAGE_RECITATION",
        14 => "IMAGE_OTHER",
        15 => "UNEXPECTED_TOOL_CALL",
        16 => "NO_IMAGE",
        17 => "MALFORMED_RESPONSE",
        18 => "CONTINUATION",
        19 => "TOO_MANY_TOOL_CALLS",
        _ => "",
    }
}

fn take_text(fields: &mut Map<String, Value>, key: &str) -> Option<String> {
    let Some(Value::String(text)) = fields.shift_remove(key) else { return None };
    Some(text)
}

/// Takes the member only when it is an object, so that an odd one stays in its part.
fn take_object(fields: &mut Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
    if !fields.get(key).is_some_and(Value::is_object) {
        return None;
    }
    let Some(Value::Object(object)) = fields.shift_remove(key) else { return None };
    Some(object)
}
