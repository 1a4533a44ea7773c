//! Streams and whole answers of Cohere, and errors.

use portolan::{
    chat::{
        Dialect,
        event::Event,
        request::{Part, ToolCall},
        response::{StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Upstream, cohere::Cohere},
};
use serde_json::{Value, json};

use crate::fold::{Folded, events, fold};

fn stream(frames: &[Value]) -> Vec<Event> {
    let mut text = String::new();
    for frame in frames {
        text.push_str(&format!("event: {}\ndata: {frame}\n\n", frame["type"].as_str().unwrap()));
    }
    text.push_str("data: [DONE]\n\n");
    events(&Cohere, [text.as_bytes()])
}

fn frame(kind: &str, at: u64, message: &Value) -> Value {
    json!({"type": kind, "index": at, "delta": {"message": message}})
}

fn content(kind: &str, at: u64, content: &Value) -> Value {
    frame(kind, at, &json!({"content": content}))
}

fn usage() -> Value {
    json!({"billed_units": {"input_tokens": 5, "output_tokens": 10},
        "tokens": {"input_tokens": 607, "output_tokens": 13, "reasoning_tokens": 4, "image_tokens": 100}, "cached_tokens": 480})
}

fn end(reason: &str) -> Value {
    json!({"type": "message-end", "delta": {"finish_reason": reason, "usage": usage()}})
}

fn told(frames: &[Value], reason: &str) -> Folded {
    let start = json!({"type": "message-start", "id": "id-1", "delta": {"message": {"role": "assistant", "content": []}}});
    let folded = fold(&stream(&[&[start][..], frames, &[end(reason)]].concat()));
    assert!(folded.ended && folded.malformed == 0 && folded.failed.is_none(), "{folded:?}");
    assert_eq!(folded.id.as_deref(), Some("id-1"));
    assert_eq!(folded.usage, Some(Usage { input: 5, output: 10, reasoning: 4, ..Usage::default() }));
    folded
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: arguments.to_owned(), ..ToolCall::default() })
}

fn thought(text: &str) -> Part {
    Part::Reasoning { text: text.to_owned(), signature: None }
}

#[test]
fn a_plan_is_thought_and_calls_run_side_by_side() {
    let start = |id: &str| json!({"tool_calls": {"id": id, "type": "function", "function": {"name": "f", "arguments": ""}}});
    let more = |text: &str| json!({"tool_calls": {"function": {"arguments": text}}});
    let frames = [
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will "}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "look."}}}),
        frame("tool-call-start", 0, &start("a")),
        frame("tool-call-start", 1, &start("b")),
        frame("tool-call-delta", 1, &more("{\"x\"")),
        frame("tool-call-delta", 0, &more("{}")),
        frame("tool-call-delta", 1, &more(":1}")),
        frame("tool-call-end", 0, &Value::Null),
        frame("tool-call-end", 1, &Value::Null),
    ];
    let folded = told(&frames, "TOOL_CALL");
    assert_eq!(folded.parts, [thought("I will look."), call("a", "{}"), call("b", "{\"x\":1}")]);
    assert_eq!(folded.stop, Some(StopReason::ToolCalls));
    let message = json!({"tool_plan": "I will look.", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
    ]});
    assert_eq!(whole(&message, "TOOL_CALL").parts, folded.parts, "a whole answer says the same");
}

