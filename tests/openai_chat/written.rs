//! What is written: requests for providers, streams for callers.

use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish, Stamp},
        request::{
            CacheHint, Effort, Format, Message, Part, Reasoning, Request, Role, Signature, Source, Tool, ToolCall, ToolChoice,
            ToolResult,
        },
        response::StopReason,
        usage::Usage,
    },
    dialect::{Caller, EventWriter, Facts, Upstream, openai_chat::OpenAiChat},
    error::{Error, Kind},
    units::Money,
};
use serde_json::{Value, json};

use crate::fold::{events, fold, rewritten};

use super::show;

fn text(text: &str) -> Part {
    Part::text(text)
}

fn thought(text: &str, signature: Option<Dialect>) -> Part {
    let signature = signature.map(|dialect| Signature { dialect, value: "S".into() });
    Part::Reasoning { text: text.into(), signature }
}

fn call(id: &str, signature: Option<Dialect>) -> Part {
    let signature = signature.map(|dialect| Signature { dialect, value: "T".into() });
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: r#"{"a":1.0}"#.into(),
        signature,
        ..ToolCall::default()
    })
}

fn custom_call(id: &str) -> Part {
    let (id, name, arguments) = (id.to_owned(), "p".to_owned(), "*** \"x\"".to_owned());
    Part::ToolCall(ToolCall { id, name, arguments, custom: true, ..ToolCall::default() })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: id.into(), name: "f".into(), parts, is_error: false, cache: None })
}

fn image() -> Part {
    Part::Image { source: Source::Inline { media_type: "image/png".into(), data: "AAAA".into() }, detail: None, cache: None }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn everything() -> Request {
    let parameters = json!({"type": "object", "properties": {"z": {}, "a": {}}});
    Request {
        model: "m".into(),
        stream: true,
        include_usage: true,
        messages: vec![
            message(Role::System, vec![text("s")]),
            message(Role::System, vec![text("t"), text("u")]),
            message(
                Role::User,
                vec![
                    text("look"),
                    image(),
                    Part::Image { source: Source::Url("https://x".into()), detail: Some("low".into()), cache: None },
                ],
            ),
            message(
                Role::Assistant,
                vec![
                    thought("a", Some(Dialect::Anthropic)),
                    text("so"),
                    thought("b", Some(Dialect::Gemini)),
                    call("c1", Some(Dialect::Gemini)),
                    call("c2", None),
                    custom_call("c3"),
                ],
            ),
            message(
                Role::User,
                vec![
                    result("c1", vec![text("1"), text("2")]),
                    result("c2", vec![]),
                    Part::ToolResult(ToolResult {
                        id: "c3".into(),
                        name: "p".into(),
                        parts: vec![text("3")],
                        is_error: false,
                        cache: None,
                    }),
                    text("and?"),
                    Part::Video { source: Source::Url("https://v".into()), fps: serde_json::Number::from_f64(0.5) },
                    Part::Audio {
                        source: Source::Inline { media_type: "audio/wav".to_owned(), data: "AAAA".to_owned() },
                        transcript: None,
                    },
                ],
            ),
            message(
                Role::Assistant,
                vec![
                    thought("plain", None),
                    text("x"),
                    Part::Audio { source: Source::Id { dialect: Dialect::OpenAiChat, id: "audio_1".into() }, transcript: None },
                ],
            ),
            message(
                Role::User,
                vec![Part::File { source: Source::Id { dialect: Dialect::OpenAiChat, id: "F".into() }, name: None, cache: None }],
            ),
            message(
                Role::Assistant,
                vec![
                    Part::RedactedReasoning { data: "D".into(), dialect: Dialect::Anthropic },
                    Part::Refusal { text: "no".into() },
                ],
            ),
            message(Role::User, vec![text("bye")]),
        ],
        tools: vec![
            Tool::Function {
                name: "f".into(),
                description: Some("d".into()),
                parameters: Some(parameters.clone()),
                strict: Some(false),
                cache: None,
            },
            Tool::Opaque { dialect: Dialect::OpenAiChat, value: json!({"max": 1, "type": "openrouter:web_search"}) },
            Tool::Custom {
                name: "p".into(),
                description: Some("d".into()),
                format: Some(json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}})),
            },
        ],
        tool_choice: Some(ToolChoice::Function("f".into())),
        parallel_tool_calls: Some(false),
        max_tokens: Some(9),
        temperature: serde_json::Number::from_f64(0.5),
        top_p: Some(1.into()),
        top_k: None,
        presence_penalty: Some(1.into()),
        frequency_penalty: Some(2.into()),
        seed: Some(u64::MAX.into()),
        stop: vec!["a".into(), "b".into()],
        format: Some(Format::Schema { name: Some("n".into()), description: Some("d".into()), schema: parameters, strict: None }),
        reasoning: Some(Reasoning::Effort(Effort::Minimal)),
        user: Some("u".into()),
        n: Some(2),
        logprobs: true,
        top_logprobs: Some(3),
        service_tier: Some("flex".into()),
        verbosity: Some("low".into()),
        store: Some(true),
        metadata: Some(json!({"b": "1", "a": "2"})),
        cache_key: Some("k".into()),
        modalities: vec!["text".into(), "audio".into()],
        show_reasoning: None,
    }
}

