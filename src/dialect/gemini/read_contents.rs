//! The turns of a caller: `systemInstruction` and `contents`.

use serde_json::Value;

use super::{
    members::Members,
    read_part::{Piece, read_part},
};
use crate::{
    chat::request::{Message, Part, Role},
    error::Error,
    wire::{
        compose::json,
        fields::{missing, must_be},
    },
};

/// What is known while contents are read in order.
#[derive(Default)]
pub(super) struct Scope {
    pub dropped: Vec<String>,
    /// Calls so far, for ids where there are none.
    pub calls: usize,
    /// Calls of the last turn of the model.
    pub open: Vec<Open>,
    /// The last part was a signature without a text: it is not the next part's.
    pub bare: bool,
    /// The last text is signed: its signature is of it alone.
    pub sealed: bool,
}

pub(super) struct Open {
    pub id: String,
    pub name: String,
    /// The caller gave no id: results of the same name belong here.
    pub minted: bool,
}

pub(super) fn read(body: &mut Members) -> Result<(Vec<Message>, Vec<String>), Error> {
    let (mut scope, mut messages) = (Scope::default(), vec![]);
    let path = body.path_of("systemInstruction");
    if let Some(system) = body.take("systemInstruction") {
        read_system(system, path, &mut scope, &mut messages)?;
    }
    if !body.has("contents") {
        return Err(missing("contents"));
    }
    let mut was_user = true;
    for (i, content) in body.list("contents").into_iter().enumerate() {
        let mut content = read_content(content, format!("contents[{i}]"))?;
        let role = read_role(&mut content)?;
        if role == Role::Assistant && was_user {
            scope.open.clear();
        }
        was_user = role == Role::User;
        for part in content.objects("parts")? {
            for piece in read_part(part, role == Role::Assistant, &mut scope)? {
                push(&mut messages, role, piece);
            }
        }
        content.leave(&mut scope.dropped);
    }
    for message in &mut messages {
        let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
        let (results, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut message.parts).into_iter().partition(is_result);
        message.parts = results;
        message.parts.extend(rest);
    }
    Ok((messages, scope.dropped))
}

fn read_content(content: Value, path: String) -> Result<Members, Error> {
    let content = match content {
        Value::String(text) => json!({ "parts": [{ "text": text }] }),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other,
    };
    Members::read(content, path)
}

/// A content, a part, several parts or a string.
fn read_system(system: Value, path: String, scope: &mut Scope, messages: &mut Vec<Message>) -> Result<(), Error> {
    let is_content = system.get("parts").is_some();
    let system = if is_content || system.is_string() { system } else { json!({ "parts": system }) };
    let mut content = read_content(system, path)?;
    // Ignored by Google.
    content.take("role");
    let mut parts = vec![];
    for part in content.objects("parts")? {
        parts.extend(read_part(part, false, scope)?.into_iter().map(|piece| piece.part));
    }
    content.leave(&mut scope.dropped);
    if !parts.is_empty() {
        messages.push(Message { role: Role::System, parts });
    }
    Ok(())
}

fn read_role(content: &mut Members) -> Result<Role, Error> {
    let path = content.path_of("role");
    match content.text("role")?.as_deref() {
        None | Some("" | "user" | "function" | "tool") => Ok(Role::User),
        Some("model" | "assistant") => Ok(Role::Assistant),
        Some(_) => Err(must_be(&path, "`user` or `model`")),
    }
}

/// Calls and thoughts are the model's and results the user's, whoever is said to speak. Neighbours of one role are one turn.
fn push(messages: &mut Vec<Message>, role: Role, piece: Piece) {
    let Piece { part, goes_on } = piece;
    let role = match part {
        Part::ToolCall(_) | Part::Reasoning { .. } | Part::RedactedReasoning { .. } => Role::Assistant,
        Part::ToolResult(_) => Role::User,
        Part::Text { .. }
        | Part::Image { .. }
        | Part::File { .. }
        | Part::Audio { .. }
        | Part::Video { .. }
        | Part::Refusal { .. }
        | Part::Opaque { .. } => role,
    };
    let message = match messages.last_mut() {
        Some(last) if last.role == role => last,
        _ => messages.push_mut(Message { role, parts: vec![] }),
    };
    match (message.parts.last_mut(), part) {
        (Some(Part::Text { text, .. }), Part::Text { text: more, .. }) if goes_on => text.push_str(&more),
        (Some(Part::Reasoning { text, signature: proof @ None }), Part::Reasoning { text: more, signature }) if goes_on => {
            text.push_str(&more);
            *proof = signature;
        }
        (_, part) => message.parts.push(part),
    }
}