#[test]
fn citations_stay_with_their_text_also_after_its_end() {
    let cite = |start: u64, kind: &str| {
        json!({"start": start, "end": start + 2, "text": "ab", "type": kind, "content_index": 1, "sources": [
            {"type": "document", "id": "doc:0", "document": {"title": "T", "url": "https://a.test", "snippet": "s"}}]})
    };
    let frames = [
        content("content-start", 0, &json!({"type": "thinking", "thinking": ""})),
        content("content-delta", 0, &json!({"thinking": "Hm."})),
        frame("content-end", 0, &Value::Null),
        content("content-start", 1, &json!({"type": "text", "text": ""})),
        content("content-delta", 1, &json!({"text": "ab cd"})),
        frame("citation-start", 0, &json!({"citations": cite(0, "TEXT_CONTENT")})),
        frame("citation-end", 0, &Value::Null),
        frame("content-end", 1, &Value::Null),
        frame("citation-start", 1, &json!({"citations": cite(3, "TEXT_CONTENT")})),
        frame("citation-start", 2, &json!({"citations": cite(0, "PLAN")})),
    ];
    let folded = told(&frames, "COMPLETE");
    let Part::Text { text, citations, .. } = &folded.parts[1] else { unreachable!("{:?}", folded.parts) };
    let seen: Vec<_> =
        citations.iter().map(|c| (c.start, c.end, c.url.as_deref(), c.title.as_deref(), c.quote.as_deref())).collect();
    let of = |start, end| (Some(start), Some(end), Some("https://a.test"), Some("T"), Some("s"));
    assert_eq!((text.as_str(), seen), ("ab cd", vec![of(0, 2), of(3, 5)]));
    assert_eq!(citations[0].native, Some((Dialect::Cohere, cite(0, "TEXT_CONTENT"))));
    assert_eq!(folded.parts[0], thought("Hm."));
    let message = json!({
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "ab cd"}],
        "citations": [cite(0, "TEXT_CONTENT"), cite(3, "TEXT_CONTENT"), cite(0, "PLAN")],
    });
    assert_eq!(whole(&message, "COMPLETE").parts, folded.parts, "a whole answer says the same");
}

fn whole(message: &Value, reason: &str) -> portolan::chat::response::Response {
    let body = json!({"id": "id-1", "message": message, "finish_reason": reason, "usage": usage(),
        "logprobs": [{"text": "Hi", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}]});
    let read = Cohere.read_response(&body.to_string()).unwrap();
    assert_eq!((read.id.as_deref(), read.raw_usage.as_ref()), (Some("id-1"), Some(&usage())));
    assert_eq!(read.logprobs, [TokenLogprob { token: "Hi".to_owned(), logprob: -0.75, ..TokenLogprob::default() }]);
    read
}

#[test]
fn likelihoods_come_with_their_text() {
    let mut delta = content("content-delta", 0, &json!({"text": "Hi"}));
    delta["logprobs"] = json!({"text": "Hi", "token_ids": [1], "logprobs": [-0.5]});
    let seen = stream(&[delta]);
    let Some(Event::BlockDelta { index: 0, delta: portolan::chat::event::Delta::Logprobs(tokens) }) = seen.last() else {
        unreachable!("{seen:?}")
    };
    assert_eq!(tokens, &[TokenLogprob { token: "Hi".to_owned(), logprob: -0.5, ..TokenLogprob::default() }]);
}

#[test]
fn reasons_to_stop_are_the_canonical_ones() {
    let text = || content("content-delta", 0, &json!({"text": "x"}));
    for (word, expected) in [
        ("COMPLETE", StopReason::End),
        ("STOP_SEQUENCE", StopReason::StopSequence),
        ("MAX_TOKENS", StopReason::Length),
        ("TOOL_CALL", StopReason::ToolCalls),
        ("ERROR_TOXIC", StopReason::ContentFilter),
        ("SOMETHING_NEW", StopReason::End),
    ] {
        assert_eq!(told(&[text()], word).stop, Some(expected), "{word}");
    }
    for (word, said, message) in
        [("ERROR", None, "The answer was broken off (ERROR)."), ("TIMEOUT", Some("too slow"), "too slow")]
    {
        let delta = json!({"finish_reason": word, "error": said});
        let seen = stream(&[text(), json!({"type": "message-end", "delta": delta})]);
        let Some(Event::Failed(error)) = seen.last() else { unreachable!("{seen:?}") };
        assert_eq!((error.message.as_str(), error.kind.as_deref()), (message, Some(word)));
        let body = json!({"message": {"content": []}, "finish_reason": word}).to_string();
        assert!(Cohere.read_response(&body).is_err(), "{word}");
    }
}

