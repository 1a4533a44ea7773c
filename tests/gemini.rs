//! Gemini's side that providers speak: what is written to them, and what is read of their answers.

use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, UpstreamError},
        request::{
            CacheHint, Effort, Format, Message, Part, Reasoning, Request, Role, Signature, Source, Tool, ToolCall, ToolChoice,
            ToolResult,
        },
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Upstream, gemini::Gemini},
    wire::sse::Frames,
};
use serde_json::{Value, json};

const MODEL: &str = "gemini-2.5-flash";

fn text(text: &str) -> Part {
    Part::Text { text: text.to_owned(), cache: None }
}

fn call(id: &str, name: &str, arguments: &str, signature: Option<Signature>) -> Part {
    Part::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned(), signature, cache: None })
}

fn result(id: &str, said: &str, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: String::new(), parts: vec![text(said)], is_error, cache: None })
}

fn signed(dialect: Dialect, value: &str) -> Option<Signature> {
    Some(Signature { dialect, value: value.to_owned() })
}

fn thought(said: &str, signature: Option<Signature>) -> Part {
    Part::Reasoning { text: said.to_owned(), signature }
}

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn model(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn system(said: &str) -> Message {
    Message { role: Role::System, parts: vec![text(said)] }
}

fn image(source: Source) -> Part {
    Part::Image { source, detail: None, cache: None }
}

fn png() -> Source {
    Source::Inline { media_type: "image/png".to_owned(), data: "AAAA".to_owned() }
}

fn request(messages: Vec<Message>) -> Request {
    Request { model: MODEL.to_owned(), messages, ..Request::default() }
}

fn function(name: &str, parameters: Option<Value>) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters, strict: None, cache: None }
}

fn written(request: &Request) -> (Value, Vec<String>) {
    let written = Gemini.write_request(request);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
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
    assert!(Gemini.edits("x", true).is_empty());
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
                Part::Audio { data: "BBBB".to_owned(), format: "wav".to_owned() },
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
            vec!["messages[].tool_result"],
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
    let reasoning = vec!["messages[].reasoning"];
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
    assert_eq!(
        lost,
        ["tools[].strict", "tools[].cache_control", "tools[].web_search_20250305", "parallel_tool_calls"].map(str::to_owned)
    );
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
    assert_eq!(lost, ["stop[5]", "stop[6]", "user"].map(str::to_owned));

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
        "messages[].cache_control",
        "messages[].image.detail",
        "messages[].image.file_id",
        "messages[].reasoning",
        "messages[].server_tool_use",
    ];
    assert_eq!(lost, expected.map(str::to_owned));
}

fn answered(parts: Value, finish: Value) -> String {
    json!({
        "candidates": [{ "content": { "parts": parts, "role": "model" }, "finishReason": finish, "index": 0 }],
        "modelVersion": "gemini-x", "responseId": "r-1_A",
    })
    .to_string()
}

fn response(parts: Vec<Part>, stop: StopReason) -> Response {
    let (id, model) = (Some("r-1_A".to_owned()), Some("gemini-x".to_owned()));
    Response { id, model, parts, stop, stop_sequence: None, usage: None }
}

