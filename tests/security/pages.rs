//! Pages of other sites: what they may read, and what they may not make a browser do.

use portolan::{
    dialect::surface::{self, Line, Surface},
    guard::{check_operator_page, cors, preflight},
};

fn origins(list: &[&str]) -> Vec<String> {
    list.iter().map(|origin| (*origin).to_owned()).collect()
}

fn said<'a>(headers: &'a [(&'static str, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(n, _)| *n == name).map(|(_, value)| value.as_str()).collect()
}

const ALLOW: &str = "access-control-allow-origin";

#[test]
fn only_pages_on_the_list_may_read() {
    for (listed, origin, allowed, varies) in [
        (vec![], Some("https://app.example"), None, false),
        (vec![], Some("null"), None, false),
        (vec!["https://app.example"], Some("https://app.example"), Some("https://app.example"), true),
        (vec!["https://app.example"], None, None, true),
        (vec!["https://app.example"], Some("https://app.example.evil.example"), None, true),
        (vec!["https://app.example"], Some("https://evil-app.example"), None, true),
        (vec!["https://app.example"], Some("http://app.example"), None, true),
        (vec!["https://app.example"], Some("https://app.example:8443"), None, true),
        (vec!["https://app.example"], Some("https://APP.example"), None, true),
        (vec!["https://app.example"], Some("null"), None, true),
        (vec!["https://app.example"], Some(""), None, true),
        (vec!["https://a.example", "https://b.example"], Some("https://b.example"), Some("https://b.example"), true),
        // Anybody: the same for all, and never the asker's name.
        (vec!["*"], Some("https://evil.example"), Some("*"), false),
        (vec!["*"], None, Some("*"), false),
    ] {
        let headers = cors(&origins(&listed), origin);
        assert_eq!(said(&headers, ALLOW), allowed.into_iter().collect::<Vec<_>>(), "{listed:?} {origin:?}");
        assert_eq!(said(&headers, "vary").contains(&"origin"), varies, "{listed:?} {origin:?}");
        let all = preflight(&origins(&listed), origin, Some("authorization"));
        for headers in [&headers, &all] {
            assert!(said(headers, "access-control-allow-credentials").is_empty(), "no cookies are taken, none are asked for");
        }
        assert_eq!(!said(&all, "access-control-allow-methods").is_empty(), allowed.is_some(), "{listed:?} {origin:?}");
        assert_eq!(!said(&all, "access-control-allow-headers").is_empty(), allowed.is_some(), "{listed:?} {origin:?}");
    }
}

#[test]
fn what_is_asked_is_repeated_only_where_it_is_a_list_of_names() {
    let list = origins(&["https://app.example"]);
    for (asked, told) in [
        (Some("authorization, content-type"), "authorization, content-type"),
        (Some("x-a\r\nset-cookie: a=b"), "*"),
        (Some("<script>"), "*"),
        (None, "*"),
    ] {
        assert_eq!(said(&preflight(&list, Some("https://app.example"), asked), "access-control-allow-headers"), [told]);
    }
}

/// No page may ask of the operator's paths, whatever origins are listed for callers.
#[test]
fn administrative_paths_answer_no_preflight() {
    for (path, is_asked) in [
        ("/v1/chat/completions", true),
        ("/passthrough/openai/v1/files", true),
        ("/v1/responses/resp_1", true),
        ("/nothing/here", true),
        ("/admin/v1", false),
        ("/admin/v1/config", false),
        ("/admin/v1/keys/x", false),
        ("//admin/v1/config", false),
    ] {
        let line = Line { method: "OPTIONS", path, query: "", headers: &[] };
        assert_eq!(surface::read(line) == Surface::Preflight, is_asked, "{path}");
    }
}

#[test]
fn no_page_makes_an_operators_browser_call() {
    let own = "https://gw.example";
    let json = ("content-type", "application/json");
    for (method, headers, status) in [
        // A program.
        ("GET", vec![], 200),
        ("PUT", vec![json], 200),
        ("POST", vec![("content-type", "application/json; charset=utf-8")], 200),
        ("POST", vec![], 200),
        ("PUT", vec![("content-type", "application/x-www-form-urlencoded")], 200),
        ("DELETE", vec![], 200),
        // The gateway's own page, and an address typed in.
        ("GET", vec![("sec-fetch-site", "same-origin"), ("origin", own)], 200),
        ("PUT", vec![("sec-fetch-site", "same-origin"), ("origin", own), json], 200),
        ("GET", vec![("sec-fetch-site", "none")], 200),
        ("GET", vec![("origin", "HTTPS://GW.example")], 200),
        // Pages of others.
        ("GET", vec![("sec-fetch-site", "cross-site")], 403),
        ("GET", vec![("sec-fetch-site", "same-site")], 403),
        ("GET", vec![("sec-fetch-site", "made-up")], 403),
        ("GET", vec![("origin", "https://evil.example")], 403),
        ("GET", vec![("origin", "null")], 403),
        ("GET", vec![("origin", "")], 403),
        ("PUT", vec![("origin", "https://gw.example.evil.example"), json], 403),
        ("PUT", vec![("origin", "http://gw.example"), json], 403),
        ("PUT", vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example"), json], 403),
        ("DELETE", vec![("sec-fetch-site", "cross-site")], 403),
        // Forms.
        ("POST", vec![("content-type", "text/plain")], 400),
        ("PUT", vec![("content-type", "Text/Plain; charset=utf-8")], 400),
        ("POST", vec![("content-type", "multipart/form-data; boundary=x")], 400),
        ("POST", vec![("content-type", "application/x-www-form-urlencoded"), ("origin", own)], 400),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let got = check_operator_page(method, own, &headers).map_or_else(|error| error.status, |()| 200);
        assert_eq!(got, status, "{method} {headers:?}");
    }
}