#[test]
fn what_is_written_reads_as_what_was_meant() {
    let request = everything();
    let profile = portolan::chat::profile::Profile { custom_tools: true, ..portolan::chat::profile::Profile::DEFAULT };
    let written = OpenAiChat.write_request(&request, &profile);
    assert_eq!(written.dropped, Vec::<String>::new());
    let again = OpenAiChat.read_request(&written.value).unwrap();
    // The voice is named by no other dialect.
    assert_eq!(again.dropped, ["audio"]);
    // Results say no name in this dialect; it is found by the call's id.
    assert_eq!(again.value, request);
}

#[test]
fn what_this_dialect_cannot_say_is_left_out_and_reported() {
    let hint = || Some(CacheHint { ttl: None });
    let base = || Request { model: "m".into(), ..Request::default() };
    let user = |part| Request { messages: vec![message(Role::User, vec![part])], ..base() };
    let opaque = |dialect| Part::Opaque { dialect, value: json!({"type": "server_tool_use"}) };
    for (request, expected) in [
        (Request { top_k: Some(5.into()), ..base() }, vec!["top_k"]),
        (Request { stop: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(), ..base() }, vec!["stop[]"]),
        (
            Request {
                tools: vec![Tool::Opaque { dialect: Dialect::Anthropic, value: json!({}) }],
                tool_choice: Some(ToolChoice::Auto),
                ..base()
            },
            vec!["tools[].opaque"],
        ),
        (user(Part::Text { text: "a".into(), cache: hint(), citations: vec![] }), vec!["messages[].parts[].cache"]),
        (user(opaque(Dialect::Anthropic)), vec!["messages[].parts[].opaque"]),
        (user(opaque(Dialect::OpenAiChat)), vec![]),
        (
            user(Part::Image { source: Source::Id { dialect: Dialect::Anthropic, id: "F".into() }, detail: None, cache: None }),
            vec!["messages[].parts[].image"],
        ),
        (
            user(Part::File { source: Source::Id { dialect: Dialect::Anthropic, id: "F".into() }, name: None, cache: None }),
            vec!["messages[].parts[].file"],
        ),
        (
            Request {
                messages: vec![
                    message(Role::Assistant, vec![Part::ToolCall(ToolCall { id: "c".into(), ..ToolCall::default() })]),
                    message(
                        Role::User,
                        vec![Part::ToolResult(ToolResult {
                            id: "c".into(),
                            name: String::new(),
                            parts: vec![],
                            is_error: true,
                            cache: hint(),
                        })],
                    ),
                ],
                ..base()
            },
            vec!["messages[].parts[].cache", "messages[].parts[].is_error"],
        ),
    ] {
        assert_eq!(
            OpenAiChat.write_request(&request, &portolan::chat::profile::Profile::DEFAULT).dropped,
            expected,
            "{request:?}"
        );
    }
}

#[test]
fn members_take_openais_shape() {
    let base = || Request { model: "m".into(), messages: vec![message(Role::User, vec![text("a")])], ..Request::default() };
    let body = |request: Request| {
        serde_json::from_str::<Value>(&OpenAiChat.write_request(&request, &portolan::chat::profile::Profile::DEFAULT).value)
            .unwrap()
    };
    assert_eq!(body(base()), json!({"model": "m", "messages": [{"role": "user", "content": "a"}]}));
    let streamed = body(Request { stream: true, ..base() });
    assert_eq!((&streamed["stream"], &streamed["stream_options"]), (&json!(true), &json!({"include_usage": true})));
    let lonely = body(Request { tool_choice: Some(ToolChoice::Auto), parallel_tool_calls: Some(true), ..base() });
    assert_eq!((lonely.get("tool_choice"), lonely.get("parallel_tool_calls")), (None, None));
    for (reasoning, expected) in [
        (Reasoning::Off, json!("none")),
        (Reasoning::Budget(0), json!("none")),
        (Reasoning::Budget(1024), json!("low")),
        (Reasoning::Budget(4096), json!("medium")),
        (Reasoning::Budget(31_999), json!("high")),
        (Reasoning::Effort(Effort::Max), json!("max")),
        (Reasoning::Adaptive, Value::Null),
    ] {
        assert_eq!(body(Request { reasoning: Some(reasoning.clone()), ..base() })["reasoning_effort"], expected, "{reasoning:?}");
    }
    let unnamed = Format::Schema { name: None, description: None, schema: json!({}), strict: None };
    assert_eq!(
        body(Request { format: Some(unnamed), ..base() })["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}})
    );
}

#[test]
fn results_become_tool_messages_and_their_images_follow() {
    let request = Request {
        model: "m".into(),
        messages: vec![
            message(Role::Assistant, vec![call("c1", None), call("c2", None)]),
            message(Role::User, vec![result("c1", vec![image()]), result("c2", vec![text("2")]), text("and?")]),
        ],
        ..Request::default()
    };
    let body: Value =
        serde_json::from_str(&OpenAiChat.write_request(&request, &portolan::chat::profile::Profile::DEFAULT).value).unwrap();
    let called = |id| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1.0}"}});
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "assistant", "content": null, "tool_calls": [called("c1"), called("c2")]},
            {"role": "tool", "tool_call_id": "c1", "content": "(The result is in the next message.)"},
            {"role": "tool", "tool_call_id": "c2", "content": "2"},
            {"role": "user", "content": [picture, {"type": "text", "text": "and?"}]},
        ])
    );
}

