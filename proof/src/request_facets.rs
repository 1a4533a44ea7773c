//! A request as what can be lost of it, each thing under the path that a writer reports.

use portolan::chat::request::{Message, Part, Request, Role, Source, Tool, ToolResult};
use serde_json::{Value, json};

/// Path and value, in order.
type Facets = Vec<(String, Value)>;

/// The paths that say something else, or nothing, in the second.
pub fn differences(before: &Request, after: &Request) -> Vec<String> {
    let (one, other) = (facets(before), facets(after));
    let of = |facets: &Facets, path: &str| facets.iter().find(|(p, _)| p == path).map(|(_, value)| value.clone());
    let mut paths: Vec<&String> = one.iter().chain(&other).map(|(path, _)| path).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().filter(|path| of(&one, path) != of(&other, path)).cloned().collect()
}

/// Whether a writer that reported this path told of that loss too.
pub fn covers(reported: &str, lost: &str) -> bool {
    let bare = |path: &str| path.replace("[]", "");
    let (reported, lost) = (bare(reported), bare(lost));
    // A result takes its parts along.
    let of_result = ["messages.parts.parts", "messages.parts.is_error", "messages.parts.cache"];
    let in_result = reported == "messages.parts.tool_result" && of_result.iter().any(|path| lost.starts_with(path));
    in_result || lost == reported || lost.strip_prefix(&reported).is_some_and(|rest| rest.starts_with('.'))
}

fn facets(request: &Request) -> Facets {
    let mut out: Facets = vec![];
    let mut add = |path: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty) || value == json!(false) || value == "";
        if !empty {
            out.push((path.to_owned(), value));
        }
    };
    add("stream", request.stream.into());
    add("tool_choice", debug(request.tool_choice.as_ref()));
    add("parallel_tool_calls", json!(request.parallel_tool_calls));
    add("max_tokens", json!(request.max_tokens));
    add("temperature", json!(request.temperature));
    add("top_p", json!(request.top_p));
    add("top_k", json!(request.top_k));
    add("presence_penalty", json!(request.presence_penalty));
    add("frequency_penalty", json!(request.frequency_penalty));
    add("seed", json!(request.seed));
    add("stop", json!(request.stop));
    add("format", debug(request.format.as_ref()));
    add("reasoning", debug(request.reasoning.as_ref()));
    add("show_reasoning", json!(request.show_reasoning));
    add("user", json!(request.user));
    add("n", json!(request.n));
    add("logprobs", request.logprobs.into());
    add("top_logprobs", json!(request.top_logprobs));
    add("service_tier", json!(request.service_tier));
    add("verbosity", json!(request.verbosity));
    add("store", json!(request.store));
    add("metadata", json!(request.metadata));
    add("cache_key", json!(request.cache_key));
    for (path, get) in TOOLS {
        add(path, request.tools.iter().map(get).filter(|value| !value.is_null()).collect());
    }
    for (path, value) in messages(&request.messages) {
        add(&path, value);
    }
    out
}

fn debug<T: std::fmt::Debug>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, |value| json!(format!("{value:?}")))
}

type Get = fn(&Tool) -> Value;

const TOOLS: [(&str, Get); 7] = [
    ("tools[]", |tool| match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => json!(name),
        Tool::Opaque { .. } => Value::Null,
    }),
    ("tools[].description", |tool| match tool {
        Tool::Function { description, .. } | Tool::Custom { description, .. } => json!(description),
        Tool::Opaque { .. } => Value::Null,
    }),
    ("tools[].parameters", |tool| if let Tool::Function { parameters, .. } = tool { json!(parameters) } else { Value::Null }),
    ("tools[].strict", |tool| if let Tool::Function { strict, .. } = tool { json!(strict) } else { Value::Null }),
    ("tools[].cache", |tool| if let Tool::Function { cache, .. } = tool { debug(cache.as_ref()) } else { Value::Null }),
    ("tools[].custom", |tool| if let Tool::Custom { name, .. } = tool { json!(name) } else { Value::Null }),
    ("tools[].opaque", |tool| if let Tool::Opaque { value, .. } = tool { value.clone() } else { Value::Null }),
];

