use portolan::{
    chat::{
        Dialect,
        request::{CacheHint, Effort, Format, Part, Reasoning, Request, Tool, ToolCall, ToolChoice},
    },
    dialect::{Caller, Upstream, anthropic::Anthropic},
    wire::json::{Outline, join},
};
use serde_json::{Number, Value, json};

use super::{
    NOTHING, answered, asking, assistant, call, called, file, image, inline, result, said, signature, system, text, thought,
    user, written,
};

fn tool(name: &str, parameters: Option<Value>) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters, strict: None, cache: None }
}

#[test]
fn a_callers_own_body_gets_the_targets_model_and_nothing_else() {
    let body = r#"{ "model" : "alias", "x": 1e400 }"#;
    let outline = Outline::read(body.as_bytes()).unwrap();
    let pieces = outline.edit(&Anthropic.edits(&outline, "claude", true));
    assert_eq!(join(body, &pieces), r#"{ "model" : "claude", "x": 1e400 }"#);
    assert_eq!(Anthropic.path("claude", true), "/v1/messages");
    assert!(Anthropic.always_reports_usage());
}

#[test]
fn the_least_request_has_a_limit() {
    let (body, dropped) = written(&Request { max_tokens: None, ..asking(vec![user(vec![text("hi")])]) });
    assert_eq!(body, json!({"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": [said("hi")]}]}));
    assert_eq!(dropped, NOTHING);
}

#[test]
fn instructions_stand_first_or_are_marked() {
    let marked = said("<system>\nb\n</system>");
    let cached = Part::Text { text: "a".to_owned(), cache: Some(CacheHint { ttl: Some("1h".to_owned()) }), citations: vec![] };
    for (messages, instructions, turns) in [
        (vec![system(vec![text("a")]), user(vec![text("u")])], json!("a"), json!([{"role": "user", "content": [said("u")]}])),
        (
            vec![system(vec![text("a")]), system(vec![text("b"), text(" ")]), user(vec![text("u")])],
            json!([said("a"), said("b")]),
            json!([{"role": "user", "content": [said("u")]}]),
        ),
        (
            vec![system(vec![cached]), user(vec![text("u")])],
            json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]),
            json!([{"role": "user", "content": [said("u")]}]),
        ),
        (
            vec![user(vec![text("u")]), system(vec![text("b")]), user(vec![text("v")])],
            Value::Null,
            json!([{"role": "user", "content": [said("u"), marked, said("v")]}]),
        ),
        (
            vec![
                user(vec![text("u")]),
                assistant(vec![Part::ToolCall(call("c", ""))]),
                system(vec![text("b")]),
                user(vec![result("c", "f", vec![text("r")])]),
            ],
            Value::Null,
            json!([
                {"role": "user", "content": [said("u")]},
                {"role": "assistant", "content": [called("c", json!({}))]},
                {"role": "user", "content": [answered("c", "r"), marked]},
            ]),
        ),
        // No turn at all is refused: the instructions become the user's words.
        (vec![system(vec![text("a")])], Value::Null, json!([{"role": "user", "content": [said("a")]}])),
    ] {
        let (body, dropped) = written(&asking(messages.clone()));
        assert_eq!(body["system"], instructions, "{messages:?}");
        assert_eq!(body["messages"], turns, "{messages:?}");
        assert_eq!(dropped, NOTHING, "{messages:?}");
    }
}

