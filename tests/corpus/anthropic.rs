//! Anthropic Messages as recorded.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use portolan::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        profile::{self, Profile},
        request::{Part, Request},
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, anthropic::Anthropic},
};
use serde_json::{Value, json};

const API: &str = "anthropic.messages";
/// Begins in the middle of a block, whose text the recorder did not count and we do.
const HEADLESS: (&str, &str) = ("stream-error-in-stream-618c7723.json", "d with a replacement character (");

/// What a caller sees of an answer.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    text: String,
    reasoning: String,
    /// Id, name, arguments.
    calls: Vec<(String, String, Value)>,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    failed: bool,
    ended: bool,
}

struct Case {
    name: String,
    value: Value,
}

impl Case {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn status(&self) -> u16 {
        self.value.pointer("/response/status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok()).unwrap()
    }
}

/// All JSON files below a folder named by a variable of the environment.
fn files(variable: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(env::var(variable).unwrap())];
    let mut found = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn cases() -> Vec<Case> {
    let folder_is = |path: &PathBuf| path.parent().and_then(|p| p.file_name()).is_some_and(|name| name == API);
    let cases: Vec<Case> = files("PORTOLAN_CORPUS")
        .into_iter()
        .filter(folder_is)
        .map(|path| Case {
            name: path.display().to_string(),
            value: serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap(),
        })
        .collect();
    assert_eq!(cases.len(), 41, "recorded cases of {API}");
    cases
}

fn expected(case: &Case) -> Seen {
    let derived = |key: &str| case.value.pointer(&format!("/derived/{key}")).cloned().unwrap_or_default();
    let failed = derived("error") == json!(true);
    let calls = derived("tool_calls").as_array().cloned().unwrap_or_default();
    let said = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let usage = derived("usage");
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    Seen {
        text: derived("text").as_str().unwrap_or_default().to_owned(),
        reasoning: derived("reasoning").as_str().unwrap_or_default().to_owned(),
        calls: calls
            .iter()
            .map(|call| {
                let arguments = serde_json::from_str(call.get("arguments").and_then(Value::as_str).unwrap()).unwrap();
                (said(call, "id"), said(call, "name"), arguments)
            })
            .collect(),
        stop: derived("finish").as_str().map(|finish| match finish {
            "end_turn" => StopReason::End,
            "stop_sequence" => StopReason::StopSequence,
            "max_tokens" => StopReason::Length,
            "tool_use" => StopReason::ToolCalls,
            "refusal" => StopReason::ContentFilter,
            "pause_turn" => StopReason::Pause,
            other => unreachable!("{other}"),
        }),
        usage: usage.as_object().filter(|usage| !usage.is_empty()).map(|_| Usage {
            input: count("/input_tokens"),
            cache_read: count("/cache_read_input_tokens"),
            cache_write: count("/cache_creation_input_tokens"),
            output: count("/output_tokens"),
            reasoning: count("/output_tokens_details/thinking_tokens"),
            ..Usage::default()
        }),
        failed,
        ended: !failed,
    }
}

/// The counts that every dialect has.
fn plain_counts(usage: Usage) -> Usage {
    let Usage { input, cache_read, cache_write, output, reasoning, .. } = usage;
    Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() }
}

fn arguments(text: &str) -> Value {
    if text.is_empty() { json!({}) } else { serde_json::from_str(text).unwrap() }
}

fn read_whole(body: &str) -> Seen {
    let response = Anthropic.read_response(body).unwrap();
    let mut seen = Seen { stop: Some(response.stop), usage: response.usage.map(plain_counts), ended: true, ..Seen::default() };
    for part in response.parts {
        match part {
            Part::Text { text, .. } => seen.text.push_str(&text),
            Part::Reasoning { text, .. } => seen.reasoning.push_str(&text),
            Part::ToolCall(call) => seen.calls.push((call.id, call.name, arguments(&call.arguments))),
            Part::RedactedReasoning { .. } | Part::Opaque { .. } => {}
            Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::Refusal { .. }
            | Part::ToolResult(_) => {
                unreachable!("{part:?}")
            }
        }
    }
    seen
}

/// The events of a stream that arrives in these pieces.
fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    crate::fold::events(&Anthropic, pieces)
}

