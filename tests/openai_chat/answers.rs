//! Whole answers and errors.

use portolan::{
    chat::{
        Dialect,
        event::{Stamp, UpstreamError},
        request::{Part, Signature, ToolCall},
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Caller, Upstream, openai_chat::OpenAiChat},
    error::{Error, Kind},
    units::Money,
};
use serde_json::{Value, json};

use super::show;

fn stamp() -> Stamp {
    Stamp { id: "chatcmpl-minted".into(), created: 7, model: "asked-for".into() }
}

fn answer(message: &str, finish: &str) -> String {
    format!(r#"{{"id":"x","choices":[{{"index":0,"message":{message},"finish_reason":{finish}}}]}}"#)
}

#[test]
fn answers_are_read_in_every_providers_way() {
    for (body, parts, stop) in [
        (answer(r#"{"content":"a"}"#, r#""stop""#), "text a", StopReason::End),
        (format!("\n         \n\n  {}", answer(r#"{"content":"a"}"#, "null")), "text a", StopReason::End),
        (answer(r#"{"content":null,"reasoning":"hm","refusal":"no"}"#, r#""stop""#), "think hm | refusal no", StopReason::End),
        (
            answer(
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"reference","reference_ids":[1]},{"type":"text","text":"a"}]}"#,
                r#""length""#,
            ),
            "think hm | text a",
            StopReason::Length,
        ),
        (
            answer(
                r#"{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1"}],"content":"a"}"#,
                r#""stop""#,
            ),
            "think hm [S]@anthropic | text a",
            StopReason::End,
        ),
        (
            answer(
                r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"D","format":"openai-responses-v1","id":"rs"}]}"#,
                r#""stop""#,
            ),
            r#"opaque {"type":"reasoning.encrypted","data":"D","format":"openai-responses-v1","id":"rs"}@chat"#,
            StopReason::End,
        ),
        (
            answer(
                r#"{"content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"not json"}}]}"#,
                r#""stop""#,
            ),
            "call c f not json",
            StopReason::ToolCalls,
        ),
        (
            answer(r#"{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}"#, r#""tool_calls""#),
            r#"call call_x_0 f {"a":1}"#,
            StopReason::ToolCalls,
        ),
        (
            answer(r#"{"function_call":{"name":"f","arguments":"{}"}}"#, r#""function_call""#),
            "call call_x_0 f {}",
            StopReason::ToolCalls,
        ),
        (answer(r#"{"content":""}"#, r#""content_filter""#), "", StopReason::ContentFilter),
        (
            r#"{"choices":[{"index":1,"message":{"content":"b"}},{"index":0,"message":{"content":"a"},"finish_reason":"eos"}]}"#
                .to_owned(),
            "text a",
            StopReason::End,
        ),
    ] {
        let response = OpenAiChat.read_response(&body).unwrap();
        assert_eq!((show(&response.parts).as_str(), response.stop, response.usage), (parts, stop, None), "{body}");
    }
    for (body, status, message) in [
        (r#" {"error":{"message":"busy","code":502}}"#, 502, "busy"),
        (r#"{"error":"busy","code":"x"}"#, 0, "busy"),
        (r#"{"id":"x","choices":[{"error":{"message":"busy","code":429},"finish_reason":"error"}]}"#, 429, "busy"),
        (r#"{"choices":[]}"#, 0, "The provider's answer has no choice."),
        ("<html>", 0, "The provider's answer is not JSON."),
    ] {
        let error = OpenAiChat.read_response(body).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (status, message), "{body}");
    }
}

#[test]
fn tokens_are_counted_once() {
    let usage = |input, cache_read, cache_write, output, reasoning| {
        Some(Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() })
    };
    for (name, text, expected) in [
        ("plain", r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#, usage(10, 0, 0, 5, 0)),
        (
            "cached and written",
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3}}"#,
            usage(3, 4, 3, 5, 0),
        ),
        (
            "reasoning within",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":4}}"#,
            usage(10, 0, 0, 5, 4),
        ),
        (
            "reasoning beside (xAI)",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":4}}"#,
            usage(10, 0, 0, 9, 4),
        ),
        (
            "more reasoning than answer (OpenRouter)",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":8}}"#,
            usage(10, 0, 0, 5, 5),
        ),
        (
            "more cached than prompt (Azure Grok)",
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":40}}"#,
            usage(0, 10, 0, 5, 0),
        ),
        ("flat (Together, Moonshot)", r#"{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":4}"#, usage(6, 4, 0, 5, 0)),
        (
            "DeepSeek",
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}"#,
            usage(6, 4, 0, 5, 0),
        ),
        (
            "details null",
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":null}"#,
            usage(10, 0, 0, 5, 0),
        ),
        ("nothing counted", "{}", None),
        ("null", "null", None),
    ] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"a"}},"finish_reason":"stop"}}],"usage":{text}}}"#);
        assert_eq!(OpenAiChat.read_response(&body).unwrap().usage, expected, "{name}");
    }
}

