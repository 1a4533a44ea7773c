//! Every recorded request of the callers' dialects, written for Gemini: what Google refuses never leaves. And those of
//! Gemini's callers, written for the others.

use std::{fs, path::Path};

use portolan::{
    chat::{
        profile::Profile,
        request::{Part, Request, Tool},
    },
    dialect::{
        Caller, Upstream, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat, openai_responses::OpenAiResponses,
    },
};
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

/// Those of real clients, of which some recordings hold no body but a word on it.
fn of_clients() -> Vec<(String, Value)> {
    let root = std::env::var("PORTOLAN_CLIENTS").unwrap();
    let mut requests = vec![];
    for file in fs::read_dir(Path::new(&root).join("recordings")).unwrap() {
        let path = file.unwrap().path();
        let Ok(client) = serde_json::from_str::<Value>(&fs::read_to_string(&path).unwrap_or_default()) else { continue };
        for request in list(&client, "/requests") {
            let generates = request.get("path").and_then(Value::as_str).is_some_and(|path| path.contains("enerateContent"));
            if let Some(body) = request.get("body").filter(|body| generates && body.is_object()) {
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
                        let written = Gemini.write_request(&request, &Profile::DEFAULT);
                        check(&name, &serde_json::from_str(&written.value).unwrap());
                    }
                }
            }
        }
        read.push(count);
    }
    assert_eq!(read, READ);
}

/// What is said, and which tools there are, in order.
fn outline(request: &Request) -> (String, Vec<String>, Vec<String>) {
    let (mut said, mut calls) = (String::new(), vec![]);
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        if let Part::Text { text, .. } = part {
            // Blank texts are refused elsewhere.
            said.push_str(text.trim());
        } else if let Part::ToolCall(call) = part {
            calls.push(format!("{} {} {}", call.id, call.name, call.arguments));
        } else if let Part::ToolResult(result) = part {
            calls.push(format!(
                "{} {:?}",
                result.id,
                result.parts.iter().filter(|part| matches!(part, Part::Text { .. })).collect::<Vec<_>>()
            ));
        }
    }
    let function = |tool: &Tool| if let Tool::Function { name, .. } = tool { Some(name.clone()) } else { None };
    (said, calls, request.tools.iter().filter_map(function).collect())
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS and PORTOLAN_CLIENTS"]
fn every_request_of_a_gemini_client_can_be_put_to_others() {
    let all = [requests("gemini.generate"), of_clients()].concat();
    let others: [(&dyn Caller, &dyn Upstream); 3] =
        [(&OpenAiChat, &OpenAiChat), (&Anthropic, &Anthropic), (&OpenAiResponses, &OpenAiResponses)];
    for (name, body) in &all {
        let mut request = Gemini.read_request(&body.to_string()).unwrap().value;
        // Some dialects ask for JSON in words.
        (request.model, request.max_tokens, request.format) = ("m".to_owned(), Some(9), None);
        for (caller, upstream) in others {
            let written = upstream.write_request(&request, &Profile::DEFAULT);
            let again = caller.read_request(&written.value).unwrap().value;
            assert_eq!(outline(&again), outline(&request), "{name}: {}", written.value);
        }
    }
    assert_eq!(all.len(), 176);
}
