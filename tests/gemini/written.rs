//! What callers get: whole answers, streams in both forms, and errors.

use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish, Stamp},
        fold::{fold, unfold},
        request::{Citation, Part, Signature, Source, ToolCall},
        response::{Choice, Response, StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, gemini::Gemini},
    error::{Error, Kind},
    units::Money,
};
use serde_json::{Value, json};

use super::{call, contents, image, model, png, read, signed, text, thought};
use crate::fold::events;

fn facts(array: bool) -> Facts {
    Facts { array, wants_usage: true, ..Facts::default() }
}

fn stamp() -> Stamp {
    Stamp { id: "minted".to_owned(), created: 1, model: "asked-for".to_owned() }
}

fn whole(response: &Response) -> Value {
    let written = Gemini.write_response(response, &Asked { stamp: stamp(), facts: &facts(false), body: &[] }, None);
    serde_json::from_str(&written).unwrap()
}

/// A stream's text, and that of each write.
fn stream(told: &[Event], finish: Option<&Finish>, array: bool, body: &[u8]) -> String {
    let facts = facts(array);
    let (mut writer, mut out) = (Gemini.event_writer(&Asked { stamp: stamp(), facts: &facts, body }), String::new());
    told.iter().for_each(|event| writer.write(event, &mut out));
    match finish {
        Some(finish) => writer.finish(finish, &mut out),
        None => writer.fail(&Error::new(Kind::Unavailable, "It broke."), &mut out),
    }
    out
}

/// The chunks of a stream of events.
fn chunks(text: &str) -> Vec<Value> {
    let frames: Vec<&str> = text.split("\r\n\r\n").collect();
    let (last, frames) = frames.split_last().unwrap();
    assert_eq!(*last, "", "every frame is whole");
    frames.iter().map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

fn ended(stop: StopReason) -> Finish {
    Finish { stop, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None }
}

fn start(block: Block, choice: usize, index: usize) -> Event {
    Event::BlockStart { choice, index, block }
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn tool(id: &str) -> Block {
    Block::ToolCall(ToolCall { id: id.to_owned(), name: "f".to_owned(), ..ToolCall::default() })
}

fn arguments(index: usize, text: &str) -> Event {
    delta(index, Delta::Arguments(text.to_owned()))
}

fn said(index: usize, text: &str) -> Event {
    delta(index, Delta::Text(text.to_owned()))
}

fn end(index: usize) -> Event {
    Event::BlockEnd { index }
}

/// All parts of the first candidate.
fn parts(text: &str) -> Vec<Value> {
    let all = chunks(text);
    let parts = all.iter().filter_map(|chunk| chunk.pointer("/candidates/0/content/parts")?.as_array());
    parts.flatten().cloned().collect()
}

fn full() -> Response {
    let citation = |url: &str, start, end| Citation { url: Some(url.to_owned()), start, end, ..Citation::default() };
    let quoted = Citation { title: Some("T".to_owned()), quote: Some("Q".to_owned()), ..Citation::default() };
    let cited = Part::Text {
        text: "Größe: 3 \u{1f600} ok".to_owned(),
        cache: None,
        citations: vec![
            citation("https://a.example", Some(7), Some(10)),
            citation("https://a.example", Some(0), Some(5)),
            quoted,
        ],
    };
    let token = |token: &str, logprob, top| TokenLogprob { token: token.to_owned(), logprob, bytes: None, top };
    Response {
        id: Some("r".to_owned()),
        model: Some("m".to_owned()),
        parts: vec![
            thought("hm", signed(Dialect::Anthropic, "A")),
            Part::RedactedReasoning { data: "R".to_owned(), dialect: Dialect::Anthropic },
            call("a", "f", "{\"b\":1,\"a\":2}", signed(Dialect::Gemini, "C")),
            call("b", "g", "{}", None),
            image(png()),
            Part::Opaque { dialect: Dialect::Gemini, value: json!({ "executableCode": { "code": "1" } }) },
            thought("", signed(Dialect::Gemini, "S")),
            cited,
        ],
        stop: StopReason::ToolCalls,
        logprobs: vec![token("G", -0.5, vec![token("G", -0.5, vec![]), token("K", -1.5, vec![])]), token("r", 0.0, vec![])],
        more: vec![Choice { parts: vec![text("second")], stop: StopReason::Length, ..Choice::default() }],
        usage: Some(Usage { input: 3, cache_read: 4, output: 9, reasoning: 2, ..Usage::default() }),
        ..Response::default()
    }
}

/// As a provider of this dialect would have said it: sealed proofs are Google's to such a reader.
fn unsealed(mut response: Response) -> Response {
    response.raw_usage = None;
    for part in &mut response.parts {
        let unseal = |sealed: &str| {
            let part = json!({ "text": "", "thought": true, "thoughtSignature": sealed });
            read(&contents(json!([{ "role": "model", "parts": [part] }]))).0.messages.remove(0).parts.remove(0)
        };
        if let Part::Reasoning { text, signature: Some(Signature { value, .. }) } = part.clone()
            && value.starts_with("cG9ydG9sYW46")
        {
            *part = unseal(&value);
            if let Part::Reasoning { text: said, .. } = part {
                *said = text;
            }
        }
    }
    response
}

#[test]
fn an_answer_is_read_back_as_it_was_written() {
    let response = full();
    let written = whole(&response);
    assert_eq!(unsealed(Gemini.read_response(&written.to_string()).unwrap()), response, "{written}");
    let (told, finish) = unfold(&response, None);
    for array in [false, true] {
        let written = stream(&told, Some(&finish), array, &[]);
        let seen = fold(events(&Gemini, [written.as_bytes()])).unwrap();
        assert_eq!(unsealed(seen), response, "{written}");
    }
}

#[test]
fn a_whole_answer_has_googles_shape() {
    let usage = Some(Usage { input: 3, cache_read: 4, cache_write: 5, output: 9, reasoning: 2, ..Usage::default() });
    let response = Response {
        id: Some("r".to_owned()),
        parts: vec![thought("hm", None), text("hi"), call("a", "f", "", None)],
        stop: StopReason::ToolCalls,
        usage,
        service_tier: Some("default".to_owned()),
        ..Response::default()
    };
    let written = Gemini.write_response(
        &response,
        &Asked { stamp: stamp(), facts: &facts(false), body: &[] },
        Some(Money(1_500_000_000_000)),
    );
    let expected = json!({
        "candidates": [{
            "content": { "parts": [
                { "text": "hm", "thought": true },
                { "text": "hi" },
                { "functionCall": { "id": "a", "name": "f", "args": {} } },
            ], "role": "model" },
            "index": 0,
            "finishReason": "STOP",
        }],
        "usageMetadata": {
            "promptTokenCount": 12, "cachedContentTokenCount": 4, "candidatesTokenCount": 7, "thoughtsTokenCount": 2,
            "totalTokenCount": 21, "cost": 1.5, "serviceTier": "standard",
        },
        "modelVersion": "asked-for",
        "responseId": "r",
    });
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), expected);
}

