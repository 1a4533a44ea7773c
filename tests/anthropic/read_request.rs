use portolan::{
    chat::{
        Dialect,
        request::{CacheHint, Effort, Format, Part, Reasoning, Request, Source, Tool, ToolChoice, ToolResult},
    },
    dialect::{Caller, Facts, anthropic::Anthropic},
    error::Kind,
    wire::json::Outline,
};
use serde_json::{Value, json};

use super::{assistant, call, read, result, signature, system, text, thought, user};

#[test]
fn facts_are_read_from_the_outline() {
    let facts = |body: &str| Anthropic.facts(&Outline::read(body.as_bytes()).unwrap());
    let base = Facts { model: "m".to_owned(), ..Facts::default() };
    for (body, expected) in [
        (r#"{"model":"m"}"#, base.clone()),
        (r#"{"model":"m","stream":true}"#, Facts { stream: true, wants_usage: true, ..base.clone() }),
        (r#"{"model":"m","max_tokens":7}"#, Facts { max_output: Some(7), ..base.clone() }),
        (r#"{"model":"m","tools":[ ]}"#, base.clone()),
        (r#"{"model":"m","tools":[ {"name":"f"}]}"#, Facts { tools: true, ..base.clone() }),
        (r#"{"model":"m","metadata":{"user_id":"u"}}"#, Facts { user: Some("u".to_owned()), ..base.clone() }),
        (r#"{"model":"m","metadata":{"user_id":1}}"#, base),
    ] {
        assert_eq!(facts(body), Ok(expected), "{body}");
    }
    for (body, param) in [
        ("{}", "model"),
        (r#"{"model":1}"#, "model"),
        (r#"{"model":"m","stream":"yes"}"#, "stream"),
        (r#"{"model":"m","max_tokens":-1}"#, "max_tokens"),
    ] {
        assert_eq!(facts(body).map_err(|error| error.param.clone()), Err(Some(param.to_owned())), "{body}");
    }
}

#[test]
fn blocks_become_parts() {
    let mark = Some(CacheHint { ttl: Some("1h".to_owned()) });
    let inline = |media_type: &str, data: &str| Source::Inline { media_type: media_type.to_owned(), data: data.to_owned() };
    let image = |source| Part::Image { source, detail: None, cache: None };
    let file = |source| Part::File { source, name: Some("t".to_owned()), cache: None };
    let id = Source::Id { dialect: Dialect::Anthropic, id: "file_1".to_owned() };
    let odd = json!({"type": "document", "source": {"type": "of_2030"}});
    for (block, part) in [
        (json!({"type": "text", "text": "a"}), text("a")),
        (
            json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}),
            Part::Text { text: "a".to_owned(), cache: mark, citations: vec![] },
        ),
        (
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}),
            image(inline("image/png", "AA==")),
        ),
        (json!({"type": "image", "source": {"type": "url", "url": "https://a/b"}}), image(Source::Url("https://a/b".to_owned()))),
        (json!({"type": "image", "source": {"type": "file", "file_id": "file_1"}}), image(id.clone())),
        (
            json!({"type": "document", "title": "t", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}}),
            file(inline("application/pdf", "AA==")),
        ),
        (
            json!({"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}}),
            file(inline("text/plain", "R3LDvMOfZQ==")),
        ),
        (json!({"type": "document", "title": "t", "source": {"type": "file", "file_id": "file_1"}}), file(id)),
        (json!({"type": "thinking", "thinking": "t", "signature": ""}), thought("t", None)),
        (
            json!({"type": "thinking", "thinking": "", "signature": "EqQ="}),
            thought("", Some(signature(Dialect::Anthropic, "EqQ="))),
        ),
        (
            json!({"type": "redacted_thinking", "data": "x"}),
            Part::RedactedReasoning { data: "x".to_owned(), dialect: Dialect::Anthropic },
        ),
        (odd.clone(), Part::Opaque { dialect: Dialect::Anthropic, value: odd }),
    ] {
        let read = read(json!({"messages": [{"role": "user", "content": [block]}]}));
        assert_eq!(read.value.messages, [user(vec![part])], "{block}");
        assert_eq!(read.dropped, Vec::<String>::new(), "{block}");
    }
}

#[test]
fn blocks_of_server_tools_and_of_the_future_are_carried_whole() {
    for block in [
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], "cache_control": {"type": "ephemeral"}}),
        json!({"type": "mcp_tool_result", "tool_use_id": "m", "is_error": false, "content": [{"type": "text", "text": "x"}]}),
        json!({"type": "of_2030", "x": null}),
    ] {
        let read = read(json!({"messages": [{"role": "assistant", "content": [block]}]}));
        assert_eq!(read.value.messages, [assistant(vec![Part::Opaque { dialect: Dialect::Anthropic, value: block }])]);
        assert_eq!(read.dropped, Vec::<String>::new());
    }
}

#[test]
fn the_bill_of_claude_code_is_no_instruction() {
    let bill = json!({"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;"});
    let read = read(json!({"system": [bill, {"type": "text", "text": "You are an agent."}]}));
    assert_eq!(read.value.messages[0], system(vec![text("You are an agent.")]));
}

#[test]
fn turns_take_their_canonical_order() {
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let call_block = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"b": 1, "a": 2}});
    let result_block = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"});
    let the_call = || Part::ToolCall(call("toolu_1", r#"{"b":1,"a":2}"#));
    let the_result = || result("toolu_1", "f", vec![text("r")]);
    for (messages, expected) in [
        (json!([said("user", "a"), said("user", "b")]), vec![user(vec![text("a"), text("b")])]),
        (json!([said("user", "a"), said("assistant", ""), said("user", "b")]), vec![user(vec![text("a"), text("b")])]),
        (json!([said("user", "a"), said("system", "s")]), vec![user(vec![text("a")]), system(vec![text("s")])]),
        (
            json!([{"role": "assistant", "content": [call_block]}, {"role": "user", "content": [{"type": "text", "text": "t"}, result_block]}]),
            vec![assistant(vec![the_call()]), user(vec![the_result(), text("t")])],
        ),
        (
            json!([{"role": "assistant", "content": [call_block]}, said("user", "t"), {"role": "user", "content": [result_block]}]),
            vec![assistant(vec![the_call()]), user(vec![the_result(), text("t")])],
        ),
        (json!([{"role": "user", "content": [result_block]}]), vec![user(vec![result("toolu_1", "", vec![text("r")])])]),
    ] {
        assert_eq!(read(json!({"messages": messages})).value.messages, expected, "{messages}");
    }
}

#[test]
fn results_hold_text_blocks_or_nothing() {
    let bare = ToolResult { id: "x".to_owned(), name: String::new(), parts: vec![], is_error: false, cache: None };
    let mark = Some(CacheHint { ttl: None });
    for (members, expected) in [
        (json!({}), bare.clone()),
        (json!({"content": ""}), bare.clone()),
        (json!({"content": "r", "is_error": true}), ToolResult { parts: vec![text("r")], is_error: true, ..bare.clone() }),
        (
            json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "cache_control": {"type": "ephemeral"}}),
            ToolResult { parts: vec![text("a"), text("b")], cache: mark, ..bare },
        ),
    ] {
        let mut block = json!({"type": "tool_result", "tool_use_id": "x"});
        block.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let read = read(json!({"messages": [{"role": "user", "content": [block]}]}));
        assert_eq!(read.value.messages, [user(vec![Part::ToolResult(expected)])], "{members}");
    }
}

#[test]
fn members_of_the_body_become_fields() {
    type Check = fn(&mut Request);
    let rows: [(Value, Check); 25] = [
        (json!({"system": "s"}), |r| r.messages.insert(0, system(vec![text("s")]))),
        (json!({"system": [{"type": "text", "text": "s"}]}), |r| r.messages.insert(0, system(vec![text("s")]))),
        (json!({"system": ""}), |_| {}),
        (json!({"stream": true}), |r| (r.stream, r.include_usage) = (true, true)),
        (json!({"temperature": 0.5}), |r| r.temperature = serde_json::Number::from_f64(0.5)),
        (json!({"top_k": 5}), |r| r.top_k = Some(5.into())),
        (json!({"stop_sequences": ["a", "b", "c", "d", "e"]}), |r| {
            r.stop = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        }),
        (json!({"metadata": {"user_id": "u"}}), |r| r.user = Some("u".to_owned())),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}), |r| r.reasoning = Some(Reasoning::Budget(2048))),
        (json!({"thinking": {"type": "disabled"}}), |r| r.reasoning = Some(Reasoning::Off)),
        (json!({"thinking": {"type": "adaptive"}}), |r| r.reasoning = Some(Reasoning::Adaptive)),
        (json!({"thinking": {"type": "adaptive", "display": "omitted"}}), |r| {
            (r.reasoning, r.show_reasoning) = (Some(Reasoning::Adaptive), Some(false));
        }),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}}), |r| {
            (r.reasoning, r.show_reasoning) = (Some(Reasoning::Budget(2048)), Some(true));
        }),
        (json!({"service_tier": "auto"}), |r| r.service_tier = Some("auto".to_owned())),
        (json!({"service_tier": "standard_only"}), |r| r.service_tier = Some("default".to_owned())),
        // A mark of the whole request is one on its last block.
        (json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}}), |r| {
            let cache = Some(CacheHint { ttl: Some("1h".to_owned()) });
            r.messages = vec![user(vec![Part::Text { text: "hi".to_owned(), cache, citations: vec![] }])];
        }),
        (json!({"system": [{"type": "text", "text": "s"}, {"type": "text", "text": ""}]}), |r| {
            r.messages.insert(0, system(vec![text("s"), text("")]));
        }),
        (json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}), |r| {
            r.reasoning = Some(Reasoning::Effort(Effort::XHigh));
        }),
        (json!({"output_config": {"effort": "low"}}), |r| r.reasoning = Some(Reasoning::Effort(Effort::Low))),
        (json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}), schema),
        (json!({"output_format": {"type": "json_schema", "schema": {"type": "object"}}}), schema),
        (json!({"tool_choice": {"type": "any"}}), |r| r.tool_choice = Some(ToolChoice::Required)),
        (json!({"tool_choice": {"type": "none"}}), |r| r.tool_choice = Some(ToolChoice::None)),
        (json!({"tool_choice": {"type": "tool", "name": "f"}}), |r| r.tool_choice = Some(ToolChoice::Function("f".to_owned()))),
        (json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}}), |r| {
            (r.tool_choice, r.parallel_tool_calls) = (Some(ToolChoice::Auto), Some(false));
        }),
    ];
    for (members, change) in rows {
        let mut expected = super::asking(vec![user(vec![text("hi")])]);
        change(&mut expected);
        let read = read(members.clone());
        assert_eq!(read.value, expected, "{members}");
        assert_eq!(read.dropped, Vec::<String>::new(), "{members}");
    }
}

