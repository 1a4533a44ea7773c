//! What passes as it came: no further than the provider's own place, with nothing of the caller's or the operator's.

use portolan::{
    dialect::surface::{self, Kept, Line, Surface},
    exchange::forward::{answered, check, is_id, keeper, passthrough, stored},
};

use crate::exchange::driver::gateway;

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const CANARY: &str = "canary-5f1d";

#[test]
fn no_header_of_the_callers_place_or_person_reaches_a_provider() {
    for (name, passes) in [
        // Of one connection, or of the length of what was read.
        ("connection", false),
        ("keep-alive", false),
        ("proxy-connection", false),
        ("proxy-authorization", false),
        ("te", false),
        ("trailer", false),
        ("transfer-encoding", false),
        ("content-length", false),
        ("upgrade", false),
        ("http2-settings", false),
        ("expect", false),
        ("host", false),
        ("accept-encoding", false),
        // Credentials.
        ("authorization", false),
        ("x-api-key", false),
        ("api-key", false),
        ("x-goog-api-key", false),
        ("x-amz-security-token", false),
        ("cookie", false),
        ("set-cookie", false),
        // Whose account is to pay, or to be.
        ("openai-organization", false),
        ("openai-project", false),
        ("anthropic-organization-id", false),
        ("x-goog-user-project", false),
        ("x-ms-client-principal-id", false),
        // Where the caller is.
        ("forwarded", false),
        ("via", false),
        ("x-forwarded-for", false),
        ("x-forwarded-host", false),
        ("x-real-ip", false),
        ("x-client-ip", false),
        ("true-client-ip", false),
        ("cf-connecting-ip", false),
        ("cf-ipcountry", false),
        ("cf-worker", false),
        ("cdn-loop", false),
        ("origin", false),
        ("referer", false),
        ("sec-fetch-site", false),
        ("sec-websocket-key", false),
        // What turns the call into another.
        ("x-http-method-override", false),
        ("x-http-method", false),
        ("x-original-url", false),
        ("x-rewrite-url", false),
        // The gateway's own.
        ("x-portolan-route", false),
        ("x-portolan-zdr", false),
        ("x-request-id", false),
        // What belongs to the call.
        ("content-type", true),
        ("content-encoding", true),
        ("accept", true),
        ("range", true),
        ("if-none-match", true),
        ("openai-beta", true),
        ("anthropic-beta", true),
        ("x-stainless-lang", true),
        ("idempotency-key", true),
    ] {
        let sent = passthrough(&gateway("", ""), "alpha", ("/files", ""), &pairs(&[(name, CANARY)])).unwrap();
        assert_eq!(format!("{sent:?}").contains(CANARY), passes, "{name}: {sent:?}");
        // The operator's own is there once, whatever the caller sent.
        assert_eq!(sent.headers.iter().filter(|(name, _)| name == "authorization").count(), 1);
    }
    let named = pairs(&[("connection", "close, X-Hop , x-other"), ("x-hop", CANARY), ("x-other", CANARY), ("x-kept", "1")]);
    let sent = passthrough(&gateway("", ""), "alpha", ("/files", ""), &named).unwrap();
    assert!(!format!("{sent:?}").contains(CANARY), "what `connection` names is of the connection: {sent:?}");
    assert!(sent.headers.iter().any(|(name, _)| name == "x-kept"));
}

#[test]
fn no_header_of_an_answer_speaks_for_the_gateways_origin() {
    for (name, passes) in [
        ("set-cookie", false),
        ("set-cookie2", false),
        ("access-control-allow-origin", false),
        ("access-control-allow-credentials", false),
        ("alt-svc", false),
        ("clear-site-data", false),
        ("strict-transport-security", false),
        ("content-security-policy", false),
        ("cache-control", false),
        ("cdn-cache-control", false),
        ("expires", false),
        ("location", false),
        ("content-location", false),
        ("refresh", false),
        ("www-authenticate", false),
        ("service-worker-allowed", false),
        ("nel", false),
        ("report-to", false),
        ("server", false),
        ("via", false),
        ("openai-organization", false),
        ("openai-project", false),
        ("anthropic-organization-id", false),
        ("x-amzn-requestid", false),
        ("cf-ray", false),
        ("x-portolan-provider", false),
        ("x-portolan-cost", false),
        ("content-encoding", false),
        ("content-length", false),
        ("transfer-encoding", false),
        ("x-content-type-options", false),
        ("content-type", true),
        ("content-disposition", true),
        ("content-range", true),
        ("etag", true),
        ("retry-after", true),
        ("x-ratelimit-remaining-tokens", false),
        ("openai-processing-ms", true),
    ] {
        let told = answered(&pairs(&[(name, CANARY)]));
        assert_eq!(told.iter().any(|(_, value)| value == CANARY), passes, "{name}");
        // A file that is a page is nobody's page here, and no cache keeps it.
        let has = |name: &str, part: &str| told.iter().filter(|(n, _)| n == name).all(|(_, value)| value.contains(part));
        assert!(has("content-security-policy", "sandbox") && has("cache-control", "no-store"), "{told:?}");
        assert_eq!(told.iter().filter(|(n, _)| n == "content-security-policy").count(), 1);
    }
}

