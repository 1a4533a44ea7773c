//! Prompts of a megabyte and more, and keys in addresses.

use portolan::{
    dialect::{
        Dialect,
        surface::{Kept, Line, Place, Surface, read},
    },
    exchange::forward::{passthrough, stored},
    guard,
};
use serde_json::{Value, json};

use super::{
    driver::{Case, gateway},
    script::{CHAT, MESSAGE, error, json as answer},
};

/// Of everything that is escaped, cut or counted wrongly most easily.
fn prompt() -> String {
    let line = "Größe \u{2028} \"quoted\\\" \u{1f600}\n\t{\"model\":\"x\",\"stream\":true} \u{0}";
    line.repeat((1 << 20) / line.len() + 1)
}

/// What callers of each dialect send.
fn asks(model: &str, prompt: &str) -> [(Dialect, Value); 5] {
    let turn = json!([{"role": "user", "content": prompt}]);
    [
        (Dialect::OpenAiChat, json!({"model": model, "messages": turn})),
        (Dialect::Anthropic, json!({"model": model, "max_tokens": 100, "messages": turn})),
        (Dialect::OpenAiResponses, json!({"model": model, "input": turn})),
        (Dialect::OpenAiCompletions, json!({"model": model, "prompt": prompt})),
        (Dialect::Gemini, json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}]})),
    ]
}

fn case(dialect: Dialect, model: &str, body: &Value) -> Case {
    let place = Place { model: Some(model.to_owned()).filter(|_| dialect == Dialect::Gemini), ..Place::default() };
    Case { place, ..Case::of(dialect, model, false).body(&body.to_string()) }
}

/// The longest text anywhere in a body.
fn longest(value: &Value) -> &str {
    let list = value.as_array().into_iter().flatten();
    let members = value.as_object().into_iter().flat_map(|members| members.values());
    value.as_str().into_iter().chain(list.chain(members).map(longest)).max_by_key(|text| text.len()).unwrap_or_default()
}

#[test]
fn a_prompt_of_a_megabyte_reaches_every_provider_from_every_caller() {
    const GEMINI: &str = r#"{"responseId":"r","modelVersion":"m","candidates":[{"content":{"role":"model","parts":[{"text":"Hi there"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}}"#;
    let prompt = prompt();
    assert!(prompt.len() >= 1 << 20);
    for (model, told, own) in [
        ("pair/any", CHAT, Dialect::OpenAiChat),
        ("gamma/any", MESSAGE, Dialect::Anthropic),
        ("google/gemini-2.5-flash", GEMINI, Dialect::Gemini),
    ] {
        let name = model.split_once('/').unwrap().1;
        for (dialect, body) in asks(model, &prompt) {
            let answers = [error(500, "oops", "Oops."), answer(200, told)];
            // Where its own body passes the first try fails: what is kept for the second is the whole of it too.
            let run = case(dialect, model, &body).run(answers.into_iter().skip(usize::from(dialect != own)));
            assert_eq!(run.status, 200, "{} > {model}: {:.300}", dialect.name(), run.body);
            let last = &run.sends.last().unwrap().body;
            let sent: Value = serde_json::from_str(last).unwrap();
            assert!(longest(&sent) == prompt, "{} > {model}: another prompt", dialect.name());
            assert!(run.body.contains("Hi there"), "{} > {model}", dialect.name());
            if dialect == own {
                // Byte for byte, but for the name.
                let expected = body.to_string().replacen(&format!("\"{model}\""), &format!("\"{name}\""), 1);
                assert!(
                    *last == expected && run.sends[0].body == expected,
                    "{} > {model}: an own body is changed",
                    dialect.name()
                );
            }
        }
    }
}

const KEY: &str = "pk-0123456789abcdef";

#[test]
fn a_key_in_the_address_goes_no_further() {
    let config = gateway("", "");
    for query in [format!("key={KEY}"), format!("alt=sse&key={KEY}&x=1"), format!("x=1&key={KEY}")] {
        assert_eq!(guard::presented(&[], Some(&query)).as_deref(), Some(KEY), "{query}");
        // What is asked for says nothing of it, and no more of the address goes into an exchange.
        let path = "/v1beta/models/google%2Fgemini-2.5-flash:generateContent";
        let surface = read(Line { method: "POST", path, query: &query, headers: &[] });
        assert!(!format!("{surface:?}").contains(KEY), "{surface:?}");
        let Surface::Generate { dialect, place } = surface else { unreachable!("{surface:?}") };
        let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}).to_string();
        let asked = Case { place, ..Case::of(dialect, "", false).body(&body) };
        for (header, value) in [("referer", format!("https://app.example/?{query}")), ("x-goog-api-key", KEY.to_owned())] {
            let run = asked.clone().header(header, &value).run([error(400, "no", "No.")]);
            let record = serde_json::to_string(run.record()).unwrap();
            let sent = format!("{:?}", run.sends);
            for (place, text) in [("the record", &record), ("the call", &sent), ("the answer", &run.body)] {
                assert!(!text.contains(KEY), "{place} with {header}: {text}");
            }
        }
        let forwards = [
            passthrough(&config, "google", ("/v1beta/files", &query), &[]),
            passthrough(&config, "alpha", ("/files", &query), &[]),
            stored(&config, (Some("alpha"), true), (Kept::Responses, "resp_1", ""), &query, &[]),
        ];
        for forward in forwards {
            let forward = format!("{:?}", forward.unwrap());
            assert!(!forward.contains(KEY), "{forward}");
        }
    }
}
