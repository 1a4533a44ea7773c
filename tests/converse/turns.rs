//! Turns and their blocks, as Converse takes them.

use portolan::chat::{
    Dialect,
    profile::Profile,
    request::{CacheHint, Citation, Message, Part, Request, Role, Signature, Source, ToolCall, ToolResult},
};
use serde_json::{Value, json};

use super::{message, written};

fn turns(messages: Vec<Message>) -> (Value, Vec<String>) {
    let (mut body, dropped) = written(&Request { messages, ..Request::default() }, &Profile::DEFAULT);
    (body["messages"].take(), dropped)
}

/// What becomes of the parts of a user's turn.
fn user(parts: Vec<Part>) -> (Value, Vec<String>) {
    let (mut turns, dropped) = turns(vec![message(Role::User, parts)]);
    (turns[0]["content"].take(), dropped)
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: arguments.to_owned(), ..ToolCall::default() })
}

fn result(id: &str, parts: Vec<Part>) -> Part {
    Part::ToolResult(ToolResult { id: id.to_owned(), name: "f".to_owned(), parts, is_error: false, cache: None })
}

fn inline(media_type: &str) -> Source {
    Source::Inline { media_type: media_type.to_owned(), data: "QUJD".to_owned() }
}

fn file(media_type: &str, name: Option<&str>) -> Part {
    Part::File { source: inline(media_type), name: name.map(str::to_owned), cache: None }
}

#[test]
fn media_go_inline_or_from_s3_in_formats_that_exist() {
    let image = |source| Part::Image { source, detail: None, cache: None };
    let video = |source| Part::Video { source, fps: None };
    let bytes = json!({"bytes": "QUJD"});
    for (part, expected) in [
        (image(inline("image/png")), json!({"image": {"format": "png", "source": bytes}})),
        (image(inline("image/jpg")), json!({"image": {"format": "jpeg", "source": bytes}})),
        (
            image(Source::Url("s3://bucket/a.JPG".to_owned())),
            json!({"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.JPG"}}}}),
        ),
        (video(inline("video/quicktime")), json!({"video": {"format": "mov", "source": bytes}})),
        (Part::Audio { source: inline("audio/wav"), transcript: None }, json!({"audio": {"format": "wav", "source": bytes}})),
        (file("image/webp", None), json!({"image": {"format": "webp", "source": bytes}})),
    ] {
        assert_eq!(user(vec![Part::text("x"), part]), (json!([{"text": "x"}, expected]), vec![]));
    }
    for (part, what) in [
        (image(Source::Url("https://a.test/a.png".to_owned())), "image"),
        (image(inline("image/tiff")), "image"),
        (image(Source::Id { dialect: Dialect::Anthropic, id: "file_1".to_owned() }), "image"),
        (video(Source::Url("https://a.test/a.mp4".to_owned())), "video"),
        (Part::Audio { source: inline("audio/x-unknown"), transcript: None }, "audio"),
        (file("application/zip", None), "file"),
        (Part::Opaque { dialect: Dialect::Anthropic, value: json!({}) }, "opaque"),
    ] {
        assert_eq!(user(vec![Part::text("x"), part]), (json!([{"text": "x"}]), vec![format!("messages[].parts[].{what}")]));
    }
}

#[test]
fn documents_have_names_that_are_allowed_and_unlike() {
    let long = "n".repeat(300);
    let parts = vec![
        Part::text("x"),
        file("application/pdf", Some("Q3 report_final.pdf")),
        file("text/csv; charset=utf-8", Some("Q3  report_final.pdf")),
        file("text/x-rust", None),
        file("application/json", Some("…")),
        file("text/markdown", Some(&long)),
    ];
    let (content, dropped) = user(parts);
    let seen: Vec<_> = content.as_array().unwrap()[1..]
        .iter()
        .map(|block| (block["document"]["name"].as_str().unwrap(), block["document"]["format"].as_str().unwrap()))
        .collect();
    let cut = "n".repeat(190);
    let expected = [
        ("Q3 report-final-pdf", "pdf"),
        ("Q3 report-final-pdf-2", "csv"),
        ("document", "txt"),
        ("document-2", "txt"),
        (cut.as_str(), "md"),
    ];
    assert_eq!((seen.as_slice(), dropped.len()), (expected.as_slice(), 0));
    // A document alone is refused.
    let (content, _) = user(vec![file("application/pdf", Some("a"))]);
    assert_eq!(content[1], json!({"text": "See the attached document."}));
}

