//! Recordings that are not chat: embeddings, reranks, moderations, counts, and lists of models that were refused.

use portolan::{
    catalog::{Endpoint, Operation, Style},
    dialect::Dialect,
    operation::{self, Answer},
    wire::{
        base64,
        json::{Outline, join},
    },
};
use serde_json::{Value, json};

use crate::{
    answers,
    recording::{Recording, text},
};

/// What a recording that is not chat asked for.
#[derive(Clone, Copy)]
pub enum Spoken {
    /// In a provider's own style.
    Operation(Operation, Style),
    /// Refused: only the error is read.
    Refused(Dialect),
}

/// What came of one recording.
#[derive(Default)]
pub struct Findings {
    pub wrong: Vec<String>,
    /// From where to where, and what could not be said.
    pub dropped: Vec<(String, String)>,
}

const ANOTHER: &str = "another-model";
const PATH: &str = "/models/{model}:it";

const STYLES: [Style; 12] = [
    Style::OpenAi,
    Style::Anthropic,
    Style::Gemini,
    Style::Vertex,
    Style::Converse,
    Style::Cohere,
    Style::Voyage,
    Style::Jina,
    Style::Mistral,
    Style::Nvidia,
    Style::Perplexity,
    Style::Fireworks,
];

/// The styles in which callers ask.
const fn callers(operation: Operation) -> &'static [Style] {
    match operation {
        Operation::Embed => &[Style::OpenAi, Style::Gemini],
        Operation::Rerank => &[Style::Jina, Style::Cohere],
        Operation::Moderate => &[Style::OpenAi],
        Operation::CountTokens => &[Style::OpenAi, Style::Anthropic, Style::Gemini],
        // Pictures and videos are not connected.
        Operation::Image | Operation::Video => &[],
    }
}

/// `None` for what is chat, or is not spoken.
pub fn spoken(recording: &Recording) -> Option<Spoken> {
    let provider = recording.provider.as_str();
    let (operation, style) = match (recording.api.as_str(), provider) {
        ("openai.embeddings", "mistral") => (Operation::Embed, Style::Mistral),
        ("openai.embeddings", "perplexity") => (Operation::Embed, Style::Perplexity),
        ("openai.embeddings", "voyage") => (Operation::Embed, Style::Voyage),
        ("openai.embeddings", _) => (Operation::Embed, Style::OpenAi),
        ("cohere.embed", _) => (Operation::Embed, Style::Cohere),
        ("gemini.embed", "vertex") | ("vertex.predict", _) => (Operation::Embed, Style::Vertex),
        ("gemini.embed", _) => (Operation::Embed, Style::Gemini),
        ("rerank", "cohere") => (Operation::Rerank, Style::Cohere),
        ("rerank", "voyage") => (Operation::Rerank, Style::Voyage),
        ("rerank", _) => (Operation::Rerank, Style::Jina),
        ("openai.moderations", _) => (Operation::Moderate, Style::OpenAi),
        ("anthropic.count_tokens", _) => (Operation::CountTokens, Style::Anthropic),
        ("gemini.count_tokens", "vertex") => (Operation::CountTokens, Style::Vertex),
        ("gemini.count_tokens", _) => (Operation::CountTokens, Style::Gemini),
        ("openai.input_tokens", _) => (Operation::CountTokens, Style::OpenAi),
        ("models", _) if recording.status >= 400 => {
            return Some(Spoken::Refused(match provider {
                "anthropic" => Dialect::Anthropic,
                "gemini" => Dialect::Gemini,
                _ => Dialect::OpenAiChat,
            }));
        }
        _ => return None,
    };
    Some(Spoken::Operation(operation, style))
}

pub fn check(recording: &Recording, spoken: Spoken) -> Findings {
    let mut found = Findings::default();
    let (operation, style) = match spoken {
        Spoken::Operation(operation, style) => (operation, style),
        Spoken::Refused(dialect) => {
            found.wrong = answers::failure(recording, dialect);
            return found;
        }
    };
    let asked: Value = recording.request.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    if asked.is_object() {
        request(operation, style, &asked, &recording.model, &mut found);
    }
    if recording.status >= 400 {
        found.wrong.extend(answers::failure(recording, operation::dialect(style)));
        return found;
    }
    for caller in callers(operation) {
        let wrong = answer(operation, (*caller, style), &asked, recording);
        found.wrong.extend(wrong.into_iter().map(|what| format!("{style:?} > {caller:?}: {what}")));
    }
    found
}

