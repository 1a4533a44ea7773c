use portolan::{
    chat::{
        profile::Profile,
        request::{Request, Tool, ToolChoice},
    },
    dialect::{Caller, Upstream, openai_chat::OpenAiChat},
};
use serde_json::{Value, json};

use super::{NOTHING, asking, function, read, write};

fn strict_of(tools: &[Tool]) -> Vec<Option<bool>> {
    let strict = |tool: &Tool| if let Tool::Function { strict, .. } = tool { Some(*strict) } else { None };
    tools.iter().filter_map(strict).collect()
}

/// Strict is the default here and nowhere else. A schema that cannot be held to the letter is refused elsewhere when it is
/// called strict.
#[test]
fn strictness_that_is_not_said_is_said_elsewhere() {
    let closed =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let optional = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
    let inner = json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}, "required": ["a"],
        "additionalProperties": false});
    for (parameters, said, expected) in [
        (&closed, Value::Null, true),
        (&closed, json!(false), false),
        (&optional, Value::Null, false),
        (&optional, json!(true), true),
        (&inner, Value::Null, false),
        (&json!({"type": "object", "properties": {}}), Value::Null, false),
    ] {
        let tool = json!({"type": "function", "name": "f", "parameters": parameters, "strict": said});
        let request = read(json!({"tools": [tool]})).value;
        assert_eq!(strict_of(&request.tools), [Some(expected)], "{tool}");
        assert_eq!(write(&request).0["tools"][0]["strict"], expected, "{tool}");
        let chat: Value = serde_json::from_str(&OpenAiChat.write_request(&request, &Profile::DEFAULT).value).unwrap();
        assert_eq!(chat["tools"][0]["function"]["strict"], expected, "{tool}");
    }
}

/// Chat leaves it out and means no: here no must be said.
#[test]
fn a_tool_of_chat_stays_as_loose_as_it_was() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]});
    let request = OpenAiChat.read_request(&body.to_string()).unwrap().value;
    let (written, _) = write(&request);
    let expected =
        json!([{"type": "function", "name": "f", "strict": false, "parameters": {"type": "object", "properties": {}}}]);
    assert_eq!(written["tools"], expected);
}

#[test]
fn tools_of_all_kinds_are_read() {
    let read = read(json!({"tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": false, "defer_loading": false},
        {"type": "function", "function": {"name": "nested", "parameters": {}}, "strict": false},
        {"type": "custom", "name": "patch", "description": "p", "format": {"type": "grammar", "syntax": "lark", "definition": "s"}},
        {"type": "namespace", "name": "agents", "description": "Work with agents.", "tools": [
            {"type": "function", "name": "close", "description": "Close one.", "strict": false, "parameters": {}},
            {"type": "function", "name": "open", "strict": false, "parameters": {}}]},
        {"type": "web_search", "external_web_access": true},
        {"type": "local_shell"},
    ]}));
    assert_eq!(read.dropped, ["tools[].strict"]);
    let shown: Vec<String> = read.value.tools.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "f: d",
            "nested: -",
            "custom patch: p {\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"s\"}",
            "agents__close: agents: Work with agents.\n\nClose one.",
            "agents__open: -",
            "{\"external_web_access\":true,\"type\":\"web_search\"}",
            "{\"type\":\"local_shell\"}",
        ]
    );
}

fn show(tool: &Tool) -> String {
    match tool {
        Tool::Function { name, description, .. } => format!("{name}: {}", description.as_deref().unwrap_or("-")),
        Tool::Custom { name, description, format } => {
            format!("custom {name}: {} {}", description.as_deref().unwrap_or("-"), format.clone().unwrap_or_default())
        }
        Tool::Opaque { value, .. } => value.to_string(),
    }
}

#[test]
fn a_name_too_long_for_a_namespace_goes_alone() {
    let (space, name) = ("s".repeat(40), "n".repeat(40));
    let tools = json!([{"type": "namespace", "name": space, "description": "", "tools": [{"type": "function", "name": name}]}]);
    assert!(matches!(&read(json!({"tools": tools})).value.tools[0], Tool::Function { name: found, .. } if *found == name));
}

#[test]
fn choices_are_read_in_every_shape_and_written_in_theirs() {
    let among = |names: &[&str], required| {
        Some(ToolChoice::Among { names: names.iter().map(|name| (*name).to_owned()).collect(), required })
    };
    let named = |name: &str| Some(ToolChoice::Function(name.to_owned()));
    for (choice, expected, dropped) in [
        (json!("auto"), Some(ToolChoice::Auto), None),
        (json!("none"), Some(ToolChoice::None), None),
        (json!("required"), Some(ToolChoice::Required), None),
        (json!({"type": "function", "name": "f"}), named("f"), None),
        (json!({"type": "function", "function": {"name": "f"}}), named("f"), None),
        (json!({"type": "function", "name": "close", "namespace": "agents"}), named("agents__close"), None),
        (json!({"type": "custom", "name": "patch"}), named("patch"), None),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}]}),
            among(&["f", "patch"], true),
            None,
        ),
        (
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}, {"type": "mcp"}]}),
            among(&["f"], false),
            Some("tool_choice.tools[]"),
        ),
        (json!({"type": "web_search"}), None, Some("tool_choice")),
    ] {
        let tools = json!([{"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}]);
        let found = read(json!({"tools": tools, "tool_choice": choice}));
        assert_eq!((&found.value.tool_choice, found.dropped.first().map(String::as_str)), (&expected, dropped), "{choice}");
        let nested = choice["function"].is_object() || choice["namespace"].is_string();
        if dropped.is_none() && !nested {
            assert_eq!(write(&found.value).0["tool_choice"], choice);
        }
    }
}

/// Chat nests a grammar; a provider's own tool of another dialect is named.
#[test]
fn foreign_tools_are_written_flat_or_named() {
    let grammar = json!({"type": "grammar", "grammar": {"syntax": "regex", "definition": "a+"}});
    let custom = Tool::Custom { name: "patch".to_owned(), description: None, format: Some(grammar) };
    let opaque = Tool::Opaque { dialect: portolan::chat::Dialect::Anthropic, value: json!({"type": "web_search_20250305"}) };
    let request = Request { tools: vec![custom, opaque, function("f", Some(true))], ..asking(vec![]) };
    let (written, dropped) = write(&request);
    assert_eq!(
        written["tools"],
        json!([
            {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "regex", "definition": "a+"}},
            {"type": "function", "name": "f", "strict": true, "parameters": {}},
        ])
    );
    assert_eq!(dropped, ["tools[].opaque"]);
}

/// OpenAI refuses words about tools where there are none.
#[test]
fn without_tools_nothing_is_said_of_them() {
    let request = Request { tool_choice: Some(ToolChoice::Auto), parallel_tool_calls: Some(true), ..asking(vec![]) };
    let (written, dropped) = write(&request);
    assert_eq!((written.get("tool_choice"), written.get("parallel_tool_calls")), (None, None));
    assert_eq!(dropped, NOTHING);
}
