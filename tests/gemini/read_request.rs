//! What is read of a caller's request but for its turns, in both spellings.

use portolan::{
    chat::{
        Dialect,
        request::{Effort, Format, Reasoning, Request, Tool, ToolChoice},
    },
    dialect::{Caller, Facts, gemini::Gemini},
    wire::json::Outline,
};
use serde_json::{Value, json};

use super::{contents, read, snake, text, user};

#[test]
fn the_path_says_model_and_stream_and_the_body_the_rest() {
    for (body, expected) in [
        (r#"{"contents":[]}"#, Facts { wants_usage: true, ..Facts::default() }),
        (
            r#"{"generationConfig":{"maxOutputTokens":7},"tools":[{"googleSearch":{}}]}"#,
            Facts { wants_usage: true, tools: true, max_output: Some(7), ..Facts::default() },
        ),
        (
            r#"{"generation_config":{"max_output_tokens":7},"tools":[ ]}"#,
            Facts { wants_usage: true, max_output: Some(7), ..Facts::default() },
        ),
        (r#"{"generationConfig":7}"#, Facts { wants_usage: true, ..Facts::default() }),
    ] {
        assert_eq!(Gemini.facts(&Outline::read(body.as_bytes()).unwrap()), Ok(expected), "{body}");
    }
    let (request, dropped) = read(&contents(json!([{ "parts": [{ "text": "hi" }] }])));
    let expected = Request { include_usage: true, messages: vec![user(vec![text("hi")])], ..Request::default() };
    assert_eq!((request, dropped), (expected, vec![]));
}

#[test]
fn tools_are_functions_and_googles_own() {
    let function = |name: &str, parameters: Option<Value>| Tool::Function {
        name: name.to_owned(),
        description: None,
        parameters,
        strict: None,
        cache: None,
    };
    let declared = json!({
        "contents": "hi",
        "tools": [
            { "functionDeclarations": [
                { "name": "f", "parameters": { "type": "OBJECT", "properties": { "maxItems": { "type": "STRING" } } } },
                { "name": "g", "parametersJsonSchema": { "type": "object" }, "parameters": { "type": "STRING" } },
                { "name": "h", "response": { "type": "STRING" } },
            ], "googleSearch": {} },
            { "codeExecution": {} },
        ],
    });
    let object = json!({ "type": "object", "properties": { "maxItems": { "type": "string" } } });
    let opaque = |key: &str| Tool::Opaque { dialect: Dialect::Gemini, value: json!({ key: {} }) };
    let (request, dropped) = read(&declared);
    let expected = [
        function("f", Some(object)),
        function("g", Some(json!({ "type": "object" }))),
        function("h", None),
        opaque("googleSearch"),
        opaque("codeExecution"),
    ];
    assert_eq!(request.tools, expected);
    assert_eq!(dropped, ["tools[].functionDeclarations[].response"]);

    let among =
        |names: &[&str], required| Some(ToolChoice::Among { names: names.iter().map(|n| (*n).to_owned()).collect(), required });
    for (mode, names, expected) in [
        (json!("AUTO"), json!(null), Some(ToolChoice::Auto)),
        (json!("auto"), json!(null), Some(ToolChoice::Auto)),
        (json!("VALIDATED"), json!([]), Some(ToolChoice::Auto)),
        (json!("VALIDATED"), json!(["f", "g"]), among(&["f", "g"], false)),
        (json!("ANY"), json!(null), Some(ToolChoice::Required)),
        (json!("ANY"), json!(["f"]), Some(ToolChoice::Function("f".to_owned()))),
        (json!("ANY"), json!(["f", "g"]), among(&["f", "g"], true)),
        (json!("NONE"), json!(null), Some(ToolChoice::None)),
        (json!(2), json!(null), Some(ToolChoice::Required)),
        (json!("MODE_UNSPECIFIED"), json!(null), None),
    ] {
        let body = json!({ "contents": "hi", "toolConfig": { "functionCallingConfig": { "mode": mode, "allowedFunctionNames": names } } });
        for body in [&body, &snake(&body)] {
            let (request, dropped) = read(body);
            assert_eq!((request.tool_choice, dropped), (expected.clone(), vec![]), "{body}");
        }
    }
    let odd =
        json!({ "contents": "hi", "tool_config": { "function_calling_config": { "mode": "SOME" }, "retrieval_config": {} } });
    assert_eq!(read(&odd).1, ["tool_config.retrieval_config", "tool_config.function_calling_config.mode"]);
}

#[test]
fn schemas_become_json_schema() {
    for (schema, expected) in [
        (json!({ "type": "STRING", "format": "enum", "enum": ["a"] }), json!({ "type": "string", "enum": ["a"] })),
        (
            json!({ "type": "STRING", "nullable": true, "enum": ["a"] }),
            json!({ "type": ["string", "null"], "enum": ["a", null] }),
        ),
        (
            json!({ "anyOf": [{ "type": "STRING" }, { "type": "NUMBER" }], "nullable": true }),
            json!({ "anyOf": [{ "type": "string" }, { "type": "number" }, { "type": "null" }] }),
        ),
        (
            json!({ "any_of": [{ "type": "INTEGER" }], "max_length": "9", "description": "d" }),
            json!({ "anyOf": [{ "type": "integer" }], "maxLength": 9, "description": "d" }),
        ),
        (
            json!({ "type": "ARRAY", "items": { "type": "BOOLEAN" }, "minItems": "1", "maxItems": 5, "example": [true] }),
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 1, "maxItems": 5, "examples": [[true]] }),
        ),
        (
            json!({ "type": "OBJECT", "properties": { "any_of": { "type": "STRING" }, "type": { "type": "NULL" } }, "required": ["type"] }),
            json!({ "type": "object", "properties": { "any_of": { "type": "string" }, "type": { "type": "null" } }, "required": ["type"] }),
        ),
        (
            json!({ "type": 6, "properties": { "a": { "type": 1 }, "b": { "type": "TYPE_UNSPECIFIED" } } }),
            json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": {} } }),
        ),
        // JSON Schema in its place.
        (
            json!({ "type": ["string", "null"], "additionalProperties": false, "$defs": { "x": { "type": "object" } }, "const": "A" }),
            json!({ "type": ["string", "null"], "additionalProperties": false, "$defs": { "x": { "type": "object" } }, "const": "A" }),
        ),
    ] {
        let body = json!({ "contents": "hi", "generationConfig": { "responseSchema": schema } });
        let format = Some(Format::Schema { name: None, description: None, schema: expected, strict: None });
        assert_eq!(read(&body).0.format, format, "{body}");
    }
    let ordered = json!({ "type": "OBJECT", "properties": { "a": {}, "b": {}, "c": {} }, "propertyOrdering": ["c", "a"] });
    let body = json!({ "contents": "hi", "generationConfig": { "responseSchema": ordered } });
    let Some(Format::Schema { schema, .. }) = read(&body).0.format else { unreachable!() };
    assert_eq!(schema.to_string(), r#"{"type":"object","properties":{"c":{},"a":{},"b":{}}}"#);
}

#[test]
fn the_configuration_is_read_whole() {
    let config = json!({
        "temperature": 0.5, "topP": "0.25", "topK": 40, "candidateCount": 2, "maxOutputTokens": "9", "stopSequences": ["a"],
        "presencePenalty": 1, "frequencyPenalty": -1, "seed": 7, "responseLogprobs": true, "logprobs": 3,
        "responseMimeType": "application/json", "responseModalities": ["TEXT", "IMAGE"],
        "thinkingConfig": { "thinkingBudget": 5, "includeThoughts": false },
        "speechConfig": { "languageCode": "de" }, "mediaResolution": "MEDIA_RESOLUTION_LOW",
    });
    let body = json!({
        "contents": "hi", "generationConfig": config, "serviceTier": "flex", "labels": { "teamName": "x" }, "store": false,
        "safetySettings": [{ "category": "A" }], "cachedContent": "cachedContents/1", "model": "models/m",
    });
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    let expected = Request {
        model: "m".to_owned(),
        include_usage: true,
        messages: vec![user(vec![text("hi")])],
        temperature: number("0.5"),
        top_p: number("0.25"),
        top_k: number("40"),
        n: Some(2),
        max_tokens: Some(9),
        stop: vec!["a".to_owned()],
        presence_penalty: number("1"),
        frequency_penalty: number("-1"),
        seed: number("7"),
        logprobs: true,
        top_logprobs: Some(3),
        format: Some(Format::Json),
        modalities: vec!["text".to_owned(), "image".to_owned()],
        reasoning: Some(Reasoning::Budget(5)),
        show_reasoning: Some(false),
        service_tier: Some("flex".to_owned()),
        metadata: Some(json!({ "teamName": "x" })),
        store: Some(false),
        ..Request::default()
    };
    let (request, dropped) = read(&body);
    assert_eq!(request, expected);
    assert_eq!(dropped, ["generationConfig.speechConfig", "generationConfig.mediaResolution", "safetySettings", "cachedContent"]);
    let (request, dropped) = read(&snake(&body));
    assert_eq!(request, expected);
    let spelled = ["generation_config.speech_config", "generation_config.media_resolution", "safety_settings", "cached_content"];
    assert_eq!(dropped, spelled);
}

#[test]
fn settings_that_say_the_default_say_nothing() {
    let config = json!({ "candidateCount": 1, "responseModalities": ["TEXT"], "responseMimeType": "text/plain", "stopSequences": [], "thinkingConfig": {}, "topK": null });
    let body = json!({ "contents": "hi", "generationConfig": config, "safetySettings": [], "serviceTier": "unspecified", "tools": [], "toolConfig": {} });
    let expected = Request { include_usage: true, messages: vec![user(vec![text("hi")])], ..Request::default() };
    assert_eq!(read(&body), (expected, vec![]));
}

#[test]
fn thinking_is_read_in_the_words_of_each_generation() {
    for (thinking, reasoning, shown, dropped) in [
        (json!({ "thinkingBudget": -1 }), Some(Reasoning::Adaptive), None, vec![]),
        (json!({ "thinkingBudget": 0 }), Some(Reasoning::Off), None, vec![]),
        (json!({ "thinkingBudget": 8192, "includeThoughts": true }), Some(Reasoning::Budget(8192)), Some(true), vec![]),
        (json!({ "thinkingLevel": "MINIMAL" }), Some(Reasoning::Effort(Effort::Minimal)), None, vec![]),
        (json!({ "thinkingLevel": "low" }), Some(Reasoning::Effort(Effort::Low)), None, vec![]),
        (json!({ "thinkingLevel": "MEDIUM" }), Some(Reasoning::Effort(Effort::Medium)), None, vec![]),
        (json!({ "thinkingLevel": "HIGH" }), Some(Reasoning::Effort(Effort::High)), None, vec![]),
        (json!({ "thinkingLevel": "THINKING_LEVEL_UNSPECIFIED", "includeThoughts": true }), None, Some(true), vec![]),
        (json!({ "thinkingLevel": "UTMOST" }), None, None, vec!["generationConfig.thinkingConfig.thinkingLevel"]),
    ] {
        let (request, lost) = read(&json!({ "contents": "hi", "generationConfig": { "thinkingConfig": thinking } }));
        assert_eq!((request.reasoning, request.show_reasoning), (reasoning, shown), "{thinking}");
        assert_eq!(lost, dropped, "{thinking}");
    }
}

#[test]
fn formats_keep_their_schema() {
    let schema = || json!({ "type": "object", "properties": { "a_b": { "type": "string" } } });
    let expected = || Some(Format::Schema { name: None, description: None, schema: schema(), strict: None });
    for (config, expected, dropped) in [
        (json!({ "responseMimeType": "application/json", "responseJsonSchema": schema() }), expected(), vec![]),
        (json!({ "response_mime_type": "application/json", "response_json_schema": schema() }), expected(), vec![]),
        (json!({ "responseSchema": schema() }), expected(), vec![]),
        (json!({ "responseMimeType": "application/json" }), Some(Format::Json), vec![]),
        (
            json!({ "responseMimeType": "text/x.enum", "responseSchema": { "enum": ["a"] } }),
            None,
            vec!["generationConfig.responseMimeType", "generationConfig.responseSchema"],
        ),
    ] {
        let (request, lost) = read(&json!({ "contents": "hi", "generationConfig": config }));
        assert_eq!((request.format, lost), (expected, dropped.into_iter().map(str::to_owned).collect()), "{config}");
    }
}

#[test]
fn a_wrong_body_is_refused_with_the_place_of_its_fault() {
    for (body, param) in [
        ("[]", ""),
        ("{}", "contents"),
        (r#"{"contents":[7]}"#, "contents[0]"),
        (r#"{"contents":[{"role":"system","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":["x"]}]}"#, "contents[0].parts[0]"),
        (r#"{"contents":[{"parts":[{"text":7}]}]}"#, "contents[0].parts[0].text"),
        (r#"{"contents":[{"parts":[{"inline_data":{"data":"A"}}]}]}"#, "contents[0].parts[0].inline_data.mime_type"),
        (r#"{"contents":"x","generation_config":{"top_p":"x"}}"#, "generation_config.top_p"),
        (r#"{"contents":"x","generationConfig":{"maxOutputTokens":-1}}"#, "generationConfig.maxOutputTokens"),
        (r#"{"contents":"x","tools":[{"functionDeclarations":[{}]}]}"#, "tools[0].functionDeclarations[0].name"),
    ] {
        let error = Gemini.read_request(body).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{body}: {}", error.message);
    }
    assert_eq!(Gemini.read_request("{").unwrap_err().status, 400);
}
