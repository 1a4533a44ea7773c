//! Every recording of `gemini.generate`, from Gemini and from Vertex, read and compared with what its recorder derived.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    chat::{
        event::{Block, Delta, Event, UpstreamError},
        request::{Part, Source},
        response::{Response, StopReason},
    },
    dialect::{Upstream, gemini::Gemini},
    wire::sse::Frames,
};
use serde_json::{Value, json};

/// Recordings in the folder; another number means that the table below was made for another corpus.
const CASES: usize = 64;

/// Recordings that are rightly read otherwise than their `derived` says, and what differs.
const OTHERWISE: [(&str, &str); 1] =
    // The model called a tool that nobody declared: an error, so that another target may answer.
    [("json-tool-call-7e94fd82", "failed")];

struct Case {
    name: String,
    status: u16,
    is_sse: bool,
    body: Value,
    sizes: Vec<usize>,
    derived: Value,
}

fn cases() -> Vec<Case> {
    let root = std::env::var("PORTOLAN_CORPUS").unwrap();
    let mut cases = vec![];
    for provider in ["gemini", "vertex"] {
        for entry in fs::read_dir(Path::new(&root).join(provider).join("gemini.generate")).unwrap() {
            let path = entry.unwrap().path();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let at = |pointer: &str| case.pointer(pointer).cloned().unwrap_or_default();
            let size = |size: &Value| usize::try_from(size.as_u64().unwrap()).unwrap();
            cases.push(Case {
                name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                status: u16::try_from(at("/response/status").as_u64().unwrap()).unwrap(),
                is_sse: at("/response/kind") == json!("sse"),
                body: at("/response/body"),
                sizes: at("/chunk_sizes").as_array().map(|sizes| sizes.iter().map(size).collect()).unwrap_or_default(),
                derived: at("/derived"),
            });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// What a reader of the answer sees, as `derived` words it. Ids only where the provider gave them.
fn seen(read: Result<Response, UpstreamError>) -> Value {
    let Ok(response) = read else { return json!("failed") };
    let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), vec![]);
    for part in &response.parts {
        if let Part::Text { text: said, .. } = part {
            text.push_str(said);
        } else if let Part::Reasoning { text: thought, .. } = part {
            reasoning.push_str(thought);
        } else if let Part::ToolCall(call) = part {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
            calls.push(json!({ "id": call.id, "name": call.name, "arguments": arguments }));
        }
    }
    let usage = response.usage.map(|usage| json!([usage.prompt(), usage.cache_read, usage.output, usage.reasoning]));
    json!({ "text": text, "reasoning": reasoning, "tool_calls": calls, "finish": stop(response.stop), "usage": usage })
}

fn expected(case: &Case, seen: &Value) -> Value {
    let at = |key: &str| case.derived.get(key).cloned().unwrap_or_default();
    let mut calls = at("tool_calls");
    for (i, call) in calls.as_array_mut().unwrap().iter_mut().enumerate() {
        let call = call.as_object_mut().unwrap();
        let arguments = call.get("arguments").and_then(Value::as_str).unwrap();
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        call.insert("arguments".to_owned(), arguments);
        if call.get("id").is_none_or(Value::is_null) {
            let minted = seen.pointer(&format!("/tool_calls/{i}/id")).cloned().unwrap_or_default();
            assert!(minted.as_str().is_some_and(|id| id.starts_with("call_") && id.len() <= 40), "{}: {minted}", case.name);
            call.insert("id".to_owned(), minted);
        }
    }
    let has_calls = calls.as_array().is_some_and(|calls| !calls.is_empty());
    let finish = match at("finish").as_str() {
        _ if !at("block_reason").is_null() => StopReason::ContentFilter,
        Some("MAX_TOKENS") => StopReason::Length,
        // Enums as numbers, as Vertex sends them when asked.
        None if at("finish") == json!(2) => StopReason::Length,
        Some("SAFETY" | "RECITATION" | "MODEL_ARMOR") => StopReason::ContentFilter,
        _ if has_calls => StopReason::ToolCalls,
        _ => StopReason::End,
    };
    let usage = at("usage");
    let count = |key: &str| usage.get(key).and_then(Value::as_u64);
    let sum = |keys: [&str; 2]| keys.iter().filter_map(|key| count(key)).sum::<u64>();
    let counted = count("promptTokenCount").or(count("candidatesTokenCount")).map(|_| {
        let (prompt, output) = (["promptTokenCount", "toolUsePromptTokenCount"], ["candidatesTokenCount", "thoughtsTokenCount"]);
        let (cached, thoughts) = ("cachedContentTokenCount", "thoughtsTokenCount");
        json!([sum(prompt), count(cached).unwrap_or(0), sum(output), count(thoughts).unwrap_or(0)])
    });
    json!({
        "text": at("text"), "reasoning": at("reasoning"), "tool_calls": calls, "finish": stop(finish), "usage": counted,
    })
}

fn stop(reason: StopReason) -> String {
    format!("{reason:?}")
}

/// A stream as a whole answer. Fails unless it ends as it should.
fn collect(pieces: &[&[u8]]) -> Result<Response, UpstreamError> {
    let (mut frames, mut reader, mut events) = (Frames::default(), Gemini.event_reader(), vec![]);
    for piece in pieces {
        frames.push(piece).unwrap();
        while let Some(frame) = frames.next_frame() {
            reader.read(&frame, &mut events);
        }
    }
    if let Some(frame) = frames.last_frame() {
        reader.read(&frame, &mut events);
    }
    reader.close(&mut events);
    fold(events)
}

fn fold(events: Vec<Event>) -> Result<Response, UpstreamError> {
    assert_eq!(events.last(), Some(&Event::End), "the stream is whole");
    let mut response = Response { id: None, model: None, parts: vec![], stop: StopReason::End, ..Response::default() };
    let mut open: Vec<usize> = vec![];
    for event in events {
        match event {
            Event::Start { id, model } => (response.id, response.model) = (id, model),
            Event::BlockStart { index, block, .. } => {
                assert_eq!(index, response.parts.len(), "blocks are numbered in order of opening");
                open.push(index);
                response.parts.push(part(block));
            }
            Event::BlockDelta { index, delta } => {
                assert!(open.contains(&index), "the block is open");
                grow(response.parts.get_mut(index).unwrap(), delta);
            }
            Event::BlockEnd { index } => {
                assert!(open.contains(&index), "the block is open");
                open.retain(|other| *other != index);
            }
            Event::Usage(usage) => response.usage = Some(usage),
            Event::Stop { reason, .. } => response.stop = reason,
            Event::End => {}
            Event::Failed(error) => return Err(error),
            Event::Malformed => unreachable!("every frame can be read"),
        }
    }
    assert_eq!(open, [0; 0], "every block is closed");
    Ok(response)
}

fn part(block: Block) -> Part {
    match block {
        Block::Text => Part::text(String::new()),
        Block::Reasoning => Part::Reasoning { text: String::new(), signature: None },
        Block::Refusal => Part::Refusal { text: String::new() },
        Block::ToolCall(call) => Part::ToolCall(call),
        Block::RedactedReasoning { data, dialect } => Part::RedactedReasoning { data, dialect },
        Block::Opaque { dialect, value } => Part::Opaque { dialect, value },
        Block::Audio { media_type } => {
            Part::Audio { source: Source::Inline { media_type, data: String::new() }, transcript: None }
        }
        Block::Image { media_type, data } => {
            Part::Image { source: Source::Inline { media_type, data }, detail: None, cache: None }
        }
    }
}

fn grow(part: &mut Part, delta: Delta) {
    match (part, delta) {
        (Part::Text { text, .. }, Delta::Text(more)) | (Part::Reasoning { text, .. }, Delta::Reasoning(more)) => {
            text.push_str(&more);
        }
        (Part::Reasoning { signature, .. }, Delta::Signature(proof)) => *signature = Some(proof),
        (Part::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        (part, delta) => unreachable!("{delta:?} in {part:?}"),
    }
}

/// The stream as its network reads, as one, and as single bytes: all say the same.
fn streamed(case: &Case) -> Result<Response, UpstreamError> {
    let bytes = case.body.as_str().unwrap().as_bytes();
    let (mut pieces, mut rest) = (vec![], bytes);
    for size in &case.sizes {
        let (piece, left) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces.push(rest);
    let read = collect(&pieces);
    assert_eq!(collect(&[bytes]), read, "{}", case.name);
    assert_eq!(collect(&bytes.chunks(1).collect::<Vec<_>>()), read, "{}", case.name);
    read
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_recording_is_read_as_its_recorder_read_it() {
    let cases = cases();
    assert_eq!(cases.len(), CASES);
    let (mut kinds, mut otherwise) = (BTreeMap::<&str, usize>::new(), vec![]);
    for case in &cases {
        if case.status != 200 {
            *kinds.entry("error").or_default() += 1;
            check_error(case);
            continue;
        }
        *kinds.entry(if case.is_sse { "stream" } else { "whole" }).or_default() += 1;
        let read = if case.is_sse { streamed(case) } else { Gemini.read_response(&case.body.to_string()) };
        let seen = seen(read);
        let total = case.derived.pointer("/usage/totalTokenCount").and_then(Value::as_u64);
        if let Some(total) = total.filter(|_| !seen.is_string()) {
            assert_eq!(counted(&seen), total, "{}", case.name);
        }
        let expected = if seen.is_string() { case.derived.clone() } else { expected(case, &seen) };
        if seen != expected {
            otherwise.push((case.name.as_str(), seen.as_str().unwrap_or("differs").to_owned()));
            if !OTHERWISE.iter().any(|(name, _)| *name == case.name) {
                eprintln!("{}\n  seen     {seen}\n  expected {expected}", case.name);
            }
        }
    }
    assert_eq!(otherwise, OTHERWISE.map(|(name, what)| (name, what.to_owned())));
    assert_eq!(kinds, BTreeMap::from([("error", 12), ("stream", 22), ("whole", 30)]));
}

/// All tokens that were read: Google's own total is an independent sum.
fn counted(seen: &Value) -> u64 {
    let at = |i: usize| seen.pointer(&format!("/usage/{i}")).and_then(Value::as_u64).unwrap_or(0);
    at(0) + at(2)
}

fn check_error(case: &Case) {
    let error = Gemini.read_error(case.status, &case.body.to_string());
    let at = |pointer: &str| case.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(case.derived, json!({ "error": true }), "{}", case.name);
    assert_eq!((error.status, Some(error.message)), (case.status, at("/error/message")), "{}", case.name);
    assert_eq!(error.kind, at("/error/status"), "{}", case.name);
    let delay = case.body.to_string().contains("retryDelay");
    assert_eq!(error.retry_after_ms.is_some(), delay, "{}", case.name);
    assert_eq!(Gemini.read_response(&case.body.to_string()).is_err(), case.status != 200, "{}", case.name);
}
