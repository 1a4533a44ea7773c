use portolan::{
    chat::{
        Dialect,
        profile::Profile,
        request::{CacheHint, Effort, Format, Part, Reasoning, Request, Tool, ToolCall, ToolChoice},
    },
    dialect::{Caller, Upstream, anthropic::Anthropic},
    wire::json::{Outline, join},
};
use serde_json::{Number, Value, json};

use super::{
    NOTHING, answered, asking, assistant, call, called, file, image, inline, result, said, signature, system, text, thought,
    told, user, written,
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
fn settings_are_carried_clamped_or_named() {
    type Change = fn(&mut Request);
    let think: Change = |r| (r.reasoning, r.max_tokens) = (Some(Reasoning::Budget(1024)), Some(2000));
    let both: Change = |r| (r.temperature, r.top_p) = (Number::from_f64(0.25), Number::from_f64(0.5));
    let with_tools: Change = |r| r.tools = vec![tool("f", None)];
    let rows: [(&str, &[Change], Value, &[&str]); 45] = [
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
        // One of the two.
        ("top_p", &[both], Value::Null, &["top_p"]),
        ("top_p", &[both, |r| r.temperature = Some(1.into())], json!(0.5), &[]),
        ("temperature", &[both, |r| r.temperature = Some(1.into())], Value::Null, &[]),
        ("temperature", &[both, |r| r.top_p = Some(1.into())], json!(0.25), &[]),
        ("service_tier", &[|r| r.service_tier = Some("priority".to_owned())], json!("auto"), &[]),
        ("service_tier", &[|r| r.service_tier = Some("default".to_owned())], json!("standard_only"), &[]),
        ("service_tier", &[|r| r.service_tier = Some("flex".to_owned())], Value::Null, &["service_tier"]),
        // What only says the default is not missed.
        ("presence_penalty", &[|r| r.presence_penalty = Some(0.into())], Value::Null, &[]),
        ("n", &[|r| r.n = Some(1)], Value::Null, &[]),
        ("n", &[|r| r.n = Some(2)], Value::Null, &["n"]),
        ("logprobs", &[|r| (r.logprobs, r.top_logprobs) = (true, Some(2))], Value::Null, &["logprobs", "top_logprobs"]),
        ("verbosity", &[|r| r.verbosity = Some("medium".to_owned())], Value::Null, &[]),
        ("verbosity", &[|r| r.verbosity = Some("low".to_owned())], Value::Null, &["verbosity"]),
        ("store", &[|r| r.store = Some(false)], Value::Null, &[]),
        ("store", &[|r| r.store = Some(true)], Value::Null, &["store"]),
        ("metadata", &[|r| r.metadata = Some(json!({}))], Value::Null, &[]),
        ("metadata", &[|r| r.metadata = Some(json!({"a": "b"}))], Value::Null, &["metadata"]),
        ("cache_key", &[|r| r.cache_key = Some("k".to_owned())], Value::Null, &["cache_key"]),
        ("modalities", &[|r| r.modalities = vec!["text".to_owned()]], Value::Null, &[]),
        ("modalities", &[|r| r.modalities = vec!["text".to_owned(), "audio".to_owned()]], Value::Null, &["modalities"]),
        ("temperature", &[think, |r| r.temperature = Some(1.into())], json!(1), &[]),
    ];
    for (key, changes, value, lost) in rows {
        let mut request = asking(vec![user(vec![text("u")])]);
        changes.iter().for_each(|change| change(&mut request));
        let (body, dropped) = written(&request);
        assert_eq!((&body[key], dropped), (&value, lost.iter().map(|&path| path.to_owned()).collect()), "{key}: {request:?}");
    }
}

#[test]
fn a_model_without_sampling_gets_none() {
    let bare = Profile { sampling: false, ..Profile::DEFAULT };
    let number = Number::from_f64;
    for (temperature, top_p, top_k, lost) in [
        (number(0.5), number(0.5), Some(3.into()), vec!["temperature", "top_p", "top_k"]),
        (number(1.0), number(1.0), None, vec![]),
    ] {
        let (body, dropped) = told(&Request { temperature, top_p, top_k, ..asking(vec![user(vec![text("u")])]) }, &bare);
        assert_eq!(dropped, lost);
        assert!(["temperature", "top_p", "top_k"].iter().all(|key| body[key].is_null()), "{body}");
    }
}

#[test]
fn a_model_that_cannot_be_forced_is_left_the_choice() {
    let bare = Profile { tool_choice: false, ..Profile::DEFAULT };
    for (choice, written, lost) in [
        (ToolChoice::Required, "auto", vec!["tool_choice"]),
        (ToolChoice::Function("f".to_owned()), "auto", vec!["tool_choice"]),
        (ToolChoice::None, "none", vec![]),
        (ToolChoice::Auto, "auto", vec![]),
    ] {
        let request = Request { tools: vec![tool("f", None)], tool_choice: Some(choice), ..asking(vec![user(vec![text("u")])]) };
        let (body, dropped) = told(&request, &bare);
        assert_eq!((&body["tool_choice"]["type"], dropped), (&json!(written), lost.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn a_choice_among_some_tools_leaves_the_others_out() {
    for (required, kind) in [(true, "any"), (false, "auto")] {
        let request = Request {
            tools: ["a", "b", "c"].map(|name| tool(name, None)).to_vec(),
            tool_choice: Some(ToolChoice::Among { names: vec!["c".to_owned(), "a".to_owned()], required }),
            ..asking(vec![user(vec![text("u")])])
        };
        let (body, dropped) = written(&request);
        let names: Vec<&str> = body["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!((names, &body["tool_choice"]["type"], dropped), (vec!["a", "c"], &json!(kind), vec![]));
    }
}

#[test]
fn custom_tools_are_functions_of_one_text() {
    let grammar = json!({"type": "grammar", "syntax": "lark", "definition": "start: /a+/"});
    let tools = vec![Tool::Custom { name: "patch".to_owned(), description: Some("d".to_owned()), format: Some(grammar) }];
    let (body, dropped) = written(&Request { tools, ..asking(vec![user(vec![text("u")])]) });
    let schema = json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    assert_eq!((&body["tools"][0]["name"], &body["tools"][0]["input_schema"]), (&json!("patch"), &schema));
    assert!(body["tools"][0]["description"].as_str().unwrap().contains("start: /a+/"));
    assert_eq!(dropped, NOTHING);
}

#[test]
fn strict_tools_stay_strict_where_anthropic_can_hold_them_to_it() {
    let strict = |name: &str, parameters: Value| Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters: Some(parameters),
        strict: Some(true),
        cache: None,
    };
    let closed =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let open = json!({"type": "object", "properties": {"a": {"type": "object"}}});
    let optional = |n: usize| {
        let properties: Value =
            (0..n).map(|i| (i.to_string(), json!({"type": "string"}))).collect::<serde_json::Map<_, _>>().into();
        json!({"type": "object", "properties": properties, "additionalProperties": false})
    };
    let loose = Profile { json_schema: false, ..Profile::DEFAULT };
    let many = (0..21).map(|i: u8| strict(&i.to_string(), closed.clone())).collect::<Vec<_>>();
    for (tools, profile, kept, lost) in [
        (vec![strict("f", closed.clone())], Profile::DEFAULT, 1, vec![]),
        (vec![strict("f", open)], Profile::DEFAULT, 0, vec!["tools[].strict"]),
        (vec![strict("f", closed.clone())], loose, 0, vec!["tools[].strict"]),
        (many, Profile::DEFAULT, 20, vec!["tools[].strict"]),
        (vec![strict("f", optional(24)), strict("g", closed.clone())], Profile::DEFAULT, 2, vec![]),
        (vec![strict("f", optional(25)), strict("g", closed)], Profile::DEFAULT, 1, vec!["tools[].strict"]),
    ] {
        let (body, dropped) = told(&Request { tools, ..asking(vec![user(vec![text("u")])]) }, &profile);
        let strict = body["tools"].as_array().unwrap().iter().filter(|tool| tool["strict"] == json!(true)).count();
        assert_eq!((strict, dropped), (kept, lost.into_iter().map(str::to_owned).collect()), "{body}");
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
        // Everything else is left as it is.
        (
            Some(json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A", "minLength": 2}}, "$defs": {"A": {}}})),
            r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A","minLength":2}},"$defs":{"A":{}}}"##,
        ),
    ] {
        let (body, _) = written(&Request { tools: vec![tool("f", parameters)], ..asking(vec![user(vec![text("u")])]) });
        assert_eq!(body["tools"][0]["input_schema"].to_string(), schema);
    }
    // Alternatives at the root are refused: what they name is named, and the loss is told.
    let choice = json!({"anyOf": [{"properties": {"z": {"type": "string"}}, "required": ["z"]}, {"properties": {"a": {}}}]});
    let (body, dropped) = written(&Request { tools: vec![tool("f", Some(choice))], ..asking(vec![user(vec![text("u")])]) });
    let merged = r#"{"type":"object","properties":{"z":{"type":"string"},"a":{}}}"#;
    assert_eq!(body["tools"][0]["input_schema"].to_string(), merged);
    assert_eq!(dropped, ["tools[].parameters"]);
    let opaque = |dialect| Tool::Opaque { dialect, value: json!({"type": "web_search_20250305"}) };
    let tools = vec![opaque(Dialect::Gemini), opaque(Dialect::Anthropic)];
    let (body, dropped) = written(&Request { tools, ..asking(vec![user(vec![text("u")])]) });
    assert_eq!((&body["tools"], dropped), (&json!([{"type": "web_search_20250305"}]), vec!["tools[].opaque".to_owned()]));
}

#[test]
fn no_more_cache_marks_than_anthropic_takes() {
    let mark = || Some(CacheHint { ttl: None });
    let marked = |text: &str| Part::Text { text: text.to_owned(), cache: mark(), citations: vec![] };
    let tools = vec![Tool::Function { name: "f".to_owned(), description: None, parameters: None, strict: None, cache: mark() }];
    for (turns, kept, lost) in [(2, ["f", "s", "0", "1"], vec![]), (4, ["f", "s", "2", "3"], vec!["messages[].parts[].cache"])] {
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

/// Another lifetime than Anthropic's becomes its default.
#[test]
fn lifetimes_of_marks() {
    for (ttl, written_ttl, lost) in
        [("5m", json!("5m"), vec![]), ("1h", json!("1h"), vec![]), ("24h", Value::Null, vec!["messages[].parts[].cache"])]
    {
        let cache = Some(CacheHint { ttl: Some(ttl.to_owned()) });
        let (body, dropped) = written(&asking(vec![user(vec![Part::Text { text: "a".to_owned(), cache, citations: vec![] }])]));
        let mark = &body["messages"][0]["content"][0]["cache_control"];
        assert_eq!(
            (&mark["type"], &mark["ttl"], dropped),
            (&json!("ephemeral"), &written_ttl, lost.into_iter().map(str::to_owned).collect())
        );
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
        reasoning: Some(Reasoning::Effort(Effort::Low)),
        show_reasoning: Some(true),
        service_tier: Some("auto".to_owned()),
        user: Some("u".to_owned()),
        ..asking(vec![])
    };
    let out = Anthropic.write_request(&request, &Profile::DEFAULT);
    let back = Anthropic.read_request(&out.value).unwrap();
    assert_eq!(back.value, request);
    assert_eq!([out.dropped, back.dropped], [NOTHING; 2]);
}
