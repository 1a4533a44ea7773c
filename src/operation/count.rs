//! How many tokens a chat request has, before it is sent. Between two styles it goes through the canonical form.

use std::borrow::Cow;

use super::{Answer, Sent, bare, edited, estimate, made, number, unreadable, untranslatable};
use crate::{
    catalog::{Operation, Style},
    chat::{Dialect, event::UpstreamError, profile::Profile, request::Request},
    dialect::{Caller, Translated},
    error::Error,
    wire::{
        compose::json,
        json::{Edit, Outline, json_text, quoted},
    },
};

/// Gemini's form that counts instructions and tools too.
const WRAPPER: &str = "generateContentRequest";
const WRAPPER_SNAKE: &str = "generate_content_request";

/// What each counter takes of a request: `max_tokens` and the like are refused.
const ANTHROPIC: &[&str] = &["model", "system", "messages", "tools", "tool_choice", "output_config"];
const OPENAI: &[&str] = &["model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "text"];
const VERTEX: &[&str] = &["contents", "systemInstruction", "tools"];
const CONVERSE: &[&str] = &["messages", "system", "toolConfig"];

/// The dialect of the requests that a style counts.
const fn chat(style: Style) -> Option<Dialect> {
    match style {
        Style::Anthropic => Some(Dialect::Anthropic),
        Style::OpenAi => Some(Dialect::OpenAiResponses),
        Style::Gemini | Style::Vertex => Some(Dialect::Gemini),
        Style::Converse => Some(Dialect::Converse),
        Style::Cohere | Style::Voyage | Style::Jina | Style::Mistral | Style::Nvidia | Style::Perplexity | Style::Fireworks => {
            None
        }
    }
}

pub(super) fn write(from: Style, to: Style, body: &Outline<'_>, model: &str) -> Result<Sent, Error> {
    let dialect = chat(to).ok_or_else(|| untranslatable(Operation::CountTokens))?;
    if from == to {
        // What an answer of another dialect left in the history is refused here too.
        let repaired = || edited(body, &dialect.upstream().edits(body, model, false), vec![]);
        return Ok(if dialect == Dialect::Gemini { gemini_own(body, model) } else { repaired() });
    }
    let read = request(from, body, model)?;
    let written = dialect.upstream().write_request(&read.value, &Profile::DEFAULT);
    let mut dropped = read.dropped;
    dropped.extend(written.dropped);
    let wanted = |names| only(&written.value, names);
    let body = match to {
        Style::Anthropic => wanted(ANTHROPIC),
        Style::OpenAi => wanted(OPENAI),
        Style::Vertex => wanted(VERTEX),
        Style::Converse => wanted(CONVERSE).map(|inner| format!("{{\"input\":{{\"converse\":{inner}}}}}")),
        Style::Gemini
        | Style::Cohere
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => named(&written.value, model).map(|inner| format!("{{\"{WRAPPER}\":{inner}}}")),
    };
    Ok(made(body.ok_or_else(|| untranslatable(Operation::CountTokens))?, dropped))
}

/// The members of these names.
fn only(body: &str, names: &[&str]) -> Option<String> {
    let outline = Outline::read(body.as_bytes()).ok()?;
    let member = |name: &&str| outline.get(name).map(|value| format!("{}:{value}", quoted(name)));
    Some(format!("{{{}}}", names.iter().filter_map(member).collect::<Vec<_>>().join(",")))
}

/// A request of Gemini's that names its model, as the wrapper wants.
fn named(body: &str, model: &str) -> Option<String> {
    let outline = Outline::read(body.as_bytes()).ok()?;
    let edit = Edit::Set("model".into(), quoted(&format!("models/{}", bare(model))));
    Some(crate::wire::json::join(body, &outline.edit(&[edit])))
}

/// The model is in the path, and again in the wrapped request: both must be the same.
fn gemini_own(body: &Outline<'_>, model: &str) -> Sent {
    let mut edits = vec![];
    for name in [WRAPPER, WRAPPER_SNAKE] {
        let inner = body.get(name).and_then(|inner| named(inner, model));
        edits.extend(inner.map(|inner| Edit::Set(name.into(), inner)));
    }
    edited(body, &edits, vec![])
}

/// The canonical form of what is to be counted.
fn request(from: Style, body: &Outline<'_>, model: &str) -> Result<Translated<Request>, Error> {
    let caller = caller(from).ok_or_else(|| untranslatable(Operation::CountTokens))?;
    let mut read = caller.read_request(&chat_body(from, body))?;
    let Request { messages, tools, tool_choice, parallel_tool_calls, format, .. } = read.value;
    // The rest steers the answer and is not counted; some of it a counter, or an older model, would refuse.
    read.value =
        Request { model: model.to_owned(), messages, tools, tool_choice, parallel_tool_calls, format, ..Request::default() };
    Ok(read)
}

fn caller(style: Style) -> Option<&'static dyn Caller> {
    chat(style)?.caller()
}

/// The chat request inside.
fn chat_body<'a>(from: Style, body: &Outline<'a>) -> Cow<'a, str> {
    let wrapped = body.get(WRAPPER).or_else(|| body.get(WRAPPER_SNAKE));
    match (from, wrapped) {
        (Style::Gemini, Some(inner)) => Cow::Borrowed(inner),
        // Required there, and not said by those who only count.
        (Style::Anthropic, _) if body.get("max_tokens").is_none() => {
            let edit = Edit::Default("max_tokens".into(), "1".to_owned());
            Cow::Owned(crate::wire::json::join(body.text(), &body.edit(&[edit])))
        }
        _ => Cow::Borrowed(body.text()),
    }
}

pub(super) fn read((from, to): (Style, Style), answer: &Outline<'_>) -> Result<Answer, UpstreamError> {
    let count = match to {
        Style::Gemini | Style::Vertex => number(answer, "totalTokens"),
        Style::Converse => number(answer, "inputTokens"),
        Style::OpenAi
        | Style::Anthropic
        | Style::Cohere
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => number(answer, "input_tokens"),
    };
    let count = count.ok_or_else(|| unreadable("counts nothing"))?;
    Ok(Answer { body: (from != to).then(|| told(from, count)), ..Answer::default() })
}

/// The answer where the provider does not count: an estimate.
pub fn estimated(from: Style, body: &[u8], model: &str) -> Result<Answer, Error> {
    let outline = Outline::read(body)?;
    let count = match caller(from) {
        Some(_) => estimate::of_request(&request(from, &outline, model)?.value),
        None => estimate::of_text(outline.text()),
    };
    Ok(Answer { body: Some(told(from, count)), estimated: true, ..Answer::default() })
}

/// A count in the caller's words. Counting costs nothing and is no usage.
fn told(from: Style, count: u64) -> String {
    json_text(&match from {
        Style::Gemini | Style::Vertex => {
            json!({"totalTokens": count, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}]})
        }
        Style::OpenAi => json!({"object": "response.input_tokens", "input_tokens": count}),
        Style::Converse => json!({"inputTokens": count}),
        Style::Anthropic
        | Style::Cohere
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => json!({"input_tokens": count}),
    })
}