#[test]
fn a_stream_without_its_end_is_none_and_errors_inside_are_told() {
    let text = || content("content-delta", 0, &json!({"text": "x"}));
    assert!(!stream(&[text()]).contains(&Event::End), "`[DONE]` alone is no end");
    let error = json!({"type": "error", "message": "m", "error_type": "overloaded"});
    let bare = json!({"type": "", "id": "x", "message": "m"});
    for (frame, kind) in [(error, Some("overloaded")), (bare, None)] {
        let seen = stream(&[text(), frame, end("COMPLETE")]);
        let Some(Event::Failed(error)) = seen.last() else { unreachable!("{seen:?}") };
        assert_eq!((error.message.as_str(), error.kind.as_deref()), ("m", kind));
    }
    assert_eq!(stream(&[json!({"type": "debug"})]), [], "what is not known is passed over");
    assert_eq!(events(&Cohere, ["data: {\n\n".as_bytes()]), [Event::Malformed]);
}

#[test]
fn usage_is_what_is_billed() {
    let of = |usage: Value| {
        let body = json!({"message": {"content": "x"}, "finish_reason": "COMPLETE", "usage": usage});
        let read = Cohere.read_response(&body.to_string()).unwrap();
        assert_eq!(read.parts, [Part::text("x")]);
        assert_eq!(read.raw_usage.unwrap_or_default(), usage, "the provider's own numbers stay");
        read.usage.map(|usage| (usage.input, usage.cache_read, usage.output, usage.reasoning))
    };
    let billed = |input: u64, output: u64| json!({"input_tokens": input, "output_tokens": output});
    for (name, usage, expected) in [
        (
            "Cohere's own instructions",
            json!({"billed_units": billed(4, 9), "tokens": billed(700, 12), "cached_tokens": 512}),
            (4, 0, 9, 0),
        ),
        (
            "a long prompt, cached",
            json!({"billed_units": billed(900, 9), "tokens": billed(1000, 9), "cached_tokens": 600}),
            (400, 500, 9, 0),
        ),
        (
            "all of it cached",
            json!({"billed_units": billed(4, 9), "tokens": billed(700, 12), "cached_tokens": 900}),
            (0, 4, 9, 0),
        ),
        (
            "pictures are within what is billed",
            json!({"billed_units": billed(240, 5), "tokens": {"input_tokens": 30, "output_tokens": 6, "image_tokens": 232}}),
            (240, 0, 5, 0),
        ),
        (
            "more thoughts than were billed",
            json!({"billed_units": billed(4, 9), "tokens": {"output_tokens": 20, "reasoning_tokens": 15}}),
            (4, 0, 9, 9),
        ),
        ("nothing billed", json!({"billed_units": billed(0, 0), "tokens": billed(7, 2), "cached_tokens": 3}), (0, 0, 0, 0)),
        ("fractions", json!({"tokens": {"input_tokens": 10.0, "output_tokens": 3.0}, "cached_tokens": 4}), (6, 4, 3, 0)),
        ("billed alone", json!({"billed_units": billed(7, 2), "cached_tokens": 3}), (4, 3, 2, 0)),
        ("billed by something else", json!({"billed_units": {"search_units": 1}, "tokens": billed(7, 2)}), (7, 0, 2, 0)),
        ("never more than there are", json!({"tokens": {"input_tokens": 3}, "cached_tokens": 9}), (0, 3, 0, 0)),
    ] {
        assert_eq!(of(usage), Some(expected), "{name}");
    }
    assert_eq!(of(Value::Null), None);
}

#[test]
fn errors_are_read_in_every_shape() {
    for (status, body, message) in [
        (401, r#"{"id":"x","message":"Incorrect API key"}"#, "Incorrect API key"),
        (429, r#"{"message":"slow down","error_type":"limit"}"#, "slow down"),
        (500, r#"{"error":"oops"}"#, "oops"),
        (500, r#"{"error":{"message":"oops"}}"#, "oops"),
        (502, "<html>", "The provider answered 502 without an explanation."),
        (503, "", "The provider answered 503 without an explanation."),
        (400, "plain", "plain"),
    ] {
        let error = Cohere.read_error(status, body);
        assert_eq!((error.status, error.message.as_str()), (status, message), "{body}");
    }
    for body in ["", "{}", "[]", r#"{"id":"x","message":"no"}"#] {
        assert!(Cohere.read_response(body).is_err(), "{body}");
    }
}
