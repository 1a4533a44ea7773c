//! An answer as what can be lost of it: one value for each thing a caller may miss.

use portolan::chat::{
    request::{Citation, Part, Source, ToolCall},
    response::{Response, StopReason, TokenLogprob},
};
use serde_json::{Value, json};

/// Name and value; in an order that is the same for every answer.
type Facets = Vec<(String, Value)>;

/// What became of an answer: each loss once, in words that name no content.
pub fn losses(before: &Response, after: &Response) -> Vec<String> {
    let (mut told, kept) = (facets(before), facets(after));
    // What is gone has no place any more.
    let places = order(&after.parts);
    let mut left = order(&before.parts);
    left.retain(|kind| places.contains(kind));
    left.dedup();
    told.iter_mut().filter(|(name, _)| name == "order").for_each(|(_, order)| *order = json!(left));
    let mut out = vec![];
    for name in names(&told, &kept) {
        let of = |facets: &Facets| facets.iter().find(|(n, _)| *n == name).map_or(Value::Null, |(_, value)| value.clone());
        let (one, other) = (of(&told), of(&kept));
        if one == other || (is_empty(&one) && is_empty(&other)) {
            continue;
        }
        let loss = match name.as_str() {
            _ if is_empty(&other) => format!("{name}: lost"),
            "stop" => format!("stop: {} becomes {}", text(&one), text(&other)),
            _ if is_empty(&one) => format!("{name}: made up"),
            _ => format!("{name}: changed"),
        };
        out.push(loss);
    }
    as_text(before, after, &mut out);
    // What is gone takes all that belongs to it along.
    let gone: Vec<String> = out.iter().filter_map(|loss| Some(format!("{}.", loss.strip_suffix(": lost")?))).collect();
    out.retain(|loss| !gone.iter().any(|holder| holder != "audio." && loss.starts_with(holder.as_str())));
    // What was read has its reader's words beside it.
    out.retain(|loss| loss != "citations.native: made up");
    if before.usage.is_none() && after.usage.is_some() {
        out.retain(|loss| !loss.starts_with("usage."));
        out.push("usage: made up".to_owned());
    }
    out
}

/// What has no word of its own in the other dialect, and is told as a text there: nothing else of the text may change.
fn as_text(before: &Response, after: &Response, losses: &mut Vec<String>) {
    let (one, other) = (said(&before.parts, Said::Text), said(&after.parts, Said::Text));
    let mut rest = other.chars();
    let holds = other != one && one.chars().all(|c| rest.any(|o| o == c));
    let with = |what: Said| format!("{one}{}", said(&before.parts, what)) == other;
    // Where answers hold no image a sentence says that there was one.
    for (name, told) in [("refusal", with(Said::Refusal)), ("audio.transcript", with(Said::Transcript)), ("images", holds)] {
        let lost = format!("{name}: lost");
        if told && losses.contains(&lost) {
            losses.retain(|loss| *loss != lost && !loss.starts_with("text: ") && !loss.starts_with("order: "));
            losses.push(format!("{name}: told as text"));
        }
    }
}

fn names(one: &Facets, other: &Facets) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for (name, _) in one.iter().chain(other) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(map) => map.is_empty(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn facets(response: &Response) -> Facets {
    let mut out = vec![("model".to_owned(), json!(response.model))];
    choice(&mut out, &response.parts, response.stop, &response.logprobs);
    out.push(("stop_sequence".to_owned(), json!(response.stop_sequence)));
    for (number, more) in response.more.iter().enumerate() {
        let mut own = vec![];
        choice(&mut own, &more.parts, more.stop, &more.logprobs);
        let told: Vec<String> =
            own.iter().filter(|(_, value)| !is_empty(value)).map(|(name, value)| format!("{name} {value}")).collect();
        out.push((format!("more.{number}"), told.into()));
    }
    match response.usage {
        None => out.push(("usage".to_owned(), Value::Null)),
        Some(usage) => {
            for (name, count) in [
                ("usage.input", usage.input),
                ("usage.cache_read", usage.cache_read),
                ("usage.cache_write", usage.cache_write),
                ("usage.output", usage.output),
                ("usage.reasoning", usage.reasoning),
            ] {
                out.push((name.to_owned(), if count == 0 { Value::Null } else { json!(count) }));
            }
        }
    }
    out.push(("service_tier".to_owned(), json!(response.service_tier)));
    out
}

fn choice(out: &mut Facets, parts: &[Part], stop: StopReason, logprobs: &[TokenLogprob]) {
    let mut add = |name: &str, value: Value| out.push((name.to_owned(), value));
    add("text", said(parts, Said::Text).into());
    add("reasoning", said(parts, Said::Reasoning).into());
    add("refusal", said(parts, Said::Refusal).into());
    add("order", order(parts).into());
    add("stop", format!("{stop:?}").into());
    add("logprobs", logprobs.iter().map(told_token).collect());
    let calls: Vec<&ToolCall> =
        parts.iter().filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None }).collect();
    add("calls", calls.iter().map(|call| json!([call.name, arguments(call)])).collect());
    add("calls.id", calls.iter().map(|call| json!(call.id)).collect());
    add("calls.custom", calls.iter().map(|call| json!(call.custom)).collect());
    add("calls.signature", calls.iter().map(|call| json!(call.signature.as_ref().map(|s| format!("{s:?}")))).collect());
    for (name, get) in OTHERS {
        add(name, parts.iter().flat_map(get).collect());
    }
}

