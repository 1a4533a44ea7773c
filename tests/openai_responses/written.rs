use portolan::chat::{
    Dialect,
    profile::{History, Profile, Thinking},
    request::{CacheHint, Effort, Format, Part, Reasoning, Request, Role, Source, ToolCall, ToolChoice, ToolResult},
};
use serde_json::{Number, Value, json};

use super::{NOTHING, asking, function, proof, said, write, write_for};

fn request(messages: Vec<(Role, Vec<Part>)>) -> Request {
    let messages = messages.into_iter().map(|(role, parts)| said(role, parts)).collect();
    Request { model: "m".to_owned(), messages, ..Request::default() }
}

fn call(id: &str, arguments: &str, custom: bool) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        custom,
        ..ToolCall::default()
    })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: String::new(), parts, is_error: false, cache: None })
}

fn inline(media_type: &str) -> Source {
    Source::Inline { media_type: media_type.to_owned(), data: "QUJD".to_owned() }
}

fn image(source: Source) -> Part {
    Part::Image { source, detail: None, cache: None }
}

fn thought(text: &str, signature: Option<(Dialect, &str)>) -> Part {
    Part::Reasoning { text: text.to_owned(), signature: signature.map(|(dialect, value)| proof(dialect, value)) }
}

#[test]
fn a_plain_request_says_no_more_than_it_must() {
    let (written, dropped) = write(&asking(vec![Part::text("hi")]));
    let expected = json!({"model": "m", "input": [{"type": "message", "role": "user", "content": "hi"}],
        "include": ["reasoning.encrypted_content"], "store": false});
    assert_eq!((written, dropped), (expected, vec![]));
}

#[test]
fn turns_become_items() {
    let own = r#"{"id":"rs_1","summary":[],"encrypted_content":"e"}"#;
    for (rule, messages, instructions, input) in [
        (
            "one text before all others is the instructions, the others stay in place",
            vec![
                (Role::System, vec![Part::text("s")]),
                (Role::User, vec![Part::text("a")]),
                (Role::System, vec![Part::text("t")]),
            ],
            json!("s"),
            json!([{"type": "message", "role": "user", "content": "a"}, {"type": "message", "role": "system", "content": "t"}]),
        ),
        (
            "an input is never empty",
            vec![(Role::System, vec![Part::text("s")])],
            Value::Null,
            json!([{"type": "message", "role": "system", "content": "s"}]),
        ),
        (
            "several texts stay apart",
            vec![(Role::System, vec![Part::text("s"), Part::text("t")]), (Role::User, vec![Part::text("a")])],
            Value::Null,
            json!([{"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}, {"type": "input_text", "text": "t"}]},
                {"type": "message", "role": "user", "content": "a"}]),
        ),
        (
            "a turn in its order: thoughts, words, calls, results first in the next",
            vec![
                (
                    Role::Assistant,
                    vec![
                        thought("", Some((Dialect::OpenAiResponses, own))),
                        Part::text("a"),
                        Part::text("b"),
                        call("c1", "", false),
                        call("c2", "raw", true),
                    ],
                ),
                (
                    Role::User,
                    vec![result("c1", vec![]), result("c2", vec![Part::text("x"), image(inline("image/png"))]), Part::text("go")],
                ),
            ],
            Value::Null,
            json!([
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a", "annotations": []},
                    {"type": "output_text", "text": "b", "annotations": []}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "c2", "name": "f", "input": "raw"},
                {"type": "function_call_output", "call_id": "c1", "output": ""},
                {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "x"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}]},
                {"type": "message", "role": "user", "content": "go"},
            ]),
        ),
        (
            "arguments are not written anew",
            vec![(Role::Assistant, vec![call("c", "{\"a\": 1.0, \"b\":1e400}", false)])],
            Value::Null,
            json!([
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\": 1.0, \"b\":1e400}"},
                {"type": "function_call_output", "call_id": "c", "output": "No result: the tool was not run."},
            ]),
        ),
        (
            "what this dialect knows goes back as it was, what the model drew as its item",
            vec![
                (
                    Role::Assistant,
                    vec![
                        Part::Opaque { dialect: Dialect::OpenAiResponses, value: json!({"type": "web_search_call"}) },
                        Part::Refusal { text: "no".to_owned() },
                        image(inline("image/webp")),
                    ],
                ),
                (
                    Role::User,
                    vec![Part::Opaque { dialect: Dialect::OpenAiResponses, value: json!({"type": "shell_call_output"}) }],
                ),
            ],
            Value::Null,
            json!([
                {"type": "web_search_call"},
                {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
                {"type": "image_generation_call", "id": "ig_1", "status": "completed", "output_format": "webp", "result": "QUJD"},
                {"type": "shell_call_output"},
            ]),
        ),
    ] {
        let (written, dropped) = write(&request(messages));
        assert_eq!((&written["instructions"], &written["input"]), (&instructions, &input), "{rule}");
        assert_eq!(dropped, NOTHING, "{rule}");
    }
}

