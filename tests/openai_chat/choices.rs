//! Several answers to one question, and what stands beside an answer's text.

use portolan::{
    chat::{
        event::{Event, Stamp},
        fold,
        request::{Citation, Part, Source, ToolCall},
        response::{Choice, Response, StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_chat::OpenAiChat},
    wire::sse::Frames,
};
use serde_json::{Value, json};

use super::show;
use crate::fold::events;

const DONE: &str = "data: [DONE]\n\n";

fn stream(chunks: &[Value]) -> String {
    let chunks: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    chunks + DONE
}

fn chunk(choices: Value) -> Value {
    json!({"id": "chatcmpl-1", "model": "m", "choices": choices})
}

/// The answer that a stream tells, the same however it is cut.
fn told(text: &str) -> Response {
    let whole = events(&OpenAiChat, [text.as_bytes()]);
    assert_eq!(events(&OpenAiChat, text.as_bytes().chunks(1)), whole, "byte by byte");
    fold::fold(whole).unwrap()
}

fn asked<'a>(facts: &'a Facts, body: &'a str) -> Asked<'a> {
    let stamp = Stamp { id: "chatcmpl-minted".into(), created: 7, model: "asked-for".into() };
    Asked { stamp, facts, body: body.as_bytes() }
}

fn written(response: &Response, body: &str) -> Value {
    serde_json::from_str(&OpenAiChat.write_response(response, &asked(&Facts::default(), body), None)).unwrap()
}

fn streamed(response: &Response, body: &str) -> String {
    let facts = Facts { wants_usage: true, ..Facts::default() };
    let (mut writer, mut out) = (OpenAiChat.event_writer(&asked(&facts, body)), String::new());
    let (told, finish) = fold::unfold(response, None);
    for event in &told {
        writer.write(event, &mut out);
    }
    writer.finish(&finish, &mut out);
    out
}

/// The deltas of a written stream, one answer's.
fn deltas(text: &str, index: u64) -> Vec<Value> {
    let (mut frames, mut out) = (Frames::default(), vec![]);
    frames.push(text.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        let Ok(value) = serde_json::from_str::<Value>(&frame.data.unwrap_or_default()) else { continue };
        for choice in value["choices"].as_array().unwrap().iter().filter(|choice| choice["index"] == index) {
            let mut delta = choice["delta"].clone();
            if !choice["finish_reason"].is_null() {
                delta["finish"] = choice["finish_reason"].clone();
            }
            out.push(delta);
        }
    }
    out
}

fn token(token: &str, logprob: f64, top: Vec<TokenLogprob>) -> TokenLogprob {
    TokenLogprob { token: token.into(), logprob, bytes: Some(token.as_bytes().to_vec()), top }
}

fn cited(text: &str, citations: Vec<Citation>) -> Part {
    Part::Text { text: text.into(), cache: None, citations }
}

fn link(url: &str, place: Option<(u64, u64)>) -> Citation {
    let (start, end) = place.unzip();
    Citation { url: Some(url.into()), title: Some("t".into()), start, end, ..Citation::default() }
}

fn call(id: &str, name: &str, arguments: &str, custom: bool) -> Part {
    let (id, name, arguments) = (id.into(), name.into(), arguments.into());
    Part::ToolCall(ToolCall { id, name, arguments, custom, ..ToolCall::default() })
}

/// Two answers with all that can stand in one.
fn rich() -> Response {
    Response {
        id: Some("chatcmpl-1".into()),
        model: Some("m".into()),
        parts: vec![cited("Grüße", vec![link("https://a", Some((0, 3)))]), call("c1", "f", "{}", false)],
        stop: StopReason::ToolCalls,
        logprobs: vec![token("Grüße", -0.5, vec![token("Hi", -1.25, vec![])])],
        more: vec![
            Choice {
                parts: vec![Part::text("b"), call("c1", "f", r#"{"a":1}"#, false), call("c2", "p", "*** \"x\"", true)],
                stop: StopReason::ToolCalls,
                ..Choice::default()
            },
            Choice { parts: vec![Part::Refusal { text: "no".into() }], stop: StopReason::Length, ..Choice::default() },
        ],
        usage: Some(Usage { input: 3, output: 2, ..Usage::default() }),
        ..Response::default()
    }
}

/// Without what only says how the provider wrote it.
fn plain(mut response: Response) -> Response {
    response.raw_usage = None;
    for part in &mut response.parts {
        if let Part::Text { citations, .. } = part {
            citations.iter_mut().for_each(|citation| citation.native = None);
        }
    }
    response
}

#[test]
fn several_answers_survive_whole_and_in_pieces() {
    let response = rich();
    let whole = OpenAiChat.read_response(&written(&response, "{}").to_string()).unwrap();
    assert!(whole.raw_usage.is_some());
    assert_eq!(plain(whole), response);
    assert_eq!(plain(told(&streamed(&response, "{}"))), response);
}

#[test]
fn interleaved_answers_keep_apart() {
    let piece = |place: u64, delta: Value| chunk(json!([{"index": place, "delta": delta, "finish_reason": null}]));
    let stop = |place: u64, why: &str| chunk(json!([{"index": place, "delta": {}, "finish_reason": why}]));
    let called = |arguments: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]});
    let first = json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]});
    let response = told(&stream(&[
        piece(0, json!({"role": "assistant", "content": "a"})),
        piece(1, first.clone()),
        piece(0, json!({"content": "b"})),
        piece(2, first),
        piece(1, called("{\"x\"")),
        piece(2, called("{}")),
        piece(1, called(":1}")),
        stop(2, "stop"),
        stop(0, "length"),
        stop(1, "tool_calls"),
        json!({"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}}),
    ]));
    assert_eq!((show(&response.parts).as_str(), response.stop), ("text ab", StopReason::Length));
    let more: Vec<_> = response.more.iter().map(|choice| (show(&choice.parts), choice.stop)).collect();
    assert_eq!(
        more,
        [(r#"call c f {"x":1}"#.to_owned(), StopReason::ToolCalls), ("call c f {}".to_owned(), StopReason::ToolCalls)]
    );
    assert_eq!(response.usage.map(|usage| usage.output), Some(9));
    // Not whole until each of them has stopped.
    for (chunks, ended) in
        [(vec![stop(0, "stop"), piece(1, json!({"content": "b"}))], false), (vec![stop(0, "stop"), stop(1, "stop")], true)]
    {
        let text = stream(&chunks).replace(DONE, "");
        assert_eq!(events(&OpenAiChat, [text.as_bytes()]).contains(&Event::End), ended, "{text}");
    }
}

#[test]
fn sources_are_cited_wherever_they_are_told() {
    let native = json!({"type": "url_citation", "url_citation": {"url": "https://a", "title": "t", "start_index": 1, "end_index": 2, "content": "q"}});
    let message = |message: Value, beside: Value| {
        let mut body = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
        body.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        body
    };
    let lists = json!({"citations": ["https://x", "https://y"]});
    let results = json!({"citations": ["https://x"], "search_results": [{"title": "T", "url": "https://z", "snippet": "s"}]});
    for (body, expected) in [
        (message(json!({"content": "abc", "annotations": [native]}), json!({})), "text abc <https://a 1-2>"),
        (message(json!({"content": "abc", "annotations": []}), lists.clone()), "text abc <https://x -> <https://y ->"),
        (message(json!({"content": "abc"}), results.clone()), "text abc <https://z ->"),
        (message(json!({"content": "abc", "annotations": [native]}), lists.clone()), "text abc <https://a 1-2>"),
    ] {
        assert_eq!(show(&OpenAiChat.read_response(&body.to_string()).unwrap().parts), expected, "{body}");
    }
    // In a stream: as they come; lists beside every chunk once, and the last of them.
    let with = |delta: Value, finish: Value, beside: &Value| {
        let mut chunk = chunk(json!([{"index": 0, "delta": delta, "finish_reason": finish}]));
        chunk.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        chunk
    };
    for (chunks, expected) in [
        (
            vec![
                with(json!({"content": "ab"}), Value::Null, &json!({})),
                with(json!({"content": "", "annotations": [native]}), Value::Null, &json!({})),
                with(json!({}), json!("stop"), &json!({})),
            ],
            "text ab <https://a 1-2>",
        ),
        (
            vec![
                with(json!({"content": "a"}), Value::Null, &lists),
                with(json!({"content": "b"}), Value::Null, &results),
                with(json!({}), json!("stop"), &results),
            ],
            "text ab <https://z ->",
        ),
        // Places count the whole answer; a block's own begin with it.
        (
            vec![
                with(json!({"content": "é"}), Value::Null, &json!({})),
                with(json!({"reasoning_content": "hm"}), Value::Null, &json!({})),
                with(json!({"content": "bc", "annotations": [native]}), json!("stop"), &json!({})),
            ],
            "text é | think hm | text bc <https://a 0-1>",
        ),
    ] {
        assert_eq!(show(&told(&stream(&chunks)).parts), expected, "{chunks:?}");
    }
}

#[test]
fn citations_are_written_with_the_places_of_the_whole_answer() {
    let parts = vec![
        cited("Grüße. ", vec![link("https://a", None)]),
        cited("More.", vec![link("https://b", Some((1, 3))), Citation { title: Some("no link".into()), ..Citation::default() }]),
    ];
    let response = Response { parts, ..Response::default() };
    let note = |url: &str, start: u64, end: u64| json!({"type": "url_citation", "url_citation": {"url": url, "title": "t", "start_index": start, "end_index": end}});
    let message = &written(&response, "")["choices"][0]["message"];
    assert_eq!(message["content"], "Grüße. More.");
    assert_eq!(message["annotations"], json!([note("https://a", 0, 7), note("https://b", 8, 10)]));
    let deltas = deltas(&streamed(&response, ""), 0);
    let notes: Vec<&Value> = deltas.iter().filter_map(|delta| delta.get("annotations")).collect();
    assert_eq!(notes, [&json!([note("https://a", 0, 7)]), &json!([note("https://b", 8, 10)])]);
}

#[test]
fn log_probabilities_come_in_both_shapes() {
    let today = json!({"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -1.5, "bytes": null}]}], "refusal": null});
    let old = json!({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -1.5}], "text_offset": [0]});
    let plain = |name: &str, logprob, top| TokenLogprob { token: name.into(), logprob, bytes: None, top };
    let top = || vec![plain("b", -1.5, vec![])];
    for (logprobs, expected) in [
        (today, vec![TokenLogprob { bytes: Some(vec![97]), ..plain("a", -0.5, top()) }]),
        (old, vec![plain("a", -0.5, top())]),
        (json!({"tokens": ["a"], "token_logprobs": [null], "top_logprobs": null}), vec![plain("a", 0.0, vec![])]),
        (json!({"tokens": null, "token_logprobs": null}), vec![]),
        (Value::Null, vec![]),
    ] {
        let body = json!({"choices": [{"message": {"content": "a"}, "logprobs": logprobs, "finish_reason": "stop"}]});
        assert_eq!(OpenAiChat.read_response(&body.to_string()).unwrap().logprobs, expected, "{logprobs}");
        let chunks = [chunk(json!([{"index": 0, "delta": {"content": "a"}, "logprobs": logprobs, "finish_reason": "stop"}]))];
        assert_eq!(told(&stream(&chunks)).logprobs, expected, "{logprobs}");
    }
    assert_eq!(written(&Response::default(), "")["choices"][0]["logprobs"], Value::Null);
}

#[test]
fn sound_is_carried_with_its_words() {
    let said = |data: &str| json!({"choices": [{"index": 0, "message": {"content": null, "audio": {"id": "audio_1", "expires_at": 1, "data": data, "transcript": "Hi."}}, "finish_reason": "stop"}]});
    for (data, expected) in
        [("UklGRgAA", "audio/wav"), ("T2dnUwAA", "audio/ogg"), ("SUQzAAAA", "audio/mp3"), ("AAAAAAAA", "audio/pcm16")]
    {
        let response = OpenAiChat.read_response(&said(data).to_string()).unwrap();
        assert_eq!(show(&response.parts), format!("audio {expected},{data} \"Hi.\""));
        let audio = &written(&response, "")["choices"][0]["message"]["audio"];
        assert_eq!((&audio["data"], &audio["transcript"], &audio["expires_at"]), (&json!(data), &json!("Hi."), &json!(7)));
        assert!(audio["id"].as_str().is_some_and(|id| id.starts_with("audio_")));
    }
    let chunks = [
        json!({"id": "audio_1", "transcript": "H"}),
        json!({"transcript": "i."}),
        json!({"data": "AAAA"}),
        json!({"data": "BBBB"}),
        json!({"expires_at": 9}),
    ]
    .map(|audio| chunk(json!([{"index": 0, "delta": {"audio": audio}}])));
    let stopped = [chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]))];
    let response = told(&stream(&[&chunks[..], &stopped].concat()));
    assert_eq!(show(&response.parts), "audio audio/pcm16,AAAABBBB \"Hi.\"");
    let text = streamed(&response, "");
    assert!(text.contains("expires_at"));
    assert_eq!(show(&told(&text).parts), "audio audio/pcm16,AAAABBBB \"Hi.\"");
    // A link has no place in it.
    let far = Response {
        parts: vec![Part::Audio { source: Source::Url("https://x".into()), transcript: None }],
        ..Response::default()
    };
    assert_eq!(written(&far, "")["choices"][0]["message"].get("audio"), None);
}