#[test]
fn an_answer_is_written_as_openai_writes_it() {
    let call = |signature| {
        Part::ToolCall(ToolCall { id: "c".into(), name: "f".into(), arguments: String::new(), signature, ..ToolCall::default() })
    };
    let text = |text: &str| Part::text(text);
    let signature = |dialect| Some(Signature { dialect, value: "S".into() });
    let tool_call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    for (parts, stop, message, finish) in [
        (
            vec![text("a"), text("b")],
            StopReason::StopSequence,
            json!({"role": "assistant", "content": "ab", "refusal": null}),
            "stop",
        ),
        (vec![], StopReason::ContentFilter, json!({"role": "assistant", "content": "", "refusal": null}), "content_filter"),
        (
            vec![call(None)],
            StopReason::ToolCalls,
            json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [tool_call]}),
            "tool_calls",
        ),
        (
            vec![text("a"), call(None)],
            StopReason::End,
            json!({"role": "assistant", "content": "a", "refusal": null, "tool_calls": [tool_call]}),
            "tool_calls",
        ),
        (
            vec![Part::Refusal { text: "no".into() }],
            StopReason::End,
            json!({"role": "assistant", "content": null, "refusal": "no"}),
            "stop",
        ),
        (
            vec![Part::Reasoning { text: "hm".into(), signature: None }, text("a")],
            StopReason::Pause,
            json!({"role": "assistant", "content": "a", "refusal": null, "reasoning_content": "hm"}),
            "stop",
        ),
        (
            vec![
                Part::Reasoning { text: "hm".into(), signature: signature(Dialect::Anthropic) },
                text("a"),
                Part::RedactedReasoning { data: "D".into(), dialect: Dialect::Anthropic },
            ],
            StopReason::Length,
            json!({"role": "assistant", "content": "a", "refusal": null, "reasoning_content": "hm", "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "S", "format": "anthropic-claude-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "D", "format": "anthropic-claude-v1", "index": 2},
            ]}),
            "length",
        ),
        (
            vec![call(signature(Dialect::Gemini))],
            StopReason::ToolCalls,
            json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "S"}}}]}),
            "tool_calls",
        ),
    ] {
        let response = Response { id: Some("msg_1".into()), model: None, parts, stop, ..Response::default() };
        let written: Value = serde_json::from_str(&OpenAiChat.write_response(
            &response,
            &portolan::dialect::Asked { stamp: stamp(), facts: &portolan::dialect::Facts::default(), body: &[] },
            None,
        ))
        .unwrap();
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish});
        let expected = json!({"id": "chatcmpl-minted", "object": "chat.completion", "created": 7, "model": "asked-for", "choices": [choice]});
        assert_eq!(written, expected);
    }
}

