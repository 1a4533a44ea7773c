//! Forms: two readers of one must not find different models in it.

use portolan::{dialect::Dialect, dialect::surface::Operation, exchange::operate, wire::multipart};

fn model(content_type: &str, body: &str) -> Option<String> {
    operate::facts(Operation::Video, Dialect::OpenAiChat, body.as_bytes(), content_type).ok().map(|facts| facts.model)
}

const TYPE: &str = "multipart/form-data; boundary=x";

fn part(head: &str, value: &str) -> String {
    format!("--x\r\n{head}\r\n\r\n{value}\r\n")
}

#[test]
fn a_form_names_one_model() {
    let named = |name: &str, value: &str| part(&format!("Content-Disposition: form-data; name=\"{name}\""), value);
    let allowed = named("model", "lab/small");
    for (what, parts, expected) in [
        ("once", allowed.clone(), Some("lab/small")),
        ("beside others", format!("{}{allowed}{}", named("prompt", "p"), named("size", "s")), Some("lab/small")),
        ("twice", format!("{allowed}{}", named("model", "lab/large")), None),
        ("twice, in other letters", format!("{allowed}{}", named("MODEL", "lab/large")), None),
        ("without quotes", format!("{allowed}{}", part("content-disposition: form-data; name=model", "lab/large")), None),
        ("in another case", format!("{allowed}{}", part("CONTENT-DISPOSITION: form-data; NAME=\"model\"", "lab/large")), None),
        ("with spaces", format!("{allowed}{}", part("content-disposition : form-data; name = \"model\"", "lab/large")), None),
        ("extended", format!("{allowed}{}", part("content-disposition: form-data; name*=utf-8''model", "lab/large")), None),
        ("escaped", format!("{allowed}{}", part("content-disposition: form-data; name=\"mod\\el\"", "lab/large")), None),
        ("percent", format!("{allowed}{}", part("content-disposition: form-data; name=\"%6dodel\"", "lab/large")), None),
        (
            "two names",
            format!("{allowed}{}", part("content-disposition: form-data; name=\"a\"; name=\"model\"", "lab/large")),
            None,
        ),
        (
            "two dispositions",
            format!(
                "{allowed}{}",
                part("content-disposition: form-data; name=\"a\"\r\ncontent-disposition: form-data; name=\"model\"", "x")
            ),
            None,
        ),
        ("a part without a name", format!("{allowed}{}", part("content-type: text/plain", "lab/large")), None),
        (
            "a file of the name",
            format!("{allowed}{}", part("content-disposition: form-data; name=\"image\"; filename=\"model\"", "x")),
            Some("lab/small"),
        ),
    ] {
        assert_eq!(model(TYPE, &format!("{parts}--x--\r\n")).as_deref(), expected, "{what}");
    }
    assert_eq!(model(TYPE, &allowed), None, "without an end");
}

#[test]
fn a_form_has_one_boundary() {
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for (content_type, expected) in [
        ("multipart/form-data; boundary=x", Some("x")),
        ("Multipart/Form-Data; Boundary=\"x\"; charset=utf-8", Some("x")),
        ("multipart/form-data; boundary=x; boundary=y", None),
        ("multipart/form-data; boundary=x; BOUNDARY=y", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data", None),
        ("application/json; boundary=x", None),
        (&long, None),
    ] {
        assert_eq!(multipart::boundary(content_type), expected, "{content_type}");
    }
}
