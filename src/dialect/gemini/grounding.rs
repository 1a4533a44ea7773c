//! Where an answer's words come from: `groundingMetadata` and `citationMetadata`, counted in bytes of UTF-8.

use serde_json::{Map, Value};

use crate::{
    chat::request::Citation,
    wire::compose::{Members, json},
};

/// The citations of a candidate, whose current text is `text`.
pub(super) fn read(candidate: &Value, text: &str) -> Vec<Citation> {
    let grounding = candidate.get("groundingMetadata");
    let chunks = list(grounding, "groundingChunks");
    let (mut out, mut cited) = (vec![], vec![]);
    for support in list(grounding, "groundingSupports") {
        let (start, end) = support.get("segment").map_or((None, None), |segment| stretch(segment, text));
        for index in list(Some(support), "groundingChunkIndices").iter().filter_map(index) {
            let Some(chunk) = chunks.get(index) else { continue };
            cited.push(index);
            out.push(Citation { start, end, ..source(chunk) });
        }
    }
    out.extend(chunks.iter().enumerate().filter(|(i, _)| !cited.contains(i)).map(|(_, chunk)| source(chunk)));
    // Google's own model of it, and Vertex's.
    let metadata = candidate.get("citationMetadata");
    for cited in list(metadata, "citationSources").iter().chain(list(metadata, "citations")) {
        let Some(url) = word(cited, "uri") else { continue };
        let (start, end) = stretch(cited, text);
        out.push(Citation { url: Some(url), title: word(cited, "title"), start, end, ..Citation::default() });
    }
    out
}

fn list<'a>(value: Option<&'a Value>, key: &str) -> &'a [Value] {
    value.and_then(|value| value.get(key)?.as_array()).map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn index(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn source(chunk: &Value) -> Citation {
    let from = ["web", "retrievedContext", "maps", "image"].iter().find_map(|kind| chunk.get(kind)).unwrap_or(&Value::Null);
    let url = word(from, "uri").or_else(|| word(from, "sourceUri"));
    Citation { url, title: word(from, "title"), quote: word(from, "text"), ..Citation::default() }
}

/// The stretch in characters, if it is one of this text: parts of a stream are counted together, those of an answer apart.
fn stretch(segment: &Value, text: &str) -> (Option<u64>, Option<u64>) {
    let at = |key: &str| segment.get(key).and_then(index);
    let said = segment.get("text").and_then(Value::as_str).filter(|said| !said.is_empty());
    let (start, end) = (at("startIndex").unwrap_or(0), at("endIndex").unwrap_or(0));
    let there = text.get(start..end).filter(|there| said.map_or(!there.is_empty(), |said| said == *there));
    let found = match there {
        Some(_) => Some((start, end)),
        None => said.and_then(|said| text.find(said).map(|at| (at, at + said.len()))),
    };
    let chars = |end: usize| text.get(..end).and_then(|before| u64::try_from(before.chars().count()).ok());
    found.map_or((None, None), |(start, end)| (chars(start), chars(end)))
}

/// Citations with the text that they are about, and where it begins in its part.
pub(super) struct Cited<'a> {
    pub citation: &'a Citation,
    pub text: &'a str,
    pub base: usize,
    pub part: usize,
}

pub(super) fn write<'a>(all: impl Iterator<Item = Cited<'a>>) -> Option<Value> {
    let (mut chunks, mut supports) = (vec![], vec![]);
    for Cited { citation, text, base, part } in all {
        let chunk = chunk(citation);
        let at = chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
            chunks.push(chunk);
            chunks.len() - 1
        });
        if let Some((start, end)) = bytes(citation, text) {
            let mut segment = Map::new();
            if part > 0 {
                segment.put("partIndex", part);
            }
            segment.put("startIndex", base + start);
            segment.put("endIndex", base + end);
            segment.put("text", text.get(start..end));
            supports.push(json!({ "segment": segment, "groundingChunkIndices": [at] }));
        }
    }
    (!chunks.is_empty()).then(|| json!({ "groundingChunks": chunks, "groundingSupports": supports }))
}

fn chunk(citation: &Citation) -> Value {
    let mut source = Map::new();
    for (key, word) in [("uri", &citation.url), ("title", &citation.title), ("text", &citation.quote)] {
        if let Some(word) = word {
            source.put(key, word.as_str());
        }
    }
    // Only a retrieved text has words.
    let kind = if citation.quote.is_some() { "retrievedContext" } else { "web" };
    json!({ kind: source })
}

fn bytes(citation: &Citation, text: &str) -> Option<(usize, usize)> {
    let at = |chars: u64| {
        let chars = usize::try_from(chars).ok()?;
        text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars)
    };
    let (start, end) = (at(citation.start?)?, at(citation.end?)?);
    (start < end).then_some((start, end))
}
