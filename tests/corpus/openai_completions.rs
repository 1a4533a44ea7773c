//! Recordings of text completions.

use std::{fs, path::Path};

use portolan::{
    chat::{event::Stamp, fold, request::Part, response::Response},
    dialect::{Asked, Caller, Facts, Upstream, openai_completions::OpenAiCompletions},
    wire::json::Outline,
};
use serde_json::Value;

use crate::fold::{events, rewritten};

fn cases() -> Vec<(String, Value)> {
    let folder = std::env::var("PORTOLAN_CORPUS").unwrap();
    let read = |name: &str| serde_json::from_str::<Value>(&fs::read_to_string(Path::new(&folder).join(name)).unwrap()).unwrap();
    let index = read("index.json");
    let named = index.as_array().unwrap().iter().filter(|entry| entry["api"] == "openai.completions");
    named.map(|entry| entry["path"].as_str().unwrap().to_owned()).map(|name| (name.clone(), read(&name))).collect()
}

/// The texts of all answers in a recorded body, by their number.
fn recorded_texts(chunks: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = vec![];
    for choice in chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap()) {
        let place = usize::try_from(choice["index"].as_u64().unwrap_or(0)).unwrap();
        texts.resize(texts.len().max(place + 1), String::new());
        texts[place].push_str(choice["text"].as_str().unwrap());
    }
    texts
}

fn seen_texts(response: &Response) -> Vec<String> {
    let text = |parts: &[Part]| match parts {
        [Part::Text { text, .. }] => text.clone(),
        [] => String::new(),
        other => panic!("{other:?}"),
    };
    std::iter::once(text(&response.parts)).chain(response.more.iter().map(|choice| text(&choice.parts))).collect()
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn answers_are_what_their_reader_sees_whole_and_however_they_are_cut() {
    let (mut whole, mut streams, mut errors) = (0, 0, 0);
    for (name, case) in cases() {
        let (status, body) = (case["response"]["status"].as_u64().unwrap(), &case["response"]["body"]);
        let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        if status >= 400 {
            let error = OpenAiCompletions.read_error(u16::try_from(status).unwrap(), &text);
            assert!(!error.message.starts_with("The provider"), "{name}: {error:?}");
            errors += 1;
        } else if case["response"]["kind"] == "sse" {
            streams += 1;
            let told = events(&OpenAiCompletions, [text.as_bytes()]);
            assert_eq!(events(&OpenAiCompletions, text.as_bytes().chunks(1)), told, "{name}");
            let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let chunks: Vec<Value> = lines.filter_map(|data| serde_json::from_str(data).ok()).collect();
            let usage = chunks.iter().any(|chunk| chunk["usage"].is_object());
            let again = events(&OpenAiCompletions, [rewritten(&OpenAiCompletions, &told).as_bytes()]);
            let (seen, again) = (fold::fold(told).unwrap(), fold::fold(again).unwrap());
            assert_eq!((seen_texts(&seen), seen.usage.is_some()), (recorded_texts(&chunks), usage), "{name}");
            assert_eq!((seen.parts, seen.stop, seen.logprobs), (again.parts, again.stop, again.logprobs), "{name}");
        } else {
            whole += 1;
            let seen = OpenAiCompletions.read_response(&text).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(seen_texts(&seen), recorded_texts(std::slice::from_ref(&value)), "{name}");
            assert_eq!(seen.usage.map(|usage| usage.total()), value["usage"]["total_tokens"].as_u64(), "{name}");
            let stamp = Stamp { id: "cmpl-1".to_owned(), created: 1, model: "m".to_owned() };
            let asked = Asked { stamp, facts: &Facts::default(), body: &[] };
            let again = OpenAiCompletions.read_response(&OpenAiCompletions.write_response(&seen, &asked, None)).unwrap();
            assert_eq!(
                (seen.parts, seen.stop, seen.usage, seen.more),
                (again.parts, again.stop, again.usage, again.more),
                "{name}"
            );
        }
    }
    println!("{whole} whole, {streams} streams, {errors} errors");
    assert!(whole >= 3 && streams >= 2 && errors >= 4, "{whole} {streams} {errors}");
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn requests_are_one_turn_or_refused_for_what_they_ask() {
    let (mut turns, mut refused) = (0, 0);
    for (name, case) in cases() {
        let body = case["request"]["body"].to_string();
        assert!(OpenAiCompletions.facts(&Outline::read(body.as_bytes()).unwrap()).is_ok(), "{name}");
        match OpenAiCompletions.read_request(&body) {
            Ok(read) => {
                turns += 1;
                let prompt = &case["request"]["body"]["prompt"];
                let prompt = prompt.as_str().or_else(|| prompt[0].as_str()).unwrap();
                assert_eq!(read.value.messages[0].parts, [Part::text(prompt)], "{name}");
                assert!(read.dropped.is_empty(), "{name}: {:?}", read.dropped);
            }
            Err(error) => {
                refused += 1;
                assert_eq!((error.status, error.param.as_deref()), (400, Some("prompt")), "{name}");
                assert!(case["request"]["body"]["prompt"].is_array(), "{name}");
            }
        }
    }
    println!("{turns} turns, {refused} refused");
    assert!(turns >= 7 && refused == 2, "{turns} {refused}");
}
