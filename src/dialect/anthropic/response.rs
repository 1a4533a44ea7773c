//! Whole answers.

use serde_json::{Map, Value, json};

use super::{
    id,
    read_block::{Scope, read_content},
    read_error, seal, write_block as block,
};
use crate::{
    chat::{
        Dialect,
        event::{Stamp, UpstreamError},
        request::Part,
        response::{Response, StopReason},
        usage::Usage,
    },
    units::Money,
    wire::json::json_text,
};

/// The name this dialect gives its answers' ids.
const ID_PREFIX: &str = "msg_";

pub(super) fn read(body: &str) -> Result<Response, UpstreamError> {
    let unreadable = |what: &str| UpstreamError { message: format!("The provider's answer {what}."), ..UpstreamError::default() };
    let Ok(Value::Object(mut answer)) = serde_json::from_str(body) else { return Err(unreadable("is not a JSON object")) };
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Err(read_error::read(0, body));
    }
    let Some(content @ Value::Array(_)) = answer.remove("content") else { return Err(unreadable("has no content")) };
    let parts = read_content(content, "content", &mut Scope::default())
        .map_err(|error| unreadable(&format!("is broken: {}", error.message.trim_end_matches('.'))))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let usage = answer.get("usage").filter(|usage| usage.is_object()).map(|reported| {
        let mut usage = Usage::default();
        read_usage(reported, &mut usage);
        usage
    });
    Ok(Response {
        id: text("id").map(str::to_owned),
        model: text("model").map(str::to_owned),
        parts,
        stop: text("stop_reason").map_or(StopReason::End, read_stop),
        stop_sequence: text("stop_sequence").map(str::to_owned),
        usage,
        ..Response::default()
    })
}

pub(super) fn read_stop(reason: &str) -> StopReason {
    match reason {
        "stop_sequence" => StopReason::StopSequence,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "tool_use" => StopReason::ToolCalls,
        "refusal" => StopReason::ContentFilter,
        "pause_turn" | "compaction" => StopReason::Pause,
        _ => StopReason::End,
    }
}

const fn stop_word(stop: StopReason) -> &'static str {
    match stop {
        StopReason::End => "end_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::Length => "max_tokens",
        StopReason::ToolCalls => "tool_use",
        StopReason::ContentFilter => "refusal",
        StopReason::Pause => "pause_turn",
    }
}

/// What an answer held, as far as its stop reason must agree with it.
#[derive(Clone, Copy, Default)]
pub(super) struct Held {
    pub call: bool,
    pub refusal: bool,
}

/// Others say "stop" after a refusal in words, and some after a tool call.
pub(super) const fn write_stop(stop: StopReason, held: Held) -> &'static str {
    match stop {
        StopReason::End | StopReason::StopSequence if held.refusal => stop_word(StopReason::ContentFilter),
        StopReason::End if held.call => stop_word(StopReason::ToolCalls),
        StopReason::End
        | StopReason::StopSequence
        | StopReason::Length
        | StopReason::ToolCalls
        | StopReason::ContentFilter
        | StopReason::Pause => stop_word(stop),
    }
}

/// Overwrites key by key: a later report of a stream repeats some counts, raises others and leaves some out.
pub(super) fn read_usage(reported: &Value, usage: &mut Usage) {
    let set = |count: &mut u64, value: Option<u64>| *count = value.unwrap_or(*count);
    let count = |key: &str| reported.get(key).and_then(Value::as_u64);
    set(&mut usage.input, count("input_tokens"));
    set(&mut usage.cache_read, count("cache_read_input_tokens"));
    set(&mut usage.cache_write, count("cache_creation_input_tokens").or_else(|| cache_creation(reported)));
    set(&mut usage.output, count("output_tokens"));
    let thinking = reported.get("output_tokens_details").and_then(|details| details.get("thinking_tokens"));
    set(&mut usage.reasoning, thinking.and_then(Value::as_u64));
    usage.reasoning = usage.reasoning.min(usage.output);
}

/// The cache writes where only their split by lifetime is told.
fn cache_creation(reported: &Value) -> Option<u64> {
    let split = reported.get("cache_creation")?.as_object()?;
    Some(split.values().filter_map(Value::as_u64).fold(0, u64::saturating_add))
}

pub(super) fn write_usage(usage: &Usage, cost: Option<Money>) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("input_tokens", Value::from(usage.input));
    put("cache_creation_input_tokens", Value::from(usage.cache_write));
    put("cache_read_input_tokens", Value::from(usage.cache_read));
    put("output_tokens", Value::from(usage.output));
    if usage.reasoning > 0 {
        put("output_tokens_details", json!({"thinking_tokens": usage.reasoning}));
    }
    if let Some(cost) = cost.and_then(|cost| serde_json::from_str(&cost.dollars()).ok()) {
        put("cost", cost);
    }
    Value::Object(out)
}

/// The provider's id where it fits the dialect.
pub(super) fn message_id<'a>(given: Option<&'a str>, stamp: &'a Stamp) -> &'a str {
    given.filter(|id| id.starts_with(ID_PREFIX)).unwrap_or(&stamp.id)
}

pub(super) fn write(response: &Response, stamp: &Stamp, cost: Option<Money>) -> String {
    let mut held = Held::default();
    let mut content = vec![];
    for part in &response.parts {
        held.call |= matches!(part, Part::ToolCall(_));
        held.refusal |= matches!(part, Part::Refusal { .. });
        if let Part::ToolCall(call) = part {
            content.extend(seal::call_block(call));
        }
        content.extend(write_part(part));
    }
    json_text(&json!({
        "id": message_id(response.id.as_deref(), stamp),
        "type": "message",
        "role": "assistant",
        "model": response.model.as_deref().unwrap_or(&stamp.model),
        "content": content,
        "stop_reason": write_stop(response.stop, held),
        "stop_sequence": response.stop_sequence,
        "usage": write_usage(&response.usage.unwrap_or_default(), cost),
    }))
}

fn write_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } if text.is_empty() => None,
        Part::Text { text, .. } | Part::Refusal { text } => Some(json!({"type": "text", "text": text})),
        Part::Reasoning { text, signature } => {
            let signature = signature.as_ref().map(|s| seal::seal(s.dialect, &s.value)).unwrap_or_default();
            Some(json!({"type": "thinking", "thinking": text, "signature": signature}))
        }
        Part::RedactedReasoning { data, dialect } => {
            Some(json!({"type": "redacted_thinking", "data": seal::seal(*dialect, data)}))
        }
        Part::ToolCall(call) => Some(json!({
            "type": "tool_use",
            "id": id::encode(&call.id),
            "name": call.name,
            "input": block::input(&call.arguments),
        })),
        Part::Image { .. } => Some(json!({"type": "text", "text": NO_IMAGE})),
        Part::Opaque { dialect: Dialect::Anthropic, value } => Some(value.clone()),
        Part::File { .. } | Part::Audio { .. } | Part::Video { .. } | Part::ToolResult(_) | Part::Opaque { .. } => None,
    }
}

/// An assistant's image has no block in this dialect; silence would look like an empty answer.
pub(super) const NO_IMAGE: &str = "[The model answered with an image, which this API cannot carry.]";
