//! Several credentials of one provider: whose turn it is, and what one that fails leaves to the others.

use portolan::{
    dialect::Dialect,
    plan::health::{Standing, View},
    units::Millis,
};

use super::{
    driver::{Case, Run, START, gateway},
    script::{Answer, error, served, stream, told},
};

fn limited(seconds: u64) -> Answer {
    error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", &seconds.to_string())
}

fn revoked() -> Answer {
    error(401, "invalid_api_key", "Incorrect API key provided.")
}

/// The credentials used, by when each was first: `0 1 2 0`.
fn used(run: &Run) -> String {
    let mut seen = vec![];
    let mut places = vec![];
    for sent in &run.sends {
        let key = sent.header("authorization").unwrap();
        let place = seen.iter().position(|other| *other == key).unwrap_or(seen.len());
        if place == seen.len() {
            seen.push(key);
        }
        places.push(place.to_string());
    }
    places.join(" ")
}

#[test]
fn another_credential_comes_before_another_target() {
    let whole_model = error(429, "rate_limit_exceeded", "The model is at capacity.").header("retry-after", "20");
    for (rule, targets, answers, hosts, keys, last_at) in [
        ("revoked", "pair/x,beta/large", vec![revoked(), served()], "pair pair", "0 1", 0),
        ("both revoked", "pair/x,beta/large", vec![revoked(), revoked(), served()], "pair pair beta", "0 1 2", 0),
        ("limited: the other one at once", "pair/x,beta/large", vec![limited(2), served()], "pair pair", "0 1", 0),
        ("the model's limit is everybody's", "pair/x,beta/large", vec![whole_model, served()], "pair beta", "0 1", 0),
        (
            "all limited for long: the next target",
            "trio/x,beta/large",
            vec![limited(20), limited(20), limited(20), served()],
            "trio trio trio beta",
            "0 1 2 3",
            0,
        ),
        (
            "all limited: the first that is free again",
            "trio/x,beta/large",
            vec![limited(2), limited(1), limited(2), served()],
            "trio trio trio trio",
            "0 1 2 1",
            1_000,
        ),
        (
            "also when the others are worse off",
            "trio/x,beta/large",
            vec![limited(2), revoked(), limited(60), served()],
            "trio trio trio trio",
            "0 1 2 0",
            2_000,
        ),
        (
            "and only once",
            "trio/x,beta/large",
            vec![limited(1), limited(1), limited(1), limited(1), served()],
            "trio trio trio trio beta",
            "0 1 2 0 3",
            1_000,
        ),
        (
            "all revoked",
            "trio/x,beta/large",
            vec![revoked(), revoked(), revoked(), served()],
            "trio trio trio beta",
            "0 1 2 3",
            0,
        ),
        (
            "the last try is another target's",
            "crowd/x,alpha/small",
            vec![revoked(), revoked(), revoked(), revoked(), revoked(), served()],
            "crowd crowd crowd crowd crowd alpha",
            "",
            0,
        ),
    ] {
        let run = Case::chat(targets).run(answers);
        assert_eq!((run.hosts().as_str(), run.status), (hosts, 200), "{rule}");
        assert_eq!(run.sends.last().unwrap().at, last_at, "{rule}");
        assert!(keys.is_empty() || used(&run) == keys, "{rule}: {}", used(&run));
    }
    let run = Case::chat("trio/x").run([revoked(), revoked(), revoked()]);
    assert_eq!((run.status, used(&run).as_str()), (502, "0 1 2"));
    assert_eq!(run.learned().len(), 3, "each has a cooldown of its own: {:?}", run.learned());
}

#[test]
fn a_fault_of_the_request_or_the_provider_is_no_other_credentials_affair() {
    let down = error(503, "oops", "Oops.");
    for (rule, answers, hosts, keys) in [
        ("the caller's", vec![limited(1), error(400, "bad", "No.")], "trio trio", "0 1"),
        ("the provider's: the same once more", vec![down.clone(), down.clone(), served()], "trio trio beta", "0 0 1"),
        ("after a limit", vec![limited(60), down.clone(), served()], "trio trio trio", "0 1 1"),
        (
            "silence",
            vec![limited(1), error(504, "x", "Oops.").header("x-should-retry", "false"), served()],
            "trio trio beta",
            "0 1 2",
        ),
    ] {
        let run = Case::chat("trio/x,beta/large").run(answers);
        assert_eq!((run.hosts().as_str(), used(&run).as_str()), (hosts, keys), "{rule}");
    }
}

