//! Requests of callers: facts, reading, and what is left out.

use portolan::{
    chat::request::{Effort, Format, Reasoning, Request, Role, Tool, ToolChoice},
    dialect::{Caller, Facts, Translated, Upstream, openai_chat::OpenAiChat},
    error::Error,
    wire::json::{Edit, Outline, join},
};

use super::show;

fn facts(body: &str) -> Result<Facts, Error> {
    OpenAiChat.facts(&Outline::read(body.as_bytes()).unwrap())
}

fn read(members: &str) -> Result<Translated<Request>, Error> {
    OpenAiChat.read_request(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{members}}}"#))
}

fn read_messages(messages: &str) -> Result<Translated<Request>, Error> {
    OpenAiChat.read_request(&format!(r#"{{"model":"m","messages":{messages}}}"#))
}

/// The turns in one line each.
fn turns(request: &Request) -> Vec<String> {
    let role = |role| match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    request.messages.iter().map(|m| format!("{}: {}", role(m.role), show(&m.parts))).collect()
}

#[test]
fn facts_are_what_routing_needs() {
    let base = || Facts { model: "m".into(), ..Facts::default() };
    for (body, expected) in [
        (r#"{"model":"m"}"#, base()),
        (r#"{"model":"m","stream":true}"#, Facts { stream: true, ..base() }),
        (
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
            Facts { stream: true, wants_usage: true, ..base() },
        ),
        (r#"{"model":"m","stream_options":{"include_usage":true}}"#, base()),
        (r#"{"model":"m","stream":null,"tools":[]}"#, base()),
        (r#"{"model":"m","tools":[{"type":"x"}]}"#, Facts { tools: true, ..base() }),
        (r#"{"model":"m","functions":[{"name":"x"}]}"#, Facts { tools: true, ..base() }),
        (r#"{"model":"m","max_tokens":5}"#, Facts { max_output: Some(5), ..base() }),
        (r#"{"model":"m","max_tokens":5,"max_completion_tokens":6}"#, Facts { max_output: Some(6), ..base() }),
        (r#"{"model":"m","max_tokens":-1,"user":7}"#, base()),
        (r#"{"model":"m","user":"u"}"#, Facts { user: Some("u".into()), ..base() }),
        // Cursor's shapes cannot go to a provider of chat as they are.
        (r#"{"model":"m","input":[],"max_output_tokens":9}"#, Facts { foreign: true, max_output: Some(9), ..base() }),
        (
            r#"{"model":"m","messages":[],"tools":[{"type":"function","name":"f"}]}"#,
            Facts { foreign: true, tools: true, ..base() },
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result", "tool_use_id":"t"}]}]}"#,
            Facts { foreign: true, ..base() },
        ),
        (r#"{"model":"m","messages":[{"role":"user","content":"a \"tool_use\" b"}]}"#, base()),
        (
            r#"{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"p"}}]}"#,
            Facts { tools: true, custom_tools: true, ..base() },
        ),
    ] {
        assert_eq!(facts(body).unwrap(), expected, "{body}");
    }
    for (body, param) in [
        (r#"{"messages":[]}"#, "model"),
        (r#"{"model":null}"#, "model"),
        (r#"{"model":" "}"#, "model"),
        (r#"{"model":5}"#, "model"),
        (r#"{"model":"m","stream":"yes"}"#, "stream"),
    ] {
        let error = facts(body).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{body}");
    }
}

#[test]
fn turns_are_read_as_the_canonical_form_wants_them() {
    let image = r#"{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}}"#;
    let call = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1e400}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}"#;
    let details = r#"{"role":"assistant","content":"so","reasoning":"ab","reasoning_details":[{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","signature":"S","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"D","format":"anthropic-claude-v1","index":2}]}"#;
    for (messages, expected) in [
        (r#"[{"role":"developer","content":"d"},{"role":"system","content":[{"type":"text","text":"s"}]}]"#.to_owned(), vec!["system: text d", "system: text s"]),
        (r#"[{"role":"user","content":"a"},{"role":"user","content":["b"]},{"role":"system","content":"s"},{"role":"user","content":" "}]"#.to_owned(), vec!["user: text a | text b", "system: text s", "user: text  "]),
        (r#"[{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":"b"}]"#.to_owned(), vec!["user: text a | text b"]),
        (format!(r#"[{{"role":"user","content":[{image}]}}]"#), vec!["user: image https://x/y.pnglow"]),
        (format!(r#"[{call},{{"role":"tool","tool_call_id":"c2","content":[{{"type":"text","text":"two"}}]}},{{"role":"tool","tool_call_id":"c1","content":"one"}},{{"role":"user","content":"and?"}}]"#), vec![r#"assistant: call c1 f {"a":1e400} | call c2 g "#, "user: result c2 g (text two) | result c1 f (text one) | text and?"]),
        (format!(r#"[{call},{{"role":"tool","content":"one"}},{{"role":"tool","content":"two"}}]"#), vec![r#"assistant: call c1 f {"a":1e400} | call c2 g "#, "user: result c1 f (text one) | result c2 g (text two)"]),
        (r#"[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}]"#.to_owned(), vec!["assistant: call call_0 f {}", "user: result call_0 f (text 1)"]),
        (r#"[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"c","content":"b"}]"#.to_owned(), vec!["user: result c  (text b) | text a"]),
        (r#"[{"role":"tool","tool_call_id":"gone","content":null}]"#.to_owned(), vec!["user: result gone  ()"]),
        (r#"[{"role":"assistant","content":"so","reasoning_content":"hm"}]"#.to_owned(), vec!["assistant: think hm | text so"]),
        (format!("[{details}]"), vec!["assistant: think ab [S]@anthropic | text so | redacted D@anthropic"]),
        (r#"[{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"refusal","refusal":"no"}]}]"#.to_owned(), vec!["assistant: think hm | refusal no"]),
        (r#"[{"role":"assistant","refusal":"no"}]"#.to_owned(), vec!["assistant: refusal no"]),
        (r#"[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S"}}}]}]"#.to_owned(), vec!["assistant: call c f {} [S]@gemini"]),
        (r#"[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]"#.to_owned(), vec!["user: text a cached"]),
        (r#"[{"role":"user","content":"a","cache_control":{"type":"ephemeral"}}]"#.to_owned(), vec!["user: text a cached"]),
        (r#"[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"input_audio","input_audio":"UklGRg"}]}]"#.to_owned(), vec!["user: audio audio/mp3,AAAA | audio audio/wav,UklGRg=="]),
        (r#"[{"role":"user","content":[{"type":"file","file":{"file_id":"F"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"file","file":{"file_data":"AAAA"}}]}]"#.to_owned(), vec!["user: file F@chat - | file application/pdf,AAAA a.pdf | file application/pdf,AAAA -"]),
        (r#"[{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://x/v.mp4","fps":0.5}},{"type":"video_url","video_url":"data:video/mp4;base64,AAAA"}]}]"#.to_owned(), vec!["user: video https://x/v.mp4 @0.5 | video video/mp4,AAAA"]),
        (r#"[{"role":"user","content":[{"type":"audio_url","audio_url":{"url":"https://x/a.mp3"}},{"type":"input_audio","input_audio":{"data":"data:audio/ogg;base64,AAAA","format":"ogg"}},{"type":"input_audio","input_audio":"T2dnUw=="}]}]"#.to_owned(), vec!["user: audio https://x/a.mp3 | audio audio/ogg,AAAA | audio audio/ogg,T2dnUw=="]),
        (r#"[{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"p","input":"*** x"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}]"#.to_owned(), vec!["assistant: custom call c p *** x", "user: result c p (text ok)"]),
        (r#"[{"role":"assistant","tool_calls":[{"id":"c","type":"web_search","web_search":{"q":1}}]}]"#.to_owned(), vec![r#"assistant: opaque {"id":"c","web_search":{"q":1},"type":"web_search"}@chat"#]),
        (r#"[{"role":"assistant","content":null,"audio":{"id":"audio_1"}}]"#.to_owned(), vec!["assistant: audio audio_1@chat"]),
        (r#"[{"role":"assistant","content":"b","annotations":[{"type":"url_citation","url_citation":{"url":"https://u","title":"t","start_index":0,"end_index":1}}],"prefix":true}]"#.to_owned(), vec!["assistant: text b <https://u 0-1>"]),
        // Anthropic's blocks, as Cursor sends them.
        (r#"[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"tool_use","id":"t","name":"f","input":{"b":1,"a":2}}]},{"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result","tool_use_id":"t","is_error":true,"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}]"#.to_owned(), vec![r#"assistant: text a | call t f {"b":1,"a":2}"#, "user: result t f (image image/png,AAAA) error | text and?"]),
    ] {
        let read = read_messages(&messages).unwrap();
        assert_eq!(turns(&read.value), expected, "{messages}");
        assert!(read.dropped.is_empty(), "{messages}: {:?}", read.dropped);
    }
}

#[test]
fn data_urls_are_parsed_not_guessed() {
    let url = |url: &str| {
        read_messages(&format!(r#"[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}}]"#))
    };
    for (text, expected) in [
        ("data:image/png;base64,AAAA", "image image/png,AAAA"),
        ("DATA:Image/PNG;charset=utf-8;name=x;Base64,AA AA\\n", "image image/png,AAAA"),
        ("data:image/png;base64,_-8", "image image/png,/+8="),
        ("data:image/png;base64,AA%2BA%3D", "image image/png,AA+A"),
        ("data:image/svg+xml,%3Csvg/%3E", "image image/svg+xml,PHN2Zy8+"),
        ("data:,a", "image text/plain,YQ=="),
        (" https://x/y ", "image https://x/y"),
    ] {
        let read = url(text).map(|read| turns(&read.value));
        assert_eq!(read, Ok(vec![format!("user: {expected}")]), "{text}");
    }
    for text in ["data:image/png;base64", "data:image/png;base64,A", "data:image/png;base64,AA!A"] {
        assert_eq!(url(text).unwrap_err().param.as_deref(), Some("messages[0].content[0].image_url.url"), "{text}");
    }
}

#[test]
fn parameters_have_one_meaning_each() {
    let schema = || serde_json::json!({"type": "object", "b": 1, "a": 2});
    let none = Request::default;
    let effort = |effort| Request { reasoning: Some(effort), ..Request::default() };
    for (members, expected) in [
        (r#""n":1"#, none()),
        (r#""stream":true,"stream_options":{"include_usage":true}"#, Request { stream: true, include_usage: true, ..none() }),
        (r#""max_tokens":5"#, Request { max_tokens: Some(5), ..none() }),
        (r#""max_completion_tokens":6,"max_tokens":5"#, Request { max_tokens: Some(6), ..none() }),
        (r#""stop":null"#, none()),
        (r#""stop":"""#, none()),
        (r#""stop":"a""#, Request { stop: vec!["a".into()], ..none() }),
        (r#""stop":["a","","b"]"#, Request { stop: vec!["a".into(), "b".into()], ..none() }),
        (
            r#""temperature":1.7,"top_p":1,"top_k":40"#,
            Request { temperature: serde_json::Number::from_f64(1.7), top_p: Some(1.into()), top_k: Some(40.into()), ..none() },
        ),
        (r#""seed":15924764223251450000"#, Request { seed: Some(15_924_764_223_251_450_000_u64.into()), ..none() }),
        (r#""user":"u""#, Request { user: Some("u".into()), ..none() }),
        (r#""safety_identifier":"u""#, Request { user: Some("u".into()), ..none() }),
        (r#""response_format":{"type":"text"}"#, none()),
        (r#""response_format":{"type":"json_object"}"#, Request { format: Some(Format::Json), ..none() }),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","b":1,"a":2}}}"#,
            Request {
                format: Some(Format::Schema { name: Some("n".into()), description: None, schema: schema(), strict: Some(true) }),
                ..none()
            },
        ),
        (r#""reasoning_effort":"none""#, effort(Reasoning::Off)),
        (r#""reasoning_effort":"xhigh""#, effort(Reasoning::Effort(Effort::XHigh))),
        (r#""reasoning":{"effort":"low"}"#, effort(Reasoning::Effort(Effort::Low))),
        (r#""reasoning":{"max_tokens":9}"#, effort(Reasoning::Budget(9))),
        (r#""reasoning":{"enabled":false}"#, effort(Reasoning::Off)),
        (r#""thinking":{"type":"enabled"}"#, effort(Reasoning::Adaptive)),
        (r#""thinking":{"type":"enabled","budget_tokens":9}"#, effort(Reasoning::Budget(9))),
        (r#""thinking":{"type":"auto"}"#, effort(Reasoning::Adaptive)),
        (r#""thinking":{"type":"enabled"},"reasoning_effort":"low""#, effort(Reasoning::Effort(Effort::Low))),
        (r#""thinking":{"type":"disabled"},"reasoning_effort":"low""#, effort(Reasoning::Off)),
        (r#""enable_thinking":true"#, effort(Reasoning::Adaptive)),
        (r#""enable_thinking":true,"thinking_budget":99"#, effort(Reasoning::Budget(99))),
        (r#""enable_thinking":false"#, effort(Reasoning::Off)),
        (
            r#""reasoning":{"effort":"high","exclude":true}"#,
            Request { show_reasoning: Some(false), ..effort(Reasoning::Effort(Effort::High)) },
        ),
        (r#""include_reasoning":true"#, Request { show_reasoning: Some(true), ..none() }),
        (r#""n":3"#, Request { n: Some(3), ..none() }),
        (r#""logprobs":true,"top_logprobs":2"#, Request { logprobs: true, top_logprobs: Some(2), ..none() }),
        (
            r#""service_tier":"flex","verbosity":"low","store":false,"prompt_cache_key":"k""#,
            Request {
                service_tier: Some("flex".into()),
                verbosity: Some("low".into()),
                store: Some(false),
                cache_key: Some("k".into()),
                ..none()
            },
        ),
        (r#""metadata":{"b":"1","a":"2"}"#, Request { metadata: Some(serde_json::json!({"b": "1", "a": "2"})), ..none() }),
        (r#""modalities":["text","audio"]"#, Request { modalities: vec!["text".into(), "audio".into()], ..none() }),
        (r#""user":"u","safety_identifier":"v""#, Request { user: Some("u".into()), ..none() }),
        (r#""tool_choice":"required""#, Request { tool_choice: Some(ToolChoice::Required), ..none() }),
        (r#""tool_choice":"any""#, Request { tool_choice: Some(ToolChoice::Required), ..none() }),
        (
            r#""tool_choice":{"type":"function","function":{"name":"f"}}"#,
            Request { tool_choice: Some(ToolChoice::Function("f".into())), ..none() },
        ),
        (r#""function_call":{"name":"f"}"#, Request { tool_choice: Some(ToolChoice::Function("f".into())), ..none() }),
        (r#""parallel_tool_calls":false"#, Request { parallel_tool_calls: Some(false), ..none() }),
    ] {
        let read = read(members).unwrap();
        assert_eq!(Request { model: String::new(), messages: vec![], ..read.value }, expected, "{members}");
        assert!(read.dropped.is_empty(), "{members}: {:?}", read.dropped);
    }
}

#[test]
fn tools_are_functions_or_kept_as_they_are() {
    let function = |strict, cache: bool| Tool::Function {
        name: "f".into(),
        description: Some("d".into()),
        parameters: Some(serde_json::json!({"$ref": "#/$defs/x"})),
        strict,
        cache: cache.then_some(portolan::chat::request::CacheHint { ttl: None }),
    };
    for (members, expected) in [
        (
            r##""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"$ref":"#/$defs/x"}}}]"##,
            function(None, false),
        ),
        (
            r##""tools":[{"type":"function","name":"f","description":"d","parameters":{"$ref":"#/$defs/x"},"strict":true}]"##,
            function(Some(true), false),
        ),
        (
            r##""tools":[{"type":"function","cache_control":{"type":"ephemeral"},"function":{"name":"f","description":"d","parameters":{"$ref":"#/$defs/x"}}}]"##,
            function(None, true),
        ),
        (r##""tools":[{"name":"f","description":"d","input_schema":{"$ref":"#/$defs/x"}}]"##, function(None, false)),
        (r##""functions":[{"name":"f","description":"d","parameters":{"$ref":"#/$defs/x"}}]"##, function(None, false)),
    ] {
        assert_eq!(read(members).unwrap().value.tools, [expected], "{members}");
    }
    let custom = |format: Option<&str>| Tool::Custom {
        name: "p".into(),
        description: Some("d".into()),
        format: format.map(|format| serde_json::from_str(format).unwrap()),
    };
    let grammar = r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"start: A"}}"#;
    for (members, expected) in [
        (
            format!(r#""tools":[{{"type":"custom","custom":{{"name":"p","description":"d","format":{grammar}}}}}]"#),
            custom(Some(grammar)),
        ),
        (r#""tools":[{"type":"custom","name":"p","description":"d"}]"#.to_owned(), custom(None)),
        // Anthropic's name for its functions.
        (
            r#""tools":[{"type":"custom","name":"p","description":"d","input_schema":{"type":"object"}}]"#.to_owned(),
            Tool::Function {
                name: "p".into(),
                description: Some("d".into()),
                parameters: Some(serde_json::json!({"type": "object"})),
                strict: None,
                cache: None,
            },
        ),
        (
            r#""tools":[{"type":"openrouter:web_search","max":1}]"#.to_owned(),
            Tool::Opaque {
                dialect: portolan::dialect::Dialect::OpenAiChat,
                value: serde_json::json!({"max": 1, "type": "openrouter:web_search"}),
            },
        ),
    ] {
        let read = read(&members).unwrap();
        assert_eq!((read.value.tools, read.dropped), (vec![expected], vec![]), "{members}");
    }
}

#[test]
fn a_choice_of_tools_is_read_in_every_shape() {
    let f = || Some(ToolChoice::Function("f".into()));
    let among = |required| Some(ToolChoice::Among { names: vec!["f".into(), "p".into()], required });
    for (members, expected) in [
        (r#""tool_choice":"any""#, Some(ToolChoice::Required)),
        (r#""tool_choice":{"type":"any"}"#, Some(ToolChoice::Required)),
        (r#""tool_choice":{"type":"function","function":{"name":"f"}}"#, f()),
        (r#""tool_choice":{"type":"function","name":"f"}"#, f()),
        (r#""tool_choice":{"type":"tool","name":"f"}"#, f()),
        (r#""tool_choice":{"type":"custom","custom":{"name":"f"}}"#, f()),
        (r#""function_call":{"name":"f"}"#, f()),
        (r#""function_call":"none""#, Some(ToolChoice::None)),
        (
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"p"}}]}}"#,
            among(true),
        ),
        (
            r#""tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}]}"#,
            among(false),
        ),
    ] {
        let read = read(members).unwrap();
        assert_eq!((read.value.tool_choice, read.dropped), (expected, vec![]), "{members}");
    }
    // An answer of the old form holds one call.
    assert_eq!(read(r#""functions":[{"name":"f"}]"#).unwrap().value.parallel_tool_calls, Some(false));
}

#[test]
fn what_the_canonical_form_cannot_hold_is_reported_by_path() {
    for (members, expected) in [
        (r#""logit_bias":{"1":2},"prediction":{"type":"content","content":"a"}"#, vec!["logit_bias", "prediction"]),
        (r#""web_search_options":{},"audio":{"voice":"alloy","format":"wav"}"#, vec!["web_search_options", "audio"]),
        (r#""n":1,"logprobs":false,"metadata":null,"modalities":["text"]"#, vec![]),
        (r#""stream_options":{"include_obfuscation":false,"odd":1}"#, vec!["stream_options.odd"]),
        (r#""tool_choice":{"type":"web_search_preview"}"#, vec!["tool_choice"]),
        (
            r#""tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"mcp"},{"type":"mcp"},{"type":"function","name":"f"}]}"#,
            vec!["tool_choice.tools[]"],
        ),
        (
            r#""tools":[{"type":"function","function":{"name":"f","odd":1}},{"type":"function","function":{"name":"g","odd":1}}]"#,
            vec!["tools[].function.odd"],
        ),
        (r#""frobnicate":{}"#, vec!["frobnicate"]),
    ] {
        assert_eq!(read(members).unwrap().dropped, expected, "{members}");
    }
    let named = read_messages(r#"[{"role":"user","name":"n","content":[{"type":"text","text":"a","odd":1}]}]"#).unwrap();
    assert_eq!(named.dropped, ["messages[].content[].odd", "messages[].name"]);
}

#[test]
fn a_request_nobody_can_mean_is_refused_with_its_path() {
    for (messages, param) in [
        ("null", "messages"),
        ("{}", "messages"),
        ("[5]", "messages[0]"),
        (r#"[{"content":"a"}]"#, "messages[0].role"),
        (r#"[{"role":"robot","content":"a"}]"#, "messages[0].role"),
        (r#"[{"role":"user","content":5}]"#, "messages[0].content"),
        (r#"[{"role":"user","content":[{"type":"hologram"}]}]"#, "messages[0].content[0].type"),
        (r#"[{"role":"user","content":[{"text":"a"}]}]"#, "messages[0].content[0].type"),
        (r#"[{"role":"user","content":[{"type":"image_url"}]}]"#, "messages[0].content[0].image_url"),
        (r#"[{"role":"user","content":"a"},{"role":"tool","content":"a"}]"#, "messages[1].tool_call_id"),
        (r#"[{"role":"assistant","tool_calls":[{"id":"c","function":{}}]}]"#, "messages[0].tool_calls[0].function.name"),
    ] {
        let error = read_messages(messages).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{messages}");
        assert!(error.message.contains(param), "{messages}: {}", error.message);
    }
    for (members, param) in [
        (r#""stop":5"#, "stop"),
        (r#""stop":["a",5]"#, "stop[1]"),
        (r#""max_tokens":"5""#, "max_tokens"),
        (r#""tool_choice":"perhaps""#, "tool_choice"),
        (r#""reasoning_effort":"lots""#, "reasoning_effort"),
        (r#""response_format":{"type":"xml"}"#, "response_format.type"),
        (r#""response_format":{"type":"json_schema","json_schema":{}}"#, "response_format.json_schema.schema"),
        (r#""tools":[{"type":"function","function":{}}]"#, "tools[0].function.name"),
        (r#""tools":[{"function":{"name":"f"}}]"#, "tools[0].type"),
        (r#""modalities":[1]"#, "modalities"),
        (r#""metadata":"a""#, "metadata"),
        (r#""tool_choice":{"type":"allowed_tools","allowed_tools":{}}"#, "tool_choice.allowed_tools.tools"),
    ] {
        assert_eq!(read(members).unwrap_err().param.as_deref(), Some(param), "{members}");
    }
    assert!(OpenAiChat.read_request("{").is_err());
}

#[test]
fn a_callers_own_body_is_edited_not_rebuilt() {
    let body = r#"{"model":"alias", "stream":true, "odd": [1.0], "stream_options":{"include_usage":false}}"#;
    let outline = Outline::read(body.as_bytes()).unwrap();
    let edited = |report| join(body, &outline.edit(&OpenAiChat.edits(&outline, "org/\"m\"", report)));
    assert_eq!(edited(false), body.replace("\"alias\"", r#""org/\"m\"""#));
    assert_eq!(edited(true), body.replace("\"alias\"", r#""org/\"m\"""#).replace("false", "true"));
    assert_eq!(OpenAiChat.edits(&outline, "m", false), [Edit::Set("model".into(), "\"m\"".into())]);
    assert_eq!((OpenAiChat.path("m", true), OpenAiChat.always_reports_usage()), ("/chat/completions".to_owned(), false));
}
