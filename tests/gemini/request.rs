//! What is written to Gemini.

use portolan::{
    chat::{
        Dialect,
        request::{CacheHint, Effort, Format, Message, Part, Reasoning, Request, Role, Source, Tool, ToolChoice, ToolResult},
    },
    dialect::{Upstream, gemini::Gemini},
};
use serde_json::{Value, json};

use super::{MODEL, call, image, model, png, request, signed, text, thought, user, written};

fn result(id: &str, said: &str, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: String::new(), parts: vec![text(said)], is_error, cache: None })
}

fn system(said: &str) -> Message {
    Message { role: Role::System, parts: vec![text(said)] }
}

fn function(name: &str, parameters: Option<Value>) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters, strict: None, cache: None }
}

#[test]
fn a_model_is_one_segment_of_the_path() {
    for (name, stream, expected) in [
        ("gemini-2.5-pro", false, "/v1beta/models/gemini-2.5-pro:generateContent"),
        ("gemini-2.5-pro", true, "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ("models/gemini-x", false, "/v1beta/models/gemini-x:generateContent"),
        ("../../v1/files?x=1#y", false, "/v1beta/models/..%2F..%2Fv1%2Ffiles%3Fx%3D1%23y:generateContent"),
        ("é:a b", false, "/v1beta/models/%C3%A9%3Aa%20b:generateContent"),
    ] {
        assert_eq!(Gemini.path(name, stream), expected);
    }
    assert!(Gemini.edits(&portolan::wire::json::Outline::read(b"{}").unwrap(), "x", true).is_empty());
    assert!(Gemini.always_reports_usage());
}

#[test]
fn turns_are_two_sided_and_never_empty() {
    let hi = || user(vec![text("hi")]);
    for (rule, messages, expected) in [
        (
            "leading systems instruct, later ones are the user's words",
            vec![system("a"), system("b"), hi(), model(vec![text("yes")]), system("c"), hi()],
            json!({
                "systemInstruction": { "parts": [{ "text": "a" }, { "text": "b" }] },
                "contents": [
                    { "role": "user", "parts": [{ "text": "hi" }] },
                    { "role": "model", "parts": [{ "text": "yes" }] },
                    { "role": "user", "parts": [{ "text": "c" }, { "text": "hi" }] },
                ],
            }),
        ),
        (
            "only a system prompt is the user's turn",
            vec![system("a")],
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "a" }] }] }),
        ),
        (
            "an empty turn goes, and its neighbours are one",
            vec![hi(), model(vec![text("")]), user(vec![text("there")])],
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }, { "text": "there" }] }] }),
        ),
        (
            "media inline, by address and by id",
            vec![user(vec![
                image(png()),
                image(Source::Url("https://x.example/a.WEBP?b=c.png".to_owned())),
                image(Source::Url("https://x.example/a".to_owned())),
                Part::File { source: Source::Url("https://x.example/b.txt".to_owned()), name: None, cache: None },
                Part::File { source: Source::Id { dialect: Dialect::Gemini, id: "files/1".to_owned() }, name: None, cache: None },
                Part::Audio {
                    source: Source::Inline { media_type: "audio/wav".to_owned(), data: "BBBB".to_owned() },
                    transcript: None,
                },
            ])],
            json!({ "contents": [{ "role": "user", "parts": [
                { "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
                { "fileData": { "mimeType": "image/webp", "fileUri": "https://x.example/a.WEBP?b=c.png" } },
                { "fileData": { "mimeType": "image/jpeg", "fileUri": "https://x.example/a" } },
                { "fileData": { "mimeType": "text/plain", "fileUri": "https://x.example/b.txt" } },
                { "fileData": { "fileUri": "files/1" } },
                { "inlineData": { "mimeType": "audio/wav", "data": "BBBB" } },
            ] }] }),
        ),
    ] {
        assert_eq!(written(&request(messages)), (expected, vec![]), "{rule}");
    }
}

