use portolan::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Format, Part, Request, Source, Tool, ToolCall, ToolChoice, ToolResult},
    },
    dialect::{Caller, Upstream, anthropic::Anthropic},
};
use serde_json::{Value, json};

use super::{
    NOTHING, answered, asking, assistant, call, called, file, image, inline, result, said, signature, text, thought, told, user,
    written,
};

const NOT_CARRIED: &str = "[What was sent here cannot be passed on to this model.]";

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
        (vec![user(vec![answer("c9"), text("u")])], json!([question]), vec!["messages[].parts[].tool_result"]),
        (
            vec![user(vec![text("u")]), assistant(vec![one()]), user(vec![answer("c1"), answer("c1")])],
            json!([question, only_one, {"role": "user", "content": [answered("c1", "r")]}]),
            vec!["messages[].parts[].tool_result"],
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
            ToolResult { parts: vec![image(inline("image/bmp", "AA=="))], ..bare.clone() },
            json!({"content": [said(NOT_CARRIED)]}),
            vec!["messages[].parts[].parts[].image"],
        ),
        (
            ToolResult { parts: vec![text("r"), image(inline("image/bmp", "AA=="))], ..bare },
            json!({"content": [said("r")]}),
            vec!["messages[].parts[].parts[].image"],
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
        (image(inline("image/webp", "aGk=")), source(base64("image/webp"))),
        (image(url()), source(json!({"type": "url", "url": "https://a/b"}))),
        (image(id(Dialect::Anthropic)), source(json!({"type": "file", "file_id": "f1"}))),
        (file(inline("application/pdf", "aGk=")), document(base64("application/pdf"))),
        (file(inline("text/csv", "aGk=")), document(json!({"type": "text", "media_type": "text/plain", "data": "hi"}))),
        (file(inline("image/png", "aGk=")), source(base64("image/png"))),
        (file(url()), document(json!({"type": "url", "url": "https://a/b"}))),
        (
            file(inline("application/json; charset=utf-8", "aGk=")),
            document(json!({"type": "text", "media_type": "text/plain", "data": "hi"})),
        ),
        (Part::Opaque { dialect: Dialect::Anthropic, value: json!({"type": "x"}) }, json!([{"type": "x"}])),
    ];
    for (part, content) in rows {
        let (body, dropped) = written(&asking(vec![user(vec![part.clone()])]));
        assert_eq!((&body["messages"][0]["content"], dropped), (&content, vec![]), "{part:?}");
    }
    let audio =
        |transcript: Option<&str>| Part::Audio { source: inline("audio/wav", "aGk="), transcript: transcript.map(str::to_owned) };
    let video = || Part::Video { source: url(), fps: None };
    let detailed = |detail: &str| Part::Image { source: url(), detail: Some(detail.to_owned()), cache: None };
    let shown = || json!({"type": "image", "source": {"type": "url", "url": "https://a/b"}});
    for (parts, content, lost) in [
        (vec![image(inline("image/tiff", "aGk="))], json!([said(NOT_CARRIED)]), vec!["messages[].parts[].image"]),
        (vec![image(id(Dialect::Gemini)), text("t")], json!([said("t")]), vec!["messages[].parts[].image"]),
        (vec![file(id(Dialect::OpenAiChat))], json!([said(NOT_CARRIED)]), vec!["messages[].parts[].file"]),
        (vec![file(inline("text/plain", "!"))], json!([said(NOT_CARRIED)]), vec!["messages[].parts[].file"]),
        (vec![file(inline("application/zip", "aGk="))], json!([said(NOT_CARRIED)]), vec!["messages[].parts[].file"]),
        (vec![audio(None)], json!([said(NOT_CARRIED)]), vec!["messages[].parts[].audio"]),
        (vec![audio(Some("hello"))], json!([said("hello")]), vec!["messages[].parts[].audio"]),
        // Each path once.
        (
            vec![video(), audio(None), video()],
            json!([said(NOT_CARRIED)]),
            vec!["messages[].parts[].video", "messages[].parts[].audio"],
        ),
        (
            vec![Part::Opaque { dialect: Dialect::Gemini, value: json!({}) }],
            json!([said(NOT_CARRIED)]),
            vec!["messages[].parts[].opaque"],
        ),
        (vec![detailed("low")], json!([shown()]), vec!["messages[].parts[].detail"]),
        (vec![detailed("auto")], json!([shown()]), vec![]),
    ] {
        let (body, dropped) = written(&asking(vec![user(parts.clone())]));
        assert_eq!(body["messages"], json!([{"role": "user", "content": content}]), "{parts:?}");
        assert_eq!(dropped, lost, "{parts:?}");
    }
    let bare = Profile { image_urls: false, ..Profile::DEFAULT };
    let (body, dropped) = told(&asking(vec![user(vec![text("t"), image(url())])]), &bare);
    assert_eq!(body["messages"][0]["content"], json!([said("t")]));
    assert_eq!(dropped, ["messages[].parts[].image"]);
}

