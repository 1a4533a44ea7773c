//! Whole answers.

use serde_json::{Map, Value, json};

use super::{
    data_url, error, items, reasoning,
    stop::{self, Stop},
    text, usage,
    write_messages::{image, is_call, tool_call},
};
use crate::{
    chat::{
        Dialect,
        event::{Stamp, UpstreamError},
        request::{Part, ToolCall},
        response::{Response, StopReason},
    },
    units::Money,
    wire::json::json_text,
};

/// What OpenAI's ids begin with.
const ID_PREFIX: &str = "chatcmpl-";

/// Characters of an answer's id in the ids made up for its calls.
const ID_PART: usize = 24;

pub fn read(body: &str) -> Result<Response, UpstreamError> {
    let failed = |message: &str| UpstreamError { message: message.to_owned(), ..UpstreamError::default() };
    let value = serde_json::from_str::<Value>(body).map_err(|_| failed("The provider's answer is not JSON."))?;
    if is_error(&value) {
        return Err(error::of_value(0, &value));
    }
    let choice = first_choice(&value).ok_or_else(|| failed("The provider's answer has no choice."))?;
    if is_error(choice) {
        return Err(error::of_value(0, choice));
    }
    let id = text(&value, "id");
    let parts = choice.get("message").map(|message| read_message(message, id)).unwrap_or_default();
    let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = match stop::read(text(choice, "finish_reason").unwrap_or_default(), calls) {
        Stop::Reason(reason) => reason,
        Stop::Failed => return Err(failed("The provider gave up on this answer.")),
    };
    Ok(Response {
        id: id.map(str::to_owned),
        model: text(&value, "model").map(str::to_owned),
        parts,
        stop,
        usage: usage::find(&value, Some(choice)),
        ..Response::default()
    })
}

/// An error can come in a 200 (OpenRouter), and an empty one beside an answer says nothing.
pub fn is_error(value: &Value) -> bool {
    value.get("error").is_some_and(|e| e.is_object() || e.as_str().is_some_and(|e| !e.is_empty()))
}

/// The choice of index 0, the only one that is carried; who numbers nothing has one choice.
pub fn first_choice(value: &Value) -> Option<&Value> {
    items(value, "choices").iter().find(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0)
}

fn read_message(message: &Value, id: Option<&str>) -> Vec<Part> {
    let details = items(message, "reasoning_details");
    let mut thoughts = reasoning::read(details, reasoning::plain(message));
    if let Some(signature) = reasoning::google_signature(message) {
        thoughts.extend(reasoning::read(&[reasoning::signed("", Some(&signature), thoughts.len())], None));
    }
    let mut parts = read_content(message);
    if let Some(refusal) = text(message, "refusal") {
        parts.push(Part::Refusal { text: refusal.to_owned() });
    }
    for image in items(message, "images") {
        parts.extend(read_image(image));
    }
    let legacy = message.get("function_call").filter(|call| call.is_object()).map(|call| json!({"function": call}));
    for (place, call) in items(message, "tool_calls").iter().chain(&legacy).enumerate() {
        parts.push(read_call(call, id, place));
    }
    reasoning::weave(thoughts, parts)
}

/// A text, or Mistral's parts.
fn read_content(message: &Value) -> Vec<Part> {
    if let Some(text) = text(message, "content") {
        return vec![Part::text(text.to_owned())];
    }
    let mut parts = vec![];
    for item in items(message, "content") {
        match text(item, "type") {
            Some("thinking") => parts.push(Part::Reasoning { text: reasoning::thinking(item), signature: None }),
            Some("refusal") => parts.extend(text(item, "refusal").map(|t| Part::Refusal { text: t.to_owned() })),
            Some("image_url") => parts.extend(read_image(item)),
            _ => parts.extend(text(item, "text").map(|t| Part::text(t.to_owned()))),
        }
    }
    parts
}