#[test]
fn results_answer_their_calls_in_order() {
    let asked = || user(vec![text("go")]);
    let calls = || model(vec![call("a", "one", "", None), call("b", "two", "{\"x\":1}", None)]);
    let named =
        |id: &str, name: &str, response: Value| json!({ "functionResponse": { "id": id, "name": name, "response": response } });
    let with_image = |id: &str| {
        let parts = vec![text("see"), image(png())];
        Part::ToolResult(ToolResult { id: id.to_owned(), name: String::new(), parts, is_error: false, cache: None })
    };
    let missing = json!({ "error": "No result was given for this call." });
    let see = json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" } });
    for (rule, results, expected, dropped) in [
        (
            "wrapped as objects, in the order of the calls",
            vec![result("b", "[1]", false), result("a", "{\"ok\":true}", false), text("and?")],
            vec![
                named("a", "one", json!({ "ok": true })),
                named("b", "two", json!({ "result": "[1]" })),
                json!({ "text": "and?" }),
            ],
            vec![],
        ),
        (
            "errors say so",
            vec![result("a", "boom", true), result("b", "{\"why\":1}", true)],
            vec![named("a", "one", json!({ "error": "boom" })), named("b", "two", json!({ "error": { "why": 1 } }))],
            vec![],
        ),
        (
            "a missing result is made up, one of no call is dropped",
            vec![result("b", "2", false), result("z", "3", false)],
            vec![named("a", "one", missing), named("b", "two", json!({ "result": "2" }))],
            vec!["messages[].parts[].tool_result"],
        ),
        (
            "images stand behind all results",
            vec![with_image("a"), result("b", "2", false)],
            vec![named("a", "one", json!({ "result": "see" })), named("b", "two", json!({ "result": "2" })), see],
            vec![],
        ),
    ] {
        let (body, lost) = written(&request(vec![asked(), calls(), user(results)]));
        assert_eq!(body.pointer("/contents/2/parts"), Some(&Value::Array(expected)), "{rule}");
        assert_eq!(lost, dropped, "{rule}");
        let args = json!([
            { "functionCall": { "id": "a", "name": "one", "args": {} } },
            { "functionCall": { "id": "b", "name": "two", "args": { "x": 1 } } },
        ]);
        assert_eq!(body.pointer("/contents/1/parts"), Some(&args), "{rule}");
    }
}

#[test]
fn arguments_are_an_object_whatever_the_model_wrote() {
    for (arguments, expected) in [
        ("", json!({})),
        ("  ", json!({})),
        ("{\"b\":1,\"a\":2}", json!({ "b": 1, "a": 2 })),
        ("{\"b\":", json!({ "_raw": "{\"b\":" })),
        ("[1]", json!({ "_raw": "[1]" })),
    ] {
        let (body, _) = written(&request(vec![user(vec![text("go")]), model(vec![call("", "f", arguments, None)])]));
        let expected = json!({ "functionCall": { "name": "f", "args": expected } });
        assert_eq!(body.pointer("/contents/1/parts/0"), Some(&expected), "{arguments}");
    }
}

#[test]
fn signatures_go_back_to_their_own_part() {
    let own = || signed(Dialect::Gemini, "S");
    let foreign = || signed(Dialect::Anthropic, "A");
    let bare = json!({ "functionCall": { "id": "a", "name": "f", "args": {} } });
    let with = |proof: &str| json!({ "functionCall": { "id": "a", "name": "f", "args": {} }, "thoughtSignature": proof });
    let skip = "skip_thought_signature_validator";
    let reasoning = vec!["messages[].parts[].reasoning"];
    for (rule, name, parts, expected, dropped) in [
        ("on the call", MODEL, vec![call("a", "f", "", own())], vec![with("S")], vec![]),
        ("another provider's stays away", MODEL, vec![call("a", "f", "", foreign())], vec![bare.clone()], vec![]),
        ("Gemini 3 takes a stand-in", "gemini-3-pro", vec![call("a", "f", "", foreign())], vec![with(skip)], vec![]),
        (
            "only on the first of parallel calls",
            "gemini-flash-latest",
            vec![call("a", "f", "", None), call("a", "f", "", None)],
            vec![with(skip), bare.clone()],
            vec![],
        ),
        (
            "none where the first has its own",
            "gemini-3-pro",
            vec![call("a", "f", "", own()), call("a", "f", "", None)],
            vec![with("S"), bare.clone()],
            vec![],
        ),
        (
            "before a text: on that text; at the end: on an empty one",
            MODEL,
            vec![thought("", own()), text("hi"), thought("", signed(Dialect::Gemini, "T"))],
            vec![json!({ "text": "hi", "thoughtSignature": "S" }), json!({ "text": "", "thoughtSignature": "T" })],
            vec![],
        ),
        (
            "never on a call that follows",
            MODEL,
            vec![thought("", own()), call("a", "f", "", None)],
            vec![json!({ "text": "", "thoughtSignature": "S" }), bare.clone()],
            vec![],
        ),
        (
            "a thought of our own goes back, others do not",
            MODEL,
            vec![thought("hm", own()), thought("ha", None), thought("ho", foreign()), text("x")],
            vec![json!({ "text": "hm", "thought": true, "thoughtSignature": "S" }), json!({ "text": "x" })],
            reasoning,
        ),
    ] {
        let asked = Request { model: name.to_owned(), ..request(vec![user(vec![text("go")]), model(parts)]) };
        let (body, lost) = written(&asked);
        assert_eq!(body.pointer("/contents/1/parts"), Some(&Value::Array(expected)), "{rule}");
        assert_eq!(lost, dropped, "{rule}");
    }
}