#[test]
fn parts_are_read_in_order() {
    let own = || signed(Dialect::Gemini, "S");
    let code = json!({ "executableCode": { "language": "PYTHON", "code": "1" }, "thoughtSignature": "S" });
    for (rule, parts, expected, stop) in [
        (
            "thoughts beside the answer, neighbours joined",
            json!([{ "text": "h", "thought": true }, { "text": "m", "thought": true }, { "text": "a" }, { "text": "b" }]),
            vec![thought("hm", None), text("ab")],
            StopReason::End,
        ),
        (
            "calls make the stop reason, ids are minted from the answer's",
            json!([
                { "functionCall": { "name": "f", "args": { "b": 1, "a": 2 } }, "thoughtSignature": "S" },
                { "functionCall": { "name": "f", "id": "given" } },
                { "functionCall": { "name": "f", "args": {} } },
            ]),
            vec![
                call("call_0_r-1_A", "f", "{\"b\":1,\"a\":2}", own()),
                call("given", "f", "{}", None),
                call("call_2_r-1_A", "f", "{}", None),
            ],
            StopReason::ToolCalls,
        ),
        (
            "a signature on a text stands before it, on nothing at its place",
            json!([{ "text": "a", "thoughtSignature": "S" }, { "text": "", "thoughtSignature": "S" }, { "text": "" }]),
            vec![thought("", own()), text("a"), thought("", own())],
            StopReason::End,
        ),
        (
            "images, and what only Google knows",
            json!([{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }, code.clone(), { "inlineData": { "mimeType": "audio/wav", "data": "B" } }]),
            vec![
                image(png()),
                Part::Opaque { dialect: Dialect::Gemini, value: code },
                Part::Opaque {
                    dialect: Dialect::Gemini,
                    value: json!({ "inlineData": { "mimeType": "audio/wav", "data": "B" } }),
                },
            ],
            StopReason::End,
        ),
        ("no parts", json!([]), vec![], StopReason::End),
        ("odd parts", json!([null, 1, {}, "x"]), vec![], StopReason::End),
    ] {
        assert_eq!(Gemini.read_response(&answered(parts, json!("STOP"))), Ok(response(expected, stop)), "{rule}");
    }
}

#[test]
fn a_signed_answer_goes_back_as_it_came() {
    let parts = json!([
        { "text": "hm", "thought": true, "thoughtSignature": "T" },
        { "text": "a", "thoughtSignature": "S" },
        { "functionCall": { "id": "x", "name": "f", "args": { "n": 1 } }, "thoughtSignature": "U" },
        { "functionCall": { "id": "y", "name": "f", "args": {} } },
        { "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thoughtSignature": "V" },
        { "toolCall": { "id": "q", "toolType": "FILE_SEARCH" }, "thoughtSignature": "W" },
        { "text": "", "thoughtSignature": "X" },
    ]);
    let read = Gemini.read_response(&answered(parts.clone(), json!("STOP"))).unwrap();
    let (body, lost) = written(&request(vec![user(vec![text("go")]), model(read.parts)]));
    assert_eq!(body.pointer("/contents/1/parts"), Some(&parts));
    assert_eq!(lost, [""; 0]);
}

#[test]
fn finish_reasons_have_their_meaning() {
    for (reason, expected) in [
        (json!("STOP"), Some(StopReason::End)),
        (json!(1), Some(StopReason::End)),
        (json!("MAX_TOKENS"), Some(StopReason::Length)),
        (json!(2), Some(StopReason::Length)),
        (json!(3), Some(StopReason::ContentFilter)),
        (json!("RECITATION"), Some(StopReason::ContentFilter)),
        (json!("PROHIBITED_CONTENT"), Some(StopReason::ContentFilter)),
        (json!("IMAGE_SAFETY"), Some(StopReason::ContentFilter)),
        (json!("MODEL_ARMOR"), Some(StopReason::ContentFilter)),
        (json!("OTHER"), Some(StopReason::End)),
        (json!("SOME_DAY"), Some(StopReason::End)),
        (json!(null), Some(StopReason::End)),
        (json!("MALFORMED_FUNCTION_CALL"), None),
        (json!(9), None),
        (json!("UNEXPECTED_TOOL_CALL"), None),
        (json!("MISSING_THOUGHT_SIGNATURE"), None),
    ] {
        let read = Gemini.read_response(&answered(json!([{ "text": "x" }]), reason.clone()));
        assert_eq!(read.ok().map(|response| response.stop), expected, "{reason}");
    }
}

#[test]
fn an_answer_without_text_is_an_answer_when_it_says_why() {
    let empty = |stop| Response { id: None, model: None, parts: vec![], stop, stop_sequence: None, usage: None };
    for (body, expected) in [
        ("{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}", Some(empty(StopReason::Length))),
        (
            "{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"SAFETY\"}]}",
            Some(empty(StopReason::ContentFilter)),
        ),
        ("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", Some(empty(StopReason::ContentFilter))),
        (
            "  \n {\"promptFeedback\":{\"blockReason\":\"X\"},\"usageMetadata\":{\"trafficType\":\"A\"}}",
            Some(empty(StopReason::ContentFilter)),
        ),
        ("{\"candidates\":[]}", None),
        ("{\"usageMetadata\":{\"promptTokenCount\":1}}", None),
        ("{}", None),
        ("[]", None),
        ("null", None),
        ("", None),
        ("<html>", None),
    ] {
        assert_eq!(Gemini.read_response(body).ok(), expected, "{body}");
    }
    let failed = Gemini.read_response("{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}").unwrap_err();
    assert_eq!((failed.status, failed.message.as_str(), failed.kind.as_deref()), (503, "busy", Some("UNAVAILABLE")));
}

