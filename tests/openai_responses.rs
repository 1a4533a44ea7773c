//! Tests of the room `openai_responses`.

mod answers;
mod errors;
mod profiles;
mod requests;
mod seals;
mod streams;
mod streams_written;
mod tools;
mod written;

use portolan::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Citation, Message, Part, Request, Role, Signature, Source, Tool},
    },
    dialect::{Caller, Facts, Translated, Upstream, openai_responses::OpenAiResponses},
    error::Error,
    wire::json::Outline,
};
use serde_json::{Value, json};

const NOTHING: [&str; 0] = [];

/// A body with these members beside a model and an input.
fn body(members: Value) -> String {
    let mut out = json!({"model": "m", "input": "hi"});
    out.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    out.to_string()
}

fn read(members: Value) -> Translated<Request> {
    OpenAiResponses.read_request(&body(members)).unwrap()
}

fn refused(members: Value) -> Error {
    OpenAiResponses.read_request(&body(members)).unwrap_err()
}

fn facts(body: &str) -> Result<Facts, Error> {
    OpenAiResponses.facts(&Outline::read(body.as_bytes()).unwrap())
}

fn write(request: &Request) -> (Value, Vec<String>) {
    write_for(request, &Profile { custom_tools: true, ..Profile::DEFAULT })
}

fn write_for(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let written = OpenAiResponses.write_request(request, profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

fn said(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn asking(parts: Vec<Part>) -> Request {
    Request { model: "m".to_owned(), messages: vec![said(Role::User, parts)], ..Request::default() }
}

fn proof(dialect: Dialect, value: &str) -> Signature {
    Signature { dialect, value: value.to_owned() }
}

/// Turns in one line, for tables.
fn show(messages: &[Message]) -> String {
    messages.iter().map(|message| format!("{:?}: {}", message.role, show_parts(&message.parts))).collect::<Vec<_>>().join(" / ")
}

fn show_parts(parts: &[Part]) -> String {
    parts.iter().map(show_part).collect::<Vec<_>>().join(" | ")
}

fn show_part(part: &Part) -> String {
    match part {
        Part::Text { text, cache, citations } => {
            let cached = if cache.is_some() { " cached" } else { "" };
            format!("text {text}{cached}{}", citations.iter().map(show_citation).collect::<String>())
        }
        Part::Image { source, detail, .. } => format!("image {} {}", show_source(source), detail.as_deref().unwrap_or("-")),
        Part::File { source, name, .. } => format!("file {} {}", show_source(source), name.as_deref().unwrap_or("-")),
        Part::Audio { source, .. } => format!("audio {}", show_source(source)),
        Part::Video { source, fps } => format!("video {} {fps:?}", show_source(source)),
        Part::Reasoning { text, signature } => format!("think {text}{}", show_proof(signature.as_ref())),
        Part::RedactedReasoning { data, dialect } => format!("redacted {data} by {}", dialect.name()),
        Part::Refusal { text } => format!("refusal {text}"),
        Part::ToolCall(call) => {
            let custom = if call.custom { "custom " } else { "" };
            format!("{custom}call {} {} {}{}", call.id, call.name, call.arguments, show_proof(call.signature.as_ref()))
        }
        Part::ToolResult(result) => format!("result {} {} ({})", result.id, result.name, show_parts(&result.parts)),
        Part::Opaque { dialect, value } => format!("opaque {value} of {}", dialect.name()),
    }
}

fn show_citation(citation: &Citation) -> String {
    let Citation { url, title, start, end, .. } = citation;
    format!(" <{} {} {:?}-{:?}>", url.as_deref().unwrap_or("-"), title.as_deref().unwrap_or("-"), start, end)
}

fn show_source(source: &Source) -> String {
    match source {
        Source::Url(url) => url.clone(),
        Source::Inline { media_type, data } => format!("{media_type},{data}"),
        Source::Id { dialect, id } => format!("{id}@{}", dialect.name()),
    }
}

fn show_proof(signature: Option<&Signature>) -> String {
    signature.map(|s| format!(" [{}: {}]", s.dialect.name(), s.value)).unwrap_or_default()
}

fn function(name: &str, strict: Option<bool>) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters: Some(json!({})), strict, cache: None }
}
