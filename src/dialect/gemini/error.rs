//! Google's error shape, and whatever else stands in its place.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    chat::event::UpstreamError,
    error::{Error, Kind},
    wire::compose::{Members, json},
};

/// Characters kept of a body that is no JSON: enough for a sentence, not a page.
const EXCERPT: usize = 300;

pub fn read(status: u16, body: &str) -> UpstreamError {
    match serde_json::from_str(body.trim()) {
        Ok(value) => find(&value).map_or_else(|| excerpt(status, body), |error| from_value(status, error)),
        Err(_) => excerpt(status, body),
    }
}

/// The value of `error` in an object, or in the first item of an array that has one (calls without `alt=sse`).
pub fn find(value: &Value) -> Option<&Value> {
    if let Value::Array(items) = value {
        return items.iter().find_map(find);
    }
    value.get("error").filter(|error| !error.is_null())
}

/// `status` stands where the error names none of its own.
pub fn from_value(status: u16, error: &Value) -> UpstreamError {
    let Value::Object(fields) = error else {
        let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        return UpstreamError { status, message, ..UpstreamError::default() };
    };
    let details = fields.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = fields.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    UpstreamError {
        status: if status == 0 { named.unwrap_or(0) } else { status },
        message: text(fields, "message").unwrap_or_default(),
        kind: text(fields, "status").or_else(|| text(fields, "type")),
        code: reason(details).or_else(|| text(fields, "code")),
        param: text(fields, "param"),
        retry_after_ms: details.iter().find_map(|detail| duration_ms(detail.get("retryDelay")?.as_str()?)),
    }
}

fn excerpt(status: u16, body: &str) -> UpstreamError {
    UpstreamError { status, message: body.trim().chars().take(EXCERPT).collect(), ..UpstreamError::default() }
}

fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// `ErrorInfo.reason` such as `API_KEY_INVALID`; else the exhausted quota's id, which tells a daily quota from others.
fn reason(details: &[Value]) -> Option<String> {
    let word = |detail: &Value, key: &str| detail.get(key).and_then(Value::as_str).map(str::to_owned);
    details.iter().find_map(|detail| word(detail, "reason")).or_else(|| {
        let violations = details.iter().filter_map(|detail| detail.get("violations").and_then(Value::as_array));
        violations.flatten().find_map(|violation| word(violation, "quotaId"))
    })
}

/// A protobuf duration, `47s` or `48.939935699s`, in milliseconds rounded up.
fn duration_ms(text: &str) -> Option<u64> {
    let number = text.strip_suffix('s')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let seconds: u64 = whole.parse().ok()?;
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let ms: u64 = digits.parse().ok()?;
    let rest = part.get(3..).is_some_and(|rest| rest.bytes().any(|b| b != b'0'));
    seconds.checked_mul(1000)?.checked_add(ms)?.checked_add(u64::from(rest))
}

/// What Google's clients recognise an overlong prompt by.
const TOO_LONG: &str = "The input token count exceeds the maximum number of tokens allowed";

pub fn write(error: &Error, request_id: Option<&str>) -> Value {
    let message = if error.kind == Kind::ContextTooLong && !error.message.contains("token count") {
        Cow::Owned(format!("{TOO_LONG}. {}", error.message))
    } else {
        Cow::Borrowed(error.message.as_str())
    };
    let mut details = vec![];
    let mut tell = |kind: &str, key: &str, value: Value| {
        details.push(json!({ "@type": format!("type.googleapis.com/google.rpc.{kind}"), key: value }));
    };
    if let Some(code) = reason_of(error) {
        tell("ErrorInfo", "reason", code.into());
    }
    if let Some(param) = &error.param {
        tell("BadRequest", "fieldViolations", json!([{ "field": param, "description": &error.message }]));
    }
    if let Some(seconds) = error.retry_after_seconds() {
        tell("RetryInfo", "retryDelay", format!("{seconds}s").into());
    }
    if let Some(id) = request_id {
        tell("RequestInfo", "requestId", id.into());
    }
    let mut fields = Map::new();
    fields.put("code", error.status);
    fields.put("message", message);
    fields.put("status", status(error));
    if !details.is_empty() {
        fields.put("details", details);
    }
    json!({ "error": fields })
}

fn reason_of(error: &Error) -> Option<&str> {
    error.code.as_deref().or_else(|| (error.kind == Kind::Unauthenticated).then_some("API_KEY_INVALID"))
}

/// The name of Google's code (`google.rpc.Code`).
fn status(error: &Error) -> &'static str {
    match error.kind {
        Kind::InvalidRequest if error.status == 409 => "ABORTED",
        Kind::InvalidRequest | Kind::Forbidden | Kind::RateLimited if error.status == 402 => "FAILED_PRECONDITION",
        Kind::InvalidRequest | Kind::TooLarge | Kind::ContextTooLong | Kind::ContentFiltered | Kind::UpgradeRequired => {
            "INVALID_ARGUMENT"
        }
        Kind::Unauthenticated => "UNAUTHENTICATED",
        Kind::Forbidden => "PERMISSION_DENIED",
        Kind::NotFound | Kind::ModelNotFound => "NOT_FOUND",
        Kind::MethodNotAllowed => "UNIMPLEMENTED",
        Kind::RateLimited | Kind::TokensLimited => "RESOURCE_EXHAUSTED",
        Kind::Internal => "INTERNAL",
        Kind::BadGateway | Kind::Unavailable if error.status == 500 => "INTERNAL",
        Kind::BadGateway | Kind::Unavailable => "UNAVAILABLE",
        Kind::Timeout => "DEADLINE_EXCEEDED",
    }
}
