//! The pieces of a text that both ways of an answer share: where it comes from, and how likely its words were.

use serde_json::Value;

use super::{items, text};
use crate::{
    chat::{Dialect, request::Citation, response::TokenLogprob},
    wire::compose::json,
};

pub(super) fn read_citation(annotation: &Value) -> Citation {
    let word = |key: &str| text(annotation, key).map(str::to_owned);
    let place = |key: &str| annotation.get(key).and_then(Value::as_u64);
    Citation {
        url: word("url"),
        title: word("title").or_else(|| word("filename")),
        quote: word("quote"),
        start: place("start_index"),
        end: place("end_index"),
        native: Some((Dialect::OpenAiResponses, annotation.clone())),
    }
}

pub(super) fn read_citations(part: &Value) -> Vec<Citation> {
    items(part, "annotations").iter().map(read_citation).collect()
}

/// `said`: the text it stands in. Strict clients want both ends of the stretch.
pub(super) fn write_citation(citation: &Citation, said: &str) -> Value {
    if let Some((Dialect::OpenAiResponses, native)) = &citation.native {
        return native.clone();
    }
    let title = citation.title.as_deref().unwrap_or_default();
    let end = citation.end.unwrap_or_else(|| u64::try_from(said.chars().count()).unwrap_or(u64::MAX));
    let mut out = match &citation.url {
        Some(url) => {
            let start = citation.start.unwrap_or(0);
            json!({"type": "url_citation", "url": url, "title": title, "start_index": start, "end_index": end})
        }
        None => json!({"type": "file_citation", "file_id": "", "filename": title, "index": end}),
    };
    if let Some(quote) = &citation.quote {
        out["quote"] = quote.as_str().into();
    }
    out
}

pub(super) fn read_logprobs(holder: &Value) -> Vec<TokenLogprob> {
    items(holder, "logprobs").iter().map(read_logprob).collect()
}

fn read_logprob(value: &Value) -> TokenLogprob {
    let bytes = value.get("bytes").and_then(Value::as_array);
    TokenLogprob {
        token: value.get("token").and_then(Value::as_str).unwrap_or_default().to_owned(),
        logprob: value.get("logprob").and_then(Value::as_f64).unwrap_or_default(),
        bytes: bytes.map(|list| list.iter().filter_map(|b| u8::try_from(b.as_u64()?).ok()).collect()),
        top: items(value, "top_logprobs").iter().map(read_logprob).collect(),
    }
}

pub(super) fn write_logprobs(tokens: &[TokenLogprob]) -> Value {
    let one = |token: &TokenLogprob| {
        let bytes = token.bytes.clone().unwrap_or_else(|| token.token.as_bytes().to_vec());
        json!({"token": &token.token, "logprob": token.logprob, "bytes": bytes})
    };
    let all = tokens.iter().map(|token| {
        let mut out = one(token);
        out["top_logprobs"] = token.top.iter().map(one).collect();
        out
    });
    all.collect()
}
