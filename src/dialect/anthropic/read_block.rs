//! Content blocks, of requests and of answers.

use std::collections::HashMap;

use serde_json::Value;

use super::{id, seal};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Part, Signature, Source, ToolCall, ToolResult},
    },
    error::Error,
    wire::{
        base64,
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// What is known while blocks are read in order.
#[derive(Default)]
pub(super) struct Scope {
    pub dropped: Vec<String>,
    /// Names of the tools called so far, by the id of the call.
    names: HashMap<String, String>,
    /// Signatures of calls, found in thinking blocks.
    signatures: Vec<(String, Signature)>,
}

/// A `content`: a string or blocks.
pub(super) fn read_content(value: Value, path: &str, scope: &mut Scope) -> Result<Vec<Part>, Error> {
    let blocks = match value {
        Value::String(text) if text.is_empty() => return Ok(vec![]),
        Value::String(text) => return Ok(vec![Part::text(text)]),
        Value::Array(blocks) => blocks,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(must_be(path, "a string or an array of blocks"));
        }
    };
    let mut parts = Vec::with_capacity(blocks.len());
    for (i, block) in blocks.into_iter().enumerate() {
        parts.extend(read_block(block, format!("{path}[{i}]"), scope)?);
    }
    for (call_id, signature) in scope.signatures.drain(..) {
        for part in &mut parts {
            if let Part::ToolCall(call) = part
                && call.id == call_id
            {
                call.signature = Some(signature.clone());
            }
        }
    }
    Ok(parts)
}

/// `None` for a block that only carries a call's signature.
fn read_block(block: Value, path: String, scope: &mut Scope) -> Result<Option<Part>, Error> {
    let kind = match block.get("type").and_then(Value::as_str) {
        Some("image" | "document") if !has_known_source(&block) => "",
        Some(kind) => kind,
        None => return Err(missing(&format!("{path}.type"))),
    }
    .to_owned();
    if !matches!(kind.as_str(), "text" | "image" | "document" | "tool_use" | "tool_result" | "thinking" | "redacted_thinking") {
        return Ok(Some(Part::Opaque { dialect: Dialect::Anthropic, value: block }));
    }
    let mut fields = Fields::read(block, path)?;
    fields.take("type");
    let cache = read_cache(&mut fields, &mut scope.dropped)?;
    let part = match kind.as_str() {
        "text" => Some(Part::Text { text: fields.need_str("text")?, cache, citations: vec![] }),
        "image" => Some(Part::Image { source: read_source(&mut fields, &mut scope.dropped)?, detail: None, cache }),
        "document" => {
            let source = read_source(&mut fields, &mut scope.dropped)?;
            Some(Part::File { source, name: fields.take_str("title")?, cache })
        }
        "tool_use" => Some(Part::ToolCall(read_call(&mut fields, cache, scope)?)),
        "tool_result" => Some(Part::ToolResult(read_result(&mut fields, cache, scope)?)),
        "redacted_thinking" => {
            let Signature { dialect, value } = seal::unseal(fields.need_str("data")?);
            Some(Part::RedactedReasoning { data: value, dialect })
        }
        _ => read_thinking(&mut fields, scope)?,
    };
    fields.leave(&mut scope.dropped);
    Ok(part)
}

/// `cache_control: {type: ephemeral, ttl}`.
pub(super) fn read_cache(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<CacheHint>, Error> {
    let Some(mut mark) = fields.take_fields("cache_control")? else { return Ok(None) };
    mark.take("type");
    let hint = CacheHint { ttl: mark.take_str("ttl")? };
    mark.leave(dropped);
    Ok(Some(hint))
}

fn has_known_source(block: &Value) -> bool {
    let kind = block.get("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    matches!(kind, Some("base64" | "url" | "file" | "text"))
}

fn read_source(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Source, Error> {
    let path = fields.path_of("source");
    let mut source = fields.take_fields("source")?.ok_or_else(|| missing(&path))?;
    let read = match source.take_str("type")?.as_deref() {
        Some("url") => Source::Url(source.need_str("url")?),
        Some("file") => Source::Id { dialect: Dialect::Anthropic, id: source.need_str("file_id")? },
        Some("text") => {
            let media_type = source.take_str("media_type")?.unwrap_or_else(|| "text/plain".to_owned());
            Source::Inline { media_type, data: base64::encode(source.need_str("data")?.as_bytes()) }
        }
        _ => Source::Inline { media_type: source.need_str("media_type")?, data: source.need_str("data")? },
    };
    source.leave(dropped);
    Ok(read)
}

fn read_call(fields: &mut Fields, cache: Option<CacheHint>, scope: &mut Scope) -> Result<ToolCall, Error> {
    let call_id = id::decode(fields.need_str("id")?);
    let name = fields.need_str("name")?;
    let arguments = fields.take("input").map(|input| json_text(&input)).unwrap_or_default();
    scope.names.insert(call_id.clone(), name.clone());
    Ok(ToolCall { id: call_id, name, arguments, cache, ..ToolCall::default() })
}

fn read_result(fields: &mut Fields, cache: Option<CacheHint>, scope: &mut Scope) -> Result<ToolResult, Error> {
    let call_id = id::decode(fields.need_str("tool_use_id")?);
    let is_error = fields.take_bool("is_error")?.unwrap_or(false);
    let parts = match fields.take("content") {
        Some(content) => read_content(content, &fields.path_of("content"), scope)?,
        None => vec![],
    };
    let name = scope.names.get(&call_id).cloned().unwrap_or_default();
    Ok(ToolResult { id: call_id, name, parts, is_error, cache })
}

/// An empty signature is what this gateway writes beside thoughts that came without one.
fn read_thinking(fields: &mut Fields, scope: &mut Scope) -> Result<Option<Part>, Error> {
    let text = fields.take_str("thinking")?.unwrap_or_default();
    let signature = fields.take_str("signature")?.filter(|signature| !signature.is_empty());
    if let Some(of_call) = signature.as_deref().and_then(seal::unseal_call) {
        scope.signatures.push(of_call);
        return Ok(None);
    }
    Ok(Some(Part::Reasoning { text, signature: signature.map(seal::unseal) }))
}
