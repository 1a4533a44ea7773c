//! The built-in provider, as callers of each dialect meet it.

mod faults;

use portolan::{
    chat::{
        event::{Block, Delta, Event},
        request::Part,
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Caller, Upstream, anthropic::Anthropic, openai_chat::OpenAiChat},
    mock::{Ending, Script, answer},
    wire::{json::Outline, sse::Frames},
};
use serde_json::{Value, json};

const SEED: u64 = 7;
const NOW_S: u64 = 1_790_000_000;

#[derive(Clone, Copy)]
struct Wire {
    name: &'static str,
    caller: &'static dyn Caller,
    upstream: &'static dyn Upstream,
}

const OPENAI: Wire = Wire { name: "openai", caller: &OpenAiChat, upstream: &OpenAiChat };
const ANTHROPIC: Wire = Wire { name: "anthropic", caller: &Anthropic, upstream: &Anthropic };

/// What the exchange would play for this body, readable or not.
fn played(caller: &dyn Caller, model: &str, body: &str, seed: u64) -> Script {
    let facts = Outline::read(body.as_bytes()).and_then(|outline| caller.facts(&outline)).unwrap_or_default();
    answer(caller, model, (body, &facts), seed, NOW_S)
}

impl Wire {
    fn play(self, model: &str, body: &Value) -> Script {
        played(self.caller, model, &body.to_string(), SEED)
    }

    fn whole(self, model: &str, body: &Value) -> Response {
        let script = self.play(model, body);
        assert_eq!((script.status, script.ending), (200, Ending::Clean), "{}", text(&script));
        self.upstream.read_response(&text(&script)).unwrap()
    }

    fn events(self, script: &Script) -> Vec<Event> {
        let (mut frames, mut reader, mut out) = (Frames::default(), self.upstream.event_reader(), vec![]);
        for chunk in &script.chunks {
            frames.push(&chunk.bytes).unwrap();
            while let Some(frame) = frames.next_frame() {
                reader.read(&frame, &mut out);
            }
        }
        reader.close(&mut out);
        out
    }
}

fn text(script: &Script) -> String {
    String::from_utf8(script.chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect()).unwrap()
}

fn ask(said: &str) -> Value {
    json!({ "model": "mock/x", "max_tokens": 1000, "messages": [{ "role": "user", "content": said }] })
}

fn with(body: &Value, more: Value) -> Value {
    let mut body = body.clone();
    for (key, value) in more.as_object().unwrap() {
        body.as_object_mut().unwrap().insert(key.clone(), value.clone());
    }
    body
}

fn streamed(body: &Value) -> Value {
    with(body, json!({ "stream": true }))
}

fn said(response: &Response) -> String {
    let parts = response.parts.iter();
    parts.filter_map(|part| if let Part::Text { text, .. } = part { Some(text.as_str()) } else { None }).collect()
}

fn told(events: &[Event]) -> String {
    let mut told = String::new();
    for event in events {
        if let Event::BlockDelta { delta: Delta::Text(text) | Delta::Arguments(text), .. } = event {
            told.push_str(text);
        }
    }
    told
}

#[test]
fn every_dialect_hears_the_same_answer() {
    for wire in [OPENAI, ANTHROPIC] {
        for (model, expected) in [
            ("echo", "Say it again, Sam."),
            ("lorem?words=3", "lorem ipsum dolor"),
            ("lorem?words=0", ""),
            ("reason", "Say it again, Sam."),
            ("json", "{\"answer\":\"Say it again, Sam.\"}"),
            ("flaky?rate=0", "Say it again, Sam."),
        ] {
            let body = ask("Say it again, Sam.");
            let read = wire.whole(model, &body);
            assert_eq!((said(&read).as_str(), read.stop), (expected, StopReason::End), "{} {model}", wire.name);
            assert_eq!(read.usage.map(|usage| usage.input), Some(5), "{} {model}", wire.name);
            let script = wire.play(model, &streamed(&body));
            let events = wire.events(&script);
            assert_eq!(told(&events), expected, "{} {model}", wire.name);
            assert_eq!(events.last(), Some(&Event::End), "{} {model}", wire.name);
            assert_eq!(script.headers.first().map(|(_, value)| value.as_str()), Some("text/event-stream"));
        }
    }
}

