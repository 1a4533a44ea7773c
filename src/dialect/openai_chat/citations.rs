//! Citations: `annotations`, and Perplexity's lists.

use serde_json::Value;

use super::{items, text};
use crate::{
    chat::{
        Dialect,
        request::{Citation, Part},
    },
    wire::compose::json,
};

/// One annotation; its places count the characters of the whole answer.
pub fn read(annotation: &Value) -> Citation {
    let inner = annotation.get("url_citation").unwrap_or(annotation);
    let said = |key: &str| text(inner, key).map(str::to_owned);
    let place = |key: &str| inner.get(key).and_then(Value::as_u64);
    Citation {
        url: said("url"),
        title: said("title"),
        quote: said("content"),
        start: place("start_index"),
        end: place("end_index"),
        native: Some((Dialect::OpenAiChat, annotation.clone())),
    }
}

/// The same, counted from where its text begins.
pub fn after(mut citation: Citation, before: u64) -> Citation {
    citation.start = citation.start.map(|start| start.saturating_sub(before));
    citation.end = citation.end.map(|end| end.saturating_sub(before));
    citation
}

/// What Perplexity searched, beside the choices: cited by the whole text.
pub fn sources(body: &Value) -> Vec<Citation> {
    let results = items(body, "search_results").iter().map(|result| {
        let said = |key: &str| text(result, key).map(str::to_owned);
        Citation { url: said("url"), title: said("title"), quote: said("snippet"), ..Citation::default() }
    });
    let results: Vec<Citation> = results.filter(|citation| citation.url.is_some()).collect();
    if !results.is_empty() {
        return results;
    }
    let urls = items(body, "citations").iter().filter_map(Value::as_str);
    urls.map(|url| Citation { url: Some(url.to_owned()), ..Citation::default() }).collect()
}

/// Annotations of a whole message, put to its last text.
pub fn attach(parts: &mut [Part], annotations: Option<&Value>) {
    let list = annotations.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let lengths: Vec<u64> = parts.iter().map(length).collect();
    let Some(last) = parts.iter().rposition(|part| matches!(part, Part::Text { .. })) else { return };
    let before = lengths.iter().take(last).sum();
    if let Some(Part::Text { citations, .. }) = parts.get_mut(last) {
        citations.extend(list.iter().map(|annotation| after(read(annotation), before)));
    }
}

/// The characters that a part adds to the text of its message.
pub fn length(part: &Part) -> u64 {
    let Part::Text { text, .. } = part else { return 0 };
    characters(text)
}

pub fn characters(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

/// As an annotation, of a text that ends at `end` of the message and begins at `start`; `None` without a URL to name.
pub fn write(citation: &Citation, (start, end): (u64, u64)) -> Option<Value> {
    let place = |place: Option<u64>, whole: u64| place.map_or(whole, |place| place.saturating_add(start));
    let (from, to) = (place(citation.start, start), place(citation.end, end));
    if let Some((Dialect::OpenAiChat, native)) = &citation.native {
        let mut native = native.clone();
        if let Some(inner) = native.get_mut("url_citation").filter(|inner| inner.get("start_index").is_some()) {
            inner["start_index"] = from.into();
            inner["end_index"] = to.into();
        }
        return Some(native);
    }
    let url = citation.url.as_deref()?;
    let mut inner = json!({
        "url": url,
        "title": citation.title.as_deref().unwrap_or_default(),
        "start_index": from,
        "end_index": to,
    });
    if let Some(quote) = &citation.quote {
        inner["content"] = quote.as_str().into();
    }
    Some(json!({"type": "url_citation", "url_citation": inner}))
}
