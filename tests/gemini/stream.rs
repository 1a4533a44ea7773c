//! What is read of streams.

use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, UpstreamError},
        request::ToolCall,
        response::StopReason,
        usage::Usage,
    },
    dialect::{Upstream, gemini::Gemini},
};
use serde_json::{Value, json};

use super::{signed, text};
use crate::fold;

/// The events of a stream that arrives in these pieces.
fn events(pieces: &[&[u8]]) -> Vec<Event> {
    fold::events(&Gemini, pieces.iter().copied())
}

fn start() -> Event {
    Event::Start { id: Some("r".to_owned()), model: Some("m".to_owned()) }
}

fn open(index: usize, block: Block) -> Event {
    Event::BlockStart { choice: 0, index, block }
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn used(input: u64, output: u64, reasoning: u64) -> Event {
    Event::Usage(Usage { input, output, reasoning, ..Usage::default() })
}

fn chunk(parts: Value, rest: Value) -> String {
    let mut candidate = json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
    let mut chunk = json!({ "modelVersion": "m", "responseId": "r" });
    for (key, value) in rest.as_object().unwrap() {
        let place = if key == "finishReason" { &mut candidate } else { &mut chunk };
        place.as_object_mut().unwrap().insert(key.clone(), value.clone());
    }
    chunk.as_object_mut().unwrap().insert("candidates".to_owned(), json!([candidate]));
    format!("data: {chunk}\r\n\r\n")
}

fn long_stream() -> (String, Vec<Event>) {
    let usage = |prompt: u64, answer: u64, thoughts: u64| json!({ "promptTokenCount": prompt, "candidatesTokenCount": answer, "thoughtsTokenCount": thoughts });
    let text = [
        chunk(json!([{ "text": "hé", "thought": true }]), json!({ "usageMetadata": usage(3, 0, 1) })),
        chunk(json!([{ "text": "m", "thought": true }, { "text": "a" }]), json!({ "usageMetadata": usage(3, 1, 2) })),
        chunk(json!([{ "text": "b\u{1f600}" }]), json!({ "usageMetadata": usage(3, 1, 2) })),
        chunk(
            json!([{ "functionCall": { "name": "f", "args": { "n": 1 } }, "thoughtSignature": "S" }, { "functionCall": { "name": "f", "args": {} } }]),
            json!({ "finishReason": "STOP" }),
        ),
        chunk(json!([{ "text": "", "thoughtSignature": "T" }]), json!({ "usageMetadata": usage(3, 9, 2) })),
    ]
    .concat();
    let tool = |id: &str, signature| {
        let (id, name, arguments) = (id.to_owned(), "f".to_owned(), String::new());
        Block::ToolCall(ToolCall { id, name, arguments, signature, ..ToolCall::default() })
    };
    let expected = vec![
        start(),
        used(3, 1, 1),
        open(0, Block::Reasoning),
        delta(0, Delta::Reasoning("hé".to_owned())),
        used(3, 3, 2),
        delta(0, Delta::Reasoning("m".to_owned())),
        Event::BlockEnd { index: 0 },
        open(1, Block::Text),
        delta(1, Delta::Text("a".to_owned())),
        delta(1, Delta::Text("b\u{1f600}".to_owned())),
        Event::BlockEnd { index: 1 },
        open(2, tool("call_0_r", signed(Dialect::Gemini, "S"))),
        delta(2, Delta::Arguments("{\"n\":1}".to_owned())),
        Event::BlockEnd { index: 2 },
        open(3, tool("call_1_r", None)),
        delta(3, Delta::Arguments("{}".to_owned())),
        Event::BlockEnd { index: 3 },
        used(3, 11, 2),
        open(4, Block::Reasoning),
        delta(4, Delta::Signature(signed(Dialect::Gemini, "T").unwrap())),
        Event::BlockEnd { index: 4 },
        Event::Stop { choice: 0, reason: StopReason::ToolCalls, sequence: None },
        Event::End,
    ];
    (text, expected)
}

#[test]
fn a_stream_cut_anywhere_says_the_same() {
    let (text, expected) = long_stream();
    let bytes = text.as_bytes();
    assert_eq!(events(&[bytes]), expected);
    for cut in 0..bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(events(&[left, right]), expected, "cut at {cut}");
    }
    assert_eq!(events(&bytes.chunks(1).collect::<Vec<_>>()), expected, "byte by byte");
}