/// To its own style unchanged but for the model, to any other translated, or refused with a reason.
fn request(operation: Operation, style: Style, asked: &Value, model: &str, found: &mut Findings) {
    // What only providers are asked in is first said as a caller would.
    let is_caller = callers(operation).contains(&style);
    let (from, body) = if is_caller { (style, asked.clone()) } else { as_caller(operation, style, asked, model) };
    let text = body.to_string();
    let facts = Outline::read(text.as_bytes()).and_then(|outline| operation::facts(operation, from, &outline));
    match facts {
        Ok(facts) if from == Style::Gemini || body["model"].is_null() || body["model"] == json!(facts.model) => {}
        Ok(facts) => found.wrong.push(format!("routing reads the model `{}`", facts.model)),
        Err(error) => found.wrong.push(format!("routing refuses: {}", error.message)),
    }
    for to in STYLES {
        let place = format!("{}: {from:?} > {to:?}", operation.name());
        // Vertex has a door for each generation of its models.
        let model = if to == Style::Vertex && style == to { model } else { ANOTHER };
        let sent = match operation::write(operation, from, Endpoint { style: to, path: PATH }, text.as_bytes(), model) {
            Ok(sent) => sent,
            Err(error) if error.message.is_empty() || to == style => {
                found.wrong.push(format!("{place}: refused: {:?}", error.message));
                continue;
            }
            Err(_) => {
                found.dropped.push((place, "refused".to_owned()));
                continue;
            }
        };
        let written: Value = serde_json::from_str(&join(&text, &sent.body)).unwrap_or_default();
        if !sent.path.contains(model) && !written.to_string().contains(model) {
            found.wrong.push(format!("{place}: the model is not named"));
        }
        if to == style {
            found.wrong.extend(changed(asked, &written, &sent.dropped).into_iter().map(|what| format!("{place}: {what}")));
        } else if operation == Operation::Embed && texts(&written) != texts(asked) {
            found.wrong.push(format!("{place}: other texts: {written}"));
        }
        found.dropped.extend(sent.dropped.into_iter().map(|path| (place.clone(), path)));
    }
}

/// The call of a caller that becomes this one.
fn as_caller(operation: Operation, style: Style, asked: &Value, model: &str) -> (Style, Value) {
    let mut body = asked.clone();
    match (operation, style) {
        (Operation::CountTokens, _) => return (Style::Gemini, body),
        (Operation::Rerank, _) => return (Style::Jina, body),
        (Operation::Embed, Style::Cohere | Style::Vertex) => {
            body = json!({"model": model, "input": texts(asked)});
            for (name, theirs) in [("dimensions", "output_dimension"), ("input_type", "input_type")] {
                if let Some(value) = asked.get(theirs) {
                    body[name] = value.clone();
                }
            }
        }
        (Operation::Embed | Operation::Moderate | Operation::Image | Operation::Video, _) => {}
    }
    (Style::OpenAi, body)
}

fn part(one: &Value) -> Option<&str> {
    one.pointer("/content/parts/0/text")?.as_str()
}

/// The texts to embed.
fn texts(asked: &Value) -> Vec<&str> {
    let spelled = |name: &str| {
        let list = asked[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        asked[name].as_str().into_iter().chain(list)
    };
    let mut found: Vec<&str> = spelled("input").chain(spelled("texts")).collect();
    found.extend(part(asked));
    found.extend(asked["requests"].as_array().into_iter().flatten().filter_map(part));
    found.extend(asked["instances"].as_array().into_iter().flatten().filter_map(|one| one["content"].as_str()));
    found
}

/// Members that are not as they were recorded, and not reported either; the model is another.
fn changed(asked: &Value, written: &Value, dropped: &[String]) -> Vec<String> {
    let without_model = |value: &Value| {
        let mut value = value.clone();
        for request in value["requests"].as_array_mut().into_iter().flatten() {
            request.as_object_mut().map(|members| members.shift_remove("model"));
        }
        value.as_object_mut().map(|members| members.shift_remove("model"));
        value
    };
    let (before, after) = (without_model(asked), without_model(written));
    let names = [&before, &after].map(|value| value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>()));
    let mut names = names.into_iter().flatten().flatten().collect::<Vec<_>>();
    names.sort();
    names.dedup();
    // One text and a list of one are the same; vectors are asked for as numbers by not saying so.
    let same = |name: &str| before[name] == after[name] || (name == "input" && texts(&before) == texts(&after));
    names.retain(|name| !same(name) && !dropped.contains(name));
    names.into_iter().map(|name| format!("`{name}` was {} and is {}", before[&name], after[&name])).collect()
}

