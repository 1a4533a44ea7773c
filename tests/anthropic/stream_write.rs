use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish},
        request::ToolCall,
        response::StopReason,
        usage::Usage,
    },
    dialect::{Caller, EventWriter, Upstream, anthropic::Anthropic},
    error::{Error, Kind},
    units::Money,
    wire::sse::Frames,
};
use serde_json::{Value, json};

use super::{call, signature, stamp};

fn writer() -> Box<dyn EventWriter> {
    Anthropic.event_writer(&portolan::dialect::Asked { stamp: stamp(), facts: &portolan::dialect::Facts::default(), body: &[] })
}

fn finish(stop: StopReason) -> Finish {
    Finish { stop, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None }
}

/// The data of all frames after `message_start`, each checked to be named as its type.
fn frames(events: &[Event], stop: StopReason) -> Vec<Value> {
    let (mut writer, mut out) = (writer(), String::new());
    for event in events {
        writer.write(event, &mut out);
    }
    writer.finish(&finish(stop), &mut out);
    let (mut split, mut data) = (Frames::default(), vec![]);
    split.push(out.as_bytes()).unwrap();
    while let Some(frame) = split.next_frame() {
        let value: Value = serde_json::from_str(&frame.data.unwrap()).unwrap();
        assert_eq!(frame.event.as_deref(), value["type"].as_str());
        data.push(value);
    }
    assert_eq!(data.remove(0)["type"], "message_start");
    let pings = data.extract_if(.., |frame| frame["type"] == "ping").count();
    assert_eq!(pings, usize::from(data[0]["type"] == "content_block_start"), "one, if there is a block");
    data
}

fn start(index: usize, block: Block) -> Event {
    Event::BlockStart { choice: 0, index, block }
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn said(index: usize, text: &str) -> Event {
    delta(index, Delta::Text(text.to_owned()))
}

fn argued(index: usize, text: &str) -> Event {
    delta(index, Delta::Arguments(text.to_owned()))
}

fn end(index: usize) -> Event {
    Event::BlockEnd { index }
}

/// A block on the wire: its opening, its deltas, its end.
fn block(index: u64, block: Value, deltas: &[Value]) -> Vec<Value> {
    let mut frames = vec![json!({"type": "content_block_start", "index": index, "content_block": block})];
    frames.extend(deltas.iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
    frames.push(json!({"type": "content_block_stop", "index": index}));
    frames
}

fn text_block(index: u64, text: &str) -> Vec<Value> {
    block(index, json!({"type": "text", "text": ""}), &[json!({"type": "text_delta", "text": text})])
}

fn thinking_block(index: u64, deltas: &[Value]) -> Vec<Value> {
    block(index, json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
}

fn call_block(index: u64, id: &str, fragments: &[&str]) -> Vec<Value> {
    let deltas: Vec<Value> = fragments.iter().map(|text| json!({"type": "input_json_delta", "partial_json": text})).collect();
    block(index, json!({"type": "tool_use", "id": id, "name": "f", "input": {}}), &deltas)
}

fn proof(index: u64, signature: &str) -> Vec<Value> {
    thinking_block(index, &[json!({"type": "signature_delta", "signature": signature})])
}

#[test]
fn a_whole_stream_to_the_letter() {
    let (mut writer, mut out) = (writer(), String::new());
    for event in [
        Event::Start { id: Some("chatcmpl-1".to_owned()), model: Some("gpt".to_owned()) },
        Event::Usage(Usage { input: 9, cache_read: 1, ..Usage::default() }),
        start(0, Block::Text),
        said(0, "hi"),
        said(0, "!"),
        end(0),
        Event::Usage(Usage::default()),
        Event::Stop { choice: 0, reason: StopReason::End, sequence: None },
        Event::End,
    ] {
        writer.write(&event, &mut out);
    }
    let usage = Usage { input: 9, cache_read: 1, output: 5, reasoning: 2, ..Usage::default() };
    let stop_sequence = Some("X".to_owned());
    writer.finish(
        &Finish { stop: StopReason::StopSequence, stop_sequence, more: vec![], usage, cost: Some(Money(2_500_000)) },
        &mut out,
    );
    assert_eq!(
        out,
        r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_minted","type":"message","role":"assistant","model":"gpt","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":1,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"!"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"X"},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":1,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2},"cost":2.5e-6}}

event: message_stop
data: {"type":"message_stop"}

"#
    );
}

