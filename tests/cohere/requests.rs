//! Requests, as Cohere takes them.

use portolan::{
    chat::{
        Dialect,
        profile::{History, Profile, Thinking},
        request::{
            Effort, Format, Message, Part, Reasoning, Request, Role, Signature, Source, Tool, ToolCall, ToolChoice, ToolResult,
        },
    },
    dialect::{Upstream, cohere::Cohere},
    wire::base64,
};
use serde_json::{Value, json};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn asking() -> Request {
    Request { model: "command-a".to_owned(), messages: vec![message(Role::User, vec![Part::text("Hi")])], ..Request::default() }
}

fn written(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let written = Cohere.write_request(request, profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

/// Its body without model and question.
fn around(request: &Request) -> (Value, Vec<String>) {
    around_for(request, &Profile::DEFAULT)
}

fn around_for(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let (mut body, dropped) = written(request, profile);
    let map = body.as_object_mut().unwrap();
    assert_eq!(map.remove("model"), Some(json!("command-a")));
    assert_eq!(map.remove("messages"), Some(json!([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])));
    (body, dropped)
}

fn turns(messages: Vec<Message>, profile: &Profile) -> (Value, Vec<String>) {
    let (mut body, dropped) = written(&Request { messages, ..asking() }, profile);
    (body["messages"].take(), dropped)
}

fn tool(name: &str, strict: Option<bool>) -> Tool {
    let parameters = Some(json!({"type": "object", "properties": {"x": {}}, "required": ["x"]}));
    Tool::Function { name: name.to_owned(), description: Some("d".to_owned()), parameters, strict, cache: None }
}

#[test]
fn a_tool_loop_is_told_in_messages_of_its_own() {
    let call = |id: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
            ..ToolCall::default()
        })
    };
    let image = Part::Image {
        source: Source::Inline { media_type: "image/png".to_owned(), data: "QUJD".to_owned() },
        detail: Some("low".to_owned()),
        cache: None,
    };
    let result = |id: &str, parts: Vec<Part>, is_error| {
        Part::ToolResult(ToolResult { id: id.to_owned(), name: String::new(), parts, is_error, cache: None })
    };
    let messages = vec![
        message(Role::System, vec![Part::text("s")]),
        message(Role::User, vec![Part::text("q")]),
        message(
            Role::Assistant,
            vec![
                Part::Reasoning { text: "plan".to_owned(), signature: None },
                call("a", ""),
                call("b", "{\"x\":1}"),
                call("c", ""),
            ],
        ),
        message(
            Role::User,
            vec![
                result("b", vec![Part::text("r")], true),
                result("a", vec![image], false),
                result("z", vec![], false),
                Part::text("?"),
            ],
        ),
    ];
    let function =
        |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let expected = json!([
        {"role": "system", "content": [{"type": "text", "text": "s"}]},
        {"role": "user", "content": [{"type": "text", "text": "q"}]},
        {"role": "assistant", "tool_plan": "plan", "tool_calls": [function("a", "{}"), function("b", "{\"x\":1}"), function("c", "{}")]},
        {"role": "tool", "tool_call_id": "b", "content": "r"},
        {"role": "tool", "tool_call_id": "a", "content": "(The result is in the next message.)"},
        {"role": "tool", "tool_call_id": "c", "content": "No result: the tool was not run."},
        {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
            {"type": "text", "text": "?"},
        ]},
    ]);
    let lost = ["messages[].parts[].is_error", "messages[].parts[].tool_result"].map(str::to_owned).to_vec();
    assert_eq!(turns(messages, &Profile::DEFAULT), (expected, lost));
}