#[test]
fn a_redirect_is_an_error_that_tells_nothing() {
    let forward = passthrough(&gateway("", ""), "alpha", ("/files", "x=1"), &pairs(&[("authorization", CANARY)])).unwrap();
    for (status, is_fine) in [
        (200, true),
        (206, true),
        (304, true),
        (404, true),
        (503, true),
        (300, false),
        (301, false),
        (302, false),
        (303, false),
        (305, false),
        (307, false),
        (308, false),
        (101, false),
        (0, false),
        (600, false),
        (999, false),
    ] {
        let checked = check(&forward, status);
        assert_eq!(checked.is_ok(), is_fine, "{status}");
        if let Err(error) = checked {
            assert_eq!((error.status, error.blame.name()), (502, "provider"));
            let told = format!("{error:?}");
            assert!(!told.contains("://") && !told.contains(CANARY) && !told.contains("value-of-ALPHA_KEY"), "{told}");
        }
    }
}

#[test]
fn no_path_leaves_the_providers_own() {
    let config = gateway("", "");
    for path in [
        "/../admin",
        "/v1/../../admin",
        "/./files",
        "/files/..",
        "/%2e%2e/admin",
        "/%2E./admin",
        "/.%2e/admin",
        "/files/..%2fadmin",
        "/files/%2e%2e%2Fadmin",
        "/files/..%5cadmin",
        "/files\\..\\..\\admin",
        "/%252e%252e/admin",
        "/%25252e%25252e/admin",
        "/..;/admin",
        "/..;x=1/admin",
    ] {
        let error = passthrough(&config, "alpha", (path, ""), &[]).unwrap_err();
        assert_eq!((error.status, error.message.contains("`..`")), (400, true), "{path}");
    }
    for path in ["//evil.example/x", "/@evil.example", "/:8080/", "/files/..hidden", "/files/a..b", "/https://evil.example/", "/"]
    {
        let sent = passthrough(&config, "alpha", (path, ""), &[]).unwrap();
        assert!(sent.url.starts_with("https://alpha.example/v1/"), "{path}: {}", sent.url);
    }
}

#[test]
fn the_key_in_a_query_goes_no_further() {
    let config = gateway("", "");
    for query in ["key=CANARY", "a=1&key=CANARY", "key=CANARY&key=CANARY&b=2", "key=CANARY#", "&&key=CANARY&"] {
        let sent = passthrough(&config, "alpha", ("/files", query), &[]).unwrap();
        assert!(!sent.url.contains("CANARY"), "{query}: {}", sent.url);
        let sent = stored(&config, (Some("alpha"), false), (Kept::Responses, "resp_1", ""), query, &[]).unwrap();
        assert!(!sent.url.contains("CANARY"), "{query}: {}", sent.url);
    }
}

#[test]
fn what_a_tenant_stored_is_that_tenants() {
    let records = r#"[{"tenant":"a","provider":"alpha"},{"tenant":"b","provider":"beta"}]"#;
    for (tenant, expected) in [("a", Some("alpha")), ("b", Some("beta")), ("c", None), ("", None), ("A", None), ("default", None)]
    {
        assert_eq!(keeper(records, tenant).as_deref(), expected, "{tenant}");
    }
    for broken in ["", "[]", "null", "{}", "[1]", r#"[{"tenant":"a"}]"#, r#"[{"provider":"alpha"}]"#] {
        assert_eq!(keeper(broken, "a"), None, "{broken}");
    }
    // What the gateway has not seen is nobody's but the operator's to ask for, also where one provider alone could have it.
    let config = gateway(r#"{"r":{"targets":["alpha/small"]}}"#, "");
    let ask = |owner, may_guess| stored(&config, (owner, may_guess), (Kept::Responses, "resp_of_b", ""), "", &[]);
    assert_eq!(ask(None, false).unwrap_err().status, 404);
    assert_eq!(ask(Some("gone"), false).unwrap_err().status, 404);
    assert!(ask(Some("alpha"), false).is_ok());
}

#[test]
fn an_id_is_an_id() {
    let long = "r".repeat(513);
    for (id, expected) in [
        ("resp_68af4030", true),
        ("video_1-a.b", true),
        ("", false),
        (".", false),
        ("..", false),
        ("...", false),
        ("../files", false),
        ("a/b", false),
        ("a\\b", false),
        ("a?b=c", false),
        ("a&limit=500", false),
        ("a#b", false),
        ("a%2e", false),
        ("a;b", false),
        ("a b", false),
        ("a\0", false),
        ("a\r\nb", false),
        ("é", false),
        ("' OR 1=1 --", false),
        (&long, false),
    ] {
        assert_eq!(is_id(id), expected, "{id:?}");
    }
    // As they come in a path.
    for (path, expected) in
        [("/v1/responses/a%00b", "a\0b"), ("/v1/responses/..%2Ffiles", "../files"), ("/v1/responses/%2e%2e", "..")]
    {
        let found = surface::read(Line { method: "GET", path, query: "", headers: &[] });
        let Surface::Stored { id, .. } = found else { panic!("{path}: {found:?}") };
        assert_eq!((id.as_str(), is_id(&id)), (expected, false));
    }
}
