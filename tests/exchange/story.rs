//! What a request tells: the caller in headers, health in lessons, the operator in the record.

use std::collections::BTreeMap;

use portolan::{
    dialect::Dialect,
    exchange::Lesson,
    plan::{
        health::{Signal, Standing, View},
        outcome::Transport,
    },
};
use serde_json::Value;

use super::{
    driver::{Case, START, gateway},
    script::{
        Answer, CHAT,
        Ending::{Cut, Stall},
        error, fails, json, message, role, says, served, silent, stream, told,
    },
};

const TWO: &str = "alpha/small,beta/large";

fn unsent() -> Answer {
    error(500, "oops", "Oops.").header("x-should-retry", "false")
}

fn probing(cell: &str) -> View {
    View::of([(cell.to_owned(), Standing::Probe)])
}

#[test]
fn health_learns_each_thing_once_and_never_the_callers_fault() {
    let limited = |seconds: &str| error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", seconds);
    let gone = error(404, "model_not_found", "The model `small` does not exist.");
    let too_long = error(400, "context_length_exceeded", "maximum context length");
    let blocked = error(403, "unsupported_country_region_territory", "No.");
    for (rule, answers, learned) in [
        ("served", vec![served()], vec!["signal alpha/small Ok"]),
        ("failed, then served", vec![unsent(), served()], vec!["signal alpha/small Failed", "signal beta/large Ok"]),
        (
            "each try counts",
            vec![fails(Transport::Reset), fails(Transport::Reset), served()],
            vec!["signal alpha/small Failed", "signal alpha/small Failed", "signal beta/large Ok"],
        ),
        ("a limit cools the credential", vec![limited("30"), served()], vec!["signal alpha#0 Cool", "signal beta/large Ok"]),
        (
            "a refused credential is down",
            vec![error(401, "x", "Who?"), served()],
            vec!["signal alpha#0 Down", "signal beta/large Ok"],
        ),
        ("a model that is gone cools alone", vec![gone, served()], vec!["signal alpha/small Cool", "signal beta/large Ok"]),
        ("a bad request", vec![error(400, "bad", "No.")], vec![]),
        ("content filter", vec![error(400, "content_filter", "No.")], vec![]),
        ("too long", vec![too_long, served()], vec!["signal beta/large Ok"]),
        ("blocked by region", vec![blocked, served()], vec!["signal alpha@FRA Cool", "signal beta/large Ok"]),
    ] {
        assert_eq!(Case::chat(TWO).run(answers).learned(), learned, "{rule}");
    }
}

#[test]
fn a_signal_carries_its_numbers() {
    let signal = |answers: Vec<Answer>| {
        let Lesson::Signal(_, signal) = Case::chat(TWO).run(answers).lessons.remove(0) else { unreachable!() };
        signal
    };
    let limited = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "30").after(500);
    assert_eq!(signal(vec![limited, served()]), Signal::Cool { until: START.plus(30_500) });
    let busy = error(503, "oops", "Oops.").header("retry-after", "20");
    assert_eq!(signal(vec![busy, served()]), Signal::Failed { floor_ms: 20_000 });
    assert_eq!(signal(vec![served().after(700)]), Signal::Served, "a whole answer's time is no first token's");
    let slow = stream(told()).after(300).wait(1, 400).wait(3, 5_000);
    let run = Case::chat_stream(TWO).run([slow]);
    let good = Lesson::Signal("alpha/small".to_owned(), Signal::Ok { first_ms: 700 });
    assert_eq!(run.lessons, [good], "to the first token, and told when the stream ended well");
}