#[test]
fn thoughts_come_before_the_answer() {
    for wire in [OPENAI, ANTHROPIC] {
        let read = wire.whole("reason", &ask("one two three"));
        let thought = "The last message has 3 words. Repeating them answers it.";
        let Some(Part::Reasoning { text, .. }) = read.parts.first() else { unreachable!("{:?}", read.parts) };
        assert_eq!((text.as_str(), said(&read).as_str()), (thought, "one two three"), "{}", wire.name);
        let events = wire.events(&wire.play("reason", &streamed(&ask("one two three"))));
        let first = events.iter().find(|event| matches!(event, Event::BlockStart { .. }));
        assert!(matches!(first, Some(Event::BlockStart { block: Block::Reasoning, .. })), "{}", wire.name);
    }
}

#[test]
fn the_same_question_has_the_same_bytes() {
    let body = streamed(&ask("hi")).to_string();
    let play = |model: &str, seed| played(&OpenAiChat, model, &body, seed);
    assert_eq!(play("echo", 1), play("echo", 1));
    let failures = |model: &str| (0..1000).filter(|seed| play(model, *seed).status == 503).count();
    let some = failures("flaky?rate=0.3");
    assert!((250..350).contains(&some), "{some}");
    for (model, expected) in
        [("flaky", 1000), ("flaky?rate=0", 0), ("echo", 0), ("echo?fail=503", 1000), ("flaky?rate=1.0&fail=500", 0)]
    {
        assert_eq!(failures(model), expected, "{model}");
    }
}

#[test]
fn echo_says_what_it_saw() {
    let png = format!("data:image/png;base64,{}", "A".repeat(124) + "AAA=");
    let openai = json!([
        { "type": "text", "text": "look" },
        { "type": "image_url", "image_url": { "url": png } },
        { "type": "image_url", "image_url": { "url": "https://x.example/a.png" } },
        { "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } },
    ]);
    let anthropic = json!([
        { "type": "text", "text": "look" },
        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } },
        { "type": "document", "source": { "type": "base64", "media_type": "application/pdf", "data": "AAA=" } },
    ]);
    for (wire, content, expected) in [
        (OPENAI, openai, "look\n[image image/png, 95 bytes]\n[image https://x.example/a.png]\n[audio audio/wav, 3 bytes]"),
        (ANTHROPIC, anthropic, "look\n[image image/png, 3 bytes]\n[file application/pdf, 2 bytes]"),
    ] {
        let body = with(&ask(""), json!({ "messages": [{ "role": "user", "content": content }] }));
        assert_eq!(said(&wire.whole("echo", &body)), expected, "{}", wire.name);
    }
}

fn tool(name: &str, schema: &Value) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": schema } })
}

#[test]
fn arguments_fit_the_schema() {
    for (schema, expected) in [
        (json!({ "type": "object", "properties": {} }), json!({})),
        (
            json!({ "type": "object", "required": ["city"], "properties": { "city": { "type": "string" }, "unit": { "type": "string" } } }),
            json!({ "city": "Paris" }),
        ),
        (
            json!({ "type": "object", "properties": {
                "a": { "type": "integer" }, "b": { "type": "number", "maximum": 0.5 }, "c": { "type": "integer", "minimum": 7 },
                "d": { "type": "boolean" }, "e": { "enum": ["x", "y"] }, "f": { "const": 3 }, "g": { "type": ["null", "string"] },
                "h": { "type": "array", "minItems": 2, "items": { "type": "null" } }, "i": { "type": "string", "format": "date" },
            } }),
            json!({ "a": 1, "b": 0.5, "c": 7, "d": true, "e": "x", "f": 3, "g": "g", "h": [null, null], "i": "2026-01-31" }),
        ),
        (
            json!({ "type": "object", "properties": {
                "p": { "$ref": "#/$defs/p" }, "q": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
                "r": { "type": "string", "minLength": 3, "maxLength": 3 }, "name": { "type": "string", "maxLength": 3 },
            }, "$defs": { "p": { "properties": { "email": {} } } } }),
            json!({ "p": { "email": "ada@example.com" }, "q": 1, "r": "rxx", "name": "Ada" }),
        ),
    ] {
        let body = with(&ask("go"), json!({ "tools": [tool("f", &schema)] }));
        let read = OPENAI.whole("tools", &body);
        let Some(Part::ToolCall(call)) = read.parts.first() else { unreachable!("{:?}", read.parts) };
        assert_eq!(serde_json::from_str::<Value>(&call.arguments).unwrap(), expected);
        let format = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": schema } });
        let read = OPENAI.whole("json", &with(&ask("go"), json!({ "response_format": format })));
        assert_eq!(serde_json::from_str::<Value>(&said(&read)).unwrap(), expected);
    }
}

