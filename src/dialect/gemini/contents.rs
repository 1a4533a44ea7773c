//! The turns: `systemInstruction` and `contents`.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::{
    media,
    parts::{Parts, named, object},
    request::Dropped,
    seal::STAND_IN,
    thinking,
};
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Message, Part, Request, Role, Signature, Source, ToolResult},
    },
    wire::compose::{Members, json},
};

/// Told for a call whose result the history lacks: Google wants as many results as calls.
const NO_RESULT: &str = "No result was given for this call.";

/// What one side says until the other speaks; Google knows two sides only.
struct Turn<'a> {
    is_user: bool,
    parts: Vec<&'a Part>,
}

/// The system instruction, and the contents: never one without parts.
pub fn write(request: &Request, profile: &Profile, dropped: &mut Dropped) -> (Option<Value>, Vec<Value>) {
    let leading = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (system, rest) = request.messages.split_at(leading);
    // Only a system prompt: it is what the user says, for there must be a content.
    let (system, rest) = if rest.is_empty() { (rest, system) } else { (system, rest) };
    let turns = turns(rest);
    let is_question = |turn: &Turn<'_>| turn.is_user && !turn.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    let current = turns.iter().rposition(is_question).unwrap_or(0);
    let needs_signatures = thinking::needs_signatures(&request.model);
    let mut writer = Writer { dropped, no_urls: !profile.image_urls, contents: vec![], calls: vec![] };
    for (i, turn) in turns.iter().enumerate() {
        if turn.is_user {
            writer.user(turn);
        } else {
            writer.model(turn, needs_signatures && i > current);
        }
    }
    let contents = writer.contents.into_iter().map(|(role, parts)| json!({ "role": role, "parts": parts })).collect();
    let mut instruction = Out { no_urls: !profile.image_urls, ..Out::default() };
    system.iter().flat_map(|message| &message.parts).for_each(|part| instruction.plain(part, dropped));
    ((!instruction.parts.all.is_empty()).then(|| json!({ "parts": instruction.parts.all })), contents)
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
    no_urls: bool,
    contents: Vec<(&'static str, Vec<Value>)>,
    /// The calls that wait for their results: id and name.
    calls: Vec<(String, String)>,
}

impl Writer<'_> {
    fn out(&self) -> Out {
        Out { no_urls: self.no_urls, ..Out::default() }
    }

    fn push(&mut self, role: &'static str, parts: Vec<Value>) {
        match self.contents.last_mut() {
            Some((last, before)) if *last == role => before.extend(parts),
            _ if parts.is_empty() => {}
            _ => self.contents.push((role, parts)),
        }
    }

    fn user(&mut self, turn: &Turn<'_>) {
        let (mut results, mut out): (HashMap<&str, VecDeque<&ToolResult>>, _) = (HashMap::new(), self.out());
        for part in &turn.parts {
            if let Part::ToolResult(result) = part {
                results.entry(result.id.as_str()).or_default().push_back(result);
            }
        }
        let mut media = self.out();
        // In the order of the calls: ids are optional to Google, which then matches by position.
        for (id, name) in std::mem::take(&mut self.calls) {
            let found = results.get_mut(id.as_str()).and_then(VecDeque::pop_front);
            let response = match found {
                Some(result) => response(result, &mut media, self.dropped),
                None => json!({ "error": NO_RESULT }),
            };
            out.parts.push(json!({ "functionResponse": named(&id, &name, "response", response) }));
        }
        self.dropped.add_if(results.values().any(|left| !left.is_empty()), "messages[].parts[].tool_result");
        out.parts.all.append(&mut media.parts.all);
        turn.parts.iter().for_each(|part| out.plain(part, self.dropped));
        self.push("user", out.parts.all);
    }

    fn model(&mut self, turn: &Turn<'_>, needs_signature: bool) {
        let (mut out, mut needs_signature) = (self.out(), needs_signature);
        for part in &turn.parts {
            if let Part::ToolCall(call) = part {
                let own = call.signature.as_ref().and_then(ours);
                // Of parallel calls only the first carries one.
                let signature = own.or(needs_signature.then_some(STAND_IN));
                needs_signature = false;
                out.parts.call(call, signature.map(str::to_owned));
                self.dropped.add_if(call.cache.is_some(), "messages[].parts[].cache");
                self.calls.push((call.id.clone(), call.name.clone()));
            } else {
                out.plain(part, self.dropped);
            }
        }
        out.parts.flush();
        self.push("model", out.parts.all);
    }
}

