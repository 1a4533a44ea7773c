//! Recorded embeddings, reranks, moderations and counts: what their providers answered reaches every caller whole.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    catalog::{Endpoint, Operation, Style},
    chat::request::Request,
    dialect::{Caller, Upstream, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat},
    operation::{self, estimate},
    wire::{
        base64,
        json::{Outline, join},
    },
};
use serde_json::{Value, json};

struct Case {
    name: String,
    provider: String,
    asked: Value,
    status: u64,
    answer: Value,
}

/// The exchanges of an API that were answered with JSON, or with `usage` all in which somebody counted.
fn cases(api: &str, usage: bool) -> Vec<Case> {
    let root = std::env::var("PORTOLAN_CORPUS").unwrap();
    let mut cases = vec![];
    for provider in fs::read_dir(Path::new(&root)).unwrap() {
        let provider = provider.unwrap();
        let Ok(files) = fs::read_dir(provider.path().join(api)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let at = |pointer: &str| case.pointer(pointer).cloned().unwrap_or_default();
            if at("/response/body").is_object() || (usage && at("/derived/usage").is_object()) {
                cases.push(Case {
                    name: path.display().to_string(),
                    provider: provider.file_name().into_string().unwrap(),
                    asked: at("/request/body"),
                    status: at("/response/status").as_u64().unwrap(),
                    answer: if usage { json!({"usage": at("/derived/usage")}) } else { at("/response/body") },
                });
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn read(operation: Operation, styles: (Style, Style), asked: &Value, case: &Case) -> operation::Answer {
    let (asked, answer) = (asked.to_string(), case.answer.to_string());
    let read = operation::read(operation, styles, asked.as_bytes(), answer.as_bytes(), "a-model");
    read.unwrap_or_else(|error| panic!("{}: {}", case.name, error.message))
}

/// The same body with only its model exchanged.
fn passes(operation: Operation, style: Style, asked: &Value, name: &str) {
    let body = asked.to_string();
    let to = Endpoint { style, path: "/models/{model}:it" };
    let sent = operation::write(operation, style, to, body.as_bytes(), "another").unwrap();
    let mut expected = asked.clone();
    if style != Style::Gemini {
        expected.as_object_mut().unwrap().insert("model".to_owned(), json!("another"));
        let written: Value = serde_json::from_str(&join(&body, &sent.body)).unwrap();
        assert_eq!(written, expected, "{name}");
    }
    assert!(sent.dropped.is_empty(), "{name}");
}

fn floats(vector: &Value) -> Vec<f32> {
    if let Some(text) = vector.as_str() {
        let bytes = base64::decode(text).unwrap();
        return bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    }
    serde_json::from_value(vector.clone()).unwrap()
}

/// The recorded vectors, and how many tokens were counted.
fn recorded(case: &Case) -> (Vec<Vec<f32>>, Option<u64>) {
    let at = |pointer: &str| case.answer.pointer(pointer);
    let list = |pointer: &str| at(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut vectors: Vec<Value> = list("/data").iter().map(|item| item["embedding"].clone()).collect();
    vectors.extend(list("/embeddings/float"));
    vectors.extend(at("/embedding/values").cloned());
    vectors.extend(list("/predictions").iter().map(|item| item["embeddings"]["values"].clone()));
    let counts = [
        "/usage/prompt_tokens",
        "/usage/total_tokens",
        "/usageMetadata/promptTokenCount",
        "/meta/billed_units/input_tokens",
        "/predictions/0/embeddings/statistics/token_count",
    ];
    let tokens = counts.iter().find_map(|pointer| at(pointer)?.as_u64());
    (vectors.iter().map(floats).collect(), tokens)
}

fn embedding_style(case: &Case) -> Style {
    match case.provider.as_str() {
        "cohere" => Style::Cohere,
        "gemini" => Style::Gemini,
        "vertex" => Style::Vertex,
        "mistral" => Style::Mistral,
        "perplexity" => Style::Perplexity,
        "voyage" => Style::Voyage,
        _ => Style::OpenAi,
    }
}

/// Inputs of as many texts as there are vectors.
fn callers(count: usize) -> [(Style, Value); 3] {
    let texts = vec!["text"; count];
    let one = json!({"content": {"parts": [{"text": "text"}]}});
    let gemini = if count == 1 { one.clone() } else { json!({"requests": vec![one; count]}) };
    [
        (Style::OpenAi, json!({"model": "m", "input": texts, "encoding_format": "base64"})),
        (Style::OpenAi, json!({"model": "m", "input": texts, "encoding_format": "float"})),
        (Style::Gemini, gemini),
    ]
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_recorded_embedding_reaches_every_caller() {
    let (mut read_count, mut errors) = (BTreeMap::<&str, usize>::new(), 0);
    for api in ["openai.embeddings", "cohere.embed", "gemini.embed", "vertex.predict"] {
        for case in cases(api, false) {
            if let Some(style @ (Style::OpenAi | Style::Gemini)) = Some(embedding_style(&case)).filter(|_| case.asked.is_object())
            {
                passes(Operation::Embed, style, &case.asked, &case.name);
            }
            if case.status != 200 {
                errors += 1;
                let error = OpenAiChat.read_error(u16::try_from(case.status).unwrap(), &case.answer.to_string());
                assert!(!error.message.is_empty(), "{}", case.name);
                continue;
            }
            *read_count.entry(api).or_default() += 1;
            let (mut vectors, tokens) = recorded(&case);
            let style = embedding_style(&case);
            for (caller, asked) in callers(vectors.len()) {
                let found = read(Operation::Embed, (caller, style), &asked, &case);
                assert_eq!(found.usage.map(|usage| usage.input), tokens, "{}", case.name);
                assert!(!found.estimated, "{}", case.name);
                let body = found.body.map_or_else(|| case.answer.clone(), |body| serde_json::from_str(&body).unwrap());
                let got: Vec<Value> = if caller == Style::Gemini {
                    match body.get("embedding") {
                        Some(one) => vec![one["values"].clone()],
                        None => body["embeddings"].as_array().unwrap().iter().map(|one| one["values"].clone()).collect(),
                    }
                } else {
                    body["data"].as_array().unwrap().iter().map(|one| one["embedding"].clone()).collect()
                };
                if style == Style::Perplexity {
                    // Packed bytes: as many numbers as dimensions were asked for.
                    let dimensions = usize::try_from(case.asked["dimensions"].as_u64().unwrap()).unwrap();
                    vectors = got.iter().map(floats).collect();
                    assert!(vectors.iter().all(|vector| vector.len() == dimensions), "{}", case.name);
                }
                assert_eq!(got.iter().map(floats).collect::<Vec<_>>(), vectors, "{}", case.name);
                let wants_text = asked["encoding_format"] == "base64";
                assert!(got.iter().all(|vector| vector.is_string() == wants_text), "{}: not the form asked for", case.name);
            }
        }
    }
    let expected = BTreeMap::from([("cohere.embed", 1), ("gemini.embed", 1), ("openai.embeddings", 5), ("vertex.predict", 1)]);
    assert_eq!((read_count, errors), (expected, 7));
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_recorded_rerank_keeps_its_scores() {
    let mut count = 0;
    for case in cases("rerank", false) {
        let style = match case.provider.as_str() {
            "cohere" => Style::Cohere,
            "voyage" => Style::Voyage,
            _ => Style::Jina,
        };
        let texts = vec!["text"; 10];
        let asked = json!({"model": "m", "query": "q", "documents": texts, "return_documents": true});
        if case.asked.is_object() {
            passes(Operation::Rerank, style, &case.asked, &case.name);
        }
        let theirs = case.answer.get("results").or(case.answer.get("data")).and_then(Value::as_array).unwrap();
        // From the other style each time, so that all are translated.
        let caller = if style == Style::Jina { Style::Cohere } else { Style::Jina };
        let found = read(Operation::Rerank, (caller, style), &asked, &case);
        let tokens = case.answer.pointer("/usage/total_tokens").and_then(Value::as_u64);
        assert_eq!(found.estimated, tokens.is_none(), "{}", case.name);
        assert!(tokens.is_none_or(|tokens| found.usage.unwrap().input == tokens), "{}", case.name);
        let body: Value = serde_json::from_str(&found.body.unwrap()).unwrap();
        for (ours, theirs) in body["results"].as_array().unwrap().iter().zip(theirs) {
            assert_eq!(
                (&ours["index"], &ours["relevance_score"]),
                (&theirs["index"], &theirs["relevance_score"]),
                "{}",
                case.name
            );
            assert!(ours.pointer("/document/text").is_some_and(Value::is_string), "{}", case.name);
        }
        assert_eq!(body["results"].as_array().unwrap().len(), theirs.len(), "{}", case.name);
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn recorded_moderations_and_counts_pass() {
    let mut count = 0;
    for (api, operation, style) in [
        ("openai.moderations", Operation::Moderate, Style::OpenAi),
        ("anthropic.count_tokens", Operation::CountTokens, Style::Anthropic),
        ("gemini.count_tokens", Operation::CountTokens, Style::Gemini),
        ("openai.input_tokens", Operation::CountTokens, Style::OpenAi),
    ] {
        for case in cases(api, false) {
            passes(operation, style, &case.asked, &case.name);
            if case.status == 200 {
                assert_eq!(read(operation, (style, style), &case.asked, &case).body, None, "{}", case.name);
                count += 1;
            }
        }
    }
    assert_eq!(count, 6);
}

/// What a provider counted of a request, its parts that were cached too.
fn prompt_tokens(answer: &Value) -> Option<u64> {
    let at = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64);
    if let Some(count) = at("/usage/prompt_tokens").or_else(|| at("/usage/promptTokenCount")) {
        return Some(count);
    }
    let cached = at("/usage/cache_read_input_tokens").unwrap_or(0) + at("/usage/cache_creation_input_tokens").unwrap_or(0);
    Some(at("/usage/input_tokens")? + cached)
}

fn is_plain(request: &Request) -> bool {
    use portolan::chat::request::{Part, Tool};
    let of_text = |part: &Part| matches!(part, Part::Text { .. } | Part::ToolCall(_) | Part::ToolResult(_));
    request.messages.iter().all(|message| message.parts.iter().all(of_text))
        && request.tools.iter().all(|tool| matches!(tool, Tool::Function { .. }))
}

/// Prints the rows of `docs/tokens.md`; requests with pictures, sound or the provider's own tools are left out.
#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn estimates_of_recorded_requests() {
    let callers: [(&str, &dyn Caller); 3] =
        [("anthropic.messages", &Anthropic), ("gemini.generate", &Gemini), ("openai.chat", &OpenAiChat)];
    for (api, caller) in callers {
        let mut errors: BTreeMap<(String, bool), Vec<f64>> = BTreeMap::new();
        for case in cases(api, true) {
            let Some(counted) = prompt_tokens(&case.answer).filter(|count| *count >= 20) else { continue };
            let Ok(request) = caller.read_request(&case.asked.to_string()) else { continue };
            if !is_plain(&request.value) {
                continue;
            }
            let guess = f64::from(u32::try_from(estimate::of_request(&request.value)).unwrap());
            let error = guess / f64::from(u32::try_from(counted).unwrap()) - 1.0;
            errors.entry((case.provider.clone(), request.value.tools.is_empty())).or_default().push(error * 100.0);
        }
        for ((provider, bare), mut errors) in errors {
            let mean = errors.iter().sum::<f64>() / f64::from(u32::try_from(errors.len()).unwrap());
            errors.iter_mut().for_each(|error| *error = error.abs());
            errors.sort_by(f64::total_cmp);
            let at = |share: usize| errors.get(((errors.len() - 1) * share).div_ceil(100)).copied().unwrap();
            let tools = if bare { "" } else { " with tools" };
            println!("| {api} {provider}{tools} | {} | {:.0} | {:.0} | {mean:+.0} |", errors.len(), at(50), at(95));
            // Others add prompts of their own, which nobody can foresee.
            let is_open = ["anthropic", "gemini", "openai", "mistral"].contains(&provider.as_str());
            assert!(!is_open || errors.len() < 4 || at(50) < 40.0, "{api} {provider}{tools}: {errors:?}");
        }
    }
}

/// Path and body of every recorded request of a client whose path holds this word.
fn client_requests(word: &str) -> Vec<(String, Value)> {
    fn walk(value: &Value, word: &str, found: &mut Vec<(String, Value)>) {
        if let Some(map) = value.as_object() {
            let path = map.get("path").and_then(Value::as_str).filter(|path| path.contains(word));
            if let (Some(path), Some(body)) = (path, map.get("body").filter(|body| body.is_object())) {
                found.push((path.to_owned(), body.clone()));
            }
            map.values().for_each(|value| walk(value, word, found));
        }
        value.as_array().into_iter().flatten().for_each(|value| walk(value, word, found));
    }
    let folder = Path::new(&std::env::var("PORTOLAN_CLIENTS").unwrap()).join("recordings");
    let mut found = vec![];
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        walk(&serde_json::from_str(&text).unwrap(), word, &mut found);
    }
    found
}

#[test]
#[ignore = "needs PORTOLAN_CLIENTS"]
fn every_client_s_call_reaches_every_provider() {
    let embedders = [
        Style::OpenAi,
        Style::Gemini,
        Style::Vertex,
        Style::Cohere,
        Style::Voyage,
        Style::Jina,
        Style::Mistral,
        Style::Nvidia,
        Style::Perplexity,
    ];
    let counters = [Style::OpenAi, Style::Anthropic, Style::Gemini, Style::Vertex];
    let mut counts = vec![];
    for (word, operation, from, to) in [
        ("/embeddings", Operation::Embed, Style::OpenAi, &embedders[..]),
        ("mbedContent", Operation::Embed, Style::Gemini, &embedders[..]),
        ("count_tokens", Operation::CountTokens, Style::Anthropic, &counters[..]),
        (":countTokens", Operation::CountTokens, Style::Gemini, &counters[..]),
    ] {
        let (mut written, mut refused) = (0, 0);
        for (path, body) in client_requests(word) {
            let text = body.to_string();
            let outline = Outline::read(text.as_bytes()).unwrap();
            operation::facts(operation, from, &outline).unwrap();
            for style in to {
                let endpoint = Endpoint { style: *style, path: "/{model}:it" };
                match operation::write(operation, from, endpoint, text.as_bytes(), "m") {
                    Ok(sent) => {
                        serde_json::from_str::<Value>(&join(&text, &sent.body)).unwrap();
                        assert_eq!(sent.dropped, Vec::<String>::new(), "{path} → {style:?}");
                        written += 1;
                    }
                    Err(error) => {
                        assert!(error.message.contains("token numbers"), "{path} → {style:?}: {}", error.message);
                        refused += 1;
                    }
                }
            }
        }
        counts.push((word, written, refused));
    }
    let expected = [("/embeddings", 118, 8), ("mbedContent", 27, 0), ("count_tokens", 8, 0), (":countTokens", 12, 0)];
    assert_eq!(counts, expected);
}