#[test]
fn a_recursive_schema_ends() {
    let schema = json!({ "type": "object", "properties": { "next": { "$ref": "#" }, "own": { "$ref": "#/properties/own" } } });
    let read = OPENAI.whole("tools", &with(&ask("go"), json!({ "tools": [tool("f", &schema)] })));
    assert!(matches!(read.parts.first(), Some(Part::ToolCall(_))));
}

#[test]
fn tools_are_called_and_their_results_quoted() {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let openai = json!([tool("one", &schema), tool("two", &schema)]);
    let anthropic = json!([{ "name": "one", "input_schema": schema }, { "name": "two", "input_schema": schema }]);
    let forced = [json!({ "type": "function", "function": { "name": "two" } }), json!({ "type": "tool", "name": "two" })];
    let result = |id: &str| {
        let call = json!({ "id": id, "type": "function", "function": { "name": "one", "arguments": "{}" } });
        json!([
            { "role": "assistant", "tool_calls": [call] },
            { "role": "tool", "tool_call_id": id, "content": "rain" },
        ])
    };
    let block = |id: &str| {
        json!([
            { "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "one", "input": {} }] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": "rain" }] },
        ])
    };
    for (wire, tools, forced, then) in
        [(OPENAI, openai, forced.first(), result("call_1")), (ANTHROPIC, anthropic, forced.last(), block("call_1"))]
    {
        let body = with(&ask("go"), json!({ "tools": tools }));
        let names = |model: &str, body: &Value| {
            let read = wire.whole(model, body);
            assert_eq!(read.stop, StopReason::ToolCalls, "{}", wire.name);
            let name = |part: &Part| if let Part::ToolCall(call) = part { call.name.clone() } else { String::new() };
            read.parts.iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("tools", &body), "one", "{}", wire.name);
        assert_eq!(names("tools?calls=3", &body), "one two one", "{}", wire.name);
        assert_eq!(names("tools", &with(&body, json!({ "tool_choice": forced }))), "two", "{}", wire.name);
        let events = wire.events(&wire.play("tools", &streamed(&body)));
        assert_eq!(told(&events), "{\"city\":\"Paris\"}", "{}", wire.name);
        let mut messages = vec![json!({ "role": "user", "content": "go" })];
        messages.extend(then.as_array().unwrap().clone());
        let read = wire.whole("tools", &with(&body, json!({ "messages": messages })));
        assert_eq!((said(&read).as_str(), read.stop), ("one said: rain", StopReason::End), "{}", wire.name);
    }
    let script = OPENAI.play("tools", &ask("go"));
    assert_eq!(script.status, 400, "no tool to call");
}

#[test]
fn tokens_are_four_characters() {
    let usage = |input, output| Some(Usage { input, output, ..Usage::default() });
    for (model, body, expected, stop) in [
        ("echo", ask("1234"), usage(1, 1), StopReason::End),
        ("echo", ask("12345"), usage(2, 2), StopReason::End),
        ("echo", with(&ask("é2345678"), json!({ "max_tokens": 1 })), usage(2, 1), StopReason::Length),
    ] {
        for wire in [OPENAI, ANTHROPIC] {
            let read = wire.whole(model, &body);
            assert_eq!((read.usage, read.stop), (expected, stop), "{} {body}", wire.name);
        }
    }
    assert_eq!(OPENAI.whole("echo?usage=0", &ask("1234")).usage, None);
    let asked = with(&streamed(&ask("1234")), json!({ "stream_options": { "include_usage": true } }));
    let reports = |model: &str| OPENAI.events(&OPENAI.play(model, &asked)).iter().any(|event| matches!(event, Event::Usage(_)));
    assert_eq!((reports("echo"), reports("echo?usage=0")), (true, false));
}
