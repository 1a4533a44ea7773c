//! Every recorded request of the callers' dialects, written for Gemini: what Google refuses never leaves.

use std::{fs, path::Path};

use portolan::dialect::{Caller, Upstream, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat};
use serde_json::Value;

/// Requests that can be read, of all providers that speak the dialect.
const READ: [usize; 2] = [160, 31];

fn requests(api: &str) -> Vec<(String, Value)> {
    let root = std::env::var("PORTOLAN_CORPUS").unwrap();
    let mut requests = vec![];
    for provider in fs::read_dir(Path::new(&root)).unwrap() {
        let Ok(files) = fs::read_dir(provider.unwrap().path().join(api)) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            if let Some(body) = case.pointer("/request/body").filter(|body| body.is_object()) {
                requests.push((path.display().to_string(), body.clone()));
            }
        }
    }
    requests
}

fn list<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn check(name: &str, body: &Value) {
    let contents = list(body, "/contents");
    assert!(!contents.is_empty(), "{name}: no content");
    let (mut role, mut calls) = ("", vec![]);
    for content in contents {
        let (now, parts) = (content.get("role").and_then(Value::as_str).unwrap(), list(content, "/parts"));
        assert!(["user", "model"].contains(&now) && now != role, "{name}: roles alternate");
        role = now;
        assert!(!parts.is_empty(), "{name}: no parts");
        let told = |kind: &str| -> Vec<(String, Value)> {
            let all = parts.iter().filter_map(|part| part.get(kind));
            all.map(|call| {
                let id = call.get("id").cloned().unwrap_or_default();
                (call.get("name").and_then(Value::as_str).unwrap().to_owned(), id)
            })
            .collect()
        };
        assert_eq!(told("functionResponse"), calls, "{name}: as many results as calls, in their order");
        calls = told("functionCall");
        for part in parts {
            let text = part.get("text").and_then(Value::as_str);
            assert!(text != Some("") || part.get("thoughtSignature").is_some(), "{name}: an empty text");
            assert!(part.pointer("/functionCall").is_none_or(|call| call.get("args").is_some_and(Value::is_object)), "{name}");
            let response = part.pointer("/functionResponse");
            assert!(response.is_none_or(|response| response.get("response").is_some_and(Value::is_object)), "{name}");
        }
    }
    for tool in list(body, "/tools/0/functionDeclarations") {
        assert!(tool.get("name").is_some_and(Value::is_string), "{name}: a function without name");
        assert!(tool.get("parametersJsonSchema").is_none_or(Value::is_object), "{name}: an odd schema");
    }
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_recorded_request_becomes_one_that_google_takes() {
    let callers: [(&str, &dyn Caller); 2] = [("openai.chat", &OpenAiChat), ("anthropic.messages", &Anthropic)];
    let mut read = vec![];
    for (api, caller) in callers {
        let mut count = 0;
        for (name, body) in requests(api) {
            match caller.read_request(&body.to_string()) {
                Err(error) => eprintln!("{name}: {}", error.message),
                Ok(request) => {
                    count += 1;
                    for model in ["gemini-2.5-flash", "gemini-3-pro"] {
                        let mut request = request.value.clone();
                        model.clone_into(&mut request.model);
                        let written = Gemini.write_request(&request, &portolan::chat::profile::Profile::DEFAULT);
                        check(&name, &serde_json::from_str(&written.value).unwrap());
                    }
                }
            }
        }
        read.push(count);
    }
    assert_eq!(read, READ);
}