#[test]
fn thinking_gets_a_budget_and_room_beside_it() {
    let rows = [
        (Reasoning::Effort(Effort::Minimal), None, 1024, 4096, NOTHING.to_vec()),
        (Reasoning::Effort(Effort::Low), Some(2000), 1024, 2000, vec![]),
        (Reasoning::Effort(Effort::Medium), None, 4096, 8192, vec![]),
        (Reasoning::Effort(Effort::High), Some(1000), 16_384, 17_384, vec!["max_tokens"]),
        (Reasoning::Effort(Effort::Max), Some(64_000), 31_999, 64_000, vec![]),
        (Reasoning::Budget(10), Some(1024), 1024, 2048, vec!["max_tokens"]),
        (Reasoning::Budget(5000), Some(5001), 5000, 5001, vec![]),
    ];
    for (reasoning, limit, budget, max_tokens, lost) in rows {
        let request = Request { reasoning: Some(reasoning.clone()), max_tokens: limit, ..asking(vec![user(vec![text("u")])]) };
        let (body, dropped) = written(&request);
        assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": budget}), "{reasoning:?}");
        assert_eq!(body["max_tokens"], max_tokens, "{reasoning:?}");
        assert_eq!(dropped, lost, "{reasoning:?}");
    }
    for (reasoning, thinking) in [(Reasoning::Off, "disabled"), (Reasoning::Adaptive, "adaptive")] {
        let (body, dropped) = written(&Request { reasoning: Some(reasoning), ..asking(vec![user(vec![text("u")])]) });
        assert_eq!((&body["thinking"], dropped), (&json!({"type": thinking}), vec![]));
    }
}

#[test]
fn thinking_is_off_where_the_history_forbids_it() {
    let proven = || thought("t", Some(signature(Dialect::Anthropic, "S")));
    let hidden = Part::RedactedReasoning { data: "r".to_owned(), dialect: Dialect::Anthropic };
    let the_call = || Part::ToolCall(call("c", "{}"));
    let loops = |before: Vec<Part>| {
        vec![user(vec![text("u")]), assistant([before, vec![the_call()]].concat()), user(vec![result("c", "f", vec![text("r")])])]
    };
    let ends = |parts: Vec<Part>| vec![user(vec![text("u")]), assistant(parts)];
    for (messages, reasoning, is_on) in [
        (loops(vec![proven()]), Reasoning::Budget(2000), true),
        (loops(vec![hidden]), Reasoning::Budget(2000), true),
        (loops(vec![]), Reasoning::Budget(2000), false),
        (loops(vec![text("t"), proven()]), Reasoning::Budget(2000), false),
        (loops(vec![thought("t", Some(signature(Dialect::Gemini, "S")))]), Reasoning::Effort(Effort::Low), false),
        (loops(vec![]), Reasoning::Adaptive, true),
        // The loop is over: the user speaks.
        ([loops(vec![]), ends(vec![text("a")]), vec![user(vec![text("u")])]].concat(), Reasoning::Budget(2000), true),
        // An answer to go on with.
        (ends(vec![text("a")]), Reasoning::Budget(2000), false),
        (ends(vec![text("a")]), Reasoning::Adaptive, false),
    ] {
        let request = Request { reasoning: Some(reasoning), max_tokens: Some(9000), ..asking(messages) };
        let (body, dropped) = written(&request);
        assert_eq!(!body["thinking"].is_null(), is_on, "{request:?}");
        assert_eq!(!dropped.contains(&"reasoning".to_owned()), is_on, "{request:?}");
    }
    // Without thinking, the last turn may hold no thoughts.
    let (body, _) = written(&asking(ends(vec![proven(), text("a")])));
    assert_eq!(body["messages"][1]["content"], json!([said("a")]));
    let (body, _) = written(&asking(ends(vec![proven()])));
    assert_eq!(body["messages"], json!([{"role": "user", "content": [said("u")]}]));
}

