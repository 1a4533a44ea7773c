//! What is read of whole answers and of errors.

use portolan::{
    chat::{
        Dialect,
        event::Stamp,
        request::{Part, Request, Source},
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Caller, Upstream, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat},
};
use serde_json::{Value, json};

use super::{call, image, model, png, request, signed, text, thought, user, written};

fn answered(parts: Value, finish: Value) -> String {
    json!({
        "candidates": [{ "content": { "parts": parts, "role": "model" }, "finishReason": finish, "index": 0 }],
        "modelVersion": "gemini-x", "responseId": "r-1_A",
    })
    .to_string()
}

fn response(parts: Vec<Part>, stop: StopReason) -> Response {
    let (id, model) = (Some("r-1_A".to_owned()), Some("gemini-x".to_owned()));
    Response { id, model, parts, stop, ..Response::default() }
}

#[test]
fn parts_are_read_in_order() {
    let own = || signed(Dialect::Gemini, "S");
    let code = json!({ "executableCode": { "language": "PYTHON", "code": "1" }, "thoughtSignature": "S" });
    for (rule, parts, expected, stop) in [
        (
            "thoughts beside the answer, neighbours joined",
            json!([{ "text": "h", "thought": true }, { "text": "m", "thought": true }, { "text": "a" }, { "text": "b" }]),
            vec![thought("hm", None), text("ab")],
            StopReason::End,
        ),
        (
            "calls make the stop reason, ids are minted from the answer's",
            json!([
                { "functionCall": { "name": "f", "args": { "b": 1, "a": 2 } }, "thoughtSignature": "S" },
                { "functionCall": { "name": "f", "id": "given" } },
                { "functionCall": { "name": "f", "args": {} } },
            ]),
            vec![
                call("call_0_r-1_A", "f", "{\"b\":1,\"a\":2}", own()),
                call("given", "f", "{}", None),
                call("call_2_r-1_A", "f", "{}", None),
            ],
            StopReason::ToolCalls,
        ),
        (
            "a signature on a text stands before it, on nothing at its place",
            json!([{ "text": "a", "thoughtSignature": "S" }, { "text": "", "thoughtSignature": "S" }, { "text": "" }]),
            vec![thought("", own()), text("a"), thought("", own())],
            StopReason::End,
        ),
        (
            "images, sounds, and what only Google knows",
            json!([{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }, code.clone(), { "inlineData": { "mimeType": "audio/wav", "data": "B" } }]),
            vec![
                image(png()),
                Part::Opaque { dialect: Dialect::Gemini, value: code },
                Part::Audio {
                    source: Source::Inline { media_type: "audio/wav".to_owned(), data: "B".to_owned() },
                    transcript: None,
                },
            ],
            StopReason::End,
        ),
        ("no parts", json!([]), vec![], StopReason::End),
        ("odd parts", json!([null, 1, {}, "x"]), vec![], StopReason::End),
    ] {
        assert_eq!(Gemini.read_response(&answered(parts, json!("STOP"))), Ok(response(expected, stop)), "{rule}");
    }
}

#[test]
fn a_signed_answer_goes_back_as_it_came() {
    let parts = json!([
        { "text": "hm", "thought": true, "thoughtSignature": "T" },
        { "text": "a", "thoughtSignature": "S" },
        { "functionCall": { "id": "x", "name": "f", "args": { "n": 1 } }, "thoughtSignature": "U" },
        { "functionCall": { "id": "y", "name": "f", "args": {} } },
        { "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thoughtSignature": "V" },
        { "toolCall": { "id": "q", "toolType": "FILE_SEARCH" }, "thoughtSignature": "W" },
        { "text": "", "thoughtSignature": "X" },
    ]);
    let read = Gemini.read_response(&answered(parts.clone(), json!("STOP"))).unwrap();
    let (body, lost) = written(&request(vec![user(vec![text("go")]), model(read.parts)]));
    assert_eq!(body.pointer("/contents/1/parts"), Some(&parts));
    assert_eq!(lost, [""; 0]);
}

fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    let members = value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value));
    let items = value.as_array().into_iter().flatten().enumerate().map(|(i, value)| (i.to_string(), value));
    members.chain(items).for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), out));
}

