//! What the caller is told of a failure.

use portolan::{
    chat::event::UpstreamError,
    error::{Blame, Kind},
    plan::outcome::{COOLDOWN_MS, Outcome, Phase, Transport, broken, of_answer, of_transport},
    units::Millis,
};

const SECRET: &str = "sk-proj-abcdefghijklmnop1234";

fn said(code: &str, message: &str) -> UpstreamError {
    UpstreamError {
        message: message.into(),
        kind: Some("typed".into()),
        code: Some(code.into()),
        param: Some("p".into()),
        ..UpstreamError::default()
    }
}

fn of(status: u16, upstream: &UpstreamError) -> Outcome {
    of_answer(status, &[], upstream, Millis(0))
}

#[test]
fn a_final_verdict_keeps_its_words_and_its_status() {
    for (status, code, message, kind, told) in [
        (400, "bad", "Bad tool schema", Kind::InvalidRequest, 400),
        (422, "bad", "Bad list", Kind::InvalidRequest, 422),
        (413, "big", "Too many bytes", Kind::TooLarge, 413),
        (404, "file_not_found", "No such file", Kind::NotFound, 404),
        (404, "model_not_found", "The model `x` does not exist", Kind::ModelNotFound, 404),
        (400, "context_length_exceeded", "maximum context length is 1", Kind::ContextTooLong, 400),
        (429, "rate_limit_exceeded", "Request too large for x", Kind::ContextTooLong, 400),
        (400, "content_filter", "Filtered", Kind::ContentFiltered, 400),
    ] {
        let upstream = said(code, message);
        let error = of(status, &upstream).to_error("acme", &upstream);
        assert_eq!(
            (error.kind, error.status, error.blame, error.message.as_str()),
            (kind, told, Blame::Caller, message),
            "{status} {code}"
        );
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some(code), Some("p")), "{status} {code}");
    }
}

#[test]
fn a_failure_of_the_operator_s_account_is_the_gateway_s() {
    for (status, code) in [(401, "invalid_api_key"), (403, "x"), (402, "x"), (429, "insufficient_quota")] {
        let upstream = said(code, &format!("Incorrect API key provided: {SECRET}. Account 7."));
        let error = of(status, &upstream).to_error("acme", &upstream);
        assert_eq!((error.status, error.kind, error.blame), (502, Kind::BadGateway, Blame::Gateway), "{status} {code}");
        assert!(
            error.message.contains("acme") && !error.message.contains("Account 7") && error.code.is_none(),
            "{}",
            error.message
        );
        assert_eq!(error.detail.as_deref(), Some("Incorrect API key provided: [removed]. Account 7."));
    }
    for transport in [Transport::Rejected, Transport::NoToken] {
        let error = of_transport(transport).to_error("acme", &UpstreamError::default());
        assert_eq!((error.status, error.blame), (502, Blame::Gateway), "{transport:?}");
        assert!(error.message.starts_with("The gateway's account at provider `acme`"), "{}", error.message);
    }
}

#[test]
fn the_last_failure_of_all_attempts_has_a_status_sdks_know() {
    let upstream = said("x", "org-7 is out of luck");
    for (outcome, status, kind, retry_after_ms) in [
        (of(429, &upstream), 429, Kind::RateLimited, Some(COOLDOWN_MS)),
        (of(500, &upstream), 500, Kind::BadGateway, None),
        (of(503, &upstream), 503, Kind::Unavailable, None),
        (of(504, &upstream), 504, Kind::Timeout, None),
        (of(529, &upstream), 529, Kind::Unavailable, None),
        (of(522, &upstream), 504, Kind::Timeout, None),
        (of(408, &upstream), 504, Kind::Timeout, None),
        (of(409, &upstream), 502, Kind::BadGateway, None),
        (of(451, &upstream), 502, Kind::BadGateway, None),
        (of_transport(Transport::Reset), 502, Kind::BadGateway, None),
        (broken(200), 502, Kind::BadGateway, None),
        (of_transport(Transport::Timeout(Phase::FirstToken)), 504, Kind::Timeout, None),
    ] {
        let error = outcome.to_error("acme", &upstream);
        assert_eq!((error.status, error.kind, error.retry_after_ms), (status, kind, retry_after_ms), "{outcome:?}");
        assert_eq!(error.blame, Blame::Provider, "{outcome:?}");
        assert!(!error.message.contains("org-7") && error.detail.as_deref() == Some("org-7 is out of luck"), "{outcome:?}");
    }
    let late = of_transport(Transport::Timeout(Phase::Total)).to_error("acme", &UpstreamError::default());
    assert_eq!((late.status, late.blame, late.detail.clone()), (504, Blame::Caller, None));
    assert_eq!(of_transport(Transport::ClientGone).to_error("acme", &UpstreamError::default()).status, 499);
}

#[test]
fn nothing_that_looks_like_a_key_gets_out() {
    for (message, told) in [
        ("key sk-abc123def bad", "key [removed] bad"),
        ("key sk-...", "key sk-..."),
        ("key xa***********yz.", "key [removed]."),
        ("AIzaSyA1234567890", "[removed]"),
        ("(gsk_abcdef)", "([removed])"),
        ("token 0123456789abcdef0123456789abcdef", "token [removed]"),
        ("Bearer aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f", "Bearer [removed]"),
        ("the task-force of gpt-4o-mini-2026-01-01", "the task-force of gpt-4o-mini-2026-01-01"),
        (
            "messages.0.content: Käse `a_long_tool_name_of_the_caller_here`",
            "messages.0.content: Käse `a_long_tool_name_of_the_caller_here`",
        ),
    ] {
        let upstream = said("x", message);
        assert_eq!(of(400, &upstream).to_error("acme", &upstream).message, told);
    }
    let long = said("x", &"word ".repeat(10_000));
    assert!(of(400, &long).to_error("acme", &long).message.len() <= 2_000);
}