#[test]
fn reasons_are_googles_words_only() {
    let refusal = || vec![Part::Refusal { text: "no".to_owned() }];
    for (stop, said, expected) in [
        (StopReason::End, vec![text("x")], "STOP"),
        (StopReason::StopSequence, vec![text("x")], "STOP"),
        (StopReason::ToolCalls, vec![call("a", "f", "", None)], "STOP"),
        (StopReason::Pause, vec![], "STOP"),
        (StopReason::Length, vec![], "MAX_TOKENS"),
        (StopReason::ContentFilter, vec![], "SAFETY"),
        (StopReason::End, refusal(), "SAFETY"),
        (StopReason::Length, refusal(), "MAX_TOKENS"),
    ] {
        let written = whole(&Response { parts: said, stop, ..Response::default() });
        assert_eq!(written.pointer("/candidates/0/finishReason"), Some(&json!(expected)), "{stop:?}");
        // Google's SDK for JavaScript forgets an answer whose last chunk has no part.
        assert!(written.pointer("/candidates/0/content/parts/0").is_some(), "{stop:?}");
    }
}

#[test]
fn calls_come_whole_and_in_order() {
    let told = [
        start(tool("a"), 0, 0),
        start(tool("b"), 0, 1),
        arguments(1, "{\"n\":"),
        arguments(0, "{\"m\""),
        arguments(1, "2}"),
        end(1),
        arguments(0, ":1}"),
        end(0),
        start(tool("c"), 0, 2),
        end(2),
    ];
    let written = stream(&told, Some(&ended(StopReason::ToolCalls)), false, &[]);
    let named = |id: &str, args: Value| json!({ "functionCall": { "id": id, "name": "f", "args": args } });
    let expected = [named("a", json!({ "m": 1 })), named("b", json!({ "n": 2 })), named("c", json!({})), json!({ "text": "" })];
    assert_eq!(parts(&written), expected);
    let all = chunks(&written);
    let reasons: Vec<_> = all.iter().filter_map(|chunk| chunk.pointer("/candidates/0/finishReason")).collect();
    assert_eq!(reasons, [&json!("STOP")], "one, in the last chunk");
    assert!(all.last().unwrap().get("usageMetadata").is_some());
    // What is not complete is not told when the stream breaks, and told as it is when the provider forgot to close it.
    let open = [start(tool("a"), 0, 0), arguments(0, "{\"m\":1}")];
    assert!(!stream(&open, None, false, &[]).contains("functionCall"));
    assert_eq!(parts(&stream(&open, Some(&ended(StopReason::ToolCalls)), false, &[])), [named("a", json!({ "m": 1 }))]);
    let broken = [start(tool("a"), 0, 0), arguments(0, "{\"m\":"), end(0)];
    let kept = named("a", json!({ "_raw": "{\"m\":" }));
    assert_eq!(parts(&stream(&broken, Some(&ended(StopReason::Length)), false, &[]))[0], kept);
}

