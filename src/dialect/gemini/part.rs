//! What one part, one candidate's end and one usage report of an answer say.

use serde_json::{Map, Value};

use crate::{
    chat::{
        event::UpstreamError,
        response::StopReason,
        usage::{Service, Usage},
    },
    units::Money,
    wire::{compose::Members, json::json_text},
};

/// The longest call id that OpenAI's callers take.
const MAX_CALL_ID: usize = 40;

/// A part in the gateway's words.
pub enum Piece {
    Text {
        text: String,
        signature: Option<String>,
    },
    Thought {
        text: String,
        signature: Option<String>,
    },
    /// A signature of nothing visible.
    Signature(String),
    Call {
        id: Option<String>,
        name: String,
        arguments: String,
        signature: Option<String>,
    },
    /// An image or a sound.
    Media {
        media_type: String,
        data: String,
        signature: Option<String>,
    },
    Opaque(Value),
}

/// `None` for a part that says nothing.
pub fn read(part: Value) -> Option<Piece> {
    let Value::Object(mut fields) = part else { return None };
    if let Some(call) = take_object(&mut fields, "functionCall") {
        return Some(read_call(call, take_text(&mut fields, "thoughtSignature")));
    }
    if let Some(text) = take_text(&mut fields, "text") {
        let signature = take_text(&mut fields, "thoughtSignature");
        if fields.get("thought").and_then(Value::as_bool) == Some(true) {
            return Some(Piece::Thought { text, signature });
        }
        return if text.is_empty() { signature.map(Piece::Signature) } else { Some(Piece::Text { text, signature }) };
    }
    let media_type = fields.get("inlineData").and_then(|data| data.get("mimeType")).and_then(Value::as_str);
    let is_known = |media_type: &&str| media_type.starts_with("image/") || media_type.starts_with("audio/");
    if let Some(media_type) = media_type.filter(is_known).map(str::to_owned) {
        let signature = take_text(&mut fields, "thoughtSignature");
        let data = take_object(&mut fields, "inlineData").and_then(|mut inline| take_text(&mut inline, "data"));
        return Some(Piece::Media { media_type, data: data.unwrap_or_default(), signature });
    }
    if fields.len() == 1 && fields.contains_key("thoughtSignature") {
        return take_text(&mut fields, "thoughtSignature").map(Piece::Signature);
    }
    (!fields.is_empty()).then_some(Piece::Opaque(Value::Object(fields)))
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
    let share = |details: &str, modality: &str| {
        let all = usage.get(details).and_then(Value::as_array).into_iter().flatten();
        let of = all.filter(|one| one.get("modality").and_then(Value::as_str) == Some(modality));
        of.filter_map(|one| one.get("tokenCount")?.as_u64()).fold(0, u64::saturating_add)
    };
    // The prompt's count has the cached ones in it.
    let read_in = |modality| {
        let cached = share("cacheTokensDetails", modality);
        (share("promptTokensDetails", modality).saturating_sub(cached), cached)
    };
    let ((input_audio, cache_read_audio), (input_image, _)) = (read_in("AUDIO"), read_in("IMAGE"));
    let (output_audio, output_image) = (share("candidatesTokensDetails", "AUDIO"), share("candidatesTokensDetails", "IMAGE"));
    let tier = ["serviceTier", "trafficType"].into_iter().find_map(|key| usage.get(key)?.as_str());
    Some(Usage {
        input: whole - cache_read,
        cache_read,
        output,
        reasoning,
        input_audio,
        cache_read_audio,
        input_image,
        output_audio,
        output_image,
        service: tier.map(Service::read).unwrap_or_default(),
        ..Usage::default()
    })
}

pub fn write_usage(usage: &Usage, cost: Option<Money>) -> Value {
    let mut out = Map::new();
    out.put("promptTokenCount", usage.prompt());
    if usage.cache_read > 0 {
        out.put("cachedContentTokenCount", usage.cache_read);
    }
    let thoughts = usage.reasoning.min(usage.output);
    out.put("candidatesTokenCount", usage.output - thoughts);
    if thoughts > 0 {
        out.put("thoughtsTokenCount", thoughts);
    }
    out.put("totalTokenCount", usage.total());
    if let Some(cost) = cost.and_then(|cost| serde_json::from_str::<Value>(&cost.dollars()).ok()) {
        out.put("cost", cost);
    }
    Value::Object(out)
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
