//! Every form in which a provider says how long to wait.

use portolan::{
    plan::headers::{MAX_WAIT_MS, duration, http_date, rfc3339, wait_ms},
    units::Millis,
};

/// 2026-11-23T07:00:00Z
const NOW: Millis = Millis(1_795_417_200_000);

#[test]
fn every_header_form_gives_its_wait() {
    type Row = (&'static str, &'static [(&'static str, &'static str)], Option<u64>);
    let rows: &[Row] = &[
        ("seconds", &[("retry-after", "7")], Some(7_000)),
        ("seconds with a fraction", &[("retry-after", "0.25")], Some(250)),
        ("HTTP date", &[("retry-after", "Mon, 23 Nov 2026 07:00:30 GMT")], Some(30_000)),
        ("HTTP date that has passed", &[("retry-after", "Mon, 23 Nov 2026 06:59:30 GMT")], Some(0)),
        ("milliseconds", &[("retry-after-ms", "1250")], Some(1_250)),
        ("Azure: 0 ms beside 1 s, the larger", &[("retry-after-ms", "0"), ("retry-after", "1")], Some(1_000)),
        ("the more exact is larger", &[("retry-after-ms", "1400"), ("retry-after", "1")], Some(1_400)),
        ("Azure's other name", &[("x-ms-retry-after-ms", "400")], Some(400)),
        ("never beyond a day", &[("retry-after", "999999999")], Some(MAX_WAIT_MS)),
        ("overflow is a day", &[("retry-after", "18446744073709551615")], Some(MAX_WAIT_MS)),
        ("negative is nothing", &[("retry-after", "-1")], None),
        ("words are nothing", &[("retry-after", "soon")], None),
        (
            "OpenAI: the exhausted one counts",
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "12ms"),
                ("x-ratelimit-remaining-tokens", "100"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some(12),
        ),
        (
            "both exhausted: the later",
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "12ms"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "1m30s"),
            ],
            Some(90_000),
        ),
        ("none exhausted", &[("x-ratelimit-remaining-requests", "5"), ("x-ratelimit-reset-requests", "1s")], None),
        ("a reset alone says nothing", &[("x-ratelimit-reset-tokens", "1s")], None),
        ("Azure: plain seconds", &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "9")], Some(9_000)),
        (
            "Cerebras: float seconds",
            &[("x-ratelimit-remaining-tokens-minute", "0"), ("x-ratelimit-reset-tokens-minute", "33.0114")],
            Some(33_012),
        ),
        ("OpenRouter: epoch ms", &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795417260000")], Some(60_000)),
        ("epoch seconds", &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795417205")], Some(5_000)),
        (
            "Anthropic: RFC 3339",
            &[
                ("anthropic-ratelimit-tokens-remaining", "0"),
                ("anthropic-ratelimit-tokens-reset", "2026-11-23T07:00:45Z"),
                ("anthropic-ratelimit-requests-remaining", "10"),
                ("anthropic-ratelimit-requests-reset", "2026-11-23T08:00:00Z"),
            ],
            Some(45_000),
        ),
        (
            "what is said outright wins",
            &[("retry-after", "3"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "60")],
            Some(3_000),
        ),
        (
            "unless it is nothing",
            &[("retry-after", "0"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "60")],
            Some(60_000),
        ),
        ("nothing", &[("content-type", "application/json")], None),
    ];
    for (rule, headers, expected) in rows {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(wait_ms(&headers, NOW), *expected, "{rule}");
    }
}

#[test]
fn durations_are_go_s() {
    for (text, ms) in [
        ("12ms", Some(12)),
        ("17.379s", Some(17_379)),
        ("1m0.052s", Some(60_052)),
        ("6h0m0s", Some(21_600_000)),
        ("1d", Some(86_400_000)),
        ("850µs", Some(1)),
        ("5", None),
        ("", None),
        ("1x", None),
        ("s", None),
        ("1.2.3s", None),
    ] {
        assert_eq!(duration(text), ms, "{text}");
    }
}

#[test]
fn dates_are_read_in_every_form_of_their_rfc() {
    for (text, ms) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2026-11-23T07:00:00Z", Some(NOW.0)),
        ("2026-11-23T07:00:00.5Z", Some(NOW.0 + 500)),
        ("2026-11-23t09:30:00+02:30", Some(NOW.0)),
        ("2026-11-22T23:00:00-08:00", Some(NOW.0)),
        ("2024-02-29T12:00:00Z", Some(1_709_208_000_000)),
        ("2000-03-01T00:00:00Z", Some(951_868_800_000)),
        ("2026-13-01T00:00:00Z", None),
        ("2026-11-23T24:00:00Z", None),
        ("2026-11-23", None),
        ("2026-11-23T07:00:00", None),
        ("1969-12-31T23:59:59Z", None),
    ] {
        assert_eq!(rfc3339(text), ms.map(Millis), "{text}");
    }
    for (text, ms) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
        // RFC 850's two digits are of this century.
        ("Saturday, 06-Nov-94 08:49:37 GMT", Some(3_939_871_777_000)),
        ("Monday, 23-Nov-26 07:00:00 GMT", Some(NOW.0)),
        ("Mon Nov 23 07:00:00 2026", Some(NOW.0)),
        ("Mon, 23 Nov 2026", None),
        ("Mon, 23 Foo 2026 07:00:00 GMT", None),
        ("next Monday", None),
    ] {
        assert_eq!(http_date(text), ms.map(Millis), "{text}");
    }
}
