//! Which documents answer a query best.

use serde_json::Value;

use super::{Answer, Sent, counted, estimate, made, number, text, unreadable, untranslatable, value, with_model};
use crate::{
    catalog::{Operation, Style},
    chat::event::UpstreamError,
    error::Error,
    wire::{
        compose::{Members, json},
        fields::{Fields, missing, must_be},
        json::{Outline, items, json_text, quoted},
    },
};

pub(super) fn write(from: Style, to: Style, body: &Outline<'_>, model: &str) -> Result<Sent, Error> {
    if from == to {
        return Ok(with_model(body, model));
    }
    // What the provider calls the number of results wanted, and how long a document may be.
    let (top, length) = match to {
        Style::Cohere => ("top_n", Some("max_tokens_per_doc")),
        Style::Voyage => ("top_k", None),
        Style::Jina | Style::Fireworks => ("top_n", None),
        Style::OpenAi
        | Style::Anthropic
        | Style::Gemini
        | Style::Vertex
        | Style::Converse
        | Style::Mistral
        | Style::Nvidia
        | Style::Perplexity => return Err(untranslatable(Operation::Rerank)),
    };
    let mut asked = read_asked(body)?;
    let mut written = json!({"model": model, "query": asked.query, "documents": asked.documents});
    let Some(members) = written.as_object_mut() else { return Err(untranslatable(Operation::Rerank)) };
    if let Some(count) = asked.top {
        members.put(top, count);
    }
    if let Some(count) = asked.length {
        match length {
            Some(name) => members.put(name, count),
            None => asked.dropped.push("max_tokens_per_doc".to_owned()),
        }
    }
    Ok(made(json_text(&written), asked.dropped))
}

struct Asked {
    query: String,
    documents: Vec<String>,
    top: Option<u64>,
    length: Option<u64>,
    /// The answer repeats the documents: most providers do not, so the gateway puts them in.
    echo: bool,
    dropped: Vec<String>,
}

fn read_asked(body: &Outline<'_>) -> Result<Asked, Error> {
    let value: Value = serde_json::from_str(body.text()).map_err(|_| must_be("", "a JSON object"))?;
    let mut fields = Fields::read(value, "")?;
    fields.take("model");
    let query = fields.need_str("query")?;
    let documents = fields.take_array("documents")?.ok_or_else(|| missing("documents"))?;
    let documents = documents.into_iter().map(document).collect();
    let top = fields.take_u64("top_n")?.or(fields.take_u64("top_k")?);
    let length = fields.take_u64("max_tokens_per_doc")?;
    let echo = fields.take_bool("return_documents")?.unwrap_or(false);
    let mut dropped = vec![];
    fields.leave(&mut dropped);
    Ok(Asked { query, documents, top, length, echo, dropped })
}

/// A document's text; one of several fields is read as the JSON it is.
fn document(value: Value) -> String {
    if let Value::String(text) = value {
        return text;
    }
    let alone = value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.get("text")?.as_str());
    alone.map_or_else(|| json_text(&value), str::to_owned)
}

/// One result, its score as it was written.
struct Ranked<'a> {
    index: u64,
    score: &'a str,
    /// The document's text, where the provider repeats it.
    document: Option<String>,
}

pub(super) fn read(
    (from, to): (Style, Style),
    body: &Outline<'_>,
    answer: &Outline<'_>,
    model: &str,
) -> Result<Answer, UpstreamError> {
    let raw = value(answer, "usage").or_else(|| value(answer, "meta"));
    let of = |path: &str| raw.as_ref().and_then(|raw| raw.pointer(path)).and_then(Value::as_u64);
    // Cohere's `tokens` are more than it bills.
    let counts = ["/prompt_tokens", "/total_tokens", "/billed_units/input_tokens", "/tokens/input_tokens"];
    let tokens = counts.into_iter().find_map(of);
    let searches = of("/billed_units/search_units");
    let asked = read_asked(body);
    // Each document is read together with the query.
    let mut out = counted(tokens, raw, || {
        asked.as_ref().map_or(0, |asked| {
            let query = estimate::of_text(&asked.query);
            asked.documents.iter().map(|document| query.saturating_add(estimate::of_text(document))).sum()
        })
    });
    if let (Some(searches), Some(usage)) = (searches, &mut out.usage) {
        usage.searches = searches;
    }
    if from != to {
        let asked = asked.map_err(|_| unreadable("is to a question that cannot be read again"))?;
        let ranked = results(answer).ok_or_else(|| unreadable("holds no results"))?;
        out.body = Some(translated(from, &asked, &ranked, (answer, &out), model));
    }
    Ok(out)
}

fn results<'a>(answer: &Outline<'a>) -> Option<Vec<Ranked<'a>>> {
    let one = |item: &'a str| {
        let item = Outline::read(item.as_bytes()).ok()?;
        let document = text(&item, "document").or_else(|| super::inner(&item, "document", "text").and_then(unquoted));
        let score = item.get("relevance_score").or_else(|| item.get("score"))?;
        Some(Ranked { index: number(&item, "index")?, score, document })
    };
    items(answer.get("results").or_else(|| answer.get("data"))?)?.into_iter().map(one).collect()
}

fn unquoted(text: String) -> Option<String> {
    serde_json::from_str(&text).ok()
}

fn translated(from: Style, asked: &Asked, ranked: &[Ranked<'_>], said: (&Outline<'_>, &Answer), model: &str) -> String {
    let (answer, read) = said;
    let own = |index: u64| usize::try_from(index).ok().and_then(|index| asked.documents.get(index).cloned());
    let one = |ranked: &Ranked<'_>| {
        let document = ranked.document.clone().or_else(|| own(ranked.index)).filter(|_| asked.echo);
        let document = document.map(|text| format!(",\"document\":{{\"text\":{}}}", quoted(&text))).unwrap_or_default();
        format!("{{\"index\":{},\"relevance_score\":{}{document}}}", ranked.index, ranked.score)
    };
    let mut members = vec![];
    members.extend(answer.get("id").map(|id| format!("\"id\":{id}")));
    members.push(format!("\"results\":[{}]", ranked.iter().map(one).collect::<Vec<_>>().join(",")));
    let tokens = read.usage.map_or(0, |usage| usage.input);
    match answer.get("meta") {
        Some(meta) => members.push(format!("\"meta\":{meta}")),
        None if from == Style::Cohere => members.push(format!("\"meta\":{{\"tokens\":{{\"input_tokens\":{tokens}}}}}")),
        None => {}
    }
    if from != Style::Cohere {
        members.insert(0, format!("\"model\":{}", answer.get("model").map_or_else(|| quoted(model), str::to_owned)));
        members.push(format!("\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}"));
    }
    format!("{{{}}}", members.join(","))
}
