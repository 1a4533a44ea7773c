use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, UpstreamError},
        response::StopReason,
        usage::Usage,
    },
    dialect::{Upstream, anthropic::Anthropic},
    wire::sse::Frames,
};
use serde_json::{Value, json};

use super::{call, signature};
use crate::fold;

fn read(pieces: &[&[u8]]) -> Vec<Event> {
    fold::events(&Anthropic, pieces.iter().copied())
}

/// The events of frames with these data.
fn events(data: &[Value]) -> Vec<Event> {
    let text: String = data.iter().map(|data| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())).collect();
    read(&[text.as_bytes()])
}

fn start(index: usize, block: Block) -> Event {
    Event::BlockStart { choice: 0, index, block }
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn opens(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn adds(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn closes(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

/// Trailing spaces before the last brace, a ping with a space, an empty first fragment, an escape cut in two.
const WHOLE: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","model":"claude","content":[],"usage":{"input_tokens":9,"cache_creation_input_tokens":1,"cache_read_input_tokens":2,"output_tokens":1}}        }

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}   }

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}  }

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQ="} }

event: content_block_stop
data: {"type":"content_block_stop","index":0      }

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}   }

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße 🦀"}   }

event: content_block_stop
data: {"type":"content_block_stop","index":1 }

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}} }

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}  }

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\"\\"} }

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"n\"}"}  }

event: content_block_stop
data: {"type":"content_block_stop","index":2 }

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"output_tokens":40}  }

event: message_stop
data: {"type":"message_stop"           }

"#;

#[test]
fn a_whole_stream_reads_the_same_however_it_is_cut() {
    let usage = Usage { input: 9, cache_read: 2, cache_write: 1, output: 1, ..Usage::default() };
    let expected = vec![
        Event::Start { id: Some("msg_1".to_owned()), model: Some("claude".to_owned()) },
        Event::Usage(usage),
        start(0, Block::Reasoning),
        delta(0, Delta::Reasoning("hm".to_owned())),
        delta(0, Delta::Signature(signature(Dialect::Anthropic, "EqQ="))),
        Event::BlockEnd { index: 0 },
        start(1, Block::Text),
        delta(1, Delta::Text("Grüße 🦀".to_owned())),
        Event::BlockEnd { index: 1 },
        start(2, Block::ToolCall(call("toolu_1", ""))),
        delta(2, Delta::Arguments("{\"a\":\"\\".to_owned())),
        delta(2, Delta::Arguments("n\"}".to_owned())),
        Event::BlockEnd { index: 2 },
        // A later report repeats some counts and leaves out others.
        Event::Usage(Usage { input: 12, output: 40, ..usage }),
        Event::Stop { choice: 0, reason: StopReason::ToolCalls, sequence: None },
        Event::End,
    ];
    let bytes = WHOLE.as_bytes();
    assert_eq!(read(&[bytes]), expected);
    assert_eq!(read(&bytes.chunks(1).collect::<Vec<_>>()), expected, "byte by byte");
    for cut in 0..bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(read(&[left, right]), expected, "cut at {cut}");
    }
}