fn fold(events: &[Event]) -> Seen {
    let mut seen = Seen::default();
    let mut calls: Vec<(usize, String, String, String)> = vec![];
    let mut open = vec![];
    for event in events {
        match event {
            Event::BlockStart { index, block, .. } => {
                open.push(*index);
                if let Block::ToolCall(call) = block {
                    calls.push((*index, call.id.clone(), call.name.clone(), call.arguments.clone()));
                }
            }
            Event::BlockDelta { index, delta } => {
                assert!(open.contains(index), "a delta of a closed block: {event:?}");
                match delta {
                    Delta::Text(text) => seen.text.push_str(text),
                    Delta::Reasoning(text) => seen.reasoning.push_str(text),
                    Delta::Arguments(text) => calls.iter_mut().find(|call| call.0 == *index).unwrap().3.push_str(text),
                    Delta::Signature(signature) => assert!(!signature.value.is_empty()),
                    Delta::Citation(_) => {}
                    Delta::Refusal(_) | Delta::Logprobs(_) | Delta::Audio(_) => unreachable!("{event:?}"),
                }
            }
            Event::BlockEnd { index } => open.retain(|other| other != index),
            Event::Usage(usage) => seen.usage = Some(plain_counts(*usage)),
            Event::Stop { reason, .. } => seen.stop = Some(*reason),
            Event::End => seen.ended = true,
            Event::Failed(error) => {
                assert!(error.status >= 500 && !error.message.is_empty(), "{error:?}");
                seen.failed = true;
            }
            Event::Start { id, model } => assert!(id.is_some() && model.is_some()),
            Event::Malformed => unreachable!("every frame can be read"),
        }
    }
    assert!(open.is_empty() || seen.failed, "blocks left open");
    seen.calls = calls.into_iter().map(|(_, id, name, text)| (id, name, arguments(&text))).collect();
    seen
}

fn stamp() -> Stamp {
    Stamp { id: "msg_minted".to_owned(), created: 0, model: "asked".to_owned() }
}

/// A whole stream as a caller of this dialect gets it.
fn write(events: &[Event]) -> String {
    let (mut writer, mut out) =
        (Anthropic.event_writer(&Asked { stamp: stamp(), facts: &Facts::default(), body: &[] }), String::new());
    let mut finish = Finish { stop: StopReason::End, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None };
    for event in events {
        writer.write(event, &mut out);
        match event {
            Event::Usage(usage) => finish.usage = *usage,
            Event::Stop { reason, sequence, .. } => (finish.stop, finish.stop_sequence) = (*reason, sequence.clone()),
            Event::Start { .. }
            | Event::BlockStart { .. }
            | Event::BlockDelta { .. }
            | Event::BlockEnd { .. }
            | Event::End
            | Event::Failed(_)
            | Event::Malformed => {}
        }
    }
    writer.finish(&finish, &mut out);
    out
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn recorded_answers_read_as_their_recorder_saw_them() {
    let mut read = 0;
    for case in cases() {
        let body = case.value.pointer("/response/body").unwrap();
        let whole = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        if case.status() >= 400 {
            let error = Anthropic.read_error(case.status(), &whole);
            assert_eq!(error.status, case.status(), "{}", case.name);
            assert!(error.kind.is_some_and(|kind| kind.ends_with("_error")) && !error.message.is_empty(), "{}", case.name);
        } else if case.text("/response/kind") == "json" {
            assert_eq!(read_whole(&whole), expected(&case), "{}", case.name);
            let response = Anthropic.read_response(&whole).unwrap();
            let written =
                Anthropic.write_response(&response, &Asked { stamp: stamp(), facts: &Facts::default(), body: &[] }, None);
            // The provider's own numbers are not written.
            let plain = |response: Response| Response { raw_usage: None, usage: response.usage.map(plain_counts), ..response };
            assert_eq!(Anthropic.read_response(&written).map(plain), Ok(plain(response)), "{}", case.name);
        } else {
            let bytes = whole.as_bytes();
            let by_byte = events(bytes.chunks(1));
            let mut expected = expected(&case);
            if case.name.ends_with(HEADLESS.0) {
                HEADLESS.1.clone_into(&mut expected.text);
            }
            assert_eq!(fold(&by_byte), expected, "{}", case.name);
            if expected.ended {
                assert_eq!(fold(&events([write(&by_byte).as_bytes()].into_iter())), expected, "{}: written", case.name);
            }
            let mut rest = bytes;
            let sizes: Vec<usize> = case.value.get("chunk_sizes").map_or(vec![], |s| serde_json::from_value(s.clone()).unwrap());
            let mut pieces: Vec<&[u8]> = sizes.iter().map(|size| rest.split_off(..*size).unwrap()).collect();
            pieces.push(rest);
            assert_eq!(events(pieces.into_iter()), by_byte, "{}", case.name);
        }
        read += 1;
    }
    assert_eq!(read, 41);
}

/// What must survive a translation: who said what, in which order.
fn outline(body: &Value) -> Vec<(&str, Value)> {
    let mut out = vec![];
    for tool in body["tools"].as_array().into_iter().flatten() {
        out.push(("tool", json!([tool["name"], tool["description"], tool["input_schema"], tool["cache_control"]])));
    }
    content(&body["system"], "system", &mut out);
    for message in body["messages"].as_array().unwrap() {
        content(&message["content"], message["role"].as_str().unwrap(), &mut out);
    }
    out
}

/// The blocks in one spelling; a tool's result is followed by its content.
fn content<'a>(content: &'a Value, role: &'a str, out: &mut Vec<(&'a str, Value)>) {
    if content.as_str().is_some_and(|text| !text.is_empty()) {
        out.push((role, json!({"type": "text", "text": content})));
    }
    for block in content.as_array().into_iter().flatten() {
        let mut plain = block.clone();
        let map = plain.as_object_mut().unwrap();
        // What only says the default, or is reported as dropped.
        if map.get("type") == Some(&json!("document")) || map.get("citations") == Some(&Value::Null) {
            map.shift_remove("citations");
        }
        if map.get("is_error") == Some(&json!(false)) {
            map.shift_remove("is_error");
        }
        let is_result = map.get("type") == Some(&json!("tool_result"));
        if is_result {
            map.shift_remove("content");
        }
        out.push((role, plain));
        if is_result {
            self::content(&block["content"], role, out);
        }
    }
}

