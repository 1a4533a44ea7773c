//! What a target takes: requests written for it, and callers' own bodies repaired for it.

use portolan::{
    chat::{
        Dialect,
        profile::{History, Profile, Thinking},
        request::{Effort, Format, Message, Part, Reasoning, Request, Role, Signature, Source, Tool, ToolCall, ToolChoice},
    },
    dialect::{Upstream, openai_chat::OpenAiChat},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

fn base() -> Request {
    Request {
        model: "m".into(),
        messages: vec![Message { role: Role::User, parts: vec![Part::text("a")] }],
        ..Request::default()
    }
}

fn write(request: &Request, profile: Profile) -> (Value, Vec<String>) {
    let written = OpenAiChat.write_request(request, &profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

fn none() -> Vec<String> {
    vec![]
}

#[test]
fn each_target_is_told_how_much_to_think_in_its_own_words() {
    let (off, low, budget) = (Reasoning::Off, Reasoning::Effort(Effort::Low), Reasoning::Budget(4096));
    for (thinking, reasoning, word, switch, dropped) in [
        (Thinking::Effort, &off, json!("none"), Value::Null, none()),
        (Thinking::Effort, &low, json!("low"), Value::Null, none()),
        (Thinking::Budget, &budget, json!("medium"), Value::Null, none()),
        (Thinking::Effort, &Reasoning::Adaptive, Value::Null, Value::Null, none()),
        (Thinking::Switch, &off, Value::Null, json!({"type": "disabled"}), none()),
        (Thinking::Switch, &low, json!("low"), json!({"type": "enabled"}), none()),
        (Thinking::Switch, &budget, Value::Null, json!({"type": "enabled"}), none()),
        (Thinking::Switch, &Reasoning::Adaptive, Value::Null, json!({"type": "enabled"}), none()),
        (Thinking::None, &off, Value::Null, Value::Null, none()),
        (Thinking::None, &low, Value::Null, Value::Null, vec!["reasoning".to_owned()]),
    ] {
        let request = Request { reasoning: Some(reasoning.clone()), ..base() };
        let (body, lost) = write(&request, Profile { thinking, ..Profile::DEFAULT });
        assert_eq!((&body["reasoning_effort"], &body["thinking"], lost), (&word, &switch, dropped), "{thinking:?} {reasoning:?}");
    }
}

#[test]
fn what_a_target_refuses_is_left_out_and_said() {
    let function =
        |name: &str| Tool::Function { name: name.into(), description: None, parameters: None, strict: None, cache: None };
    let warm = Request { temperature: Some(1.into()), top_p: Some(1.into()), ..base() };
    let forced = |choice| Request { tools: vec![function("f")], tool_choice: Some(choice), ..base() };
    let far = Part::Image { source: Source::Url("https://x".into()), detail: None, cache: None };
    let seen = Request { messages: vec![Message { role: Role::User, parts: vec![Part::text("a"), far] }], ..base() };
    let long = Request { max_tokens: Some(9000), ..base() };
    let all = Profile::DEFAULT;
    for (request, profile, gone, dropped) in [
        (&warm, all, "", vec![]),
        (&warm, Profile { sampling: false, ..all }, "temperature top_p", vec!["temperature", "top_p"]),
        (&forced(ToolChoice::Required), all, "", vec![]),
        (&forced(ToolChoice::Required), Profile { tool_choice: false, ..all }, "tool_choice", vec!["tool_choice"]),
        (&forced(ToolChoice::Function("f".into())), Profile { tool_choice: false, ..all }, "tool_choice", vec!["tool_choice"]),
        (&forced(ToolChoice::None), Profile { tool_choice: false, ..all }, "", vec![]),
        (&seen, all, "", vec![]),
        (&seen, Profile { image_urls: false, ..all }, "", vec!["messages[].parts[].image"]),
        (&long, Profile { max_output: Some(8192), ..all }, "", vec!["max_tokens"]),
        (&long, Profile { max_output: Some(9000), ..all }, "", vec![]),
        (&Request { show_reasoning: Some(false), ..base() }, all, "", vec!["show_reasoning"]),
        // What only says the default is no loss, and strict providers know no such member.
        (
            &Request { store: Some(false), service_tier: Some("auto".into()), verbosity: Some("medium".into()), ..base() },
            all,
            "store service_tier verbosity",
            vec![],
        ),
    ] {
        let (body, lost) = write(request, profile);
        assert_eq!(lost, dropped, "{request:?}");
        assert!(gone.split_whitespace().all(|key| body.get(key).is_none()), "{body}");
    }
    assert_eq!(write(&long, Profile { max_output: Some(8192), ..all }).0["max_completion_tokens"], 8192);
}

#[test]
fn a_schema_becomes_an_instruction_where_it_is_not_known() {
    let schema = json!({"type": "object", "b": 1, "a": 2});
    let format = Format::Schema { name: None, description: Some("A pair.".into()), schema, strict: None };
    let profile = Profile { json_schema: false, ..Profile::DEFAULT };
    let text = "Answer with one JSON object that matches this JSON Schema, and nothing else. A pair.\n{\"type\":\"object\",\"b\":1,\"a\":2}";
    let system = |parts: Vec<Part>| {
        let mut request = Request { format: Some(format.clone()), ..base() };
        if !parts.is_empty() {
            request.messages.insert(0, Message { role: Role::System, parts });
        }
        request
    };
    for (request, content) in [
        (system(vec![]), json!(text)),
        (system(vec![Part::text("s")]), json!(format!("s\n\n{text}"))),
        (
            system(vec![Part::text("s"), Part::text("t")]),
            json!([{"type": "text", "text": "s"}, {"type": "text", "text": "t"}, {"type": "text", "text": text}]),
        ),
    ] {
        let (body, dropped) = write(&request, profile);
        assert_eq!((&body["messages"][0]["content"], &body["messages"][1]["role"]), (&content, &json!("user")));
        assert_eq!((&body["response_format"], dropped), (&json!({"type": "json_object"}), vec!["format.schema".to_owned()]));
    }
}

#[test]
fn a_begun_answer_is_asked_for_where_it_cannot_be_begun() {
    let mut request = base();
    request.messages.push(Message { role: Role::Assistant, parts: vec![Part::text("It is")] });
    let roles = |body: &Value| body["messages"].as_array().unwrap().iter().map(|m| m["role"].clone()).collect::<Vec<_>>();
    let (body, dropped) = write(&request, Profile::DEFAULT);
    assert_eq!((roles(&body), dropped), (vec![json!("user"), json!("assistant")], vec![]));
    let (body, dropped) = write(&request, Profile { prefill: false, ..Profile::DEFAULT });
    assert_eq!((roles(&body).len(), &body["messages"][2]["role"], dropped), (3, &json!("user"), vec!["prefill".to_owned()]));
}

#[test]
fn custom_tools_have_a_stand_in() {
    let flat = json!({"type": "grammar", "syntax": "lark", "definition": "start: A"});
    let nested = json!({"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}});
    let call = ToolCall { id: "c".into(), name: "p".into(), arguments: "x\"".into(), custom: true, ..ToolCall::default() };
    let request = |format: &Value| Request {
        messages: vec![Message { role: Role::Assistant, parts: vec![Part::ToolCall(call.clone())] }],
        tools: vec![Tool::Custom { name: "p".into(), description: None, format: Some(format.clone()) }],
        tool_choice: Some(ToolChoice::Function("p".into())),
        ..base()
    };
    for format in [&flat, &nested] {
        let (body, dropped) = write(&request(format), Profile { custom_tools: true, ..Profile::DEFAULT });
        assert_eq!(body["tools"], json!([{"type": "custom", "custom": {"name": "p", "format": nested}}]));
        assert_eq!(body["tool_choice"], json!({"type": "custom", "custom": {"name": "p"}}));
        assert_eq!(body["messages"][0]["tool_calls"][0]["custom"], json!({"name": "p", "input": "x\""}));
        assert_eq!(dropped, none());
        let (body, dropped) = write(&request(format), Profile::DEFAULT);
        let function = &body["tools"][0]["function"];
        assert!(
            function["description"].as_str().unwrap().contains("start: A")
                && function["parameters"]["required"] == json!(["input"])
        );
        assert_eq!(body["tool_choice"], json!({"type": "function", "function": {"name": "p"}}));
        let called = json!({"name": "p", "arguments": r#"{"input":"x\""}"#});
        assert_eq!((&body["messages"][0]["tool_calls"][0]["function"], dropped), (&called, none()));
    }
}

#[test]
fn the_history_holds_what_its_target_takes() {
    let signed = |dialect| Some(Signature { dialect, value: "S".into() });
    let call = |id: &str, signature| {
        Part::ToolCall(ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), signature, ..ToolCall::default() })
    };
    let parts = vec![
        Part::Reasoning { text: "hm".into(), signature: signed(Dialect::Anthropic) },
        Part::RedactedReasoning { data: "D".into(), dialect: Dialect::Anthropic },
        call("c", signed(Dialect::Gemini)),
    ];
    let request = Request { messages: vec![Message { role: Role::Assistant, parts }], ..base() };
    let at = |what: &str| format!("messages[].parts[].{what}");
    for (history, members, dropped) in [
        (History::Details, "role content reasoning_content reasoning_details tool_calls", none()),
        (History::Content, "role content reasoning_content tool_calls", vec![at("reasoning")]),
        (History::Bare, "role content tool_calls", vec![at("reasoning")]),
    ] {
        let (body, lost) = write(&request, Profile { history, ..Profile::DEFAULT });
        let message = body["messages"][0].as_object().unwrap();
        assert_eq!(message.keys().map(String::as_str).collect::<Vec<_>>().join(" "), members, "{history:?}");
        assert_eq!(message["tool_calls"][0].get("extra_content").is_some(), history == History::Details);
        assert_eq!(lost, dropped, "{history:?}");
    }
}

#[test]
fn a_callers_history_is_repaired_for_its_target_and_nothing_else() {
    let mine = r#"{"role":"assistant","content":"a", "reasoning":"hm","reasoning_details":[{"type":"reasoning.text"}],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{}}}]}"#;
    let clean = r#"{"role":"user","content":"say \"reasoning\" and \"images\"", "reasoning":1}"#;
    let body = format!(r#"{{"model":"m","n": 1e2,"messages":[{clean},{mine}]}}"#);
    let repaired = |body: &str, history| {
        let outline = Outline::read(body.as_bytes()).unwrap();
        join(body, &outline.edit(&OpenAiChat.repairs(&outline, &Profile { history, ..Profile::DEFAULT })))
    };
    assert_eq!(repaired(&body, History::Details), body);
    let messages = |history| serde_json::from_str::<Value>(&repaired(&body, history)).unwrap()["messages"].clone();
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let user: Value = serde_json::from_str(clean).unwrap();
    assert_eq!(messages(History::Bare), json!([user, {"role": "assistant", "content": "a", "tool_calls": [call]}]));
    let kept = json!({"role": "assistant", "content": "a", "tool_calls": [call], "reasoning_content": "hm"});
    assert_eq!(messages(History::Content), json!([user, kept]));
    assert!(repaired(&body, History::Bare).contains("\"n\": 1e2,"));
    // Nothing of the kind there: the very bytes, whatever a text says.
    let body = format!(r#"{{"model":"m","messages":[{clean}]}}"#);
    assert_eq!(repaired(&body, History::Bare), body);
}
