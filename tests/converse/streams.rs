//! Streams of Converse: frames in, events out.

use portolan::{
    chat::{
        Dialect,
        event::{Event, UpstreamError},
        request::{Part, Signature, Source, ToolCall},
        response::StopReason,
        usage::Usage,
    },
    dialect::{Upstream, converse::Converse},
    wire::framing::{Decoder, Framing},
};
use serde_json::{Value, json};

use crate::{
    fold::{Folded, fold},
    wire::messages::{event, exception},
};

fn events(stream: &[Vec<u8>]) -> Vec<Event> {
    let (mut reader, mut decoder, mut out) = (Converse.event_reader(), Decoder::new(Framing::EventStream), vec![]);
    for message in stream {
        decoder.push(message).unwrap();
        while let Some(frame) = decoder.next_frame() {
            reader.read(&frame, &mut out);
        }
    }
    reader.close(&mut out);
    out
}

fn start(at: u64, start: &Value) -> Vec<u8> {
    event("contentBlockStart", &json!({"contentBlockIndex": at, "start": start, "p": "ab"}).to_string())
}

fn delta(at: u64, delta: &Value) -> Vec<u8> {
    event("contentBlockDelta", &json!({"contentBlockIndex": at, "delta": delta, "p": "abc"}).to_string())
}

fn end(at: u64) -> Vec<u8> {
    event("contentBlockStop", &json!({"contentBlockIndex": at}).to_string())
}

fn stop(reason: &str) -> Vec<u8> {
    event("messageStop", &json!({"stopReason": reason}).to_string())
}

