//! FAILOVER 7: the conformance scenarios before and inside a stream, and ours.

use portolan::{dialect::Dialect, plan::outcome::Transport};

use super::{
    driver::{Case, gateway},
    script::{
        Answer,
        Ending::{Clean, Cut, Stall},
        MESSAGE, data, done, error, event, fails, json, message, message_start, role, says, served, silent, stop, stream, told,
        usage,
    },
};

const TWO: &str = "alpha/small,beta/large";

/// (scenario, answers, houses called, time of the last send, at most this long)
type Row = (&'static str, Vec<Answer>, &'static str, std::ops::Range<u64>, u64);

fn good(is_stream: bool) -> Answer {
    if is_stream { stream(told()) } else { served() }
}

fn rows(is_stream: bool) -> Vec<Row> {
    let limited = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "2");
    let down = error(503, "oops", "Oops.");
    let long = error(400, "context_length_exceeded", "This model's maximum context length is 8000 tokens.");
    let filtered = error(400, "content_filter", "The prompt was refused.");
    let gone = error(404, "model_not_found", "The model `small` does not exist.");
    let reset = fails(Transport::Reset);
    let slow = error(500, "oops", "Oops.").ending(Stall);
    vec![
        ("S01 429 once", vec![limited.clone(), good(is_stream)], "alpha alpha", 1_800..2_500, 2_500),
        ("S02 429 for ever", vec![limited.clone(), limited, good(is_stream)], "alpha alpha beta", 2_000..3_000, 3_000),
        ("S03 500 once", vec![error(500, "oops", "Oops."), good(is_stream)], "alpha alpha", 100..251, 251),
        ("S04 503 for ever", vec![down.clone(), down, good(is_stream)], "alpha alpha beta", 100..251, 251),
        ("S05 reset once", vec![reset.clone(), good(is_stream)], "alpha alpha", 100..251, 251),
        ("S05 reset for ever", vec![reset.clone(), reset, good(is_stream)], "alpha alpha beta", 100..251, 251),
        ("S12 too long", vec![long, good(is_stream)], "alpha beta", 0..1, 1),
        ("S13 content filter", vec![filtered], "alpha", 0..1, 1),
        ("a model that is gone", vec![gone, good(is_stream)], "alpha beta", 0..1, 1),
        (
            "an error's body at one byte a second",
            vec![slow.clone(), slow, good(is_stream)],
            "alpha alpha beta",
            0..12_000,
            12_000,
        ),
    ]
}

#[test]
fn faults_before_any_answer() {
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        for is_stream in [false, true] {
            for (scenario, answers, hosts, last_send, at_most) in rows(is_stream) {
                let run = Case::of(dialect, TWO, is_stream).run(answers);
                let what = format!("{scenario}, {} {is_stream}", dialect.name());
                assert_eq!(run.hosts(), hosts, "{what}");
                assert!(last_send.contains(&run.sends.last().unwrap().at), "{what}: {:?}", run.sends);
                assert!(run.took <= at_most, "{what}: {} ms", run.took);
                assert_eq!(run.status, if scenario.starts_with("S13") { 400 } else { 200 }, "{what}");
            }
        }
    }
}

