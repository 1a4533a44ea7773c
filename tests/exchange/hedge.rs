//! A second target beside one that is late, in virtual time.

use portolan::{
    dialect::Dialect,
    exchange::{Hedging, Side, Step},
    plan::health::{Numbers, Standing, View},
};

use super::{
    driver::{Case, Run, START, gateway},
    script::{Answer, error, json, role, says, served, silent, stream, told},
};

/// A hedge after a second; and targets enough.
const ROUTES: &str = r#"{
    "two": {"targets": ["alpha/small", "beta/large"], "hedge": {"after": 1000}},
    "three": {"targets": ["alpha/small", "beta/large", "pair/x"], "hedge": {"after": 1000}},
    "hurry": {"targets": ["alpha/small", "beta/large"], "hedge": {"after": 1000}, "timeouts": {"total_ms": 3000}},
    "one": {"targets": ["alpha/small"], "hedge": {"after": 1000}},
    "usual": {"targets": ["alpha/small", "beta/large"], "hedge": {"after": "p95"}},
    "plain": {"targets": ["alpha/small", "beta/large"]}
}"#;

fn case(route: &str, is_stream: bool) -> Case {
    Case::with(gateway(ROUTES, ""), Dialect::OpenAiChat, route, is_stream)
}

fn good(is_stream: bool) -> Answer {
    if is_stream { stream(told()) } else { served() }
}

fn fails(status: u16) -> Answer {
    error(status, "oops", "Oops.")
}

/// A failure that is final at its target.
fn over(status: u16) -> Answer {
    fails(status).header("x-should-retry", "false")
}

struct Row {
    what: &'static str,
    route: &'static str,
    answers: Vec<Answer>,
    hosts: &'static str,
    /// Of the last send, and of the answer.
    last_at: u64,
    took: u64,
    status: u16,
    attempts: &'static str,
    learned: &'static [&'static str],
}

fn rows(is_stream: bool) -> Vec<Row> {
    let good = || good(is_stream);
    let row = |what, route, answers, hosts, (last_at, took), status, attempts, learned| Row {
        what,
        route,
        answers,
        hosts,
        last_at,
        took,
        status,
        attempts,
        learned,
    };
    vec![
        row("in time", "two", vec![good().after(999)], "alpha", (0, 999), 200, "1; alpha/small=200", &["signal alpha/small Ok"]),
        row(
            "the second is first",
            "two",
            vec![silent(), good().after(300)],
            "alpha beta",
            (1_000, 1_300),
            200,
            "2; alpha/small=hedged, beta/large=200",
            &["signal beta/large Ok"],
        ),
        row(
            "the late one is first all the same",
            "two",
            vec![good().after(1_500), silent()],
            "alpha beta",
            (1_000, 1_500),
            200,
            "2; alpha/small=200, beta/large=hedged",
            &["signal alpha/small Ok"],
        ),
        row(
            "the late one fails: it is not tried again, the second goes on",
            "two",
            vec![fails(503).after(1_200), good().after(1_000)],
            "alpha beta",
            (1_000, 2_000),
            200,
            "2; alpha/small=503, beta/large=200",
            &["signal alpha/small Failed", "signal beta/large Ok"],
        ),
        row(
            "the second fails at once: the late one is waited for",
            "two",
            vec![good().after(5_000), over(503)],
            "alpha beta",
            (1_000, 5_000),
            200,
            "2; alpha/small=200, beta/large=503",
            &["signal beta/large Failed", "signal alpha/small Ok"],
        ),
        row(
            "the second fails, and its place is the third's",
            "three",
            vec![silent(), over(503), good().after(100)],
            "alpha beta pair",
            (1_000, 1_100),
            200,
            "3; alpha/small=hedged, beta/large=503, pair/x=200",
            &["signal beta/large Failed", "signal pair/x Ok"],
        ),
        row(
            "both fail: the last failure is told",
            "two",
            vec![over(500).after(3_000), over(503).after(100)],
            "alpha beta",
            (1_000, 3_000),
            500,
            "2; alpha/small=500, beta/large=503",
            &["signal beta/large Failed", "signal alpha/small Failed"],
        ),
        row(
            "both fail the other way round",
            "two",
            vec![over(500).after(1_100), over(503).after(1_000)],
            "alpha beta",
            (1_000, 2_000),
            503,
            "2; alpha/small=500, beta/large=503",
            &["signal alpha/small Failed", "signal beta/large Failed"],
        ),
        row(
            "the first says what is wrong with the request",
            "two",
            vec![error(400, "bad", "No.").after(1_500), silent()],
            "alpha beta",
            (1_000, 1_500),
            400,
            "2; alpha/small=400, beta/large=hedged",
            &[],
        ),
        row(
            "the second does: the first may know better",
            "two",
            vec![good().after(1_500), error(400, "bad", "No.")],
            "alpha beta",
            (1_000, 1_500),
            200,
            "2; alpha/small=200, beta/large=400",
            &["signal alpha/small Ok"],
        ),
        row(
            "late is counted anew for each try",
            "three",
            vec![over(503).after(900), silent(), good().after(100)],
            "alpha beta pair",
            (1_900, 2_000),
            200,
            "3; alpha/small=503, beta/large=hedged, pair/x=200",
            &["signal alpha/small Failed", "signal pair/x Ok"],
        ),
        row(
            "both silent until the whole is over",
            "hurry",
            vec![silent(), silent()],
            "alpha beta",
            (1_000, 3_000),
            504,
            if is_stream { "2; alpha/small=deadline, beta/large=hedged" } else { "2; alpha/small=silent, beta/large=hedged" },
            if is_stream { &[] } else { &["signal alpha/small Failed"] },
        ),
        row(
            "nobody else to ask",
            "one",
            vec![good().after(5_000)],
            "alpha",
            (0, 5_000),
            200,
            "1; alpha/small=200",
            &["signal alpha/small Ok"],
        ),
        row(
            "no word of it in the route",
            "plain",
            vec![good().after(5_000)],
            "alpha",
            (0, 5_000),
            200,
            "1; alpha/small=200",
            &["signal alpha/small Ok"],
        ),
    ]
}