#[test]
fn a_probe_ends_in_exactly_one_way() {
    let refused = || error(401, "x", "Who?");
    for (rule, cell, is_stream, answers, leaves_at, learned) in [
        ("served", "alpha/small", false, vec![served()], None, vec!["probed alpha/small Ok"]),
        (
            "failed: it is not tried again",
            "alpha/small",
            false,
            vec![error(500, "x", "Oops."), served()],
            None,
            vec!["probed alpha/small Failed", "signal beta/large Ok"],
        ),
        (
            "silence, in which the next probe would begin",
            "alpha/small",
            false,
            vec![silent(), served()],
            None,
            vec!["probed alpha/small Failed", "signal beta/large Ok"],
        ),
        (
            "the caller's fault proves nothing",
            "alpha/small",
            false,
            vec![error(400, "x", "No.")],
            None,
            vec!["released alpha/small"],
        ),
        (
            "nor does a credential's",
            "alpha/small",
            false,
            vec![refused(), served()],
            None,
            vec!["signal alpha#0 Down", "released alpha/small", "signal beta/large Ok"],
        ),
        ("not reached", "beta/large", false, vec![served()], None, vec!["signal alpha/small Ok", "released beta/large"]),
        (
            "not needed once a stream has begun",
            "beta/large",
            true,
            vec![stream(told())],
            None,
            vec!["released beta/large", "signal alpha/small Ok"],
        ),
        (
            "reached",
            "beta/large",
            false,
            vec![unsent(), served()],
            None,
            vec!["signal alpha/small Failed", "probed beta/large Ok"],
        ),
        ("the client left", "alpha/small", false, vec![silent()], Some(100), vec!["released alpha/small"]),
        ("a stream that ended well", "alpha/small", true, vec![stream(told())], None, vec!["probed alpha/small Ok"]),
        (
            "a stream that broke",
            "alpha/small",
            true,
            vec![stream([role(), says("Hi")]).ending(Cut)],
            None,
            vec!["probed alpha/small Failed"],
        ),
        (
            "left in mid-stream",
            "alpha/small",
            true,
            vec![stream([role(), says("Hi")]).ending(Stall)],
            Some(100),
            vec!["released alpha/small"],
        ),
    ] {
        let case = Case { health: probing(cell), leaves_at, ..Case::of(Dialect::OpenAiChat, TWO, is_stream) };
        let run = case.run(answers);
        assert_eq!(run.learned(), learned, "{rule}");
        if cell == "alpha/small" {
            assert_eq!(run.record().tries[0].reason, "probe", "{rule}");
        }
    }
}

#[test]
fn headers_tell_what_was_decided() {
    let case = Case::chat(TWO)
        .header("x-request-id", "mine")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let run = case.run([unsent().after(30), served().after(20)]);
    for (name, value) in [
        ("x-request-id", "req_0123456789"),
        ("request-id", "req_0123456789"),
        ("x-client-request-id", "mine"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("x-portolan-route", TWO),
        ("x-portolan-provider", "beta"),
        ("x-portolan-model", "large"),
        ("x-portolan-reason", "priority 2"),
        ("x-portolan-attempts", "2; alpha/small=500, beta/large=200"),
        ("server-timing", "gateway;dur=0, upstream;dur=50"),
        ("content-type", "application/json"),
        // 6 × 2 + 4 × 0.2 + 5 × 20 dollars a million.
        ("x-portolan-cost", "0.0001128"),
    ] {
        assert_eq!(run.header(name), Some(value), "{name}");
    }
    let mut names: Vec<_> = run.headers.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), run.headers.len(), "each header once");
    let run = Case::chat(TWO).run([fails(Transport::Reset), fails(Transport::Reset), silent()]);
    assert_eq!(run.header("x-portolan-attempts"), Some("2; alpha/small=transient, beta/large=deadline"));
    assert_eq!((run.header("x-client-request-id"), run.header("x-portolan-cost")), (None, None));
    let limited = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "2").after(10);
    let run = Case::chat("alpha/small").run([limited.clone(), limited]);
    assert_eq!(run.header("server-timing"), Some("gateway;dur=0, upstream;dur=20"), "a pause is nobody's work");
    assert_eq!(run.took, 2_020);
    let run = Case::chat_stream(TWO).run([stream(told())]);
    assert_eq!(run.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(run.header("x-portolan-attempts"), Some("1; alpha/small=200"));
}

#[test]
fn a_callers_text_cannot_break_out_of_a_header() {
    let case = Case::chat("x")
        .body(&Case::chat("mock/echo").body.replace("mock/echo", "alpha/sm\u{e4}ll\u{2028}x"))
        .header("x-request-id", "a\r\nset-cookie: x=1");
    let case = Case { body: case.body.replace('\u{2028}', "é"), ..case };
    let run = case.run([served()]);
    for (name, value) in &run.headers {
        assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b)), "{name}: {value:?}");
    }
    assert_eq!(run.header("x-client-request-id"), Some("a??set-cookie: x=1"));
}

/// Words that stand for what must never be kept: prompt, answer, key, a provider's echo of them.
const PROMPT: &str = "CANARY-PROMPT";
const ANSWER: &str = "CANARY-ANSWER";
const ECHO: &str = "CANARY-ECHO";

