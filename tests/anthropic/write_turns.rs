use portolan::{
    chat::{
        Dialect,
        request::{Part, Source, ToolCall, ToolResult},
    },
    dialect::{Caller, anthropic::Anthropic},
};
use serde_json::{Value, json};

use super::{
    NOTHING, answered, asking, assistant, call, called, file, image, inline, result, said, signature, text, thought, user,
    written,
};

fn unanswered(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "No result: the tool was not run.", "is_error": true})
}

#[test]
fn turns_alternate_and_every_call_is_answered() {
    let one = || Part::ToolCall(call("c1", r#"{"a":1}"#));
    let two = || Part::ToolCall(call("c2", ""));
    let answer = |id: &str| result(id, "f", vec![text("r")]);
    let question = json!({"role": "user", "content": [said("u")]});
    let (input_one, input_two) = (json!({"a": 1}), json!({}));
    let both = json!({"role": "assistant", "content": [called("c1", input_one.clone()), called("c2", input_two)]});
    let only_one = json!({"role": "assistant", "content": [called("c1", input_one.clone())]});
    for (messages, turns, lost) in [
        // Neighbours of one role are one turn.
        (
            vec![user(vec![text("u")]), user(vec![text("v")])],
            json!([{"role": "user", "content": [said("u"), said("v")]}]),
            vec![],
        ),
        // An empty turn goes, and its neighbours meet.
        (
            vec![user(vec![text("u")]), assistant(vec![text(" \n")]), user(vec![text("v")])],
            json!([{"role": "user", "content": [said("u"), said("v")]}]),
            vec![],
        ),
        // The first turn is the user's.
        (
            vec![assistant(vec![text("a")]), user(vec![text("u")])],
            json!([{"role": "user", "content": [said("Please continue.")]}, {"role": "assistant", "content": [said("a")]}, question]),
            vec![],
        ),
        // White space at the end of an answer to go on with.
        (
            vec![user(vec![text("u")]), assistant(vec![text("a \n")])],
            json!([question, {"role": "assistant", "content": [said("a")]}]),
            vec![],
        ),
        (
            vec![user(vec![text("u")]), assistant(vec![text("a ")]), user(vec![text("u")])],
            json!([question, {"role": "assistant", "content": [said("a ")]}, question]),
            vec![],
        ),
        // Text after a call would break its pairing.
        (
            vec![user(vec![text("u")]), assistant(vec![one(), text("t")]), user(vec![answer("c1")])],
            json!([question, {"role": "assistant", "content": [said("t"), called("c1", input_one.clone())]}, {"role": "user", "content": [answered("c1", "r")]}]),
            vec![],
        ),
        // Results in another order than the calls, after text, from two messages.
        (
            vec![
                user(vec![text("u")]),
                assistant(vec![one(), two()]),
                user(vec![text("t"), answer("c2")]),
                user(vec![answer("c1")]),
            ],
            json!([question, both, {"role": "user", "content": [answered("c2", "r"), answered("c1", "r"), said("t")]}]),
            vec![],
        ),
        // One result missing; all missing at the end; an answer to no call.
        (
            vec![user(vec![text("u")]), assistant(vec![one(), two()]), user(vec![answer("c1")])],
            json!([question, both, {"role": "user", "content": [answered("c1", "r"), unanswered("c2")]}]),
            vec![],
        ),
        (
            vec![user(vec![text("u")]), assistant(vec![one()])],
            json!([question, only_one, {"role": "user", "content": [unanswered("c1")]}]),
            vec![],
        ),
        (
            vec![user(vec![text("u")]), assistant(vec![one()]), assistant(vec![text("a")]), user(vec![text("u")])],
            json!([question, only_one, {"role": "user", "content": [unanswered("c1")]}, {"role": "assistant", "content": [said("a")]}, question]),
            vec![],
        ),
        (vec![user(vec![answer("c9"), text("u")])], json!([question]), vec!["messages[0].parts[0]"]),
        (
            vec![user(vec![text("u")]), assistant(vec![one()]), user(vec![answer("c1"), answer("c1")])],
            json!([question, only_one, {"role": "user", "content": [answered("c1", "r")]}]),
            vec!["messages[2].parts[1]"],
        ),
    ] {
        let (body, dropped) = written(&asking(messages.clone()));
        assert_eq!(body["messages"], turns, "{messages:?}");
        assert_eq!(dropped, lost, "{messages:?}");
    }
}

#[test]
fn a_repeated_id_is_told_apart_in_call_and_result() {
    let the_call = || Part::ToolCall(call("c", ""));
    let answer = |content: &str| result("c", "f", vec![text(content)]);
    let messages = vec![
        user(vec![text("u")]),
        assistant(vec![the_call(), the_call()]),
        user(vec![answer("1"), answer("2")]),
        assistant(vec![the_call()]),
        user(vec![answer("3")]),
    ];
    let (body, dropped) = written(&asking(messages));
    assert_eq!(body["messages"][1]["content"], json!([called("c", json!({})), called("c-2", json!({}))]));
    assert_eq!(body["messages"][2]["content"], json!([answered("c", "1"), answered("c-2", "2")]));
    assert_eq!(body["messages"][3]["content"], json!([called("c-3", json!({}))]));
    assert_eq!(body["messages"][4]["content"], json!([answered("c-3", "3")]));
    assert_eq!(dropped, NOTHING);
}

#[test]
fn ids_outside_the_alphabet_go_there_and_back() {
    for (id, spelled) in [
        ("toolu_01-a", "toolu_01-a"),
        ("functions.get:0", "portolan-functions-2eget-3a0"),
        ("a-b.c", "portolan-a-2db-2ec"),
        ("", "portolan-"),
        ("é", "portolan--c3-a9"),
        ("portolan-x", "portolan-portolan-2dx"),
    ] {
        let messages = vec![
            user(vec![text("u")]),
            assistant(vec![Part::ToolCall(call(id, "{}"))]),
            user(vec![result(id, "f", vec![text("r")])]),
        ];
        let request = asking(messages);
        let (body, _) = written(&request);
        assert_eq!(body["messages"][1]["content"][0]["id"], spelled);
        assert_eq!(body["messages"][2]["content"][0]["tool_use_id"], spelled);
        assert_eq!(Anthropic.read_request(&body.to_string()).unwrap().value, request, "{id}");
    }
}

#[test]
fn arguments_become_an_object() {
    for (arguments, input) in [
        ("", json!({})),
        (" \n", json!({})),
        (r#"{"z":1.0,"a":{"b":[]}}"#, json!({"z": 1.0, "a": {"b": []}})),
        ("{\"a\":", json!({"_raw": "{\"a\":"})),
        ("[1]", json!({"_raw": "[1]"})),
        ("null", json!({"_raw": "null"})),
        (r#"{"n":1e400}"#, json!({"_raw": r#"{"n":1e400}"#})),
    ] {
        let (body, _) = written(&asking(vec![user(vec![text("u")]), assistant(vec![Part::ToolCall(call("c", arguments))])]));
        assert_eq!(body["messages"][1]["content"][0]["input"], input, "{arguments}");
    }
}

#[test]
fn results_keep_images_and_say_errors() {
    let bare = ToolResult { id: "c".to_owned(), name: String::new(), parts: vec![], is_error: false, cache: None };
    let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}});
    for (given, content, lost) in [
        (bare.clone(), json!({}), vec![]),
        (ToolResult { parts: vec![text(" ")], ..bare.clone() }, json!({}), vec![]),
        (
            ToolResult { parts: vec![text("r")], is_error: true, ..bare.clone() },
            json!({"content": "r", "is_error": true}),
            vec![],
        ),
        (
            ToolResult { parts: vec![text("r"), image(inline("image/png", "AA=="))], ..bare.clone() },
            json!({"content": [said("r"), picture]}),
            vec![],
        ),
        (
            ToolResult { parts: vec![image(inline("image/bmp", "AA=="))], ..bare },
            json!({}),
            vec!["messages[2].parts[0].parts[0]"],
        ),
    ] {
        let mut expected = json!({"type": "tool_result", "tool_use_id": "c"});
        expected.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let turns =
            vec![user(vec![text("u")]), assistant(vec![Part::ToolCall(call("c", ""))]), user(vec![Part::ToolResult(given)])];
        let (body, dropped) = written(&asking(turns));
        assert_eq!(body["messages"][2]["content"], json!([expected]));
        assert_eq!(dropped, lost, "{content}");
    }
}

#[test]
fn media_are_sent_where_anthropic_takes_them_and_named_where_not() {
    let source = |source: Value| json!([{"type": "image", "source": source}]);
    let document = |source: Value| json!([{"type": "document", "source": source}]);
    let url = || Source::Url("https://a/b".to_owned());
    let id = |dialect| Source::Id { dialect, id: "f1".to_owned() };
    let base64 = |media_type: &str| json!({"type": "base64", "media_type": media_type, "data": "aGk="});
    let rows = [
        (image(inline("image/webp", "aGk=")), Some(source(base64("image/webp")))),
        (image(url()), Some(source(json!({"type": "url", "url": "https://a/b"})))),
        (image(id(Dialect::Anthropic)), Some(source(json!({"type": "file", "file_id": "f1"})))),
        (file(inline("application/pdf", "aGk=")), Some(document(base64("application/pdf")))),
        (file(inline("text/csv", "aGk=")), Some(document(json!({"type": "text", "media_type": "text/plain", "data": "hi"})))),
        (file(inline("image/png", "aGk=")), Some(source(base64("image/png")))),
        (file(url()), Some(document(json!({"type": "url", "url": "https://a/b"})))),
        (Part::Opaque { dialect: Dialect::Anthropic, value: json!({"type": "x"}) }, Some(json!([{"type": "x"}]))),
        (image(inline("image/tiff", "aGk=")), None),
        (image(id(Dialect::Gemini)), None),
        (file(id(Dialect::OpenAiChat)), None),
        (file(inline("text/plain", "!")), None),
        (file(inline("application/zip", "aGk=")), None),
        (
            Part::Audio {
                source: Source::Inline { media_type: "audio/wav".to_owned(), data: "aGk=".to_owned() },
                transcript: None,
            },
            None,
        ),
        (Part::Opaque { dialect: Dialect::Gemini, value: json!({}) }, None),
    ];
    for (part, content) in rows {
        let (body, dropped) = written(&asking(vec![user(vec![part.clone()])]));
        match content {
            Some(content) => assert_eq!((&body["messages"][0]["content"], dropped), (&content, vec![]), "{part:?}"),
            None => assert_eq!((&body["messages"], dropped), (&json!([]), vec!["messages[0].parts[0]".to_owned()]), "{part:?}"),
        }
    }
}

#[test]
fn thoughts_between_calls_keep_their_place() {
    let proven = |value: &str| thought("t", Some(signature(Dialect::Anthropic, value)));
    let parts = vec![proven("1"), Part::ToolCall(call("a", "")), proven("2"), Part::ToolCall(call("b", "")), text("late")];
    let (body, _) = written(&asking(vec![user(vec![text("u")]), assistant(parts)]));
    let thinks = |value: &str| json!({"type": "thinking", "thinking": "t", "signature": value});
    let expected = json!([thinks("1"), said("late"), called("a", json!({})), thinks("2"), called("b", json!({}))]);
    assert_eq!(body["messages"][1]["content"], expected);
}

#[test]
fn thoughts_go_back_only_to_who_can_check_them() {
    let sealed = |data: &str, dialect| Part::RedactedReasoning { data: data.to_owned(), dialect };
    let foreign_call = ToolCall { signature: Some(signature(Dialect::Gemini, "g")), ..call("c", "{}") };
    let parts = vec![
        thought("a", Some(signature(Dialect::Anthropic, "S/+="))),
        thought("", Some(signature(Dialect::Anthropic, "T"))),
        sealed("r", Dialect::Anthropic),
        thought("b", Some(signature(Dialect::Gemini, "g"))),
        thought("c", None),
        sealed("r", Dialect::OpenAiChat),
        Part::ToolCall(foreign_call),
    ];
    let (body, dropped) = written(&asking(vec![user(vec![text("u")]), assistant(parts)]));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "a", "signature": "S/+="},
            {"type": "thinking", "thinking": "", "signature": "T"},
            {"type": "redacted_thinking", "data": "r"},
            called("c", json!({})),
        ])
    );
    assert_eq!(dropped, ["messages[1].parts[3]", "messages[1].parts[4]", "messages[1].parts[5]"]);
}
