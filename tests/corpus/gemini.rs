//! Every recording of `gemini.generate`, from Gemini and from Vertex, read and compared with what its recorder derived.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    chat::{
        event::{Event, Stamp, UpstreamError},
        fold::{fold, unfold},
        profile::Profile,
        request::{Message, Part, Reasoning, Request, Source, Tool},
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, gemini::Gemini},
    wire::json::Outline,
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
    /// `Null` where it was not recorded.
    request: Value,
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
                request: at("/request/body"),
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

/// A stream as a whole answer. Fails unless it keeps the rules of streams and ends as it should.
fn collect(pieces: &[&[u8]]) -> Result<Response, UpstreamError> {
    let events = crate::fold::events(&Gemini, pieces.iter().copied());
    crate::fold::fold(&events);
    assert_eq!(events.last(), Some(&Event::End), "the stream is whole");
    fold(events)
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
        if let Ok(response) = &read {
            check_written(case, response);
        }
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

/// An answer written for a caller of this dialect is read as it was: whole, as events and as an array.
fn check_written(case: &Case, response: &Response) {
    let stamp = || Stamp { id: "minted".to_owned(), created: 0, model: "asked-for".to_owned() };
    let plain = |response: Response| {
        let (id, model) = (response.id.or(Some("minted".to_owned())), response.model.or(Some("asked-for".to_owned())));
        // Ours always tells usage: zeros where the provider kept silent.
        let Usage { input, cache_read, cache_write, output, reasoning, .. } = response.usage.unwrap_or_default();
        let usage = Some(Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() });
        Response { id, model, usage, raw_usage: None, service_tier: None, ..response }
    };
    let expected = plain(response.clone());
    let whole = Gemini.write_response(response, &Asked { stamp: stamp(), facts: &Facts::default(), body: &[] }, None);
    assert_eq!(plain(Gemini.read_response(&whole).unwrap()), expected, "{}", case.name);
    let (events, finish) = unfold(response, None);
    for array in [false, true] {
        let facts = Facts { array, ..Facts::default() };
        let (mut writer, mut out) = (Gemini.event_writer(&Asked { stamp: stamp(), facts: &facts, body: &[] }), String::new());
        events.iter().for_each(|event| writer.write(event, &mut out));
        writer.finish(&finish, &mut out);
        assert_eq!(collect(&[out.as_bytes()]).map(plain).as_ref(), Ok(&expected), "{}: {out}", case.name);
    }
}

/// Reads a caller's body, and holds that it survives the way to a provider and back. What was dropped on the way in.
fn check_request(name: &str, body: &Value) -> Vec<String> {
    let text = body.to_string();
    let facts = Gemini.facts(&Outline::read(text.as_bytes()).unwrap()).unwrap();
    let read = Gemini.read_request(&text).unwrap_or_else(|error| panic!("{name}: {}", error.message));
    assert_eq!((facts.max_output, facts.tools), (read.value.max_tokens, !read.value.tools.is_empty()), "{name}");
    let model = if matches!(read.value.reasoning, Some(Reasoning::Effort(_))) { "gemini-3-flash" } else { "gemini-2.5-flash" };
    let mut request = Request { model: model.to_owned(), ..read.value };
    let written = Gemini.write_request(&request, &Profile::DEFAULT);
    let again = Gemini.read_request(&written.value).unwrap_or_else(|error| panic!("{name}: {}", error.message)).value;
    assert_eq!(comparable(again.messages.clone()), comparable(request.messages.clone()), "{name}");
    // Who asks for thinking and does not say is shown it, and a function without parameters has no schema.
    let thinks = !matches!(request.reasoning, None | Some(Reasoning::Off));
    request.show_reasoning = request.show_reasoning.or(thinks.then_some(true));
    for tool in &mut request.tools {
        if let Tool::Function { parameters, .. } = tool {
            *parameters = parameters.take().filter(|schema| schema.pointer("/properties").is_some_and(|all| *all != json!({})));
        }
    }
    // Functions are declared together.
    request.tools.sort_by_key(|tool| matches!(tool, Tool::Opaque { .. }));
    let rest = |request: Request| Request { messages: vec![], model: String::new(), ..request };
    assert_eq!(rest(again), rest(request), "{name}");
    assert_eq!(written.dropped, [""; 0], "{name}");
    read.dropped
}

/// A result that is an object may be spelled anew, and of a file that Google keeps only the name goes back.
fn comparable(mut messages: Vec<Message>) -> Vec<Message> {
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        if let Part::Audio { source: source @ Source::Id { .. }, .. } | Part::Image { source: source @ Source::Id { .. }, .. } =
            part
        {
            *part = Part::File { source: source.clone(), name: None, cache: None };
        }
        let Part::ToolResult(result) = part else { continue };
        for part in &mut result.parts {
            if let Part::Text { text, .. } = part
                && let Ok(value) = serde_json::from_str::<Value>(text)
            {
                *text = value.to_string();
            }
        }
    }
    messages
}

fn tally(paths: Vec<String>) -> Vec<(String, usize)> {
    let mut tally = BTreeMap::new();
    paths.into_iter().for_each(|path| *tally.entry(path).or_insert(0) += 1);
    tally.into_iter().collect()
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn recorded_requests_are_read_as_those_of_callers() {
    let (mut read, mut dropped) = (0, vec![]);
    for case in cases().iter().filter(|case| case.request.is_object()) {
        dropped.extend(check_request(&case.name, &case.request));
        read += 1;
    }
    assert_eq!(read, 46);
    let expected = [
        ("cachedContent", 2),
        ("generationConfig.imageConfig", 1),
        ("modelArmorConfig", 1),
        ("safetySettings", 3),
        ("toolConfig.includeServerSideToolInvocations", 4),
    ];
    assert_eq!(tally(dropped), expected.map(|(path, count)| (path.to_owned(), count)));
}

#[test]
#[ignore = "needs PORTOLAN_CLIENTS"]
fn requests_of_real_clients_are_read() {
    let (mut read, mut dropped) = (0, vec![]);
    for file in fs::read_dir(Path::new(&std::env::var("PORTOLAN_CLIENTS").unwrap()).join("recordings")).unwrap() {
        let path = file.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let Ok(client) = serde_json::from_str::<Value>(&text) else { continue };
        for request in client.get("requests").and_then(Value::as_array).into_iter().flatten() {
            let generates = request.get("path").and_then(Value::as_str).is_some_and(|path| path.contains("enerateContent"));
            if let Some(body) = request.get("body").filter(|body| generates && body.is_object()) {
                dropped.extend(check_request(&path.display().to_string(), body));
                read += 1;
            }
        }
    }
    assert_eq!(read, 130);
    assert_eq!(tally(dropped), [("tools[].functionDeclarations[].response_json_schema".to_owned(), 4)]);
}