#[test]
fn an_answer_keeps_the_providers_id_and_tells_its_cost() {
    let usage = Usage { input: 1, cache_read: 2, cache_write: 3, output: 5, reasoning: 4, ..Usage::default() };
    let response = Response {
        id: Some("chatcmpl-theirs".into()),
        model: Some("m".into()),
        parts: vec![],
        stop: StopReason::End,
        usage: Some(usage),
        ..Response::default()
    };
    let written: Value = serde_json::from_str(&OpenAiChat.write_response(
        &response,
        &portolan::dialect::Asked { stamp: stamp(), facts: &portolan::dialect::Facts::default(), body: &[] },
        Some(Money(1_250_000_000)),
    ))
    .unwrap();
    assert_eq!((&written["id"], &written["model"]), (&json!("chatcmpl-theirs"), &json!("m")));
    let expected = json!({"prompt_tokens": 6, "completion_tokens": 5, "total_tokens": 11, "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 4}, "cost": 0.00125});
    assert_eq!(written["usage"], expected);
    let again = OpenAiChat.read_response(&written.to_string()).unwrap();
    assert_eq!(again.usage, Some(Usage { reported: Some(Money(1_250_000_000)), ..usage }));
}

#[test]
fn errors_of_every_provider_are_understood() {
    type Words<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<u64>);
    let rows: [(&str, Words<'_>); 21] = [
        (r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#, ("m", Some("t"), Some("c"), Some("p"), None)),
        (r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#, ("m", Some("t"), None, None, None)),
        (r#"{"error":{"code":"401","message":"m"}}"#, ("m", None, Some("401"), None, None)),
        (r#"{"statusCode":429,"message":"m"}"#, ("m", None, None, None, None)),
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            ("m", Some("overloaded_error"), None, None, None),
        ),
        (
            r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"x"},{"retryDelay":"47s"}]}}"#,
            ("m", Some("RESOURCE_EXHAUSTED"), Some("429"), None, Some(47_000)),
        ),
        (
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"retryDelay":"1.5s"}]}}]"#,
            ("m", Some("INVALID_ARGUMENT"), Some("400"), None, Some(1500)),
        ),
        (r#"{"detail":"m"}"#, ("m", None, None, None, None)),
        (
            r#"{"detail":[{"type":"missing","loc":["body","messages",0],"msg":"Field required"},{"msg":"m"}]}"#,
            ("body.messages.0: Field required; m", None, None, None, None),
        ),
        (
            r#"{"object":"error","message":{"detail":[{"loc":["a"],"msg":"m"}]},"type":"t"}"#,
            ("a: m", Some("t"), None, None, None),
        ),
        (r#"{"object":"error","message":"m","type":"t","param":null,"code":"3051"}"#, ("m", Some("t"), Some("3051"), None, None)),
        (r#"{"id":"x","message":"m"}"#, ("m", None, None, None, None)),
        (r#"{"code":"invalid-argument","error":"m"}"#, ("m", None, Some("invalid-argument"), None, None)),
        (
            r#"{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"m\"}}"}}}"#,
            ("Provider returned error: m", None, Some("400"), None, None),
        ),
        (
            r#"{"error":{"message":"Provider returned error","metadata":{"raw":"oh no"}}}"#,
            ("Provider returned error: oh no", None, None, None, None),
        ),
        (
            r#"{"result":null,"success":false,"errors":[{"code":3040,"message":"m"}],"messages":[]}"#,
            ("m", None, Some("3040"), None, None),
        ),
        (r#"{"error":"m"}"#, ("m", None, None, None, None)),
        ("  Bad Gateway\n", ("Bad Gateway", None, None, None, None)),
        ("", ("The provider answered 502 without saying why.", None, None, None, None)),
        ("{}", ("The provider answered 502 without saying why.", None, None, None, None)),
        (
            "<html><head><title> 502: Bad gateway </title></head>",
            ("The provider answered 502 with a web page: 502: Bad gateway.", None, None, None, None),
        ),
    ];
    for (body, (message, kind, code, param, retry_after_ms)) in rows {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let expected = UpstreamError {
            status: 502,
            message: message.into(),
            kind: owned(kind),
            code: owned(code),
            param: owned(param),
            retry_after_ms,
        };
        assert_eq!(OpenAiChat.read_error(502, body), expected, "{body}");
    }
    assert_eq!(OpenAiChat.read_error(502, &"x".repeat(9999)).message.len(), 300);
}

#[test]
fn errors_are_told_in_openais_words() {
    for (kind, status, word, code) in [
        (Kind::InvalidRequest, 400, "invalid_request_error", Value::Null),
        (Kind::ContextTooLong, 400, "invalid_request_error", json!("context_length_exceeded")),
        (Kind::Unauthenticated, 401, "invalid_request_error", json!("invalid_api_key")),
        (Kind::ModelNotFound, 404, "invalid_request_error", json!("model_not_found")),
        (Kind::RateLimited, 429, "requests", json!("rate_limit_exceeded")),
        (Kind::BadGateway, 502, "server_error", json!("bad_gateway")),
    ] {
        let error = Error::new(kind, "m").with_param("p");
        let written: Value = serde_json::from_str(&OpenAiChat.write_error(&error, "req")).unwrap();
        assert_eq!(error.status, status);
        let message = if kind == Kind::ContextTooLong { "Input tokens exceed the configured limit: m" } else { "m" };
        assert_eq!(
            written,
            json!({"error": {"message": message, "type": word, "param": "p", "code": code, "request_id": "req"}})
        );
    }
    let mut long = Error::new(Kind::ContextTooLong, "m");
    long.code = Some("400".into());
    let written: Value = serde_json::from_str(&OpenAiChat.write_error(&long, "req")).unwrap();
    assert_eq!(written["error"]["code"], "context_length_exceeded", "clients know an overlong prompt by it");
    let own = Error::new(Kind::ContextTooLong, "This model's maximum context length is 8 tokens.");
    assert!(OpenAiChat.write_error(&own, "req").contains("\"This model's maximum"), "OpenAI's own words stay");
    let mut spent = Error::new(Kind::RateLimited, "m");
    spent.code = Some("insufficient_quota".into());
    let written: Value = serde_json::from_str(&OpenAiChat.write_error(&spent, "req")).unwrap();
    assert_eq!(
        (&written["error"]["type"], &written["error"]["code"]),
        (&json!("insufficient_quota"), &json!("insufficient_quota"))
    );
}
