//! The region's own probes: which targets, what is sent, what comes of it.

use portolan::{
    exchange::{Exchange, Head, Received, Sendable, Step, probe},
    plan::health::{Health, Signal, Standing},
    units::Millis,
    wire::json::join,
};

use super::case::{START, gateway};

const CELL: &str = "alpha/small";

fn at(ms: u64) -> Millis {
    START.plus(ms)
}

fn down(cell: &str) -> Health {
    let mut health = Health::default();
    fail(&mut health, cell);
    health
}

fn fail(health: &mut Health, cell: &str) {
    for _ in 0..3 {
        health.report(cell, Signal::Failed { floor_ms: 0 }, START, 1);
    }
}

fn begin(health: &mut Health, cell: &str, ms: u64) -> Option<Exchange> {
    let view = health.begin_probe(cell, at(ms))?;
    probe::begin(cell, "weur", &gateway("", ""), &view, ("req_1".to_owned(), at(ms), 1))
}

/// Plays it to its end; the URL, the body, and the record's key. Empty when nothing was sent.
fn play(exchange: &mut Exchange, health: &mut Health, ms: u64, status: u16, answer: &str) -> (String, String, String) {
    let Step::Send(send) = exchange.next(at(ms)) else { return <_>::default() };
    let Sendable::Http { url, body, .. } = send.target else { return <_>::default() };
    let body = join(std::str::from_utf8(&exchange.call().body).unwrap(), &body);
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    exchange.answered(at(ms), Ok(Head { status, headers }));
    exchange.received(at(ms), Received::Bytes(answer.as_bytes()));
    assert!(matches!(exchange.next(at(ms)), Step::Reply(_)), "one call, however it ends");
    exchange.close(at(ms));
    exchange.take_lessons().iter().for_each(|lesson| probe::learn(health, lesson, at(ms), 1));
    (url, body, exchange.record(at(ms)).key)
}

const SERVED: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

#[test]
fn a_target_that_nobody_asks_is_closed_by_two_probes() {
    let mut health = down(CELL);
    assert_eq!(health.idle(at(10_000)), [""; 0], "somebody with traffic would have asked by now at the latest");
    for ms in [12_000, 18_000] {
        assert_eq!(health.idle(at(ms)), [CELL], "{ms}");
        let mut exchange = begin(&mut health, CELL, ms).unwrap();
        assert!(begin(&mut health, CELL, ms).is_none() && health.idle(at(ms)).is_empty(), "one at a time");
        let (url, body, key) = play(&mut exchange, &mut health, ms, 200, SERVED);
        assert!(url.ends_with("/chat/completions"), "{url}");
        assert!(body.contains(r#""ping""#) && body.contains("16") && !body.contains(r#""stream":true"#), "{body}");
        assert_eq!(key, "probe");
    }
    assert_eq!(health.snapshot(at(18_000)).standing(CELL, at(18_000)), Standing::Ramping { percent: 10 });
    assert_eq!(health.look_again_after(at(18_000)), None, "nothing is shut");
}

#[test]
fn a_failed_probe_opens_for_longer() {
    let mut health = down(CELL);
    let mut exchange = begin(&mut health, CELL, 12_000).unwrap();
    let (url, ..) = play(&mut exchange, &mut health, 12_000, 500, "{}");
    assert_ne!(url, "");
    let Standing::Open { until } = health.snapshot(at(12_000)).standing(CELL, at(12_000)) else { panic!("open") };
    assert!((9_000..=11_000).contains(&until.since(at(12_000))), "{}", until.since(at(12_000)));
    assert!(health.look_again_after(at(12_000)).is_some_and(|ms| ms >= 14_000), "its time, and six seconds");
}

#[test]
fn each_target_is_asked_in_its_own_dialect() {
    for (cell, path, told) in [
        ("beta/large", "/chat/completions", r#""content":"ping""#),
        ("gamma/claude", "/messages", r#""max_tokens":16"#),
        ("google/gemini-2.5-flash", ":generateContent", r#""maxOutputTokens":16"#),
    ] {
        let mut health = down(cell);
        let mut exchange = begin(&mut health, cell, 12_000).unwrap_or_else(|| panic!("{cell}"));
        let (url, body, _) = play(&mut exchange, &mut health, 12_000, 500, "{}");
        assert!(url.contains(path) && body.contains(told), "{cell}: {url} {body}");
    }
}

#[test]
fn what_cannot_be_asked_is_left_alone() {
    let mut health = down("nowhere/at-all");
    assert!(begin(&mut health, "nowhere/at-all", 12_000).is_none(), "a provider that is not there");
    assert!(health.idle(at(60_000)).is_empty(), "nor looked at again at once");
    let mut health = down(CELL);
    health.report("alpha#0", Signal::Cool { until: at(60_000) }, START, 1);
    assert!(begin(&mut health, CELL, 12_000).is_none(), "its only credential is limited");
}

#[test]
fn idle_is_what_is_shut_a_few_at_a_time() {
    let mut health = down("a/1");
    for cell in ["b/1", "c/1", "d/1", "e/1"] {
        fail(&mut health, cell);
    }
    health.report("f#0", Signal::Cool { until: at(1) }, START, 1);
    assert_eq!(health.idle(at(12_000)), ["a/1", "b/1", "c/1"]);
    assert_eq!(health.look_again_after(at(12_000)), Some(5_000), "for the others");
    assert!(Health::default().look_again_after(at(12_000)).is_none());
}
