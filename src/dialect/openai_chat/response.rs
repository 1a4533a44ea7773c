//! Whole answers, read.

use serde_json::Value;

use super::{
    audio, citations, data_url, error, items, logprobs, reasoning,
    stop::{self, Stop},
    text, usage,
};
use crate::{
    chat::{
        event::UpstreamError,
        request::{Part, ToolCall},
        response::{Choice, Response},
    },
    sorted,
    wire::{compose::json, json::json_text},
};

/// Characters of an answer's id in the ids made up for its calls.
const ID_PART: usize = 24;

pub fn read(body: &str) -> Result<Response, UpstreamError> {
    let value = serde_json::from_str::<Value>(body).map_err(|_| failed("The provider's answer is not JSON."))?;
    if is_error(&value) {
        return Err(error::of_value(0, &value));
    }
    let choices = in_order(&value);
    let Some((first, others)) = choices.split_first() else { return Err(failed("The provider's answer has no choice.")) };
    let id = text(&value, "id");
    let mut answer = read_choice(first, id, 0)?;
    if let Some(Part::Text { citations, .. }) =
        answer.parts.iter_mut().rfind(|part| matches!(part, Part::Text { .. })).filter(|part| !is_cited(part))
    {
        citations.extend(citations::sources(&value));
    }
    let counted = usage::find(&value, Some(first));
    Ok(Response {
        id: id.map(str::to_owned),
        model: text(&value, "model").map(str::to_owned),
        parts: answer.parts,
        stop: answer.stop,
        stop_sequence: None,
        logprobs: answer.logprobs,
        more: others.iter().enumerate().map(|(i, choice)| read_choice(choice, id, i + 1)).collect::<Result<_, _>>()?,
        usage: counted.map(|(usage, _)| usage),
        raw_usage: counted.map(|(_, raw)| raw.clone()),
        service_tier: text(&value, "service_tier").map(str::to_owned),
    })
}

fn failed(message: &str) -> UpstreamError {
    UpstreamError { message: message.to_owned(), ..UpstreamError::default() }
}

/// The choices by their number; who numbers nothing has them in order.
fn in_order(value: &Value) -> Vec<&Value> {
    sorted::in_order(items(value, "choices"), |a, b| number(a) <= number(b))
}

pub fn number(choice: &Value) -> u64 {
    choice.get("index").and_then(Value::as_u64).unwrap_or(0)
}

fn is_cited(part: &Part) -> bool {
    matches!(part, Part::Text { citations, .. } if !citations.is_empty())
}

fn read_choice(choice: &Value, id: Option<&str>, place: usize) -> Result<Choice, UpstreamError> {
    if is_error(choice) {
        return Err(error::of_value(0, choice));
    }
    let parts = match choice.get("message") {
        Some(message) => read_message(message, id, place),
        // Of a text completion.
        None => text(choice, "text").map(Part::text).into_iter().collect(),
    };
    let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let stop = match stop::read(text(choice, "finish_reason").unwrap_or_default(), calls) {
        Stop::Reason(reason) => reason,
        Stop::Failed => return Err(failed("The provider gave up on this answer.")),
    };
    Ok(Choice { parts, stop, stop_sequence: None, logprobs: logprobs::read(choice) })
}

/// An error can come in a 200 (OpenRouter), and an empty one beside an answer says nothing.
pub fn is_error(value: &Value) -> bool {
    value.get("error").is_some_and(|e| e.is_object() || e.as_str().is_some_and(|e| !e.is_empty()))
}

fn read_message(message: &Value, id: Option<&str>, choice: usize) -> Vec<Part> {
    let details = items(message, "reasoning_details");
    let mut thoughts = reasoning::read(details, reasoning::plain(message));
    if let Some(signature) = reasoning::google_signature(message) {
        thoughts.extend(reasoning::read(&[reasoning::signed("", Some(&signature), thoughts.len())], None));
    }
    let mut parts = read_content(message);
    citations::attach(&mut parts, message.get("annotations"));
    if let Some(refusal) = text(message, "refusal") {
        parts.push(Part::Refusal { text: refusal.to_owned() });
    }
    for image in items(message, "images") {
        parts.extend(read_image(image));
    }
    parts.extend(message.get("audio").and_then(audio::read_said));
    let legacy = message.get("function_call").filter(|call| call.is_object()).map(|call| json!({"function": call}));
    for (place, call) in items(message, "tool_calls").iter().chain(&legacy).enumerate() {
        parts.push(read_call(call, id, (choice, place)));
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

fn read_call(call: &Value, id: Option<&str>, place: (usize, usize)) -> Part {
    let custom = call.get("custom").filter(|custom| custom.is_object());
    let function = custom.or_else(|| call.get("function")).unwrap_or(call);
    Part::ToolCall(ToolCall {
        id: text(call, "id").map_or_else(|| made_up_id(id, place), str::to_owned),
        name: text(function, "name").unwrap_or_default().to_owned(),
        arguments: arguments(function).unwrap_or_default(),
        custom: custom.is_some(),
        signature: reasoning::google_signature(call),
        cache: None,
    })
}

/// The arguments as text, or the input of a custom tool; some send the object itself.
pub fn arguments(function: &Value) -> Option<String> {
    let found = function.get("arguments").or_else(|| function.get("input")).filter(|arguments| !arguments.is_null())?;
    Some(found.as_str().map_or_else(|| json_text(found), str::to_owned))
}

/// An id for a call that has none: unlike those of other answers, for all of them meet in one history.
pub fn made_up_id(answer: Option<&str>, (choice, place): (usize, usize)) -> String {
    let part: String = answer.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    let tail = part.get(part.len().saturating_sub(ID_PART)..).unwrap_or_default();
    let choice = if choice == 0 { String::new() } else { format!("{choice}_") };
    format!("call_{tail}_{choice}{place}")
}
