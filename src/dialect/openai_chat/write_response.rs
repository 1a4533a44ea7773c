//! Whole answers, written.

use serde_json::{Map, Value};

use super::{
    asked::Form,
    audio, citations, logprobs, reasoning, stop, usage,
    write_messages::{is_call, tool_call},
    write_part::image,
};
use crate::{
    chat::{
        event::Stamp,
        request::Part,
        response::{Response, StopReason, TokenLogprob},
    },
    units::Money,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// What OpenAI's ids begin with.
const ID_PREFIX: &str = "chatcmpl-";

pub fn outward_id(theirs: Option<&str>, stamp: &Stamp) -> String {
    theirs.filter(|id| id.starts_with(ID_PREFIX)).unwrap_or(&stamp.id).to_owned()
}

pub fn write(response: &Response, stamp: &Stamp, form: &Form, cost: Option<Money>) -> String {
    let id = outward_id(response.id.as_deref(), stamp);
    let choice = |index: usize, parts: &[Part], stop: StopReason, tokens: &[TokenLogprob]| {
        let (message, calls) = write_message(parts, form, (&id, stamp.created));
        let reason = stop::write(stop::called(stop, calls), form.legacy);
        json!({"index": index, "message": message, "logprobs": logprobs::write(tokens), "finish_reason": reason})
    };
    let mut choices = vec![choice(0, &response.parts, response.stop, &response.logprobs)];
    let more = response.more.iter().enumerate();
    choices.extend(more.map(|(i, other)| choice(i + 1, &other.parts, other.stop, &other.logprobs)));
    let mut out = json!({
        "id": id,
        "object": "chat.completion",
        "created": stamp.created,
        "model": response.model.as_deref().unwrap_or(&stamp.model),
        "choices": choices,
    });
    if let Some(counted) = &response.usage {
        out["usage"] = usage::write(counted, cost);
    }
    if let Some(tier) = &response.service_tier {
        out["service_tier"] = tier.as_str().into();
    }
    json_text(&out)
}

/// The message, and whether it calls a tool. Texts join without a separator: they are one text to this dialect.
fn write_message(parts: &[Part], form: &Form, (answer, created): (&str, u64)) -> (Value, bool) {
    let (mut said, mut thoughts, mut refusal) = (String::new(), String::new(), String::new());
    let (mut calls, mut images, mut annotations, mut audio) = (vec![], vec![], vec![], None);
    for part in parts {
        match part {
            Part::Text { text, citations, .. } => {
                let start = citations::characters(&said);
                said.push_str(text);
                let place = (start, citations::characters(&said));
                annotations.extend(citations.iter().filter_map(|citation| citations::write(citation, place)));
            }
            Part::Reasoning { text, .. } => thoughts.push_str(text),
            Part::Refusal { text } => refusal.push_str(text),
            Part::ToolCall(call) => {
                let extra = reasoning::google_extra(call.signature.as_ref());
                calls.push(tool_call(call, form.is_custom(call), extra));
            }
            Part::Image { source, detail, .. } => images.extend(image(source, detail.as_deref())),
            Part::Audio { source, transcript } => {
                audio = audio.or_else(|| audio::write_said(source, transcript.as_deref(), answer, created));
            }
            Part::Opaque { value, .. } if is_call(part) => calls.push(value.clone()),
            Part::RedactedReasoning { .. } | Part::Opaque { .. } => {}
            Part::File { .. } | Part::Video { .. } | Part::ToolResult(_) => {}
        }
    }
    let mut out = Map::new();
    out.put("role", "assistant");
    let is_null = said.is_empty() && !(calls.is_empty() && refusal.is_empty() && audio.is_none());
    out.put("content", if is_null { Value::Null } else { said.into() });
    out.put("refusal", if refusal.is_empty() { Value::Null } else { refusal.into() });
    if !thoughts.is_empty() {
        out.put("reasoning_content", thoughts);
    }
    let calls_tool = !calls.is_empty();
    if form.legacy {
        let first = calls.first_mut().and_then(|call| call.get_mut("function")).map(Value::take);
        out.extend(first.map(|function| ("function_call".to_owned(), function)));
        calls.clear();
    }
    out.extend(audio.map(|audio| ("audio".to_owned(), audio)));
    let details = reasoning::write(parts);
    for (key, list) in [("annotations", annotations), ("reasoning_details", details), ("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            out.put(key, list);
        }
    }
    (Value::Object(out), calls_tool)
}