#[test]
fn a_stream_that_breaks_off_never_ends_well() {
    let (text, whole) = long_stream();
    let last = text.trim_end().rfind("data:").unwrap();
    let finished = text.get(..last).unwrap().trim_end().len();
    for cut in 0..finished {
        let seen = events(&[text.as_bytes().get(..cut).unwrap()]);
        let is_end = |event: &Event| matches!(event, Event::End | Event::Stop { .. });
        assert!(!seen.iter().any(is_end), "cut at {cut}");
        let told = seen.iter().filter(|event| **event != Event::Malformed).count();
        assert!(whole.starts_with(seen.get(..told).unwrap()), "cut at {cut}");
    }
}

#[test]
fn streams_end_in_many_ways() {
    let failed = |status, message: &str, kind: &str| {
        let (message, kind) = (message.to_owned(), Some(kind.to_owned()));
        Event::Failed(UpstreamError { status, message, kind, ..UpstreamError::default() })
    };
    let said = |text: &str| vec![start(), open(0, Block::Text), delta(0, Delta::Text(text.to_owned()))];
    let ended = |reason| vec![Event::BlockEnd { index: 0 }, Event::Stop { choice: 0, reason, sequence: None }, Event::End];
    let error = "{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}";
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"modelVersion\":\"m\",\"responseId\":\"r\"}\r\n\r\n";
    let x = || chunk(json!([{ "text": "x" }]), json!({}));
    let finish = |reason: &str| chunk(json!([]), json!({ "finishReason": reason }));
    for (rule, stream, expected) in [
        ("a later reason wins", [x(), finish("STOP"), finish("RECITATION")].concat(), [said("x"), ended(StopReason::ContentFilter)].concat()),
        ("an error chunk", format!("{}data: {error}\r\n\r\n", x()), [said("x"), vec![failed(503, "busy", "UNAVAILABLE")]].concat()),
        ("a bare error", format!("{}{error}\r\n", x()), [said("x"), vec![failed(503, "busy", "UNAVAILABLE")]].concat()),
        ("an error in an array", format!("[{error}]"), vec![failed(503, "busy", "UNAVAILABLE")]),
        ("nothing counts after it", format!("data: {error}\n\n{}{}", x(), finish("STOP")), vec![failed(503, "busy", "UNAVAILABLE")]),
        (
            "a broken answer, before its parts are told",
            chunk(json!([{ "text": "x" }]), json!({ "finishReason": "UNEXPECTED_TOOL_CALL" })),
            vec![start(), failed(0, "The model's answer was unusable: UNEXPECTED_TOOL_CALL.", "UNEXPECTED_TOOL_CALL")],
        ),
        (
            "a blocked prompt",
            blocked.to_owned(),
            vec![start(), Event::Stop { choice: 0, reason: StopReason::ContentFilter, sequence: None }, Event::End],
        ),
        (
            "what nobody can read is skipped; comments say nothing",
            format!(": hi\n\ndata: {{\"a\n\n{}data: 7\n\ndata: [DONE]\n\n{}", x(), finish("MAX_TOKENS")),
            [vec![Event::Malformed], said("x"), vec![Event::Malformed], ended(StopReason::Length)].concat(),
        ),
        (
            "several candidates, each with blocks of its own",
            "data: {\"modelVersion\":\"m\",\"responseId\":\"r\",\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"text\":\"y\"}]},\"finishReason\":\"MAX_TOKENS\"},{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":\"STOP\"}]}".to_owned(),
            vec![
                start(),
                Event::BlockStart { choice: 1, index: 0, block: Block::Text },
                delta(0, Delta::Text("y".to_owned())),
                open(1, Block::Text),
                delta(1, Delta::Text("x".to_owned())),
                Event::BlockEnd { index: 1 },
                Event::BlockEnd { index: 0 },
                Event::Stop { choice: 0, reason: StopReason::End, sequence: None },
                Event::Stop { choice: 1, reason: StopReason::Length, sequence: None },
                Event::End,
            ],
        ),
        ("nothing at all", String::new(), vec![]),
    ] {
        assert_eq!(events(&[stream.as_bytes()]), expected, "{rule}");
    }
    let whole = format!("[{},{}]", x().trim().trim_start_matches("data: "), finish("STOP").trim().trim_start_matches("data: "));
    assert_eq!(events(&[whole.as_bytes()]), [said("x"), ended(StopReason::End)].concat(), "an array instead of events");
    let read = Gemini.read_response(&whole).unwrap();
    assert_eq!((read.parts, read.stop), (vec![text("x")], StopReason::End));
}