#[test]
fn settings_are_carried_clamped_or_named() {
    type Change = fn(&mut Request);
    let think: Change = |r| (r.reasoning, r.max_tokens) = (Some(Reasoning::Budget(1024)), Some(2000));
    let with_tools: Change = |r| r.tools = vec![tool("f", None)];
    let rows: [(&str, &[Change], Value, &[&str]); 24] = [
        ("temperature", &[|r| r.temperature = Number::from_f64(1.7)], json!(1), &["temperature"]),
        ("temperature", &[|r| r.temperature = Number::from_f64(-0.1)], json!(0), &["temperature"]),
        ("temperature", &[|r| r.temperature = Number::from_f64(0.25)], json!(0.25), &[]),
        ("temperature", &[think, |r| r.temperature = Number::from_f64(0.25)], Value::Null, &["temperature"]),
        ("temperature", &[think, |r| r.temperature = Number::from_f64(1.0)], json!(1.0), &[]),
        ("top_p", &[|r| r.top_p = Number::from_f64(0.5)], json!(0.5), &[]),
        ("top_p", &[think, |r| r.top_p = Number::from_f64(0.5)], Value::Null, &["top_p"]),
        ("top_k", &[|r| r.top_k = Some(3.into())], json!(3), &[]),
        ("top_k", &[think, |r| r.top_k = Some(3.into())], Value::Null, &["top_k"]),
        ("seed", &[|r| r.seed = Some(3.into())], Value::Null, &["seed"]),
        ("presence_penalty", &[|r| r.presence_penalty = Some(1.into())], Value::Null, &["presence_penalty"]),
        ("frequency_penalty", &[|r| r.frequency_penalty = Some(1.into())], Value::Null, &["frequency_penalty"]),
        ("stop_sequences", &[|r| r.stop = vec!["a".to_owned(), "\n".to_owned(), String::new()]], json!(["a"]), &["stop"]),
        ("stop_sequences", &[|r| r.stop = vec!["\n".to_owned()]], Value::Null, &["stop"]),
        ("metadata", &[|r| r.user = Some("u".to_owned())], json!({"user_id": "u"}), &[]),
        ("metadata", &[|r| r.user = Some("u".repeat(513))], Value::Null, &["user"]),
        ("stream", &[|r| r.stream = true], json!(true), &[]),
        ("tool_choice", &[|r| r.tool_choice = Some(ToolChoice::Required)], Value::Null, &[]),
        ("tool_choice", &[with_tools, |r| r.tool_choice = Some(ToolChoice::Required)], json!({"type": "any"}), &[]),
        (
            "tool_choice",
            &[with_tools, |r| r.tool_choice = Some(ToolChoice::Function("f".to_owned()))],
            json!({"type": "tool", "name": "f"}),
            &[],
        ),
        (
            "tool_choice",
            &[with_tools, think, |r| r.tool_choice = Some(ToolChoice::Required)],
            json!({"type": "auto"}),
            &["tool_choice"],
        ),
        ("tool_choice", &[with_tools, think, |r| r.tool_choice = Some(ToolChoice::None)], json!({"type": "none"}), &[]),
        (
            "tool_choice",
            &[with_tools, |r| r.parallel_tool_calls = Some(false)],
            json!({"type": "auto", "disable_parallel_tool_use": true}),
            &[],
        ),
        ("tool_choice", &[with_tools, |r| r.parallel_tool_calls = Some(true)], Value::Null, &[]),
    ];
    for (key, changes, value, lost) in rows {
        let mut request = asking(vec![user(vec![text("u")])]);
        changes.iter().for_each(|change| change(&mut request));
        let (body, dropped) = written(&request);
        assert_eq!((&body[key], dropped), (&value, lost.iter().map(|&path| path.to_owned()).collect()), "{key}: {request:?}");
    }
}

#[test]
fn schemas_are_made_fit_without_changing_their_order() {
    for (parameters, schema) in [
        (None, r#"{"type":"object","properties":{}}"#),
        (Some(json!({})), r#"{"type":"object","properties":{}}"#),
        (Some(json!({"properties": {"z": {}, "a": {}}})), r#"{"properties":{"z":{},"a":{}},"type":"object"}"#),
        (Some(json!({"type": "object", "$defs": {}})), r#"{"type":"object","$defs":{}}"#),
        (Some(json!(true)), r#"{"type":"object","properties":{}}"#),
    ] {
        let (body, _) = written(&Request { tools: vec![tool("f", parameters)], ..asking(vec![user(vec![text("u")])]) });
        assert_eq!(body["tools"][0]["input_schema"].to_string(), schema);
    }
    let opaque = |dialect| Tool::Opaque { dialect, value: json!({"type": "web_search_20250305"}) };
    let tools = vec![opaque(Dialect::Gemini), opaque(Dialect::Anthropic)];
    let (body, dropped) = written(&Request { tools, ..asking(vec![user(vec![text("u")])]) });
    assert_eq!((&body["tools"], dropped), (&json!([{"type": "web_search_20250305"}]), vec!["tools[0]".to_owned()]));
}

#[test]
fn an_answers_format_is_a_closed_schema_or_an_instruction() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "object"}, "b": {"type": "object", "additionalProperties": true}}, "enum": [{"type": "object"}]});
    let closed = json!({"type": "object", "properties": {"a": {"type": "object", "additionalProperties": false}, "b": {"type": "object", "additionalProperties": true}}, "enum": [{"type": "object"}], "additionalProperties": false});
    let format = Format::Schema { name: Some("n".to_owned()), description: None, schema, strict: Some(true) };
    let (body, _) = written(&Request { format: Some(format), ..asking(vec![user(vec![text("u")])]) });
    assert_eq!(body["output_config"], json!({"format": {"type": "json_schema", "schema": closed}}));
    let request = Request { format: Some(Format::Json), ..asking(vec![system(vec![text("s")]), user(vec![text("u")])]) };
    let (body, _) = written(&request);
    assert_eq!(body["system"][0], said("s"));
    assert!(body["system"][1]["text"].as_str().unwrap().contains("JSON object"), "{body}");
    assert_eq!(body["output_config"], Value::Null);
}

