//! A provider that no caller speaks to in its own dialect, and whose streams have no end mark but a reason.

use portolan::dialect::Dialect;
use serde_json::{Value, json};

use super::{
    driver::Case,
    script::{
        Answer,
        Ending::{Clean, Cut, Stall},
        data, json, served, stream, told,
    },
};

const TARGETS: &str = "google/gemini-2.5-flash,beta/large";

fn piece(text: &str, rest: &str) -> String {
    data(&format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}],"role":"model"}},"index":0{rest}}}],"usageMetadata":{{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":15}},"modelVersion":"gemini-2026","responseId":"r1"}}"#
    ))
}

fn ends() -> String {
    piece("there", r#","finishReason":"STOP""#)
}

fn case(dialect: Dialect, is_stream: bool) -> Case {
    Case::of(dialect, TARGETS, is_stream)
}

fn each(test: impl Fn(Dialect)) {
    [Dialect::OpenAiChat, Dialect::Anthropic].into_iter().for_each(test);
}

#[test]
fn it_is_called_in_its_own_way() {
    each(|dialect| {
        for (is_stream, url, answer) in [
            (true, "models/gemini-2.5-flash:streamGenerateContent?alt=sse", stream([piece("Hi ", ""), ends()])),
            (false, "models/gemini-2.5-flash:generateContent", json(200, ends().trim_start_matches("data: ").trim())),
        ] {
            let run = case(dialect, is_stream).header("anthropic-version", "2026-10-21").run([answer]);
            let sent = &run.sends[0];
            assert_eq!(sent.url, format!("https://generativelanguage.googleapis.com/v1beta/{url}"));
            assert_eq!(sent.header("x-goog-api-key"), Some("value-of-GEMINI_API_KEY"));
            assert_eq!((sent.header("authorization"), sent.header("anthropic-version")), (None, None));
            let body: Value = serde_json::from_str(&sent.body).unwrap();
            assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": "Hello"}]}]));
            assert_eq!(run.status, 200, "{}", run.body);
            let (usage, record) = (run.record().usage.unwrap(), run.record());
            assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (6, 4, 5, 2));
            assert_eq!((record.answered_by.as_deref(), record.outcome), (Some("gemini-2026"), "ok"));
            assert!(run.body.contains("there") && run.native.is_none_or(|native| !native));
        }
    });
}

#[test]
fn a_reason_is_its_end_and_without_one_the_stream_broke() {
    each(|dialect| {
        for (rule, frames, ending, outcome) in [
            ("closed after its reason", vec![piece("Hi ", ""), ends()], Clean, "ok"),
            ("cut after its reason", vec![piece("Hi ", ""), ends()], Cut, "ok"),
            ("held open after its reason", vec![piece("Hi ", ""), ends()], Stall, "ok"),
            ("an empty answer", vec![piece("", r#","finishReason":"STOP""#)], Clean, "ok"),
            ("closed without a reason", vec![piece("Hi ", "")], Clean, "broken"),
            ("cut without a reason", vec![piece("Hi ", "")], Cut, "transient"),
            ("silent without a reason", vec![piece("Hi ", "")], Stall, "silent"),
        ] {
            let run = case(dialect, true).run([stream(frames).ending(ending)]);
            let what = format!("{rule}, {}: {}", dialect.name(), run.body);
            assert_eq!(run.record().outcome, outcome, "{what}");
            let end = if dialect == Dialect::Anthropic { "message_stop" } else { "[DONE]" };
            assert_eq!(run.body.contains(end), outcome == "ok", "{what}");
            assert_eq!(run.body.contains("\"error\""), outcome != "ok", "{what}");
        }
    });
}

#[test]
fn its_refusals_before_an_answer_are_judged_like_any() {
    let error = |status: u16, word: &str, message: &str| {
        json(status, &format!(r#"{{"error":{{"code":{status},"message":"{message}","status":"{word}"}}}}"#))
    };
    let in_band = stream([data(r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#)]);
    each(|dialect| {
        for (rule, is_stream, fault, hosts, outcome) in [
            (
                "wrong key, as a 400",
                false,
                error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
                "generativelanguage beta",
                "credential",
            ),
            ("bad request", false, error(400, "INVALID_ARGUMENT", "Bad."), "generativelanguage", "caller"),
            (
                "region",
                true,
                error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
                "generativelanguage beta",
                "region_blocked",
            ),
            (
                "overloaded",
                true,
                error(503, "UNAVAILABLE", "Overloaded."),
                "generativelanguage generativelanguage beta",
                "transient",
            ),
            ("in band", true, in_band.clone(), "generativelanguage beta", "transient"),
        ] {
            let tries = hosts.matches("generativelanguage").count();
            let mut answers: Vec<Answer> = vec![fault; tries];
            answers.extend(hosts.ends_with("beta").then(|| if is_stream { stream(told()) } else { served() }));
            let run = case(dialect, is_stream).run(answers);
            assert_eq!((run.hosts().as_str(), run.record().tries[0].outcome), (hosts, outcome), "{rule} {}", run.body);
        }
    });
}
