//! A caller's input items, read into turns.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    item,
    part::read_content,
    seal::{self, Seal},
    text,
    tools::flat_name,
};
use crate::{
    chat::request::{Message, Part, Role, Signature, ToolCall, ToolResult},
    dialect::openai_chat::results_first,
    error::Error,
    wire::{
        compose::Members,
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// Members of an item that name it where it is stored: they tell a model nothing.
const IDENTITY: [&str; 2] = ["id", "status"];

pub(super) fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Message>, Error> {
    let mut turns = Turns::default();
    if let Some(text) = top.take_str("instructions")?.filter(|text| !text.is_empty()) {
        turns.push(Role::System, vec![Part::text(text)]);
    }
    let path = top.path_of("input");
    match top.take("input") {
        None => return Err(missing(&path)),
        Some(Value::Array(list)) => {
            turns.proofs = list.iter().filter_map(call_proof).collect();
            for (i, item) in list.into_iter().enumerate() {
                turns.read(Fields::read(item, format!("{path}[{i}]"))?, dropped)?;
            }
        }
        Some(input) => {
            let parts = read_content(input, &path, dropped)?;
            turns.push(Role::User, parts);
        }
    }
    turns.messages.iter_mut().for_each(|message| results_first(&mut message.parts));
    Ok(turns.messages)
}

/// The proof of a call that travels in an item of its own.
fn call_proof(item: &Value) -> Option<(String, Signature)> {
    match seal::open(text(item, "encrypted_content")?)? {
        Seal::Call { id, signature } => Some((id, signature)),
        Seal::Own(_) | Seal::Unsigned | Seal::Hidden { .. } => None,
    }
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
    /// Names of the called tools by the id of the call.
    names: HashMap<String, String>,
    /// Proofs by the id of the call.
    proofs: HashMap<String, Signature>,
}

impl Turns {
    fn read(&mut self, mut item: Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
        let kind = match item.take_str("type")? {
            None if item.peek("role").is_none() => return Err(missing(&item.path_of("type"))),
            kind => kind.unwrap_or_else(|| "message".to_owned()),
        };
        match kind.as_str() {
            "message" => self.read_message(&mut item, dropped)?,
            "function_call" | "custom_tool_call" => self.read_call(&mut item, kind == "custom_tool_call")?,
            "function_call_output" | "custom_tool_call_output" => self.read_result(&mut item, dropped)?,
            "reasoning" => {
                let value = Value::Object(item.into_map());
                self.push(Role::Assistant, reasoning(&value).into_iter().collect());
                return Ok(());
            }
            "item_reference" => return Err(stored(&item.path_of("id"), "item")),
            _ => {
                // What the caller's side did is told in items of these names.
                let role = if kind.ends_with("_output") || kind.ends_with("_response") { Role::User } else { Role::Assistant };
                let mut value = item.into_map();
                value.put("type", kind);
                self.push(role, vec![item::opaque(&Value::Object(value))]);
                return Ok(());
            }
        }
        for key in IDENTITY {
            item.take(key);
        }
        item.leave(dropped);
        Ok(())
    }

    fn read_message(&mut self, item: &mut Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
        let role = match item.need_str("role")?.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(must_be(&item.path_of("role"), "`user`, `assistant`, `system` or `developer`")),
        };
        let path = item.path_of("content");
        let parts = read_content(item.take("content").unwrap_or_default(), &path, dropped)?;
        self.push(role, parts);
        Ok(())
    }

    fn read_call(&mut self, item: &mut Fields, custom: bool) -> Result<(), Error> {
        let (id, name) = (item.need_str("call_id")?, item.need_str("name")?);
        let name = item.take_str("namespace")?.map_or_else(|| name.clone(), |space| flat_name(&space, &name));
        let arguments = match item.take(if custom { "input" } else { "arguments" }) {
            Some(Value::String(text)) => text,
            Some(value) => json_text(&value),
            None => String::new(),
        };
        self.names.insert(id.clone(), name.clone());
        let signature = self.proofs.remove(&id);
        let call = ToolCall { id, name, arguments, custom, signature, cache: None };
        self.push(Role::Assistant, vec![Part::ToolCall(call)]);
        Ok(())
    }

    fn read_result(&mut self, item: &mut Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
        let id = item.need_str("call_id")?;
        let path = item.path_of("output");
        let parts = match item.take("output") {
            None => vec![],
            Some(value @ (Value::String(_) | Value::Array(_))) => read_content(value, &path, dropped)?,
            // Some give the tool's own object.
            Some(value) => vec![Part::text(json_text(&value))],
        };
        let said = item.take_str("name")?;
        item.take("namespace");
        let name = self.names.get(&id).cloned().or(said).unwrap_or_default();
        let result = Part::ToolResult(ToolResult { id, name, parts, is_error: false, cache: None });
        self.push(Role::User, vec![result]);
        Ok(())
    }

    /// A turn of the same role goes on; one that says nothing is none.
    fn push(&mut self, role: Role, mut parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role && role != Role::System => last.parts.append(&mut parts),
            _ => self.messages.push(Message { role, parts }),
        }
    }
}

/// Thoughts of an earlier turn. Those their provider stores are known to it by the item alone.
fn reasoning(item: &Value) -> Option<Part> {
    let is_open = !super::items(item, "content").is_empty();
    match item::read_reasoning(item) {
        Some(Part::Reasoning { text, signature: None }) if !is_open && is_stored(item) => {
            Some(Part::Reasoning { text, signature: Some(item::whole(item)) })
        }
        None if is_stored(item) => Some(Part::Reasoning { text: String::new(), signature: Some(item::whole(item)) }),
        found => found,
    }
}

fn is_stored(item: &Value) -> bool {
    text(item, "id").is_some() && text(item, "encrypted_content").is_none()
}

/// What cannot be known here.
pub(super) fn stored(path: &str, what: &str) -> Error {
    Error::invalid(
        path,
        format!(
            "`{path}` names a stored {what}, which only the provider that stores it knows, and this request goes to one of \
             another API. Send the whole input instead, with `store` set to false."
        ),
    )
}
