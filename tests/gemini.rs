//! Gemini: what is read of callers and written to them, what is written to providers and read of them.

mod errors;
mod loops;
mod read_request;
mod read_turns;
mod request;
mod response;
mod stream;
mod upstream;
mod written;

use portolan::{
    chat::{
        Dialect,
        request::{Message, Part, Request, Role, Signature, Source, ToolCall},
    },
    dialect::{Caller, Upstream, gemini::Gemini},
};
use serde_json::{Map, Value, json};

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

fn read(body: &Value) -> (Request, Vec<String>) {
    let read = Gemini.read_request(&body.to_string()).unwrap();
    (read.value, read.dropped)
}

/// The names of the wire in the other spelling. What callers named themselves keeps its name.
fn snake(value: &Value) -> Value {
    const FREE: [&str; 5] = ["args", "response", "labels", "parametersJsonSchema", "responseJsonSchema"];
    let spell = |key: &str| {
        key.chars().fold(String::new(), |mut out, c| {
            if c.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
            out
        })
    };
    match value {
        Value::Object(fields) => {
            let member = |(key, value): (&String, &Value)| {
                let value = if FREE.contains(&key.as_str()) { value.clone() } else { snake(value) };
                (spell(key), value)
            };
            Value::Object(fields.iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(snake).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn contents(contents: Value) -> Value {
    json!({ "contents": contents })
}