#[test]
fn custom_tools_are_called_in_their_own_words_though_a_function_stood_in() {
    let (input, stood_in) = ("*** \"x\"\n", r#"{"input":"*** \"x\"\n"}"#);
    for (body, part, custom) in [
        (r#"{"tools":[{"type":"custom","custom":{"name":"p"}}]}"#, call("c", "p", stood_in, false), true),
        (r#"{"tools":[{"type":"custom","name":"p"}]}"#, call("c", "p", stood_in, false), true),
        (r#"{"tools":[{"type":"custom","custom":{"name":"p"}}]}"#, call("c", "p", input, true), true),
        (r#"{"tools":[{"type":"custom","name":"p","input_schema":{}}]}"#, call("c", "p", stood_in, false), false),
        (r#"{"tools":[{"type":"custom","custom":{"name":"q"}}]}"#, call("c", "p", stood_in, false), false),
    ] {
        let response = Response { parts: vec![part], stop: StopReason::ToolCalls, ..Response::default() };
        let expected = if custom {
            json!({"id": "c", "type": "custom", "custom": {"name": "p", "input": input}})
        } else {
            json!({"id": "c", "type": "function", "function": {"name": "p", "arguments": stood_in}})
        };
        assert_eq!(written(&response, body)["choices"][0]["message"]["tool_calls"], json!([expected]), "{body}");
        // Its arguments cut in the middle of an escape.
        let facts = Facts::default();
        let (mut writer, mut out) = (OpenAiChat.event_writer(&asked(&facts, body)), String::new());
        for event in fold::unfold(&response, None).0 {
            let Event::BlockDelta { index, delta: portolan::chat::event::Delta::Arguments(text) } = &event else {
                writer.write(&event, &mut out);
                continue;
            };
            for piece in text.split_inclusive('\\') {
                let delta = portolan::chat::event::Delta::Arguments(piece.to_owned());
                writer.write(&Event::BlockDelta { index: *index, delta }, &mut out);
            }
        }
        writer.finish(&fold::unfold(&response, None).1, &mut out);
        let pieces: Vec<Value> = deltas(&out, 0).iter().filter_map(|delta| Some(delta.get("tool_calls")?[0].clone())).collect();
        let (holder, content) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let joined: String = pieces.iter().filter_map(|piece| piece[holder][content].as_str()).collect();
        assert_eq!(
            (pieces[0]["type"].as_str(), joined.as_str()),
            (Some(holder), if custom { input } else { stood_in }),
            "{body}"
        );
    }
}

#[test]
fn callers_of_the_old_form_are_answered_in_it() {
    let body = r#"{"functions":[{"name":"f"}]}"#;
    let response = Response {
        parts: vec![Part::text("so"), call("c1", "f", "{}", false), call("c2", "f", "{}", false)],
        stop: StopReason::End,
        ..Response::default()
    };
    let choice = &written(&response, body)["choices"][0];
    let expected =
        json!({"role": "assistant", "content": "so", "refusal": null, "function_call": {"name": "f", "arguments": "{}"}});
    assert_eq!((&choice["message"], &choice["finish_reason"]), (&expected, &json!("function_call")));
    let calls: Vec<Value> = deltas(&streamed(&response, body), 0).into_iter().skip(2).collect();
    assert_eq!(
        calls,
        [
            json!({"function_call": {"name": "f", "arguments": ""}}),
            json!({"function_call": {"arguments": "{}"}}),
            json!({"finish": "function_call"})
        ]
    );
    // With tools beside them the new form is known.
    let body = r#"{"functions":[{"name":"f"}],"tools":[{"type":"function","function":{"name":"g"}}]}"#;
    assert!(written(&response, body)["choices"][0]["message"].get("tool_calls").is_some());
}

#[test]
fn the_providers_own_words_are_kept_beside_ours() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "odd": {"b": 1}});
    let body =
        json!({"service_tier": "flex", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": usage});
    let response = OpenAiChat.read_response(&body.to_string()).unwrap();
    assert_eq!((response.raw_usage.as_ref(), response.service_tier.as_deref()), (Some(&usage), Some("flex")));
    assert_eq!(written(&response, "")["service_tier"], "flex");
    let mut reader = OpenAiChat.event_reader();
    let (mut frames, mut out) = (Frames::default(), vec![]);
    let first = json!({"prompt_tokens": 3, "completion_tokens": 1});
    let choice = json!([{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]);
    frames.push(stream(&[json!({"choices": [{"delta": {"content": "a"}}], "usage": first}), chunk(choice)]).as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        reader.read(&frame, &mut out);
    }
    assert_eq!(reader.raw_usage(), Some(&usage));
    assert_eq!(OpenAiChat.terminal(), DONE);
}

#[test]
fn what_splits_lines_never_does() {
    let response = Response { parts: vec![Part::text("a\u{2028}b\u{2029}c\u{85}d")], ..Response::default() };
    let text = streamed(&response, "");
    assert!(!text.contains(['\u{2028}', '\u{2029}', '\u{85}']));
    assert_eq!(show(&told(&text).parts), "text a\u{2028}b\u{2029}c\u{85}d");
}
