//! Bodies bent out of shape in every place: read or refused, never worse, and streams keep to their rules.

use portolan::{
    chat::{event::Event, profile::Profile},
    dialect::{Asked, Caller, Facts, Upstream, openai_chat::OpenAiChat, openai_completions::OpenAiCompletions},
    wire::json::Outline,
};
use serde_json::{Value, json};

use crate::fold::{events, fold};

/// Every value with one of its nodes replaced by something else, or gone.
fn bent(value: &Value) -> Vec<Value> {
    let mut out =
        vec![Value::Null, json!(true), json!(-1.5), json!(""), json!("x"), json!([]), json!([[]]), json!({}), json!(u64::MAX)];
    if let Some(list) = value.as_array() {
        for (i, item) in list.iter().enumerate() {
            for other in bent(item) {
                let mut list = list.clone();
                list[i] = other;
                out.push(Value::Array(list));
            }
        }
    }
    if let Some(map) = value.as_object() {
        for (key, item) in map {
            let mut less = map.clone();
            less.shift_remove(key);
            out.push(Value::Object(less));
            for other in bent(item) {
                let mut map = map.clone();
                map.insert(key.clone(), other);
                out.push(Value::Object(map));
            }
        }
    }
    out
}

fn request() -> Value {
    json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "n": 2, "stop": ["a"], "modalities": ["audio"],
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "video_url", "video_url": {"url": "https://v", "fps": 1}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_data": "AAAA", "filename": "f"}},
                {"type": "tool_result", "tool_use_id": "t", "content": "r"},
            ]},
            {"role": "assistant", "content": "a", "refusal": "r", "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "S", "format": "anthropic-claude-v1", "index": 0}],
             "annotations": [{"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}}], "audio": {"id": "a"},
             "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "S"}}},
                            {"id": "d", "type": "custom", "custom": {"name": "p", "input": "x"}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": true}}, {"type": "custom", "custom": {"name": "p", "format": {"type": "grammar"}}}],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        "reasoning": {"effort": "low", "max_tokens": 5, "exclude": true}, "thinking": {"type": "enabled", "budget_tokens": 5}, "metadata": {"a": "b"},
    })
}

#[test]
fn requests_are_read_or_refused_with_a_path() {
    let (mut read, mut refused) = (0, 0);
    for body in bent(&request()) {
        let text = body.to_string();
        if let Ok(outline) = Outline::read(text.as_bytes()) {
            _ = OpenAiChat.facts(&outline);
            _ = OpenAiChat.repairs(&outline, &Profile::DEFAULT);
        }
        match OpenAiChat.read_request(&text) {
            Ok(found) => {
                read += 1;
                let written = OpenAiChat.write_request(&found.value, &Profile { custom_tools: true, ..Profile::DEFAULT });
                let again = OpenAiChat.read_request(&written.value);
                assert!(again.is_ok(), "{text}\n{}\n{again:?}", written.value);
                assert!(!found.dropped.iter().chain(&written.dropped).any(|path| path.contains("[0]")), "{text}");
            }
            Err(error) => {
                refused += 1;
                assert!(error.status == 400 && error.param.is_some(), "{text}: {error:?}");
            }
        }
    }
    assert!(read > 400 && refused > 500, "{read} read, {refused} refused");
}

#[test]
fn answers_are_read_or_refused() {
    let choice = json!({"index": 0, "finish_reason": "stop", "text": "t", "logprobs": {"content": [{"token": "a", "logprob": -1.5, "bytes": [1], "top_logprobs": []}]},
        "message": {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}],
            "annotations": [{"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}}],
            "audio": {"id": "a", "data": "AAAA", "transcript": "t"}, "function_call": {"name": "f", "arguments": "{}"},
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}, {"id": "d", "custom": {"name": "p", "input": "x"}}]}});
    let old = json!({"index": 1, "text": "t", "logprobs": {"tokens": ["a"], "token_logprobs": [1], "top_logprobs": [{"a": 1}]}});
    let body = json!({"id": "x", "model": "m", "choices": [choice, old], "search_results": [{"url": "u", "title": "t"}], "citations": ["u"], "service_tier": "flex",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 1}}});
    let facts = Facts::default();
    let stamp = portolan::chat::event::Stamp { id: "chatcmpl-1".into(), created: 1, model: "m".into() };
    let asked = Asked { stamp, facts: &facts, body: br#"{"tools":[{"type":"custom","name":"f"}]}"# };
    let mut read = 0;
    for body in bent(&body) {
        if let Ok(response) = OpenAiChat.read_response(&body.to_string()) {
            read += 1;
            let written = OpenAiChat.write_response(&response, &asked, None);
            assert!(OpenAiChat.read_response(&written).is_ok(), "{body}\n{written}");
            assert!(
                OpenAiCompletions.read_response(&OpenAiCompletions.write_response(&response, &asked, None)).is_ok(),
                "{body}"
            );
        }
    }
    assert!(read > 500, "{read}");
}

#[test]
fn streams_keep_to_their_rules_whatever_a_chunk_looks_like() {
    let delta = json!({"role": "assistant", "content": "a", "reasoning": "h", "refusal": "r", "audio": {"data": "AAAA", "transcript": "t"},
        "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "S", "index": 0}],
        "annotations": [{"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}}],
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}], "extra_content": {"google": {"thought_signature": "S"}},
        "function_call": {"name": "g", "arguments": "1"},
        "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}, {"index": 1, "id": "d", "custom": {"name": "p", "input": "x"}}]});
    let chunk = json!({"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta, "text": "t", "finish_reason": "stop", "logprobs": {"tokens": ["a"], "token_logprobs": [1]}},
        {"index": 1, "message": {"content": "b"}, "finish_reason": null}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "citations": ["u"]});
    let (before, after) = (
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":"z"}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
    );
    let mut ended = 0;
    for bent in bent(&chunk) {
        let text = format!("data: {before}\n\ndata: {bent}\n\ndata: {after}\n\ndata: [DONE]\n\n");
        let told = events(&OpenAiChat, [text.as_bytes()]);
        let folded = fold(&told);
        assert!(folded.ended != folded.failed.is_some(), "{bent}");
        ended += usize::from(told.contains(&Event::End));
    }
    assert!(ended > 500, "{ended}");
}