#[test]
fn the_record_never_holds_content() {
    let echo = |status: u16| {
        let message = format!("Invalid value {ECHO}: near {ECHO} sk-{ECHO}0123456789abcdef0123");
        error(status, "some_code", &message)
    };
    let spoken = json(200, &CHAT.replace("Hi there", ANSWER));
    let streamed = || stream([role(), says(ANSWER), super::script::data(ECHO)]);
    let in_band = stream([role(), super::script::data(&format!(r#"{{"error":{{"message":"{ECHO}","type":"{ECHO} x"}}}}"#))]);
    let cases: Vec<(&str, bool, Vec<Answer>)> = vec![
        ("served", false, vec![spoken]),
        ("refused", false, vec![echo(400)]),
        ("refused credential", false, vec![echo(401), echo(401)]),
        ("failing", false, vec![echo(500), echo(500), echo(503), echo(503)]),
        ("a page", false, vec![json(200, ECHO), json(200, &format!("<html>{ECHO}"))]),
        ("streamed", true, vec![streamed()]),
        ("streamed and cut", true, vec![streamed().ending(Cut)]),
        ("in band", true, vec![in_band.clone(), in_band]),
    ];
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        for (rule, is_stream, answers) in &cases {
            let case = Case::of(dialect, TWO, *is_stream).header("authorization", "Bearer CANARY-KEY");
            let body = case.body.replace("Hello", PROMPT);
            let run = case.body(&body).run(answers.clone());
            let line = serde_json::to_string(run.record()).unwrap();
            assert!(!line.contains("CANARY") && !line.contains("value-of-"), "{rule}: {line}");
            let headers = format!("{:?}", run.headers);
            assert!(!headers.contains("CANARY") && !headers.contains("value-of-"), "{rule}: {headers}");
            assert!(run.sends[0].body.contains(PROMPT), "the test can fail");
        }
    }
}

#[test]
fn the_record_is_one_line_of_known_fields() {
    let run = Case::chat(TWO).header("x-request-id", &"i".repeat(500)).run([unsent().after(5), served().after(7)]);
    let line = serde_json::to_string(run.record()).unwrap();
    assert!(!line.contains('\n'));
    let record: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
    for (field, value) in [
        ("time", Value::from(START.0)),
        ("id", "req_0123456789".into()),
        ("client_request_id", "i".repeat(128).into()),
        ("key", "ci".into()),
        ("dialect", "openai-chat".into()),
        ("asked", TWO.into()),
        ("route", TWO.into()),
        ("provider", "beta".into()),
        ("model", "large".into()),
        ("answered_by", "small-2026".into()),
        ("stream", false.into()),
        ("status", 200.into()),
        ("outcome", "ok".into()),
        ("first_ms", 7.into()),
        ("upstream_ms", 12.into()),
        ("gateway_ms", 0.into()),
        ("total_ms", 12.into()),
        ("estimated", false.into()),
        ("cost", 112_800_000.into()),
        ("malformed", 0.into()),
        ("region", "weur".into()),
    ] {
        assert_eq!(record.get(field), Some(&value), "{field}");
    }
    for field in ["fault", "detail", "waited_ms"] {
        assert!(!record.contains_key(field), "{field}: nothing went wrong");
    }
    assert_eq!(record["tries"].as_array().map(Vec::len), Some(2));
    assert_eq!(record["tries"][0]["outcome"], "transient");
    assert_eq!(record["config"], run_version(), "the configuration it was decided on");
}

#[test]
fn a_record_parts_the_time_into_whose_it_was() {
    // A pause that was asked for, a stream that answers after 7 ms and goes on for three seconds.
    let limited = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "2");
    let told = stream([role(), says("Hi"), says(" there"), super::script::stop(), super::script::done()]).after(7).wait(2, 3_000);
    let run = Case::chat_stream("alpha/small").run([limited.after(5), told]);
    let record = run.record();
    let tries: Vec<_> = record.tries.iter().map(|t| (t.outcome, t.at_ms, t.ms, t.end_ms)).collect();
    assert_eq!(tries, [("limited", 0, 5, None), ("ok", 2_005, 7, Some(3_012 + 2_000))]);
    assert_eq!((record.upstream_ms, record.gateway_ms, record.waited_ms, record.total_ms), (12, 0, 2_000, 5_012));
}

fn run_version() -> String {
    gateway("", "").version.clone()
}

#[test]
fn leaving_while_we_wait_adds_no_try_that_never_was() {
    let limited = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "2");
    let run = Case { leaves_at: Some(1_000), ..Case::chat("alpha/small") }.run([limited]);
    let record = run.record();
    assert_eq!((record.tries.len(), record.outcome, record.status, record.fault), (1, "gone", 499, Some("caller")));
    let run =
        Case { leaves_at: Some(500), ..Case::of(Dialect::Anthropic, "gamma/claude", true) }.run([stream(message()).after(900)]);
    assert_eq!((run.record().tries.len(), run.record().tries[0].outcome), (1, "gone"));
}