pub fn read_image(item: &Value) -> Option<Part> {
    let url = item.get("image_url").and_then(|image| text(image, "url")).or_else(|| text(item, "image_url"))?;
    Some(Part::Image { source: data_url::source(url)?, detail: None, cache: None })
}

fn read_call(call: &Value, id: Option<&str>, place: usize) -> Part {
    if call.get("custom").is_some_and(Value::is_object) {
        return Part::Opaque { dialect: Dialect::OpenAiChat, value: call.clone() };
    }
    let function = call.get("function").unwrap_or(call);
    Part::ToolCall(ToolCall {
        id: text(call, "id").map_or_else(|| made_up_id(id, place), str::to_owned),
        name: text(function, "name").unwrap_or_default().to_owned(),
        arguments: arguments(function).unwrap_or_default(),
        signature: reasoning::google_signature(call),
        ..ToolCall::default()
    })
}

/// The arguments as text; some send the object itself.
pub fn arguments(function: &Value) -> Option<String> {
    let arguments = function.get("arguments").filter(|arguments| !arguments.is_null())?;
    Some(arguments.as_str().map_or_else(|| json_text(arguments), str::to_owned))
}

/// An id for a call that has none: unlike those of other answers, for all of them meet in one history.
pub fn made_up_id(answer: Option<&str>, place: usize) -> String {
    let part: String = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let tail = part.get(part.len().saturating_sub(ID_PART)..).unwrap_or_default();
    format!("call_{tail}_{place}")
}

pub fn outward_id(theirs: Option<&str>, stamp: &Stamp) -> String {
    theirs.filter(|id| id.starts_with(ID_PREFIX)).unwrap_or(&stamp.id).to_owned()
}

pub fn write(response: &Response, stamp: &Stamp, cost: Option<Money>) -> String {
    let (message, calls) = write_message(&response.parts);
    let stop = if calls && response.stop == StopReason::End { StopReason::ToolCalls } else { response.stop };
    let mut out = json!({
        "id": outward_id(response.id.as_deref(), stamp),
        "object": "chat.completion",
        "created": stamp.created,
        "model": response.model.as_deref().unwrap_or(&stamp.model),
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": stop::write(stop)}],
    });
    if let Some(counted) = &response.usage {
        out["usage"] = usage::write(counted, cost);
    }
    json_text(&out)
}

/// The message, and whether it calls a tool. Texts join without a separator: they are one text to this dialect.
fn write_message(parts: &[Part]) -> (Value, bool) {
    let (mut said, mut thoughts, mut refusal) = (String::new(), String::new(), String::new());
    let (mut calls, mut images) = (vec![], vec![]);
    for part in parts {
        match part {
            Part::Text { text, .. } => said.push_str(text),
            Part::Reasoning { text, .. } => thoughts.push_str(text),
            Part::Refusal { text } => refusal.push_str(text),
            Part::ToolCall(call) => calls.push(tool_call(call, reasoning::google_extra(call.signature.as_ref()))),
            Part::Image { source, detail, .. } => images.extend(image(source, detail.as_deref())),
            Part::Opaque { value, .. } if is_call(part) => calls.push(value.clone()),
            Part::RedactedReasoning { .. } | Part::Opaque { .. } => {}
            Part::File { .. } | Part::Audio { .. } | Part::Video { .. } | Part::ToolResult(_) => {}
        }
    }
    let mut out = Map::new();
    out.insert("role".to_owned(), "assistant".into());
    let is_null = said.is_empty() && !(calls.is_empty() && refusal.is_empty());
    out.insert("content".to_owned(), if is_null { Value::Null } else { said.into() });
    out.insert("refusal".to_owned(), if refusal.is_empty() { Value::Null } else { refusal.into() });
    if !thoughts.is_empty() {
        out.insert("reasoning_content".to_owned(), thoughts.into());
    }
    let calls_tool = !calls.is_empty();
    for (key, list) in [("reasoning_details", reasoning::write(parts)), ("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            out.insert(key.to_owned(), list.into());
        }
    }
    (Value::Object(out), calls_tool)
}
