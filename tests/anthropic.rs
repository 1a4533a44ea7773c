//! Tests of the room `anthropic`.

use portolan::{
    chat::{
        Dialect,
        event::Stamp,
        profile::Profile,
        request::{Message, Part, Request, Role, Signature, Source, ToolCall, ToolResult},
    },
    dialect::{Caller, Translated, Upstream, anthropic::Anthropic},
};
use serde_json::{Value, json};

mod answer;
mod citations;
mod errors;
mod read_documents;
mod read_request;
mod repair;
mod response;
mod shapes;
mod stream_read;
mod stream_write;
mod thinking;
mod write_request;
mod write_turns;

const NOTHING: [&str; 0] = [];

fn stamp() -> Stamp {
    Stamp { id: "msg_minted".to_owned(), created: 0, model: "asked".to_owned() }
}

fn text(text: &str) -> Part {
    Part::text(text.to_owned())
}

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: arguments.to_owned(), ..ToolCall::default() }
}

fn result(id: &str, name: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: name.to_owned(), parts, is_error: false, cache: None })
}

fn signature(dialect: Dialect, value: &str) -> Signature {
    Signature { dialect, value: value.to_owned() }
}

fn thought(text: &str, signature: Option<Signature>) -> Part {
    Part::Reasoning { text: text.to_owned(), signature }
}

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn assistant(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn system(parts: Vec<Part>) -> Message {
    Message { role: Role::System, parts }
}

fn asking(messages: Vec<Message>) -> Request {
    Request { model: "m".to_owned(), messages, max_tokens: Some(100), ..Request::default() }
}

/// Reads a body that holds these members beside the required ones.
fn read(members: Value) -> Translated<Request> {
    let mut body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        body.as_object_mut().unwrap().insert(key.clone(), value.clone());
    }
    Anthropic.read_request(&body.to_string()).unwrap()
}

fn written(request: &Request) -> (Value, Vec<String>) {
    told(request, &Profile::DEFAULT)
}

/// As written for a target that takes this much.
fn told(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let written = Anthropic.write_request(request, profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

fn inline(media_type: &str, data: &str) -> Source {
    Source::Inline { media_type: media_type.to_owned(), data: data.to_owned() }
}

fn image(source: Source) -> Part {
    Part::Image { source, detail: None, cache: None }
}

fn file(source: Source) -> Part {
    Part::File { source, name: None, cache: None }
}

fn said(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn called(id: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": "f", "input": input})
}

fn answered(id: &str, content: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}
