//! Whole answers and errors, and the words they share with streams.

use serde_json::Value;

use super::stream::Reader;
use crate::chat::{
    Dialect,
    event::UpstreamError,
    fold::fold,
    request::Citation,
    response::{Response, StopReason, TokenLogprob},
    usage::Usage,
};

/// Characters kept of a body that is not JSON: enough for a sentence, not a page.
const EXCERPT: usize = 300;

pub(super) fn read(body: &str) -> Result<Response, UpstreamError> {
    let unreadable = |message: &str| UpstreamError { message: message.to_owned(), ..UpstreamError::default() };
    let mut answer: Value = serde_json::from_str(body.trim()).map_err(|_| unreadable("The answer is not JSON."))?;
    let Some(message @ Value::Object(_)) = answer.get_mut("message").map(Value::take) else {
        // An error in the place of an answer has its text there.
        let told = answer.get("message").is_some() || answer.get("error").is_some();
        return Err(if told { read_error(0, body) } else { unreadable("The answer has no message.") });
    };
    let usage = answer.get("usage").filter(|usage| usage.is_object()).cloned();
    let id = answer.get("id").and_then(Value::as_str).map(str::to_owned);
    let logprobs = answer.get("logprobs").and_then(Value::as_array).into_iter().flatten().filter_map(read_logprob).collect();
    let (mut reader, mut events) = (Reader::default(), vec![]);
    reader.whole(message, &mut events);
    reader.finish(&answer, &mut events);
    fold(events).map(|response| Response { id, raw_usage: usage, logprobs, ..response })
}

/// `status` is that of the answer, or 0 for an error inside a 200.
pub(super) fn read_error(status: u16, body: &str) -> UpstreamError {
    let body = body.trim();
    let excerpt = || {
        if body.is_empty() || body.starts_with('<') {
            return format!("The provider answered {status} without an explanation.");
        }
        body.chars().take(EXCERPT).collect()
    };
    match serde_json::from_str::<Value>(body) {
        Ok(value) => UpstreamError { message: message_of(&value).unwrap_or_else(excerpt), ..from_value(status, &value) },
        Err(_) => UpstreamError { status, message: excerpt(), ..UpstreamError::default() },
    }
}

/// An error inside a stream.
pub(super) fn from_value(status: u16, value: &Value) -> UpstreamError {
    let kind = value.get("error_type").and_then(Value::as_str).map(str::to_owned);
    let message = message_of(value).unwrap_or_else(|| "The provider reported a failure.".to_owned());
    UpstreamError { status, message, kind, ..UpstreamError::default() }
}

/// Proxies before it wrap theirs.
fn message_of(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(&Value::Null);
    let places = [value.get("message"), error.get("message"), Some(error), value.get("detail")];
    places.into_iter().flatten().find_map(Value::as_str).map(str::to_owned)
}

/// An error for an answer that was broken off. `told` is the provider's own explanation.
pub(super) fn read_stop(reason: &str, told: Option<&str>) -> Result<StopReason, UpstreamError> {
    Ok(match reason {
        "STOP_SEQUENCE" => StopReason::StopSequence,
        "MAX_TOKENS" | "ERROR_LIMIT" => StopReason::Length,
        "TOOL_CALL" => StopReason::ToolCalls,
        "ERROR_TOXIC" => StopReason::ContentFilter,
        "ERROR" | "TIMEOUT" | "USER_CANCEL" => {
            let message = told.map_or_else(|| format!("The answer was broken off ({reason})."), str::to_owned);
            return Err(UpstreamError { message, kind: Some(reason.to_owned()), ..UpstreamError::default() });
        }
        _ => StopReason::End,
    })
}

/// What is billed, pictures within: `tokens` counts what the model saw too, with Cohere's own instructions and a template
/// round each turn, which are often a hundred times as much and cost nothing. They stand in where nothing else is told.
pub(super) fn read_usage(reported: &Value) -> Usage {
    let part = |name: &str| reported.get(name).filter(|part| part.is_object());
    let (seen, billed) = (part("tokens"), part("billed_units"));
    let count = |of: Option<&Value>, key: &str| of.and_then(|of| of.get(key)).map(read_count);
    let prompt = |of| count(of, "input_tokens").map(|text| text.saturating_add(count(of, "image_tokens").unwrap_or(0)));
    let input = prompt(billed).or(prompt(seen)).unwrap_or(0);
    let output = count(billed, "output_tokens").or(count(seen, "output_tokens")).unwrap_or(0);
    // A cache holds beginnings, and what is not billed stands there first.
    let unbilled = prompt(seen).unwrap_or(0).saturating_sub(input);
    let cached = reported.get("cached_tokens").map_or(0, read_count).saturating_sub(unbilled).min(input);
    let reasoning = count(seen, "reasoning_tokens").unwrap_or(0).min(output);
    Usage { input: input - cached, cache_read: cached, output, reasoning, ..Usage::default() }
}

/// Some come as `34.0`.
fn read_count(value: &Value) -> u64 {
    let parsed = || format!("{:.0}", value.as_f64().unwrap_or_default()).parse().ok();
    value.as_u64().or_else(parsed).unwrap_or_default()
}

/// The first of its sources is told; all of them are in what is kept.
pub(super) fn read_citation(native: Value) -> Citation {
    let source = native.pointer("/sources/0/document").unwrap_or(&Value::Null);
    let word = |key: &str| source.get(key).and_then(Value::as_str).map(str::to_owned);
    let (url, title, quote) = (word("url"), word("title"), word("snippet"));
    let place = |key: &str| native.get(key).and_then(Value::as_u64);
    let (start, end) = (place("start"), place("end"));
    Citation { url, title, quote, start, end, native: Some((Dialect::Cohere, native)) }
}

/// A piece of text with the likelihoods of its tokens, usually one.
pub(super) fn read_logprob(value: &Value) -> Option<TokenLogprob> {
    let tokens = value.get("logprobs").and_then(Value::as_array)?;
    let logprob = tokens.iter().filter_map(Value::as_f64).sum();
    let token = value.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(TokenLogprob { token, logprob, bytes: None, top: vec![] })
}
