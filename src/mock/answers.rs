//! What each model says.

use serde_json::Value;

use super::{
    options::{Model, Options},
    sample,
};
use crate::{
    chat::{
        event::Stamp,
        request::{Format, Message, Part, Request, Role, Source, Tool, ToolCall, ToolChoice, ToolResult},
        response::{Response, StopReason},
        usage::Usage,
    },
    error::Error,
    wire::{compose::json, json::json_text},
};

/// A token is so many characters, begun ones counting whole.
const CHARS_PER_TOKEN: usize = 4;
/// An image, a file or a sound counts so many tokens, whatever its size.
const MEDIA_TOKENS: usize = 85;

const LOREM: [&str; 19] = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "ut",
    "labore",
    "et",
    "dolore",
    "magna",
    "aliqua",
];

pub fn respond(options: &Options, request: &Request, stamp: &Stamp) -> Result<Response, Error> {
    let mut parts = match options.model {
        Model::Echo | Model::Flaky => vec![text(echo(request))],
        Model::Lorem => vec![text(LOREM.iter().cycle().take(options.words).copied().collect::<Vec<_>>().join(" "))],
        Model::Tools => tools(options, request, &stamp.id)?,
        Model::Json => vec![text(json_text(&document(request)))],
        Model::Reason => {
            let said = echo(request);
            let count = said.split_whitespace().count();
            let thought = format!("The last message has {count} words. Repeating them answers it.");
            vec![Part::Reasoning { text: thought, signature: None }, text(said)]
        }
    };
    let has_calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let mut stop = if has_calls { StopReason::ToolCalls } else { StopReason::End };
    if limit(&mut parts, request.max_tokens) {
        stop = StopReason::Length;
    }
    let usage = options.usage.then(|| usage(request, &parts));
    let (id, model) = (None, Some(stamp.model.clone()));
    Ok(Response { id, model, parts, stop, usage, ..Response::default() })
}

fn text(text: String) -> Part {
    Part::text(text)
}

/// The last user turn: its text, and what else was in it.
fn echo(request: &Request) -> String {
    let last = request.messages.iter().rfind(|message| message.role == Role::User);
    let said: Vec<String> = last.map(|message| message.parts.iter().filter_map(show).collect()).unwrap_or_default();
    if said.is_empty() { "(nothing was said)".to_owned() } else { said.join("\n") }
}

fn show(part: &Part) -> Option<String> {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => Some(text.clone()),
        Part::Image { source, .. } => Some(describe("image", source)),
        Part::File { source, .. } => Some(describe("file", source)),
        Part::Audio { source, .. } => Some(describe("audio", source)),
        Part::Video { source, .. } => Some(describe("video", source)),
        Part::ToolResult(result) => Some(quote(result)),
        Part::Reasoning { .. } | Part::RedactedReasoning { .. } | Part::ToolCall(_) | Part::Opaque { .. } => None,
    }
}

fn describe(what: &str, source: &Source) -> String {
    match source {
        Source::Url(url) => format!("[{what} {url}]"),
        Source::Inline { media_type, data } => format!("[{what} {media_type}, {} bytes]", decoded_len(data)),
        Source::Id { id, .. } => format!("[{what} {id}]"),
    }
}

fn decoded_len(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

fn quote(result: &ToolResult) -> String {
    let said: Vec<String> = result.parts.iter().filter_map(show).collect();
    let name = if result.name.is_empty() { "The tool" } else { &result.name };
    let verb = if result.is_error { "failed" } else { "said" };
    format!("{name} {verb}: {}", said.join("\n"))
}

fn tools(options: &Options, request: &Request, stamp: &str) -> Result<Vec<Part>, Error> {
    let result = |part: &Part| if let Part::ToolResult(result) = part { Some(quote(result)) } else { None };
    let last = request.messages.last().map(|message: &Message| message.parts.iter().filter_map(result).collect::<Vec<_>>());
    if let Some(results) = last.filter(|results| !results.is_empty()) {
        return Ok(vec![text(results.join("\n"))]);
    }
    let mut functions: Vec<(&str, Option<&Value>)> = vec![];
    for tool in &request.tools {
        if let Tool::Function { name, parameters, .. } = tool {
            functions.push((name, parameters.as_ref()));
        }
    }
    match &request.tool_choice {
        Some(ToolChoice::Function(name)) => functions.retain(|(known, _)| known == name),
        Some(ToolChoice::None) => return Ok(vec![text("No tool may be called.".to_owned())]),
        Some(ToolChoice::Among { names, .. }) => functions.retain(|(known, _)| names.iter().any(|name| name == known)),
        Some(ToolChoice::Auto | ToolChoice::Required) | None => {}
    }
    if functions.is_empty() {
        return Err(Error::invalid(
            "tools",
            "`mock/tools` calls a tool: give it one in `tools`, the one that `tool_choice` names.",
        ));
    }
    let calls = functions.iter().cycle().take(options.calls).enumerate();
    Ok(calls.map(|(i, (name, schema))| call(format!("call_{stamp}_{i}"), name, *schema)).collect())
}

fn call(id: String, name: &str, schema: Option<&Value>) -> Part {
    let arguments = schema.map_or_else(|| json!({}), sample::of);
    Part::ToolCall(ToolCall { id, name: name.to_owned(), arguments: json_text(&arguments), ..ToolCall::default() })
}

fn document(request: &Request) -> Value {
    match &request.format {
        Some(Format::Schema { schema, .. }) => sample::of(schema),
        Some(Format::Json) | None => json!({ "answer": echo(request) }),
    }
}

/// Cuts the texts to the tokens that were asked for; whether anything was cut.
fn limit(parts: &mut [Part], max_tokens: Option<u64>) -> bool {
    let max = max_tokens.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(usize::MAX);
    let mut left = max.saturating_mul(CHARS_PER_TOKEN);
    let mut is_cut = false;
    for part in parts {
        if let Part::Text { text, .. } | Part::Reasoning { text, .. } = part {
            if let Some((at, _)) = text.char_indices().nth(left) {
                text.truncate(at);
                is_cut = true;
            }
            left = left.saturating_sub(text.chars().count());
        }
    }
    is_cut
}

fn usage(request: &Request, answer: &[Part]) -> Usage {
    let count = |tokens: usize| u64::try_from(tokens).unwrap_or(u64::MAX);
    let input: usize = request.messages.iter().flat_map(|message| &message.parts).map(tokens).sum();
    let thought = answer.iter().filter(|part| matches!(part, Part::Reasoning { .. })).map(tokens).sum();
    let output = answer.iter().map(tokens).sum();
    Usage { input: count(input), output: count(output), reasoning: count(thought), ..Usage::default() }
}

fn tokens(part: &Part) -> usize {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } | Part::Reasoning { text, .. } => length(text),
        Part::Image { .. } | Part::File { .. } | Part::Audio { .. } | Part::Video { .. } => MEDIA_TOKENS,
        Part::ToolCall(call) => length(&call.name) + length(&call.arguments),
        Part::ToolResult(result) => result.parts.iter().map(tokens).sum(),
        Part::RedactedReasoning { .. } | Part::Opaque { .. } => 0,
    }
}

fn length(text: &str) -> usize {
    text.chars().count().div_ceil(CHARS_PER_TOKEN)
}