#[test]
fn parts_of_a_user_find_their_shape() {
    let id = |dialect| Source::Id { dialect, id: "file-1".to_owned() };
    let url = || Source::Url("https://a/b".to_owned());
    let file = |source, name: Option<&str>| Part::File { source, name: name.map(str::to_owned), cache: None };
    for (part, expected, dropped) in [
        (image(url()), json!({"type": "input_image", "image_url": "https://a/b"}), None),
        (image(id(Dialect::OpenAiChat)), json!({"type": "input_image", "file_id": "file-1"}), None),
        (image(id(Dialect::Anthropic)), Value::Null, Some("messages[].parts[].image")),
        (
            Part::Image { source: url(), detail: Some("low".to_owned()), cache: None },
            json!({"type": "input_image", "image_url": "https://a/b", "detail": "low"}),
            None,
        ),
        (file(url(), Some("n")), json!({"type": "input_file", "file_url": "https://a/b"}), None),
        (
            file(inline("application/pdf"), Some("n")),
            json!({"type": "input_file", "file_data": "data:application/pdf;base64,QUJD", "filename": "n"}),
            None,
        ),
        (
            file(inline("text/plain"), None),
            json!({"type": "input_file", "file_data": "data:text/plain;base64,QUJD", "filename": "file"}),
            None,
        ),
        (file(id(Dialect::Gemini), None), Value::Null, Some("messages[].parts[].file")),
        (
            Part::Audio { source: inline("audio/mp3"), transcript: None },
            json!({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}}),
            None,
        ),
        (Part::Audio { source: url(), transcript: None }, Value::Null, Some("messages[].parts[].audio")),
        (
            Part::Video { source: url(), fps: Some(Number::from(2)) },
            json!({"type": "input_video", "video_url": "https://a/b", "fps": 2}),
            None,
        ),
        (Part::Opaque { dialect: Dialect::Gemini, value: json!({}) }, Value::Null, Some("messages[].parts[].opaque")),
        (
            Part::Text { text: "a".to_owned(), cache: Some(CacheHint { ttl: None }), citations: vec![] },
            json!({"type": "input_text", "text": "a"}),
            Some("messages[].parts[].cache"),
        ),
    ] {
        let (written, lost) = write(&asking(vec![part.clone(), Part::text("x")]));
        let content = &written["input"][0]["content"];
        assert_eq!(if expected.is_null() { &content["none"] } else { &content[0] }, &expected, "{part:?}");
        assert_eq!(lost.first().map(String::as_str), dropped, "{part:?}");
    }
}

/// Thoughts go back to who can check them, and only before what they led to.
#[test]
fn thoughts_that_would_be_refused_stay_out() {
    let sealed = r#"{"id":"rs_1","summary":[],"encrypted_content":"e"}"#;
    let stored = r#"{"id":"rs_1","summary":[]}"#;
    let lost = "messages[].parts[].reasoning";
    let plain = Profile { thinking: Thinking::None, ..Profile::DEFAULT };
    let open = Profile { history: History::Content, ..Profile::DEFAULT };
    let item = |json: &str| {
        let mut item: Value = serde_json::from_str(json).unwrap();
        item["type"] = "reasoning".into();
        item
    };
    let text = || Part::text("a");
    for (rule, parts, store, profile, expected, dropped) in [
        (
            "its own",
            vec![thought("t", Some((Dialect::OpenAiResponses, sealed))), text()],
            None,
            &Profile::DEFAULT,
            Some(item(sealed)),
            None,
        ),
        (
            "an orphan",
            vec![text(), thought("t", Some((Dialect::OpenAiResponses, sealed)))],
            None,
            &Profile::DEFAULT,
            None,
            Some(lost),
        ),
        (
            "of a model that does not think",
            vec![thought("t", Some((Dialect::OpenAiResponses, sealed))), text()],
            None,
            &plain,
            None,
            Some(lost),
        ),
        ("another's", vec![thought("t", Some((Dialect::Anthropic, "s"))), text()], None, &Profile::DEFAULT, None, Some(lost)),
        ("nobody's", vec![thought("t", None), text()], None, &Profile::DEFAULT, None, Some(lost)),
        (
            "stored, but not asked to be",
            vec![thought("t", Some((Dialect::OpenAiResponses, stored))), text()],
            None,
            &Profile::DEFAULT,
            None,
            Some(lost),
        ),
        (
            "stored",
            vec![thought("t", Some((Dialect::OpenAiResponses, stored))), text()],
            Some(true),
            &Profile::DEFAULT,
            Some(item(stored)),
            None,
        ),
        (
            "to an open model",
            vec![thought("t", None), text()],
            None,
            &open,
            Some(json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]})),
            None,
        ),
        (
            "redacted",
            vec![Part::RedactedReasoning { data: "d".to_owned(), dialect: Dialect::Anthropic }, text()],
            None,
            &Profile::DEFAULT,
            None,
            Some(lost),
        ),
    ] {
        let request = Request { store, ..request(vec![(Role::Assistant, parts)]) };
        let (written, found) = write_for(&request, profile);
        let items = written["input"].as_array().unwrap();
        let reasoning = items.iter().find(|item| item["type"] == "reasoning");
        assert_eq!(reasoning, expected.as_ref(), "{rule}");
        assert_eq!(items.iter().filter(|item| item["type"] == "message").count(), 1, "{rule}");
        assert_eq!(found.first().map(String::as_str), dropped, "{rule}");
    }
}

