//! Whole answers, and the words they share with streams.

use serde_json::Value;

use super::{error, stream::Reader};
use crate::chat::{
    Dialect,
    event::UpstreamError,
    fold::fold,
    request::Citation,
    response::{Response, StopReason},
    usage::{Service, Usage},
};

pub(super) fn read(body: &str) -> Result<Response, UpstreamError> {
    let unreadable = |message: &str| UpstreamError { message: message.to_owned(), ..UpstreamError::default() };
    let mut answer: Value = serde_json::from_str(body.trim()).map_err(|_| unreadable("The answer is not JSON."))?;
    let content = answer.pointer_mut("/output/message/content").map(Value::take);
    let Some(Value::Array(blocks)) = content else {
        // An error in the place of an answer says so.
        let told = ["message", "Message", "error", "Output"].into_iter().any(|key| answer.get(key).is_some());
        return Err(if told { error::read(0, body) } else { unreadable("The answer has no message.") });
    };
    let usage = answer.get_mut("usage").map(Value::take).filter(Value::is_object);
    let (mut reader, mut events) = (Reader::default(), vec![]);
    for (at, block) in (0..).zip(blocks) {
        reader.whole(at, block, &mut events);
    }
    reader.finish(&answer, usage.clone(), &mut events);
    let tier = answer.pointer("/serviceTier/type").and_then(Value::as_str).map(str::to_owned);
    fold(events).map(|response| Response { raw_usage: usage, service_tier: tier, ..response })
}

/// An error for an answer that the model broke off because it could not say what it wanted.
pub(super) fn read_stop(reason: &str) -> Result<StopReason, UpstreamError> {
    Ok(match reason {
        "tool_use" => StopReason::ToolCalls,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "stop_sequence" => StopReason::StopSequence,
        "guardrail_intervened" | "content_filtered" | "refusal" => StopReason::ContentFilter,
        "pause_turn" => StopReason::Pause,
        "malformed_model_output" | "malformed_tool_use" => {
            let message = format!("The model's answer cannot be read ({reason}).");
            return Err(UpstreamError { message, kind: Some(reason.to_owned()), ..UpstreamError::default() });
        }
        _ => StopReason::End,
    })
}

/// What is read from or written to the cache is not in `inputTokens`.
pub(super) fn read_usage(reported: &Value, answer: &Value) -> Usage {
    let count = |key: &str| reported.get(key).and_then(Value::as_u64).unwrap_or_default();
    let written = reported.get("cacheDetails").and_then(Value::as_array).into_iter().flatten();
    let for_an_hour = written.filter(|one| one.get("ttl").and_then(Value::as_str) == Some("1h"));
    Usage {
        cache_write_1h: for_an_hour.filter_map(|one| one.get("inputTokens")?.as_u64()).fold(0, u64::saturating_add),
        service: answer.pointer("/serviceTier/type").and_then(Value::as_str).map(Service::read).unwrap_or_default(),
        input: count("inputTokens"),
        cache_read: count("cacheReadInputTokens"),
        cache_write: count("cacheWriteInputTokens"),
        output: count("outputTokens"),
        ..Usage::default()
    }
}

/// Where in the text it belongs is not said: its places are those in the source.
pub(super) fn read_citation(native: Value) -> Citation {
    let word = |pointer: &str| native.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let quotes = native.get("sourceContent").and_then(Value::as_array).into_iter().flatten();
    let quote: String = quotes.filter_map(|piece| piece.get("text")?.as_str()).collect();
    Citation {
        url: word("/location/web/url").or_else(|| word("/source").filter(|source| source.starts_with("http"))),
        title: word("/title"),
        quote: Some(quote).filter(|quote| !quote.is_empty()),
        start: None,
        end: None,
        native: Some((Dialect::Converse, native)),
    }
}