#[test]
fn an_odd_value_anywhere_spoils_no_more_than_its_part() {
    let parts = json!([
        { "text": "keep" },
        { "functionCall": { "id": "x", "name": "f", "args": { "n": 1 } }, "thoughtSignature": "U" },
        { "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
    ]);
    let mut sound: Value = serde_json::from_str(&answered(parts, json!("STOP"))).unwrap();
    let usage = json!({ "promptTokenCount": 1, "thoughtsTokenCount": 2 });
    sound.as_object_mut().unwrap().insert("usageMetadata".to_owned(), usage);
    let mut places = vec![];
    pointers(&sound, "", &mut places);
    for place in &places {
        for odd in [json!(null), json!(-1.5), json!("odd"), json!([[]]), json!({ "a": {} })] {
            let mut body = sound.clone();
            *body.pointer_mut(place).unwrap() = odd.clone();
            let read = Gemini.read_response(&body.to_string());
            let on_the_way =
                ["/candidates/0/content/parts/0/text", "/candidates/0/index"].iter().any(|way| way.starts_with(place));
            let is_kept = read.is_ok_and(|read| read.parts.contains(&text("keep")));
            assert!(is_kept || on_the_way, "{place} {odd}");
        }
    }
    assert!(places.len() > 20);
}

/// The callers' dialects have no slots of their own for Google's signatures: each carries them its way.
#[test]
fn call_signatures_survive_a_caller_of_another_dialect() {
    let parts = json!([
        { "functionCall": { "id": "x", "name": "f", "args": { "n": 1 } }, "thoughtSignature": "U" },
        { "functionCall": { "id": "y", "name": "g", "args": {} } },
    ]);
    let read = Gemini.read_response(&answered(parts.clone(), json!("STOP"))).unwrap();
    let stamp = Stamp { id: "id".to_owned(), created: 1, model: "m".to_owned() };
    let tool = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "1" });
    let block = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": "1" });
    let ask = json!({ "role": "user", "content": "go" });
    let callers: [&dyn Caller; 2] = [&OpenAiChat, &Anthropic];
    for caller in callers {
        let answer: Value = serde_json::from_str(&caller.write_response(
            &read,
            &portolan::dialect::Asked { stamp: stamp.clone(), facts: &portolan::dialect::Facts::default(), body: &[] },
            None,
        ))
        .unwrap();
        let messages = if let Some(content) = answer.get("content") {
            let id = |name: &str| {
                let call = content.as_array().unwrap().iter().find(|block| block.get("name") == Some(&json!(name))).unwrap();
                call.get("id").and_then(Value::as_str).unwrap()
            };
            json!([ask, { "role": "assistant", "content": content }, { "role": "user", "content": [block(id("f")), block(id("g"))] }])
        } else {
            json!([ask, answer.pointer("/choices/0/message").unwrap(), tool("x"), tool("y")])
        };
        let body = json!({ "model": "m", "max_tokens": 9, "messages": messages }).to_string();
        let next = caller.read_request(&body).unwrap().value;
        let (body, _) = written(&Request { model: "gemini-3-pro".to_owned(), ..next });
        assert_eq!(body.pointer("/contents/1/parts"), Some(&parts), "{messages}");
        let ids = ["/contents/2/parts/0", "/contents/2/parts/1"].map(|at| body.pointer(&format!("{at}/functionResponse/id")));
        assert_eq!(ids, [Some(&json!("x")), Some(&json!("y"))], "{messages}");
    }
}

#[test]
fn finish_reasons_have_their_meaning() {
    for (reason, expected) in [
        (json!("STOP"), Some(StopReason::End)),
        (json!(1), Some(StopReason::End)),
        (json!("MAX_TOKENS"), Some(StopReason::Length)),
        (json!(2), Some(StopReason::Length)),
        (json!(3), Some(StopReason::ContentFilter)),
        (json!("RECITATION"), Some(StopReason::ContentFilter)),
        (json!("PROHIBITED_CONTENT"), Some(StopReason::ContentFilter)),
        (json!("IMAGE_SAFETY"), Some(StopReason::ContentFilter)),
        (json!("MODEL_ARMOR"), Some(StopReason::ContentFilter)),
        (json!("OTHER"), Some(StopReason::End)),
        (json!("SOME_DAY"), Some(StopReason::End)),
        (json!(null), Some(StopReason::End)),
        (json!("MALFORMED_FUNCTION_CALL"), None),
        (json!(9), None),
        (json!("UNEXPECTED_TOOL_CALL"), None),
        (json!("MISSING_THOUGHT_SIGNATURE"), None),
    ] {
        let read = Gemini.read_response(&answered(json!([{ "text": "x" }]), reason.clone()));
        assert_eq!(read.ok().map(|response| response.stop), expected, "{reason}");
    }
}