#[test]
fn parameters_are_written_in_this_dialects_words() {
    let schema =
        Format::Schema { name: None, description: Some("d".to_owned()), schema: json!({"type": "object"}), strict: Some(true) };
    let request = Request {
        stream: true,
        max_tokens: Some(500),
        temperature: Number::from_f64(0.5),
        reasoning: Some(Reasoning::Effort(Effort::High)),
        show_reasoning: Some(true),
        format: Some(schema),
        verbosity: Some("low".to_owned()),
        user: Some("u".to_owned()),
        logprobs: true,
        top_logprobs: Some(2),
        service_tier: Some("flex".to_owned()),
        store: Some(true),
        metadata: Some(json!({"k": "v"})),
        cache_key: Some("key".to_owned()),
        tools: vec![function("f", None)],
        tool_choice: Some(ToolChoice::Required),
        parallel_tool_calls: Some(false),
        ..asking(vec![Part::text("hi")])
    };
    let (mut written, dropped) = write(&request);
    assert_eq!(dropped, NOTHING);
    written.as_object_mut().unwrap().retain(|key, _| !matches!(key.as_str(), "input" | "model" | "tools"));
    assert_eq!(
        written,
        json!({
            "stream": true, "tool_choice": "required", "parallel_tool_calls": false, "max_output_tokens": 500, "temperature": 0.5,
            "text": {"format": {"type": "json_schema", "name": "answer", "description": "d", "schema": {"type": "object"}, "strict": true},
                "verbosity": "low"},
            "reasoning": {"effort": "high", "summary": "auto"},
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "top_logprobs": 2,
            "store": true, "service_tier": "flex", "prompt_cache_key": "key", "user": "u", "metadata": {"k": "v"},
        })
    );
}

#[test]
fn what_has_no_word_here_is_named() {
    let request = Request {
        top_k: Some(Number::from(1)),
        presence_penalty: Some(Number::from(1)),
        frequency_penalty: Some(Number::from(0)),
        seed: Some(Number::from(7)),
        stop: vec!["x".to_owned()],
        n: Some(2),
        modalities: vec!["text".to_owned(), "audio".to_owned()],
        max_tokens: Some(5),
        ..asking(vec![Part::text("hi")])
    };
    let (written, dropped) = write(&request);
    assert_eq!(dropped, ["max_tokens", "top_k", "presence_penalty", "seed", "stop", "n", "modalities"]);
    assert_eq!(written["max_output_tokens"], 16, "OpenAI refuses less");
}

#[test]
fn errors_of_tools_and_proofs_of_others_are_named() {
    let signed = Part::ToolCall(ToolCall {
        id: "c".to_owned(),
        name: "f".to_owned(),
        signature: Some(proof(Dialect::Gemini, "s")),
        cache: Some(CacheHint { ttl: None }),
        ..ToolCall::default()
    });
    let failed = Part::ToolResult(ToolResult {
        id: "c".to_owned(),
        name: String::new(),
        parts: vec![Part::text("boom")],
        is_error: true,
        cache: None,
    });
    let (_, dropped) = write(&request(vec![(Role::Assistant, vec![signed]), (Role::User, vec![failed])]));
    let expected = ["cache", "signature", "is_error"].map(|what| format!("messages[].parts[].{what}"));
    assert_eq!(dropped, expected);
}
