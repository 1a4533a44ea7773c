//! What is read of a caller's turns, in both spellings.

use portolan::chat::{
    Dialect,
    request::{Message, Part, Role, Source, ToolResult},
};
use serde_json::{Value, json};

use super::{call, contents, image, model, png, read, signed, snake, text, thought, user};

/// Read in both spellings, which must say the same.
fn messages(body: &Value) -> (Vec<Message>, Vec<String>) {
    let (first, dropped) = read(body);
    let (second, _) = read(&snake(body));
    assert_eq!(first.messages, second.messages, "{body}");
    (first.messages, dropped)
}

fn result(id: &str, name: &str, parts: Vec<Part>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: name.to_owned(), parts, is_error, cache: None })
}

fn opaque(value: Value) -> Part {
    Part::Opaque { dialect: Dialect::Gemini, value }
}

fn system(parts: Vec<Part>) -> Message {
    Message { role: Role::System, parts }
}

#[test]
fn turns_are_read_in_every_shape_that_google_takes() {
    let hi = || user(vec![text("hi")]);
    for (rule, body, expected) in [
        ("a string", contents(json!("hi")), vec![hi()]),
        ("one content, one part", contents(json!({ "role": "user", "parts": { "text": "hi" } })), vec![hi()]),
        ("a role of functions", contents(json!([{ "role": "function", "parts": [{ "text": "hi" }] }])), vec![hi()]),
        (
            "a system's content, its role ignored",
            json!({ "systemInstruction": { "role": "model", "parts": [{ "text": "a" }, { "text": "b" }] }, "contents": "hi" }),
            vec![system(vec![text("a"), text("b")]), hi()],
        ),
        ("a system's string", json!({ "systemInstruction": "a", "contents": "hi" }), vec![system(vec![text("a")]), hi()]),
        (
            "a system's part",
            json!({ "systemInstruction": { "text": "a" }, "contents": "hi" }),
            vec![system(vec![text("a")]), hi()],
        ),
        (
            "a system's parts",
            json!({ "systemInstruction": [{ "text": "a" }], "contents": "hi" }),
            vec![system(vec![text("a")]), hi()],
        ),
        ("an empty system", json!({ "systemInstruction": { "parts": [] }, "contents": "hi" }), vec![hi()]),
        (
            "neighbours of one role are one turn; stretches of the model's text are one text",
            contents(json!([
                { "role": "user", "parts": [{ "text": "a" }, { "text": "b" }] },
                { "role": "user", "parts": [{ "text": "c" }] },
                { "role": "model", "parts": [{ "text": "d" }, { "text": " " }] },
                { "role": "model", "parts": [{ "text": "e" }] },
            ])),
            vec![user(vec![text("a"), text("b"), text("c")]), model(vec![text("d e")])],
        ),
        (
            "an empty turn says nothing",
            contents(
                json!([{ "role": "user", "parts": [{ "text": "hi" }] }, { "role": "model" }, { "role": "model", "parts": [{ "text": "" }] }]),
            ),
            vec![hi()],
        ),
    ] {
        assert_eq!(messages(&body), (expected, vec![]), "{rule}");
    }
}

#[test]
fn media_are_what_their_type_says() {
    let url = |url: &str| Source::Url(url.to_owned());
    let id = |id: &str| Source::Id { dialect: Dialect::Gemini, id: id.to_owned() };
    let inline = |media_type: &str| json!({ "inlineData": { "mimeType": media_type, "data": "AAAA" } });
    let source = |media_type: &str| Source::Inline { media_type: media_type.to_owned(), data: "AAAA".to_owned() };
    let file = |source, name: Option<&str>| Part::File { source, name: name.map(str::to_owned), cache: None };
    let video = |source, fps: Option<u64>| Part::Video { source, fps: fps.map(Into::into) };
    let kept = "https://generativelanguage.googleapis.com/v1beta/files/x";
    for (part, expected, dropped) in [
        (inline("image/png"), image(png()), vec![]),
        (inline("audio/mp3"), Part::Audio { source: source("audio/mp3"), transcript: None }, vec![]),
        (inline("video/mp4"), video(source("video/mp4"), None), vec![]),
        (inline("application/pdf"), file(source("application/pdf"), None), vec![]),
        (
            json!({ "inlineData": { "mimeType": "text/plain", "data": "AAAA", "displayName": "n" } }),
            file(source("text/plain"), Some("n")),
            vec![],
        ),
        (
            json!({ "inlineData": { "mimeType": "image/png", "data": "-_A" } }),
            image(Source::Inline { media_type: "image/png".to_owned(), data: "+/A=".to_owned() }),
            vec![],
        ),
        (json!({ "fileData": { "mimeType": "image/png", "fileUri": kept } }), image(id(kept)), vec![]),
        (
            json!({ "fileData": { "mimeType": "audio/wav", "fileUri": "gs://b/a" } }),
            Part::Audio { source: id("gs://b/a"), transcript: None },
            vec![],
        ),
        (json!({ "fileData": { "fileUri": "https://x.example/a.png" } }), image(url("https://x.example/a.png")), vec![]),
        (json!({ "fileData": { "fileUri": "https://x.example/a" } }), file(url("https://x.example/a"), None), vec![]),
        (json!({ "fileData": { "fileUri": "https://youtu.be/x" } }), video(url("https://youtu.be/x"), None), vec![]),
        (
            json!({ "fileData": { "mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=x" }, "videoMetadata": { "fps": 5, "startOffset": "3s" } }),
            video(url("https://www.youtube.com/watch?v=x"), Some(5)),
            vec!["contents[].parts[].videoMetadata.startOffset"],
        ),
        (
            json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "mediaResolution": { "level": "MEDIA_RESOLUTION_HIGH" } }),
            Part::Image { source: png(), detail: Some("high".to_owned()), cache: None },
            vec![],
        ),
        (
            json!({ "executableCode": { "code": "1" }, "thoughtSignature": "S" }),
            opaque(json!({ "executableCode": { "code": "1" }, "thoughtSignature": "S" })),
            vec![],
        ),
        (json!({ "text": "x", "partMetadata": {} }), text("x"), vec!["contents[].parts[].partMetadata"]),
    ] {
        let body = contents(json!([{ "role": "user", "parts": [part] }]));
        let (first, lost) = read(&body);
        assert_eq!(first.messages, vec![user(vec![expected.clone()])], "{body}");
        assert_eq!(lost, dropped, "{body}");
        if !matches!(expected, Part::Opaque { .. }) {
            assert_eq!(messages(&body).0, first.messages);
        }
    }
}