/// What no recorded client can miss elsewhere: it is for Anthropic only.
fn is_bill(block: &Value) -> bool {
    block["text"].as_str().is_some_and(|text| text.starts_with("x-anthropic-billing-header:"))
}

/// Fails unless translating to the canonical form and back keeps a request; returns what both ways reported.
fn keep(name: &str, mut body: Value) -> Vec<String> {
    const TARGET: Profile = Profile { thinking: profile::Thinking::Budget, ..Profile::DEFAULT };
    // On Vertex the model is named in the path.
    body.as_object_mut().unwrap().entry("model").or_insert(json!("claude"));
    let read = Anthropic.read_request(&body.to_string()).unwrap();
    let written = Anthropic.write_request(&read.value, &TARGET);
    let again: Value = serde_json::from_str(&written.value).unwrap();
    let (kept, mut said) = (outline(&again), outline(&body));
    said.retain(|(_, block)| !is_bill(block));
    for (kept, said) in kept.iter().zip(&said) {
        assert_eq!(kept, said, "{name}");
    }
    assert_eq!(kept.len(), said.len(), "{name}");
    if written.dropped.is_empty() {
        let reread = Anthropic.read_request(&written.value).unwrap().value;
        assert_eq!(Request { messages: vec![], ..reread }, Request { messages: vec![], ..read.value }, "{name}");
    }
    [read.dropped, written.dropped].concat()
}

/// Paths with how often each was reported.
fn tally(paths: Vec<String>) -> Vec<(String, usize)> {
    let mut tally = BTreeMap::new();
    for path in paths {
        *tally.entry(path).or_insert(0) += 1;
    }
    tally.into_iter().collect()
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn recorded_requests_survive_the_canonical_form() {
    let (mut kept, mut dropped) = (0, vec![]);
    for case in cases() {
        if case.text("/request/kind") == "json" && case.status() != 400 {
            dropped.extend(keep(&case.name, case.value.pointer("/request/body").unwrap().clone()));
            kept += 1;
        }
    }
    assert_eq!(kept, 34);
    let reviewed = [
        // The version, where the address does not say it: Vertex.
        ("anthropic_version", 4),
        // What Anthropic runs itself.
        ("container", 1),
        ("mcp_servers", 2),
        ("messages[].content[].citations", 1),
        ("tools[].defer_loading", 1),
    ];
    assert_eq!(tally(dropped), reviewed.map(|(path, count)| (path.to_owned(), count)));
}

#[test]
#[ignore = "needs PORTOLAN_CLIENTS"]
fn requests_of_real_clients_survive_the_canonical_form() {
    let (mut kept, mut dropped) = (0, vec![]);
    for path in files("PORTOLAN_CLIENTS") {
        let client: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for request in client["requests"].as_array().into_iter().flatten() {
            if request["path"].as_str().is_some_and(|path| path.ends_with("/messages")) && request["body"].is_object() {
                dropped.extend(keep(&path.display().to_string(), request["body"].clone()));
                kept += 1;
            }
        }
    }
    assert_eq!(kept, 143);
    let reviewed = [
        // Claude Code: when Anthropic is to forget thoughts; nobody else is sent them.
        ("context_management", 8),
        // Tool loops whose thoughts the recorder's mock did not send.
        ("reasoning", 3),
        // Claude Code: whom Anthropic is to bill.
        ("system[].x-anthropic-billing-header", 8),
        // Claude Code: a tool that Anthropic's own tool search would load; elsewhere it is there at once.
        ("tools[].defer_loading", 8),
    ];
    assert_eq!(tally(dropped), reviewed.map(|(path, count)| (path.to_owned(), count)));
}