#[test]
fn only_the_current_turn_needs_stand_ins() {
    let turn = |id: &str| vec![model(vec![call(id, "f", "", None)]), user(vec![result(id, "1", false)])];
    let ask = || vec![user(vec![text("go")])];
    let messages = [ask(), turn("a"), vec![model(vec![text("done")])], ask(), turn("b"), turn("c")].concat();
    let (body, _) = written(&Request { model: "gemini-3-flash".to_owned(), ..request(messages) });
    let contents = body.get("contents").and_then(Value::as_array).unwrap();
    let stands = |i: usize| contents.get(i).unwrap().pointer("/parts/0/thoughtSignature").is_some();
    assert_eq!([1, 5, 7].map(stands), [false, true, true]);
}

#[test]
fn tools_and_choices_have_their_words() {
    let schema = json!({ "type": "object", "properties": { "z": { "$ref": "#/$defs/a" } }, "$defs": { "a": {} } });
    let tools = vec![
        Tool::Function {
            name: "f".to_owned(),
            description: Some("does".to_owned()),
            parameters: Some(schema.clone()),
            strict: Some(true),
            cache: Some(CacheHint { ttl: None }),
        },
        function("g", Some(json!({ "type": "object", "properties": {}, "required": [] }))),
        function("h", None),
        Tool::Opaque { dialect: Dialect::Gemini, value: json!({ "googleSearch": {} }) },
        Tool::Opaque { dialect: Dialect::Anthropic, value: json!({ "type": "web_search_20250305" }) },
    ];
    let asked = Request { tools, parallel_tool_calls: Some(false), ..request(vec![user(vec![text("go")])]) };
    let (body, lost) = written(&asked);
    let declared = json!([
        { "functionDeclarations": [
            { "name": "f", "description": "does", "parametersJsonSchema": schema },
            { "name": "g" },
            { "name": "h" },
        ] },
        { "googleSearch": {} },
    ]);
    assert_eq!(body.get("tools"), Some(&declared));
    assert_eq!(body.get("toolConfig"), None);
    assert_eq!(lost, ["tools[].strict", "tools[].cache", "tools[].opaque", "parallel_tool_calls"].map(str::to_owned));
    for (choice, expected) in [
        (ToolChoice::Auto, json!({ "mode": "AUTO" })),
        (ToolChoice::None, json!({ "mode": "NONE" })),
        (ToolChoice::Required, json!({ "mode": "ANY" })),
        (ToolChoice::Function("f".to_owned()), json!({ "mode": "ANY", "allowedFunctionNames": ["f"] })),
    ] {
        let (body, _) = written(&Request { tool_choice: Some(choice.clone()), ..asked.clone() });
        assert_eq!(body.pointer("/toolConfig/functionCallingConfig"), Some(&expected), "{choice:?}");
        let (body, _) = written(&Request { tool_choice: Some(choice), ..request(vec![]) });
        assert_eq!(body.get("toolConfig"), None, "no choice without functions");
    }
}

#[test]
fn parameters_have_their_names_and_bounds() {
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    let asked = Request {
        max_tokens: Some(9),
        temperature: number("1.7"),
        top_p: number("0.5"),
        top_k: number("40"),
        presence_penalty: number("-1"),
        frequency_penalty: number("2"),
        seed: number("7"),
        stop: ["a", "b", "c", "d", "e", "f", "g"].map(str::to_owned).to_vec(),
        format: Some(Format::Json),
        user: Some("u".to_owned()),
        ..request(vec![user(vec![text("go")])])
    };
    let (body, lost) = written(&asked);
    let expected = json!({
        "maxOutputTokens": 9, "temperature": 1.7, "topP": 0.5, "topK": 40, "presencePenalty": -1, "frequencyPenalty": 2,
        "seed": 7, "stopSequences": ["a", "b", "c", "d", "e"], "responseMimeType": "application/json",
    });
    assert_eq!(body.get("generationConfig"), Some(&expected));
    assert_eq!(lost, ["stop[]", "user"].map(str::to_owned));

    let schema = json!({ "type": "object", "$defs": {} });
    let format = Some(Format::Schema { name: None, description: None, schema: schema.clone(), strict: Some(true) });
    let (body, lost) = written(&Request { seed: number("15924764223251450000"), format, ..request(vec![]) });
    let expected = json!({ "responseMimeType": "application/json", "responseJsonSchema": schema });
    assert_eq!(body.get("generationConfig"), Some(&expected));
    assert_eq!(lost, ["seed".to_owned()], "32 bits");
    assert_eq!(written(&request(vec![])).0.get("generationConfig"), None);
}