#[test]
fn results_find_their_calls_by_id_or_by_name_and_place() {
    let ask = |id: Value, name: &str| json!({ "functionCall": { "id": id, "name": name, "args": { "n": 1 } } });
    let tell = |id: Value, name: &str, said: &str| json!({ "functionResponse": { "id": id, "name": name, "response": { "result": said } } });
    let none = || Value::Null;
    let turns = |calls: Value, results: Value| {
        contents(json!([{ "role": "model", "parts": calls }, { "role": "user", "parts": results }]))
    };
    let calls = |ids: [&str; 2], names: [&str; 2]| {
        model(vec![call(ids[0], names[0], "{\"n\":1}", None), call(ids[1], names[1], "{\"n\":1}", None)])
    };
    let results = |all: Vec<(&str, &str, &str)>| {
        user(all.into_iter().map(|(id, name, said)| result(id, name, vec![text(said)], false)).collect())
    };
    for (rule, body, expected) in [
        (
            "by id, in any order",
            turns(
                json!([ask(json!("a"), "f"), ask(json!("b"), "f")]),
                json!([tell(json!("b"), "f", "2"), tell(json!("a"), "f", "1")]),
            ),
            vec![calls(["a", "b"], ["f", "f"]), results(vec![("b", "f", "2"), ("a", "f", "1")])],
        ),
        (
            "without ids, twice the same function: by place",
            turns(json!([ask(none(), "f"), ask(none(), "f")]), json!([tell(none(), "f", "1"), tell(none(), "f", "2")])),
            vec![calls(["call_0", "call_1"], ["f", "f"]), results(vec![("call_0", "f", "1"), ("call_1", "f", "2")])],
        ),
        (
            "without ids: by name",
            turns(json!([ask(none(), "f"), ask(none(), "g")]), json!([tell(none(), "g", "2"), tell(none(), "f", "1")])),
            vec![calls(["call_0", "call_1"], ["f", "g"]), results(vec![("call_1", "g", "2"), ("call_0", "f", "1")])],
        ),
        (
            "the call's id, where the result's is another",
            turns(json!([ask(none(), "f"), ask(none(), "g")]), json!([tell(json!("x"), "g", "2"), tell(json!("y"), "f", "1")])),
            vec![calls(["call_0", "call_1"], ["f", "g"]), results(vec![("call_1", "g", "2"), ("call_0", "f", "1")])],
        ),
        (
            "no such call",
            turns(
                json!([ask(json!("a"), "f"), ask(json!("b"), "g")]),
                json!([tell(none(), "h", "3"), tell(json!("z"), "f", "4")]),
            ),
            vec![calls(["a", "b"], ["f", "g"]), results(vec![("call_2", "h", "3"), ("z", "f", "4")])],
        ),
        (
            "results before what else is said, whoever is said to speak",
            contents(
                json!([{ "role": "model", "parts": [ask(json!("a"), "f"), ask(json!("b"), "g")] }, { "role": "function", "parts": [{ "text": "and?" }, tell(json!("a"), "f", "1")] }]),
            ),
            vec![calls(["a", "b"], ["f", "g"]), user(vec![result("a", "f", vec![text("1")], false), text("and?")])],
        ),
        (
            "an unanswered call of an earlier turn is not meant",
            contents(json!([
                { "role": "model", "parts": [ask(none(), "f"), ask(none(), "f")] },
                { "role": "user", "parts": [{ "text": "again" }] },
                { "role": "model", "parts": [ask(none(), "f")] },
                { "role": "user", "parts": [tell(none(), "f", "1")] },
            ])),
            vec![
                calls(["call_0", "call_1"], ["f", "f"]),
                user(vec![text("again")]),
                model(vec![call("call_2", "f", "{\"n\":1}", None)]),
                results(vec![("call_2", "f", "1")]),
            ],
        ),
    ] {
        assert_eq!(messages(&body), (expected, vec![]), "{rule}");
    }
}

