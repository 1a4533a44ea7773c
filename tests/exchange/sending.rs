//! What goes to a provider: where, with which headers, and the body byte for byte.

use portolan::dialect::Dialect;
use serde_json::{Value, json};

use super::{
    driver::{Case, gateway},
    script::{MESSAGE, error, json, message, served, stream, told},
};

/// Odd numbers, odd order, odd spacing, members nobody knows: all of it the caller's.
const ODD: &str = "{ \"zz\" : 1e2,\t\"model\":\"alpha/small\", \"n\":10000000000000000000001,\n\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9\"}],\"future\":{\"b\":1,\"a\":[ ]} }";

#[test]
fn a_body_of_the_same_dialect_keeps_every_byte_but_the_models() {
    let run = Case::chat("x").body(ODD).run([served()]);
    assert_eq!(run.sends[0].body, ODD.replace("\"alpha/small\"", "\"small\""));
    // With no edit at all: the very bytes.
    let config = gateway(r#"{"small":{"targets":["alpha/small"]}}"#, "");
    let body = ODD.replace("alpha/small", "small");
    let run = Case::with(config, Dialect::OpenAiChat, "x", false).body(&body).run([served()]);
    assert_eq!(run.sends[0].body, body);
}

#[test]
fn what_is_said_of_the_routing_stays_here() {
    let said =
        r#""models":["beta/large"],"fallbacks":[{"model":"beta/large"}],"provider":{"order":["beta"],"quantizations":["fp8"]},"#;
    let body = |model: &str, said: &str| format!(r#"{{"model":"{model}",{said}"messages":[]}}"#);
    let run = Case::chat("x").body(&body("alpha/small", said)).run([served()]);
    assert_eq!(run.sends[0].body, body("large", ""));
    assert_eq!(run.header("x-portolan-reason"), Some("caller's order 1"));
    assert_eq!(run.header("x-portolan-dropped"), Some("fallbacks, provider.quantizations"), "what was followed is not lost");
    // In another dialect no less.
    let run = Case::chat("x").body(&body("gamma/claude", r#""max_tokens":9,"models":["beta/large"],"#)).run([json(200, MESSAGE)]);
    assert_eq!(run.header("x-portolan-dropped"), None);
    assert!(!run.sends[0].body.contains("beta"), "{}", run.sends[0].body);
}

#[test]
fn each_edit_touches_its_own_member_only() {
    let config = gateway(
        r#"{"tuned":{"targets":[{"model":"alpha/small","params":{"override":{"temperature":0},"default":{"n":2,"top_p":0.5},"drop":["future"]}}]}}"#,
        "",
    );
    let body = ODD.replace("alpha/small", "tuned");
    let run = Case::with(config, Dialect::OpenAiChat, "x", false).body(&body).run([served()]);
    let sent: serde_json::Map<String, Value> = serde_json::from_str(&run.sends[0].body).unwrap();
    assert_eq!((&sent["temperature"], &sent["top_p"], sent.contains_key("future")), (&json!(0), &json!(0.5), false));
    assert!(run.sends[0].body.contains("\"zz\" : 1e2,"), "{}", run.sends[0].body);
    assert!(run.sends[0].body.contains("\"n\":10000000000000000000001"), "{}", run.sends[0].body);
    assert!(run.sends[0].body.contains("h\\u00e9"), "{}", run.sends[0].body);
}

#[test]
fn each_attempt_starts_from_the_callers_own_body() {
    let failing = error(500, "oops", "Oops.").header("x-should-retry", "false");
    let run = Case::chat("alpha/small,gamma/claude,beta/large").run([failing.clone(), failing, served()]);
    let model = |at: usize| serde_json::from_str::<Value>(&run.sends[at].body).unwrap()["model"].clone();
    assert_eq!((model(0), model(1), model(2)), (json!("small"), json!("claude"), json!("large")));
    let original = Case::chat("alpha/small,gamma/claude,beta/large").body;
    assert_eq!(run.sends[2].body, original.replace("alpha/small,gamma/claude,beta/large", "large"));
}

#[test]
fn usage_is_asked_for_where_the_caller_did_not() {
    let with = |options: &str| {
        let case = Case::chat_stream("alpha/small");
        let body = case.body.replace("\"stream\":true", &format!("\"stream\":true{options}"));
        let run = case.body(&body).run([stream(told())]);
        let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
        (sent["stream_options"]["include_usage"].clone(), run.native, run.body.contains("prompt_tokens"))
    };
    assert_eq!(with(""), (json!(true), Some(false), false), "asked for, and hidden");
    assert_eq!(with(r#","stream_options":{"include_usage":false}"#), (json!(true), Some(false), false));
    assert_eq!(with(r#","stream_options":{"include_usage":true}"#), (json!(true), Some(true), true), "the caller's own");
    let run = Case::chat("alpha/small").run([served()]);
    assert!(!run.sends[0].body.contains("stream_options"), "without stream it would be refused");
    let run = Case::of(Dialect::Anthropic, "gamma/claude", true).run([stream(message())]);
    assert!(!run.sends[0].body.contains("stream_options") && run.native == Some(true));
}

#[test]
fn urls_and_headers_are_the_providers() {
    let beta = "interleaved-thinking-2025-05-14";
    for (rule, dialect, model, is_stream, url, present, absent) in [
        (
            "chat",
            Dialect::OpenAiChat,
            "alpha/small",
            false,
            "https://alpha.example/v1/chat/completions",
            vec![("authorization", "Bearer value-of-ALPHA_KEY"), ("accept", "application/json"), ("openai-beta", "x=1")],
            vec!["x-api-key", "anthropic-version", "cookie", "x-request-id", "x-forwarded-for"],
        ),
        (
            "Anthropic, the caller's version and betas",
            Dialect::Anthropic,
            "gamma/claude",
            true,
            "https://gamma.example/v1/messages",
            vec![
                ("x-api-key", "value-of-GAMMA_KEY"),
                ("anthropic-version", "2026-10-21"),
                ("anthropic-beta", beta),
                ("accept", "text/event-stream"),
            ],
            vec!["authorization", "cookie"],
        ),
        (
            "translated: the version its bodies are written in, no betas",
            Dialect::OpenAiChat,
            "gamma/claude",
            false,
            "https://gamma.example/v1/messages",
            vec![("x-api-key", "value-of-GAMMA_KEY"), ("anthropic-version", "2023-06-01")],
            vec!["authorization", "anthropic-beta", "openai-beta", "cookie"],
        ),
    ] {
        let case = Case::of(dialect, model, is_stream)
            .header("authorization", "Bearer the-callers-own-key")
            .header("x-api-key", "the-callers-own-key")
            .header("cookie", "secret=1")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-request-id", "mine")
            .header("openai-beta", "x=1")
            .header("anthropic-version", "2026-10-21")
            .header("anthropic-beta", beta)
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let answer = match (is_stream, model) {
            (true, _) => stream(message()),
            (false, "gamma/claude") => json(200, MESSAGE),
            (false, _) => served(),
        };
        let run = case.run([answer]);
        let sent = &run.sends[0];
        assert_eq!(sent.url, url, "{rule}");
        for (name, value) in present.into_iter().chain([
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("content-type", "application/json"),
        ]) {
            assert_eq!(sent.header(name), Some(value), "{rule}: {name}");
        }
        for name in absent {
            assert_eq!(sent.header(name), None, "{rule}: {name}");
        }
        assert!(!format!("{sent:?}").contains("the-callers-own-key"), "{rule}");
        let mut names: Vec<_> = sent.headers.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), sent.headers.len(), "{rule}: each header once");
    }
}

#[test]
fn what_cannot_be_carried_is_said() {
    let body = r#"{"model":"gamma/claude","logit_bias":{"1":2},"messages":[{"role":"user","content":"Hello"}]}"#;
    let run = Case::chat("x").body(body).run([json(200, MESSAGE)]);
    assert_eq!(run.header("x-portolan-dropped"), Some("logit_bias"));
    assert_eq!(run.record().dropped, ["logit_bias"]);
    let verbatim = body.replace("gamma/claude", "alpha/small");
    let run = Case::chat("x").body(&verbatim).run([served()]);
    assert_eq!((run.header("x-portolan-dropped"), run.record().dropped.len()), (None, 0));
    // Of the attempt that served, not of the one before.
    let failing = error(500, "oops", "Oops.").header("x-should-retry", "false");
    let both = body.replace("gamma/claude", "gamma/claude,alpha/small");
    let run = Case::chat("x").body(&both).run([failing, served()]);
    assert_eq!(run.header("x-portolan-dropped"), None);
}
