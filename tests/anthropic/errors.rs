use portolan::{
    chat::event::UpstreamError,
    dialect::{Caller, Upstream, anthropic::Anthropic},
    error::{Error, Kind},
};
use serde_json::{Value, json};

#[test]
fn every_shape_of_error_is_understood() {
    let error = |status: u16, message: &str| UpstreamError { status, message: message.to_owned(), ..UpstreamError::default() };
    let some = |text: &str| Some(text.to_owned());
    for (status, body, expected) in [
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"},"request_id":"req_1"}"#,
            UpstreamError { kind: some("not_found_error"), ..error(404, "model: x") },
        ),
        (
            0,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            UpstreamError { kind: some("overloaded_error"), ..error(529, "Overloaded") },
        ),
        (
            400,
            r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
            UpstreamError { kind: some("t"), param: some("p"), code: some("c"), ..error(400, "m") },
        ),
        (
            429,
            r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"x":1},{"retryDelay":"47.5s"}]}}]"#,
            UpstreamError {
                kind: some("RESOURCE_EXHAUSTED"),
                code: some("429"),
                retry_after_ms: Some(47_500),
                ..error(429, "m")
            },
        ),
        (403, r#"{"message":"no"}"#, error(403, "no")),
        (401, r#"{"detail":"Invalid API Key"}"#, error(401, "Invalid API Key")),
        (422, r#"{"detail":[{"loc":1}]}"#, error(422, r#"[{"loc":1}]"#)),
        (
            400,
            r#"{"code":"invalid-argument","error":"text"}"#,
            UpstreamError { code: some("invalid-argument"), ..error(400, "text") },
        ),
        (
            500,
            r#"{"success":false,"errors":[{"code":3040,"message":"m"}]}"#,
            UpstreamError { code: some("3040"), ..error(500, "m") },
        ),
        (502, "<html>bad gateway</html>", error(502, "The provider answered 502 without an explanation.")),
        (500, "", error(500, "The provider answered 500 without an explanation.")),
        (500, "null", error(500, "The provider answered 500 without an explanation.")),
        (503, "no healthy upstream", error(503, "no healthy upstream")),
    ] {
        assert_eq!(Anthropic.read_error(status, body), expected, "{body}");
    }
}

#[test]
fn each_type_in_a_stream_stands_for_a_status() {
    for (kind, status) in [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 529),
        ("error_of_2030", 0),
    ] {
        let body = json!({"type": "error", "error": {"type": kind, "message": "m"}}).to_string();
        assert_eq!(Anthropic.read_error(0, &body).status, status, "{kind}");
        assert_eq!(Anthropic.read_error(418, &body).status, 418, "{kind}: the answer's own status wins");
    }
}

#[test]
fn errors_are_written_with_anthropics_types() {
    for (kind, expected) in [
        (Kind::InvalidRequest, "invalid_request_error"),
        (Kind::ContentFiltered, "invalid_request_error"),
        (Kind::MethodNotAllowed, "invalid_request_error"),
        (Kind::Unauthenticated, "authentication_error"),
        (Kind::Forbidden, "permission_error"),
        (Kind::NotFound, "not_found_error"),
        (Kind::ModelNotFound, "not_found_error"),
        (Kind::TooLarge, "request_too_large"),
        (Kind::RateLimited, "rate_limit_error"),
        (Kind::Internal, "api_error"),
        (Kind::BadGateway, "api_error"),
        (Kind::Unavailable, "overloaded_error"),
        (Kind::Timeout, "timeout_error"),
    ] {
        let written: Value = serde_json::from_str(&Anthropic.write_error(&Error::new(kind, "m"), "req_1")).unwrap();
        assert_eq!(written, json!({"type": "error", "error": {"type": expected, "message": "m"}, "request_id": "req_1"}));
    }
    // A provider's own status says more than the kind.
    for (kind, status, expected) in [
        (Kind::InvalidRequest, 402, "billing_error"),
        (Kind::InvalidRequest, 408, "timeout_error"),
        (Kind::InvalidRequest, 409, "invalid_request_error"),
        (Kind::InvalidRequest, 413, "request_too_large"),
        (Kind::InvalidRequest, 422, "invalid_request_error"),
        (Kind::BadGateway, 500, "api_error"),
        (Kind::BadGateway, 529, "overloaded_error"),
        (Kind::Unavailable, 503, "overloaded_error"),
        (Kind::Unavailable, 520, "overloaded_error"),
    ] {
        let error = Error::new(kind, "m").with_status(status);
        let written: Value = serde_json::from_str(&Anthropic.write_error(&error, "r")).unwrap();
        assert_eq!(written["error"]["type"], expected, "{kind:?} {status}");
    }
}

#[test]
fn an_overlong_prompt_is_named_as_clients_look_for_it() {
    for message in ["too many tokens", "prompt is too long: 9 > 8"] {
        let written = Anthropic.write_error(&Error::new(Kind::ContextTooLong, message), "r");
        assert_eq!(written.matches("prompt is too long").count(), 1, "{written}");
        assert!(written.contains(message), "{written}");
    }
}
