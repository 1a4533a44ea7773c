//! What passes as it came: where to, with whose credential, and what stays behind.

use portolan::{
    config::OwnKey,
    dialect::Facts,
    exchange::{
        forward::{Forward, answered, passthrough, stored},
        reply,
    },
};

use portolan::dialect::surface::Kept;

use super::driver::gateway;

fn headers() -> Vec<(String, String)> {
    [
        ("authorization", "Bearer pk-mine"),
        ("x-api-key", "pk-mine"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("content-length", "7"),
        ("cookie", "c=1"),
        ("cf-connecting-ip", "203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-portolan-route", "smart"),
        ("openai-beta", "assistants=v2"),
        ("range", "bytes=0-9"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn all(forward: &Forward) -> String {
    format!("{} {:?}", forward.url, forward.headers)
}

#[test]
fn a_path_goes_below_the_providers_own() {
    let config = gateway("", "");
    for (provider, path, query, expected) in [
        ("alpha", "/files", "", "https://alpha.example/v1/files"),
        ("alpha", "/v1/files/f%2F1", "limit=2", "https://alpha.example/v1/files/f%2F1?limit=2"),
        ("alpha", "/v1", "", "https://alpha.example/v1/v1"),
        ("alpha", "/v10/files", "", "https://alpha.example/v1/v10/files"),
        (
            "google",
            "/v1beta/files",
            "key=pk-mine&pageSize=3",
            "https://generativelanguage.googleapis.com/v1beta/files?pageSize=3",
        ),
        ("gemini", "/v1beta/files", "", "https://generativelanguage.googleapis.com/v1beta/files"),
    ] {
        let forward = passthrough(&config, provider, (path, query), &headers()).unwrap();
        assert_eq!(forward.url, expected);
    }
    for unknown in ["mock", "nobody", "openai", ""] {
        let error = passthrough(&config, unknown, ("/v1/files", ""), &headers()).unwrap_err();
        assert_eq!(error.status, 404, "{unknown}");
    }
}

/// What a budget need not know the cost of.
#[test]
fn looking_and_deleting_and_what_a_tenant_pays_for_itself_are_free() {
    let operators = gateway("", "");
    let own = OwnKey { provider: "alpha".to_owned(), fingerprint: "5f0e".to_owned(), value: Some("sk-own".to_owned()) };
    let theirs = operators.with_own(&[own]);
    for (config, is_stored, method, is_free) in [
        (&*operators, true, "GET", true),
        (&operators, true, "DELETE", true),
        (&operators, true, "POST", false),
        (&operators, false, "GET", false),
        (&operators, false, "POST", false),
        (&theirs, false, "POST", true),
    ] {
        let forward = passthrough(config, "alpha", ("/files", ""), &headers()).unwrap();
        assert_eq!(forward.is_free(config, is_stored, method), is_free, "{is_stored} {method}");
    }
}

#[test]
fn the_callers_key_and_address_stay_behind() {
    let forward = passthrough(&gateway("", ""), "alpha", ("/files", ""), &headers()).unwrap();
    let sent = all(&forward);
    for gone in ["pk-mine", "203.0.113.9", "cookie", "content-length", "x-portolan"] {
        assert!(!sent.contains(gone), "{gone}: {sent}");
    }
    for kept in ["multipart/form-data; boundary=x", "assistants=v2", "bytes=0-9", "Bearer value-of-ALPHA_KEY", "identity"] {
        assert!(sent.contains(kept), "{kept}: {sent}");
    }
    let back = |name: &str| answered(&[(name.to_owned(), "v".to_owned())]).iter().filter(|(_, value)| value == "v").count();
    for (name, expected) in [
        ("content-type", 1),
        ("content-range", 1),
        ("retry-after", 1),
        // Of the operator's account: those that callers see are of their own limits.
        ("x-ratelimit-remaining-requests", 0),
        ("set-cookie", 0),
        ("openai-organization", 0),
        ("anthropic-organization-id", 0),
        ("transfer-encoding", 0),
        ("content-encoding", 0),
        ("cf-ray", 0),
        ("x-request-id", 0),
    ] {
        assert_eq!(back(name), expected, "{name}");
    }
}

#[test]
fn a_stored_response_is_asked_of_who_keeps_it() {
    let config = gateway("", "");
    let ask = |owner, id: &str, rest: &str| stored(&config, (owner, true), (Kept::Responses, id, rest), "include=x", &headers());
    let forward = ask(Some("alpha"), "resp_1", "/input_items").unwrap();
    assert_eq!(forward.url, "https://alpha.example/v1/responses/resp_1/input_items?include=x");
    for (owner, id) in [
        (Some("gone"), "resp_1"),
        (None, "resp_portolan_1"),
        (Some("alpha"), "resp_portolan_1"),
        (Some("alpha"), "../x"),
        (Some("alpha"), ".."),
        (Some("alpha"), "."),
        (None, ""),
    ] {
        let error = ask(owner, id, "").unwrap_err();
        assert_eq!(error.status, 404, "{owner:?} {id}");
        assert!(error.message.contains("send the whole conversation"), "{}", error.message);
    }
}

#[test]
fn what_nobody_keeps_cannot_be_gone_on_from() {
    for (id, is_fine) in [(None, true), (Some("resp_1"), true), (Some("resp_portolan_1"), false)] {
        let checked = reply::check_continues(&Facts { continues: id.map(str::to_owned), ..Facts::default() }, true, false);
        assert_eq!(checked.is_ok(), is_fine, "{id:?}");
        if let Err(error) = checked {
            assert_eq!((error.status, error.param.as_deref()), (400, Some("previous_response_id")));
            assert!(error.message.contains("kept nowhere"), "{}", error.message);
        }
    }
}
