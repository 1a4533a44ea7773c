//! Whole answers of Converse, and errors.

use portolan::{
    chat::{
        Dialect,
        request::{Part, Signature, ToolCall},
        response::StopReason,
        usage::{Service, Usage},
    },
    dialect::{Upstream, converse::Converse},
};
use serde_json::{Value, json};

fn answer(content: &Value, reason: &str) -> String {
    json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": {"inputTokens": 11, "outputTokens": 264, "totalTokens": 1303, "cacheReadInputTokens": 0, "cacheWriteInputTokens": 1028},
        "serviceTier": {"type": "flex"},
        "metrics": {"latencyMs": 1},
    })
    .to_string()
}

#[test]
fn a_whole_answer_is_read_block_by_block() {
    let cite = json!({"title": "T", "source": "https://a.test", "sourceContent": [{"text": "q"}]});
    let content = json!([
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "YWJj"}},
        {"text": "One."},
        {"text": "Two."},
        {"citationsContent": {"content": [{"text": "Three."}], "citations": [cite]}},
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {"z": 1.0, "a": 12345678901234567890_u64}}},
        {"toolUse": {"toolUseId": "b", "name": "f", "input": {}, "type": "tool_use"}},
        {"toolUse": {"toolUseId": "s", "name": "g", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "content": [], "status": "success"}},
    ]);
    let read = Converse.read_response(&answer(&content, "tool_use")).unwrap();
    let call = |id: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
            ..ToolCall::default()
        })
    };
    let opaque = |at: usize| Part::Opaque { dialect: Dialect::Converse, value: content[at].clone() };
    let citation = portolan::chat::request::Citation {
        url: Some("https://a.test".to_owned()),
        title: Some("T".to_owned()),
        quote: Some("q".to_owned()),
        native: Some((Dialect::Converse, cite)),
        ..Default::default()
    };
    let expected = [
        Part::Reasoning {
            text: "Hm.".to_owned(),
            signature: Some(Signature { dialect: Dialect::Converse, value: "c2ln".to_owned() }),
        },
        Part::RedactedReasoning { data: "YWJj".to_owned(), dialect: Dialect::Converse },
        Part::text("One."),
        Part::text("Two."),
        Part::Text { text: "Three.".to_owned(), cache: None, citations: vec![citation] },
        call("a", r#"{"z":1.0,"a":12345678901234567890}"#),
        call("b", "{}"),
        opaque(7),
        opaque(8),
    ];
    assert_eq!(read.parts, expected);
    assert_eq!(read.stop, StopReason::ToolCalls);
    assert_eq!(read.usage, Some(Usage { input: 11, cache_write: 1028, output: 264, service: Service::Flex, ..Usage::default() }));
    assert_eq!(read.raw_usage.unwrap()["totalTokens"], 1303);
    assert_eq!(read.service_tier.as_deref(), Some("flex"));
}

#[test]
fn an_empty_answer_is_one() {
    let read = Converse.read_response(&answer(&json!([]), "guardrail_intervened")).unwrap();
    assert_eq!((read.parts, read.stop), (vec![], StopReason::ContentFilter));
}

#[test]
fn what_is_no_answer_is_a_failure() {
    for (body, message, kind) in [
        ("", "The answer is not JSON.", None),
        ("{}", "The answer has no message.", None),
        (r#"{"message":"Too many requests"}"#, "Too many requests", None),
        (r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"m"}"#, "m", Some("ThrottlingException")),
    ] {
        let error = Converse.read_response(body).unwrap_err();
        assert_eq!((error.message.as_str(), error.kind.as_deref()), (message, kind), "{body}");
    }
    let malformed = Converse.read_response(&answer(&json!([{"text": "x"}]), "malformed_tool_use")).unwrap_err();
    assert_eq!(malformed.kind.as_deref(), Some("malformed_tool_use"));
}

#[test]
fn errors_are_read_in_every_shape() {
    for (status, body, message, kind) in [
        (400, r#"{"message":"The provided model identifier is invalid."}"#, "The provided model identifier is invalid.", None),
        (403, r#"{"Message":"Access denied"}"#, "Access denied", None),
        (
            403,
            r#"{"Output":{"__type":"com.amazon.coral.service#UnrecognizedClientException"},"Version":"1.0"}"#,
            "The provider answered 403 without an explanation.",
            Some("UnrecognizedClientException"),
        ),
        (502, "<html>", "The provider answered 502 without an explanation.", None),
        (500, "oops", "oops", None),
        (503, "", "The provider answered 503 without an explanation.", None),
    ] {
        let error = Converse.read_error(status, body);
        assert_eq!((error.status, error.message.as_str(), error.kind.as_deref()), (status, message, kind), "{body}");
    }
    // The status of the answer is the truer one.
    assert_eq!(Converse.read_error(429, r#"{"__type":"ValidationException","message":"m"}"#).status, 429);
}
