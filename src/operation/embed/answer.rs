//! Vectors of an answer, read from each provider's shape and written in the caller's.

use serde_json::Value;

use super::{
    super::{number, text, unreadable, value},
    vector::{Form, convert, form, of_bytes},
};
use crate::{
    catalog::Style,
    chat::event::UpstreamError,
    sorted::in_order,
    wire::json::{Edit, Outline, items, join, quoted},
};

pub(super) struct Vectors<'a> {
    /// In the order of the texts.
    pub vectors: Vec<&'a str>,
    /// Packed bytes instead of floats.
    packed: bool,
    model: Option<String>,
    pub tokens: Option<u64>,
    pub raw_usage: Option<Value>,
}

pub(super) fn read<'a>(style: Style, answer: &Outline<'a>) -> Result<Vectors<'a>, UpstreamError> {
    let vectors = match style {
        Style::Gemini | Style::Vertex => google(answer),
        Style::Cohere => member(answer, "embeddings").and_then(|by_type| items(by_type.get("float")?)),
        Style::OpenAi
        | Style::Anthropic
        | Style::Converse
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => openai(answer),
    };
    let vectors = vectors.ok_or_else(|| unreadable("holds no vectors"))?;
    let (tokens, raw_usage) = usage(style, answer);
    Ok(Vectors { vectors, packed: style == Style::Perplexity, model: text(answer, "model"), tokens, raw_usage })
}

fn member<'a>(outline: &Outline<'a>, key: &str) -> Option<Outline<'a>> {
    Outline::read(outline.get(key)?.as_bytes()).ok()
}

/// By `index`, where it is said: their order is not promised.
fn openai<'a>(answer: &Outline<'a>) -> Option<Vec<&'a str>> {
    let mut found = vec![];
    for (at, item) in items(answer.get("data")?)?.into_iter().enumerate() {
        let item = Outline::read(item.as_bytes()).ok()?;
        let index = number(&item, "index").and_then(|index| usize::try_from(index).ok()).unwrap_or(at);
        found.push((index, item.get("embedding")?));
    }
    Some(in_order(found, |a, b| a.0 <= b.0).into_iter().map(|(_, vector)| vector).collect())
}

fn google<'a>(answer: &Outline<'a>) -> Option<Vec<&'a str>> {
    if let Some(one) = member(answer, "embedding") {
        return Some(vec![one.get("values")?]);
    }
    let all = answer.get("embeddings").or_else(|| answer.get("predictions"))?;
    let values = |item: &'a str| {
        let outline = Outline::read(item.as_bytes()).ok()?;
        match outline.get("embeddings") {
            Some(inner) => Outline::read(inner.as_bytes()).ok()?.get("values"),
            None => outline.get("values"),
        }
    };
    items(all)?.into_iter().map(values).collect()
}

fn usage(style: Style, answer: &Outline<'_>) -> (Option<u64>, Option<Value>) {
    let name = match style {
        Style::Gemini => "usageMetadata",
        Style::Vertex => return vertex_usage(answer),
        Style::Cohere => "meta",
        Style::OpenAi
        | Style::Anthropic
        | Style::Converse
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => "usage",
    };
    let raw = value(answer, name);
    let of = |path: &str| raw.as_ref().and_then(|raw| raw.pointer(path)).and_then(Value::as_u64);
    let names = [
        "/prompt_tokens",
        "/promptTokenCount",
        "/billed_units/input_tokens",
        "/tokens/input_tokens",
        "/total_tokens",
        "/totalTokenCount",
    ];
    // Cohere bills pictures beside the text.
    let images = of("/billed_units/image_tokens").unwrap_or(0);
    (names.into_iter().find_map(of).map(|count| count.saturating_add(images)), raw)
}

/// Counted a text, or as Gemini does.
fn vertex_usage(answer: &Outline<'_>) -> (Option<u64>, Option<Value>) {
    if answer.get("usageMetadata").is_some() {
        return usage(Style::Gemini, answer);
    }
    let counts = answer.get("predictions").and_then(items).unwrap_or_default().into_iter().map(|item| {
        let embeddings = member(&Outline::read(item.as_bytes()).ok()?, "embeddings")?;
        number(&member(&embeddings, "statistics")?, "token_count")
    });
    (counts.sum(), value(answer, "metadata"))
}

/// Each vector in this form; `None`: as it came.
fn in_form_all(found: &Vectors<'_>, to: Option<Form>) -> Option<Vec<String>> {
    let write = |vector: &&str| match to {
        None => Some((*vector).to_owned()),
        Some(to) if found.packed => convert(&of_bytes(vector)?, to),
        Some(to) => convert(vector, to),
    };
    found.vectors.iter().map(write).collect()
}

/// The provider's own answer with its vectors in this form; `None` when they are already.
pub(super) fn in_form(answer: &Outline<'_>, found: &Vectors<'_>, to: Form) -> Option<String> {
    if found.vectors.iter().all(|vector| form(vector) == Some(to)) {
        return None;
    }
    let vectors = in_form_all(found, Some(to))?;
    Some(join(answer.text(), &answer.edit(&[Edit::Set("data".into(), data(&vectors))])))
}

fn data(vectors: &[String]) -> String {
    let one =
        |(index, vector): (usize, &String)| format!("{{\"object\":\"embedding\",\"index\":{index},\"embedding\":{vector}}}");
    format!("[{}]", vectors.iter().enumerate().map(one).collect::<Vec<_>>().join(","))
}

pub(super) fn write_openai(found: &Vectors<'_>, to: Option<Form>, tokens: u64, model: &str) -> Option<String> {
    let vectors = in_form_all(found, to)?;
    let model = quoted(found.model.as_deref().unwrap_or(model));
    Some(format!(
        "{{\"object\":\"list\",\"data\":{},\"model\":{model},\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}}}",
        data(&vectors)
    ))
}

pub(super) fn write_gemini(found: &Vectors<'_>, single: bool, tokens: u64) -> Option<String> {
    let values = |vector: &String| format!("{{\"values\":{vector}}}");
    let all: Vec<String> = in_form_all(found, Some(Form::Numbers))?.iter().map(values).collect();
    let embedded = match (single, all.first()) {
        (true, Some(one)) => format!("\"embedding\":{one}"),
        (true, None) | (false, _) => format!("\"embeddings\":[{}]", all.join(",")),
    };
    Some(format!("{{{embedded},\"usageMetadata\":{{\"promptTokenCount\":{tokens},\"totalTokenCount\":{tokens}}}}}"))
}