/// Else the model would go on with its own last turn.
#[test]
fn a_last_turn_that_is_lost_keeps_its_place() {
    let sound = Part::Audio { source: inline("audio/wav", "aGk="), transcript: None };
    let (body, _) = written(&asking(vec![user(vec![text("u")]), assistant(vec![text("a")]), user(vec![sound])]));
    assert_eq!(body["messages"][2], json!({"role": "user", "content": [said(NOT_CARRIED)]}));
}

#[test]
fn a_begun_answer_goes_where_the_model_takes_none() {
    let own = |value: Value| Part::Opaque { dialect: Dialect::Anthropic, value };
    let work = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}});
    let bare = Profile { prefill: false, ..Profile::DEFAULT };
    for (parts, turns, lost) in [
        (vec![text("{")], 1, vec!["messages[]"]),
        (vec![text(" ")], 1, vec![]),
        // Interrupted work of a server tool is gone on with; a call is answered.
        (vec![text("a"), own(work)], 2, vec![]),
        (vec![Part::ToolCall(call("c", ""))], 3, vec![]),
    ] {
        let (body, dropped) = told(&asking(vec![user(vec![text("u")]), assistant(parts.clone())]), &bare);
        assert_eq!(body["messages"].as_array().map(Vec::len), Some(turns), "{parts:?}");
        assert_eq!(dropped, lost, "{parts:?}");
    }
    let begun = || asking(vec![user(vec![text("u")]), assistant(vec![text("{")])]);
    let format = Format::Schema { name: None, description: None, schema: json!({"type": "object"}), strict: None };
    assert_eq!(written(&Request { format: Some(format), ..begun() }).1, ["messages[]"]);
    let (body, dropped) = written(&begun());
    assert_eq!((&body["messages"][1]["content"], dropped), (&json!([said("{")]), vec![]));
}

#[test]
fn names_outside_the_alphabet_go_there_and_back() {
    let named = |name: &str| ToolCall { name: name.to_owned(), ..call("c", "{}") };
    for (name, spelled) in [("f", "f"), ("a.b:c", "portolan-a-2eb-3ac"), ("portolan_x", "portolan_x")] {
        let tool = Tool::Function { name: name.to_owned(), description: None, parameters: None, strict: None, cache: None };
        let request = Request {
            tools: vec![tool],
            tool_choice: Some(ToolChoice::Function(name.to_owned())),
            ..asking(vec![user(vec![text("u")]), assistant(vec![Part::ToolCall(named(name))])])
        };
        let (body, dropped) = written(&request);
        assert_eq!(body["tools"][0]["name"], spelled);
        assert_eq!(body["tool_choice"]["name"], spelled);
        assert_eq!(body["messages"][1]["content"][0]["name"], spelled);
        assert_eq!(dropped, NOTHING);
        let answer = json!({"content": [{"type": "tool_use", "id": "c", "name": spelled, "input": {}}]}).to_string();
        assert_eq!(Anthropic.read_response(&answer).unwrap().parts, [Part::ToolCall(named(name))]);
    }
}

#[test]
fn calls_of_custom_tools_are_objects_with_one_text() {
    let custom = ToolCall { custom: true, ..call("c", "*** \"patch\"\n") };
    let (body, _) = written(&asking(vec![user(vec![text("u")]), assistant(vec![Part::ToolCall(custom)])]));
    assert_eq!(body["messages"][1]["content"], json!([called("c", json!({"input": "*** \"patch\"\n"}))]));
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
    assert_eq!(dropped, ["messages[].parts[].reasoning"]);
    // A proof without words is nothing to anybody else.
    let (_, dropped) =
        written(&asking(vec![user(vec![text("u")]), assistant(vec![thought("", Some(signature(Dialect::Gemini, "g")))])]));
    assert_eq!(dropped, NOTHING);
}
