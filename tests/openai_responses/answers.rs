use portolan::{
    chat::{
        Dialect,
        request::{Citation, Part, Source, ToolCall},
        response::{Response, StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_responses::OpenAiResponses},
    units::Money,
};
use serde_json::{Value, json};

use super::{proof, show_parts};
use crate::sequence::{envelope, stamp};

fn answer(members: Value) -> String {
    let mut out = json!({"id": "resp_1", "object": "response", "status": "completed", "model": "gpt", "output": []});
    out.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    out.to_string()
}

fn written(response: &Response, body: &str) -> Value {
    let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: body.as_bytes() };
    let text = OpenAiResponses.write_response(response, &asked, None);
    let value = serde_json::from_str(&text).unwrap();
    envelope(&value);
    value
}

fn saying(parts: Vec<Part>) -> Response {
    Response { parts, usage: Some(Usage::default()), ..Response::default() }
}

#[test]
fn items_of_an_answer_become_parts() {
    let message = |content: Value| json!({"type": "message", "role": "assistant", "content": content});
    for (output, expected) in [
        (
            json!([message(json!([{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]))]),
            "text a | refusal b",
        ),
        (json!([{"type": "reasoning", "id": "rs", "summary": []}, message(json!([]))]), ""),
        (json!([{"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "s"}]}]), "think s"),
        (json!([{"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "c"}]}]), "think c"),
        (
            json!([{"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}]),
            "think  [openai-responses: {\"id\":\"rs\",\"summary\":[],\"encrypted_content\":\"e\"}]",
        ),
        (
            json!([{"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "custom_tool_call", "call_id": "d", "name": "g", "input": "x"}]),
            "call c f {\"a\":1} | custom call d g x",
        ),
        (
            json!([{"type": "function_call", "call_id": "c", "name": "f", "namespace": "f", "arguments": {"a": 1}}]),
            "call c f {\"a\":1}",
        ),
        (
            json!([{"type": "image_generation_call", "id": "ig", "output_format": "webp", "result": "QUJD"}]),
            "image image/webp,QUJD -",
        ),
        (
            json!([{"type": "web_search_call", "id": "ws"}]),
            "opaque {\"type\":\"web_search_call\",\"id\":\"ws\"} of openai-responses",
        ),
    ] {
        let response = OpenAiResponses.read_response(&answer(json!({"output": output}))).unwrap();
        assert_eq!(show_parts(&response.parts), expected, "{output}");
    }
}

#[test]
fn the_status_tells_why_it_stopped() {
    let call = json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]);
    for (members, expected) in [
        (json!({}), StopReason::End),
        (json!({"output": call}), StopReason::ToolCalls),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": call}),
            StopReason::Length,
        ),
        (json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}), StopReason::ContentFilter),
        (json!({"status": "incomplete"}), StopReason::Length),
        (json!({"status": null}), StopReason::End),
    ] {
        assert_eq!(OpenAiResponses.read_response(&answer(members.clone())).unwrap().stop, expected, "{members}");
    }
    for (body, message) in [
        ("<html>", "not JSON"),
        ("{}", "no output"),
        (&answer(json!({"error": {"code": "server_error", "message": "boom"}, "status": "failed"})), "boom"),
        (&answer(json!({"error": {"message": "in a 200"}})), "in a 200"),
        (&answer(json!({"status": "in_progress"})), "not finished"),
        (&answer(json!({"status": "cancelled"})), "cancelled"),
    ] {
        let error = OpenAiResponses.read_response(body).unwrap_err();
        assert!(error.message.contains(message), "{body}: {error:?}");
    }
}

#[test]
fn cached_tokens_are_counted_once() {
    for (usage, expected) in [
        (
            json!({"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
            "output_tokens_details": {"reasoning_tokens": 2}}),
            Some([3, 4, 3, 5, 2]),
        ),
        // More cached than asked, more thought than said.
        (
            json!({"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 40},
            "output_tokens_details": {"reasoning_tokens": 9}}),
            Some([0, 10, 0, 5, 5]),
        ),
        (json!({"input_tokens": 1}), Some([1, 0, 0, 0, 0])),
        (json!({}), None),
        (Value::Null, None),
    ] {
        let response = OpenAiResponses.read_response(&answer(json!({"usage": usage}))).unwrap();
        let seen = response.usage.map(|u| [u.input, u.cache_read, u.cache_write, u.output, u.reasoning]);
        assert_eq!(seen, expected, "{usage}");
        assert_eq!(response.raw_usage, Some(usage).filter(Value::is_object));
    }
    let usage = Usage { input: 3, cache_read: 4, cache_write: 3, output: 5, reasoning: 2, ..Usage::default() };
    let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: b"" };
    let response = Response { usage: Some(usage), ..Response::default() };
    let text = OpenAiResponses.write_response(&response, &asked, Some(Money(1_500_000)));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["usage"]["input_tokens"], &value["usage"]["total_tokens"]), (&json!(10), &json!(15)));
    assert!(value["usage"]["cost"].is_number(), "{value}");
    assert_eq!(OpenAiResponses.read_response(&text).unwrap().usage, Some(Usage { reported: Some(Money(1_500_000)), ..usage }));
}

/// Strict clients check the whole envelope; the request's own words are repeated in it.
#[test]
fn the_envelope_repeats_the_request() {
    let body = json!({"model": "m", "input": "hi", "instructions": "be brief", "max_output_tokens": 50, "temperature": 0.2,
        "metadata": {"k": "v"}, "text": {"verbosity": "low"}, "reasoning": {"effort": "low"}, "user": "u", "store": true,
        "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": false, "truncation": "auto",
        "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]});
    let response =
        Response { id: Some("chatcmpl-1".to_owned()), model: Some("claude".to_owned()), ..saying(vec![Part::text("a")]) };
    let value = written(&response, &body.to_string());
    for (key, expected) in [
        ("id", json!("resp_minted")),
        ("model", json!("claude")),
        ("created_at", json!(1_700_000_000)),
        ("status", json!("completed")),
        ("instructions", json!("be brief")),
        ("max_output_tokens", json!(50)),
        ("temperature", json!(0.2)),
        ("top_p", json!(1.0)),
        ("metadata", json!({"k": "v"})),
        ("text", json!({"verbosity": "low", "format": {"type": "text"}})),
        ("reasoning", json!({"effort": "low", "summary": null})),
        ("tool_choice", json!({"type": "function", "name": "f"})),
        ("tools", json!([{"type": "function", "name": "f", "strict": true, "parameters": null}, {"type": "web_search"}])),
        ("parallel_tool_calls", json!(false)),
        ("user", json!("u")),
        // Whatever was asked: nothing is stored, nothing is cut.
        ("store", json!(false)),
        ("truncation", json!("disabled")),
        ("previous_response_id", Value::Null),
        (
            "output",
            json!([{"id": "msg_minted_0", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}]}]),
        ),
    ] {
        assert_eq!(value[key], expected, "{key}");
    }
    let own = Response { id: Some("resp_theirs".to_owned()), ..saying(vec![]) };
    assert_eq!(written(&own, "not JSON")["id"], "resp_minted", "nobody keeps a translated answer");
}

#[test]
fn an_answer_that_was_cut_says_so() {
    for (stop, status, details) in [
        (StopReason::End, "completed", Value::Null),
        (StopReason::StopSequence, "completed", Value::Null),
        (StopReason::ToolCalls, "completed", Value::Null),
        (StopReason::Pause, "completed", Value::Null),
        (StopReason::Length, "incomplete", json!({"reason": "max_output_tokens"})),
        (StopReason::ContentFilter, "incomplete", json!({"reason": "content_filter"})),
    ] {
        let value = written(&Response { stop, ..saying(vec![Part::text("a")]) }, "");
        assert_eq!((&value["status"], &value["incomplete_details"]), (&json!(status), &details), "{stop:?}");
        let item = if stop == StopReason::Length { "incomplete" } else { "completed" };
        assert_eq!(value["output"][0]["status"], item, "{stop:?}");
    }
}

#[test]
fn parts_become_items_in_their_order() {
    let call = |name: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            id: "c".to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
            ..ToolCall::default()
        })
    };
    let body = json!({"tools": [{"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "close"}]}]})
    .to_string();
    let own = r#"{"id":"rs_1","summary":[],"encrypted_content":"e"}"#;
    let image = Part::Image {
        source: Source::Inline { media_type: "image/png".to_owned(), data: "QUJD".to_owned() },
        detail: None,
        cache: None,
    };
    let parts = vec![
        Part::Reasoning { text: "t".to_owned(), signature: Some(proof(Dialect::Anthropic, "sig")) },
        Part::Reasoning { text: String::new(), signature: Some(proof(Dialect::OpenAiResponses, own)) },
        Part::RedactedReasoning { data: "d".to_owned(), dialect: Dialect::Anthropic },
        Part::Reasoning { text: String::new(), signature: None },
        Part::text("a"),
        Part::Refusal { text: "b".to_owned() },
        call("patch", "{\"input\":\"*** Begin\"}"),
        call("agents__close", ""),
        image,
        Part::Opaque { dialect: Dialect::Anthropic, value: json!({"type": "server_tool_use"}) },
    ];
    assert_eq!(
        written(&saying(parts), &body)["output"],
        json!([
            {"id": "rs_minted_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": "portolan:anthropic:sig"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
            {"id": "rs_minted_2", "type": "reasoning", "summary": [], "encrypted_content": "portolan-redacted:anthropic:d"},
            {"id": "msg_minted_3", "type": "message", "status": "completed", "role": "assistant", "content": [
                {"type": "output_text", "text": "a", "annotations": [], "logprobs": []}, {"type": "refusal", "refusal": "b"}]},
            {"id": "ctc_minted_4", "type": "custom_tool_call", "status": "completed", "call_id": "c", "name": "patch", "input": "*** Begin"},
            {"id": "fc_minted_5", "type": "function_call", "status": "completed", "call_id": "c", "name": "close", "namespace": "agents",
                "arguments": "{}"},
            {"type": "image_generation_call", "id": "ig_minted_6", "status": "completed", "output_format": "png", "result": "QUJD"},
        ])
    );
}

#[test]
fn sources_and_likelihoods_come_along() {
    let foreign =
        Citation { url: Some("u".to_owned()), title: Some("t".to_owned()), quote: Some("q".to_owned()), ..Citation::default() };
    let document = Citation { title: Some("doc".to_owned()), ..Citation::default() };
    let native = json!({"type": "container_file_citation", "file_id": "f"});
    let own = Citation { native: Some((Dialect::OpenAiResponses, native.clone())), ..Citation::default() };
    let top = TokenLogprob { token: "b".to_owned(), logprob: -2.0, bytes: None, top: vec![] };
    let token = TokenLogprob { token: "é".to_owned(), logprob: -0.5, bytes: None, top: vec![top] };
    let part = Part::Text { text: "äé".to_owned(), cache: None, citations: vec![foreign, document, own] };
    let value = written(&Response { logprobs: vec![token], ..saying(vec![part]) }, "");
    let part = &value["output"][0]["content"][0];
    assert_eq!(
        part["annotations"],
        json!([
            {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2, "quote": "q"},
            {"type": "file_citation", "file_id": "", "filename": "doc", "index": 2},
            native,
        ])
    );
    let expected = json!([{"token": "é", "logprob": -0.5, "bytes": [195, 169],
        "top_logprobs": [{"token": "b", "logprob": -2.0, "bytes": [98]}]}]);
    assert_eq!(part["logprobs"], expected);
    let again = OpenAiResponses.read_response(&value.to_string()).unwrap();
    assert_eq!((again.logprobs.len(), again.logprobs[0].top.len()), (1, 1));
    assert_eq!(show_parts(&again.parts), "text äé <u t Some(0)-Some(2)> <- doc None-None> <- - None-None>");
}
