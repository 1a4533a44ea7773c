//! Amazon's errors: a message, and the name of an exception where it does not stand in a header.

use serde_json::Value;

use crate::chat::event::UpstreamError;

/// Characters kept of a body that is not JSON: enough for a sentence, not a page.
const EXCERPT: usize = 300;

/// `status` is that of the answer, or 0 for an error inside a 200.
pub(super) fn read(status: u16, body: &str) -> UpstreamError {
    let body = body.trim();
    match serde_json::from_str::<Value>(body) {
        // The front of the service wraps what it refuses.
        Ok(value) => from_value(status, value.get("Output").unwrap_or(&value)),
        Err(_) => UpstreamError { status, message: excerpt(status, body), ..UpstreamError::default() },
    }
}

/// The `error` of a frame, as the framing tells exceptions; any other object is one itself.
pub(super) fn from_value(status: u16, value: &Value) -> UpstreamError {
    let error = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
    let word = |key: &str| error.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = word("__type").or_else(|| word("type")).map(|name| name.rsplit(['#', '.']).next().unwrap_or(name).to_owned());
    // What the model itself failed with says more than Amazon's 424.
    let original = value.get("originalStatusCode").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let named = || original.or_else(|| kind.as_deref().map(status_of)).unwrap_or(0);
    UpstreamError {
        status: if status == 0 { named() } else { status },
        message: word("message").or_else(|| word("Message")).map_or_else(|| excerpt(status, ""), str::to_owned),
        kind,
        ..UpstreamError::default()
    }
}

/// The status each exception stands for; 0 for an unknown one. Streams write them with a small letter.
fn status_of(exception: &str) -> u16 {
    let name = exception.to_ascii_lowercase();
    match name.strip_suffix("exception").unwrap_or(&name) {
        "validation" => 400,
        "accessdenied" => 403,
        "resourcenotfound" => 404,
        "modeltimeout" => 408,
        "modelerror" | "modelstreamerror" => 424,
        "throttling" | "modelnotready" | "servicequotaexceeded" => 429,
        "internalserver" => 500,
        "serviceunavailable" => 503,
        _ => 0,
    }
}

fn excerpt(status: u16, text: &str) -> String {
    if text.is_empty() || text.starts_with('<') {
        return format!("The provider answered {status} without an explanation.");
    }
    text.chars().take(EXCERPT).collect()
}