#[test]
fn the_first_to_answer_is_the_callers() {
    for is_stream in [false, true] {
        for row in rows(is_stream) {
            let what = format!("{}, stream {is_stream}", row.what);
            let run = case(row.route, is_stream).run(row.answers);
            assert_eq!(run.hosts(), row.hosts, "{what}");
            assert_eq!((run.sends.last().unwrap().at, run.took), (row.last_at, row.took), "{what}");
            assert_eq!(run.status, row.status, "{what}: {}", run.body);
            assert_eq!(run.header("x-portolan-attempts"), Some(row.attempts), "{what}");
            assert_eq!(run.learned(), row.learned, "{what}");
            let upstream = format!("gateway;dur=0, upstream;dur={}", row.took);
            assert_eq!(run.header("server-timing"), Some(upstream.as_str()), "{what}: what overlaps counts once");
            if row.status == 200 {
                let served = run.record().tries.iter().find(|t| t.outcome == "ok").unwrap();
                assert_eq!(run.header("x-portolan-provider"), Some(served.provider.as_str()), "{what}");
                assert_eq!(run.record().provider.as_deref(), Some(served.provider.as_str()), "{what}");
                assert_eq!((run.record().first_ms, run.record().outcome), (Some(served.ms), "ok"), "{what}");
            }
        }
    }
}

#[test]
fn nothing_is_hedged_once_the_answer_began() {
    let slow = stream(told()).wait(2, 5_000);
    let run = case("two", true).run([slow]);
    assert_eq!((run.hosts().as_str(), run.status), ("alpha", 200));
    // Metadata is no beginning.
    let run = case("two", true).run([stream([role(), says("Hi")]).wait(1, 5_000), stream(told())]);
    assert_eq!(run.header("x-portolan-attempts"), Some("2; alpha/small=hedged, beta/large=200"));
    assert!(!run.body.contains("Hi\""), "nothing of the loser's is seen: {}", run.body);
}