#[test]
fn calls_and_results_are_paired_in_order() {
    let failed = Part::ToolResult(ToolResult {
        id: "b".to_owned(),
        name: String::new(),
        parts: vec![Part::text("no"), Part::Image { source: inline("image/png"), detail: None, cache: None }],
        is_error: true,
        cache: None,
    });
    let messages = vec![
        message(Role::User, vec![Part::text("go")]),
        message(Role::Assistant, vec![call("a", "{\"x\":1}"), Part::text("calling"), call("b", ""), call("c", "[1]")]),
        message(Role::User, vec![Part::text("and?"), failed, result("a", vec![]), result("zzz", vec![])]),
    ];
    let tool_use = |id: &str, input: Value| json!({"toolUse": {"toolUseId": id, "name": "f", "input": input}});
    let image = json!({"image": {"format": "png", "source": {"bytes": "QUJD"}}});
    let expected = json!([
        {"role": "user", "content": [{"text": "go"}]},
        {"role": "assistant", "content": [
            {"text": "calling"},
            tool_use("a", json!({"x": 1})),
            tool_use("b", json!({})),
            tool_use("c", json!({"_raw": "[1]"})),
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "b", "content": [{"text": "no"}, image], "status": "error"}},
            {"toolResult": {"toolUseId": "a", "content": [{"text": "(no output)"}]}},
            {"toolResult": {"toolUseId": "c", "content": [{"text": "No result: the tool was not run."}], "status": "error"}},
            {"text": "and?"},
        ]},
    ]);
    assert_eq!(turns(messages), (expected, vec!["messages[].parts[].tool_result".to_owned()]));
}

