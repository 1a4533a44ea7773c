//! Thoughts as `reasoning_details`, which keep what their provider must get back.
//!
//! `index` is the block's place in the turn, so thoughts between tool calls find back to their place.

use serde_json::Value;

use super::{Dialect, items, text};
use crate::{
    chat::request::{Part, Signature},
    wire::compose::json,
};

/// What the kinds of details begin with.
const OURS: &str = "reasoning.";

/// A part of a turn and its place.
pub struct Detail {
    at: usize,
    part: Part,
}

/// Names for whose proof it is, OpenRouter's where it has one, and what they begin with.
const FORMATS: [(Dialect, &str, &str); 5] = [
    (Dialect::Anthropic, "anthropic-claude-v1", "anthropic"),
    (Dialect::Gemini, "google-gemini-v1", "google"),
    (Dialect::Gemini, "google-gemini-v1", "gemini"),
    (Dialect::OpenAiResponses, "openai-responses-v1", "openai-responses"),
    (Dialect::Converse, "bedrock-converse-v1", "bedrock-converse"),
];

fn format_name(dialect: Dialect) -> Option<&'static str> {
    FORMATS.iter().find(|(known, _, _)| *known == dialect).map(|(_, name, _)| *name)
}

pub fn dialect_of(detail: &Value) -> Dialect {
    let format = text(detail, "format").unwrap_or_default();
    FORMATS.iter().find(|(_, _, start)| format.starts_with(start)).map_or(Dialect::OpenAiChat, |(dialect, _, _)| *dialect)
}

/// The thoughts of a whole turn: from `details`, and from `plain` text where those tell none.
pub fn read(details: &[Value], plain: Option<&str>) -> Vec<Detail> {
    let mut found: Vec<Detail> = vec![];
    for (i, item) in details.iter().enumerate() {
        let at = item.get("index").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(i);
        let Some(part) = read_detail(item) else { continue };
        // Clients that collect a stream give back its fragments.
        if let (
            Some(Detail { at: last_at, part: Part::Reasoning { text: before, signature: open @ None } }),
            Part::Reasoning { text, signature },
        ) = (found.last_mut(), &part)
            && *last_at == at
        {
            before.push_str(text);
            open.clone_from(signature);
        } else {
            found.push(Detail { at, part });
        }
    }
    let told = found.iter().any(|d| matches!(&d.part, Part::Reasoning { text, .. } if !text.is_empty()));
    if let Some(plain) = plain.filter(|plain| !told && !plain.is_empty()) {
        found.insert(0, Detail { at: 0, part: Part::Reasoning { text: plain.to_owned(), signature: None } });
    }
    found
}

/// One detail as a part; `None` when it says nothing.
pub fn read_detail(item: &Value) -> Option<Part> {
    let dialect = dialect_of(item);
    match text(item, "type")? {
        "reasoning.text" => {
            let signature = text(item, "signature").map(|value| Signature { dialect, value: value.to_owned() });
            let text = text(item, "text").unwrap_or_default().to_owned();
            (signature.is_some() || !text.is_empty()).then_some(Part::Reasoning { text, signature })
        }
        "reasoning.summary" => text(item, "summary").map(|t| Part::Reasoning { text: t.to_owned(), signature: None }),
        // Those of Responses are OpenRouter's own rendering of an item: only it can put that together again.
        "reasoning.encrypted" if !matches!(dialect, Dialect::OpenAiChat | Dialect::OpenAiResponses) => {
            text(item, "data").map(|data| Part::RedactedReasoning { data: data.to_owned(), dialect })
        }
        kind if kind.starts_with(OURS) => Some(Part::Opaque { dialect: Dialect::OpenAiChat, value: item.clone() }),
        _ => None,
    }
}

/// The parts of a turn with its thoughts at their places.
pub fn weave(details: Vec<Detail>, others: Vec<Part>) -> Vec<Part> {
    let mut parts = Vec::with_capacity(details.len() + others.len());
    let mut others = others.into_iter();
    for detail in details {
        while parts.len() < detail.at {
            let Some(other) = others.next() else { break };
            parts.push(other);
        }
        parts.push(detail.part);
    }
    parts.extend(others);
    parts
}

/// The details of a turn; empty when plain text says it all.
pub fn write(parts: &[Part]) -> Vec<Value> {
    let opaque = parts.iter().any(|part| match part {
        Part::Reasoning { signature, .. } => signature.is_some(),
        Part::RedactedReasoning { .. } => true,
        Part::Opaque { .. } => is_detail(part),
        Part::Text { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::Refusal { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_) => false,
    });
    if !opaque {
        return vec![];
    }
    parts.iter().enumerate().filter_map(|(index, part)| write_detail(part, index)).collect()
}

/// Whether a part is a detail in this dialect's own words.
pub fn is_detail(part: &Part) -> bool {
    let Part::Opaque { dialect: Dialect::OpenAiChat, value } = part else { return false };
    text(value, "type").is_some_and(|kind| kind.starts_with(OURS))
}

fn write_detail(part: &Part, index: usize) -> Option<Value> {
    match part {
        Part::Reasoning { text, signature } => Some(signed(text, signature.as_ref(), index)),
        Part::RedactedReasoning { data, dialect } => Some(encrypted(data, *dialect, index)),
        Part::Opaque { value, .. } if is_detail(part) => Some(value.clone()),
        Part::Opaque { .. }
        | Part::Text { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::Refusal { .. }
        | Part::ToolCall(_)
        | Part::ToolResult(_) => None,
    }
}

pub fn signed(text: &str, signature: Option<&Signature>, index: usize) -> Value {
    let mut detail = json!({"type": "reasoning.text", "text": text});
    if let Some(signature) = signature {
        detail["signature"] = signature.value.as_str().into();
        if let Some(format) = format_name(signature.dialect) {
            detail["format"] = format.into();
        }
    }
    detail["index"] = index.into();
    detail
}

pub fn encrypted(data: &str, dialect: Dialect, index: usize) -> Value {
    json!({"type": "reasoning.encrypted", "data": data, "format": format_name(dialect), "index": index})
}

/// Plain thoughts under any of their names.
pub fn plain(message: &Value) -> Option<&str> {
    text(message, "reasoning_content").or_else(|| text(message, "reasoning"))
}

/// The thoughts in a `thinking` content part (Mistral).
pub fn thinking(part: &Value) -> String {
    match text(part, "thinking") {
        Some(thought) => thought.to_owned(),
        None => items(part, "thinking").iter().filter_map(|item| text(item, "text")).collect(),
    }
}

/// The signature Google's own compatible endpoint puts beside calls and messages.
pub fn google_signature(holder: &Value) -> Option<Signature> {
    let value = holder.get("extra_content")?.get("google").and_then(|google| text(google, "thought_signature"))?;
    Some(Signature { dialect: Dialect::Gemini, value: value.to_owned() })
}

/// The same, written: only Google's signatures have a place beside a call.
pub fn google_extra(signature: Option<&Signature>) -> Option<Value> {
    let signature = signature.filter(|signature| signature.dialect == Dialect::Gemini)?;
    Some(json!({"google": {"thought_signature": &signature.value}}))
}