#[test]
fn faults_inside_a_stream_before_its_first_content() {
    let in_band = data(r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#);
    let refused = data(r#"{"error":{"message":"Refused.","type":"invalid_request_error","code":"content_filter"}}"#);
    let overloaded = event("error", r#""error":{"type":"overloaded_error","message":"Overloaded"}"#);
    let page =
        || Answer { headers: vec![("content-type".to_owned(), "text/html".to_owned())], ..stream(["<html>\n\n<p>Hello</p>\n"]) };
    let large_page =
        || Answer { headers: vec![("content-type".to_owned(), "text/html".to_owned())], ..stream(["<p>x</p>\n".repeat(50_000)]) };
    let filler = || vec![": keep-alive\n\n".to_owned(); 200];
    for (scenario, targets, fault, hosts, outcome, at_most) in [
        ("S06 silence", TWO, silent(), "alpha beta", "silent", 12_000),
        ("S07 first token after 20 s", TWO, stream([role(), says("Hi")]).wait(1, 20_000), "alpha beta", "silent", 15_000),
        ("comments are no token", TWO, stream(filler()).ending(Stall), "alpha beta", "silent", 12_000),
        ("in-band error as first event", TWO, stream([in_band.clone()]), "alpha beta", "transient", 500),
        ("metadata, then an error", TWO, stream([role(), in_band.clone()]), "alpha beta", "transient", 500),
        ("the same in one chunk", TWO, stream([role() + &in_band]), "alpha beta", "transient", 500),
        ("content and error in one chunk: unseen", TWO, stream([says("Hi") + &in_band]), "alpha beta", "transient", 500),
        ("in-band refusal", TWO, stream([role(), refused]), "alpha", "content_filter", 0),
        ("a page with status 200", TWO, page(), "alpha beta", "broken", 0),
        ("a large page with status 200", TWO, large_page(), "alpha beta", "broken", 0),
        ("an error object instead of a stream", TWO, error(200, "overloaded", "Busy."), "alpha beta", "transient", 500),
        ("an empty stream", TWO, stream([""; 0]), "alpha beta", "broken", 0),
        ("metadata only", TWO, stream([role()]), "alpha beta", "broken", 0),
        ("an end without an answer", TWO, stream([role(), done()]), "alpha beta", "broken", 0),
        ("nothing but an end", TWO, stream([done()]), "alpha beta", "broken", 0),
        ("metadata, then a cut", TWO, stream([role()]).ending(Cut), "alpha alpha beta", "transient", 500),
        ("malformed only", TWO, stream(["data: {\"\n\n"]), "alpha beta", "broken", 0),
        (
            "Anthropic: error after its start",
            "gamma/claude,beta/large",
            stream([message_start(), overloaded]),
            "gamma beta",
            "transient",
            500,
        ),
        (
            "Anthropic: start and end",
            "gamma/claude,beta/large",
            stream([message_start(), event("message_stop", "")]),
            "gamma beta",
            "broken",
            0,
        ),
    ] {
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
            let tries = hosts.split(' ').filter(|host| *host != "beta").count();
            let mut answers = vec![fault.clone(); tries];
            answers.extend(hosts.ends_with("beta").then(|| stream(told())));
            let run = Case::of(dialect, targets, true).run(answers);
            let what = format!("{scenario}, {}", dialect.name());
            assert_eq!(run.hosts(), hosts, "{what}");
            assert_eq!(run.record().tries[0].outcome, outcome, "{what}");
            assert!(run.took <= at_most, "{what}: {} ms", run.took);
            if hosts.ends_with("beta") {
                assert_eq!((run.status, run.record().outcome), (200, "ok"), "{what}");
                assert_eq!(run.body.matches("Hi ").count(), 1, "{what}: {}", run.body);
            } else {
                assert_eq!((run.status, run.native), (400, None), "{what}");
            }
        }
    }
}

#[test]
fn errors_inside_a_whole_200_are_judged_by_their_words() {
    for (scenario, fault, hosts) in [
        ("overloaded", error(200, "overloaded_error", "Busy."), "alpha beta"),
        ("content filter", error(200, "content_filter", "Refused."), "alpha"),
        ("too long", error(200, "context_length_exceeded", "Too long."), "alpha beta"),
        ("a status within", json(200, r#"{"error":{"message":"Slow down","code":429}}"#), "alpha beta"),
        ("words nobody knows", error(200, "zzz", "Zzz."), "alpha beta"),
    ] {
        let tries = hosts.matches("alpha").count();
        let mut answers = vec![fault; tries];
        answers.extend(hosts.ends_with("beta").then(served));
        let run = Case::chat(TWO).run(answers);
        assert_eq!(run.hosts(), hosts, "{scenario}");
        let first = run.record().tries[0].clone();
        let trail = run.header("x-portolan-attempts").unwrap().split(['=', ',']).nth(1).unwrap().to_owned();
        if scenario == "a status within" {
            assert_eq!((first.status, trail.as_str()), (429, "429"), "{scenario}");
        } else {
            assert_eq!((first.status, trail.as_str()), (200, first.outcome), "{scenario}: a 200 would look like success");
        }
    }
}

#[test]
fn a_malformed_event_is_skipped_and_counted() {
    // S10. The caller did not ask for usage, so the stream is looked at.
    let mut frames = told();
    frames.insert(2, data(r#"{"id":"chatcmpl-up","choices":[{"#));
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        let run = Case::of(dialect, TWO, true).run([stream(&frames)]);
        assert_eq!((run.record().outcome, run.record().malformed), ("ok", 1));
        assert!(run.body.contains("Hi ") && run.body.contains("there"), "{}", run.body);
        assert!(!run.body.contains("[{\n"), "{}", run.body);
    }
}

#[test]
fn a_report_of_usage_that_nobody_asked_for_is_hidden_however_often_it_comes() {
    let counted =
        |text: &str| says(text).replace("\"choices\"", r#""usage":{"prompt_tokens":10,"completion_tokens":5},"choices""#);
    let report = data(r#"{"id":"chatcmpl-up","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}"#);
    let frames = [role(), counted("Hi "), counted("there"), stop(), report.clone(), report.clone(), done()];
    let run = Case::chat_stream(TWO).run([stream(&frames)]);
    assert_eq!(run.body, frames.concat().replace(&report, ""), "a client that reads `choices[0]` would stumble");
    assert_eq!(run.record().usage.unwrap().output, 5);
}

#[test]
fn a_missing_end_is_supplied() {
    // S11, for callers who asked for usage and who did not, closed or held open.
    for (asked, ending, at_most) in [(false, Clean, 0), (true, Clean, 0), (true, Cut, 0), (false, Cut, 0), (true, Stall, 20_000)]
    {
        let mut case = Case::chat_stream(TWO);
        if asked {
            case.body = case.body.replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#);
        }
        let run = case.run([stream([role(), says("Hi "), says("there"), stop(), usage()]).ending(ending)]);
        assert_eq!(run.native, Some(asked));
        assert!(run.body.ends_with(&done()), "{asked} {ending:?} {}", run.body);
        assert_eq!(run.body.matches("[DONE]").count(), 1);
        assert_eq!((run.record().outcome, run.record().estimated), ("ok", false), "{asked} {ending:?}");
        assert_eq!(run.record().usage.unwrap().output, 5);
        assert!(run.took <= at_most);
    }
}

#[test]
fn the_built_in_provider_is_a_target_like_any() {
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        for (model, is_stream, outcome, trail) in [
            ("mock/echo", false, "ok", "1; mock/echo=200"),
            ("mock/echo", true, "ok", "1; mock/echo=200"),
            ("mock/echo?fail=503,mock/echo", false, "ok", "2; mock/echo?fail=503=503, mock/echo=200"),
            ("mock/echo?fail=503,mock/echo", true, "ok", "2; mock/echo?fail=503=503, mock/echo=200"),
        ] {
            let run = Case::of(dialect, model, is_stream).run([]);
            let what = format!("{model} {is_stream}: {}", run.body);
            assert_eq!((run.status, run.record().outcome), (200, outcome), "{what}");
            assert_eq!(run.header("x-portolan-attempts"), Some(trail), "{what}");
            assert!(run.body.contains("Hello"), "{what}");
            assert_eq!(run.record().cost.unwrap().0, 0, "{what}");
        }
    }
}

#[test]
fn what_is_told_of_a_fallback_is_the_fallbacks() {
    // S16.
    let failing = error(500, "oops", "Oops.").header("x-should-retry", "false");
    for is_stream in [false, true] {
        let answer = if is_stream { stream(message()) } else { json(200, MESSAGE) };
        let run =
            Case::with(gateway("", ""), Dialect::Anthropic, "alpha/small,gamma/claude", is_stream).run([failing.clone(), answer]);
        assert_eq!((run.header("x-portolan-provider"), run.header("x-portolan-model")), (Some("gamma"), Some("claude")));
        let record = run.record();
        assert_eq!((record.provider.as_deref(), record.model.as_deref()), (Some("gamma"), Some("claude")));
        assert_eq!(record.answered_by.as_deref(), Some("claude-2026"));
        let usage = record.usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output), (6, 4, 5), "{is_stream}");
        // 6 × 3 + 4 × 0.3 + 5 × 15 dollars a million.
        assert_eq!(record.cost.unwrap().dollars(), "0.0000942");
        assert_eq!(record.tries.iter().map(|t| t.status).collect::<Vec<_>>(), [500, 200]);
    }
}
