//! Tools, formats and instructions, as Converse takes them.

use portolan::chat::{
    Dialect,
    profile::{Profile, Thinking},
    request::{CacheHint, Format, Part, Reasoning, Request, Role, Tool, ToolCall, ToolChoice},
};
use serde_json::{Value, json};

use super::{around, asking, message, written};

fn tool(name: &str) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters: None, strict: None, cache: None }
}

fn spec(name: &str) -> Value {
    json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object", "properties": {}}}}})
}

#[test]
fn instructions_alone_are_what_the_user_says() {
    let system = || message(Role::System, vec![Part::text("a"), Part::text(" ")]);
    let (body, _) = written(&Request { messages: vec![system()], ..Request::default() }, &Profile::DEFAULT);
    assert_eq!(body, json!({"messages": [{"role": "user", "content": [{"text": "a"}]}]}));
    let messages = vec![system(), system(), message(Role::User, vec![Part::text("q")])];
    let (body, _) = written(&Request { messages, ..Request::default() }, &Profile::DEFAULT);
    let turns = json!([{"role": "user", "content": [{"text": "q"}]}]);
    assert_eq!(body, json!({"messages": turns, "system": [{"text": "a"}, {"text": "a"}]}));
}

#[test]
fn tools_of_every_kind_are_declared_or_reported() {
    let full = Tool::Function {
        name: "a".to_owned(),
        description: Some("does a".to_owned()),
        parameters: Some(json!({"properties": {"x": {}}})),
        strict: Some(true),
        cache: Some(CacheHint { ttl: None }),
    };
    let custom = Tool::Custom { name: "c".to_owned(), description: None, format: None };
    let native = json!({"systemTool": {"name": "nova_grounding"}});
    let tools = vec![
        full,
        Tool::Function {
            name: "b".to_owned(),
            description: Some(" ".to_owned()),
            parameters: Some(json!({})),
            strict: None,
            cache: None,
        },
        custom,
        Tool::Opaque { dialect: Dialect::Converse, value: native.clone() },
        Tool::Opaque { dialect: Dialect::Anthropic, value: json!({}) },
    ];
    let (body, dropped) = around(&Request { tools, ..asking() }, &Profile::DEFAULT);
    let schema = json!({"properties": {"x": {}}, "type": "object"});
    let input = json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
    let expected = json!({"toolConfig": {"tools": [
        {"toolSpec": {"name": "a", "description": "does a", "inputSchema": {"json": schema}, "strict": true}},
        {"cachePoint": {"type": "default"}},
        {"toolSpec": {"name": "b", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
        {"toolSpec": {"name": "c", "inputSchema": {"json": input}}},
        native,
    ]}});
    assert_eq!((body, dropped), (expected, vec!["tools[].opaque".to_owned()]));
}

#[test]
fn a_choice_of_tools_is_said_as_far_as_there_are_words() {
    let among = |names: &[&str], required| ToolChoice::Among { names: names.iter().map(|n| (*n).to_owned()).collect(), required };
    let plain = Profile::DEFAULT;
    let unforced = Profile { tool_choice: false, ..plain };
    let lost: &[&str] = &["tool_choice"];
    for (choice, profile, expected, dropped) in [
        (ToolChoice::Auto, plain, json!({"auto": {}}), &[][..]),
        (ToolChoice::Required, plain, json!({"any": {}}), &[]),
        (ToolChoice::Function("b".to_owned()), plain, json!({"tool": {"name": "b"}}), &[]),
        (among(&["b"], true), plain, json!({"tool": {"name": "b"}}), &[]),
        (among(&["a", "b"], true), plain, json!({"any": {}}), lost),
        (among(&["a"], false), plain, Value::Null, lost),
        (ToolChoice::Required, unforced, Value::Null, lost),
    ] {
        let request = Request { tools: vec![tool("a"), tool("b")], tool_choice: Some(choice.clone()), ..asking() };
        let (body, seen) = around(&request, &profile);
        assert_eq!(body["toolConfig"]["tools"], json!([spec("a"), spec("b")]), "{choice:?}");
        assert_eq!(
            (&body["toolConfig"]["toolChoice"], seen.as_slice()),
            (&expected, &*dropped.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>()),
            "{choice:?}"
        );
    }
    // A thinking model lets no call be forced.
    let request = Request {
        tools: vec![tool("a")],
        tool_choice: Some(ToolChoice::Required),
        reasoning: Some(Reasoning::Budget(2000)),
        ..asking()
    };
    let (body, seen) = around(&request, &Profile { thinking: Thinking::Budget, ..plain });
    assert_eq!((body["toolConfig"].get("toolChoice"), seen), (None, vec!["tool_choice".to_owned()]));
    let request = Request { tools: vec![tool("a")], parallel_tool_calls: Some(false), ..asking() };
    assert_eq!(around(&request, &plain).1, ["parallel_tool_calls"]);
}

#[test]
fn no_tool_may_be_called_where_none_is_declared() {
    let request = Request { tools: vec![tool("a")], tool_choice: Some(ToolChoice::None), ..asking() };
    assert_eq!(around(&request, &Profile::DEFAULT), (json!({}), vec![]));
}

/// A history of calls without their tools is refused.
#[test]
fn tools_of_the_history_are_declared() {
    let call = ToolCall { id: "1".to_owned(), name: "gone".to_owned(), ..ToolCall::default() };
    let messages = vec![
        message(Role::User, vec![Part::text("q")]),
        message(Role::Assistant, vec![Part::ToolCall(call)]),
        message(Role::User, vec![Part::text("w")]),
    ];
    let gone = json!({"toolSpec": {"name": "gone", "inputSchema": {"json": {"type": "object"}}}});
    let request = Request { messages, ..Request::default() };
    let (body, dropped) = written(&request, &Profile::DEFAULT);
    assert_eq!((&body["toolConfig"], dropped.len()), (&json!({"tools": [gone]}), 0));
    let request = Request { tools: vec![tool("a")], tool_choice: Some(ToolChoice::None), ..request };
    let (body, dropped) = written(&request, &Profile::DEFAULT);
    assert_eq!((&body["toolConfig"], dropped), (&json!({"tools": [spec("a"), gone]}), vec!["tool_choice".to_owned()]));
}

#[test]
fn a_schema_is_enforced_or_a_tool_or_told() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "object", "default": {"type": "object"}}}});
    let closed = json!({"type": "object", "properties": {"a": {"type": "object", "default": {"type": "object"},
        "additionalProperties": false}}, "additionalProperties": false});
    let format = Format::Schema { name: Some("n".to_owned()), description: None, schema: schema.clone(), strict: Some(true) };
    let request = Request { format: Some(format), ..asking() };
    let (body, dropped) = around(&request, &Profile::DEFAULT);
    let definition = &body["outputConfig"]["textFormat"];
    assert_eq!((&definition["type"], &definition["structure"]["jsonSchema"]["name"]), (&json!("json_schema"), &json!("n")));
    let text = definition["structure"]["jsonSchema"]["schema"].as_str().unwrap();
    assert_eq!((serde_json::from_str::<Value>(text).unwrap(), dropped.len()), (closed, 0));

    let old = Profile { json_schema: false, ..Profile::DEFAULT };
    let (body, dropped) = around(&request, &old);
    let spec_of = |body: &Value, at: usize| body["toolConfig"]["tools"][at]["toolSpec"].clone();
    assert_eq!(spec_of(&body, 0)["inputSchema"], json!({"json": schema}));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"tool": {"name": "portolan_answer"}}));
    assert!(dropped.is_empty(), "{dropped:?}");

    let with_tools = Request { tools: vec![tool("a")], ..request.clone() };
    let (body, _) = around(&with_tools, &old);
    assert_eq!((&spec_of(&body, 1)["name"], &body["toolConfig"]["toolChoice"]), (&json!("portolan_answer"), &json!({"any": {}})));

    let wanted = Request { tool_choice: Some(ToolChoice::Required), ..with_tools };
    for (request, profile) in [(wanted, old), (request, Profile { tool_choice: false, ..old })] {
        let (body, dropped) = around(&request, &profile);
        assert!(body["system"][0]["text"].as_str().unwrap().ends_with(&schema.to_string()), "{body}");
        assert_eq!(dropped, ["format"]);
    }
    let (body, dropped) = around(&Request { format: Some(Format::Json), ..asking() }, &Profile::DEFAULT);
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON object"), "{body}");
    assert!(dropped.is_empty(), "{dropped:?}");
}