/// What is wrong with the answer that this caller gets.
fn answer(operation: Operation, (caller, style): (Style, Style), asked: &Value, recording: &Recording) -> Vec<String> {
    let theirs: Value = serde_json::from_str(&recording.text()).unwrap_or_default();
    let vectors = recorded_vectors(style, &theirs);
    let body = match operation {
        _ if caller == style && asked.is_object() => asked.clone(),
        Operation::Embed if caller == Style::Gemini && vectors.len() == 1 => json!({"content": {"parts": [{"text": "x"}]}}),
        Operation::Embed if caller == Style::Gemini => {
            json!({"requests": vec![json!({"content": {"parts": [{"text": "x"}]}}); vectors.len()]})
        }
        Operation::Embed => json!({"model": "m", "input": vec!["x"; vectors.len()], "encoding_format": "base64"}),
        Operation::Rerank => json!({"model": "m", "query": "q", "documents": vec!["x"; 10]}),
        Operation::Moderate | Operation::CountTokens | Operation::Image | Operation::Video => asked.clone(),
    };
    let read = operation::read(operation, (caller, style), body.to_string().as_bytes(), &recording.body, "a-model");
    let read = match read {
        Ok(read) => read,
        Err(error) => return vec![format!("not read: {}", error.message)],
    };
    let ours = read.body.as_deref().map_or_else(|| theirs.clone(), |text| serde_json::from_str(text).unwrap_or_default());
    let mut wrong = vec![];
    let mut same = |what: &str, is: Value, was: Value| {
        if is != was {
            wrong.push(format!("{what}: {is}, recorded {was}"));
        }
    };
    match operation {
        Operation::Embed => {
            same("any vectors", (!vectors.is_empty() && vectors.iter().all(|vector| vector.len() > 9)).into(), true.into());
            same("vectors", json!(told_vectors(caller, &ours)), json!(vectors));
            if body["encoding_format"] == "base64" {
                let are_text = ours["data"].as_array().is_some_and(|data| data.iter().all(|one| one["embedding"].is_string()));
                same("in base64, as asked for", are_text.into(), true.into());
            }
        }
        Operation::Rerank if scores(&theirs).is_empty() => same("any results", false.into(), true.into()),
        Operation::Rerank => same("scores", json!(scores(&ours)), json!(scores(&theirs))),
        Operation::Moderate => same("verdict", ours["results"].clone(), theirs["results"].clone()),
        Operation::CountTokens => same("count", counted(&ours).into(), counted(&theirs).into()),
        Operation::Image | Operation::Video => {}
    }
    if operation != Operation::CountTokens {
        let tokens = recorded_tokens(&theirs);
        same("estimated", read.estimated.into(), tokens.is_none().into());
        if tokens.is_some() {
            same("tokens", used(&read).into(), tokens.into());
        }
    }
    wrong
}

fn used(read: &Answer) -> Option<u64> {
    read.usage.map(|usage| usage.input)
}

fn counted(answer: &Value) -> Option<u64> {
    answer.get("input_tokens").or(answer.get("totalTokens")).and_then(Value::as_u64)
}

/// What the provider counted; searches are no tokens.
fn recorded_tokens(answer: &Value) -> Option<u64> {
    let counts = [
        "/usage/prompt_tokens",
        "/usage/total_tokens",
        "/usageMetadata/promptTokenCount",
        "/meta/billed_units/input_tokens",
        "/predictions/0/embeddings/statistics/token_count",
    ];
    counts.iter().find_map(|pointer| answer.pointer(pointer)?.as_u64())
}

/// Place and score of each result, in their order.
fn scores(answer: &Value) -> Vec<(Value, Value)> {
    let results = answer.get("results").or(answer.get("data")).and_then(Value::as_array);
    let score = |one: &Value| one.get("relevance_score").or(one.get("score")).cloned().unwrap_or_default();
    results.into_iter().flatten().map(|one| (one["index"].clone(), score(one))).collect()
}

fn recorded_vectors(style: Style, answer: &Value) -> Vec<Vec<f32>> {
    let list = |pointer: &str| answer.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let mut data: Vec<&Value> = list("/data").collect();
    data.sort_by_key(|one| one["index"].as_u64());
    let mut found: Vec<&Value> = data.into_iter().map(|one| &one["embedding"]).collect();
    found.extend(list("/embeddings/float"));
    found.extend(answer.pointer("/embedding/values"));
    found.extend(list("/predictions").filter_map(|one| one.pointer("/embeddings/values")));
    // Perplexity packs a signed byte a dimension.
    found.into_iter().map(|vector| if style == Style::Perplexity { of_bytes(vector) } else { floats(vector) }).collect()
}

fn told_vectors(caller: Style, answer: &Value) -> Vec<Vec<f32>> {
    if caller != Style::Gemini {
        return recorded_vectors(caller, answer);
    }
    let all = answer["embeddings"].as_array().into_iter().flatten().map(|one| &one["values"]);
    answer.pointer("/embedding/values").into_iter().chain(all).map(floats).collect()
}

fn floats(vector: &Value) -> Vec<f32> {
    if vector.is_string() {
        let bytes = base64::decode(text(vector)).unwrap_or_default();
        return bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    }
    serde_json::from_value(vector.clone()).unwrap_or_default()
}

fn of_bytes(vector: &Value) -> Vec<f32> {
    let bytes = base64::decode(text(vector)).unwrap_or_default();
    bytes.into_iter().map(|byte| f32::from(i8::from_le_bytes([byte]))).collect()
}
