//! A caller's messages, read into turns.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    audio, citations,
    parts::{read_content, read_part},
    reasoning,
    request_tools::read_cache,
};
use crate::{
    chat::{
        Dialect,
        request::{Message, Part, Role, ToolCall, ToolResult},
    },
    error::Error,
    sorted::SortedMap,
    wire::{
        compose::Members,
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// Open calls that a result without an id is compared with: more than any model makes at once.
const MAX_LOOK: usize = 256;

pub fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Message>, Error> {
    if top.peek("messages").is_none() {
        return Err(missing("messages"));
    }
    let mut turns = Turns::default();
    for (place, message) in top.take_objects("messages")?.into_iter().enumerate() {
        turns.read(message, place, dropped)?;
    }
    Ok(turns.arranged())
}

/// Results come before the other parts of their user turn.
pub(in crate::dialect) fn results_first(parts: &mut Vec<Part>) {
    if parts.is_sorted_by_key(|part| !matches!(part, Part::ToolResult(_))) {
        return;
    }
    let (results, rest): (Vec<_>, Vec<_>) =
        std::mem::take(parts).into_iter().partition(|part| matches!(part, Part::ToolResult(_)));
    *parts = results;
    parts.extend(rest);
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
    /// Names of the called tools by the id of the call.
    names: HashMap<String, String>,
    /// Ids of the calls whose results have not come yet, by their place among all, and the places of each id.
    open: SortedMap<usize, String>,
    places: HashMap<String, Vec<usize>>,
    calls: usize,
}

impl Turns {
    fn read(&mut self, mut message: Fields, place: usize, dropped: &mut Vec<String>) -> Result<(), Error> {
        let role = message.need_str("role")?;
        match role.as_str() {
            "system" | "developer" => {
                let parts = read_content(&mut message, dropped)?;
                self.push(Role::System, parts);
            }
            "user" => {
                let parts = read_content(&mut message, dropped)?;
                self.push_user(parts);
            }
            "assistant" => {
                let parts = self.read_assistant(&mut message, place, dropped)?;
                self.push(Role::Assistant, parts);
            }
            "tool" => {
                let id = message.take_str("tool_call_id")?;
                self.push_result(id, &mut message, dropped)?;
            }
            "function" => self.push_result(None, &mut message, dropped)?,
            _ => return Err(must_be(&message.path_of("role"), "`system`, `developer`, `user`, `assistant` or `tool`")),
        }
        message.leave(dropped);
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

    fn push_result(&mut self, id: Option<String>, message: &mut Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
        let said = message.take_str("name")?;
        let Some(id) = id.or_else(|| self.answered(said.as_deref())) else {
            return Err(missing(&message.path_of("tool_call_id")));
        };
        self.close(&id);
        let name = self.names.get(&id).cloned().or(said).unwrap_or_default();
        let cache = read_cache(message, dropped)?;
        let parts = read_content(message, dropped)?;
        self.push(Role::User, vec![Part::ToolResult(ToolResult { id, name, parts, is_error: false, cache })]);
        Ok(())
    }

    fn arranged(mut self) -> Vec<Message> {
        for message in &mut self.messages {
            results_first(&mut message.parts);
        }
        self.messages
    }

    /// Anthropic's blocks hold results beside other parts.
    fn push_user(&mut self, parts: Vec<Part>) {
        let mut others = vec![];
        for part in parts {
            let Part::ToolResult(mut result) = part else {
                others.push(part);
                continue;
            };
            self.close(&result.id);
            result.name = self.names.get(&result.id).cloned().unwrap_or_default();
            self.push(Role::User, vec![Part::ToolResult(result)]);
        }
        self.push(Role::User, others);
    }

    /// The call that a result without an id answers: the first open one, of that name if it says one. So are the results
    /// of the legacy `function_call`, and some providers take tool results like that.
    fn answered(&self, name: Option<&str>) -> Option<String> {
        let is_named = |id: &&String| self.names.get(*id).map(String::as_str) == name;
        self.open.values().take(MAX_LOOK).find(is_named).or_else(|| self.open.values().next()).cloned()
    }

    fn called(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), name.to_owned());
        self.open.insert(self.calls, id.to_owned());
        self.places.entry(id.to_owned()).or_default().push(self.calls);
        self.calls += 1;
    }

    fn close(&mut self, id: &str) {
        for place in self.places.remove(id).unwrap_or_default() {
            self.open.remove(&place);
        }
    }

    fn read_assistant(&mut self, message: &mut Fields, place: usize, dropped: &mut Vec<String>) -> Result<Vec<Part>, Error> {
        let details = message.take("reasoning_details").unwrap_or_default();
        let (content, other) = (message.take("reasoning_content"), message.take("reasoning"));
        let plain = content.as_ref().and_then(Value::as_str).or_else(|| other.as_ref().and_then(Value::as_str));
        let thoughts = reasoning::read(details.as_array().map(Vec::as_slice).unwrap_or_default(), plain);
        let mut parts = read_content(message, dropped)?;
        citations::attach(&mut parts, message.take("annotations").as_ref());
        if let Some(text) = message.take_str("refusal")?.filter(|text| !text.is_empty()) {
            parts.push(Part::Refusal { text });
        }
        if let Some(said) = message.take("audio") {
            parts.extend(audio::read_said(&said));
        }
        // A turn to be gone on with is the last one in every dialect, however it is marked (Mistral, Kimi).
        for mark in ["prefix", "partial"] {
            message.take_bool(mark)?;
        }
        for image in message.take_objects("images")? {
            parts.extend(read_part(image, dropped)?);
        }
        for part in &parts {
            if let Part::ToolCall(call) = part {
                self.called(&call.id, &call.name);
            }
        }
        for call in message.take_objects("tool_calls")? {
            parts.push(self.read_call(call, dropped)?);
        }
        if let Some(mut call) = message.take_fields("function_call")? {
            let (name, arguments) = (call.need_str("name")?, call.take_str("arguments")?.unwrap_or_default());
            // Unlike any other in the history, and the same at every turn of it.
            let id = format!("call_{place}");
            self.called(&id, &name);
            parts.push(Part::ToolCall(ToolCall { id, name, arguments, ..ToolCall::default() }));
        }
        Ok(reasoning::weave(thoughts, parts))
    }

    fn read_call(&mut self, mut call: Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
        call.take("index");
        let kind = call.take_str("type")?.unwrap_or_else(|| "function".to_owned());
        let (holder, content, custom) = match kind.as_str() {
            "function" => ("function", "arguments", false),
            "custom" => ("custom", "input", true),
            _ => {
                let mut value = call.into_map();
                value.put("type", kind);
                return Ok(Part::Opaque { dialect: Dialect::OpenAiChat, value: Value::Object(value) });
            }
        };
        let id = call.need_str("id")?;
        let mut function = call.take_fields(holder)?.ok_or_else(|| missing(&call.path_of(holder)))?;
        let name = function.need_str("name")?;
        let arguments = match function.take(content) {
            Some(Value::String(text)) => text,
            Some(value) => json_text(&value),
            None => String::new(),
        };
        function.leave(dropped);
        let cache = read_cache(&mut call, dropped)?;
        let extra =
            call.take("extra_content").map(|extra| Value::Object([("extra_content".to_owned(), extra)].into_iter().collect()));
        let signature = extra.as_ref().and_then(reasoning::google_signature);
        call.leave(dropped);
        self.called(&id, &name);
        Ok(Part::ToolCall(ToolCall { id, name, arguments, custom, signature, cache }))
    }
}