#[test]
fn one_block_is_open_at_a_time() {
    let (a, b) = (|| start(0, Block::ToolCall(call("a", ""))), || start(1, Block::ToolCall(call("b", ""))));
    for (events, expected) in [
        (vec![], vec![]),
        (
            vec![a(), argued(0, "{"), b(), argued(1, "{\"b\""), argued(0, "}"), argued(1, ":1}"), end(0), end(1)],
            [call_block(0, "a", &["{", "}"]), call_block(1, "b", &["{\"b\"", ":1}"])].concat(),
        ),
        // The later one ends first.
        (
            vec![a(), b(), argued(1, "{}"), end(1), argued(0, "{}"), end(0)],
            [call_block(0, "a", &["{}"]), call_block(1, "b", &["{}"])].concat(),
        ),
        // Nobody closes them: the end of the stream does.
        (
            vec![start(0, Block::Text), said(0, "x"), start(1, Block::ToolCall(call("b", ""))), argued(1, "{}"), said(0, "y")],
            [
                block(
                    0,
                    json!({"type": "text", "text": ""}),
                    &[json!({"type": "text_delta", "text": "x"}), json!({"type": "text_delta", "text": "y"})],
                ),
                call_block(1, "b", &["{}"]),
            ]
            .concat(),
        ),
        // A delta of a block that was never opened has no place.
        (vec![said(7, "x"), start(0, Block::Text), said(0, "y"), end(0), end(7)], text_block(0, "y")),
    ] {
        let mut written = frames(&events, StopReason::End);
        assert_eq!(written.split_off(written.len() - 2).last(), Some(&json!({"type": "message_stop"})));
        assert_eq!(written, expected, "{events:?}");
    }
}

#[test]
fn what_goes_on_is_written_as_it_comes() {
    let (mut writer, mut out) = (writer(), String::new());
    let opens = |index, id| start(index, Block::ToolCall(call(id, "")));
    for event in [opens(0, "a"), opens(1, "b"), argued(1, "{}"), end(1), opens(2, "c"), end(0), argued(2, "{")] {
        writer.write(&event, &mut out);
    }
    assert!(out.contains(r#"{"type":"content_block_stop","index":1}"#), "ended while it waited: {out}");
    assert!(out.ends_with("\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}}\n\n"), "{out}");
}

#[test]
fn blocks_are_written_as_what_they_are() {
    let reasoned = |text: &str| delta(0, Delta::Reasoning(text.to_owned()));
    let proven = |dialect, text: &str| delta(0, Delta::Signature(signature(dialect, text)));
    let signed = ToolCall { signature: Some(signature(Dialect::Gemini, "g=")), ..call("a", "{}") };
    let thinks = |text: &str| json!({"type": "thinking_delta", "thinking": text});
    let signs = |text: &str| json!({"type": "signature_delta", "signature": text});
    let server = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}});
    let custom = ToolCall { custom: true, ..call("a", "") };
    let audio = || start(0, Block::Audio { media_type: "audio/wav".to_owned() });
    let sound = || delta(0, Delta::Audio("AA==".to_owned()));
    let no_audio = "[The model answered with audio, which this API cannot carry.]";
    let image = Block::Image { media_type: "image/png".to_owned(), data: "AA==".to_owned() };
    for (events, expected) in [
        // Clients send empty text back, and Anthropic refuses it.
        (vec![start(0, Block::Text), said(0, ""), end(0), start(1, Block::Text), said(1, "x"), end(1)], text_block(0, "x")),
        (vec![start(0, Block::Refusal), delta(0, Delta::Refusal("no".to_owned())), end(0)], text_block(0, "no")),
        (vec![start(0, Block::Reasoning), reasoned("a"), end(0)], thinking_block(0, &[thinks("a")])),
        (
            vec![start(0, Block::Reasoning), reasoned("a"), proven(Dialect::Anthropic, "S="), end(0)],
            thinking_block(0, &[thinks("a"), signs("S=")]),
        ),
        (vec![start(0, Block::Reasoning), proven(Dialect::Gemini, "g"), end(0)], proof(0, "portolan:gemini:g")),
        (
            vec![start(0, Block::RedactedReasoning { data: "d".to_owned(), dialect: Dialect::Anthropic }), end(0)],
            block(0, json!({"type": "redacted_thinking", "data": "d"}), &[]),
        ),
        (vec![start(0, Block::ToolCall(call("a", ""))), end(0)], call_block(0, "a", &[""])),
        (vec![start(0, Block::ToolCall(call("a", ""))), argued(0, ""), end(0)], call_block(0, "a", &[""])),
        (vec![start(0, Block::ToolCall(call("f:0", "{}"))), end(0)], call_block(0, "portolan-f-3a0", &["{}"])),
        (
            vec![start(0, Block::ToolCall(signed)), end(0)],
            [proof(0, "portolan-call:gemini:a:g="), call_block(1, "a", &["{}"])].concat(),
        ),
        // Proofs that come when their block is already open.
        (
            vec![start(0, Block::ToolCall(call("a", "{}"))), proven(Dialect::Gemini, "g"), end(0)],
            [call_block(0, "a", &["{}"]), proof(1, "portolan-call:gemini:a:g")].concat(),
        ),
        (
            vec![start(0, Block::Text), said(0, "x"), proven(Dialect::Gemini, "g"), end(0)],
            [text_block(0, "x"), proof(1, "portolan:gemini:g")].concat(),
        ),
        (vec![start(0, Block::Opaque { dialect: Dialect::Anthropic, value: server.clone() }), end(0)], block(0, server, &[])),
        (
            vec![
                start(0, Block::Opaque { dialect: Dialect::Gemini, value: json!({}) }),
                end(0),
                start(1, Block::Text),
                said(1, "x"),
            ],
            text_block(0, "x"),
        ),
        // What is said in it is text; without words a note.
        (vec![audio(), sound(), said(0, "hi"), sound(), end(0)], text_block(0, "hi")),
        (vec![audio(), sound(), end(0)], block(0, json!({"type": "text", "text": no_audio}), &[])),
        // Any text as the one string of an object, escaped piece by piece.
        (
            vec![start(0, Block::ToolCall(custom)), argued(0, "say \"é\""), argued(0, "\n"), end(0)],
            call_block(0, "a", &["{\"input\":\"", "say \\\"é\\\"", "\\n", "\"}"]),
        ),
        // A second answer, which nobody here can ask for.
        (
            vec![
                start(0, Block::Text),
                Event::BlockStart { choice: 1, index: 1, block: Block::Text },
                said(1, "other"),
                said(0, "x"),
                end(1),
                end(0),
            ],
            text_block(0, "x"),
        ),
        (
            vec![start(0, image), end(0)],
            block(0, json!({"type": "text", "text": "[The model answered with an image, which this API cannot carry.]"}), &[]),
        ),
    ] {
        let mut written = frames(&events, StopReason::End);
        written.truncate(written.len() - 2);
        assert_eq!(written, expected, "{events:?}");
    }
}

