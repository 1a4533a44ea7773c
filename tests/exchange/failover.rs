//! FAILOVER 1, row by row, through whole requests.

use portolan::{dialect::Dialect, plan::outcome::Transport};
use serde_json::Value;

use super::{
    driver::{Case, Run, gateway},
    script::{Answer, error, fails, json, served, silent, stream, told},
};

/// Two targets; the fault is the first one's.
const TWO: &str = "alpha/small,beta/large";
const PAGE: &str = "<!DOCTYPE html><html><title>Bad gateway</title></html>";

struct Row {
    class: &'static str,
    fault: Answer,
    /// Sends to the first target.
    tries: usize,
    next: bool,
    /// What the caller of one target gets: status, OpenAI's type and code, Anthropic's type, whose fault.
    status: u16,
    openai: (&'static str, &'static str),
    anthropic: &'static str,
    blame: &'static str,
}

fn page(status: u16) -> Answer {
    let page = json(status, PAGE);
    Answer { headers: vec![("content-type".to_owned(), "text/html".to_owned())], ..page }
}

fn rows() -> Vec<Row> {
    let row = |class, fault: &Answer, (tries, next), status, openai, anthropic, blame| Row {
        class,
        fault: fault.clone(),
        tries,
        next,
        status,
        openai,
        anthropic,
        blame,
    };
    let (refused, server) = ("invalid_request_error", "server_error");
    let gone = error(404, "model_not_found", "The model `small` does not exist.");
    let long = error(400, "context_length_exceeded", "This model's maximum context length is 8000 tokens.");
    let limit = error(429, "rate_limit_exceeded", "Slow down.");
    vec![
        row("model_gone", &gone, (1, true), 404, (refused, "model_not_found"), "not_found_error", "caller"),
        row("caller", &error(400, "bad", "No."), (1, false), 400, (refused, "bad"), "invalid_request_error", "caller"),
        row("caller", &error(422, "bad", "No."), (1, false), 422, (refused, "bad"), "invalid_request_error", "caller"),
        row("caller", &error(413, "bad", "No."), (1, false), 413, (refused, "bad"), "request_too_large", "caller"),
        row(
            "content_filter",
            &error(400, "content_filter", "Refused."),
            (1, false),
            400,
            (refused, "content_filter"),
            "invalid_request_error",
            "caller",
        ),
        row("too_long", &long, (1, true), 400, (refused, "context_length_exceeded"), "invalid_request_error", "caller"),
        row("limited", &limit, (2, true), 429, ("requests", "rate_limit_exceeded"), "rate_limit_error", "provider"),
        row(
            "limited",
            &limit.clone().header("retry-after", "30"),
            (1, true),
            429,
            ("requests", "rate_limit_exceeded"),
            "rate_limit_error",
            "provider",
        ),
        row("quota", &error(402, "broke", "Pay."), (1, true), 502, (server, "bad_gateway"), "api_error", "gateway"),
        row("quota", &error(429, "insufficient_quota", "Pay."), (1, true), 502, (server, "bad_gateway"), "api_error", "gateway"),
        row("credential", &error(401, "key", "Who?"), (1, true), 502, (server, "bad_gateway"), "api_error", "gateway"),
        row("credential", &error(403, "key", "No."), (1, true), 502, (server, "bad_gateway"), "api_error", "gateway"),
        row(
            "region_blocked",
            &error(403, "unsupported_country_region_territory", "No."),
            (1, true),
            502,
            (server, "bad_gateway"),
            "api_error",
            "provider",
        ),
        row("transient", &error(500, "oops", "Oops."), (2, true), 500, (server, "bad_gateway"), "api_error", "provider"),
        row("transient", &error(503, "oops", "Oops."), (2, true), 503, (server, "overloaded"), "overloaded_error", "provider"),
        row("transient", &error(529, "oops", "Oops."), (2, true), 529, (server, "overloaded"), "overloaded_error", "provider"),
        row("transient", &error(504, "oops", "Oops."), (2, true), 504, (server, "timeout"), "timeout_error", "provider"),
        row("transient", &error(409, "oops", "Oops."), (2, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("transient", &page(502), (2, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("transient", &fails(Transport::Reset), (2, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("transient", &fails(Transport::Refused), (2, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("broken", &page(200), (1, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("broken", &json(200, "{\"id\":"), (1, true), 502, (server, "bad_gateway"), "api_error", "provider"),
        row("broken", &json(302, ""), (1, true), 502, (server, "bad_gateway"), "api_error", "provider"),
    ]
}

fn case(dialect: Dialect, model: &str, is_stream: bool) -> Case {
    Case::of(dialect, model, is_stream)
}

/// In both callers' dialects, with and without stream.
fn each_kind(test: impl Fn(Dialect, bool, &str)) {
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        for is_stream in [false, true] {
            test(dialect, is_stream, &format!("{} stream={is_stream}", dialect.name()));
        }
    }
}

fn good(is_stream: bool) -> Answer {
    if is_stream { stream(told()) } else { served() }
}

fn repeated(fault: &Answer, count: usize) -> Vec<Answer> {
    vec![fault.clone(); count]
}

fn error_of(run: &Run) -> Value {
    serde_json::from_str::<Value>(&run.body).unwrap()["error"].clone()
}

#[test]
fn each_class_says_where_the_request_goes_next() {
    each_kind(|dialect, is_stream, kind| {
        for row in rows() {
            let mut answers = repeated(&row.fault, row.tries);
            answers.extend(row.next.then(|| good(is_stream)));
            let run = case(dialect, TWO, is_stream).run(answers);
            let mut hosts = vec!["alpha"; row.tries];
            hosts.extend(row.next.then_some("beta"));
            let what = format!("{} {kind}: {:?}", row.class, row.fault);
            assert_eq!(run.hosts(), hosts.join(" "), "{what}");
            let record = run.record();
            let outcomes: Vec<_> = record.tries.iter().map(|t| t.outcome).collect();
            assert_eq!(&outcomes[..row.tries], vec![row.class; row.tries], "{what}");
            assert_eq!(run.status, if row.next { 200 } else { row.status }, "{what}");
            assert_eq!(record.outcome, if row.next { "ok" } else { row.class }, "{what}");
        }
    });
}

#[test]
fn with_no_target_left_the_caller_learns_what_it_was() {
    each_kind(|dialect, is_stream, kind| {
        for row in rows() {
            let run = case(dialect, "alpha/small", is_stream).run(repeated(&row.fault, row.tries));
            let what = format!("{} {kind}: {:?}", row.class, row.fault);
            assert_eq!(run.status, row.status, "{what}");
            assert_eq!(run.header("x-portolan-error"), Some(row.blame), "{what}");
            assert_eq!(run.header("content-type"), Some("application/json"), "{what}");
            let error = error_of(&run);
            let (wire_kind, code) = (error["type"].as_str().unwrap(), error["code"].as_str());
            match dialect {
                Dialect::Anthropic => assert_eq!(wire_kind, row.anthropic, "{what}"),
                Dialect::OpenAiChat => assert_eq!((wire_kind, code), (row.openai.0, Some(row.openai.1)), "{what}"),
                Dialect::Gemini
                | Dialect::OpenAiResponses
                | Dialect::OpenAiCompletions
                | Dialect::Converse
                | Dialect::Cohere
                | Dialect::WorkersAi => {
                    unreachable!()
                }
            }
            let record = run.record();
            assert_eq!((record.status, record.outcome, record.fault), (row.status, row.class, Some(row.blame)), "{what}");
        }
    });
}

#[test]
fn the_callers_sdk_is_told_how_long_to_wait() {
    let limit = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "30");
    let run = Case::chat("alpha/small").run([limit]);
    assert_eq!((run.status, run.header("retry-after")), (429, Some("30")));
}

#[test]
fn silence_is_never_tried_again() {
    for (is_stream, after) in [(true, 12_000), (false, 300_000)] {
        let mut answers = vec![silent()];
        answers.extend(is_stream.then(|| stream(told())));
        let run = case(Dialect::OpenAiChat, TWO, is_stream).run(answers);
        // A call without stream has used up everything by then.
        assert_eq!(run.hosts(), if is_stream { "alpha beta" } else { "alpha" });
        assert_eq!(run.took, after);
        assert_eq!(run.record().tries[0].outcome, "silent");
        assert_eq!(run.status, if is_stream { 200 } else { 504 });
    }
}

#[test]
fn retries_are_bounded_whatever_happens() {
    let config = gateway(
        r#"{"long":{"targets":["alpha/a","beta/b","pair/c","alpha/d","beta/e"]},
            "short":{"targets":["alpha/a","beta/b","pair/c"],"retry":{"attempts":2}},
            "hurry":{"targets":["alpha/a","beta/b","pair/c"],"retry":{"total_ms":1000}}}"#,
        "",
    );
    let failing = error(503, "oops", "Oops.");
    let page = json(200, "<html>");
    let key = error(401, "key", "Who?");
    for (rule, route, fault, hosts) in [
        ("two tries a target, six in all", "long", &failing, "alpha alpha beta beta pair pair"),
        ("four attempts", "long", &page, "alpha beta pair alpha"),
        ("two tries a target, credentials included", "long", &key, "alpha beta pair pair alpha"),
        ("the route's own number of attempts", "short", &page, "alpha beta"),
        ("no try begins after the retry budget", "hurry", &failing.clone().after(600), "alpha alpha"),
    ] {
        for is_stream in [true, false] {
            let case = Case::with(config.clone(), Dialect::OpenAiChat, route, is_stream);
            let count = hosts.split(' ').count();
            let run = case.run(repeated(fault, count));
            assert_eq!(run.hosts(), hosts, "{rule}");
            assert!(run.status >= 500, "{rule}: {}", run.status);
        }
    }
}

#[test]
fn waits_stay_inside_every_budget() {
    let config = gateway(r#"{"hurry":{"targets":["alpha/a","beta/b"],"timeouts":{"total_ms":3000}}}"#, "");
    let limit = error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "2").after(1_500);
    for is_stream in [true, false] {
        let run = Case::with(config.clone(), Dialect::OpenAiChat, "hurry", is_stream).run([limit.clone(), good(is_stream)]);
        assert_eq!(run.hosts(), "alpha beta", "a wait beyond the deadline is not begun");
        assert_eq!((run.status, run.took), (200, 1_500));
    }
}

#[test]
fn an_error_body_that_does_not_come_is_judged_by_its_status() {
    use super::script::Ending::{Cut, Stall};
    for ending in [Cut, Stall] {
        for is_stream in [true, false] {
            let cut = json(401, "").ending(ending);
            let run = case(Dialect::OpenAiChat, TWO, is_stream).run([cut, good(is_stream)]);
            assert_eq!(run.record().tries[0].outcome, "credential", "{ending:?} {is_stream}");
            assert!(run.took <= 12_000, "nobody waits long for a reason: {}", run.took);
        }
    }
}

#[test]
fn the_callers_own_deadline_blames_nobody() {
    let config = gateway(r#"{"hurry":{"targets":["alpha/a","beta/b"],"timeouts":{"total_ms":3000,"first_token_ms":2000}}}"#, "");
    // The second target had one second only.
    let run = Case::with(config.clone(), Dialect::OpenAiChat, "hurry", true).run([silent(), silent()]);
    assert_eq!((run.status, run.took), (504, 3_000));
    assert_eq!(run.header("x-portolan-error"), Some("caller"));
    assert_eq!(run.learned(), ["signal alpha/a Failed"]);
    assert_eq!(run.record().outcome, "deadline");
    let failing = error(500, "x", "Oops.").after(1_000).header("x-should-retry", "false");
    let run = Case::with(config, Dialect::OpenAiChat, "hurry", false).run([failing, silent()]);
    assert_eq!((run.status, run.took, run.record().outcome), (504, 3_000, "deadline"));
    assert_eq!(run.learned(), ["signal alpha/a Failed"]);
}

#[test]
fn too_long_goes_to_larger_windows_only() {
    let long = error(400, "context_length_exceeded", "This model's maximum context length is 8000 tokens.");
    let failing = error(500, "x", "Oops.").header("x-should-retry", "false");
    for (targets, answers, hosts) in [
        ("alpha/small,beta/small,gamma/claude", vec![long.clone(), json(200, super::script::MESSAGE)], "alpha gamma"),
        ("alpha/small,beta/same,gamma/claude", vec![long.clone(), json(200, super::script::MESSAGE)], "alpha gamma"),
        ("alpha/small,beta/unknown", vec![long.clone(), served()], "alpha beta"),
        ("alpha/small,beta/small", vec![long.clone()], "alpha"),
        // What was too long once stays so, whatever comes between.
        (
            "alpha/small,beta/large,beta/same,gamma/claude",
            vec![long, failing, json(200, super::script::MESSAGE)],
            "alpha beta gamma",
        ),
    ] {
        let count = answers.len();
        let run = Case::chat(targets).run(answers);
        assert_eq!(run.hosts(), hosts, "{targets}");
        assert_eq!(run.status, if count == 1 { 400 } else { 200 }, "{targets}");
    }
}

#[test]
fn too_long_jumps_to_the_target_the_plan_had_no_room_for() {
    let config = gateway(
        r#"{"full":{"targets":["alpha/small","beta/same","gamma/claude"],"retry":{"attempts":2}},
            "none":{"targets":["alpha/small","beta/same","beta/small"],"retry":{"attempts":2}}}"#,
        "",
    );
    let long = error(400, "context_length_exceeded", "This model's maximum context length is 8000 tokens.");
    let failing = error(500, "x", "Oops.").header("x-should-retry", "false");
    let larger = json(200, super::script::MESSAGE);
    for (rule, route, answers, hosts, status) in [
        ("past one of the same size", "full", vec![long.clone(), larger], "alpha gamma", 200),
        ("but no third target where two are allowed", "full", vec![failing, long.clone()], "alpha beta", 400),
        ("never to a smaller one", "none", vec![long], "alpha", 400),
    ] {
        let run = Case::with(config.clone(), Dialect::OpenAiChat, route, false).run(answers);
        assert_eq!((run.hosts().as_str(), run.status), (hosts, status), "{rule}");
        let reason = if status == 200 { "larger context window" } else { "priority" };
        assert!(run.header("x-portolan-reason").unwrap().starts_with(reason), "{rule}");
    }
}

#[test]
fn a_body_that_one_dialect_cannot_hold_may_still_fit_another() {
    // A file id means nothing elsewhere; to who speaks the caller's dialect it goes verbatim.
    let body = r#"{"model":"gamma/claude,alpha/small","messages":[{"role":"user","content":7}]}"#;
    let run = Case::chat("x").body(body).run([served()]);
    assert_eq!((run.hosts().as_str(), run.status), ("alpha", 200));
    let run = Case::chat("x").body(&body.replace("gamma/claude,alpha/small", "gamma/claude")).run([]);
    assert_eq!((run.status, run.header("x-portolan-error")), (400, Some("caller")));
}