#[test]
fn thinking_is_asked_for_in_the_words_of_each_generation() {
    let shown = |config: Value| {
        let mut config = config;
        config.as_object_mut().unwrap().insert("includeThoughts".to_owned(), true.into());
        Some(config)
    };
    for (name, reasoning, expected, says_less) in [
        ("gemini-2.5-flash", Reasoning::Off, Some(json!({ "thinkingBudget": 0 })), false),
        ("gemini-2.5-flash", Reasoning::Budget(0), Some(json!({ "thinkingBudget": 0 })), false),
        ("gemini-2.5-flash-lite", Reasoning::Budget(9), shown(json!({ "thinkingBudget": 512 })), false),
        ("gemini-2.5-pro", Reasoning::Off, Some(json!({ "thinkingBudget": 128 })), true),
        ("gemini-3-pro", Reasoning::Off, Some(json!({ "thinkingLevel": "LOW" })), true),
        ("gemini-3-flash", Reasoning::Off, Some(json!({ "thinkingLevel": "MINIMAL" })), true),
        ("gemini-2.0-flash", Reasoning::Off, None, false),
        ("gemini-2.0-flash", Reasoning::Adaptive, None, true),
        ("gemini-2.5-flash", Reasoning::Effort(Effort::Low), shown(json!({ "thinkingBudget": 1024 })), false),
        ("gemini-2.5-flash", Reasoning::Effort(Effort::Medium), shown(json!({ "thinkingBudget": 8192 })), false),
        ("gemini-2.5-flash", Reasoning::Effort(Effort::Max), shown(json!({ "thinkingBudget": 24576 })), false),
        ("gemini-2.5-flash", Reasoning::Budget(50_000), shown(json!({ "thinkingBudget": 24576 })), false),
        ("gemini-2.5-pro", Reasoning::Budget(50_000), shown(json!({ "thinkingBudget": 32768 })), false),
        ("gemini-2.5-pro", Reasoning::Budget(1), shown(json!({ "thinkingBudget": 128 })), false),
        ("gemini-2.5-flash", Reasoning::Adaptive, shown(json!({ "thinkingBudget": -1 })), false),
        ("gemini-3-pro", Reasoning::Adaptive, shown(json!({})), false),
        ("gemini-3-pro", Reasoning::Budget(2000), shown(json!({ "thinkingBudget": 2000 })), false),
        ("gemini-3-pro", Reasoning::Effort(Effort::Minimal), shown(json!({ "thinkingLevel": "LOW" })), false),
        ("gemini-3-flash", Reasoning::Effort(Effort::Minimal), shown(json!({ "thinkingLevel": "MINIMAL" })), false),
        ("gemini-3-flash", Reasoning::Effort(Effort::XHigh), shown(json!({ "thinkingLevel": "HIGH" })), false),
    ] {
        let asked = Request { model: name.to_owned(), reasoning: Some(reasoning.clone()), ..request(vec![]) };
        let (body, lost) = written(&asked);
        assert_eq!(body.pointer("/generationConfig/thinkingConfig").cloned(), expected, "{name} {reasoning:?}");
        assert_eq!(!lost.is_empty(), says_less, "{name} {reasoning:?}");
    }
}

#[test]
fn what_has_no_place_is_reported_once() {
    let foreign = || Part::Image {
        source: Source::Id { dialect: Dialect::OpenAiChat, id: "file-1".to_owned() },
        detail: Some("high".to_owned()),
        cache: Some(CacheHint { ttl: None }),
    };
    let redacted = Part::RedactedReasoning { data: "x".to_owned(), dialect: Dialect::Anthropic };
    let opaque = Part::Opaque { dialect: Dialect::Anthropic, value: json!({ "type": "server_tool_use" }) };
    let ours = Part::Opaque { dialect: Dialect::Gemini, value: json!({ "executableCode": { "code": "1" } }) };
    let messages = vec![
        user(vec![foreign(), foreign(), text("x")]),
        model(vec![redacted, opaque, ours, Part::Refusal { text: "no".to_owned() }]),
    ];
    let (body, lost) = written(&request(messages));
    let kept = json!([{ "executableCode": { "code": "1" } }, { "text": "no" }]);
    assert_eq!(body.pointer("/contents/1/parts"), Some(&kept));
    let expected = [
        "messages[].parts[].cache",
        "messages[].parts[].detail",
        "messages[].parts[].image",
        "messages[].parts[].reasoning",
        "messages[].parts[].opaque",
    ];
    assert_eq!(lost, expected.map(str::to_owned));
}
