//! Recordings of Chat Completions: what a reader of the provider's own API would see is what we see.

use std::{fs, path::Path};

use portolan::{
    chat::{
        event::Stamp,
        profile::Profile,
        request::{Effort, Part, Reasoning, Request, Tool},
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_chat::OpenAiChat},
    wire::json::Outline,
};
use serde_json::Value;

use crate::fold::{calls, events, fold, rewritten, texts};

struct Case {
    name: String,
    value: Value,
}

fn cases() -> Vec<Case> {
    let folder = std::env::var("PORTOLAN_CORPUS").unwrap();
    let index: Value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join("index.json")).unwrap()).unwrap();
    let list = index.as_array().or_else(|| index["cases"].as_array()).unwrap();
    let cases: Vec<Case> = list
        .iter()
        .filter(|entry| entry["api"] == "openai.chat")
        .map(|entry| {
            let name = entry["file"].as_str().or_else(|| entry["path"].as_str()).unwrap().to_owned();
            let value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join(&name)).unwrap()).unwrap();
            Case { name, value }
        })
        .collect();
    assert!(cases.len() > 100, "{} cases", cases.len());
    cases
}

impl Case {
    fn status(&self) -> u64 {
        self.value["response"]["status"].as_u64().unwrap()
    }

    fn body(&self) -> String {
        let response = &self.value["response"];
        let prefix = response["body_prefix"].as_str().unwrap_or_default();
        let body = &response["body"];
        body.as_str().map_or_else(|| format!("{prefix}{body}"), |text| format!("{prefix}{text}"))
    }

