use portolan::{
    dialect::{Caller, Upstream, openai_responses::OpenAiResponses},
    error::{Error, Kind},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

use super::body;

#[test]
fn errors_are_openais() {
    let error = Error::new(Kind::ModelNotFound, "No such model.");
    let written: Value = serde_json::from_str(&OpenAiResponses.write_error(&error, "req_1")).unwrap();
    let expected = json!({"error": {"message": "No such model.", "type": "invalid_request_error", "param": null,
        "code": "model_not_found", "request_id": "req_1"}});
    assert_eq!(written, expected);
    let read = OpenAiResponses.read_error(429, r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#);
    assert_eq!((read.status, read.message.as_str(), read.code.as_deref()), (429, "slow", Some("rate_limit_exceeded")));
    assert_eq!(OpenAiResponses.path("m", true), "/responses");
}

/// What an answer of another dialect left behind is taken out, what was wrapped is unwrapped; else only the model changes.
#[test]
fn a_callers_own_body_keeps_its_bytes() {
    let edited = |body: &str| {
        let outline = Outline::read(body.as_bytes()).unwrap();
        join(body, &outline.edit(&OpenAiResponses.edits(&outline, "other", true)))
    };
    let plain = r#"{ "model":"m" , "input": [ {"type":"reasoning","encrypted_content":"gAAA"} ], "store":true}"#;
    assert_eq!(edited(plain), plain.replace(r#""m""#, r#""other""#));

    let original = r#"{"id":"rs_9","encrypted_content":"e","summary":[]}"#;
    let reasoning = |sealed: &str| json!({"type": "reasoning", "id": "rs_x", "summary": [], "encrypted_content": sealed});
    for (sealed, kept) in [
        ("portolan:", None),
        ("portolan:anthropic:sig", None),
        ("portolan:a-dialect-of-tomorrow:sig", None),
        ("portolan-call:gemini:1:csig", None),
        ("portolan-redacted:anthropic:data", None),
        (
            &format!("portolan:openai-responses:{original}"),
            Some(json!({"type": "reasoning", "id": "rs_9", "encrypted_content": "e", "summary": []})),
        ),
        ("gAAA", Some(reasoning("gAAA"))),
    ] {
        // A marked text of the user's is his.
        let said = json!({"role": "user", "content": "portolan:"});
        let after: Value = serde_json::from_str(&edited(&body(json!({"input": [reasoning(sealed), said]})))).unwrap();
        let expected: Vec<Value> = kept.into_iter().chain([said]).collect();
        assert_eq!(after["input"], json!(expected), "{sealed}");
    }
}
