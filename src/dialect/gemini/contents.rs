//! The turns: `systemInstruction` and `contents`.

use serde_json::{Map, Value, json};

use super::{media, request::Dropped, thinking};
use crate::chat::{
    Dialect,
    request::{Message, Part, Request, Role, Signature, ToolCall, ToolResult},
};

/// Google's stand-in for a signature that never was: a history of another provider, or an edited one.
const STAND_IN: &str = "skip_thought_signature_validator";

/// Told for a call whose result the history lacks: Google wants as many results as calls.
const NO_RESULT: &str = "No result was given for this call.";

/// What one side says until the other speaks; Google knows two sides only.
struct Turn<'a> {
    is_user: bool,
    parts: Vec<&'a Part>,
}

/// The system instruction, and the contents: never one without parts.
pub fn write(request: &Request, dropped: &mut Dropped) -> (Option<Value>, Vec<Value>) {
    let leading = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (system, rest) = request.messages.split_at(leading);
    // Only a system prompt: it is what the user says, for there must be a content.
    let (system, rest) = if rest.is_empty() { (rest, system) } else { (system, rest) };
    let turns = turns(rest);
    let is_question = |turn: &Turn<'_>| turn.is_user && !turn.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    let current = turns.iter().rposition(is_question).unwrap_or(0);
    let needs_signatures = thinking::needs_signatures(&request.model);
    let mut writer = Writer { dropped, contents: vec![], calls: vec![] };
    for (i, turn) in turns.iter().enumerate() {
        if turn.is_user {
            writer.user(turn);
        } else {
            writer.model(turn, needs_signatures && i > current);
        }
    }
    let contents = writer.contents.into_iter().map(|(role, parts)| json!({ "role": role, "parts": parts })).collect();
    let mut instruction = Out::default();
    system.iter().flat_map(|message| &message.parts).for_each(|part| instruction.plain(part, dropped));
    ((!instruction.parts.is_empty()).then(|| json!({ "parts": instruction.parts })), contents)
}

fn turns(messages: &[Message]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = vec![];
    for message in messages {
        let is_user = match message.role {
            Role::User | Role::System => true,
            Role::Assistant => false,
        };
        match turns.last_mut() {
            Some(turn) if turn.is_user == is_user => turn.parts.extend(&message.parts),
            _ => turns.push(Turn { is_user, parts: message.parts.iter().collect() }),
        }
    }
    turns
}

struct Writer<'a> {
    dropped: &'a mut Dropped,
    contents: Vec<(&'static str, Vec<Value>)>,
    /// The calls that wait for their results: id and name.
    calls: Vec<(String, String)>,
}

impl Writer<'_> {
    fn push(&mut self, role: &'static str, parts: Vec<Value>) {
        match self.contents.last_mut() {
            Some((last, before)) if *last == role => before.extend(parts),
            _ if parts.is_empty() => {}
            _ => self.contents.push((role, parts)),
        }
    }

    fn user(&mut self, turn: &Turn<'_>) {
        let (mut results, mut out) = (vec![], Out::default());
        for part in &turn.parts {
            if let Part::ToolResult(result) = part {
                results.push(result);
            }
        }
        let mut media = Out::default();
        // In the order of the calls: ids are optional to Google, which then matches by position.
        for (id, name) in std::mem::take(&mut self.calls) {
            let found = results.iter().position(|result| result.id == id).map(|at| results.remove(at));
            let response = match found {
                Some(result) => response(result, &mut media, self.dropped),
                None => json!({ "error": NO_RESULT }),
            };
            out.parts.push(json!({ "functionResponse": named(&id, &name, "response", response) }));
        }
        self.dropped.add_if(!results.is_empty(), "messages[].tool_result");
        out.parts.append(&mut media.parts);
        turn.parts.iter().for_each(|part| out.plain(part, self.dropped));
        self.push("user", out.parts);
    }

    fn model(&mut self, turn: &Turn<'_>, needs_signature: bool) {
        let (mut out, mut needs_signature) = (Out::default(), needs_signature);
        for part in &turn.parts {
            if let Part::ToolCall(call) = part {
                let own = call.signature.as_ref().and_then(ours);
                // Of parallel calls only the first carries one.
                let signature = own.or(needs_signature.then_some(STAND_IN));
                needs_signature = false;
                out.call(call, signature);
                self.dropped.add_if(call.cache.is_some(), "messages[].cache_control");
                self.calls.push((call.id.clone(), call.name.clone()));
            } else {
                out.plain(part, self.dropped);
            }
        }
        out.flush();
        self.push("model", out.parts);
    }
}