/// What the turns say, by kind; who says it stands beside each word.
fn messages(messages: &[Message]) -> Facets {
    let mut out: Facets = vec![];
    for message in messages {
        for part in &message.parts {
            told(message.role, part, "messages[].parts[]", &mut out);
        }
    }
    out
}

fn put(out: &mut Facets, path: String, value: Value) {
    if value.is_null() {
        return;
    }
    match out.iter_mut().find(|(p, _)| *p == path) {
        Some((_, Value::Array(all))) => all.push(value),
        Some(_) => {}
        None => out.push((path, json!([value]))),
    }
}

/// Neighbouring texts of one turn are one text to most dialects.
fn say(out: &mut Facets, path: &str, role: Role, text: &str) {
    let who = format!("{role:?}");
    if let Some((_, Value::Array(all))) = out.iter_mut().find(|(p, _)| p == path)
        && let Some(Value::Array(last)) = all.last_mut()
        && let [Value::String(speaker), Value::String(said)] = last.as_mut_slice()
        && *speaker == who
    {
        said.push_str(text);
        return;
    }
    put(out, path.to_owned(), json!([who, text]));
}

fn told(role: Role, part: &Part, at: &str, out: &mut Facets) {
    let cache = |hint: &Option<_>| debug(hint.as_ref());
    match part {
        Part::Text { text, cache: hint, citations } => {
            say(out, &format!("{at}.text"), role, text);
            put(out, format!("{at}.cache"), cache(hint));
            citations.iter().for_each(|citation| put(out, format!("{at}.citations"), json!(citation.url)));
        }
        Part::Image { source, cache: hint, .. } => {
            put(out, format!("{at}.image"), media(source));
            put(out, format!("{at}.cache"), cache(hint));
        }
        Part::File { source, cache: hint, .. } => {
            put(out, format!("{at}.file"), media(source));
            put(out, format!("{at}.cache"), cache(hint));
        }
        Part::Audio { source, .. } => put(out, format!("{at}.audio"), media(source)),
        Part::Video { source, .. } => put(out, format!("{at}.video"), media(source)),
        Part::Reasoning { text, signature } => {
            put(out, format!("{at}.reasoning"), json!(text));
            put(out, format!("{at}.reasoning.signature"), debug(signature.as_ref()));
        }
        Part::RedactedReasoning { data, .. } => put(out, format!("{at}.redacted_reasoning"), json!(data)),
        Part::Refusal { text } => put(out, format!("{at}.refusal"), json!(text)),
        Part::ToolCall(call) => {
            let arguments = serde_json::from_str::<Value>(&call.json_arguments()).unwrap_or_else(|_| json!(call.arguments));
            put(out, format!("{at}.tool_call"), json!([call.name, arguments]));
            put(out, format!("{at}.tool_call.id"), json!(call.id));
            put(out, format!("{at}.tool_call.signature"), debug(call.signature.as_ref()));
        }
        Part::ToolResult(result) => result_told(result, at, out),
        Part::Opaque { value, .. } => put(out, format!("{at}.opaque"), value.clone()),
    }
}

fn result_told(result: &ToolResult, at: &str, out: &mut Facets) {
    put(out, format!("{at}.tool_result.id"), json!(result.id));
    put(out, format!("{at}.is_error"), if result.is_error { json!(result.id) } else { Value::Null });
    put(out, format!("{at}.cache"), debug(result.cache.as_ref()));
    for part in &result.parts {
        if let Part::Text { text, .. } = part {
            put(out, format!("{at}.parts[].text"), json!(text));
        } else {
            told(Role::User, part, &format!("{at}.parts[]"), out);
        }
    }
}

fn media(source: &Source) -> Value {
    match source {
        Source::Url(url) => json!(url),
        Source::Inline { media_type, data } => json!([media_type, data]),
        Source::Id { dialect, id } => json!([dialect.name(), id]),
    }
}
