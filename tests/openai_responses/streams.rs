use portolan::{
    chat::{event::Event, fold::fold as fold_all, response::StopReason},
    dialect::{Upstream, openai_responses::OpenAiResponses},
    wire::sse::Frames,
};
use serde_json::{Value, json};

use super::show_parts;
use crate::fold::{Folded, events, fold};

/// A stream of these events, numbered by nobody: readers go by place.
fn stream(list: &[Value]) -> String {
    list.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("message"))).collect()
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt", "status": "in_progress", "output": []}})
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output,
        "usage": {"input_tokens": 5, "output_tokens": 2}}})
}

fn told(kind: &str, place: u64, members: Value) -> Value {
    let mut event = json!({"type": format!("response.{kind}"), "output_index": place});
    event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    event
}

fn read(list: &[Value]) -> Folded {
    let text = stream(list);
    let whole = events(&OpenAiResponses, [text.as_bytes()]);
    assert_eq!(events(&OpenAiResponses, text.as_bytes().chunks(1)), whole);
    fold(&whole)
}

#[test]
fn pieces_become_blocks() {
    let message = json!({"type": "message", "id": "msg"});
    let call = |kind: &str| json!({"type": kind, "id": "fc", "call_id": "c", "name": "f", "arguments": "", "input": ""});
    let done = |place, item: Value| told("output_item.done", place, json!({"item": item}));
    let added = |place, item: Value| told("output_item.added", place, json!({"item": item}));
    let delta = |kind: &str, place, text: &str| told(kind, place, json!({"delta": text}));
    let note = json!({"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1});
    let full = json!({"type": "message", "content": [{"type": "output_text", "text": "ab", "annotations": [note.clone()]}]});
    let rows: Vec<(&str, Vec<Value>, &str)> = vec![
        (
            "text",
            vec![
                added(0, message.clone()),
                delta("output_text.delta", 0, "a"),
                delta("output_text.delta", 0, "b"),
                told("output_text.done", 0, json!({"text": "ab"})),
                done(0, json!({"type": "message", "content": [{"type": "output_text", "text": "ab"}]})),
            ],
            "text ab",
        ),
        (
            "told at the end of the piece only",
            vec![added(0, message.clone()), told("output_text.done", 0, json!({"text": "ab"}))],
            "text ab",
        ),
        ("told at the end of the item only", vec![done(0, full.clone())], "text ab <u t Some(0)-Some(1)>"),
        ("told at the end of the whole only", vec![], "text ab <u t Some(0)-Some(1)>"),
        (
            "a source told twice",
            vec![
                delta("output_text.delta", 0, "ab"),
                told("output_text.annotation.added", 0, json!({"annotation": note})),
                done(0, full.clone()),
            ],
            "text ab <u t Some(0)-Some(1)>",
        ),
        (
            "the only part counted as the second (Bedrock)",
            vec![
                told("output_text.delta", 0, json!({"content_index": 1, "delta": "ab"})),
                done(0, json!({"type": "message", "content": [{"type": "output_text", "text": "ab"}]})),
            ],
            "text ab",
        ),
        (
            "parts of one message",
            vec![
                told("output_text.delta", 0, json!({"content_index": 0, "delta": "a"})),
                told("refusal.delta", 0, json!({"content_index": 1, "delta": "b"})),
                done(
                    0,
                    json!({"type": "message", "content": [
                {"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]}),
                ),
            ],
            "text a | refusal b",
        ),
        ("a refusal told at its end", vec![told("refusal.done", 0, json!({"refusal": "no"}))], "refusal no"),
        (
            "interleaved calls",
            vec![
                added(0, call("function_call")),
                added(1, json!({"type": "function_call", "call_id": "d", "name": "g"})),
                delta("function_call_arguments.delta", 0, "{\"a\""),
                delta("function_call_arguments.delta", 1, "{\"b\""),
                delta("function_call_arguments.delta", 0, ":1}"),
                delta("function_call_arguments.delta", 1, ":2}"),
                told("function_call_arguments.done", 1, json!({"arguments": "{\"b\":2}"})),
            ],
            "call c f {\"a\":1} | call d g {\"b\":2}",
        ),
        (
            "arguments told at their end only",
            vec![
                added(0, call("function_call")),
                told("function_call_arguments.done", 0, json!({"arguments": "{}"})),
                done(0, call("function_call")),
            ],
            "call c f {}",
        ),
        (
            "a placeholder for arguments",
            vec![
                added(0, json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"})),
                delta("function_call_arguments.delta", 0, "{\"a\":1}"),
            ],
            "call c f {\"a\":1}",
        ),
        (
            "a call never begun",
            vec![
                delta("function_call_arguments.delta", 0, "{"),
                done(0, json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"})),
            ],
            "call c f {\"a\":1}",
        ),
        (
            "a custom tool",
            vec![
                added(0, call("custom_tool_call")),
                delta("custom_tool_call_input.delta", 0, "*** "),
                told("custom_tool_call_input.done", 0, json!({"input": "*** "})),
            ],
            "custom call c f *** ",
        ),
        (
            "paragraphs of a summary",
            vec![
                told("reasoning_summary_text.delta", 0, json!({"summary_index": 0, "delta": "a"})),
                told("reasoning_summary_text.delta", 0, json!({"summary_index": 1, "delta": "b"})),
                told("reasoning_summary_text.delta", 0, json!({"summary_index": 1, "delta": "c"})),
            ],
            "think a\n\nbc",
        ),
        ("thoughts in the open", vec![delta("reasoning_text.delta", 0, "hm")], "think hm"),
        (
            "thoughts and their summary are one",
            vec![delta("reasoning_text.delta", 0, "hm"), delta("reasoning_summary_text.delta", 0, "h")],
            "think hm",
        ),
        (
            "a proof at the end",
            vec![
                delta("reasoning_summary_text.delta", 0, "t"),
                done(0, json!({"type": "reasoning", "id": "rs", "status": "completed", "encrypted_content": "e"})),
            ],
            "think t [openai-responses: {\"id\":\"rs\",\"encrypted_content\":\"e\"}]",
        ),
        (
            "thoughts that say nothing",
            vec![added(0, json!({"type": "reasoning"})), done(0, json!({"type": "reasoning", "id": "rs", "summary": []}))],
            "",
        ),
        (
            "a picture",
            vec![
                told("image_generation_call.partial_image", 0, json!({"partial_image_b64": "A"})),
                done(0, json!({"type": "image_generation_call", "result": "QUJD"})),
            ],
            "image image/png,QUJD -",
        ),
        (
            "a built-in tool",
            vec![told("web_search_call.searching", 0, json!({})), done(0, json!({"type": "web_search_call", "id": "ws"}))],
            "opaque {\"type\":\"web_search_call\",\"id\":\"ws\"} of openai-responses",
        ),
        ("what nobody knows", vec![json!({"type": "response.tomorrow", "delta": "x"}), json!({"type": "keepalive"})], ""),
    ];
    for (rule, pieces, expected) in rows {
        let at_end = if rule.starts_with("told at the end of the whole") { json!([full]) } else { json!([]) };
        let list: Vec<Value> = std::iter::once(created()).chain(pieces).chain([completed(at_end)]).collect();
        let folded = read(&list);
        assert_eq!(show_parts(&folded.parts), expected, "{rule}");
        let stop = if expected.contains("call ") { StopReason::ToolCalls } else { StopReason::End };
        assert_eq!((folded.id.as_deref(), folded.stop, folded.ended), (Some("resp_1"), Some(stop), true), "{rule}");
        assert_eq!(folded.malformed, 0, "{rule}");
    }
}

#[test]
fn likelihoods_are_told_once() {
    let token = json!([{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]);
    let delta = told("output_text.delta", 0, json!({"delta": "a", "logprobs": token}));
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "a", "logprobs": token}]});
    let done = told("output_item.done", 0, json!({"item": item}));
    for list in [vec![created(), delta, done.clone(), completed(json!([]))], vec![created(), done, completed(json!([]))]] {
        let response = fold_all(events(&OpenAiResponses, [stream(&list).as_bytes()])).unwrap();
        assert_eq!(response.logprobs.len(), 1, "{list:?}");
    }
}

#[test]
fn failures_are_told_once_and_last() {
    let failed = json!({"type": "response.failed", "response": {"status": "failed",
        "error": {"code": "server_error", "message": "boom"}, "usage": {"input_tokens": 5}}});
    let nested = json!({"type": "error", "error": {"type": "server_error", "code": "x", "message": "boom", "param": null}});
    let flat = json!({"type": "error", "code": "rate_limit_exceeded", "message": "boom", "param": null});
    for (list, code) in [
        (vec![created(), failed.clone()], "server_error"),
        (vec![created(), nested.clone(), failed.clone()], "x"),
        (vec![flat.clone()], "rate_limit_exceeded"),
        (vec![flat, failed, completed(json!([]))], "rate_limit_exceeded"),
        (vec![json!({"error": {"code": 502, "message": "boom"}})], "502"),
    ] {
        let found = events(&OpenAiResponses, [stream(&list).as_bytes()]);
        let errors: Vec<_> = found.iter().filter_map(|e| if let Event::Failed(error) = e { Some(error) } else { None }).collect();
        assert_eq!(errors.len(), 1, "{list:?}");
        assert_eq!((errors[0].message.as_str(), errors[0].code.as_deref()), ("boom", Some(code)), "{list:?}");
        assert_ne!(errors[0].kind.as_deref(), Some("error"));
        assert!(!found.contains(&Event::End), "{list:?}");
    }
    let cancelled = read(&[created(), json!({"type": "response.cancelled", "response": {}})]);
    assert!(cancelled.failed.is_some() && !cancelled.ended);
}

#[test]
fn a_stream_that_breaks_off_has_no_end() {
    let folded = read(&[created(), told("output_text.delta", 0, json!({"delta": "a"}))]);
    assert_eq!((folded.ended, folded.stop), (false, None));
    let broken = fold(&events(&OpenAiResponses, [b"data: {\"type\": \n\n".as_slice()]));
    assert_eq!(broken.malformed, 1);
}

/// A tail is read for its end and its count: what was told before it is not told again.
#[test]
fn the_middle_of_a_stream_tells_no_more_than_it_says() {
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "abc"}]});
    let list = [
        told("output_text.delta", 3, json!({"delta": "c"})),
        told("output_item.done", 3, json!({"item": item})),
        completed(json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, {}, {}, item])),
    ];
    let folded = read(&list);
    assert_eq!((show_parts(&folded.parts).as_str(), folded.ended), ("text c", true));
}

