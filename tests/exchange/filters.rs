//! What a provider's content filter refuses, or withholds whole: the caller's affair, unless the route says otherwise.

use portolan::dialect::Dialect;

use super::{
    driver::{Case, gateway},
    script::{Answer, CHAT, MESSAGE, done, error, event, json, message_start, role, says, served, stop, stream, told},
};

const ROUTES: &str = r#"{
    "chat": {"targets": ["alpha/small", "beta/large"], "on_content_filter": "fallback"},
    "claude": {"targets": ["gamma/claude", "beta/large"], "on_content_filter": "fallback"},
    "google": {"targets": ["google/gemini-2.5-flash", "beta/large"], "on_content_filter": "fallback"},
    "last": {"targets": ["alpha/small"], "on_content_filter": "fallback"},
    "usual": {"targets": ["alpha/small", "beta/large"]}
}"#;

fn withheld() -> String {
    stop().replace("stop", "content_filter")
}

fn rows() -> Vec<(&'static str, &'static str, Answer, bool)> {
    let refused = || error(400, "content_filter", "The prompt was refused.");
    let nothing = || json(200, &CHAT.replace(r#""Hi there""#, "null").replace(r#""stop""#, r#""content_filter""#));
    let partly = || json(200, &CHAT.replace(r#""stop""#, r#""content_filter""#));
    let claude = json(200, &MESSAGE.replace(r#"{"type":"text","text":"Hi there"}"#, "").replace("end_turn", "refusal"));
    let claude_stream = stream([
        message_start(),
        event("message_delta", r#""delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":1}"#),
        event("message_stop", ""),
    ]);
    let gemini =
        r#"{"candidates":[{"index":0,"finishReason":"SAFETY"}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#;
    let blocked =
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#;
    vec![
        ("a refusal", "chat", refused(), true),
        ("an answer withheld", "chat", nothing(), true),
        ("an answer cut short", "chat", partly(), false),
        ("a stream withheld", "chat", stream([role(), withheld(), done()]), true),
        ("the same in one chunk", "chat", stream([role() + &withheld() + &done()]), true),
        ("a stream cut short", "chat", stream([role(), says("Hi"), withheld(), done()]), false),
        ("Anthropic's", "claude", claude, true),
        ("Anthropic's, streamed", "claude", claude_stream, true),
        ("Gemini's", "google", json(200, gemini), true),
        ("Gemini's, of the prompt", "google", json(200, blocked), true),
        ("Gemini's, streamed", "google", stream([format!("data: {gemini}\r\n\r\n")]), true),
        ("nobody else to ask", "last", nothing(), false),
        ("nobody else to ask in a stream", "last", stream([role(), withheld(), done()]), false),
        ("no word of it in the route", "usual", nothing(), false),
        ("no word of it in the route of a stream", "usual", stream([role(), withheld(), done()]), false),
    ]
}

#[test]
fn only_a_route_that_says_so_is_routed_around_a_filter() {
    let config = gateway(ROUTES, "");
    for (what, route, answer, moves) in rows() {
        let is_stream = answer.headers.iter().any(|(_, value)| value.starts_with("text/event-stream"));
        let next = if is_stream { stream(told()) } else { served() };
        let count = if moves { 2 } else { 1 };
        let run = Case::with(config.clone(), Dialect::OpenAiChat, route, is_stream).run([answer, next].into_iter().take(count));
        assert_eq!(run.status, 200, "{what}");
        let outcomes: Vec<&str> = run.record().tries.iter().map(|t| t.outcome).collect();
        assert_eq!(outcomes, if moves { vec!["content_filter", "ok"] } else { vec!["ok"] }, "{what}");
        assert_eq!(run.body.contains("content_filter"), !moves, "{what}: {}", run.body);
        assert_eq!(run.learned().len(), 1, "{what}: a filter says nothing of anybody's health");
    }
}

#[test]
fn what_every_target_refuses_is_told_as_it_is() {
    let refused = error(400, "content_filter", "The prompt was refused.");
    let run = Case::with(gateway(ROUTES, ""), Dialect::OpenAiChat, "chat", false).run([refused.clone(), refused]);
    assert_eq!((run.hosts().as_str(), run.status), ("alpha beta", 400));
    assert!(run.body.contains("content_filter"), "{}", run.body);
}