#[test]
fn credentials_take_turns() {
    let mut first = std::collections::BTreeMap::<usize, u32>::new();
    for seed in 0..600 {
        let mut case = Case::chat("trio/x");
        case.seed = seed;
        let credentials = case.plan().attempts.remove(0).credentials;
        *first.entry(credentials[0]).or_default() += 1;
        let turned: Vec<usize> = (0..3).map(|n| (credentials[0] + n) % 3).collect();
        assert_eq!(credentials, turned);
    }
    assert!(first.values().all(|count| (150..250).contains(count)), "{first:?}");
}

#[test]
fn a_credential_that_is_out_is_used_only_when_all_are() {
    let until = START.plus(60_000);
    let out = |cells: &[usize]| View::of(cells.iter().map(|n| (format!("trio#{n}"), Standing::Cooling { until })));
    let plan = |health: View| Case { health, ..Case::chat("trio/x,beta/large") }.plan();
    let sorted = |mut credentials: Vec<usize>| {
        credentials.sort_unstable();
        credentials
    };
    assert_eq!(sorted(plan(out(&[1])).attempts.remove(0).credentials), [0, 2]);
    assert_eq!(plan(out(&[0, 1])).attempts.remove(0).credentials, [2]);
    assert_eq!(plan(out(&[0, 1, 2])).attempts.remove(0).provider, "beta");
    let alone = Case { health: out(&[0, 1, 2]), ..Case::chat("trio/x") }.plan().attempts.remove(0);
    assert_eq!(sorted(alone.credentials), [0, 1, 2]);
}

#[test]
fn a_request_waits_for_a_target_that_is_back_soon() {
    let config = gateway(
        r#"{"patient":{"targets":["trio/x","beta/large"],"when_all_unavailable":{"wait_ms":3000}},
            "not":{"targets":["trio/x","beta/large"]}}"#,
        "",
    );
    let case = |health| Case { health, ..Case::with(config.clone(), Dialect::OpenAiChat, "patient", false) };
    let out = |ms| {
        let until = START.plus(ms);
        View::of([("trio/x".to_owned(), Standing::Open { until }), ("beta/large".to_owned(), Standing::Cooling { until })])
    };
    assert_eq!(case(View::default()).plan().wait, None);
    assert_eq!(Case { health: out(900), ..Case::with(config.clone(), Dialect::OpenAiChat, "not", false) }.plan().wait, None);
    let wait = case(out(900)).plan().wait.unwrap();
    let pause = |ms: u64| wait.pause(START, START.plus(ms)).map_err(|error| (error.status, error.retry_after_seconds()));
    for (rule, at, then) in [
        ("no longer than half a second without a look", 0, Ok(500)),
        ("until it may be back", 600, Ok(300)),
        ("at least so long that others may be told first", 895, Ok(50)),
        ("not beyond what the route allows", 2_980, Ok(20)),
        ("then as without waiting", 3_000, Err((503, Some(1)))),
    ] {
        assert_eq!(pause(at), then, "{rule}");
    }
    assert_eq!(case(View::of([("trio/x".to_owned(), Standing::Open { until: Millis(1) })])).plan().attempts[0].provider, "beta");
}

#[test]
fn a_probe_is_not_given_back_while_another_credential_may_finish_it() {
    let probing = View::of([("pair/x".to_owned(), Standing::Probe)]);
    for (rule, answers, learned) in [
        ("the other key serves", vec![limited(20), stream(told())], vec!["signal pair#first Cool", "probed pair/x Ok"]),
        (
            "no key is left",
            vec![limited(20), limited(20), stream(told())],
            vec!["signal pair#first Cool", "signal pair#second Cool", "released pair/x", "signal beta/large Ok"],
        ),
    ] {
        let case = Case { health: probing.clone(), ..Case::of(Dialect::OpenAiChat, "pair/x,beta/large", true) };
        let keys = case.plan().attempts.remove(0).credentials;
        let named = |line: &str| line.replace("first", &keys[0].to_string()).replace("second", &keys[1].to_string());
        let learned: Vec<String> = learned.into_iter().map(named).collect();
        assert_eq!(case.run(answers).learned(), learned, "{rule}");
    }
}