fn schema(request: &mut Request) {
    request.format = Some(Format::Schema { name: None, description: None, schema: json!({"type": "object"}), strict: None });
}

#[test]
fn tools_are_functions_or_carried_whole() {
    let search = json!({"type": "web_search_20250305", "name": "web_search", "cache_control": {"type": "ephemeral"}});
    let read = read(json!({"tools": [
        {"name": "f", "description": "d", "input_schema": {"z": 1, "a": 2}, "strict": true, "cache_control": {"type": "ephemeral"}},
        {"type": "custom", "name": "g"},
        search,
    ]}));
    let function = Tool::Function {
        name: "f".to_owned(),
        description: Some("d".to_owned()),
        parameters: Some(json!({"z": 1, "a": 2})),
        strict: Some(true),
        cache: Some(CacheHint { ttl: None }),
    };
    let bare = Tool::Function { name: "g".to_owned(), description: None, parameters: None, strict: None, cache: None };
    assert_eq!(read.value.tools, [function, bare, Tool::Opaque { dialect: Dialect::Anthropic, value: search }]);
}

#[test]
fn what_the_canonical_form_cannot_hold_is_listed() {
    for (members, dropped) in [
        (
            json!({"context_management": {"edits": []}, "container": "c", "mcp_servers": [], "betas": null}),
            vec!["context_management", "container", "mcp_servers"],
        ),
        (json!({"thinking": {"type": "adaptive", "display": "of_2030"}}), vec!["thinking.display"]),
        (json!({"thinking": {"type": "between_tools"}}), vec!["thinking.type"]),
        (json!({"service_tier": "of_2030"}), vec!["service_tier"]),
        (
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low", "x": 1}}),
            vec!["output_config.x", "output_config.effort"],
        ),
        (json!({"output_config": {"effort": "of_2030"}}), vec!["output_config.effort"]),
        (json!({"output_config": {"format": {"type": "of_2030"}}}), vec!["output_config.format"]),
        (json!({"metadata": {"user_id": "u", "x": 1}}), vec!["metadata.x"]),
        (
            json!({"tools": [{"name": "f", "defer_loading": true}, {"name": "g", "defer_loading": true, "input_examples": [{}]}]}),
            vec!["tools[].defer_loading", "tools[].input_examples"],
        ),
        // These only say what happens anyway.
        (
            json!({"tools": [{"name": "f", "defer_loading": false, "eager_input_streaming": true, "allowed_callers": ["direct"]}]}),
            vec![],
        ),
        (json!({"tools": [{"name": "f", "allowed_callers": ["code_execution_20250825"]}]}), vec!["tools[].allowed_callers"]),
        (
            json!({"messages": [{"role": "assistant", "content": [
                {"type": "tool_use", "id": "a", "name": "f", "input": {}, "caller": {"type": "direct"}},
                {"type": "tool_use", "id": "b", "name": "f", "input": {}, "caller": {"type": "code_execution_20250825", "tool_id": "t"}},
            ]}]}),
            vec!["messages[].content[].caller"],
        ),
        (
            json!({"system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2;"}, {"type": "text", "text": "s"}]}),
            vec!["system[].x-anthropic-billing-header"],
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "citations": []}], "name": "n"}]}),
            vec!["messages[].name"],
        ),
        (
            json!({"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "scope": "global"}}]}),
            vec!["system[].cache_control.scope"],
        ),
    ] {
        assert_eq!(read(members.clone()).dropped, dropped, "{members}");
    }
}