#[test]
fn every_chunk_names_its_answer() {
    let told = [
        Event::Start { id: Some("r".to_owned()), model: None },
        start(Block::Text, 0, 0),
        said(0, "a"),
        said(0, ""),
        said(0, "b"),
        end(0),
    ];
    let written = stream(&told, Some(&ended(StopReason::End)), false, &[]);
    let named = |candidate: Value| json!({ "candidates": [candidate], "modelVersion": "asked-for", "responseId": "r" });
    let piece = |text: &str| named(json!({ "content": { "parts": [{ "text": text }], "role": "model" }, "index": 0 }));
    let mut last =
        named(json!({ "content": { "parts": [{ "text": "" }], "role": "model" }, "index": 0, "finishReason": "STOP" }));
    let usage = json!({ "promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0 });
    last.as_object_mut().unwrap().insert("usageMetadata".to_owned(), usage);
    assert_eq!(chunks(&written), [piece("a"), piece("b"), last]);
    assert!(!written.contains("[DONE]"));
}

#[test]
fn an_array_grows_item_by_item() {
    let told = [start(Block::Text, 0, 0), said(0, "a"), said(0, "b")];
    let facts = facts(true);
    let mut writer = Gemini.event_writer(&Asked { stamp: stamp(), facts: &facts, body: &[] });
    let mut pieces = vec![];
    for event in &told {
        let mut out = String::new();
        writer.write(event, &mut out);
        pieces.push(out);
    }
    assert_eq!(pieces[0], "");
    assert!(pieces[1].starts_with("[{") && pieces[1].ends_with('}'), "{}", pieces[1]);
    assert!(pieces[2].starts_with(",\r\n{") && pieces[2].ends_with('}'), "{}", pieces[2]);
    let items = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap();
    let whole = items(&stream(&told, Some(&ended(StopReason::End)), true, &[]));
    assert_eq!(whole.len(), 3);
    assert_eq!(items(&stream(&[], Some(&ended(StopReason::End)), true, &[])).len(), 1);
    // Broken: the last item is the error, and none has a reason to be the end.
    let error = json!({ "error": { "code": 503, "message": "It broke.", "status": "UNAVAILABLE" } });
    for told in [&told[..], &[]] {
        let broken = stream(told, None, true, &[]);
        assert_eq!(items(&broken).last(), Some(&error));
        assert!(!broken.contains("finishReason"));
        assert!(fold(events(&Gemini, [broken.as_bytes()])).is_err());
    }
    let broken = chunks(&stream(&told, None, false, &[]));
    assert_eq!(broken.last(), Some(&error));
    assert_eq!(Gemini.terminal(), "");
}

#[test]
fn thoughts_are_shown_to_who_asked() {
    let response = || Response {
        parts: vec![
            thought("hm", signed(Dialect::Anthropic, "A")),
            thought("", signed(Dialect::Gemini, "S")),
            text("x"),
            call("a", "f", "", signed(Dialect::Gemini, "C")),
        ],
        ..Response::default()
    };
    let sealed = "cG9ydG9sYW46YW50aHJvcGljOkE=";
    let shown = json!({ "text": "hm", "thought": true, "thoughtSignature": sealed });
    let rest = [
        json!({ "text": "x", "thoughtSignature": "S" }),
        json!({ "functionCall": { "id": "a", "name": "f", "args": {} }, "thoughtSignature": "C" }),
    ];
    for (body, is_shown) in [
        ("", true),
        (r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}"#, true),
        (r#"{"generation_config":{"thinking_config":{"include_thoughts":true}}}"#, true),
        (r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":false}}}"#, false),
        (r#"{"contents":[]}"#, false),
    ] {
        let facts = facts(false);
        let asked = Asked { stamp: stamp(), facts: &facts, body: body.as_bytes() };
        let written: Value = serde_json::from_str(&Gemini.write_response(&response(), &asked, None)).unwrap();
        let expected: Vec<Value> = is_shown.then(|| shown.clone()).into_iter().chain(rest.clone()).collect();
        assert_eq!(written.pointer("/candidates/0/content/parts"), Some(&json!(expected)), "{body}");
        let (told, finish) = unfold(&response(), None);
        let streamed = parts(&stream(&told, Some(&finish), false, body.as_bytes()));
        assert_eq!(streamed.iter().any(|part| part.get("thought").is_some()), is_shown, "{body}");
    }
}

#[test]
fn foreign_proofs_come_back_on_their_parts() {
    let of = |dialect, value: &str| signed(dialect, value);
    let said = vec![
        thought("hm", of(Dialect::Anthropic, "Ab+/=")),
        text("a"),
        thought("", of(Dialect::Anthropic, "omitted")),
        Part::RedactedReasoning { data: "secret".to_owned(), dialect: Dialect::Anthropic },
        call("x", "f", "{\"n\":1}", of(Dialect::OpenAiChat, "enc:rypted")),
        thought("", of(Dialect::Gemini, "S")),
        image(png()),
        call("y", "f", "{}", of(Dialect::Gemini, "T")),
        thought("", of(Dialect::Gemini, "U")),
    ];
    let response = Response { parts: said.clone(), ..Response::default() };
    let (told, finish) = unfold(&response, None);
    let written = whole(&response);
    let whole = written.pointer("/candidates/0/content/parts").cloned().unwrap();
    let streamed = json!(parts(&stream(&told, Some(&finish), false, &[])));
    for parts in [whole, streamed] {
        for part in parts.as_array().unwrap() {
            let proof = part.get("thoughtSignature").and_then(Value::as_str).unwrap_or_default();
            let is_base64 = proof.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
            assert!(is_base64, "SDKs decode it: {proof}");
        }
        let body = contents(json!([{ "role": "model", "parts": parts }]));
        assert_eq!(read(&body).0.messages, [model(said.clone())], "{body}");
    }
}

#[test]
fn several_answers_are_several_candidates() {
    let told = [start(Block::Text, 0, 0), start(Block::Text, 1, 1), said(1, "b"), said(0, "a"), end(0), end(1)];
    let finish = Finish { more: vec![(1, StopReason::Length)], ..ended(StopReason::End) };
    let all = chunks(&stream(&told, Some(&finish), false, &[]));
    let at = |chunk: &Value, key: &str| chunk.pointer(&format!("/candidates/0/{key}")).cloned().unwrap();
    assert_eq!([&all[0], &all[1]].map(|chunk| at(chunk, "index")), [json!(1), json!(0)]);
    let reasons = ["/candidates/0/finishReason", "/candidates/1/finishReason"].map(|path| all[2].pointer(path).cloned());
    assert_eq!(reasons, [Some(json!("STOP")), Some(json!("MAX_TOKENS"))]);
}

#[test]
fn sounds_keep_their_words() {
    let source = Source::Inline { media_type: "audio/wav".to_owned(), data: "AAAA".to_owned() };
    let spoken = Part::Audio { source, transcript: Some("hello".to_owned()) };
    let response = Response { parts: vec![spoken], ..Response::default() };
    let expected = json!([{ "inlineData": { "mimeType": "audio/wav", "data": "AAAA" } }, { "text": "hello" }]);
    assert_eq!(whole(&response).pointer("/candidates/0/content/parts"), Some(&expected));
    let told = [
        start(Block::Audio { media_type: "audio/wav".to_owned() }, 0, 0),
        delta(0, Delta::Audio("AAAA".to_owned())),
        said(0, "hel"),
        said(0, "lo"),
        end(0),
    ];
    let written = parts(&stream(&told, Some(&ended(StopReason::End)), false, &[]));
    assert_eq!(json!(written[..2]), expected);
}
