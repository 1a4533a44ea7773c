//! What is asked, in each provider's shape.

use serde_json::{Map, Value};

use super::{
    super::{Sent, bare, edited, made, text, untranslatable},
    asked::{Asked, Inputs},
    like, purpose,
};
use crate::{
    catalog::{Operation, Style},
    error::Error,
    wire::{
        compose::{Members, json},
        json::{Edit, Outline, items, join, json_text, quoted},
    },
};

/// Texts in one call, by the providers' own documents. A longer list is refused here, for one that is cut in two would be
/// two calls.
const fn longest(style: Style) -> Option<usize> {
    match style {
        Style::OpenAi => Some(2048),
        Style::Gemini => Some(100),
        Style::Cohere => Some(96),
        Style::Voyage => Some(1000),
        Style::Vertex => Some(250),
        Style::Anthropic
        | Style::Converse
        | Style::Jina
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity
        | Style::Fireworks => None,
    }
}

/// The texts, no more than the provider takes in one call.
pub(super) fn only_text(asked: &Asked, to: Style) -> Result<&[String], Error> {
    let Inputs::Texts(texts) = &asked.inputs else {
        let message = "`input` holds token numbers, which only the provider they were made for can read: send text instead \
                       (LangChain: `check_embedding_ctx_length=False`).";
        return Err(Error::invalid("input", message));
    };
    match longest(to) {
        Some(limit) if texts.len() > limit => Err(Error::invalid(
            "input",
            format!("This provider embeds at most {limit} texts in one call, and this one holds {}: send fewer.", texts.len()),
        )),
        _ => Ok(texts),
    }
}

pub(super) fn write(to: Style, asked: &Asked, model: &str) -> Result<Sent, Error> {
    let texts = only_text(asked, to)?;
    match to {
        Style::Gemini => Ok(gemini(texts, asked, model)),
        Style::Vertex => vertex(texts, asked, model),
        Style::Cohere => Ok(cohere(texts, asked, model)),
        Style::OpenAi | Style::Voyage | Style::Jina | Style::Mistral | Style::Nvidia | Style::Perplexity => {
            let (body, mut dropped) = like::write(to, asked, model);
            drop_titles(asked, &mut dropped);
            Ok(made(body, dropped))
        }
        Style::Anthropic | Style::Converse | Style::Fireworks => Err(untranslatable(Operation::Embed)),
    }
}

fn drop_titles(asked: &Asked, dropped: &mut Vec<String>) {
    let [.., title] = asked.names;
    if asked.titles.iter().any(Option::is_some) {
        dropped.push(title.to_owned());
    }
}

/// The provider's word for the purpose, or the one it insists on.
fn word(asked: &Asked, to: Style, dropped: &mut Vec<String>) -> Option<&'static str> {
    let [name, ..] = asked.names;
    let word = asked.purpose.as_deref().and_then(|said| purpose::word(said, to));
    if asked.purpose.is_some() && word.is_none() {
        dropped.push(name.to_owned());
    }
    word.or(purpose::default(to))
}

fn gemini(texts: &[String], asked: &Asked, model: &str) -> Sent {
    let mut dropped = asked.dropped.clone();
    let task = word(asked, Style::Gemini, &mut dropped);
    let one = |text: &String| {
        let mut one = json!({"model": format!("models/{}", bare(model)), "content": {"parts": [{"text": text}]}});
        put(&mut one, "taskType", task.map(Value::from));
        put(&mut one, "outputDimensionality", asked.dimensions.map(Value::from));
        one
    };
    let (method, body) = match texts {
        [text] => ("embedContent", one(text)),
        all => ("batchEmbedContents", json!({"requests": all.iter().map(one).collect::<Vec<Value>>()})),
    };
    Sent { path: method.to_owned(), ..made(json_text(&body), dropped) }
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (object.as_object_mut(), value) {
        map.put(key, value);
    }
}

/// Of Google's embedders the text ones and the first Gemini are asked by `:predict`, later ones one text a call.
fn vertex(texts: &[String], asked: &Asked, model: &str) -> Result<Sent, Error> {
    let mut dropped = asked.dropped.clone();
    let task = word(asked, Style::Vertex, &mut dropped);
    if bare(model).starts_with("gemini-embedding") && bare(model) != "gemini-embedding-001" {
        let [text] = texts else {
            let message = format!("`{model}` embeds one text in a call here, and this one holds {}.", texts.len());
            return Err(Error::invalid("input", message));
        };
        let mut body = json!({"content": {"parts": [{"text": text}]}});
        put(&mut body, "taskType", task.map(Value::from));
        put(&mut body, "outputDimensionality", asked.dimensions.map(Value::from));
        drop_titles(asked, &mut dropped);
        return Ok(Sent { path: "embedContent".to_owned(), ..made(json_text(&body), dropped) });
    }
    let titles = asked.titles.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let one = |(text, title): (&String, Option<&String>)| {
        let mut one = json!({"content": text});
        put(&mut one, "task_type", task.map(Value::from));
        put(&mut one, "title", title.map(|title| Value::from(title.as_str())));
        one
    };
    let mut body = Map::new();
    body.put("instances", texts.iter().zip(titles).map(one).collect::<Vec<_>>());
    if let Some(count) = asked.dimensions {
        body.put("parameters", json!({"outputDimensionality": count}));
    }
    Ok(made(json_text(&Value::Object(body)), dropped))
}

fn cohere(texts: &[String], asked: &Asked, model: &str) -> Sent {
    let mut dropped = asked.dropped.clone();
    let mut body = json!({"model": model, "texts": texts});
    let purpose = match asked.purpose.as_deref() {
        // Cohere's newest word, unknown here, or its `image`.
        Some(said) if !purpose::is_known(said) => Some(said.to_owned()),
        _ => word(asked, Style::Cohere, &mut dropped).map(str::to_owned),
    };
    put(&mut body, "input_type", purpose.map(Value::from));
    put(&mut body, "embedding_types", Some(json!(["float"])));
    put(&mut body, "output_dimension", asked.dimensions.map(Value::from));
    drop_titles(asked, &mut dropped);
    made(json_text(&body), dropped)
}

/// Gemini's own body. The model is in the path, and again where a body names it: both must be the same.
pub(super) fn gemini_own(body: &Outline<'_>, model: &str) -> Sent {
    let name = format!("models/{}", bare(model));
    let method = if body.get("requests").is_some() { "batchEmbedContents" } else { "embedContent" };
    let mut edits = vec![];
    if body.get("model").is_some() {
        edits.push(Edit::Set("model".into(), quoted(&name)));
    }
    if let Some(requests) = body.get("requests").and_then(|requests| requests_for(requests, &name)) {
        edits.push(Edit::Set("requests".into(), requests));
    }
    Sent { path: method.to_owned(), ..edited(body, &edits, vec![]) }
}

/// `None` when each names this model already.
fn requests_for(requests: &str, name: &str) -> Option<String> {
    let mut changed = false;
    let mut out = vec![];
    for request in items(requests)? {
        let outline = Outline::read(request.as_bytes()).ok()?;
        if text(&outline, "model").as_deref() == Some(name) {
            out.push(request.to_owned());
        } else {
            changed = true;
            out.push(join(request, &outline.edit(&[Edit::Set("model".into(), quoted(name))])));
        }
    }
    changed.then(|| format!("[{}]", out.join(",")))
}
