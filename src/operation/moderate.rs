//! Is it fit to be said?

use serde_json::{Map, Value};

use super::{Answer, Sent, counted, estimate, made, unreadable, untranslatable, value, with_model};
use crate::{
    catalog::{Operation, Style},
    chat::event::UpstreamError,
    error::Error,
    wire::{
        compose::json,
        fields::{Fields, missing, must_be},
        json::{Outline, json_text},
    },
};

/// OpenAI's categories, and the one of Mistral's that stands for each. What Mistral tells beyond (`health`, `financial`,
/// `law`, `pii`, …) keeps its name.
static CATEGORIES: [(&str, &str); 13] = [
    ("harassment", ""),
    ("harassment/threatening", ""),
    ("hate", "hate_and_discrimination"),
    ("hate/threatening", ""),
    ("illicit", "dangerous_and_criminal_content"),
    ("illicit/violent", ""),
    ("self-harm", "selfharm"),
    ("self-harm/instructions", ""),
    ("self-harm/intent", ""),
    ("sexual", "sexual"),
    ("sexual/minors", ""),
    ("violence", "violence_and_threats"),
    ("violence/graphic", ""),
];

pub(super) fn write(from: Style, to: Style, body: &Outline<'_>, model: &str) -> Result<Sent, Error> {
    match (from, to) {
        (Style::OpenAi, Style::OpenAi) | (Style::Mistral, Style::Mistral) => Ok(with_model(body, model)),
        (Style::OpenAi, Style::Mistral) => {
            let (inputs, dropped) = read_asked(body)?;
            Ok(made(json_text(&json!({"model": model, "input": inputs})), dropped))
        }
        (
            Style::OpenAi
            | Style::Anthropic
            | Style::Gemini
            | Style::Vertex
            | Style::Converse
            | Style::Cohere
            | Style::Voyage
            | Style::Jina
            | Style::Mistral
            | Style::Nvidia
            | Style::Perplexity
            | Style::Fireworks,
            _,
        ) => Err(untranslatable(Operation::Moderate)),
    }
}

/// Texts, a verdict each. A list of parts is one input: its texts are judged together.
fn read_asked(body: &Outline<'_>) -> Result<(Vec<String>, Vec<String>), Error> {
    let value: Value = serde_json::from_str(body.text()).map_err(|_| must_be("", "a JSON object"))?;
    let mut fields = Fields::read(value, "")?;
    fields.take("model");
    let wrong = || must_be("input", "a string, an array of strings, or an array of parts");
    let inputs = match fields.take("input").ok_or_else(|| missing("input"))? {
        Value::String(text) => vec![text],
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Value::Array(parts) => vec![joined(parts)?],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(wrong()),
    };
    let mut dropped = vec![];
    fields.leave(&mut dropped);
    Ok((inputs, dropped))
}

fn joined(parts: Vec<Value>) -> Result<String, Error> {
    let mut texts = vec![];
    for (at, part) in parts.into_iter().enumerate() {
        let path = format!("input[{at}]");
        let only = "This provider moderates text only: each part must be `{\"type\": \"text\", \"text\": …}`.";
        let text = Fields::read(part, path.clone())?.take_str("text")?;
        texts.push(text.ok_or_else(|| Error::invalid(path, only))?);
    }
    Ok(texts.join("\n"))
}

pub(super) fn read(
    (from, to): (Style, Style),
    body: &Outline<'_>,
    answer: &Outline<'_>,
    model: &str,
) -> Result<Answer, UpstreamError> {
    let raw = value(answer, "usage");
    let tokens = raw.as_ref().and_then(|raw| raw.get("prompt_tokens")).and_then(Value::as_u64);
    let mut out =
        counted(tokens, raw, || read_asked(body).map_or(0, |(texts, _)| texts.iter().map(|text| estimate::of_text(text)).sum()));
    if from != to {
        let value: Value = serde_json::from_str(answer.text()).map_err(|_| unreadable("is not a JSON object"))?;
        out.body = Some(json_text(&from_mistral(&value, model).ok_or_else(|| unreadable("holds no results"))?));
    }
    Ok(out)
}

fn from_mistral(answer: &Value, model: &str) -> Option<Value> {
    let results: Vec<Value> = answer.get("results")?.as_array()?.iter().map(verdict).collect();
    let model = answer.get("model").and_then(Value::as_str).unwrap_or(model);
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    Some(json!({"id": id, "model": model, "results": results}))
}

fn verdict(result: &Value) -> Value {
    let named = |member: &str, absent: Value| -> Map<String, Value> {
        let theirs = result.get(member).and_then(Value::as_object);
        let of = |name: &str| theirs.and_then(|theirs| theirs.get(name)).cloned();
        let known = CATEGORIES.iter().map(|(ours, name)| ((*ours).to_owned(), of(name).unwrap_or(absent.clone())));
        let beyond = theirs.into_iter().flatten().filter(|(name, _)| CATEGORIES.iter().all(|(_, known)| known != name));
        known.chain(beyond.map(|(name, value)| (name.clone(), value.clone()))).collect()
    };
    let categories = named("categories", Value::Bool(false));
    let flagged = categories.values().any(|said| said == &Value::Bool(true));
    let inputs: Map<String, Value> = categories.keys().map(|name| (name.clone(), json!(["text"]))).collect();
    json!({
        "flagged": flagged,
        "categories": categories,
        "category_scores": named("category_scores", json!(0.0)),
        "category_applied_input_types": inputs,
    })
}