#[test]
fn thoughts_go_back_where_they_may() {
    let proof = |dialect| Some(Signature { dialect, value: "s".to_owned() });
    let bare = Profile { history: History::Bare, ..Profile::DEFAULT };
    let block = json!({"type": "thinking", "thinking": "hm"});
    let lost = vec!["messages[].parts[].reasoning".to_owned()];
    for (signature, profile, kept) in [
        (None, Profile::DEFAULT, true),
        (proof(Dialect::Cohere), Profile::DEFAULT, true),
        (proof(Dialect::Anthropic), Profile::DEFAULT, false),
        (None, bare, false),
    ] {
        let parts = vec![Part::Reasoning { text: "hm".to_owned(), signature: signature.clone() }, Part::text("x")];
        let (turns, dropped) = turns(vec![message(Role::Assistant, parts)], &profile);
        let expected = if kept { json!([block, {"type": "text", "text": "x"}]) } else { json!([{"type": "text", "text": "x"}]) };
        assert_eq!((&turns[0]["content"], dropped), (&expected, if kept { vec![] } else { lost.clone() }), "{signature:?}");
    }
}

#[test]
fn files_are_said_as_text_and_other_media_reported() {
    let file = |media_type: &str, data: &str| Part::File {
        source: Source::Inline { media_type: media_type.to_owned(), data: data.to_owned() },
        name: Some("a.txt".to_owned()),
        cache: None,
    };
    let url = Source::Url("https://a.test/a.png".to_owned());
    let parts = vec![
        file("text/plain", &base64::encode("é".as_bytes())),
        Part::Image { source: url.clone(), detail: None, cache: None },
        file("application/pdf", "QUJD"),
        Part::Video { source: url.clone(), fps: None },
        Part::Audio { source: url, transcript: None },
        Part::text("  "),
    ];
    let expected =
        json!([{"type": "text", "text": "a.txt\n\né"}, {"type": "image_url", "image_url": {"url": "https://a.test/a.png"}}]);
    let (turns, dropped) = turns(vec![message(Role::User, parts)], &Profile::DEFAULT);
    assert_eq!(turns[0]["content"], expected);
    assert_eq!(dropped, ["file", "video", "audio"].map(|what| format!("messages[].parts[].{what}")));
}

#[test]
fn settings_have_their_names_and_their_ranges() {
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    let request = Request {
        stream: true,
        max_tokens: Some(10),
        temperature: number("0.3"),
        top_p: number("0.5"),
        top_k: number("40"),
        presence_penalty: number("0.1"),
        frequency_penalty: number("0"),
        seed: number("18446744073709551615"),
        stop: vec!["END".to_owned()],
        logprobs: true,
        ..asking()
    };
    let expected = json!({"stream": true, "max_tokens": 10, "temperature": 0.3, "p": 0.5, "k": 40, "presence_penalty": 0.1,
        "frequency_penalty": 0, "seed": 18446744073709551615_u64, "stop_sequences": ["END"], "logprobs": true});
    assert_eq!(around(&request), (expected, vec![]));
    let request = Request {
        max_tokens: Some(10),
        top_p: number("1"),
        top_k: number("1000"),
        presence_penalty: number("-1.5"),
        frequency_penalty: number("2"),
        seed: number("-1"),
        stop: ["1", "2", "3", "4", "5", "6"].map(str::to_owned).to_vec(),
        ..asking()
    };
    let expected = json!({"max_tokens": 5, "p": 0.99, "k": 500, "presence_penalty": 0, "frequency_penalty": 1,
        "stop_sequences": ["1", "2", "3", "4", "5"]});
    let (body, dropped) = around_for(&request, &Profile { max_output: Some(5), ..Profile::DEFAULT });
    assert_eq!(body, expected);
    assert_eq!(dropped.join(" "), "max_tokens top_p top_k presence_penalty frequency_penalty seed stop");
}

#[test]
fn thinking_is_a_switch_with_a_budget() {
    for (asked, expected) in [
        (Reasoning::Off, json!({"type": "disabled"})),
        (Reasoning::Budget(0), json!({"type": "disabled"})),
        (Reasoning::Budget(500), json!({"type": "enabled", "token_budget": 500})),
        (Reasoning::Effort(Effort::Low), json!({"type": "enabled", "token_budget": 1024})),
        (Reasoning::Effort(Effort::High), json!({"type": "enabled"})),
        (Reasoning::Adaptive, json!({"type": "enabled"})),
    ] {
        assert_eq!(around(&Request { reasoning: Some(asked), ..asking() }), (json!({"thinking": expected}), vec![]));
    }
    let thoughtless = Profile { thinking: Thinking::None, ..Profile::DEFAULT };
    for (asked, lost) in [(Reasoning::Off, vec![]), (Reasoning::Adaptive, vec!["reasoning".to_owned()])] {
        assert_eq!(around_for(&Request { reasoning: Some(asked), ..asking() }, &thoughtless), (json!({}), lost));
    }
}

