//! Content blocks, of requests and of answers.

use std::collections::HashMap;

use serde_json::Value;

use super::{answer, citation, id, seal};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Citation, Part, Signature, Source, ToolCall, ToolResult},
    },
    error::Error,
    wire::{
        base64,
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// Blocks the canonical form knows; any other is carried whole.
const KNOWN: [&str; 8] =
    ["text", "image", "document", "search_result", "tool_use", "tool_result", "thinking", "redacted_thinking"];
const PLAIN_TEXT: &str = "text/plain";

/// What is known while blocks are read in order.
#[derive(Default)]
pub(super) struct Scope {
    /// A provider's answer is read, not a caller's request.
    is_answer: bool,
    /// It came through the gateway's own tool.
    pub is_wrapped: bool,
    pub dropped: Vec<String>,
    /// Names of the tools called so far, by the id of the call.
    names: HashMap<String, String>,
    /// Signatures of calls, found in thinking blocks.
    signatures: Vec<(String, Signature)>,
}

impl Scope {
    pub(super) fn of_answer() -> Self {
        Self { is_answer: true, ..Self::default() }
    }
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
        read_block(block, format!("{path}[{i}]"), scope, &mut parts)?;
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

/// Most blocks are one part; a block that only carries a call's signature is none.
fn read_block(block: Value, path: String, scope: &mut Scope, parts: &mut Vec<Part>) -> Result<(), Error> {
    let kind = match block.get("type").and_then(Value::as_str) {
        Some("image" | "document") if !has_known_source(&block) => "",
        Some(kind) => kind,
        None => return Err(missing(&format!("{path}.type"))),
    }
    .to_owned();
    if !KNOWN.contains(&kind.as_str()) {
        parts.push(Part::Opaque { dialect: Dialect::Anthropic, value: block });
        return Ok(());
    }
    let mut fields = Fields::read(block, path)?;
    fields.take("type");
    let cache = read_cache(&mut fields, &mut scope.dropped)?;
    match kind.as_str() {
        "text" => {
            let citations = read_citations(&mut fields)?;
            parts.push(Part::Text { text: fields.need_str("text")?, cache, citations });
        }
        "image" => parts.push(Part::Image { source: read_source(&mut fields, &mut scope.dropped)?, detail: None, cache }),
        "document" => read_document(&mut fields, cache, scope, parts)?,
        "search_result" => parts.push(read_search_result(&mut fields, cache, scope)?),
        "tool_use" => parts.push(read_call(&mut fields, cache, scope)?),
        "tool_result" => parts.push(Part::ToolResult(read_result(&mut fields, cache, scope)?)),
        "redacted_thinking" => {
            let Signature { dialect, value } = seal::unseal(fields.need_str("data")?);
            parts.push(Part::RedactedReasoning { data: value, dialect });
        }
        _ => parts.extend(read_thinking(&mut fields, scope)?),
    }
    fields.leave(&mut scope.dropped);
    Ok(())
}

/// `cache_control: {type: ephemeral, ttl}`.
pub(super) fn read_cache(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<CacheHint>, Error> {
    let Some(mut mark) = fields.take_fields("cache_control")? else { return Ok(None) };
    mark.take("type");
    let hint = CacheHint { ttl: mark.take_str("ttl")? };
    mark.leave(dropped);
    Ok(Some(hint))
}

fn read_citations(fields: &mut Fields) -> Result<Vec<Citation>, Error> {
    let citations = fields.take_array("citations")?.unwrap_or_default();
    Ok(citations.into_iter().filter(Value::is_object).map(citation::read).collect())
}

/// `citations: {enabled}`, of a source: whether an answer is to cite it.
fn read_citing(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
    if let Some(mut citing) = fields.take_fields("citations")? {
        if citing.take_bool("enabled")?.unwrap_or(false) {
            dropped.push(citing.path().to_owned());
        }
        citing.leave(dropped);
    }
    Ok(())
}

fn has_known_source(block: &Value) -> bool {
    let kind = block.get("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    match kind {
        Some("base64" | "url" | "file") => true,
        Some("text" | "content") => block.get("type").is_some_and(|kind| kind == "document"),
        Some(_) | None => false,
    }
}

fn read_source(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Source, Error> {
    let path = fields.path_of("source");
    let mut source = fields.take_fields("source")?.ok_or_else(|| missing(&path))?;
    let read = match source.take_str("type")?.as_deref() {
        Some("url") => Source::Url(source.need_str("url")?),
        Some("file") => Source::Id { dialect: Dialect::Anthropic, id: source.need_str("file_id")? },
        Some("text") => {
            let media_type = source.take_str("media_type")?.unwrap_or_else(|| PLAIN_TEXT.to_owned());
            Source::Inline { media_type, data: base64::encode(source.need_str("data")?.as_bytes()) }
        }
        _ => Source::Inline { media_type: source.need_str("media_type")?, data: source.need_str("data")? },
    };
    source.leave(dropped);
    Ok(read)
}

/// What the caller says about a document is text for the model, before it.
fn read_document(fields: &mut Fields, cache: Option<CacheHint>, scope: &mut Scope, parts: &mut Vec<Part>) -> Result<(), Error> {
    let name = fields.take_str("title")?;
    read_citing(fields, &mut scope.dropped)?;
    parts.extend(fields.take_str("context")?.filter(|context| !context.is_empty()).map(Part::text));
    if fields.peek("source").and_then(|source| source.get("type")).is_some_and(|kind| kind == "content") {
        return read_made_document(fields, (name, cache), scope, parts);
    }
    parts.push(Part::File { source: read_source(fields, &mut scope.dropped)?, name, cache });
    Ok(())
}

/// A document made of blocks: a text file, or with images among them the blocks themselves.
fn read_made_document(
    fields: &mut Fields,
    (name, cache): (Option<String>, Option<CacheHint>),
    scope: &mut Scope,
    parts: &mut Vec<Part>,
) -> Result<(), Error> {
    let path = fields.path_of("source");
    let mut source = fields.take_fields("source")?.ok_or_else(|| missing(&path))?;
    source.take("type");
    let content = source.take("content").unwrap_or_default();
    let mut made = read_content(content, &source.path_of("content"), scope)?;
    source.leave(&mut scope.dropped);
    if made.iter().all(|part| matches!(part, Part::Text { .. })) {
        let source = Source::Inline { media_type: PLAIN_TEXT.to_owned(), data: base64::encode(joined(&made, "\n\n").as_bytes()) };
        parts.push(Part::File { source, name, cache });
        return Ok(());
    }
    parts.extend(name.map(Part::text));
    if let Some(Part::Text { cache: last, .. } | Part::Image { cache: last, .. }) = made.last_mut() {
        *last = cache;
    }
    parts.append(&mut made);
    Ok(())
}

/// A passage that the caller found, as text that says where it is from.
fn read_search_result(fields: &mut Fields, cache: Option<CacheHint>, scope: &mut Scope) -> Result<Part, Error> {
    let (source, title) = (fields.need_str("source")?, fields.need_str("title")?);
    read_citing(fields, &mut scope.dropped)?;
    let content = fields.take("content").unwrap_or_default();
    let passage = joined(&read_content(content, &fields.path_of("content"), scope)?, "\n");
    let text = format!("<search_result source=\"{source}\" title=\"{title}\">\n{passage}\n</search_result>");
    Ok(Part::Text { text, cache, citations: vec![] })
}

fn joined(parts: &[Part], between: &str) -> String {
    let texts: Vec<&str> =
        parts.iter().filter_map(|part| if let Part::Text { text, .. } = part { Some(text.as_str()) } else { None }).collect();
    texts.join(between)
}

fn read_call(fields: &mut Fields, cache: Option<CacheHint>, scope: &mut Scope) -> Result<Part, Error> {
    let call_id = id::decode(fields.need_str("id")?);
    let mut name = fields.need_str("name")?;
    if scope.is_answer {
        name = id::decode(name);
    }
    let arguments = fields.take("input").map(|input| json_text(&input)).unwrap_or_default();
    if scope.is_answer && name == answer::NAME {
        scope.is_wrapped = true;
        return Ok(Part::text(arguments));
    }
    // Called by the model itself, as ever; another caller (code that runs at the provider) has no name elsewhere.
    if fields.peek("caller").and_then(|caller| caller.get("type")).is_some_and(|kind| kind == "direct") {
        fields.take("caller");
    }
    scope.names.insert(call_id.clone(), name.clone());
    Ok(Part::ToolCall(ToolCall { id: call_id, name, arguments, cache, ..ToolCall::default() }))
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