#[test]
fn ids_that_claude_refuses_are_replaced_in_both_places() {
    let foreign = "functions.read:0";
    let long = "x".repeat(65);
    let messages = vec![
        message(Role::Assistant, vec![call(foreign, ""), call(&long, ""), call("ok", "")]),
        message(Role::User, vec![result(&long, vec![]), result(foreign, vec![]), result("ok", vec![])]),
        message(Role::Assistant, vec![call("ok", "")]),
        message(Role::User, vec![result("ok", vec![])]),
    ];
    let (turns, dropped) = turns(messages);
    let ids = |turn: usize, kind: &str| -> Vec<String> {
        let blocks = turns[turn]["content"].as_array().unwrap();
        blocks.iter().map(|block| block[kind]["toolUseId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(turns[0], json!({"role": "user", "content": [{"text": "Please continue."}]}));
    assert_eq!(ids(1, "toolUse"), ["call_1", "call_2", "ok"]);
    assert_eq!(ids(2, "toolResult"), ["call_2", "call_1", "ok"]);
    assert_eq!(ids(3, "toolUse"), ids(4, "toolResult"));
    assert_ne!(ids(3, "toolUse"), ["ok"], "ids are unique in a request");
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn thoughts_go_back_only_to_who_can_check_them() {
    let proof = |dialect| Some(Signature { dialect, value: "c2ln".to_owned() });
    let thought = |signature| Part::Reasoning { text: "hm".to_owned(), signature };
    let ask = || message(Role::User, vec![Part::text("go")]);
    let said = |part| {
        let (turns, dropped) = turns(vec![ask(), message(Role::Assistant, vec![part, Part::text("x")]), ask()]);
        (turns[1]["content"].clone(), dropped)
    };
    let text = json!({"text": "x"});
    for (part, expected) in [
        (thought(proof(Dialect::Converse)), json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}})),
        (
            Part::RedactedReasoning { data: "YWJj".to_owned(), dialect: Dialect::Converse },
            json!({"reasoningContent": {"redactedContent": "YWJj"}}),
        ),
        (Part::Opaque { dialect: Dialect::Converse, value: json!({"a": 1}) }, json!({"a": 1})),
        (Part::Refusal { text: "no".to_owned() }, json!({"text": "no"})),
    ] {
        assert_eq!(said(part), (json!([expected, text]), vec![]));
    }
    for part in [
        thought(proof(Dialect::Anthropic)),
        thought(None),
        Part::RedactedReasoning { data: "YWJj".to_owned(), dialect: Dialect::Anthropic },
    ] {
        assert_eq!(said(part), (json!([text]), vec!["messages[].parts[].reasoning".to_owned()]));
    }
}

#[test]
fn citations_of_its_own_go_back_as_they_came() {
    let native = json!({"title": "T"});
    let cited =
        |native| Part::Text { text: "x".to_owned(), cache: None, citations: vec![Citation { native, ..Citation::default() }] };
    let ask = || message(Role::User, vec![Part::text("go")]);
    let said = |part| {
        let (turns, dropped) = turns(vec![ask(), message(Role::Assistant, vec![part]), ask()]);
        (turns[1]["content"][0].clone(), dropped)
    };
    let block = json!({"citationsContent": {"content": [{"text": "x"}], "citations": [native]}});
    assert_eq!(said(cited(Some((Dialect::Converse, native)))), (block, vec![]));
    let lost = vec!["messages[].parts[].citations".to_owned()];
    assert_eq!(said(cited(Some((Dialect::Gemini, json!({}))))), (json!({"text": "x"}), lost));
}

#[test]
fn neighbours_join_blanks_go_and_late_instructions_are_marked() {
    let messages = vec![
        message(Role::User, vec![Part::text("a"), Part::text("  ")]),
        message(Role::System, vec![Part::text("be brief")]),
        message(Role::User, vec![Part::text("b")]),
        message(Role::Assistant, vec![Part::text("\n")]),
        message(Role::User, vec![Part::text("c")]),
        message(Role::Assistant, vec![Part::text("It is ")]),
    ];
    let expected = json!([
        {"role": "user", "content": [{"text": "a"}, {"text": "<system>\nbe brief\n</system>"}, {"text": "b"}, {"text": "c"}]},
        {"role": "assistant", "content": [{"text": "It is"}]},
    ]);
    assert_eq!(turns(messages), (expected, vec![]));
}

#[test]
fn cache_hints_are_blocks_of_their_own_and_at_most_four() {
    let hint = |ttl: Option<&str>| Some(CacheHint { ttl: ttl.map(str::to_owned) });
    let text = |text: &str, cache| Part::Text { text: text.to_owned(), cache, citations: vec![] };
    let (content, dropped) = user(vec![text("a", hint(None)), text("b", hint(Some("1h"))), text("c", hint(Some("9d")))]);
    let point = json!({"cachePoint": {"type": "default"}});
    let hour = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    assert_eq!(content, json!([{"text": "a"}, point, {"text": "b"}, hour, {"text": "c"}, point]));
    assert!(dropped.is_empty(), "{dropped:?}");

    let mut messages = vec![message(Role::System, vec![text("s", hint(None))])];
    messages.push(message(Role::User, ["a", "b", "c", "d", "e"].map(|said| text(said, hint(None))).to_vec()));
    let (body, dropped) = written(&Request { messages, ..Request::default() }, &Profile::DEFAULT);
    assert_eq!(body["system"], json!([{"text": "s"}, point]));
    let expected = json!([{"text": "a"}, point, {"text": "b"}, {"text": "c"}, {"text": "d"}, point, {"text": "e"}, point]);
    assert_eq!((&body["messages"][0]["content"], dropped), (&expected, vec!["messages[].parts[].cache".to_owned()]));
}

/// A result's content can hold no mark: it follows the result.
#[test]
fn a_mark_within_a_result_follows_it() {
    let marked = Part::Text { text: "r".to_owned(), cache: Some(CacheHint { ttl: None }), citations: vec![] };
    let messages = vec![
        message(Role::User, vec![Part::text("go")]),
        message(Role::Assistant, vec![call("a", "")]),
        message(Role::User, vec![Part::text("x"), result("a", vec![marked])]),
    ];
    let (turns, dropped) = turns(messages);
    let expected = json!([
        {"toolResult": {"toolUseId": "a", "content": [{"text": "r"}]}},
        {"cachePoint": {"type": "default"}},
        {"text": "x"},
    ]);
    assert_eq!((&turns[2]["content"], dropped.len()), (&expected, 0));
}
