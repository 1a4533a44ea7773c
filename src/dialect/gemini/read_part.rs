//! One part of a caller's content.

use serde_json::{Map, Value};

use super::{
    media,
    members::Members,
    read_contents::{Open, Scope},
    seal::{self, Proof},
};
use crate::{
    chat::{
        Dialect,
        request::{Part, Signature, ToolCall, ToolResult},
    },
    error::Error,
    wire::json::json_text,
};

const KINDS: [&str; 5] = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
const RESOLUTIONS: [&str; 4] =
    ["MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"];

pub(super) struct Piece {
    pub part: Part,
    /// Streams cut one text, or one thought, into parts: this is the next stretch of what stands before.
    pub goes_on: bool,
}

impl From<Part> for Piece {
    fn from(part: Part) -> Self {
        Self { part, goes_on: false }
    }
}

pub(super) fn read_part(mut part: Members, is_model: bool, scope: &mut Scope) -> Result<Vec<Piece>, Error> {
    if !KINDS.iter().any(|kind| part.has(kind)) {
        return Ok(read_other(part, scope));
    }
    let signed = part.text("thoughtSignature")?;
    let proof = signed.and_then(seal::unseal);
    let is_thought = part.flag("thought")?.unwrap_or(false);
    let mut out: Vec<Piece> = vec![];
    if let Some(call) = part.object("functionCall")? {
        out.push(Part::ToolCall(read_call(call, own(proof), scope)?).into());
    } else if let Some(result) = part.object("functionResponse")? {
        out.push(Part::ToolResult(read_result(result, scope)?).into());
    } else if is_thought {
        let text = part.text("text")?.unwrap_or_default();
        match proof {
            Some(Proof::Redacted { data, dialect }) => out.push(Part::RedactedReasoning { data, dialect }.into()),
            proof => out.push(Piece { part: Part::Reasoning { text, signature: own(proof) }, goes_on: true }),
        }
    } else {
        read_said(&mut part, own(proof), is_model, scope, &mut out)?;
    }
    part.leave(&mut scope.dropped);
    Ok(out)
}

fn own(proof: Option<Proof>) -> Option<Signature> {
    match proof? {
        Proof::Own(signature) => Some(signature),
        Proof::Redacted { .. } => None,
    }
}

/// What only Google knows, as it is; alone with a signature nothing but that.
fn read_other(part: Members, scope: &mut Scope) -> Vec<Piece> {
    let mut fields = part.into_map();
    if fields.keys().all(|key| matches!(key.as_str(), "thoughtSignature" | "thought_signature" | "thought")) {
        let signed = fields.shift_remove("thoughtSignature").or_else(|| fields.shift_remove("thought_signature"));
        let signature = signed.and_then(|text| own(seal::unseal(text.as_str()?.to_owned())));
        scope.bare |= signature.is_some();
        return signature.map(proof).into_iter().collect();
    }
    vec![Part::Opaque { dialect: Dialect::Gemini, value: Value::Object(fields) }.into()]
}

/// The signature of what follows, or of nothing visible.
fn proof(signature: Signature) -> Piece {
    Part::Reasoning { text: String::new(), signature: Some(signature) }.into()
}

/// Text and media.
fn read_said(
    part: &mut Members,
    signature: Option<Signature>,
    is_model: bool,
    scope: &mut Scope,
    out: &mut Vec<Piece>,
) -> Result<(), Error> {
    let text = part.text("text")?;
    if text.as_deref() == Some("") {
        scope.bare |= signature.is_some();
        out.extend(signature.map(proof));
        return Ok(());
    }
    let is_signed = signature.is_some();
    let after_bare = std::mem::take(&mut scope.bare);
    match signature {
        Some(signature) => out.push(proof(signature)),
        None if after_bare => out.push(Part::text("").into()),
        None => {}
    }
    let after_sealed = std::mem::replace(&mut scope.sealed, is_signed);
    if let Some(text) = text {
        out.push(Piece { part: Part::text(text), goes_on: is_model && !is_signed && !after_sealed && !after_bare });
        return Ok(());
    }
    let (fps, detail) = (read_fps(part, scope)?, read_detail(part, scope)?);
    out.push(media::read(part, fps, detail, &mut scope.dropped)?.into());
    Ok(())
}