#[test]
fn tokens_are_counted_apart() {
    let usage = |input, cache_read, output, reasoning| Some(Usage { input, cache_read, cache_write: 0, output, reasoning });
    for (reported, expected) in [
        (json!({ "promptTokenCount": 10, "candidatesTokenCount": 5 }), usage(10, 0, 5, 0)),
        (json!({ "promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7 }), usage(10, 0, 12, 7)),
        (json!({ "promptTokenCount": 10, "toolUsePromptTokenCount": 90, "cachedContentTokenCount": 8 }), usage(92, 8, 0, 0)),
        (json!({ "promptTokenCount": 10, "cachedContentTokenCount": 80 }), usage(0, 10, 0, 0)),
        (json!({ "trafficType": "ON_DEMAND" }), None),
    ] {
        let body = json!({ "candidates": [{ "finishReason": "STOP" }], "usageMetadata": reported }).to_string();
        assert_eq!(Gemini.read_response(&body).unwrap().usage, expected, "{body}");
    }
}

#[test]
fn minted_ids_fit_every_dialect() {
    let id = |name: &str, args: Value| {
        let parts = json!([{ "functionCall": { "name": name, "args": args } }]);
        let body = json!({ "candidates": [{ "content": { "parts": parts } }] }).to_string();
        let Some(Part::ToolCall(call)) = Gemini.read_response(&body).unwrap().parts.pop() else { return String::new() };
        call.id
    };
    let long = id("a.name:with odd/é characters and much too long for it", json!({}));
    assert!(long.starts_with("call_0_") && long.chars().count() == 40, "{long}");
    assert!(long.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{long}");
    assert_eq!(id("f", json!({ "a": 1 })), id("f", json!({ "a": 1 })), "the same answer, the same id");
    assert_ne!(id("f", json!({ "a": 1 })), id("f", json!({ "a": 2 })), "another turn, another id");
}

/// The events of a stream that arrives in these pieces.
fn events(pieces: &[&[u8]]) -> Vec<Event> {
    let (mut frames, mut reader, mut out) = (Frames::default(), Gemini.event_reader(), vec![]);
    for piece in pieces {
        frames.push(piece).unwrap();
        while let Some(frame) = frames.next_frame() {
            reader.read(&frame, &mut out);
        }
    }
    if let Some(frame) = frames.last_frame() {
        reader.read(&frame, &mut out);
    }
    reader.close(&mut out);
    out
}

fn start() -> Event {
    Event::Start { id: Some("r".to_owned()), model: Some("m".to_owned()) }
}

fn open(index: usize, block: Block) -> Event {
    Event::BlockStart { index, block }
}

fn delta(index: usize, delta: Delta) -> Event {
    Event::BlockDelta { index, delta }
}

fn used(input: u64, output: u64, reasoning: u64) -> Event {
    Event::Usage(Usage { input, cache_read: 0, cache_write: 0, output, reasoning })
}

fn chunk(parts: Value, rest: Value) -> String {
    let mut candidate = json!({ "content": { "parts": parts, "role": "model" }, "index": 0 });
    let mut chunk = json!({ "modelVersion": "m", "responseId": "r" });
    for (key, value) in rest.as_object().unwrap() {
        let place = if key == "finishReason" { &mut candidate } else { &mut chunk };
        place.as_object_mut().unwrap().insert(key.clone(), value.clone());
    }
    chunk.as_object_mut().unwrap().insert("candidates".to_owned(), json!([candidate]));
    format!("data: {chunk}\r\n\r\n")
}

fn long_stream() -> (String, Vec<Event>) {
    let usage = |prompt: u64, answer: u64, thoughts: u64| json!({ "promptTokenCount": prompt, "candidatesTokenCount": answer, "thoughtsTokenCount": thoughts });
    let text = [
        chunk(json!([{ "text": "hé", "thought": true }]), json!({ "usageMetadata": usage(3, 0, 1) })),
        chunk(json!([{ "text": "m", "thought": true }, { "text": "a" }]), json!({ "usageMetadata": usage(3, 1, 2) })),
        chunk(json!([{ "text": "b\u{1f600}" }]), json!({ "usageMetadata": usage(3, 1, 2) })),
        chunk(
            json!([{ "functionCall": { "name": "f", "args": { "n": 1 } }, "thoughtSignature": "S" }, { "functionCall": { "name": "f", "args": {} } }]),
            json!({ "finishReason": "STOP" }),
        ),
        chunk(json!([{ "text": "", "thoughtSignature": "T" }]), json!({ "usageMetadata": usage(3, 9, 2) })),
    ]
    .concat();
    let tool = |id: &str, signature| {
        let (id, name, arguments) = (id.to_owned(), "f".to_owned(), String::new());
        Block::ToolCall(ToolCall { id, name, arguments, signature, cache: None })
    };
    let expected = vec![
        start(),
        open(0, Block::Reasoning),
        delta(0, Delta::Reasoning("hé".to_owned())),
        used(3, 1, 1),
        delta(0, Delta::Reasoning("m".to_owned())),
        Event::BlockEnd { index: 0 },
        open(1, Block::Text),
        delta(1, Delta::Text("a".to_owned())),
        used(3, 3, 2),
        delta(1, Delta::Text("b\u{1f600}".to_owned())),
        Event::BlockEnd { index: 1 },
        open(2, tool("call_0_r", signed(Dialect::Gemini, "S"))),
        delta(2, Delta::Arguments("{\"n\":1}".to_owned())),
        Event::BlockEnd { index: 2 },
        open(3, tool("call_1_r", None)),
        delta(3, Delta::Arguments("{}".to_owned())),
        Event::BlockEnd { index: 3 },
        open(4, Block::Reasoning),
        delta(4, Delta::Signature(signed(Dialect::Gemini, "T").unwrap())),
        Event::BlockEnd { index: 4 },
        used(3, 11, 2),
        Event::Stop { reason: StopReason::ToolCalls, sequence: None },
        Event::End,
    ];
    (text, expected)
}

#[test]
fn a_stream_cut_anywhere_says_the_same() {
    let (text, expected) = long_stream();
    let bytes = text.as_bytes();
    assert_eq!(events(&[bytes]), expected);
    for cut in 0..bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(events(&[left, right]), expected, "cut at {cut}");
    }
    assert_eq!(events(&bytes.chunks(1).collect::<Vec<_>>()), expected, "byte by byte");
}

#[test]
fn a_stream_that_breaks_off_never_ends_well() {
    let (text, whole) = long_stream();
    let last = text.trim_end().rfind("data:").unwrap();
    let finished = text.get(..last).unwrap().trim_end().len();
    for cut in 0..finished {
        let seen = events(&[text.as_bytes().get(..cut).unwrap()]);
        let is_end = |event: &Event| matches!(event, Event::End | Event::Stop { .. });
        assert!(!seen.iter().any(is_end), "cut at {cut}");
        let told = seen.iter().filter(|event| **event != Event::Malformed).count();
        assert!(whole.starts_with(seen.get(..told).unwrap()), "cut at {cut}");
    }
}

#[test]
fn streams_end_in_many_ways() {
    let failed = |status, message: &str, kind: &str| {
        let (message, kind) = (message.to_owned(), Some(kind.to_owned()));
        Event::Failed(UpstreamError { status, message, kind, ..UpstreamError::default() })
    };
    let said = |text: &str| vec![start(), open(0, Block::Text), delta(0, Delta::Text(text.to_owned()))];
    let ended = |reason| vec![Event::BlockEnd { index: 0 }, Event::Stop { reason, sequence: None }, Event::End];
    let error = "{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}";
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"modelVersion\":\"m\",\"responseId\":\"r\"}\r\n\r\n";
    let x = || chunk(json!([{ "text": "x" }]), json!({}));
    let finish = |reason: &str| chunk(json!([]), json!({ "finishReason": reason }));
    for (rule, stream, expected) in [
        ("a later reason wins", [x(), finish("STOP"), finish("RECITATION")].concat(), [said("x"), ended(StopReason::ContentFilter)].concat()),
        ("an error chunk", format!("{}data: {error}\r\n\r\n", x()), [said("x"), vec![failed(503, "busy", "UNAVAILABLE")]].concat()),
        ("a bare error", format!("{}{error}\r\n", x()), [said("x"), vec![failed(503, "busy", "UNAVAILABLE")]].concat()),
        ("an error in an array", format!("[{error}]"), vec![failed(503, "busy", "UNAVAILABLE")]),
        ("nothing counts after it", format!("data: {error}\n\n{}{}", x(), finish("STOP")), vec![failed(503, "busy", "UNAVAILABLE")]),
        (
            "a broken answer, before its parts are told",
            chunk(json!([{ "text": "x" }]), json!({ "finishReason": "UNEXPECTED_TOOL_CALL" })),
            vec![start(), failed(0, "The model's answer was unusable: UNEXPECTED_TOOL_CALL.", "UNEXPECTED_TOOL_CALL")],
        ),
        (
            "a blocked prompt",
            blocked.to_owned(),
            vec![start(), Event::Stop { reason: StopReason::ContentFilter, sequence: None }, Event::End],
        ),
        (
            "what nobody can read is skipped; comments say nothing",
            format!(": hi\n\ndata: {{\"a\n\n{}data: 7\n\ndata: [DONE]\n\n{}", x(), finish("MAX_TOKENS")),
            [vec![Event::Malformed], said("x"), vec![Event::Malformed], ended(StopReason::Length)].concat(),
        ),
        (
            "only the first candidate is read",
            "data: {\"modelVersion\":\"m\",\"responseId\":\"r\",\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"text\":\"no\"}]}},{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":\"STOP\"}]}".to_owned(),
            [said("x"), ended(StopReason::End)].concat(),
        ),
        ("nothing at all", String::new(), vec![]),
    ] {
        assert_eq!(events(&[stream.as_bytes()]), expected, "{rule}");
    }
    let whole = format!("[{},{}]", x().trim().trim_start_matches("data: "), finish("STOP").trim().trim_start_matches("data: "));
    assert_eq!(events(&[whole.as_bytes()]), [said("x"), ended(StopReason::End)].concat(), "an array instead of events");
    let read = Gemini.read_response(&whole).unwrap();
    assert_eq!((read.parts, read.stop), (vec![text("x")], StopReason::End));
}

#[test]
fn errors_of_any_shape_are_understood() {
    let google = json!({ "error": { "code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "PerDayPerModel" }] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48.9399s" },
    ] } });
    let key = json!({ "error": { "code": 400, "message": "no key", "status": "INVALID_ARGUMENT", "details": [
        { "reason": "API_KEY_INVALID" }, { "retryDelay": "47s" },
    ] } });
    let odd =
        json!({ "error": { "message": "m", "type": "t", "code": "c", "param": "p", "details": [{ "retryDelay": "soon" }] } });
    for (body, expected) in [
        (google.to_string(), ("slow down", Some("RESOURCE_EXHAUSTED"), Some("PerDayPerModel"), Some(48_940))),
        (json!([google]).to_string(), ("slow down", Some("RESOURCE_EXHAUSTED"), Some("PerDayPerModel"), Some(48_940))),
        (key.to_string(), ("no key", Some("INVALID_ARGUMENT"), Some("API_KEY_INVALID"), Some(47_000))),
        (odd.to_string(), ("m", Some("t"), Some("c"), None)),
        ("{\"error\":\"plain\"}".to_owned(), ("plain", None, None, None)),
        ("<html>bad gateway</html>".to_owned(), ("<html>bad gateway</html>", None, None, None)),
        ("{\"detail\":1}".to_owned(), ("{\"detail\":1}", None, None, None)),
        (String::new(), ("", None, None, None)),
    ] {
        let read = Gemini.read_error(418, &body);
        assert_eq!(read.status, 418, "the status line counts");
        let seen = (read.message.as_str(), read.kind.as_deref(), read.code.as_deref(), read.retry_after_ms);
        assert_eq!(seen, expected, "{body}");
    }
    assert_eq!(Gemini.read_error(502, &"é".repeat(10_000)).message.chars().count(), 300);
}