#[test]
fn ends_of_all_kinds_are_read() {
    let ended = |kind: &str, reason: Value| json!({"type": format!("response.{kind}"), "response": {"status": kind, "incomplete_details": reason}});
    for (event, expected) in [
        (ended("completed", Value::Null), StopReason::End),
        (ended("incomplete", json!({"reason": "max_output_tokens"})), StopReason::Length),
        (ended("incomplete", json!({"reason": "content_filter"})), StopReason::ContentFilter),
    ] {
        assert_eq!(read(&[created(), event.clone()]).stop, Some(expected), "{event}");
    }
    // xAI's comments, and a `[DONE]` after the end (OpenRouter).
    let text = format!(": keepalive\n\n{}data: [DONE]\n\n", stream(&[created(), completed(json!([]))]));
    let folded = fold(&events(&OpenAiResponses, [text.as_bytes()]));
    assert_eq!((folded.ended, folded.malformed), (true, 0));
}

#[test]
fn the_providers_own_numbers_are_kept() {
    let (mut reader, mut frames, mut out) = (OpenAiResponses.event_reader(), Frames::default(), vec![]);
    frames.push(stream(&[created(), completed(json!([]))]).as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        reader.read(&frame, &mut out);
    }
    assert_eq!(reader.raw_usage(), Some(&json!({"input_tokens": 5, "output_tokens": 2})));
    assert_eq!(fold(&out).usage.map(|usage| (usage.input, usage.output)), Some((5, 2)));
}
