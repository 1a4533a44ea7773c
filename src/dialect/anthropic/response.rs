//! Whole answers.

use serde_json::Value;

use super::{
    citation, id,
    read_block::{Scope, read_content},
    read_error, seal, usage, write_block as block,
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
    wire::{
        compose::{Members, json},
        json::json_text,
    },
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
    let mut scope = Scope::of_answer();
    let parts = read_content(content, "content", &mut scope)
        .map_err(|error| unreadable(&format!("is broken: {}", error.message.trim_end_matches('.'))))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let mut stop = text("stop_reason").map_or(StopReason::End, read_stop);
    // The only tool that was called was the gateway's own.
    if scope.is_wrapped && stop == StopReason::ToolCalls && !parts.iter().any(|part| matches!(part, Part::ToolCall(_))) {
        stop = StopReason::End;
    }
    let raw_usage = answer.get("usage").filter(|usage| usage.is_object());
    Ok(Response {
        id: text("id").map(str::to_owned),
        model: text("model").map(str::to_owned),
        parts,
        stop,
        stop_sequence: text("stop_sequence").map(str::to_owned),
        usage: raw_usage.map(|reported| {
            let mut counted = Usage::default();
            usage::read(reported, &mut counted);
            counted
        }),
        service_tier: raw_usage.and_then(usage::read_tier),
        raw_usage: raw_usage.cloned(),
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
    let mut usage = usage::write(&response.usage.unwrap_or_default(), cost);
    if let Some(tier) = usage::write_tier(response.service_tier.as_deref()) {
        usage.put("service_tier", tier);
    }
    json_text(&json!({
        "id": message_id(response.id.as_deref(), stamp),
        "type": "message",
        "role": "assistant",
        "model": response.model.as_deref().unwrap_or(&stamp.model),
        "content": content,
        "stop_reason": write_stop(response.stop, held),
        "stop_sequence": &response.stop_sequence,
        "usage": usage,
    }))
}

fn write_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } if text.is_empty() => None,
        Part::Text { text, citations, .. } => {
            let mut block = json!({"type": "text", "text": text});
            if let (false, Value::Object(map)) = (citations.is_empty(), &mut block) {
                map.put("citations", citations.iter().map(citation::write).collect::<Vec<_>>());
            }
            Some(block)
        }
        Part::Refusal { text } => Some(json!({"type": "text", "text": text})),
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
            "name": &call.name,
            "input": block::input(&call.json_arguments()),
        })),
        Part::Image { .. } => Some(json!({"type": "text", "text": NO_IMAGE})),
        Part::Audio { transcript, .. } => {
            let said = transcript.as_deref().filter(|said| !said.is_empty());
            Some(json!({"type": "text", "text": said.unwrap_or(NO_AUDIO)}))
        }
        Part::Opaque { dialect: Dialect::Anthropic, value } => Some(value.clone()),
        Part::File { .. } | Part::Video { .. } | Part::ToolResult(_) | Part::Opaque { .. } => None,
    }
}

/// An assistant's image has no block in this dialect; silence would look like an empty answer.
pub(super) const NO_IMAGE: &str = "[The model answered with an image, which this API cannot carry.]";
pub(super) const NO_AUDIO: &str = "[The model answered with audio, which this API cannot carry.]";
