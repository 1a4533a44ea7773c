//! What callers say of the routing: read, refused and passed over.

use portolan::{
    config::MaxPrice,
    error::{Error, Kind},
    plan::{Sort, Wishes},
    units::Money,
    wire::json::Outline,
};

fn read(members: &str, headers: &[(&str, &str)]) -> Result<Wishes, Error> {
    let body = format!(r#"{{"model":"x"{members}}}"#);
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Wishes::read(&Outline::read(body.as_bytes()).unwrap(), &headers)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn bodies_say_it_in_openrouters_words() {
    let none = Wishes::NONE;
    let provider = || Wishes { obeyed: vec!["provider"], ..Wishes::NONE };
    for (members, expected) in [
        ("", none.clone()),
        (r#","models":["a/b","c"]"#, Wishes { models: texts(&["a/b", "c"]), obeyed: vec!["models"], ..none.clone() }),
        (
            r#","models":["a"],"fallbacks":["b"]"#,
            Wishes { models: texts(&["a", "b"]), obeyed: vec!["models", "fallbacks"], ..none.clone() },
        ),
        (r#","fallbacks":[{"model":"b"}]"#, Wishes { ignored: texts(&["fallbacks"]), ..none.clone() }),
        (r#","models":"b""#, Wishes { ignored: texts(&["models"]), ..none.clone() }),
        (r#","provider":"openai""#, none.clone()),
        (r#","provider":null"#, none.clone()),
        (r#","provider":{}"#, provider()),
        (
            r#","provider":{"order":["a"],"only":["b"],"ignore":["c"],"allow_fallbacks":false,"require_parameters":true}"#,
            Wishes {
                order: texts(&["a"]),
                only: texts(&["b"]),
                ignore: texts(&["c"]),
                allow_fallbacks: Some(false),
                require_parameters: true,
                ..provider()
            },
        ),
        (r#","provider":{"data_collection":"deny"}"#, Wishes { zdr: true, ..provider() }),
        (r#","provider":{"data_collection":"allow","zdr":false}"#, provider()),
        (r#","provider":{"sort":"price"}"#, Wishes { sort: Some(Sort::Price), ..provider() }),
        (r#","provider":{"sort":{"by":"throughput","partition":"none"}}"#, Wishes { sort: Some(Sort::Throughput), ..provider() }),
        (
            r#","provider":{"max_price":{"prompt":0.5,"completion":"1","image":2},"quantizations":["fp8"]}"#,
            Wishes {
                max_price: MaxPrice { input: Some(Money(500_000)), output: Some(Money(1_000_000)) },
                ignored: texts(&["provider.max_price.image", "provider.quantizations"]),
                ..provider()
            },
        ),
        (
            r#","metadata":{"team":"legal","n":1,"session_id":"s"}"#,
            Wishes {
                metadata: vec![("team".to_owned(), "legal".to_owned()), ("session_id".to_owned(), "s".to_owned())],
                session: Some("s".to_owned()),
                ..none.clone()
            },
        ),
        (r#","prompt_cache_key":"k","session_id":"s""#, Wishes { session: Some("k".to_owned()), ..none }),
    ] {
        assert_eq!(read(members, &[]).unwrap(), expected, "{members}");
    }
}

#[test]
fn headers_say_it_in_ours() {
    let wishes = read(
        r#","metadata":{"team":"body","kind":"b"},"prompt_cache_key":"k""#,
        &[
            ("authorization", "Bearer x"),
            ("x-portolan-route", "smart"),
            ("x-portolan-metadata", r#"{"team":"header","n":7}"#),
            ("x-portolan-timeout-ms", "2500"),
            ("x-portolan-zdr", "required"),
            ("x-portolan-session", "mine"),
            ("x-portolan-cache", "no"),
        ],
    )
    .unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = Wishes {
        route: Some("smart".to_owned()),
        metadata: vec![pair("team", "header"), pair("n", "7"), pair("kind", "b")],
        timeout_ms: Some(2500),
        zdr: true,
        session: Some("mine".to_owned()),
        ..Wishes::NONE
    };
    assert_eq!(wishes, expected);
}

#[test]
fn what_cannot_be_meant_is_an_error_that_names_it() {
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(5_000));
    let many = format!(r#","models":[{}]"#, vec![r#""a""#; 17].join(","));
    for (members, header, param) in [
        (r#","provider":{"order":"openai"}"#, None, "provider.order"),
        (r#","provider":{"only":[1]}"#, None, "provider.only"),
        (r#","provider":{"sort":"size"}"#, None, "provider.sort"),
        (r#","provider":{"sort":{}}"#, None, "provider.sort"),
        (r#","provider":{"data_collection":"no"}"#, None, "provider.data_collection"),
        (r#","provider":{"allow_fallbacks":"no"}"#, None, "provider.allow_fallbacks"),
        (r#","provider":{"max_price":{"prompt":-1}}"#, None, "provider.max_price.prompt"),
        (r#","provider":{"max_price":{"completion":"cheap"}}"#, None, "provider.max_price.completion"),
        (many.as_str(), None, "models"),
        ("", Some(("x-portolan-route", " ")), "x-portolan-route"),
        ("", Some(("x-portolan-timeout-ms", "0")), "x-portolan-timeout-ms"),
        ("", Some(("x-portolan-timeout-ms", "3600001")), "x-portolan-timeout-ms"),
        ("", Some(("x-portolan-timeout-ms", "1.5")), "x-portolan-timeout-ms"),
        ("", Some(("x-portolan-zdr", "maybe")), "x-portolan-zdr"),
        ("", Some(("x-portolan-metadata", "team=legal")), "x-portolan-metadata"),
        ("", Some(("x-portolan-metadata", r#"{"a":{}}"#)), "x-portolan-metadata"),
        ("", Some(("x-portolan-metadata", &long)), "x-portolan-metadata"),
    ] {
        let error = read(members, header.as_slice()).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{members} {header:?}");
        assert!(error.message.contains(param), "{}", error.message);
    }
}

#[test]
fn a_key_that_may_not_choose_still_gets_what_narrows() {
    let said = r#","models":["a"],"fallbacks":[{}],"provider":{"zdr":true,"order":["a"],"sort":"price"},"metadata":{"team":"x"}"#;
    let wishes = || read(said, &[("x-portolan-timeout-ms", "9"), ("x-portolan-session", "s")]).unwrap();
    assert_eq!(wishes().within(true).unwrap(), wishes());
    let expected = Wishes {
        zdr: true,
        metadata: vec![("team".to_owned(), "x".to_owned())],
        timeout_ms: Some(9),
        session: Some("s".to_owned()),
        ignored: texts(&["models", "provider", "fallbacks"]),
        ..Wishes::NONE
    };
    assert_eq!(wishes().within(false).unwrap(), expected);
    let error = read("", &[("x-portolan-route", "smart")]).unwrap().within(false).unwrap_err();
    assert_eq!((error.kind, error.param.as_deref()), (Kind::Forbidden, Some("x-portolan-route")));
}