#[test]
fn two_at_once_share_six_tries() {
    let config = gateway(r#"{"many":{"targets":["alpha/small","beta/large","pair/x","trio/x"],"hedge":{"after":1000}}}"#, "");
    let mut answers = vec![silent()];
    answers.extend(std::iter::repeat_n(fails(503), 5));
    let run = Case::with(config, Dialect::OpenAiChat, "many", true).run(answers);
    assert_eq!(run.hosts(), "alpha beta beta pair pair trio");
    assert_eq!((run.took, run.status), (12_000, 504), "the late one is waited for until its own deadline");
    assert_eq!(run.record().tries.len(), 6);
}

#[test]
fn a_client_that_leaves_leaves_both() {
    for is_stream in [false, true] {
        let mut left = case("two", is_stream);
        left.leaves_at = Some(1_500);
        let run = left.run([silent(), silent()]);
        let record = run.record();
        let ends: Vec<&str> = record.tries.iter().map(|t| t.outcome).collect();
        assert_eq!((ends, record.status), (vec!["gone", "hedged"], 499));
        assert!(run.lessons.is_empty(), "{:?}", run.lessons);
    }
}

#[test]
fn an_exchange_that_nobody_goes_on_with_closes_both() {
    let mut exchange = case("two", true).exchange();
    assert!(matches!(exchange.next(START), Step::Send(_)));
    assert_eq!(exchange.hedge(START.plus(400)), Hedging::After(600));
    assert_eq!(exchange.hedge(START.plus(1_000)), Hedging::Begun);
    exchange.turn(Side::Second);
    assert!(matches!(exchange.next(START.plus(1_000)), Step::Send(_)));
    assert_eq!(exchange.hedge(START.plus(9_000)), Hedging::Never, "two at once, never more");
    exchange.close(START.plus(1_500));
    let record = exchange.record(START.plus(1_500));
    let tries: Vec<_> = record.tries.iter().map(|t| (t.provider.as_str(), t.outcome, t.at_ms, t.ms)).collect();
    assert_eq!(tries, [("alpha", "gone", 0, 1_500), ("beta", "gone", 1_000, 500)]);
    assert_eq!((record.status, record.upstream_ms), (499, 1_500));
    assert!(exchange.take_lessons().is_empty());
}

#[test]
fn a_loser_costs_its_input_and_proves_nothing() {
    let probe = View::of([("beta/large".to_owned(), Standing::Probe)]);
    let run = Case { health: probe.clone(), ..case("two", true) }.run([stream(told()).after(1_500), silent()]);
    assert_eq!(run.learned(), ["released beta/large", "signal alpha/small Ok"]);
    let run = Case { health: probe, ..case("two", true) }.run([silent(), stream(told())]);
    assert_eq!(run.learned(), ["probed beta/large Ok"]);
    let record = run.record();
    let [lost, won] = &record.tries[..] else { panic!("{:?}", record.tries) };
    // Some ten tokens at 1.25 dollars a million.
    let dollars = lost.wasted.unwrap().0 / 1_250_000;
    assert!((5..20).contains(&dollars), "{dollars}");
    assert_eq!((won.wasted, lost.ms, won.at_ms), (None, 1_000, 1_000));
    assert_eq!(won.reason, "hedge, probe");
    // 6 + 4 × 0.1 in, 5 out at 2 and 20 dollars a million: the winner's alone.
    assert_eq!(record.cost.map(|cost| cost.0), Some(6 * 2_000_000 + 4 * 200_000 + 5 * 20_000_000));
}

#[test]
fn late_is_later_than_95_in_100() {
    let numbers = |samples| {
        let numbers = Numbers { p50_ms: 300, p95_ms: 800, samples, failed_permille: 0 };
        View::default().with_numbers([("alpha/small".to_owned(), numbers)])
    };
    let run = |samples, is_stream, answers: Vec<Answer>| -> Run {
        Case { health: numbers(samples), ..case("usual", is_stream) }.run(answers)
    };
    let slow = || stream(told()).after(5_000);
    assert_eq!(run(20, true, vec![slow(), stream(told())]).sends[1].at, 800);
    assert_eq!(run(19, true, vec![slow()]).hosts(), "alpha", "of too few, nobody knows what is late");
    assert_eq!(run(20, false, vec![served().after(5_000)]).hosts(), "alpha", "whole answers take as long as they are");
    let shut = View::of(
        ["alpha/small", "beta/large"].map(|cell| (cell.to_owned(), Standing::Open { until: portolan::units::Millis(u64::MAX) })),
    );
    let run = Case { health: shut, ..case("two", true) }.run([slow()]);
    assert_eq!(run.hosts(), "alpha", "what is down is not asked twice at once");
}

#[test]
fn a_second_target_that_cannot_hold_the_request_is_none() {
    let config = gateway(r#"{"odd":{"targets":["alpha/small","gamma/claude"],"hedge":{"after":1000}}}"#, "");
    let body = r#"{"model":"odd","messages":[{"role":"user","content":7}]}"#;
    let run = Case::with(config, Dialect::OpenAiChat, "odd", false).body(body).run([served().after(3_000)]);
    assert_eq!((run.hosts().as_str(), run.status, run.took), ("alpha", 200, 3_000));
    let config = gateway(r#"{"own":{"targets":["alpha/small","gamma/claude"],"hedge":{"after":1000}}}"#, "");
    let message = json(200, super::script::MESSAGE);
    let run = Case::with(config, Dialect::Anthropic, "own", false).run([silent(), message]);
    assert_eq!((run.hosts().as_str(), run.status), ("alpha gamma", 200), "across dialects");
}