#[test]
fn blocks_open_as_what_they_are() {
    let server = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}});
    let searched = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": 1}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"x": 1}]});
    let end = || Event::BlockEnd { index: 0 };
    let opaque = |value: &Value| Block::Opaque { dialect: Dialect::Anthropic, value: value.clone() };
    let json_delta = |text: &str| adds(0, json!({"type": "input_json_delta", "partial_json": text}));
    for (frames, expected) in [
        // No fragment at all: the empty object.
        (
            vec![opens(0, json!({"type": "tool_use", "id": "c", "name": "f", "input": {}})), closes(0)],
            vec![start(0, Block::ToolCall(call("c", ""))), end()],
        ),
        (
            vec![opens(0, json!({"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}})), closes(0)],
            vec![start(0, Block::ToolCall(call("c", r#"{"a":1}"#))), end()],
        ),
        (
            vec![opens(0, json!({"type": "text", "text": "a"})), closes(0)],
            vec![start(0, Block::Text), delta(0, Delta::Text("a".to_owned())), end()],
        ),
        // Short thinking: a signature only.
        (
            vec![
                opens(0, json!({"type": "thinking", "thinking": ""})),
                adds(0, json!({"type": "signature_delta", "signature": "S"})),
                closes(0),
            ],
            vec![start(0, Block::Reasoning), delta(0, Delta::Signature(signature(Dialect::Anthropic, "S"))), end()],
        ),
        (
            vec![opens(0, json!({"type": "redacted_thinking", "data": "x"})), closes(0)],
            vec![start(0, Block::RedactedReasoning { data: "x".to_owned(), dialect: Dialect::Anthropic }), end()],
        ),
        // A server tool's input is not a call's.
        (
            vec![opens(0, server.clone()), json_delta("{\"q\""), json_delta(":1}"), closes(0)],
            vec![start(0, opaque(&searched)), end()],
        ),
        (vec![opens(0, server.clone()), json_delta(""), closes(0)], vec![start(0, opaque(&server)), end()]),
        // What it is grows, and it is carried whole.
        (
            vec![
                opens(0, json!({"type": "compaction", "content": null})),
                adds(0, json!({"type": "compaction_delta", "content": "So "})),
                adds(0, json!({"type": "compaction_delta", "content": "far."})),
                closes(0),
            ],
            vec![start(0, opaque(&json!({"type": "compaction", "content": "So far."}))), end()],
        ),
        (vec![opens(0, found.clone()), closes(0)], vec![start(0, opaque(&found)), end()]),
    ] {
        assert_eq!(events(&frames), expected, "{frames:?}");
    }
}

#[test]
fn a_stream_joined_in_the_middle_opens_its_blocks_on_the_way() {
    for (first, block, content) in [
        (json!({"type": "text_delta", "text": "a"}), Block::Text, Delta::Text("a".to_owned())),
        (json!({"type": "thinking_delta", "thinking": "a"}), Block::Reasoning, Delta::Reasoning("a".to_owned())),
        (
            json!({"type": "signature_delta", "signature": "a"}),
            Block::Reasoning,
            Delta::Signature(signature(Dialect::Anthropic, "a")),
        ),
    ] {
        let frames =
            [closes(3), adds(4, first.clone()), adds(4, first), closes(4), opens(5, json!({"type": "text", "text": ""}))];
        let expected =
            [start(0, block), delta(0, content.clone()), delta(0, content), Event::BlockEnd { index: 0 }, start(1, Block::Text)];
        assert_eq!(events(&frames), expected);
    }
    let found = events(&[adds(1, json!({"type": "input_json_delta", "partial_json": "{}"}))]);
    assert!(
        matches!(found.as_slice(), [Event::BlockStart { block: Block::ToolCall(_), .. }, Event::BlockDelta { .. }]),
        "{found:?}"
    );
}

#[test]
fn frames_outside_the_blocks() {
    let failed = |status, kind: &str, message: &str| {
        let kind = Some(kind.to_owned());
        vec![Event::Failed(UpstreamError { status, message: message.to_owned(), kind, ..UpstreamError::default() })]
    };
    for (text, expected) in [
        (": comment\n\n", vec![]),
        ("event: ping\ndata: {\"type\": \"ping\"}\n\n", vec![]),
        ("event: ping\ndata: {}\n\n", vec![]),
        ("data: {\"type\":\"of_2030\"}\n\n", vec![]),
        ("event: data\ndata: [DONE]\n\n", vec![]),
        ("data: \n\n", vec![]),
        ("data: {\"type\n\n", vec![Event::Malformed]),
        ("data: 7\n\n", vec![Event::Malformed]),
        ("data: {}\n\n", vec![Event::Malformed]),
        ("data: {\"type\":\"content_block_start\",\"index\":0}\n\n", vec![Event::Malformed]),
        // Pretty-printed over several lines; the last without its blank line.
        ("event: message_stop\ndata: {\ndata:  \"type\": \"message_stop\"\ndata: }\n", vec![Event::End]),
        ("event: message_stop\ndata: {}\n\n", vec![Event::End]),
        (
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"} }\n\n",
            failed(529, "overloaded_error", "Overloaded"),
        ),
        ("event: error\ndata: {\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}\n\n", failed(500, "api_error", "m")),
        ("data: {\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\"}}\n\n", failed(429, "rate_limit_error", "m")),
        ("data: {\"type\":\"error\",\"error\":{\"type\":\"odd\",\"message\":\"m\"}}\n\n", failed(0, "odd", "m")),
    ] {
        assert_eq!(read(&[text.as_bytes()]), expected, "{text}");
    }
}

#[test]
fn a_stream_is_whole_once_its_reason_to_stop_was_told() {
    let delta = json!({"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "X"}, "usage": {"output_tokens": 3}});
    let usage = Event::Usage(Usage { output: 3, ..Usage::default() });
    let stop = Event::Stop { choice: 0, reason: StopReason::StopSequence, sequence: Some("X".to_owned()) };
    assert_eq!(events(std::slice::from_ref(&delta)), [usage.clone(), stop.clone(), Event::End], "only its mark is missing");
    let early = json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3}});
    assert_eq!(events(&[early]), std::slice::from_ref(&usage), "cut off before its end");
    assert_eq!(events(&[delta, json!({"type": "message_stop"})]), [usage, stop, Event::End], "an answer without a block");
}

/// The provider's own numbers: the last word on each.
#[test]
fn raw_usage_is_collected_over_the_reports() {
    let first = json!({"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1, "service_tier": "standard", "cache_creation": {"ephemeral_1h_input_tokens": 4}}}});
    let last = json!({"type": "message_delta", "delta": {}, "usage": {"input_tokens": null, "output_tokens": 40, "server_tool_use": {"web_search_requests": 2}}});
    let bytes: String = [first, last].iter().map(|frame| format!("data: {frame}\n\n")).collect();
    let (mut reader, mut frames, mut out) = (Anthropic.event_reader(), Frames::default(), vec![]);
    assert_eq!(reader.raw_usage(), None);
    frames.push(bytes.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        reader.read(&frame, &mut out);
    }
    let expected = json!({"input_tokens": 9, "output_tokens": 40, "service_tier": "standard", "cache_creation": {"ephemeral_1h_input_tokens": 4}, "server_tool_use": {"web_search_requests": 2}});
    assert_eq!(reader.raw_usage(), Some(&expected));
    let counted = Usage { input: 9, cache_write: 4, cache_write_1h: 4, output: 40, searches: 2, ..Usage::default() };
    assert_eq!(out.last(), Some(&Event::Usage(counted)));
}