/// Ten figures: the last of a floating-point number may change as it is read.
fn told_token(token: &TokenLogprob) -> Value {
    json!([token.token, format!("{:.9e}", token.logprob), token.bytes, token.top.iter().map(told_token).collect::<Vec<_>>()])
}

type Get = fn(&Part) -> Vec<Value>;

const OTHERS: [(&str, Get); 11] = [
    ("reasoning.signature", |part| {
        let Part::Reasoning { signature, .. } = part else { return vec![] };
        signature.iter().map(|signature| json!(format!("{signature:?}"))).collect()
    }),
    ("redacted_reasoning", |part| {
        let Part::RedactedReasoning { data, dialect } = part else { return vec![] };
        vec![json!([data, dialect.name()])]
    }),
    ("citations.url", |part| citations(part, |c| json!(c.url))),
    ("citations.title", |part| citations(part, |c| json!(c.title))),
    ("citations.quote", |part| citations(part, |c| json!(c.quote))),
    ("citations.place", |part| citations(part, |c| c.start.map_or(Value::Null, |start| json!([start, c.end])))),
    ("citations.native", |part| {
        citations(part, |c| json!(c.native.as_ref().map(|(dialect, value)| json!([dialect.name(), value]))))
    }),
    ("images", |part| {
        let Part::Image { source, .. } = part else { return vec![] };
        vec![media(source)]
    }),
    ("audio", |part| {
        let Part::Audio { source, .. } = part else { return vec![] };
        vec![media(source)]
    }),
    ("audio.transcript", |part| {
        let Part::Audio { transcript, .. } = part else { return vec![] };
        transcript.iter().map(|said| json!(said)).collect()
    }),
    ("opaque", |part| {
        let Part::Opaque { dialect, value } = part else { return vec![] };
        vec![json!([dialect.name(), value])]
    }),
];

/// Of all texts, for dialects join and part them; what a citation does not say is not listed.
fn citations(part: &Part, word: fn(&Citation) -> Value) -> Vec<Value> {
    let Part::Text { citations, .. } = part else { return vec![] };
    citations.iter().map(word).filter(|value| !value.is_null()).collect()
}

fn media(source: &Source) -> Value {
    match source {
        Source::Url(url) => json!(url),
        Source::Inline { media_type, data } => json!([media_type, data]),
        Source::Id { dialect, id } => json!([dialect.name(), id]),
    }
}

/// The arguments as a value: their spelling is free, and of a custom tool those of its stand-in. What is not JSON counts
/// as it is.
fn arguments(call: &ToolCall) -> Value {
    serde_json::from_str(&call.json_arguments()).unwrap_or_else(|_| json!(call.arguments))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Text,
    Reasoning,
    Refusal,
    Transcript,
}

fn said(parts: &[Part], what: Said) -> String {
    let word = |part: &Part| {
        let (kind, text) = match part {
            Part::Text { text, .. } => (Said::Text, text.clone()),
            Part::Reasoning { text, .. } => (Said::Reasoning, text.clone()),
            Part::Refusal { text } => (Said::Refusal, text.clone()),
            Part::Audio { transcript, .. } => (Said::Transcript, transcript.clone().unwrap_or_default()),
            Part::Image { .. }
            | Part::File { .. }
            | Part::Video { .. }
            | Part::RedactedReasoning { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => return None,
        };
        (kind == what).then_some(text)
    };
    parts.iter().filter_map(word).collect()
}

/// Texts, thoughts and calls in the order they came, neighbours of a kind as one. What is gone has no place either.
fn order(parts: &[Part]) -> Vec<&'static str> {
    let mut order = vec![];
    for part in parts {
        let name = match part {
            Part::Text { text, .. } if !text.is_empty() => "text",
            Part::Reasoning { text, .. } if !text.is_empty() => "reasoning",
            Part::ToolCall(_) => "call",
            Part::Text { .. }
            | Part::Reasoning { .. }
            | Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::Refusal { .. }
            | Part::RedactedReasoning { .. }
            | Part::ToolResult(_)
            | Part::Opaque { .. } => continue,
        };
        if order.last() != Some(&name) {
            order.push(name);
        }
    }
    order
}
