//! Items of an answer, read with good will.

use serde_json::{Map, Value};

use super::{
    items, piece,
    seal::{self, Seal},
    text,
};
use crate::{
    chat::{
        Dialect,
        request::{Part, Signature, Source, ToolCall},
        response::TokenLogprob,
    },
    wire::{compose::Members, json::json_text},
};

/// Between the paragraphs of a summary.
pub(super) const PARAGRAPH: &str = "\n\n";

/// What one item of an answer tells.
pub(super) fn read(item: &Value) -> (Vec<Part>, Vec<TokenLogprob>) {
    let mut logprobs = vec![];
    let parts = match text(item, "type") {
        Some("message") => {
            let content = items(item, "content");
            logprobs.extend(content.iter().flat_map(piece::read_logprobs));
            content.iter().filter_map(read_content).collect()
        }
        Some("reasoning") => read_reasoning(item).into_iter().collect(),
        Some("function_call" | "custom_tool_call") => vec![Part::ToolCall(read_call(item))],
        Some("image_generation_call") => vec![read_image(item).unwrap_or_else(|| opaque(item))],
        Some(_) => vec![opaque(item)],
        None => vec![],
    };
    (parts, logprobs)
}

pub(super) fn opaque(item: &Value) -> Part {
    Part::Opaque { dialect: Dialect::OpenAiResponses, value: item.clone() }
}

/// A content part of a message.
pub(super) fn read_content(part: &Value) -> Option<Part> {
    match text(part, "type")? {
        "refusal" => text(part, "refusal").map(|refusal| Part::Refusal { text: refusal.to_owned() }),
        _ => text(part, "text").map(|said| Part::Text {
            text: said.to_owned(),
            cache: None,
            citations: piece::read_citations(part),
        }),
    }
}

pub(super) fn read_call(item: &Value) -> ToolCall {
    let custom = text(item, "type") == Some("custom_tool_call");
    let said = item.get(if custom { "input" } else { "arguments" }).filter(|said| !said.is_null());
    ToolCall {
        id: text(item, "call_id").or_else(|| text(item, "id")).unwrap_or_default().to_owned(),
        name: text(item, "name").unwrap_or_default().to_owned(),
        // Some send the object itself.
        arguments: said.map(|said| said.as_str().map_or_else(|| json_text(said), str::to_owned)).unwrap_or_default(),
        custom,
        ..ToolCall::default()
    }
}

pub(super) fn read_image(item: &Value) -> Option<Part> {
    let data = text(item, "result")?.to_owned();
    let media_type = format!("image/{}", text(item, "output_format").unwrap_or("png"));
    Some(Part::Image { source: Source::Inline { media_type, data }, detail: None, cache: None })
}

/// What is thought in the open: a summary, or with open models the thoughts themselves.
pub(super) fn thoughts(item: &Value) -> String {
    let joined = |key: &str| items(item, key).iter().filter_map(|part| text(part, "text")).collect::<Vec<_>>().join(PARAGRAPH);
    let summary = joined("summary");
    if summary.is_empty() { joined("content") } else { summary }
}

/// The proof that goes back with the thoughts: the whole item, for OpenAI checks that its id fits.
pub(super) fn proof(item: &Value) -> Option<Signature> {
    let sealed = text(item, "encrypted_content")?;
    match seal::open(sealed) {
        Some(Seal::Own(signature)) => Some(signature),
        Some(Seal::Unsigned | Seal::Call { .. } | Seal::Hidden { .. }) => None,
        None => Some(whole(item)),
    }
}

pub(super) fn whole(item: &Value) -> Signature {
    let kept = item.as_object().into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "type" | "status"));
    let kept: Map<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    Signature { dialect: Dialect::OpenAiResponses, value: json_text(&Value::Object(kept)) }
}

/// The item that a proof of this dialect was made of.
pub(super) fn restored(proof: &str) -> Option<Value> {
    let Ok(Value::Object(mut kept)) = serde_json::from_str::<Value>(proof) else { return None };
    // A proof comes from the caller: it must not become an item of another kind.
    kept.shift_remove("type");
    let mut item = Map::new();
    item.put("type", "reasoning");
    item.extend(kept);
    item.entry("summary").or_insert_with(|| Value::Array(vec![]));
    Some(Value::Object(item))
}

/// `None` for an item that says nothing: its provider keeps the rest for itself.
pub(super) fn read_reasoning(item: &Value) -> Option<Part> {
    if let Some(Seal::Hidden { dialect, data }) = text(item, "encrypted_content").and_then(seal::open) {
        return Some(Part::RedactedReasoning { data, dialect });
    }
    let (text, signature) = (thoughts(item), proof(item));
    (!text.is_empty() || signature.is_some()).then_some(Part::Reasoning { text, signature })
}