#[test]
fn an_answer_without_text_is_an_answer_when_it_says_why() {
    let empty = |stop| Response { id: None, model: None, parts: vec![], stop, ..Response::default() };
    for (body, expected) in [
        ("{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}", Some(empty(StopReason::Length))),
        (
            "{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"SAFETY\"}]}",
            Some(empty(StopReason::ContentFilter)),
        ),
        ("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", Some(empty(StopReason::ContentFilter))),
        (
            "  \n {\"promptFeedback\":{\"blockReason\":\"X\"},\"usageMetadata\":{\"trafficType\":\"A\"}}",
            Some(empty(StopReason::ContentFilter)),
        ),
        ("{\"candidates\":[]}", None),
        ("{\"usageMetadata\":{\"promptTokenCount\":1}}", None),
        ("{}", None),
        ("[]", None),
        ("null", None),
        ("", None),
        ("<html>", None),
    ] {
        assert_eq!(Gemini.read_response(body).ok(), expected, "{body}");
    }
    let failed = Gemini.read_response("{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}").unwrap_err();
    assert_eq!((failed.status, failed.message.as_str(), failed.kind.as_deref()), (503, "busy", Some("UNAVAILABLE")));
}

#[test]
fn tokens_are_counted_apart() {
    let usage = |input, cache_read, output, reasoning| Some(Usage { input, cache_read, output, reasoning, ..Usage::default() });
    for (reported, expected) in [
        (json!({ "promptTokenCount": 10, "candidatesTokenCount": 5 }), usage(10, 0, 5, 0)),
        (json!({ "promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7 }), usage(10, 0, 12, 7)),
        (json!({ "promptTokenCount": 10, "toolUsePromptTokenCount": 90, "cachedContentTokenCount": 8 }), usage(92, 8, 0, 0)),
        (json!({ "promptTokenCount": 10, "cachedContentTokenCount": 80 }), usage(0, 10, 0, 0)),
        (json!({ "trafficType": "ON_DEMAND" }), None),
    ] {
        let body = json!({ "candidates": [{ "finishReason": "STOP" }], "usageMetadata": reported }).to_string();
        assert_eq!(Gemini.read_response(&body).unwrap().usage, expected, "{body}");
    }
}

#[test]
fn minted_ids_fit_every_dialect() {
    let id = |name: &str, args: Value| {
        let parts = json!([{ "functionCall": { "name": name, "args": args } }]);
        let body = json!({ "candidates": [{ "content": { "parts": parts } }] }).to_string();
        let Some(Part::ToolCall(call)) = Gemini.read_response(&body).unwrap().parts.pop() else { return String::new() };
        call.id
    };
    let long = id("a.name:with odd/é characters and much too long for it", json!({}));
    assert!(long.starts_with("call_0_") && long.chars().count() == 40, "{long}");
    assert!(long.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{long}");
    assert_eq!(id("f", json!({ "a": 1 })), id("f", json!({ "a": 1 })), "the same answer, the same id");
    assert_ne!(id("f", json!({ "a": 1 })), id("f", json!({ "a": 2 })), "another turn, another id");
}

#[test]
fn errors_of_any_shape_are_understood() {
    let google = json!({ "error": { "code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "PerDayPerModel" }] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.9399s" },
    ] } });
    let key = json!({ "error": { "code": 400, "message": "no key", "status": "INVALID_ARGUMENT", "details": [
        { "reason": "API_KEY_INVALID" }, { "retryDelay": "47s" },
    ] } });
    let odd =
        json!({ "error": { "message": "m", "type": "t", "code": "c", "param": "p", "details": [{ "retryDelay": "soon" }] } });
    for (body, expected) in [
        (google.to_string(), ("slow down", Some("RESOURCE_EXHAUSTED"), Some("PerDayPerModel"), Some(48_940))),
        (json!([google]).to_string(), ("slow down", Some("RESOURCE_EXHAUSTED"), Some("PerDayPerModel"), Some(48_940))),
        (key.to_string(), ("no key", Some("INVALID_ARGUMENT"), Some("API_KEY_INVALID"), Some(47_000))),
        (odd.to_string(), ("m", Some("t"), Some("c"), None)),
        ("{\"error\":\"plain\"}".to_owned(), ("plain", None, None, None)),
        ("<html>bad gateway</html>".to_owned(), ("<html>bad gateway</html>", None, None, None)),
        ("{\"detail\":1}".to_owned(), ("{\"detail\":1}", None, None, None)),
        (String::new(), ("", None, None, None)),
    ] {
        let read = Gemini.read_error(418, &body);
        assert_eq!(read.status, 418, "the status line counts");
        let seen = (read.message.as_str(), read.kind.as_deref(), read.code.as_deref(), read.retry_after_ms);
        assert_eq!(seen, expected, "{body}");
    }
    assert_eq!(Gemini.read_error(502, &"é".repeat(10_000)).message.chars().count(), 300);
}
