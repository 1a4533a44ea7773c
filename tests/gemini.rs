//! Gemini's side that providers speak: what is written to them, and what is read of their answers.

mod request;
mod response;
mod stream;

use portolan::{
    chat::{
        Dialect,
        request::{Message, Part, Request, Role, Signature, Source, ToolCall},
    },
    dialect::{Upstream, gemini::Gemini},
};
use serde_json::Value;

const MODEL: &str = "gemini-2.5-flash";

fn text(text: &str) -> Part {
    Part::text(text.to_owned())
}

fn call(id: &str, name: &str, arguments: &str, signature: Option<Signature>) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        signature,
        ..ToolCall::default()
    })
}

fn signed(dialect: Dialect, value: &str) -> Option<Signature> {
    Some(Signature { dialect, value: value.to_owned() })
}

fn thought(said: &str, signature: Option<Signature>) -> Part {
    Part::Reasoning { text: said.to_owned(), signature }
}

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn model(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn image(source: Source) -> Part {
    Part::Image { source, detail: None, cache: None }
}

fn png() -> Source {
    Source::Inline { media_type: "image/png".to_owned(), data: "AAAA".to_owned() }
}

fn request(messages: Vec<Message>) -> Request {
    Request { model: MODEL.to_owned(), messages, ..Request::default() }
}

fn written(request: &Request) -> (Value, Vec<String>) {
    let written = Gemini.write_request(request, &portolan::chat::profile::Profile::DEFAULT);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}