/// What a target could not be told is named as the caller wrote it.
#[test]
fn canonical_paths_in_this_dialects_words() {
    for (path, spelled) in [
        ("messages[].parts[].cache", "messages[].content[].cache_control"),
        ("messages[].parts[].reasoning", "messages[].content[].thinking"),
        ("messages[].parts[].parts[].image", "messages[].content[].content[].image"),
        ("messages[].parts[].audio", "messages[].content[].audio"),
        ("tools[].opaque", "tools[]"),
        ("tools[].parameters.a", "tools[].input_schema.a"),
        ("reasoning", "thinking"),
        ("format", "output_config.format"),
        ("formats", "formats"),
        ("top_k", "top_k"),
    ] {
        assert_eq!(Anthropic.spelled(path), spelled);
    }
    let lengths: Vec<usize> = Anthropic.spelling().iter().map(|(ours, _)| ours.len()).collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b), "the longest first");
}

#[test]
fn a_wrong_request_is_refused_with_the_path_of_what_is_wrong() {
    let turn = |content: Value| json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]});
    for (body, param) in [
        (json!([]), ""),
        (json!({"max_tokens": 1, "messages": []}), "model"),
        (json!({"model": "m", "messages": []}), "max_tokens"),
        (json!({"model": "m", "max_tokens": 1}), "messages"),
        (json!({"model": "m", "max_tokens": 1, "messages": [{"role": "tool", "content": ""}]}), "messages[0].role"),
        (json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user"}]}), "messages[0].content"),
        (turn(json!(7)), "messages[0].content"),
        (turn(json!([{"text": "a"}])), "messages[0].content[0].type"),
        (turn(json!([{"type": "text"}])), "messages[0].content[0].text"),
        (turn(json!([{"type": "tool_result"}])), "messages[0].content[0].tool_use_id"),
    ] {
        let error = Anthropic.read_request(&body.to_string()).unwrap_err();
        assert_eq!((error.kind, error.param.clone()), (Kind::InvalidRequest, Some(param.to_owned())), "{body}");
    }
    assert_eq!(Anthropic.read_request("{").unwrap_err().kind, Kind::InvalidRequest);
}