/// What these frames tell, in a whole stream.
fn told(frames: &[Vec<u8>], reason: &str) -> Folded {
    let usage = json!({"usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 19, "cacheReadInputTokens": 4,
        "cacheWriteInputTokens": 7}, "metrics": {"latencyMs": 1}});
    let opening = [event("messageStart", r#"{"role":"assistant"}"#)];
    let closing = [stop(reason), event("metadata", &usage.to_string())];
    let folded = fold(&events(&[&opening[..], frames, &closing].concat()));
    assert!(folded.ended && folded.malformed == 0 && folded.failed.is_none(), "{folded:?}");
    assert_eq!(folded.usage, Some(Usage { input: 3, cache_read: 4, cache_write: 7, output: 5, ..Usage::default() }));
    folded
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let owned = str::to_owned;
    Part::ToolCall(ToolCall { id: owned(id), name: owned(name), arguments: owned(arguments), ..ToolCall::default() })
}

#[test]
fn text_needs_no_start_and_calls_run_side_by_side() {
    let tool = |id: &str| json!({"toolUse": {"toolUseId": id, "name": "weather"}});
    let frames = [
        delta(0, &json!({"text": "Let me "})),
        delta(0, &json!({"text": "look."})),
        end(0),
        start(1, &tool("a")),
        start(2, &tool("b")),
        delta(2, &json!({"toolUse": {"input": "{\"city\":"}})),
        delta(1, &json!({"toolUse": {"input": ""}})),
        delta(2, &json!({"toolUse": {"input": "\"Rome\"}"}})),
        end(2),
        end(1),
    ];
    let folded = told(&frames, "tool_use");
    assert_eq!(folded.parts, [Part::text("Let me look."), call("a", "weather", ""), call("b", "weather", "{\"city\":\"Rome\"}")]);
    assert_eq!(folded.stop, Some(StopReason::ToolCalls));
}

#[test]
fn thoughts_keep_their_proof_and_sealed_ones_their_bytes() {
    let thought = |key: &str, value: &str| json!({"reasoningContent": {key: value}});
    let frames = [
        delta(0, &thought("text", "Well, ")),
        delta(0, &thought("text", "well.")),
        delta(0, &thought("signature", "c2ln")),
        end(0),
        // Two pieces, each padded: `a` and `bc`.
        delta(1, &thought("redactedContent", "YQ==")),
        delta(1, &thought("redactedContent", "YmM=")),
        end(1),
        delta(2, &json!({"text": "Yes."})),
        end(2),
    ];
    let signature = Signature { dialect: Dialect::Converse, value: "c2ln".to_owned() };
    let expected = [
        Part::Reasoning { text: "Well, well.".to_owned(), signature: Some(signature) },
        Part::RedactedReasoning { data: "YWJj".to_owned(), dialect: Dialect::Converse },
        Part::text("Yes."),
    ];
    assert_eq!(told(&frames, "end_turn").parts, expected);
}

#[test]
fn a_citation_in_a_block_of_its_own_is_of_the_text_before_it() {
    let web = json!({"location": {"web": {"url": "https://a.test/x", "domain": "a.test"}}, "title": "A"});
    let found = json!({"source": "https://b.test", "sourceContent": [{"text": "one "}, {"text": "two"}]});
    let frames = [
        delta(0, &json!({"text": "Sky is blue"})),
        end(0),
        delta(1, &json!({"citation": web})),
        delta(1, &json!({"citation": found})),
        end(1),
        delta(2, &json!({"text": "."})),
        end(2),
    ];
    let folded = told(&frames, "end_turn");
    assert_eq!(folded.parts.len(), 2, "{:?}", folded.parts);
    let Part::Text { text, citations, .. } = &folded.parts[0] else { unreachable!("{:?}", folded.parts) };
    let seen: Vec<_> = citations.iter().map(|c| (c.url.as_deref(), c.title.as_deref(), c.quote.as_deref())).collect();
    assert_eq!(text, "Sky is blue");
    assert_eq!(seen, [(Some("https://a.test/x"), Some("A"), None), (Some("https://b.test"), None, Some("one two"))]);
    assert_eq!(citations[0].native, Some((Dialect::Converse, web)));
}

#[test]
fn what_the_provider_ran_itself_is_kept_whole_and_is_no_call() {
    let frames = [
        start(0, &json!({"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use"}})),
        delta(0, &json!({"toolUse": {"input": "{\"query\":"}})),
        delta(0, &json!({"toolUse": {"input": "\"x\"}"}})),
        end(0),
        start(1, &json!({"toolResult": {"toolUseId": "s", "status": "success", "type": "nova_grounding_result"}})),
        delta(1, &json!({"toolResult": [{"text": "[HIDDEN]"}]})),
        end(1),
        start(2, &json!({"image": {"format": "png"}})),
        delta(2, &json!({"image": {"source": {"bytes": "AAAA"}}})),
        end(2),
    ];
    let opaque = |value: Value| Part::Opaque { dialect: Dialect::Converse, value };
    let use_of = json!({"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use",
        "input": {"query": "x"}}});
    let result = json!({"toolResult": {"toolUseId": "s", "status": "success", "type": "nova_grounding_result",
        "content": [{"text": "[HIDDEN]"}]}});
    let image = Source::Inline { media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    let folded = told(&frames, "end_turn");
    assert_eq!(folded.parts, [opaque(use_of), opaque(result), Part::Image { source: image, detail: None, cache: None }]);
    assert_eq!(folded.stop, Some(StopReason::End));
}

#[test]
fn the_answer_through_the_answers_tool_is_text() {
    let frames = [
        start(0, &json!({"toolUse": {"toolUseId": "t", "name": "portolan_answer"}})),
        delta(0, &json!({"toolUse": {"input": "{\"a\":"}})),
        delta(0, &json!({"toolUse": {"input": "1}"}})),
        end(0),
    ];
    let folded = told(&frames, "tool_use");
    assert_eq!((folded.parts, folded.stop), (vec![Part::text("{\"a\":1}")], Some(StopReason::End)));
}