#[test]
fn a_choice_of_tools_leaves_out_the_others() {
    let names = |body: &Value| -> Vec<String> {
        let tools = body["tools"].as_array().cloned().unwrap_or_default();
        tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let some = |names: &[&str], required| ToolChoice::Among { names: names.iter().map(|n| (*n).to_owned()).collect(), required };
    for (choice, offered, word) in [
        (ToolChoice::Auto, &["a", "b", "c"][..], None),
        (ToolChoice::None, &["a", "b", "c"], Some("NONE")),
        (ToolChoice::Required, &["a", "b", "c"], Some("REQUIRED")),
        (ToolChoice::Function("b".to_owned()), &["b"], Some("REQUIRED")),
        (some(&["a", "b"], true), &["a", "b"], Some("REQUIRED")),
        (some(&["a"], false), &["a"], None),
    ] {
        let custom = Tool::Custom { name: "c".to_owned(), description: None, format: None };
        let tools = vec![tool("a", None), tool("b", None), custom];
        let (body, dropped) = around(&Request { tools, tool_choice: Some(choice.clone()), ..asking() });
        assert_eq!(
            (names(&body), body["tool_choice"].as_str()),
            (offered.iter().map(|n| (*n).to_owned()).collect(), word),
            "{choice:?}"
        );
        assert!(dropped.is_empty(), "{dropped:?}");
    }
}

#[test]
fn strictness_is_one_word_for_all_tools() {
    let free = || Tool::Function { name: "f".to_owned(), description: None, parameters: None, strict: Some(true), cache: None };
    for (tools, strict, lost) in [
        (vec![tool("a", Some(true)), tool("b", Some(true))], Some(true), &[][..]),
        (vec![tool("a", Some(true)), tool("b", None)], None, &["tools[].strict"]),
        (vec![tool("a", Some(true)), free()], None, &["tools[].strict"]),
        (vec![tool("a", Some(false))], None, &[]),
    ] {
        let (body, dropped) = around(&Request { tools: tools.clone(), ..asking() });
        assert_eq!(
            (body["strict_tools"].as_bool(), dropped.as_slice()),
            (strict, lost.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>().as_slice()),
            "{tools:?}"
        );
    }
}

#[test]
fn a_format_goes_alone() {
    let schema = json!({"type": "object", "required": ["a"]});
    let format = Format::Schema { name: None, description: None, schema: schema.clone(), strict: None };
    let request = Request { format: Some(format), ..asking() };
    let expected = json!({"response_format": {"type": "json_object", "json_schema": schema}});
    assert_eq!(around(&request), (expected, vec![]));
    let plain = json!({"response_format": {"type": "json_object"}});
    assert_eq!(around(&Request { format: Some(Format::Json), ..asking() }), (plain, vec![]));
    let (body, dropped) = around(&Request { tools: vec![tool("a", None)], ..request });
    assert_eq!((body.get("response_format"), dropped), (None, vec!["format".to_owned()]), "Cohere refuses both together");
}

#[test]
fn what_has_no_word_is_reported() {
    let request = Request {
        user: Some("u".to_owned()),
        n: Some(2),
        top_logprobs: Some(1),
        service_tier: Some("flex".to_owned()),
        verbosity: Some("low".to_owned()),
        store: Some(true),
        metadata: Some(json!({})),
        cache_key: Some("k".to_owned()),
        modalities: vec!["audio".to_owned()],
        show_reasoning: Some(false),
        ..asking()
    };
    let (body, dropped) = around(&request);
    assert_eq!(body, json!({}));
    let words = "show_reasoning user n top_logprobs service_tier verbosity store metadata cache_key modalities";
    assert_eq!(dropped.join(" "), words);
    let default = Request { service_tier: Some("default".to_owned()), n: Some(1), store: Some(false), ..asking() };
    assert_eq!(around(&default), (json!({}), vec![]));
}