fn writer(wants_usage: bool) -> Box<dyn EventWriter> {
    let stamp = Stamp { id: "chatcmpl-1".into(), created: 7, model: "asked-for".into() };
    OpenAiChat.event_writer(&portolan::dialect::Asked { stamp, facts: &Facts { wants_usage, ..Facts::default() }, body: &[] })
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn start(index: usize, block: Block) -> Event {
    Event::BlockStart { choice: 0, index, block }
}

fn tool(id: &str) -> Block {
    Block::ToolCall(ToolCall { id: id.into(), name: "f".into(), arguments: String::new(), ..ToolCall::default() })
}

/// Thoughts, a text and two calls, as another dialect's reader tells them.
fn told() -> Vec<Event> {
    let signed = |dialect| Delta::Signature(Signature { dialect, value: "S".into() });
    vec![
        Event::Start { id: Some("msg_1".into()), model: Some("claude".into()) },
        start(0, Block::Reasoning),
        delta(0, Delta::Reasoning("h".into())),
        delta(0, Delta::Reasoning("m".into())),
        delta(0, signed(Dialect::Anthropic)),
        Event::BlockEnd { index: 0 },
        start(1, Block::Text),
        delta(1, Delta::Text("so\u{2028}".into())),
        Event::BlockEnd { index: 1 },
        start(2, Block::RedactedReasoning { data: "D".into(), dialect: Dialect::Anthropic }),
        Event::BlockEnd { index: 2 },
        start(3, tool("c1")),
        Event::BlockEnd { index: 3 },
        start(4, tool("c2")),
        delta(4, Delta::Arguments(String::new())),
        delta(4, Delta::Arguments("{}".into())),
        delta(4, signed(Dialect::Gemini)),
        Event::BlockEnd { index: 4 },
        Event::Usage(Usage { input: 3, output: 2, ..Usage::default() }),
        Event::Stop { choice: 0, reason: StopReason::ToolCalls, sequence: None },
        Event::End,
    ]
}

#[test]
fn a_stream_is_written_as_openai_writes_it() {
    for wants_usage in [false, true] {
        let (mut writer, mut out) = (writer(wants_usage), String::new());
        for event in told() {
            writer.write(&event, &mut out);
        }
        let usage = Usage { input: 3, output: 2, ..Usage::default() };
        writer.finish(
            &Finish { stop: StopReason::ToolCalls, stop_sequence: None, more: vec![], usage, cost: Some(Money(500_000_000_000)) },
            &mut out,
        );
        let details = |detail: Value| json!({"reasoning_details": [detail]});
        let piece = |piece: Value| json!({"tool_calls": [piece]});
        let mut expected: Vec<(Value, Value)> = [
            json!({"role": "assistant", "content": "", "refusal": null}),
            json!({"reasoning_content": "h"}),
            json!({"reasoning_content": "m"}),
            details(
                json!({"type": "reasoning.text", "text": "hm", "signature": "S", "format": "anthropic-claude-v1", "index": 0}),
            ),
            json!({"content": "so\u{2028}"}),
            details(json!({"type": "reasoning.encrypted", "data": "D", "format": "anthropic-claude-v1", "index": 2})),
            piece(json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}})),
            piece(json!({"index": 0, "function": {"arguments": "{}"}})),
            piece(json!({"index": 1, "id": "c2", "type": "function", "function": {"name": "f", "arguments": ""}})),
            piece(json!({"index": 1, "function": {"arguments": "{}"}})),
            piece(json!({"index": 1, "function": {"arguments": ""}, "extra_content": {"google": {"thought_signature": "S"}}})),
        ]
        .map(|delta| (delta, Value::Null))
        .to_vec();
        expected.push((json!({}), json!("tool_calls")));
        let mut frames: Vec<&str> = out.split_terminator("\n\n").map(|frame| frame.strip_prefix("data: ").unwrap()).collect();
        assert_eq!(frames.pop(), Some("[DONE]"));
        if wants_usage {
            let last: Value = serde_json::from_str(frames.pop().unwrap()).unwrap();
            assert_eq!(last["choices"], json!([]));
            assert_eq!(
                (&last["usage"]["prompt_tokens"], &last["usage"]["total_tokens"], &last["usage"]["cost"]),
                (&json!(3), &json!(5), &json!(0.5))
            );
        }
        assert_eq!(frames.len(), expected.len());
        for (frame, (delta, finish)) in frames.into_iter().zip(expected) {
            let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "claude",
                "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]});
            if wants_usage {
                chunk["usage"] = Value::Null;
            }
            assert_eq!(serde_json::from_str::<Value>(frame).unwrap(), chunk);
        }
    }
}