#[test]
fn stop_reasons_are_the_canonical_ones() {
    for (word, expected) in [
        ("end_turn", StopReason::End),
        ("max_tokens", StopReason::Length),
        ("model_context_window_exceeded", StopReason::Length),
        ("stop_sequence", StopReason::StopSequence),
        ("guardrail_intervened", StopReason::ContentFilter),
        ("content_filtered", StopReason::ContentFilter),
        ("something_new", StopReason::End),
    ] {
        assert_eq!(told(&[delta(0, &json!({"text": "x"}))], word).stop, Some(expected), "{word}");
    }
    // Some say `end_turn` although a tool was called.
    let call = start(0, &json!({"toolUse": {"toolUseId": "a", "name": "n"}}));
    assert_eq!(told(&[call], "end_turn").stop, Some(StopReason::ToolCalls));
    for word in ["malformed_model_output", "malformed_tool_use"] {
        let seen = events(&[delta(0, &json!({"text": "x"})), stop(word)]);
        let Some(Event::Failed(error)) = seen.last() else { unreachable!("{seen:?}") };
        assert_eq!(error.kind.as_deref(), Some(word));
    }
}

#[test]
fn the_stop_sequence_is_named_where_the_model_names_it() {
    let said = json!({"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "END"}});
    let seen = events(&[event("messageStop", &said.to_string())]);
    let expected = Event::Stop { choice: 0, reason: StopReason::StopSequence, sequence: Some("END".to_owned()) };
    assert_eq!(seen, [expected, Event::End]);
}

#[test]
fn an_exception_ends_the_stream_badly_with_its_status() {
    for (name, payload, status) in [
        ("throttlingException", json!({"message": "m"}), 429),
        ("validationException", json!({"message": "m"}), 400),
        ("internalServerException", json!({"message": "m"}), 500),
        ("serviceUnavailableException", json!({"message": "m"}), 503),
        ("modelTimeoutException", json!({"message": "m"}), 408),
        ("modelStreamErrorException", json!({"message": "m"}), 424),
        ("modelStreamErrorException", json!({"message": "m", "originalStatusCode": 529}), 529),
        ("someNewException", json!({"message": "m"}), 0),
    ] {
        let stream = [delta(0, &json!({"text": "x"})), exception(name, &payload.to_string()), stop("end_turn")];
        let seen = events(&stream);
        let expected = UpstreamError { status, message: "m".to_owned(), kind: Some(name.to_owned()), ..UpstreamError::default() };
        assert_eq!(seen.last(), Some(&Event::Failed(expected)), "{name}");
    }
}

#[test]
fn a_stream_is_whole_once_its_stop_was_told() {
    let text = || delta(0, &json!({"text": "x"}));
    let ends = |frames: &[Vec<u8>]| events(frames).contains(&Event::End);
    assert!(!ends(&[text()]));
    assert!(!ends(&[text(), end(0)]));
    assert!(!ends(&[text(), event("metadata", r#"{"usage":{"inputTokens":1}}"#)]));
    assert!(ends(&[text(), stop("end_turn")]), "the report is not needed");
    let both = events(&[text(), stop("end_turn"), event("metadata", "{}"), text()]);
    assert_eq!(both.iter().filter(|event| **event == Event::End).count(), 1);
    assert_eq!(both.last(), Some(&Event::End), "nothing is said after the end");
}

#[test]
fn frames_nobody_knows_are_passed_over_and_broken_ones_counted() {
    let frames =
        [event("somethingNew", "{}"), event("contentBlockDelta", "{"), event("contentBlockDelta", "{}"), event("ping", "")];
    assert_eq!(events(&frames), [Event::Malformed, Event::Malformed]);
    // A reader that comes late opens what it did not see open.
    let folded = fold(&events(&[delta(4, &json!({"toolUse": {"input": "{}"}})), end(4), stop("tool_use")]));
    assert_eq!((folded.parts, folded.stop), (vec![call("", "", "{}")], Some(StopReason::ToolCalls)));
}

#[test]
fn the_providers_own_numbers_are_kept() {
    let usage = json!({"inputTokens": 1, "outputTokens": 2, "serverToolUsage": {}});
    let (mut reader, mut decoder, mut out) = (Converse.event_reader(), Decoder::new(Framing::EventStream), vec![]);
    decoder.push(&event("metadata", &json!({"usage": usage}).to_string())).unwrap();
    reader.read(&decoder.next_frame().unwrap(), &mut out);
    assert_eq!(reader.raw_usage(), Some(&usage));
}
