//! Errors of providers, in every shape that was seen behind an address of this dialect.

use serde_json::Value;

use crate::{chat::event::UpstreamError, wire::json::json_text};

/// Enough of a body that is not JSON to recognise it; proxies send whole pages.
const MAX_TEXT: usize = 500;

/// The status each of Anthropic's error types stands for; 0 for a type that is not one of them.
fn status_of(kind: &str) -> u16 {
    match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 0,
    }
}

/// `status` is that of the answer, or 0 for an error inside a 200.
pub(super) fn read(status: u16, body: &str) -> UpstreamError {
    match serde_json::from_str::<Value>(body.trim()) {
        Ok(value) => read_value(status, value.get(0).unwrap_or(&value)),
        Err(_) => UpstreamError { status, message: plain(status, body.trim()), ..UpstreamError::default() },
    }
}

pub(super) fn read_value(status: u16, value: &Value) -> UpstreamError {
    // `error` as an object, `error` as text (xAI), `errors` (Workers AI), or the members at the top (Bedrock, Mistral).
    let nested = value.get("error").or_else(|| value.get("errors").and_then(|errors| errors.get(0)));
    let error = nested.filter(|error| error.is_object()).unwrap_or(value);
    let message = word(error, "message")
        .or_else(|| nested.and_then(Value::as_str).map(str::to_owned))
        .or_else(|| value.get("detail").map(|detail| detail.as_str().map_or_else(|| json_text(detail), str::to_owned)))
        .unwrap_or_else(|| plain(status, ""));
    let kind = word(error, "type").filter(|kind| kind != "error").or_else(|| word(error, "status"));
    let named = kind.as_deref().map_or(0, status_of);
    UpstreamError {
        status: if status == 0 { named } else { status },
        message,
        kind,
        code: word(error, "code"),
        param: word(error, "param"),
        retry_after_ms: error.get("details").and_then(Value::as_array).and_then(|details| details.iter().find_map(retry_delay)),
    }
}

/// A text or a number, as text.
fn word(value: &Value, key: &str) -> Option<String> {
    let value = value.get(key)?;
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string))
}

/// Google's `"retryDelay": "47s"`, which Vertex sends for Claude too.
fn retry_delay(detail: &Value) -> Option<u64> {
    let (whole, part) = {
        let text = detail.get("retryDelay")?.as_str()?.strip_suffix('s')?;
        text.split_once('.').unwrap_or((text, "0"))
    };
    let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

fn plain(status: u16, text: &str) -> String {
    if text.is_empty() || text.starts_with('<') {
        return format!("The provider answered {status} without an explanation.");
    }
    text.chars().take(MAX_TEXT).collect()
}
