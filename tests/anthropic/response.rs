use portolan::{
    chat::{
        Dialect,
        event::UpstreamError,
        request::{Part, Signature, ToolCall},
        response::{Response, StopReason},
        usage::{Service, Usage},
    },
    dialect::{Caller, Upstream, anthropic::Anthropic},
    units::Money,
};
use serde_json::{Value, json};

use super::{asking, assistant, call, image, inline, result, signature, stamp, text, thought, user, written};

fn answer(parts: Vec<Part>, stop: StopReason) -> Response {
    Response { id: None, model: None, parts, stop, ..Response::default() }
}

fn write(response: &Response) -> Value {
    serde_json::from_str(&Anthropic.write_response(
        response,
        &portolan::dialect::Asked { stamp: stamp(), facts: &portolan::dialect::Facts::default(), body: &[] },
        None,
    ))
    .unwrap()
}

#[test]
fn a_whole_answer_is_read_and_written_the_same() {
    let wire = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "", "signature": "EqQ=/+"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "a"},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": 1}},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"z": 1.0, "a": {}}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 1, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}, "service_tier": "standard"},
    });
    let expected = Response {
        id: Some("msg_1".to_owned()),
        model: Some("claude".to_owned()),
        usage: Some(Usage { input: 1, cache_read: 3, cache_write: 2, output: 9, reasoning: 4, ..Usage::default() }),
        raw_usage: Some(wire["usage"].clone()),
        service_tier: Some("default".to_owned()),
        ..answer(
            vec![
                thought("", Some(signature(Dialect::Anthropic, "EqQ=/+"))),
                Part::RedactedReasoning { data: "x".to_owned(), dialect: Dialect::Anthropic },
                text("a"),
                Part::Opaque { dialect: Dialect::Anthropic, value: wire["content"][3].clone() },
                Part::ToolCall(call("toolu_1", r#"{"z":1.0,"a":{}}"#)),
            ],
            StopReason::ToolCalls,
        )
    };
    let read = Anthropic.read_response(&format!("\n   \n{wire}")).unwrap();
    assert_eq!(read, expected);
    assert_eq!(write(&read).to_string(), wire.to_string());
}

#[test]
fn stop_reasons_there_and_back() {
    for (word, stop, back) in [
        ("end_turn", StopReason::End, "end_turn"),
        ("stop_sequence", StopReason::StopSequence, "stop_sequence"),
        ("max_tokens", StopReason::Length, "max_tokens"),
        ("model_context_window_exceeded", StopReason::Length, "max_tokens"),
        ("tool_use", StopReason::ToolCalls, "tool_use"),
        ("refusal", StopReason::ContentFilter, "refusal"),
        ("pause_turn", StopReason::Pause, "pause_turn"),
        ("compaction", StopReason::Pause, "pause_turn"),
        ("of_2030", StopReason::End, "end_turn"),
    ] {
        let read =
            Anthropic.read_response(&json!({"content": [], "stop_reason": word, "stop_sequence": "x"}).to_string()).unwrap();
        assert_eq!((read.stop, read.stop_sequence.as_deref()), (stop, Some("x")), "{word}");
        assert_eq!((&write(&read)["stop_reason"], &write(&read)["stop_sequence"]), (&json!(back), &json!("x")), "{word}");
    }
}

#[test]
fn the_stop_reason_agrees_with_the_content() {
    let refusal = || Part::Refusal { text: "no".to_owned() };
    let the_call = || Part::ToolCall(call("c", ""));
    for (parts, stop, word) in [
        (vec![refusal()], StopReason::End, "refusal"),
        (vec![the_call()], StopReason::End, "tool_use"),
        (vec![the_call()], StopReason::Length, "max_tokens"),
        (vec![text("a")], StopReason::End, "end_turn"),
        (vec![], StopReason::ContentFilter, "refusal"),
    ] {
        assert_eq!(write(&answer(parts.clone(), stop))["stop_reason"], word, "{parts:?}");
    }
}

#[test]
fn parts_become_blocks() {
    let raw = json!({"type": "tool_use", "id": "c", "name": "f", "input": {"_raw": "{\"a\""}});
    for (part, blocks) in [
        (text("a"), json!([{"type": "text", "text": "a"}])),
        (text(""), json!([])),
        (Part::Refusal { text: "no".to_owned() }, json!([{"type": "text", "text": "no"}])),
        (thought("t", None), json!([{"type": "thinking", "thinking": "t", "signature": ""}])),
        (Part::ToolCall(call("c", "")), json!([{"type": "tool_use", "id": "c", "name": "f", "input": {}}])),
        (Part::ToolCall(call("c", "{\"a\"")), json!([raw])),
        (
            Part::ToolCall(call("f.x:0", "{}")),
            json!([{"type": "tool_use", "id": "portolan-f-2ex-3a0", "name": "f", "input": {}}]),
        ),
        (Part::Opaque { dialect: Dialect::Gemini, value: json!({}) }, json!([])),
        (
            Part::ToolCall(ToolCall { custom: true, ..call("c", "any \"text\"") }),
            json!([{"type": "tool_use", "id": "c", "name": "f", "input": {"input": "any \"text\""}}]),
        ),
        (
            Part::Audio { source: inline("audio/wav", "AA=="), transcript: Some("said".to_owned()) },
            json!([{"type": "text", "text": "said"}]),
        ),
        (
            Part::Audio { source: inline("audio/wav", "AA=="), transcript: None },
            json!([{"type": "text", "text": "[The model answered with audio, which this API cannot carry.]"}]),
        ),
        (
            image(inline("image/png", "AA==")),
            json!([{"type": "text", "text": "[The model answered with an image, which this API cannot carry.]"}]),
        ),
    ] {
        assert_eq!(write(&answer(vec![part.clone()], StopReason::End))["content"], blocks, "{part:?}");
    }
}

#[test]
fn the_id_and_model_are_the_providers_where_they_fit() {
    for (given, id) in [(Some("msg_7"), "msg_7"), (Some("chatcmpl-7"), "msg_minted"), (None, "msg_minted")] {
        assert_eq!(write(&Response { id: given.map(str::to_owned), ..answer(vec![], StopReason::End) })["id"], id);
    }
    assert_eq!(write(&answer(vec![], StopReason::End))["model"], "asked");
}

#[test]
fn usage_counts_as_anthropic_does_with_the_cost_beside_it() {
    let usage = Usage { input: 1, cache_read: 3, cache_write: 2, output: 9, ..Usage::default() };
    for (usage, cost, expected) in [
        (
            Some(usage),
            None,
            r#"{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":9}"#,
        ),
        (
            None,
            Some(Money(1_250_000_000)),
            r#"{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,"cost":0.00125}"#,
        ),
    ] {
        let written = Anthropic.write_response(
            &Response { usage, ..answer(vec![], StopReason::End) },
            &portolan::dialect::Asked { stamp: stamp(), facts: &portolan::dialect::Facts::default(), body: &[] },
            cost,
        );
        assert!(written.ends_with(&format!("\"usage\":{expected}}}")), "{written}");
    }
}

#[test]
fn the_tier_that_served_is_named_in_anthropics_words() {
    for (given, tier) in [
        (Some("default"), json!("standard")),
        (Some("priority"), json!("priority")),
        (Some("flex"), Value::Null),
        (None, Value::Null),
    ] {
        let response = Response { service_tier: given.map(str::to_owned), ..answer(vec![], StopReason::End) };
        assert_eq!(write(&response)["usage"]["service_tier"], tier);
    }
}

#[test]
fn usage_is_read_in_all_its_forms() {
    let zero = Usage::default();
    for (usage, expected) in [
        (Value::Null, None),
        (json!({}), Some(zero)),
        (
            json!({"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": null}),
            Some(Usage { input: 5, output: 7, ..zero }),
        ),
        (
            json!({"cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2}}),
            Some(Usage { cache_write: 3, cache_write_1h: 2, ..zero }),
        ),
        (
            json!({"input_tokens": 1, "service_tier": "priority", "server_tool_use": {"web_search_requests": 2}}),
            Some(Usage { input: 1, searches: 2, service: Service::Priority, ..zero }),
        ),
        (
            json!({"output_tokens": 3, "output_tokens_details": {"thinking_tokens": 9}}),
            Some(Usage { output: 3, reasoning: 3, ..zero }),
        ),
    ] {
        let body = json!({"content": [], "stop_reason": "end_turn", "usage": usage}).to_string();
        assert_eq!(Anthropic.read_response(&body).unwrap().usage, expected, "{usage}");
    }
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    let error = |status, message: &str| UpstreamError { status, message: message.to_owned(), ..UpstreamError::default() };
    for (body, expected) in [
        ("", error(0, "The provider's answer is not a JSON object.")),
        ("[]", error(0, "The provider's answer is not a JSON object.")),
        ("{}", error(0, "The provider's answer has no content.")),
        (r#"{"content":[7]}"#, error(0, "The provider's answer is broken: `content[0].type` is required.")),
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#,
            UpstreamError { kind: Some("overloaded_error".to_owned()), ..error(529, "m") },
        ),
    ] {
        assert_eq!(Anthropic.read_response(body), Err(expected), "{body}");
    }
}

/// The answer goes to a client of this dialect, which sends it back as it is.
#[test]
fn proofs_of_other_providers_survive_an_anthropic_client() {
    let signed = |id: &str, value: &str| {
        let signature: Option<Signature> = Some(signature(Dialect::Gemini, value));
        Part::ToolCall(ToolCall { signature, ..call(id, "{}") })
    };
    for parts in [
        vec![thought("t", Some(signature(Dialect::Gemini, "a+/=="))), text("x")],
        vec![thought("", Some(signature(Dialect::OpenAiChat, "a:b"))), text("x")],
        vec![thought("t", Some(signature(Dialect::OpenAiResponses, "gAAA"))), text("x")],
        vec![thought("t", Some(signature(Dialect::Converse, "a"))), thought("t", Some(signature(Dialect::Cohere, "b")))],
        vec![thought("t", Some(signature(Dialect::Anthropic, "S")))],
        vec![Part::RedactedReasoning { data: "d".to_owned(), dialect: Dialect::OpenAiChat }],
        vec![thought("t", None), signed("c1", "a"), Part::ToolCall(call("c2", "{}")), signed("f:3", "b:c")],
    ] {
        let content = write(&answer(parts.clone(), StopReason::End))["content"].take();
        let body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": content}]});
        let read = Anthropic.read_request(&body.to_string()).unwrap();
        assert_eq!(read.value, asking(vec![user(vec![text("u")]), assistant(parts)]), "{content}");
    }
    // And never reach Anthropic.
    let turns = vec![user(vec![text("u")]), assistant(vec![signed("c1", "secret")]), user(vec![result("c1", "f", vec![])])];
    assert!(!written(&asking(turns)).0.to_string().contains("secret"));
}