/// `videoMetadata`, of which only frames a second have a common word.
fn read_fps(part: &mut Members, scope: &mut Scope) -> Result<Option<serde_json::Number>, Error> {
    let Some(mut metadata) = part.object("videoMetadata")? else { return Ok(None) };
    let fps = metadata.number("fps")?;
    metadata.leave(&mut scope.dropped);
    Ok(fps)
}

fn read_detail(part: &mut Members, scope: &mut Scope) -> Result<Option<String>, Error> {
    let Some(mut resolution) = part.object("mediaResolution")? else { return Ok(None) };
    let path = resolution.path_of("level");
    let detail = match resolution.word("level", &RESOLUTIONS)?.as_deref() {
        Some("MEDIA_RESOLUTION_LOW") => Some("low".to_owned()),
        Some("MEDIA_RESOLUTION_HIGH") => Some("high".to_owned()),
        None | Some("MEDIA_RESOLUTION_UNSPECIFIED") => None,
        Some(_) => {
            scope.dropped.push(path);
            None
        }
    };
    resolution.leave(&mut scope.dropped);
    Ok(detail)
}

fn read_call(mut call: Members, signature: Option<Signature>, scope: &mut Scope) -> Result<ToolCall, Error> {
    let given = call.text("id")?.filter(|id| !id.is_empty());
    let name = call.text("name")?.unwrap_or_default();
    let arguments = call.take("args").map_or_else(|| "{}".to_owned(), |args| json_text(&args));
    call.leave(&mut scope.dropped);
    let minted = given.is_none();
    let id = given.unwrap_or_else(|| mint(scope));
    scope.calls += 1;
    scope.open.push(Open { id: id.clone(), name: name.clone(), minted });
    Ok(ToolCall { id, name, arguments, signature, ..ToolCall::default() })
}

/// Counted over the conversation, so that the next turn finds the same ids.
fn mint(scope: &Scope) -> String {
    format!("call_{}", scope.calls)
}

fn read_result(mut result: Members, scope: &mut Scope) -> Result<ToolResult, Error> {
    let given = result.text("id")?.filter(|id| !id.is_empty());
    let name = result.text("name")?.unwrap_or_default();
    let (mut parts, is_error) = read_response(result.take("response"));
    for mut media in result.objects("parts")? {
        parts.push(media::read(&mut media, None, None, &mut scope.dropped)?);
        media.leave(&mut scope.dropped);
    }
    result.leave(&mut scope.dropped);
    let call = find(given.as_deref(), &name, &scope.open).map(|at| scope.open.remove(at));
    let (id, called) = match (call, given) {
        (Some(call), _) => (call.id, call.name),
        (None, Some(id)) => (id, String::new()),
        (None, None) => {
            let id = mint(scope);
            scope.calls += 1;
            (id, String::new())
        }
    };
    Ok(ToolResult { id, name: if name.is_empty() { called } else { name }, parts, is_error, cache: None })
}

/// The call that a result answers: of its id, else the first of its name.
fn find(id: Option<&str>, name: &str, open: &[Open]) -> Option<usize> {
    let of_name = |call: &Open| call.name == name || name.is_empty();
    match id {
        Some(id) => {
            let same = open.iter().position(|call| call.id == id);
            same.or_else(|| open.iter().position(|call| call.minted && of_name(call)))
        }
        None => open.iter().position(of_name),
    }
}

/// An object's words: a lone `result` or `output` is the text itself, and a lone `error` says that it failed.
fn read_response(response: Option<Value>) -> (Vec<Part>, bool) {
    let response = match response {
        None => return (vec![], false),
        Some(Value::Object(fields)) => fields,
        Some(value) => return (vec![Part::text(plain(value))], false),
    };
    match single(&response) {
        Some(("result" | "output", Value::String(text))) => (vec![Part::text(text.as_str())], false),
        Some(("error", error)) if !error.is_null() => (vec![Part::text(plain(error.clone()))], true),
        _ => (vec![Part::text(json_text(&Value::Object(response)))], false),
    }
}

fn single(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut all = fields.iter();
    let first = all.next().filter(|_| fields.len() == 1)?;
    Some((first.0.as_str(), first.1))
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => json_text(&other),
    }
}