/// Parts of one content. A signature waits for the part that it belongs to.
#[derive(Default)]
struct Out {
    parts: Vec<Value>,
    signature: Option<String>,
}

impl Out {
    fn push(&mut self, mut part: Value) {
        if let (Some(signature), Value::Object(fields)) = (self.signature.take(), &mut part) {
            fields.insert("thoughtSignature".to_owned(), signature.into());
        }
        self.parts.push(part);
    }

    /// A signature without a part of its own comes on an empty text, as Google sends it.
    fn flush(&mut self) {
        if self.signature.is_some() {
            self.push(json!({ "text": "" }));
        }
    }

    fn call(&mut self, call: &ToolCall, signature: Option<&str>) {
        self.flush();
        self.signature = signature.map(str::to_owned);
        self.push(json!({ "functionCall": named(&call.id, &call.name, "args", arguments(&call.arguments)) }));
    }

    /// Any part but calls and results.
    fn plain(&mut self, part: &Part, dropped: &mut Dropped) {
        match part {
            Part::Text { text, cache, .. } => {
                dropped.add_if(cache.is_some(), "messages[].cache_control");
                self.text(text);
            }
            Part::Refusal { text } => self.text(text),
            Part::Image { source, detail, cache } => {
                dropped.add_if(cache.is_some(), "messages[].cache_control");
                dropped.add_if(detail.as_deref().is_some_and(|detail| detail != "auto"), "messages[].image.detail");
                self.media(media::write(source, "image/jpeg"), "messages[].image.file_id", dropped);
            }
            Part::File { source, name, cache } => {
                dropped.add_if(cache.is_some(), "messages[].cache_control");
                dropped.add_if(name.is_some(), "messages[].file.filename");
                self.media(media::write(source, "application/pdf"), "messages[].file.file_id", dropped);
            }
            Part::Audio { source, .. } => self.media(media::write(source, "audio/wav"), "messages[].audio", dropped),
            Part::Video { source, .. } => self.media(media::write(source, "video/mp4"), "messages[].video", dropped),
            Part::Reasoning { text, signature } => match signature.as_ref().and_then(ours) {
                Some(proof) => {
                    self.flush();
                    self.signature = Some(proof.to_owned());
                    if !text.is_empty() {
                        self.push(json!({ "text": text, "thought": true }));
                    }
                }
                None => dropped.add("messages[].reasoning"),
            },
            Part::RedactedReasoning { .. } => dropped.add("messages[].reasoning"),
            Part::Opaque { dialect: Dialect::Gemini, value } if value.is_object() => {
                self.flush();
                self.push(value.clone());
            }
            Part::Opaque { value, .. } => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("part");
                dropped.add(&format!("messages[].{kind}"));
            }
            Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(json!({ "text": text }));
        }
    }

    fn media(&mut self, part: Option<Value>, path: &str, dropped: &mut Dropped) {
        match part {
            Some(part) => self.push(part),
            None => dropped.add(path),
        }
    }
}

fn ours(signature: &Signature) -> Option<&str> {
    (signature.dialect == Dialect::Gemini).then_some(signature.value.as_str())
}

/// A call or its result: the id only where there is one.
fn named(id: &str, name: &str, key: &str, value: Value) -> Value {
    let mut fields = Map::new();
    if !id.is_empty() {
        fields.insert("id".to_owned(), id.into());
    }
    fields.insert("name".to_owned(), name.into());
    fields.insert(key.to_owned(), value);
    Value::Object(fields)
}

/// An object, always: what is none is wrapped where the model can still read it.
fn arguments(text: &str) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    object(text).unwrap_or_else(|| json!({ "_raw": text }))
}

fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// A result as an object. Its images and files go to `media`, behind all results.
fn response(result: &ToolResult, media: &mut Out, dropped: &mut Dropped) -> Value {
    dropped.add_if(result.cache.is_some(), "messages[].cache_control");
    let mut text = String::new();
    for part in &result.parts {
        if let Part::Text { text: more, .. } | Part::Refusal { text: more } = part {
            text.push_str(more);
        } else {
            media.plain(part, dropped);
        }
    }
    match (object(&text), result.is_error) {
        (Some(value), false) => value,
        (Some(value), true) => json!({ "error": value }),
        (None, false) => json!({ "result": text }),
        (None, true) => json!({ "error": text }),
    }
}
