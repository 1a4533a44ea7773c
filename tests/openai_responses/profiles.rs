use portolan::chat::{
    profile::{Profile, Thinking},
    request::{Effort, Format, Part, Reasoning, Request, Role, Source, Tool, ToolCall, ToolChoice, ToolResult},
};
use serde_json::{Number, Value, json};

use super::{NOTHING, asking, function, said, write, write_for};

#[test]
fn a_profile_is_respected() {
    let image = Part::Image { source: Source::Url("https://a".to_owned()), detail: None, cache: None };
    let full = Request {
        temperature: Some(Number::from(1)),
        top_p: Some(Number::from(1)),
        max_tokens: Some(1000),
        reasoning: Some(Reasoning::Budget(3000)),
        format: Some(Format::Schema { name: None, description: None, schema: json!({}), strict: None }),
        tools: vec![function("f", None)],
        tool_choice: Some(ToolChoice::Function("f".to_owned())),
        ..asking(vec![image, Part::text("hi")])
    };
    let default = Profile::DEFAULT;
    for (profile, path, member, expected) in [
        (default, None, "reasoning", json!({"effort": "medium"})),
        (Profile { sampling: false, ..default }, Some("temperature top_p"), "temperature", Value::Null),
        (Profile { max_output: Some(100), ..default }, Some("max_tokens"), "max_output_tokens", json!(100)),
        (Profile { thinking: Thinking::None, ..default }, Some("reasoning"), "include", Value::Null),
        (Profile { json_schema: false, ..default }, Some("format.schema"), "text", json!({"format": {"type": "json_object"}})),
        (Profile { tool_choice: false, ..default }, Some("tool_choice"), "tool_choice", Value::Null),
        (
            Profile { image_urls: false, ..default },
            Some("messages[].parts[].image"),
            "input",
            json!([{"type": "message", "role": "user", "content": "hi"}]),
        ),
    ] {
        let (written, dropped) = write_for(&full, &profile);
        assert_eq!(dropped.join(" "), path.unwrap_or_default(), "{profile:?}");
        assert_eq!(written.get(member).cloned().unwrap_or_default(), expected, "{profile:?}");
    }
}

#[test]
fn efforts_and_budgets_become_words() {
    for (reasoning, effort, encrypted) in [
        (None, None, true),
        (Some(Reasoning::Off), Some("none"), false),
        (Some(Reasoning::Budget(0)), Some("none"), false),
        (Some(Reasoning::Budget(1024)), Some("low"), true),
        (Some(Reasoning::Budget(4096)), Some("medium"), true),
        (Some(Reasoning::Budget(16_384)), Some("high"), true),
        (Some(Reasoning::Effort(Effort::Minimal)), Some("minimal"), true),
        (Some(Reasoning::Effort(Effort::XHigh)), Some("xhigh"), true),
        (Some(Reasoning::Effort(Effort::Max)), Some("max"), true),
        (Some(Reasoning::Adaptive), None, true),
    ] {
        let (written, dropped) = write(&Request { reasoning: reasoning.clone(), ..asking(vec![Part::text("hi")]) });
        assert_eq!(written["reasoning"]["effort"].as_str(), effort, "{reasoning:?}");
        assert_eq!(written.get("include").is_some(), encrypted, "{reasoning:?}");
        assert_eq!(dropped, NOTHING);
    }
}

/// Few who speak this dialect know custom tools: elsewhere a function stands in, in the history and in the choice too.
#[test]
fn custom_tools_become_functions_where_they_are_not_known() {
    let call = ToolCall {
        id: "c".to_owned(),
        name: "patch".to_owned(),
        arguments: "raw".to_owned(),
        custom: true,
        ..ToolCall::default()
    };
    let result = ToolResult { id: "c".to_owned(), name: String::new(), parts: vec![], is_error: false, cache: None };
    let request = Request {
        messages: vec![said(Role::Assistant, vec![Part::ToolCall(call)]), said(Role::User, vec![Part::ToolResult(result)])],
        tools: vec![Tool::Custom { name: "patch".to_owned(), description: Some("d".to_owned()), format: None }],
        tool_choice: Some(ToolChoice::Function("patch".to_owned())),
        ..asking(vec![])
    };
    let (written, dropped) = write_for(&request, &Profile::DEFAULT);
    assert_eq!(dropped, NOTHING);
    assert_eq!(
        written["input"],
        json!([
            {"type": "function_call", "call_id": "c", "name": "patch", "arguments": "{\"input\":\"raw\"}"},
            {"type": "function_call_output", "call_id": "c", "output": ""},
        ])
    );
    assert_eq!(written["tool_choice"], json!({"type": "function", "name": "patch"}));
    assert_eq!(
        written["tools"],
        json!([{"type": "function", "name": "patch", "description": "d", "strict": false,
        "parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}}])
    );
    assert_eq!(write(&request).0["tools"][0]["type"], "custom");
}