#[test]
fn results_say_what_they_say() {
    for (response, expected, is_error) in [
        (json!({ "result": "x" }), Some("x"), false),
        (json!({ "output": "x" }), Some("x"), false),
        (json!({ "error": "x" }), Some("x"), true),
        (json!({ "error": { "why": 1 } }), Some("{\"why\":1}"), true),
        (json!({ "error": null }), Some("{\"error\":null}"), false),
        (json!({ "result": [1] }), Some("{\"result\":[1]}"), false),
        (json!({ "result": "x", "b": 1 }), Some("{\"result\":\"x\",\"b\":1}"), false),
        (json!({ "b": 1, "a": 2 }), Some("{\"b\":1,\"a\":2}"), false),
        (json!({}), Some("{}"), false),
        (json!("x"), Some("x"), false),
        (json!(null), None, false),
    ] {
        let body = contents(
            json!([{ "role": "user", "parts": [{ "functionResponse": { "id": "a", "name": "f", "response": response } }] }]),
        );
        let parts = expected.map(text).into_iter().collect();
        assert_eq!(messages(&body), (vec![user(vec![result("a", "f", parts, is_error)])], vec![]), "{response}");
    }
    let part = json!({ "functionResponse": { "name": "f", "response": { "result": "see" }, "willContinue": true, "parts": [{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }] } });
    let body = contents(json!([{ "role": "user", "parts": [part] }]));
    let expected = vec![user(vec![result("call_0", "f", vec![text("see"), image(png())], false)])];
    assert_eq!(messages(&body), (expected, vec!["contents[].parts[].functionResponse.willContinue".to_owned()]));
}

#[test]
fn signatures_stay_on_their_parts() {
    let own = |value: &str| signed(Dialect::Gemini, value);
    let foreign = signed(Dialect::Anthropic, "sig/+=");
    let sealed = "cG9ydG9sYW46YW50aHJvcGljOnNpZy8rPQ==";
    let redacted = "cG9ydG9sYW46cmVkYWN0ZWQtYW50aHJvcGljOnNlY3JldA==";
    let f = |signature: Option<&str>| json!({ "functionCall": { "id": "a", "name": "f" }, "thoughtSignature": signature });
    for (rule, parts, expected) in [
        ("of a call", json!([f(Some("S"))]), vec![call("a", "f", "{}", own("S"))]),
        ("of nothing, stood in", json!([f(Some("skip_thought_signature_validator"))]), vec![call("a", "f", "{}", None)]),
        (
            "the same in base64",
            json!([f(Some("c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="))]),
            vec![call("a", "f", "{}", None)],
        ),
        ("another provider's", json!([f(Some(sealed))]), vec![call("a", "f", "{}", foreign.clone())]),
        (
            "of a text, which it is of alone",
            json!([{ "text": "a" }, { "text": "b", "thoughtSignature": "S" }, { "text": "c" }]),
            vec![text("a"), thought("", own("S")), text("b"), text("c")],
        ),
        (
            "of an empty text, not of the next",
            json!([{ "text": "a" }, { "text": "", "thoughtSignature": "S" }, { "text": "b" }]),
            vec![text("a"), thought("", own("S")), text(""), text("b")],
        ),
        (
            "of an image",
            json!([{ "inlineData": { "mimeType": "image/png", "data": "AAAA" }, "thoughtSignature": "S" }]),
            vec![thought("", own("S")), image(png())],
        ),
        ("alone", json!([{ "thoughtSignature": "S" }]), vec![thought("", own("S"))]),
        (
            "of thoughts in stretches",
            json!([{ "text": "a", "thought": true }, { "text": "b", "thought": true }, { "text": "", "thought": true, "thoughtSignature": sealed }, { "text": "c", "thought": true }]),
            vec![thought("ab", foreign.clone()), thought("c", None)],
        ),
        (
            "of a text behind thoughts without one",
            json!([{ "text": "a", "thought": true }, { "text": "b", "thoughtSignature": "S" }]),
            vec![thought("a", None), thought("", own("S")), text("b")],
        ),
        (
            "of thoughts that only their provider reads",
            json!([{ "text": "", "thought": true, "thoughtSignature": redacted }]),
            vec![Part::RedactedReasoning { data: "secret".to_owned(), dialect: Dialect::Anthropic }],
        ),
        (
            "in the alphabet of URLs, as SDKs write it",
            json!([f(Some(&sealed.replace('+', "-").replace('/', "_").replace('=', "")))]),
            vec![call("a", "f", "{}", foreign.clone())],
        ),
        ("that only looks like a seal", json!([f(Some("cG9ydG9sYW46"))]), vec![call("a", "f", "{}", own("cG9ydG9sYW46"))]),
    ] {
        let body = contents(json!([{ "role": "model", "parts": parts }]));
        assert_eq!(messages(&body), (vec![model(expected)], vec![]), "{rule}");
    }
}
