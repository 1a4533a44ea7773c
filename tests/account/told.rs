//! What callers are told: refusals in each dialect, and headers.

use portolan::{
    account::{Meter, Numbers, Refusal, What, headers},
    chat::Dialect,
    config::Period,
    exchange::reply::{self, Body},
    units::Millis,
};
use serde_json::Value;

/// 2026-11-23T17:03:24Z
const NOW: Millis = Millis(1_795_453_404_000);
const DOLLAR: u64 = 1_000_000_000_000;

fn refusal(subject: &str, what: What, (limit, need): (u64, u64), wait_ms: Option<u64>) -> Refusal {
    Refusal { subject: subject.to_owned(), what, limit, need, wait_ms }
}

#[test]
fn a_refusal_says_which_limit_whose_and_when_to_come_again() {
    let month = What::Budget(Period::Month);
    for (refusal, words, kind, code, retry) in [
        (
            refusal("key:0123456789abcdef", What::Requests, (50, 1), Some(12_345)),
            "this gateway key has 50 requests in any 60 seconds",
            "requests",
            "rate_limit_exceeded",
            ("retry-after", "13"),
        ),
        (
            refusal("tenant:acme", What::Tokens, (1_000, 900), Some(1_000)),
            "the tenant `acme` has 1000 tokens in any 60 seconds",
            "tokens",
            "rate_limit_exceeded",
            ("retry-after", "1"),
        ),
        (
            refusal("tag:research", What::Tokens, (1_000, 1_001), None),
            "this one may take 1001",
            "tokens",
            "rate_limit_exceeded",
            ("x-should-retry", "false"),
        ),
        (
            refusal("user:0123456789abcdef", What::Concurrent, (4, 1), Some(1_000)),
            "this end user has 4 requests under way",
            "requests",
            "rate_limit_exceeded",
            ("retry-after", "1"),
        ),
        (
            refusal("tenant:acme", month, (500 * DOLLAR, DOLLAR / 4), None),
            "$500 a month, does not cover this request, which may cost up to $0.25. It begins anew at 2026-12-01T00:00:00Z",
            "insufficient_quota",
            "insufficient_quota",
            ("x-should-retry", "false"),
        ),
        (
            refusal("tenant:acme", What::Budget(Period::Total), (DOLLAR, DOLLAR / 4), Some(1_000)),
            "held by requests under way",
            "requests",
            "rate_limit_exceeded",
            ("retry-after", "1"),
        ),
        (
            refusal("key:0123456789abcdef", What::Unpriced, (DOLLAR, 0), None),
            "The operator can set one in `prices`",
            "insufficient_quota",
            "insufficient_quota",
            ("x-should-retry", "false"),
        ),
    ] {
        let error = refusal.error(NOW);
        assert!(error.message.contains(words), "{}", error.message);
        assert!(!error.message.contains("0123456789abcdef"));
        for dialect in [Dialect::OpenAiChat, Dialect::OpenAiResponses, Dialect::Anthropic, Dialect::Gemini] {
            let answer = reply::error(dialect.caller().unwrap(), &error, "req_1");
            assert_eq!(answer.status, 429);
            let header = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
            assert_eq!(header("x-portolan-error"), Some("caller"));
            assert_eq!(header(retry.0), Some(retry.1));
            assert_eq!(header("retry-after").is_some(), header("x-should-retry").is_none());
            let Body::Text(text) = answer.body else { unreachable!("a refusal is our own") };
            let body: Value = serde_json::from_str(&text).unwrap();
            let told = &body["error"];
            if dialect == Dialect::Anthropic {
                assert_eq!(told["type"], "rate_limit_error");
            } else if dialect == Dialect::Gemini {
                assert_eq!((&told["status"], &told["code"]), (&"RESOURCE_EXHAUSTED".into(), &429.into()));
            } else {
                assert_eq!((&told["type"], &told["code"]), (&kind.into(), &code.into()));
            }
        }
    }
}

#[test]
fn headers_are_those_of_the_tightest_subject() {
    let meter = |limit, left, reset_ms| Some(Meter { limit, left, reset_ms });
    let standing = [
        ("key:a".to_owned(), Numbers { requests: meter(100, 40, 60_000), tokens: None, money: Some(DOLLAR * 5 / 2) }),
        ("tenant:b".to_owned(), Numbers { requests: meter(600, 39, 61_250), tokens: meter(10, 0, 900), money: Some(1) }),
    ];
    let written = headers(&standing, true, NOW);
    for (name, value) in [
        ("x-ratelimit-limit-requests", "600"),
        ("x-ratelimit-remaining-requests", "39"),
        ("x-ratelimit-reset-requests", "1m1.25s"),
        ("x-ratelimit-limit-tokens", "10"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "900ms"),
        ("anthropic-ratelimit-requests-remaining", "39"),
        ("anthropic-ratelimit-requests-reset", "2026-11-23T17:04:26Z"),
        ("anthropic-ratelimit-tokens-limit", "10"),
        // The key's own, not its tenant's.
        ("x-portolan-budget-remaining", "2.5"),
    ] {
        assert!(written.contains(&(name.to_owned(), value.to_owned())), "{name} in {written:?}");
    }
    let plain = headers(&standing, false, NOW);
    assert!(plain.iter().all(|(name, _)| !name.starts_with("anthropic")) && plain.len() == 7);
    assert_eq!(headers(&standing[1..], false, NOW).len(), 6);
    for (reset_ms, text) in [(0, "0s"), (1_000, "1s"), (1_050, "1.05s"), (360_000, "6m0s")] {
        let one = [("key:a".to_owned(), Numbers { requests: meter(1, 1, reset_ms), ..Numbers::default() })];
        assert_eq!(headers(&one, false, NOW)[2].1, text);
    }
}
