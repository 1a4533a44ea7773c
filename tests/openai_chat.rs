//! Tests of the room `openai_chat`.

mod answers;
mod choices;
mod profiles;
mod requests;
mod shapes;
mod streams;
mod written;

use portolan::chat::{
    Dialect,
    request::{Citation, Part, Signature, Source},
};

/// Parts in one line, for tables.
fn show(parts: &[Part]) -> String {
    parts.iter().map(show_part).collect::<Vec<_>>().join(" | ")
}

fn show_part(part: &Part) -> String {
    let cached = |cache: &Option<_>| if cache.is_some() { " cached" } else { "" };
    match part {
        Part::Text { text, cache, citations } => {
            format!("text {text}{}{}", cached(cache), citations.iter().map(show_citation).collect::<String>())
        }
        Part::Image { source, detail, .. } => format!("image {}{}", show_source(source), detail.as_deref().unwrap_or_default()),
        Part::File { source, name, .. } => format!("file {} {}", show_source(source), name.as_deref().unwrap_or("-")),
        Part::Audio { source, transcript } => {
            format!("audio {}{}", show_source(source), transcript.as_ref().map(|t| format!(" \"{t}\"")).unwrap_or_default())
        }
        Part::Video { source, fps } => {
            format!("video {}{}", show_source(source), fps.as_ref().map(|fps| format!(" @{fps}")).unwrap_or_default())
        }
        Part::Reasoning { text, signature } => format!("think {text}{}", show_signature(signature.as_ref())),
        Part::RedactedReasoning { data, dialect } => format!("redacted {data}{}", show_dialect(*dialect)),
        Part::Refusal { text } => format!("refusal {text}"),
        Part::ToolCall(call) => {
            let custom = if call.custom { "custom " } else { "" };
            format!("{custom}call {} {} {}{}", call.id, call.name, call.arguments, show_signature(call.signature.as_ref()))
        }
        Part::ToolResult(result) => {
            let error = if result.is_error { " error" } else { "" };
            format!("result {} {} ({}){error}{}", result.id, result.name, show(&result.parts), cached(&result.cache))
        }
        Part::Opaque { dialect, value } => format!("opaque {value}{}", show_dialect(*dialect)),
    }
}

fn show_citation(citation: &Citation) -> String {
    let place = |at: Option<u64>| at.map(|at| at.to_string()).unwrap_or_default();
    format!(" <{} {}-{}>", citation.url.as_deref().unwrap_or("?"), place(citation.start), place(citation.end))
}

fn show_source(source: &Source) -> String {
    match source {
        Source::Url(url) => url.clone(),
        Source::Inline { media_type, data } => format!("{media_type},{data}"),
        Source::Id { dialect, id } => format!("{id}{}", show_dialect(*dialect)),
    }
}

fn show_signature(signature: Option<&Signature>) -> String {
    signature.map(|s| format!(" [{}]{}", s.value, show_dialect(s.dialect))).unwrap_or_default()
}

fn show_dialect(dialect: Dialect) -> String {
    if dialect == Dialect::OpenAiChat { "@chat".to_owned() } else { format!("@{}", dialect.name()) }
}
