//! Errors as callers get them.

use portolan::{
    dialect::{Caller, Upstream, gemini::Gemini},
    error::{Error, Kind},
};
use serde_json::{Value, json};

#[test]
fn errors_have_googles_words() {
    for (kind, status, word) in [
        (Kind::InvalidRequest, 400, "INVALID_ARGUMENT"),
        (Kind::ContextTooLong, 400, "INVALID_ARGUMENT"),
        (Kind::ContentFiltered, 400, "INVALID_ARGUMENT"),
        (Kind::Unauthenticated, 401, "UNAUTHENTICATED"),
        (Kind::Forbidden, 403, "PERMISSION_DENIED"),
        (Kind::NotFound, 404, "NOT_FOUND"),
        (Kind::ModelNotFound, 404, "NOT_FOUND"),
        (Kind::MethodNotAllowed, 405, "UNIMPLEMENTED"),
        (Kind::TooLarge, 413, "INVALID_ARGUMENT"),
        (Kind::UpgradeRequired, 426, "INVALID_ARGUMENT"),
        (Kind::RateLimited, 429, "RESOURCE_EXHAUSTED"),
        (Kind::Internal, 500, "INTERNAL"),
        (Kind::BadGateway, 502, "UNAVAILABLE"),
        (Kind::Unavailable, 503, "UNAVAILABLE"),
        (Kind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let body = Gemini.write_error(&Error::new(kind, "Do this."), "req_1");
        let value: Value = serde_json::from_str(&body).unwrap();
        let (code, said) = (value.pointer("/error/code"), value.pointer("/error/status"));
        assert_eq!((code, said), (Some(&json!(status)), Some(&json!(word))), "{kind:?}");
        let read = Gemini.read_error(status, &body);
        assert!(read.message.ends_with("Do this."), "{body}");
        assert!(body.starts_with("{\"error\":"), "Google's SDKs look for it there");
    }
    let mut limited = Error::new(Kind::RateLimited, "Wait.").with_wait(Some(6_500));
    limited.code = Some("PerDay".to_owned());
    let read = Gemini.read_error(429, &Gemini.write_error(&limited, "req_1"));
    assert_eq!((read.retry_after_ms, read.code.as_deref()), (Some(7_000), Some("PerDay")));
    let wrong: Value = serde_json::from_str(&Gemini.write_error(&Error::invalid("contents", "No."), "req_1")).unwrap();
    let expected = json!([
        { "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{ "field": "contents", "description": "No." }] },
        { "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1" },
    ]);
    assert_eq!(wrong.pointer("/error/details"), Some(&expected));
    let mut failed = Error::new(Kind::Unavailable, "It broke.");
    failed.status = 500;
    assert!(Gemini.write_error(&failed, "req_1").contains("\"status\":\"INTERNAL\""), "a provider's own 500 keeps its name");
    let long = Gemini.write_error(&Error::new(Kind::ContextTooLong, "Cut it."), "req_1");
    assert!(long.contains("The input token count exceeds the maximum number of tokens allowed"), "{long}");
}

#[test]
fn what_was_dropped_is_named_in_the_callers_words() {
    for (path, expected) in [
        ("seed", "generationConfig.seed"),
        ("n", "generationConfig.candidateCount"),
        ("stop[]", "generationConfig.stopSequences[]"),
        ("format.schema", "generationConfig.responseSchema"),
        ("show_reasoning", "generationConfig.thinkingConfig.includeThoughts"),
        ("messages[].parts[].reasoning", "contents[].parts[].thought"),
        ("messages[].parts[].audio", "contents[].parts[].audio"),
        ("tools[].opaque", "tools[]"),
        ("generationConfig.speechConfig", "generationConfig.speechConfig"),
    ] {
        assert_eq!(Gemini.spelled(path), expected);
    }
}
