use portolan::{
    chat::{
        fold,
        profile::{self, Profile},
    },
    dialect::{Asked, Caller, Facts, Upstream, anthropic::Anthropic},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

use super::stamp;

/// What may stand where something else belongs.
fn odd() -> [Value; 5] {
    [json!(null), json!(-1.5), json!(""), json!([]), json!({"type": "x"})]
}

/// The value with each of its parts, one at a time, replaced by each odd one, or left out.
fn bent(value: &Value) -> Vec<Value> {
    let mut out = odd().to_vec();
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            for other in bent(item) {
                let mut items = items.clone();
                items[i] = other;
                out.push(items.into());
            }
        }
    }
    if let Some(map) = value.as_object() {
        for (key, item) in map {
            let mut less = map.clone();
            less.shift_remove(key);
            out.push(less.into());
            for other in bent(item) {
                let mut map = map.clone();
                map.insert(key.clone(), other);
                out.push(map.into());
            }
        }
    }
    out
}

fn request() -> Value {
    let cache = json!({"type": "ephemeral", "ttl": "1h"});
    let cited = json!({"type": "char_location", "cited_text": "q", "document_index": 0, "document_title": "D", "start_char_index": 1, "end_char_index": 2});
    json!({
        "model": "m", "max_tokens": 9000, "stream": true, "service_tier": "auto", "cache_control": cache,
        "system": [{"type": "text", "text": "s", "cache_control": cache}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "title": "t", "context": "c", "citations": {"enabled": true}, "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "a"}]},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "portolan:gemini:g"},
                {"type": "text", "text": "a", "citations": [cited]},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "is_error": true, "content": [{"type": "text", "text": "r"}]}]},
        ],
        "tools": [{"name": "f", "strict": true, "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "anyOf": [{"required": ["a"]}]}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"anyOf": [{"type": "string"}]}}}}},
        "metadata": {"user_id": "u"}, "stop_sequences": ["x"], "temperature": 0.5, "top_p": 0.5, "top_k": 5,
    })
}

/// Any value anywhere is read or refused with its path, and what is read can be written for any target.
#[test]
fn no_shape_of_a_request_is_too_odd() {
    let poor = Profile {
        thinking: profile::Thinking::Budget,
        sampling: false,
        prefill: false,
        json_schema: false,
        tool_choice: false,
        image_urls: false,
        max_output: Some(1500),
        ..Profile::DEFAULT
    };
    let (mut read, mut refused) = (0, 0);
    for body in bent(&request()) {
        let text = body.to_string();
        if let Ok(outline) = Outline::read(text.as_bytes()) {
            let edited = join(&text, &outline.edit(&Anthropic.edits(&outline, "m", true)));
            assert!(serde_json::from_str::<Value>(&edited).is_ok(), "{text}\n{edited}");
        }
        match Anthropic.read_request(&text) {
            Ok(request) => {
                read += 1;
                for profile in [Profile::DEFAULT, poor] {
                    let written = Anthropic.write_request(&request.value, &profile);
                    let again = Anthropic.read_request(&written.value);
                    assert!(again.is_ok(), "{text}\n{}\n{again:?}", written.value);
                    let mut once = written.dropped.clone();
                    once.sort();
                    once.dedup();
                    assert_eq!(once.len(), written.dropped.len(), "each path once: {:?}", written.dropped);
                }
            }
            Err(error) => {
                refused += 1;
                assert_eq!((error.status, error.param.is_some()), (400, true), "{text}\n{error:?}");
            }
        }
    }
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
}

#[test]
fn no_shape_of_an_answer_is_too_odd() {
    let answer = json!({
        "id": "msg_1", "model": "m", "stop_reason": "tool_use", "stop_sequence": null,
        "content": [
            {"type": "thinking", "thinking": "t", "signature": "S"},
            {"type": "text", "text": "a", "citations": [{"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "q", "encrypted_index": "E"}]},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "tool_use", "id": "c", "name": "portolan_answer", "input": {"a": 1}},
        ],
        "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard", "cache_creation": {"ephemeral_5m_input_tokens": 1}},
    });
    let (mut read, mut refused) = (0, 0);
    for body in bent(&answer) {
        let Ok(response) = Anthropic.read_response(&body.to_string()) else {
            refused += 1;
            continue;
        };
        read += 1;
        let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: &[] };
        let written = Anthropic.write_response(&response, &asked, None);
        assert!(Anthropic.read_response(&written).is_ok(), "{body}\n{written}");
        // The same as a stream.
        let (events, finish) = fold::unfold(&response, None);
        let (mut writer, mut out) = (Anthropic.event_writer(&asked), String::new());
        events.iter().for_each(|event| writer.write(event, &mut out));
        writer.finish(&finish, &mut out);
        let again = crate::fold::fold(&crate::fold::events(&Anthropic, [out.as_bytes()]));
        assert!(again.ended && again.malformed == 0, "{body}\n{out}");
    }
    assert!(read > 100 && refused > 50, "{read} read, {refused} refused");
}

#[test]
fn no_shape_of_a_stream_is_too_odd() {
    let frames = [
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s", "name": "n", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "s", "name": "portolan_answer", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"url": "u"}}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let mut tried = 0;
    for (i, frame) in frames.iter().enumerate() {
        for other in bent(frame) {
            let stream: String = frames
                .iter()
                .enumerate()
                .map(|(j, frame)| format!("data: {}\n\n", if i == j { &other } else { frame }))
                .collect();
            let bytes = stream.as_bytes();
            let events = crate::fold::events(&Anthropic, [bytes]);
            assert_eq!(crate::fold::events(&Anthropic, bytes.chunks(7)), events, "{stream}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}