#[test]
fn no_more_cache_marks_than_anthropic_takes() {
    let mark = || Some(CacheHint { ttl: None });
    let marked = |text: &str| Part::Text { text: text.to_owned(), cache: mark(), citations: vec![] };
    let tools = vec![Tool::Function { name: "f".to_owned(), description: None, parameters: None, strict: None, cache: mark() }];
    for (turns, kept, lost) in [(2, ["f", "s", "0", "1"], vec![]), (4, ["f", "s", "2", "3"], vec!["cache"])] {
        let parts = (0..turns).map(|i: u8| marked(&i.to_string())).collect();
        let request = Request { tools: tools.clone(), ..asking(vec![system(vec![marked("s")]), user(parts)]) };
        let (body, dropped) = written(&request);
        let blocks = ["tools", "system"].map(|key| body[key].as_array().unwrap().clone()).concat();
        let blocks = [blocks, body["messages"][0]["content"].as_array().unwrap().clone()].concat();
        let has_mark = |block: &&Value| block.get("cache_control").is_some();
        let name = |block: &Value| block.get("name").or(block.get("text")).and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(blocks.iter().filter(has_mark).map(name).collect::<Vec<_>>(), kept);
        assert_eq!(dropped, lost);
    }
}

#[test]
fn what_is_written_reads_the_same() {
    let mark = Some(CacheHint { ttl: Some("5m".to_owned()) });
    let request = Request {
        stream: true,
        include_usage: true,
        messages: vec![
            system(vec![text("a"), Part::Text { text: "b".to_owned(), cache: mark.clone(), citations: vec![] }]),
            user(vec![text("u"), image(inline("image/png", "AA==")), file(inline("text/plain", "R3LDvMOfZQ=="))]),
            assistant(vec![
                thought("t", Some(signature(Dialect::Anthropic, "S=="))),
                text("x"),
                Part::ToolCall(ToolCall { cache: mark, ..call("a:1", r#"{"z":1,"a":[2]}"#) }),
                Part::ToolCall(call("c2", "{}")),
            ]),
            user(vec![result("a:1", "f", vec![text("r")]), result("c2", "f", vec![text("1"), text("2")]), text("go on")]),
        ],
        tools: vec![tool("f", Some(json!({"type": "object", "properties": {"z": {"type": "integer"}}})))],
        tool_choice: Some(ToolChoice::Auto),
        parallel_tool_calls: Some(false),
        max_tokens: Some(9000),
        top_p: Number::from_f64(0.96),
        stop: vec!["END".to_owned()],
        format: Some(Format::Schema {
            name: None,
            description: None,
            schema: json!({"type": "object", "additionalProperties": false}),
            strict: None,
        }),
        reasoning: Some(Reasoning::Budget(2048)),
        user: Some("u".to_owned()),
        ..asking(vec![])
    };
    let out = Anthropic.write_request(&request, &portolan::chat::profile::Profile::DEFAULT);
    let back = Anthropic.read_request(&out.value).unwrap();
    assert_eq!(back.value, request);
    assert_eq!([out.dropped, back.dropped], [NOTHING; 2]);
}
