//! Errors: OpenAI's envelope outward, everybody's inward.

use std::borrow::Cow;

use serde_json::Value;

use super::{items, text};
use crate::{
    chat::event::UpstreamError,
    error::{Error, Kind},
    wire::{compose::json, json::json_text},
};

/// Characters kept of a body that is not JSON: enough to recognise a CDN's page, too little to flood a log.
const MAX_PLAIN: usize = 300;

/// Levels of errors wrapped in errors that are looked into: OpenRouter quotes the error of its provider once.
const MAX_QUOTED: u32 = 2;

/// OpenAI's `type` and `code`. Its SDKs pick the exception by status, and show these.
const fn words(kind: Kind) -> (&'static str, Option<&'static str>) {
    match kind {
        Kind::InvalidRequest | Kind::NotFound | Kind::UpgradeRequired => ("invalid_request_error", None),
        Kind::Unauthenticated => ("invalid_request_error", Some("invalid_api_key")),
        Kind::Forbidden => ("invalid_request_error", Some("permission_denied")),
        Kind::ModelNotFound => ("invalid_request_error", Some("model_not_found")),
        Kind::MethodNotAllowed => ("invalid_request_error", Some("method_not_supported")),
        Kind::TooLarge => ("invalid_request_error", Some("request_too_large")),
        Kind::ContextTooLong => ("invalid_request_error", Some("context_length_exceeded")),
        Kind::ContentFiltered => ("invalid_request_error", Some("content_filter")),
        Kind::RateLimited => ("requests", Some("rate_limit_exceeded")),
        Kind::TokensLimited => ("tokens", Some("rate_limit_exceeded")),
        Kind::Internal => ("server_error", None),
        Kind::BadGateway => ("server_error", Some("bad_gateway")),
        Kind::Unavailable => ("server_error", Some("overloaded")),
        Kind::Timeout => ("server_error", Some("timeout")),
    }
}

/// A spent budget: OpenAI's clients do not retry this one.
const QUOTA: &str = "insufficient_quota";

pub fn write(error: &Error, request_id: Option<&str>) -> Value {
    let (kind, code) = words(error.kind);
    // What clients shorten an overlong prompt by: no provider's own word stands in its place.
    let own = error.code.as_deref().filter(|_| error.kind != Kind::ContextTooLong);
    let code = own.or(code);
    let kind = if code == Some(QUOTA) { QUOTA } else { kind };
    let mut body = json!({"message": message(error), "type": kind, "param": &error.param, "code": code});
    if let Some(id) = request_id {
        body["request_id"] = id.into();
    }
    json!({"error": body})
}

/// OpenAI's own words for an overlong prompt. Its Python SDK shows no code, and frameworks on it look for these.
const TOO_LONG: [&str; 3] = ["Input tokens exceed the configured limit", "maximum context length", "context window"];

fn message(error: &Error) -> Cow<'_, str> {
    let [usual, ..] = TOO_LONG;
    let is_said = TOO_LONG.iter().any(|words| error.message.contains(words));
    if error.kind == Kind::ContextTooLong && !is_said {
        Cow::Owned(format!("{usual}: {}", error.message))
    } else {
        Cow::Borrowed(&error.message)
    }
}

/// The error in any body.
pub fn read(status: u16, body: &str) -> UpstreamError {
    let body = body.trim();
    match serde_json::from_str::<Value>(body) {
        Ok(value) if value.is_object() || value.is_array() => of_value(status, &value),
        Ok(_) | Err(_) => UpstreamError { status, message: plain(status, body), ..UpstreamError::default() },
    }
}

/// The error a JSON value tells; `status` 0 asks the value for it.
pub fn of_value(status: u16, value: &Value) -> UpstreamError {
    let value = value.get(0).unwrap_or(value);
    // Workers AI lists its errors; most nest one; Mistral, Cohere, Bedrock have it at the top.
    let error = value.get("error").filter(|e| e.is_object()).or_else(|| items(value, "errors").first()).unwrap_or(value);
    let code = word(error, "code").or_else(|| word(value, "code"));
    let kind = text(error, "type").or_else(|| text(error, "status")).or_else(|| text(error, "error_type"));
    UpstreamError {
        status: if status == 0 { status_of(error, value) } else { status },
        message: told(error, value, MAX_QUOTED).unwrap_or_else(|| plain(status, "")),
        kind: kind.map(str::to_owned),
        code,
        param: text(error, "param").map(str::to_owned),
        retry_after_ms: items(error, "details").iter().find_map(|detail| text(detail, "retryDelay").and_then(milliseconds)),
    }
}

fn told(error: &Value, value: &Value, depth: u32) -> Option<String> {
    let plain = text(error, "message")
        .or_else(|| text(error, "error"))
        .or_else(|| text(value, "error"))
        .or_else(|| text(value, "message"))
        .or_else(|| text(value, "detail"))
        .map(str::to_owned)
        .or_else(|| detail(value));
    let raw = error.get("metadata").and_then(|metadata| text(metadata, "raw")).filter(|_| depth > 0);
    let quoted = raw.and_then(|raw| match serde_json::from_str::<Value>(raw) {
        Ok(inner) => {
            let error = inner.get("error").filter(|e| e.is_object()).unwrap_or(&inner);
            told(error, &inner, depth - 1)
        }
        Err(_) => Some(shortened(raw)),
    });
    match (plain, quoted) {
        (Some(plain), Some(quoted)) => Some(format!("{plain}: {quoted}")),
        (plain, quoted) => plain.or(quoted),
    }
}

/// A list of what failed validation (Mistral): its sentences with their places.
fn detail(value: &Value) -> Option<String> {
    let list = value.get("detail").or_else(|| value.get("message").and_then(|m| m.get("detail")))?.as_array()?;
    let sentences: Vec<String> = list
        .iter()
        .filter_map(|item| {
            let place: Vec<String> = items(item, "loc").iter().map(plain_word).collect();
            text(item, "msg").map(|msg| if place.is_empty() { msg.to_owned() } else { format!("{}: {msg}", place.join(".")) })
        })
        .collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

fn plain_word(value: &Value) -> String {
    value.as_str().map_or_else(|| json_text(value), str::to_owned)
}

/// A code as text; providers send strings and numbers.
fn word(holder: &Value, key: &str) -> Option<String> {
    let value = holder.get(key).filter(|value| value.is_string() || value.is_number())?;
    Some(plain_word(value)).filter(|word| !word.is_empty())
}

/// The status an error inside a 200 names, or 0.
fn status_of(error: &Value, value: &Value) -> u16 {
    let named = ["status_code", "code", "status", "statusCode"].into_iter().flat_map(|key| [word(error, key), word(value, key)]);
    named.flatten().find_map(|word| word.parse().ok().filter(|status| (400..600).contains(status))).unwrap_or(0)
}

/// Google's durations: `47s`, `1.5s`.
fn milliseconds(delay: &str) -> Option<u64> {
    let (whole, part) = delay.strip_suffix('s')?.split_once('.').unwrap_or((delay.strip_suffix('s')?, "0"));
    let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

fn plain(status: u16, body: &str) -> String {
    if body.is_empty() {
        return match status {
            0 => "The provider reported an error without saying which.".to_owned(),
            status => format!("The provider answered {status} without saying why."),
        };
    }
    if body.starts_with('<') {
        let title = between(body, "<title>", "</title>").or_else(|| between(body, "<TITLE>", "</TITLE>"));
        let title = title.map(|title| format!(": {}", shortened(title.trim()))).unwrap_or_default();
        return format!("The provider answered {status} with a web page{title}.");
    }
    shortened(body)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_PLAIN).collect()
}
