//! Citations of text blocks.

use serde_json::{Map, Value};

use crate::{
    chat::{Dialect, request::Citation},
    wire::compose::Members,
};

/// Stands in `encrypted_index`, which Anthropic's own citations never leave empty: the citation is another provider's.
const FOREIGN: &str = "";

/// One citation. The places it names are in the source, not in the text: Anthropic cites a text block as a whole.
pub(super) fn read(value: Value) -> Citation {
    let word = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let place = |key: &str| value.get(key).and_then(Value::as_u64);
    // A search result's source is any text its caller chose.
    let source = word("source").filter(|source| source.starts_with("http"));
    let is_foreign = is_foreign(&value);
    Citation {
        url: word("url").or(source).filter(|url| !url.is_empty()),
        title: word("title").or_else(|| word("document_title")),
        quote: word("cited_text").filter(|quote| !quote.is_empty()),
        start: place("start_index"),
        end: place("end_index"),
        native: (!is_foreign).then_some((Dialect::Anthropic, value)),
    }
}

/// Whether this gateway made it from another provider's: Anthropic refuses it.
pub(super) fn is_foreign(citation: &Value) -> bool {
    citation.get("encrypted_index").and_then(Value::as_str) == Some(FOREIGN)
}

/// As Anthropic wrote it; `None` for another provider's.
pub(super) fn native(citation: &Citation) -> Option<&Value> {
    match &citation.native {
        Some((Dialect::Anthropic, value)) => Some(value),
        Some(_) | None => None,
    }
}

/// For a client. Another provider's becomes a kind that its SDKs parse without a document: with an address that of a web
/// search, else that of a passage. The stretch of text it belongs to stands beside, under names Anthropic does not use.
pub(super) fn write(citation: &Citation) -> Value {
    if let Some(value) = native(citation) {
        return value.clone();
    }
    let mut out = Map::new();
    let kind = if citation.url.is_some() { "web_search_result_location" } else { "search_result_location" };
    out.put("type", kind);
    out.put("cited_text", citation.quote.as_deref().unwrap_or_default());
    match &citation.url {
        Some(url) => out.put("url", url.as_str()),
        None => {
            out.put("source", citation.title.as_deref().unwrap_or_default());
            // There is one passage, and it is cited whole.
            ["search_result_index", "start_block_index", "end_block_index"].iter().for_each(|key| {
                out.put(key, 0);
            });
        }
    }
    out.put("title", &citation.title);
    out.put("encrypted_index", FOREIGN);
    for (key, place) in [("start_index", citation.start), ("end_index", citation.end)] {
        if let Some(place) = place {
            out.put(key, place);
        }
    }
    Value::Object(out)
}
