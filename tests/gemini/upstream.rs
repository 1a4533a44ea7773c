//! What Gemini can be told beyond text and tools, what it answers beyond them, and bodies that pass as they are.

use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event},
        profile::{Profile, Thinking},
        request::{Citation, Effort, Format, Part, Reasoning, Request, Source, Tool, ToolCall, ToolChoice},
        response::{Choice, StopReason, TokenLogprob},
    },
    dialect::{Upstream, gemini::Gemini},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

use super::{call, image, model, request, signed, text, thought, user, written};
use crate::fold;

fn for_profile(asked: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let written = Gemini.write_request(asked, profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

fn go() -> Request {
    request(vec![user(vec![text("go")])])
}

#[test]
fn all_that_it_can_be_told_is_told() {
    let config = |body: &Value| body.get("generationConfig").cloned().unwrap_or_default();
    for (asked, expected) in [
        (Request { n: Some(2), ..go() }, json!({ "candidateCount": 2 })),
        (Request { logprobs: true, top_logprobs: Some(3), ..go() }, json!({ "responseLogprobs": true, "logprobs": 3 })),
        (
            Request { modalities: vec!["text".to_owned(), "image".to_owned()], ..go() },
            json!({ "responseModalities": ["TEXT", "IMAGE"] }),
        ),
        (Request { show_reasoning: Some(true), ..go() }, json!({ "thinkingConfig": { "includeThoughts": true } })),
        (
            Request { show_reasoning: Some(false), reasoning: Some(Reasoning::Budget(9)), ..go() },
            json!({ "thinkingConfig": { "thinkingBudget": 9, "includeThoughts": false } }),
        ),
        (Request { n: Some(1), service_tier: Some("auto".to_owned()), store: Some(false), ..go() }, json!(null)),
    ] {
        let (body, dropped) = written(&asked);
        assert_eq!((config(&body), dropped), (expected, vec![]), "{asked:?}");
    }
    for (tier, expected, dropped) in [
        ("default", Some("standard"), vec![]),
        ("flex", Some("flex"), vec![]),
        ("priority", Some("priority"), vec![]),
        ("scale", None, vec!["service_tier".to_owned()]),
    ] {
        let (body, lost) = written(&Request { service_tier: Some(tier.to_owned()), ..go() });
        assert_eq!((body.get("serviceTier").and_then(Value::as_str), lost), (expected, dropped), "{tier}");
    }
    let asked = Request {
        verbosity: Some("low".to_owned()),
        store: Some(true),
        metadata: Some(json!({ "a": "b" })),
        cache_key: Some("k".to_owned()),
        ..go()
    };
    assert_eq!(written(&asked).1, ["verbosity", "store", "metadata", "cache_key"]);
}

#[test]
fn video_and_words_said_aloud_are_parts() {
    let url = Source::Url("https://www.youtube.com/watch?v=x".to_owned());
    let parts = vec![
        Part::Video { source: url, fps: Some(5.into()) },
        Part::Video { source: Source::Inline { media_type: "video/mp4".to_owned(), data: "AAAA".to_owned() }, fps: None },
    ];
    let sound = || Source::Inline { media_type: "audio/wav".to_owned(), data: "AAAA".to_owned() };
    let spoken = Part::Audio { source: sound(), transcript: Some("hello".to_owned()) };
    let (body, dropped) = written(&request(vec![user(parts), model(vec![spoken])]));
    let expected = json!([
        { "role": "user", "parts": [
            { "fileData": { "mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=x" }, "videoMetadata": { "fps": 5 } },
            { "inlineData": { "mimeType": "video/mp4", "data": "AAAA" } },
        ] },
        { "role": "model", "parts": [{ "text": "hello" }] },
    ]);
    assert_eq!((body.get("contents"), dropped), (Some(&expected), vec!["messages[].parts[].audio".to_owned()]));
}

#[test]
fn tools_of_free_text_have_a_stand_in() {
    let tool = Tool::Custom { name: "patch".to_owned(), description: Some("Applies it.".to_owned()), format: None };
    let asked = ToolCall {
        id: "a".to_owned(),
        name: "patch".to_owned(),
        arguments: "*** {x".to_owned(),
        custom: true,
        ..ToolCall::default()
    };
    let among = ToolChoice::Among { names: vec!["patch".to_owned()], required: false };
    let said = vec![user(vec![text("go")]), model(vec![Part::ToolCall(asked)])];
    let (body, dropped) = written(&Request { tools: vec![tool], tool_choice: Some(among), ..request(said) });
    let schema = json!({ "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"] });
    let declared =
        json!([{ "functionDeclarations": [{ "name": "patch", "description": "Applies it.", "parametersJsonSchema": schema }] }]);
    assert_eq!((body.get("tools"), dropped), (Some(&declared), vec![]));
    assert_eq!(body.pointer("/contents/1/parts/0/functionCall/args"), Some(&json!({ "input": "*** {x" })));
    let calling = json!({ "mode": "VALIDATED", "allowedFunctionNames": ["patch"] });
    assert_eq!(body.pointer("/toolConfig/functionCallingConfig"), Some(&calling));
}

#[test]
fn the_profile_says_what_a_target_takes() {
    let thinking = |thinking| Profile { thinking, ..Profile::DEFAULT };
    let low = || Some(Reasoning::Effort(Effort::Low));
    for (name, profile, expected, lost) in [
        ("some-deployment", thinking(Thinking::Budget), json!({ "thinkingBudget": 1024, "includeThoughts": true }), vec![]),
        ("some-deployment", thinking(Thinking::Effort), json!({ "thinkingLevel": "LOW", "includeThoughts": true }), vec![]),
        ("gemini-3-pro", thinking(Thinking::None), json!(null), vec!["reasoning"]),
        ("gemma-3", thinking(Thinking::Effort), json!(null), vec!["reasoning"]),
    ] {
        let (body, dropped) = for_profile(&Request { model: name.to_owned(), reasoning: low(), ..go() }, &profile);
        let config = body.pointer("/generationConfig/thinkingConfig").cloned().unwrap_or_default();
        assert_eq!((config, dropped), (expected, lost.into_iter().map(str::to_owned).collect()), "{name} {profile:?}");
    }
    let schema = Some(Format::Schema { name: None, description: None, schema: json!({}), strict: None });
    let tool = Tool::Function { name: "f".to_owned(), description: None, parameters: None, strict: None, cache: None };
    let asked = Request {
        temperature: Some(1.into()),
        max_tokens: Some(100),
        format: schema,
        tools: vec![tool],
        tool_choice: Some(ToolChoice::Required),
        ..request(vec![user(vec![text("go"), image(Source::Url("https://x.example/a.png".to_owned()))])])
    };
    let bare = Profile {
        sampling: false,
        json_schema: false,
        tool_choice: false,
        image_urls: false,
        max_output: Some(50),
        ..Profile::DEFAULT
    };
    let (body, dropped) = for_profile(&asked, &bare);
    assert_eq!(body.get("generationConfig"), Some(&json!({ "maxOutputTokens": 50, "responseMimeType": "application/json" })));
    assert_eq!(body.get("toolConfig"), None);
    assert_eq!(dropped, ["messages[].parts[].image", "tool_choice", "temperature", "format.schema"]);
}

#[test]
fn what_others_signed_stays_away_from_google() {
    let sealed = "cG9ydG9sYW46YW50aHJvcGljOkE=";
    let parts = json!([
        { "text": "hm", "thought": true, "thoughtSignature": sealed },
        { "text": "x", "thoughtSignature": sealed },
        { "text": "own", "thoughtSignature": "S" },
        { "functionCall": { "name": "f" }, "thoughtSignature": sealed },
        { "function_call": { "name": "g" }, "thought_signature": sealed },
    ]);
    let body = json!({ "a": 1.0, "contents": [{ "parts": [{ "text": "hi" }] }, { "role": "model", "parts": parts }, { "role": "model", "parts": [parts[0]] }], "z": [] }).to_string();
    let edited = |body: &str, name: &str| {
        let outline = Outline::read(body.as_bytes()).unwrap();
        join(body, &outline.edit(&Gemini.edits(&outline, name, true)))
    };
    for (name, proof) in [("gemini-2.5-flash", None), ("gemini-3-pro", Some("skip_thought_signature_validator"))] {
        let value: Value = serde_json::from_str(&edited(&body, name)).unwrap();
        let mut calls = json!([{ "functionCall": { "name": "f" } }, { "function_call": { "name": "g" } }]);
        if let Some(proof) = proof {
            calls[0]["thoughtSignature"] = json!(proof);
            calls[1]["thought_signature"] = json!(proof);
        }
        let kept = json!([{ "text": "x" }, { "text": "own", "thoughtSignature": "S" }, calls[0], calls[1]]);
        let expected =
            json!({ "a": 1.0, "contents": [{ "parts": [{ "text": "hi" }] }, { "role": "model", "parts": kept }], "z": [] });
        assert_eq!(value, expected, "{name}");
    }
    for untouched in
        [r#"{ "contents" : [ {"parts":[{"thoughtSignature":"S","text":"a"}]} ] }"#, "{}", r#"{"contents":"cG9ydG9sYW46"}"#]
    {
        assert_eq!(edited(untouched, "gemini-3-pro"), untouched);
    }
}

fn answer(candidates: Value) -> String {
    json!({ "candidates": candidates, "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 2, "serviceTier": "standard" } }).to_string()
}

#[test]
fn sources_are_counted_in_characters() {
    let metadata = json!({
        "groundingChunks": [{ "web": { "uri": "https://a.example", "title": "A" } }, { "retrievedContext": { "text": "Q", "title": "B" } }, { "maps": { "uri": "https://m.example" } }],
        "groundingSupports": [
            { "segment": { "startIndex": 9, "endIndex": 13, "text": "3 km" }, "groundingChunkIndices": [0, 1] },
            { "segment": { "endIndex": 700, "text": "Größe" }, "groundingChunkIndices": [0] },
            { "segment": { "endIndex": 3 }, "groundingChunkIndices": [0, 7] },
        ],
    });
    let body = answer(json!([{
        "content": { "parts": [{ "text": "Größe: " }, { "text": "3 km." }, { "text": "" }] },
        "finishReason": "STOP",
        "groundingMetadata": metadata,
        "citationMetadata": { "citationSources": [{ "endIndex": 7, "uri": "https://c.example", "license": "MIT" }, { "endIndex": 4000, "uri": "https://d.example" }, {}] },
    }]));
    let at = |url: Option<&str>, title: Option<&str>, range: Option<(u64, u64)>| Citation {
        url: url.map(str::to_owned),
        title: title.map(str::to_owned),
        start: range.map(|range| range.0),
        end: range.map(|range| range.1),
        ..Citation::default()
    };
    let a = |range| at(Some("https://a.example"), Some("A"), range);
    let quoted = Citation { quote: Some("Q".to_owned()), ..at(None, Some("B"), Some((7, 11))) };
    let expected = vec![
        a(Some((7, 11))),
        quoted,
        // Its words are there, though not where it says.
        a(Some((0, 5))),
        // In the midst of a character.
        a(None),
        at(Some("https://m.example"), None, None),
        at(Some("https://c.example"), None, Some((0, 5))),
        at(Some("https://d.example"), None, None),
    ];
    let read = Gemini.read_response(&body).unwrap();
    assert_eq!(read.parts, [Part::Text { text: "Größe: 3 km.".to_owned(), cache: None, citations: expected }]);
    assert_eq!(read.service_tier.as_deref(), Some("default"));
    assert_eq!(read.raw_usage.unwrap()["candidatesTokenCount"], 2);
}

fn sse(chunks: &[Value]) -> Vec<Event> {
    let text: String = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
    fold::events(&Gemini, [text.as_bytes()])
}

#[test]
fn sources_of_a_stream_come_on_its_text() {
    let grounding = json!({ "groundingChunks": [{ "web": { "uri": "https://a.example" } }], "groundingSupports": [{ "segment": { "startIndex": 1, "endIndex": 3, "text": "bc" }, "groundingChunkIndices": [0] }] });
    let piece = |parts: Value| json!({ "candidates": [{ "content": { "parts": parts } }] });
    let last = |parts: Value| json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": "STOP", "groundingMetadata": grounding }] });
    let cited = |start, end| Citation { url: Some("https://a.example".to_owned()), start, end, ..Citation::default() };
    let on = |said: &str, start, end| Part::Text { text: said.to_owned(), cache: None, citations: vec![cited(start, end)] };
    for (rule, chunks, expected) in [
        (
            "with an empty text",
            vec![piece(json!([{ "text": "ab" }])), piece(json!([{ "text": "c" }])), last(json!([{ "text": "" }]))],
            vec![on("abc", Some(1), Some(3))],
        ),
        (
            "with the last of it",
            vec![piece(json!([{ "text": "ab" }])), last(json!([{ "text": "c" }]))],
            vec![on("abc", Some(1), Some(3))],
        ),
        (
            "with a signature that ends it",
            vec![piece(json!([{ "text": "abc" }])), last(json!([{ "text": "", "thoughtSignature": "S" }]))],
            vec![on("abc", Some(1), Some(3)), thought("", signed(Dialect::Gemini, "S"))],
        ),
        (
            "behind a call: on a text of its own, told once",
            vec![
                piece(json!([{ "text": "abc" }, { "functionCall": { "id": "a", "name": "f" } }])),
                last(json!([])),
                last(json!([])),
            ],
            vec![text("abc"), call("a", "f", "{}", None), on("", None, None)],
        ),
    ] {
        assert_eq!(portolan::chat::fold::fold(sse(&chunks)).unwrap().parts, expected, "{rule}");
        fold::fold(&sse(&chunks));
    }
}

#[test]
fn likelihoods_come_with_their_text() {
    let tokens = |token: &str| json!({ "chosenCandidates": [{ "token": token, "tokenId": 1, "logProbability": -0.5 }], "topCandidates": [{ "candidates": [{ "token": "z", "logProbability": -0.25 }] }] });
    let chunk = |said: &str, reason: Value| json!({ "candidates": [{ "content": { "parts": [{ "text": said }] }, "finishReason": reason, "logprobsResult": tokens(said) }] });
    let plain = |token: &str, logprob| TokenLogprob { token: token.to_owned(), logprob, bytes: None, top: vec![] };
    let token = |said: &str| TokenLogprob { top: vec![plain("z", -0.25)], ..plain(said, -0.5) };
    let streamed = portolan::chat::fold::fold(sse(&[chunk("a", json!(null)), chunk("b", json!("STOP"))])).unwrap();
    assert_eq!(streamed.logprobs, [token("a"), token("b")]);
    let whole = Gemini.read_response(&chunk("a", json!("STOP")).to_string()).unwrap();
    assert_eq!(whole.logprobs, [token("a")]);
}

#[test]
fn several_answers_are_several_choices() {
    let candidate = |index: u64, said: &str, reason: &str| json!({ "index": index, "content": { "parts": [{ "text": said }, { "functionCall": { "id": said, "name": "f" } }] }, "finishReason": reason });
    let read = Gemini.read_response(&answer(json!([candidate(0, "a", "STOP"), candidate(1, "b", "MAX_TOKENS")]))).unwrap();
    assert_eq!((read.parts, read.stop), (vec![text("a"), call("a", "f", "{}", None)], StopReason::ToolCalls));
    let more = Choice { parts: vec![text("b"), call("b", "f", "{}", None)], stop: StopReason::Length, ..Choice::default() };
    assert_eq!(read.more, [more]);
}

#[test]
fn sounds_in_pieces_are_one_sound() {
    let piece = |data: &str, reason: Value| json!({ "candidates": [{ "content": { "parts": [{ "inlineData": { "mimeType": "audio/L16;rate=24000", "data": data } }] }, "finishReason": reason }] });
    for (pieces, expected) in [
        (["AAAA", "BBBB"], "AAAABBBB"),
        // `f`, `oo`: padded apart, they cannot stand side by side.
        (["Zg==", "b28="], "Zm9v"),
        (["Zg==", "bw=="], "Zm8="),
        (["AAAA", "Zg=="], "AAAAZg=="),
    ] {
        let events = sse(&[piece(pieces[0], json!(null)), piece(pieces[1], json!("STOP"))]);
        let starts = events.iter().filter(|event| matches!(event, Event::BlockStart { block: Block::Audio { .. }, .. })).count();
        let data: String = events
            .iter()
            .filter_map(
                |event| if let Event::BlockDelta { delta: Delta::Audio(data), .. } = event { Some(data.as_str()) } else { None },
            )
            .collect();
        assert_eq!((starts, data.as_str()), (1, expected), "{pieces:?}");
    }
}

#[test]
fn signed_stretches_of_one_text_stay_apart() {
    let parts = json!([
        { "text": "a" },
        { "text": "b", "thoughtSignature": "S" },
        { "text": "c" },
        { "text": "", "thoughtSignature": "T" },
        { "text": "d" },
        { "text": "e", "thoughtSignature": "U" },
    ]);
    let body = json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": "STOP" }] });
    let one_by_one: Vec<Value> =
        parts.as_array().unwrap().iter().map(|part| json!({ "candidates": [{ "content": { "parts": [part] } }] })).collect();
    let end = json!({ "candidates": [{ "finishReason": "STOP" }] });
    let streamed = portolan::chat::fold::fold(sse(&[one_by_one, vec![end]].concat())).unwrap();
    for read in [Gemini.read_response(&body.to_string()).unwrap(), streamed] {
        let (body, lost) = written(&request(vec![user(vec![text("go")]), model(read.parts)]));
        assert_eq!((body.pointer("/contents/1/parts"), lost), (Some(&parts), vec![]));
    }
}

#[test]
fn the_providers_own_numbers_are_kept() {
    let mut reader = Gemini.event_reader();
    assert_eq!(reader.raw_usage(), None);
    let mut frames = portolan::wire::sse::Frames::default();
    frames.push(b"data: {\"usageMetadata\":{\"promptTokenCount\":1}}\n\ndata: {\"usageMetadata\":{\"promptTokenCount\":1,\"odd\":2}}\n\n").unwrap();
    while let Some(frame) = frames.next_frame() {
        reader.read(&frame, &mut vec![]);
    }
    assert_eq!(reader.raw_usage(), Some(&json!({ "promptTokenCount": 1, "odd": 2 })));
}