#[test]
fn the_stop_reason_agrees_with_the_content() {
    for (block, stop, word) in [
        (Block::Text, StopReason::End, "end_turn"),
        (Block::Text, StopReason::Length, "max_tokens"),
        (Block::ToolCall(call("a", "")), StopReason::End, "tool_use"),
        (Block::ToolCall(call("a", "")), StopReason::ToolCalls, "tool_use"),
        (Block::Refusal, StopReason::End, "refusal"),
        (Block::Text, StopReason::ContentFilter, "refusal"),
        (Block::Text, StopReason::Pause, "pause_turn"),
    ] {
        let written = frames(&[start(0, block.clone()), end(0)], stop);
        assert_eq!(written[written.len() - 2]["delta"]["stop_reason"], word, "{block:?} {stop:?}");
    }
}

#[test]
fn a_broken_stream_ends_with_its_error_and_nothing_else() {
    let (mut writer, mut out) = (writer(), String::new());
    for event in [start(0, Block::Text), said(0, "x")] {
        writer.write(&event, &mut out);
    }
    out.clear();
    writer.fail(&Error::new(Kind::Unavailable, "gone"), &mut out);
    assert_eq!(
        out,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"gone\"}}\n\n"
    );
}

#[test]
fn what_is_written_reads_the_same() {
    let events = [
        Event::Start { id: Some("msg_1".to_owned()), model: Some("claude".to_owned()) },
        Event::Usage(Usage::default()),
        start(0, Block::Reasoning),
        delta(0, Delta::Reasoning("hm".to_owned())),
        delta(0, Delta::Signature(signature(Dialect::Gemini, "a:b"))),
        end(0),
        start(1, Block::Text),
        said(1, "line\u{2028}\"\n"),
        end(1),
        start(2, Block::ToolCall(call("toolu_1", ""))),
        argued(2, "{}"),
        end(2),
        Event::Usage(Usage::default()),
        Event::Stop { choice: 0, reason: StopReason::ToolCalls, sequence: None },
        Event::End,
    ];
    let (mut writer, mut out) = (writer(), String::new());
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.finish(&finish(StopReason::ToolCalls), &mut out);
    let (mut split, mut reader, mut read) = (Frames::default(), Anthropic.event_reader(), vec![]);
    split.push(out.as_bytes()).unwrap();
    while let Some(frame) = split.next_frame() {
        reader.read(&frame, &mut read);
    }
    assert_eq!(read, events);
}