    fn expect(&self, what: &str, seen: String, expected: String, wrong: &mut Vec<String>) {
        if seen != expected {
            wrong.push(format!("{} {what}:\n  seen     {seen}\n  expected {expected}", self.name));
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn compare(case: &Case, parts: &[Part], stop: Option<StopReason>, usage: Option<Usage>, wrong: &mut Vec<String>) {
    let derived = &case.value["derived"];
    let (said, thought, refused) = texts(parts);
    case.expect("text", said, text(derived, "text").to_owned(), wrong);
    case.expect("reasoning", thought, text(derived, "reasoning").to_owned(), wrong);
    case.expect("refusal", refused, text(derived, "refusal").to_owned(), wrong);
    let custom = |call: &&Value| call["name"] == "";
    let listed = derived["tool_calls"].as_array().into_iter().flatten();
    case.expect(
        "custom calls",
        calls(parts).iter().filter(|call| call.custom).map(|call| call.id.clone()).collect(),
        listed.clone().filter(custom).map(|call| text(call, "id").to_owned()).collect(),
        wrong,
    );
    let seen: Vec<(String, String, String)> =
        calls(parts).iter().filter(|call| !call.custom).map(|c| (c.id.clone(), c.name.clone(), c.arguments.clone())).collect();
    let mut expected: Vec<(String, String, String)> = vec![];
    // The derived summary knows no names of custom tools.
    for call in listed.filter(|call| !custom(call)) {
        expected.push((text(call, "id").to_owned(), text(call, "name").to_owned(), text(call, "arguments").to_owned()));
    }
    let legacy = &derived["function_call"];
    if legacy.is_object() {
        // A legacy call has no id: one is made up.
        let id = seen.first().map(|call| call.0.clone()).unwrap_or_default();
        expected.push((id, text(legacy, "name").to_owned(), text(legacy, "arguments").to_owned()));
    }
    let has_calls = !expected.is_empty();
    case.expect("tool calls", format!("{seen:?}"), format!("{expected:?}"), wrong);
    let expected = match derived["finish"].as_str() {
        Some("stop" | "eos") if has_calls => Some(StopReason::ToolCalls),
        Some("stop" | "eos") => Some(StopReason::End),
        Some("length") => Some(StopReason::Length),
        Some("tool_calls" | "function_call") => Some(StopReason::ToolCalls),
        Some("content_filter") => Some(StopReason::ContentFilter),
        Some("error") | None => None,
        Some(other) => panic!("{}: what is {other}?", case.name),
    };
    case.expect("finish", format!("{stop:?}"), format!("{expected:?}"), wrong);
    case.expect("usage", format!("{:?}", usage.map(plain)), format!("{:?}", expected_usage(case)), wrong);
}

/// The counts that every dialect has.
fn plain(usage: Usage) -> Usage {
    let Usage { input, cache_read, cache_write, output, reasoning, .. } = usage;
    Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() }
}

fn expected_usage(case: &Case) -> Option<Usage> {
    let usage = case.value["derived"]["usage"].as_object()?;
    let of = |holder: &str, key: &str| usage.get(holder).and_then(|details| details[key].as_u64()).unwrap_or(0);
    let number = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    let prompt = number("prompt_tokens");
    let reasoning = of("completion_tokens_details", "reasoning_tokens");
    let beside = case.value["provider"] == "xai";
    let output = number("completion_tokens") + if beside { reasoning } else { 0 };
    let cache_read = of("prompt_tokens_details", "cached_tokens").min(prompt);
    let cache_write = of("prompt_tokens_details", "cache_write_tokens");
    let reasoning = reasoning.min(output);
    Some(Usage { input: prompt - cache_read - cache_write, cache_read, cache_write, output, reasoning, ..Usage::default() })
}

fn report(seen: usize, least: usize, wrong: &[String]) {
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen >= least, "only {seen} cases");
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn whole_answers_are_what_their_reader_sees() {
    let (mut seen, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.status() == 200 && case.value["response"]["kind"] == "json") {
        seen += 1;
        match OpenAiChat.read_response(&case.body()) {
            Ok(response) => {
                compare(case, &response.parts, Some(response.stop), response.usage, &mut wrong);
                let stamp = Stamp { id: "chatcmpl-1".to_owned(), created: 1, model: "m".to_owned() };
                let written = OpenAiChat.write_response(
                    &response,
                    &Asked { stamp: stamp.clone(), facts: &Facts::default(), body: &[] },
                    None,
                );
                let again = OpenAiChat.read_response(&written).unwrap();
                compare(case, &again.parts, Some(again.stop), again.usage, &mut wrong);
                case.expect("beside its text", beside(&again), beside(&response), &mut wrong);
                let choices = case.value["derived"]["choices"].as_u64().unwrap_or(1);
                case.expect("choices", (response.more.len() + 1).to_string(), choices.to_string(), &mut wrong);
            }
            Err(error) => wrong.push(format!("{}: {error:?}", case.name)),
        }
    }
    report(seen, 70, &wrong);
}

fn beside(response: &Response) -> String {
    let citations = response.parts.iter().map(|part| if let Part::Text { citations, .. } = part { citations.len() } else { 0 });
    let audio = response.parts.iter().filter(|part| matches!(part, Part::Audio { .. }));
    format!(
        "{:?} {} {:?} {:?} {:?}",
        citations.sum::<usize>(),
        audio.count(),
        response.logprobs,
        response.service_tier,
        response.more
    )
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn streams_are_what_their_reader_sees_however_they_are_cut() {
    let (mut seen, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.value["response"]["kind"] == "sse") {
        seen += 1;
        let body = case.body();
        let whole = events(&OpenAiChat, [body.as_bytes()]);
        assert_eq!(events(&OpenAiChat, body.as_bytes().chunks(1)), whole, "{} byte by byte", case.name);
        let mut rest = body.as_bytes();
        let mut cuts = vec![];
        for size in case.value["chunk_sizes"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
            let (chunk, after) = rest.split_at(rest.len().min(usize::try_from(size).unwrap()));
            cuts.push(chunk);
            rest = after;
        }
        cuts.push(rest);
        assert_eq!(events(&OpenAiChat, cuts), whole, "{} as it arrived", case.name);
        let folded = fold(&whole);
        if folded.malformed > 0 {
            wrong.push(format!("{}: {} malformed", case.name, folded.malformed));
        }
        if !folded.ended && folded.failed.is_none() {
            wrong.push(format!("{}: neither ended nor failed", case.name));
        }
        compare(case, &folded.parts, folded.stop, folded.usage, &mut wrong);
        if folded.ended {
            let again = fold(&events(&OpenAiChat, [rewritten(&OpenAiChat, &whole).as_bytes()]));
            // Our own stream reports usage always: zeros where the provider kept silent.
            let usage = folded.usage.and(again.usage);
            case.expect("further answers", format!("{:?}", again.more), format!("{:?}", folded.more), &mut wrong);
            compare(case, &again.parts, again.stop, usage, &mut wrong);
        }
    }
    report(seen, 50, &wrong);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn errors_say_something() {
    let (mut seen, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.status() >= 400) {
        seen += 1;
        let error = OpenAiChat.read_error(u16::try_from(case.status()).unwrap(), &case.body());
        if error.message.starts_with("The provider") || error.message.starts_with('{') {
            wrong.push(format!("{}: {error:?}", case.name));
        }
    }
    report(seen, 30, &wrong);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn requests_are_read_and_keep_their_messages_and_tools() {
    let (mut seen, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.value["request"]["kind"] == "json") {
        seen += 1;
        let body = case.value["request"]["body"].to_string();
        let read = OpenAiChat.read_request(&body);
        let Ok(read) = read else {
            if case.status() == 200 {
                wrong.push(format!("{}: {read:?}", case.name));
            }
            continue;
        };
        assert!(OpenAiChat.facts(&Outline::read(body.as_bytes()).unwrap()).is_ok(), "{}", case.name);
        let written = OpenAiChat.write_request(&read.value, &Profile { custom_tools: true, ..Profile::DEFAULT });
        let again = OpenAiChat.read_request(&written.value);
        match again {
            Ok(again) => {
                // What the dialect has no word for is reported, and gone.
                let expected = without_unsaid(read.value.clone());
                case.expect("round trip", format!("{:?}", again.value), format!("{expected:?}"), &mut wrong);
            }
            Err(error) => wrong.push(format!("{}: written, then {error:?}", case.name)),
        }
        let before = &case.value["request"]["body"];
        let after: Value = serde_json::from_str(&written.value).unwrap();
        case.expect("texts", all_texts(&after["messages"]), all_texts(&before["messages"]), &mut wrong);
        case.expect("tool names", tool_names(&after), tool_names(before), &mut wrong);
    }
    report(seen, 150, &wrong);
}

fn without_unsaid(mut request: Request) -> Request {
    request.top_k = None;
    request.store = request.store.filter(|keep| *keep);
    request.include_usage = request.stream;
    request.reasoning = match request.reasoning {
        Some(Reasoning::Budget(2000)) => Some(Reasoning::Effort(Effort::Low)),
        Some(Reasoning::Adaptive) => None,
        other => other,
    };
    if request.tools.is_empty() {
        request.tool_choice = None;
        request.parallel_tool_calls = None;
    }
    for tool in &mut request.tools {
        if let Tool::Function { cache, .. } = tool {
            *cache = None;
        }
    }
    for message in &mut request.messages {
        for part in &mut message.parts {
            uncache(part);
        }
    }
    request
}

fn uncache(part: &mut Part) {
    match part {
        Part::Text { cache, .. } | Part::Image { cache, .. } | Part::File { cache, .. } => *cache = None,
        Part::ToolCall(call) => call.cache = None,
        Part::ToolResult(result) => {
            result.cache = None;
            result.parts.iter_mut().for_each(uncache);
        }
        Part::Audio { .. }
        | Part::Video { .. }
        | Part::Reasoning { .. }
        | Part::RedactedReasoning { .. }
        | Part::Refusal { .. }
        | Part::Opaque { .. } => {}
    }
}

/// Every text of every message, in order.
fn all_texts(messages: &Value) -> String {
    let mut out = String::new();
    for message in messages.as_array().into_iter().flatten() {
        let content = &message["content"];
        out.push_str(content.as_str().unwrap_or_default());
        for part in content.as_array().into_iter().flatten() {
            out.push_str(text(part, "text"));
        }
    }
    out
}

fn tool_names(body: &Value) -> String {
    let listed = |key: &str| body[key].as_array().cloned().unwrap_or_default();
    let tools = listed("tools").into_iter().map(|tool| tool[text(&tool, "type")]["name"].clone());
    let legacy = listed("functions").into_iter().map(|function| function["name"].clone());
    tools.chain(legacy).map(|name| name.to_string()).collect()
}

/// What clients send that no other dialect has a word for: LiteLLM's own notes beside an answer.
const CLIENTS_LOSE: [&str; 1] = ["messages[].provider_specific_fields"];

#[test]
#[ignore = "needs PORTOLAN_CLIENTS"]
fn requests_of_clients_are_read_and_lose_only_what_is_listed() {
    let folder = std::env::var("PORTOLAN_CLIENTS").unwrap();
    let (mut seen, mut lost, mut wrong) = (0, std::collections::BTreeSet::new(), vec![]);
    for file in fs::read_dir(Path::new(&folder).join("recordings")).unwrap() {
        let path = file.unwrap().path();
        let recording: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let requests = recording["requests"].as_array().unwrap().iter();
        let is_chat = |request: &&Value| text(request, "path").ends_with("/chat/completions") && request["body"].is_object();
        for request in requests.filter(is_chat) {
            let body = request["body"].to_string();
            let name = format!("{} {}", path.display(), text(request, "case"));
            let facts = OpenAiChat.facts(&Outline::read(body.as_bytes()).unwrap()).unwrap();
            assert!(!facts.foreign, "{name}");
            match OpenAiChat.read_request(&body) {
                Ok(read) => {
                    seen += 1;
                    lost.extend(read.dropped);
                    let written = OpenAiChat.write_request(&read.value, &Profile { custom_tools: true, ..Profile::DEFAULT });
                    let again = OpenAiChat.read_request(&written.value).unwrap().value;
                    let (again, before) = (without_unsaid(again), without_unsaid(read.value));
                    if format!("{again:?}") != format!("{before:?}") {
                        wrong.push(format!("{name}:\n  {again:?}\n  {before:?}"));
                    }
                }
                Err(error) => wrong.push(format!("{name}: {error:?}")),
            }
        }
    }
    report(seen, 40, &wrong);
    assert_eq!(lost.iter().map(String::as_str).collect::<Vec<_>>(), CLIENTS_LOSE);
}
