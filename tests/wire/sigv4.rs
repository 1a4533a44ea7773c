//! Signatures of Amazon: its published examples, and others made with botocore 1.44.5.

use portolan::{
    units::Millis,
    wire::sigv4::{Call, Keys, body_digest, sign},
};

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z, the time of the published examples.
const PUBLISHED: Millis = Millis(1_440_938_160_000);
/// 2026-11-23T10:05:07Z, and some milliseconds.
const TODAY: Millis = Millis(1_795_428_307_999);

const JSON: (&str, &str) = ("content-type", "application/json");

struct Row {
    method: &'static str,
    url: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    place: (&'static str, &'static str),
    token: Option<&'static str>,
    now: Millis,
    signed: &'static str,
    signature: &'static str,
}

/// Rows of the published examples.
const fn published(method: &'static str, url: &'static str, signature: &'static str) -> Row {
    Row {
        method,
        url,
        headers: &[],
        body: "",
        place: ("us-east-1", "service"),
        token: None,
        now: PUBLISHED,
        signed: "host;x-amz-date",
        signature,
    }
}

const ROWS: [Row; 7] = [
    // get-vanilla, get-vanilla-query-order-key-case, post-vanilla.
    published("GET", "https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    published(
        "GET",
        "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    published("POST", "https://example.amazonaws.com", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    // The escape of the colon is escaped again.
    Row {
        method: "POST",
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
        headers: &[JSON],
        body: r#"{"messages":[]}"#,
        place: ("us-east-1", "bedrock"),
        token: None,
        now: TODAY,
        signed: "content-type;host;x-amz-date",
        signature: "3cd5aa430e0d834490e8d18ce5f90f5051d968e19fb813ae2a72b000486bd40f",
    },
    // A colon as it is, is escaped once.
    Row {
        method: "POST",
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-v2:1/invoke",
        headers: &[JSON],
        body: "{}",
        place: ("us-east-1", "bedrock"),
        token: None,
        now: TODAY,
        signed: "content-type;host;x-amz-date",
        signature: "2db78fab99c112566974b6aa2d2a707dd926d5f3eecb3f333f7a713abf659398",
    },
    // An ARN with colons and a slash; a session; a body beyond ASCII.
    Row {
        method: "POST",
        url: "https://bedrock-runtime.eu-central-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.amazon.nova-lite-v1%3A0/converse-stream",
        headers: &[JSON, ("accept", " application/vnd.amazon.eventstream ")],
        body: r#"{"text":"é"}"#,
        place: ("eu-central-1", "bedrock"),
        token: Some("token/with+signs=="),
        now: TODAY,
        signed: "accept;content-type;host;x-amz-date;x-amz-security-token",
        signature: "4764e6f0daf16e2ff5410cd0a34265d9c586fc9a275aad9759af8cef633213ac",
    },
    // A query is put in order.
    Row {
        method: "GET",
        url: "https://bedrock.us-west-2.amazonaws.com/foundation-models?byProvider=Meta&byOutputModality=TEXT&x=a%20b%2Fc~",
        headers: &[],
        body: "",
        place: ("us-west-2", "bedrock"),
        token: None,
        now: TODAY,
        signed: "host;x-amz-date",
        signature: "190a6f40559e7ae9d2ccba22695a2d640b201983f984cfb4f030ee6a61efb62b",
    },
];

#[test]
fn requests_are_signed_as_amazon_signs_them() {
    for row in ROWS {
        let (region, service) = row.place;
        let middle = row.body.len() / 2;
        let (left, right) = row.body.as_bytes().split_at(middle);
        let digest = body_digest([left, right]);
        let call = Call { method: row.method, url: row.url, headers: row.headers, body_sha256: &digest, region, service };
        let keys = Keys { access_key: KEY, secret_key: SECRET, session_token: row.token };
        let (time, date) = if row.now == TODAY { ("20261123T100507Z", "20261123") } else { ("20150830T123600Z", "20150830") };
        let proof = format!(
            "AWS4-HMAC-SHA256 Credential={KEY}/{date}/{region}/{service}/aws4_request, SignedHeaders={}, Signature={}",
            row.signed, row.signature,
        );
        let mut expected = vec![("x-amz-date", time)];
        expected.extend(row.token.map(|token| ("x-amz-security-token", token)));
        expected.push(("authorization", &proof));
        let added = sign(&call, &keys, row.now);
        let added: Vec<(&str, &str)> = added.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(added, expected, "{}", row.url);
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    let call = Call {
        method: "GET",
        url: "https://a.amazonaws.com/",
        headers: &[],
        body_sha256: "",
        region: "us-east-1",
        service: "bedrock",
    };
    let keys = Keys { access_key: KEY, secret_key: SECRET, session_token: None };
    for (seconds, expected) in [
        (0, "19700101T000000Z"),
        (951_782_399, "20000228T235959Z"),
        (951_782_400, "20000229T000000Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_709_251_200, "20240301T000000Z"),
        (1_798_761_599, "20261231T235959Z"),
        (1_798_761_600, "20270101T000000Z"),
    ] {
        let added = sign(&call, &keys, Millis(seconds * 1000));
        assert_eq!(added[0], ("x-amz-date".to_owned(), expected.to_owned()));
    }
}

/// A key longer than a block of the hash is hashed first.
#[test]
fn a_long_secret_signs_too() {
    let secret = "x".repeat(100);
    let call = Call {
        method: "GET",
        url: "https://example.amazonaws.com/",
        headers: &[],
        body_sha256: &body_digest([]),
        region: "us-east-1",
        service: "service",
    };
    let keys = Keys { access_key: KEY, secret_key: &secret, session_token: None };
    let added = sign(&call, &keys, PUBLISHED);
    assert!(added[1].1.ends_with("aaa7d088e639cdeaa015dba5b95d1168e9d7080af6b668549d17288e786ef55a"), "{}", added[1].1);
}
