//! Headers that are made: of nothing that a caller or a provider wrote, unless it is plain.

use portolan::{
    dialect::{Dialect, surface::Operation},
    error::{Error, Kind},
    exchange::reply,
    wire::json::quoted,
};

use crate::exchange::{
    driver::{Case, Run},
    script::{Answer, json, served, stream, told},
};

/// Header values are visible ASCII, of names that are tokens, and all of them together are no larger than platforms take.
fn check(what: &str, headers: &[(String, String)]) {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    assert!(size < 16 << 10, "{what}: {size} bytes of headers");
    for (name, value) in headers {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{what}: {name}");
        assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b)), "{what}: {name}: {value:?}");
    }
}

fn checked(what: &str, run: &Run) {
    check(what, &run.headers);
    for sent in &run.sends {
        check(what, &sent.headers);
    }
}

const SMUGGLED: &str = "x\r\nset-cookie: canary=1\r\n\r\nHTTP/1.1 200 OK";

#[test]
fn no_value_of_a_body_breaks_out_of_a_header() {
    for (what, member) in [
        ("a member that is dropped", format!("{}:1,", quoted(SMUGGLED))),
        ("its user", format!(r#""user":{},"#, quoted(SMUGGLED))),
        ("a label", format!(r#""metadata":{{{}:{}}},"#, quoted(SMUGGLED), quoted(SMUGGLED))),
        ("its conversation", format!(r#""prompt_cache_key":{},"#, quoted(SMUGGLED))),
        ("a tier", format!(r#""service_tier":{},"#, quoted(SMUGGLED))),
        ("providers", format!(r#""provider":{{"order":[{}]}},"#, quoted(SMUGGLED))),
        ("a tool", format!(r#""tools":[{{"type":"function","function":{{"name":{},"parameters":{{}}}}}}],"#, quoted(SMUGGLED))),
    ] {
        // To the same dialect, and to another.
        for model in ["alpha/small", "gamma/claude"] {
            let body =
                format!(r#"{{{member}"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"Hello"}}]}}"#);
            let case = Case::chat("x").body(&body);
            if case.try_plan().is_ok() {
                let run = case.run([json(400, r#"{"error":{"message":"No.","type":"invalid_request_error"}}"#)]);
                checked(what, &run);
                assert!(run.header("set-cookie").is_none() && run.sends[0].header("set-cookie").is_none(), "{what}");
            }
        }
    }
}

#[test]
fn many_and_long_names_make_no_long_headers() {
    let long = "n".repeat(60_000);
    let many: String = (0..900).map(|n| format!(r#""unknown_{n}_{}":1,"#, "x".repeat(50))).collect();
    for (what, members) in [("long", format!(r#""{long}":1,"#)), ("many", many)] {
        for model in ["alpha/small", "gamma/claude"] {
            let body =
                format!(r#"{{{members}"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"Hello"}}]}}"#);
            checked(what, &Case::chat("x").body(&body).run([json(400, r#"{"error":{"message":"No.","type":"x"}}"#)]));
        }
    }
}

/// What came with the request and is repeated in the answer: its own id, and the trace's.
#[test]
fn what_is_echoed_is_plain_and_short() {
    let long = "i".repeat(30_000);
    for (name, value) in
        [("x-request-id", "\u{80}\u{ff}"), ("x-request-id", &long), ("traceparent", &long), ("traceparent", "\u{e9}")]
    {
        checked(name, &Case::chat("alpha/small").header(name, value).run([served()]));
        checked(name, &Case::chat_stream("alpha/small").header(name, value).run([stream(told())]));
    }
}

#[test]
fn none_of_the_callers_headers_reach_a_provider_but_those_of_its_dialect() {
    const CANARY: &str = "canary-11ab";
    let names = [
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "x-forwarded-for",
        "forwarded",
        "cf-connecting-ip",
        "referer",
        "origin",
        "openai-organization",
        "openai-project",
        "x-goog-user-project",
        "x-portolan-session",
        "x-http-method-override",
        "user-agent",
        "accept-encoding",
        "content-encoding",
        "idempotency-key",
        "x-request-id",
    ];
    for (dialect, model, answer) in [
        (Dialect::OpenAiChat, "alpha/small", served()),
        (Dialect::OpenAiChat, "gamma/claude", json(400, "{}")),
        (Dialect::Anthropic, "gamma/claude", json(400, "{}")),
        (Dialect::Anthropic, "alpha/small", json(400, "{}")),
    ] {
        let case = names.iter().fold(Case::of(dialect, model, false), |case, name| case.header(name, CANARY));
        let run = case.run([answer]);
        let sent = format!("{:?}", run.sends[0].headers);
        assert!(!sent.contains(CANARY), "{dialect:?} {model}: {sent}");
        checked(model, &run);
    }
}

#[test]
fn no_header_of_a_provider_reaches_the_caller() {
    const CANARY: &str = "canary-77c0";
    let names = [
        "set-cookie",
        "openai-organization",
        "alt-svc",
        "access-control-allow-origin",
        "location",
        "x-portolan-cost",
        "server",
        "x-request-id",
    ];
    let with = |answer: Answer| names.iter().fold(answer, |answer, name| answer.header(name, CANARY));
    for answer in
        [with(served()), with(json(400, r#"{"error":{"message":"No.","type":"invalid_request_error"}}"#)), with(json(302, ""))]
    {
        let run = Case::chat("alpha/small").run([answer]);
        assert!(!format!("{:?}", run.headers).contains(CANARY), "{:?}", run.headers);
    }
    let run = Case::chat_stream("alpha/small").run([with(stream(told()))]);
    assert!(run.native.is_some() && !format!("{:?}", run.headers).contains(CANARY), "{:?}", run.headers);
}

/// A form's type is the caller's, and goes along: as one line.
#[test]
fn a_forms_type_is_one_line() {
    let body = "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nalpha/small\r\n--x--";
    let case = Case::operation_of(Operation::Video, Dialect::OpenAiChat, body, "multipart/form-data; boundary=x");
    let run = case.run([json(200, r#"{"id":"video_1"}"#)]);
    checked("form", &run);
    assert_eq!(run.sends[0].header("content-type"), Some("multipart/form-data; boundary=x"));
}

#[test]
fn a_packed_body_is_refused() {
    for (value, is_fine) in
        [("identity", true), ("Identity ", true), ("gzip", false), ("br", false), ("gzip, gzip", false), ("", false)]
    {
        let headers = [("content-encoding".to_owned(), value.to_owned())];
        assert_eq!(reply::check_encoding(&headers).is_ok(), is_fine, "{value:?}");
    }
    assert!(reply::check_encoding(&[]).is_ok());
    let error: Error = reply::check_encoding(&[("content-encoding".to_owned(), "z".repeat(9_000))]).unwrap_err();
    assert!(error.kind == Kind::InvalidRequest && error.message.len() < 400);
}