#[test]
fn a_broken_stream_never_looks_whole() {
    let (mut writer, mut out) = (writer(true), String::new());
    writer.write(&delta(0, Delta::Text("a".into())), &mut out);
    writer.fail(&Error::new(Kind::BadGateway, "It broke."), &mut out);
    let frames: Vec<Value> =
        out.split_terminator("\n\n").map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap()).collect();
    assert_eq!(frames.len(), 4);
    assert_eq!(
        frames[2],
        json!({"error": {"message": "It broke.", "type": "server_error", "param": null, "code": "bad_gateway"}})
    );
    assert_eq!(frames[3]["choices"][0]["finish_reason"], "error");
    assert!(!out.contains("[DONE]"));
    let read = fold(&events(&OpenAiChat, [out.as_bytes()]));
    assert_eq!((read.failed.as_deref(), read.ended), (Some("It broke."), false));
}

/// A client that collects the stream, and sends the turn back with everything it got.
fn collected(stream: &str) -> Value {
    let (mut content, mut thoughts, mut details, mut calls) = (String::new(), String::new(), vec![], Vec::<Value>::new());
    for frame in stream.split_terminator("\n\n").filter_map(|frame| serde_json::from_str::<Value>(&frame[6..]).ok()) {
        let delta = &frame["choices"][0]["delta"];
        content.push_str(delta["content"].as_str().unwrap_or_default());
        thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        details.extend(delta["reasoning_details"].as_array().cloned().unwrap_or_default());
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            let at = usize::try_from(piece["index"].as_u64().unwrap()).unwrap();
            if at == calls.len() {
                calls.push(piece.clone());
                continue;
            }
            let arguments = format!(
                "{}{}",
                calls[at]["function"]["arguments"].as_str().unwrap(),
                piece["function"]["arguments"].as_str().unwrap()
            );
            calls[at]["function"]["arguments"] = arguments.into();
            if piece.get("extra_content").is_some() {
                calls[at]["extra_content"] = piece["extra_content"].clone();
            }
        }
    }
    json!({"role": "assistant", "content": content, "reasoning_content": thoughts, "reasoning_details": details, "tool_calls": calls})
}

#[test]
fn proofs_survive_a_chat_client_byte_for_byte_and_in_their_place() {
    let turn = collected(&rewritten(&OpenAiChat, &told()));
    let body = json!({"model": "m", "messages": [turn]}).to_string();
    let read = OpenAiChat.read_request(&body).unwrap();
    assert_eq!(read.dropped, Vec::<String>::new());
    let expected = "think hm [S]@anthropic | text so\u{2028} | redacted D@anthropic | call c1 f {} | call c2 f {} [S]@gemini";
    assert_eq!(show(&read.value.messages[0].parts), expected);
    // The answer in one piece keeps as much.
    let parts = read.value.messages[0].parts.clone();
    let response = portolan::chat::response::Response {
        id: None,
        model: None,
        parts: parts.clone(),
        stop: StopReason::ToolCalls,
        ..portolan::chat::response::Response::default()
    };
    let stamp = Stamp { id: "chatcmpl-1".into(), created: 7, model: "m".into() };
    let whole = OpenAiChat.write_response(
        &response,
        &portolan::dialect::Asked { stamp: stamp.clone(), facts: &portolan::dialect::Facts::default(), body: &[] },
        None,
    );
    let message = serde_json::from_str::<Value>(&whole).unwrap()["choices"][0]["message"].clone();
    let body = json!({"model": "m", "messages": [message]}).to_string();
    assert_eq!(OpenAiChat.read_request(&body).unwrap().value.messages[0].parts, parts);
}