#[derive(Default)]
struct Out {
    parts: Parts,
    no_urls: bool,
}

impl Out {
    /// Any part but calls and results.
    fn plain(&mut self, part: &Part, dropped: &mut Dropped) {
        match part {
            Part::Text { text, cache, citations } => {
                dropped.add_if(!citations.is_empty(), "messages[].parts[].citations");
                dropped.add_if(cache.is_some(), "messages[].parts[].cache");
                self.parts.text(text);
            }
            Part::Refusal { text } => self.parts.text(text),
            Part::Image { source, detail, cache } => {
                dropped.add_if(cache.is_some(), "messages[].parts[].cache");
                dropped.add_if(detail.as_deref().is_some_and(|detail| detail != "auto"), "messages[].parts[].detail");
                let source = Some(source).filter(|source| !(self.no_urls && matches!(source, Source::Url(_))));
                self.media(source, "image/jpeg", "messages[].parts[].image", dropped);
            }
            Part::File { source, name, cache } => {
                dropped.add_if(cache.is_some(), "messages[].parts[].cache");
                dropped.add_if(name.is_some(), "messages[].parts[].name");
                self.media(Some(source), "application/pdf", "messages[].parts[].file", dropped);
            }
            // What the model said aloud is its words.
            Part::Audio { transcript: Some(said), .. } => {
                dropped.add("messages[].parts[].audio");
                self.parts.text(said);
            }
            Part::Audio { source, transcript: None } => {
                self.media(Some(source), "audio/wav", "messages[].parts[].audio", dropped);
            }
            Part::Video { source, fps } => {
                self.media(Some(source), "video/mp4", "messages[].parts[].video", dropped);
                if let (Some(fps), Some(Value::Object(part))) = (fps, self.parts.all.last_mut()) {
                    part.put("videoMetadata", json!({ "fps": fps }));
                }
            }
            Part::Reasoning { text, signature } => match signature.as_ref().and_then(ours) {
                Some(proof) if text.is_empty() => self.parts.proof(proof.to_owned()),
                Some(proof) => self.parts.thought(text, Some(proof)),
                None => dropped.add_if(!text.is_empty(), "messages[].parts[].reasoning"),
            },
            Part::RedactedReasoning { .. } => dropped.add("messages[].parts[].reasoning"),
            Part::Opaque { dialect: Dialect::Gemini, value } if value.is_object() => {
                self.parts.flush();
                self.parts.push(value.clone());
            }
            Part::Opaque { .. } => dropped.add("messages[].parts[].opaque"),
            Part::ToolCall(_) | Part::ToolResult(_) => {}
        }
    }

    fn media(&mut self, source: Option<&Source>, otherwise: &str, path: &str, dropped: &mut Dropped) {
        match source.and_then(|source| media::write(source, otherwise)) {
            Some(part) => self.parts.push(part),
            None => dropped.add(path),
        }
    }
}

fn ours(signature: &Signature) -> Option<&str> {
    (signature.dialect == Dialect::Gemini).then_some(signature.value.as_str())
}

/// A result as an object. Its images and files go to `media`, behind all results.
fn response(result: &ToolResult, media: &mut Out, dropped: &mut Dropped) -> Value {
    dropped.add_if(result.cache.is_some(), "messages[].parts[].cache");
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
