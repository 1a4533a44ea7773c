//! The plan: the same inputs, the same plan, and a reason for everything in it and left out of it.

use portolan::sorted::SortedMap;
use std::fmt::Write;

use portolan::{
    config::{self, Documents, Snapshot},
    dialect::{Dialect, Facts},
    error::{Error, Kind},
    plan::{
        Ask, Origin, Plan, Reason,
        health::{Standing, View},
        plan,
    },
    units::Millis,
};

use super::judge::NOW;

const PROVIDERS: &str = include_str!("../fixtures/exchange/providers.json");
const KEYS: [&str; 5] = ["ALPHA_KEY", "BETA_KEY", "GAMMA_KEY", "PAIR_KEY_1", "PAIR_KEY_2"];

fn snapshot(routes: &str, settings: &str) -> Snapshot {
    let secrets: SortedMap<_, _> = KEYS.iter().map(|name| ((*name).to_owned(), "secret".to_owned())).collect();
    let documents = Documents {
        providers: Some(PROVIDERS.to_owned()),
        routes: Some(routes.to_owned()),
        settings: Some(settings.to_owned()),
        ..Documents::default()
    };
    config::build(&documents, &secrets).unwrap()
}

fn ask(model: &str, tools: bool) -> Facts {
    Facts { model: model.to_owned(), stream: true, tools, ..Facts::default() }
}

fn planned(config: &Snapshot, model: &str, view: &View, seed: u64) -> Result<Plan, Error> {
    plan(Ask::generate(Dialect::OpenAiChat, &ask(model, false)), config, view, NOW, seed)
}

/// `alpha/small: priority 1; beta/large: priority 2 | delta/x: no secret DELTA_KEY`
fn told(plan: &Plan) -> String {
    let attempts: Vec<_> = plan.attempts.iter().map(|a| format!("{}: {}", a.cell(), a.reason)).collect();
    let mut text = attempts.join("; ");
    plan.skipped.iter().for_each(|skipped| write!(text, " | {skipped}").unwrap());
    text
}

fn view(cells: &[(&str, Standing)]) -> View {
    View::of(cells.iter().map(|(cell, standing)| ((*cell).to_owned(), *standing)))
}

const LATER: Millis = NOW.plus(7_000);
const OPEN: Standing = Standing::Open { until: LATER };
const COOLING: Standing = Standing::Cooling { until: LATER };

#[test]
fn the_same_inputs_give_the_same_plan() {
    let routes = r#"{"split":{"strategy":"weighted","targets":[
        {"model":"alpha/small","weight":5},{"model":"beta/large","weight":3},{"model":"gamma/claude","weight":2}]}}"#;
    let (one, other) = (snapshot(routes, "{}"), snapshot(routes, "{}"));
    assert_eq!(one.version, other.version);
    let view = view(&[("beta/large", Standing::Degraded { percent: 50 })]);
    let mut orders = vec![];
    for seed in 0..200 {
        let text = |config: &Snapshot| format!("{:?}", planned(config, "split", &view, seed).unwrap());
        assert_eq!(text(&one), text(&other), "{seed}");
        orders.push(told(&planned(&one, "split", &view, seed).unwrap()));
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 6, "every order occurs");
    assert!(
        orders
            .iter()
            .any(|order| order == "alpha/small: weighted draw 1; gamma/claude: weighted draw 2; beta/large: weighted draw 3")
    );
}

#[test]
fn what_is_left_out_has_its_reason() {
    let routes = r#"{
        "all":{"targets":["alpha/small","delta/x","alpha/toolless","beta/large","gamma/claude","pair/x","beta/same"]},
        "two":{"targets":["alpha/small","beta/large","gamma/claude"],"retry":{"attempts":2}},
        "tuned":{"targets":[{"model":"alpha/small","params":{"override":{"n":1}}},{"model":"alpha/small","params":{"override":{"n":2}}},"beta/large"]}}"#;
    let config = snapshot(routes, "{}");
    let open = view(&[("alpha/small", OPEN), ("beta/large", COOLING)]);
    let until = LATER.0;
    for (rule, model, tools, view, expected) in [
        (
            "no secret, and a plan that is full",
            "all",
            false,
            View::default(),
            "alpha/small: priority 1; alpha/toolless: priority 2; beta/large: priority 3; gamma/claude: priority 4 \
             | delta/x: no secret DELTA_KEY | pair/x: not needed | beta/same: not needed"
                .to_owned(),
        ),
        (
            "a request with tools",
            "all",
            true,
            View::default(),
            "alpha/small: priority 1; beta/large: priority 2; gamma/claude: priority 3; pair/x: priority 4 \
             | delta/x: no secret DELTA_KEY | alpha/toolless: cannot call tools | beta/same: not needed"
                .to_owned(),
        ),
        (
            "health",
            "two",
            false,
            open,
            format!("gamma/claude: priority 1 | alpha/small: circuit open until {until} | beta/large: cooling until {until}"),
        ),
        (
            "the route's own limit",
            "two",
            false,
            View::default(),
            "alpha/small: priority 1; beta/large: priority 2 | gamma/claude: not needed".to_owned(),
        ),
        (
            "one model is tried once, whatever its parameters",
            "tuned",
            false,
            View::default(),
            "alpha/small: priority 1; beta/large: priority 2 | alpha/small: in the plan already".to_owned(),
        ),
        (
            "the caller's own list",
            "beta/large, alpha/small,beta/large",
            false,
            View::default(),
            "beta/large: priority 1; alpha/small: priority 2".to_owned(),
        ),
        (
            "a probe says so",
            "two",
            false,
            self::view(&[("alpha/small", Standing::Probe)]),
            "alpha/small: probe; beta/large: priority 2 | gamma/claude: not needed".to_owned(),
        ),
    ] {
        let facts = ask(model, tools);
        let plan = plan(Ask::generate(Dialect::OpenAiChat, &facts), &config, &view, NOW, 1).unwrap();
        assert_eq!(told(&plan), expected, "{rule}");
        let probes: Vec<_> = plan.probes().collect();
        assert_eq!(probes.is_empty(), rule != "a probe says so", "{rule}: {probes:?}");
    }
}

#[test]
fn parameters_are_drawn_like_any_target() {
    let routes = r#"{"tuned":{"strategy":"weighted","targets":[
        {"model":"alpha/small","weight":1,"params":{"override":{"n":1}}},
        {"model":"alpha/small","weight":1,"params":{"override":{"n":2}}}]}}"#;
    let config = snapshot(routes, "{}");
    let first = |seed| format!("{:?}", planned(&config, "tuned", &View::default(), seed).unwrap().attempts[0].edits);
    let ones = (0..200).filter(|seed| first(*seed).contains("\"1\"")).count();
    assert!((60..140).contains(&ones), "both arms get traffic: {ones} of 200");
}

#[test]
fn when_all_are_out_the_route_decides() {
    let routes = r#"{"brave":{"targets":["alpha/small","beta/large"]},
        "strict":{"targets":["alpha/small","beta/large"],"when_all_unavailable":"fail"}}"#;
    let config = snapshot(routes, "{}");
    let soon = NOW.plus(2_100);
    let out = view(&[("alpha/small", OPEN), ("beta/large", Standing::Cooling { until: soon })]);
    let plan = planned(&config, "brave", &out, 1).unwrap();
    assert_eq!(told(&plan), "alpha/small: all unavailable, tried anyway; beta/large: all unavailable, tried anyway");
    assert!(plan.attempts.iter().all(|attempt| attempt.reason == Reason::TriedAnyway));
    let error = planned(&config, "strict", &out, 1).unwrap_err();
    assert_eq!((error.kind, error.status, error.retry_after_seconds()), (Kind::Unavailable, 503, Some(3)));
    // Open for longer than its time: somebody else's probe is on its way.
    let overdue = view(&[("alpha/small", Standing::Open { until: NOW }), ("beta/large", Standing::Open { until: NOW })]);
    let error = planned(&config, "strict", &overdue, 1).unwrap_err();
    assert_eq!(error.retry_after_seconds(), Some(1), "0 would make an SDK call again at once");
    let half = view(&[("alpha/small", OPEN)]);
    assert_eq!(told(&planned(&config, "strict", &half, 1).unwrap()).split(' ').next(), Some("beta/large:"));
    // A cooldown ends by itself.
    let over = view(&[("alpha/small", Standing::Cooling { until: NOW }), ("beta/large", OPEN)]);
    assert_eq!(planned(&config, "strict", &over, 1).unwrap().attempts[0].cell(), "alpha/small");
}

#[test]
fn nothing_that_can_serve_is_an_error_that_says_why() {
    let config = snapshot(r#"{"seeing":{"targets":["alpha/toolless"]}}"#, "{}");
    let facts = ask("seeing", true);
    let error = plan(Ask::generate(Dialect::OpenAiChat, &facts), &config, &View::default(), NOW, 1).unwrap_err();
    assert_eq!((error.status, error.blame.name()), (400, "caller"));
    assert!(error.message.contains("alpha/toolless: cannot call tools"), "{}", error.message);
}

#[test]
fn good_credentials_come_first() {
    let config = snapshot("{}", "{}");
    for (cells, credentials, standing) in [
        (vec![], vec![0, 1], "priority 1"),
        (vec![("pair#0", COOLING)], vec![1], "priority 1"),
        (vec![("pair#1", COOLING)], vec![0], "priority 1"),
        (vec![("pair#0", COOLING), ("pair#1", OPEN)], vec![0, 1], "all unavailable, tried anyway"),
    ] {
        let plan = planned(&config, "pair/x", &view(&cells), 1).unwrap();
        assert_eq!(plan.attempts[0].credentials, credentials, "{cells:?}");
        assert_eq!(plan.attempts[0].reason.to_string(), standing, "{cells:?}");
        assert_eq!(plan.attempts[0].credential_cell(0), format!("pair#{}", credentials[0]));
    }
}

#[test]
fn a_body_is_carried_verbatim_where_the_provider_speaks_its_dialect() {
    let config = snapshot("{}", "{}");
    for (dialect, model, expected) in [
        (Dialect::OpenAiChat, "alpha/small", Dialect::OpenAiChat),
        (Dialect::OpenAiChat, "gamma/claude", Dialect::Anthropic),
        (Dialect::Anthropic, "gamma/claude", Dialect::Anthropic),
        (Dialect::Anthropic, "alpha/small", Dialect::OpenAiChat),
        (Dialect::Anthropic, "mock/echo", Dialect::Anthropic),
    ] {
        let facts = ask(model, false);
        let plan = plan(Ask::generate(dialect, &facts), &config, &View::default(), NOW, 1).unwrap();
        assert_eq!(plan.attempts[0].dialect, expected, "{dialect:?} {model}");
    }
}

#[test]
fn models_that_think_get_time_unless_somebody_said_how_much() {
    let routes = r#"{"plain":{"targets":["openai/gpt-5.4"]},
        "hasty":{"targets":["openai/gpt-5.4"],"timeouts":{"first_token_ms":5000,"headers_ms":4000}},
        "quick":{"targets":["alpha/small"]}}"#;
    let mut secrets: SortedMap<_, _> = KEYS.iter().map(|name| ((*name).to_owned(), "secret".to_owned())).collect();
    secrets.insert("OPENAI_API_KEY".to_owned(), "secret".to_owned());
    let documents = Documents { providers: Some(PROVIDERS.to_owned()), routes: Some(routes.to_owned()), ..Documents::default() };
    let config = config::build(&documents, &secrets).unwrap();
    for (route, headers_ms, first_token_ms) in [("plain", 60_000, 60_000), ("hasty", 4_000, 5_000), ("quick", 30_000, 12_000)] {
        let timeouts = planned(&config, route, &View::default(), 1).unwrap().attempts[0].timeouts;
        assert_eq!((timeouts.headers_ms, timeouts.first_token_ms), (headers_ms, first_token_ms), "{route}");
    }
}

#[test]
fn the_plan_names_what_it_was_decided_on() {
    let config = snapshot("{}", "{}");
    let out = view(&[("alpha/small", COOLING)]);
    let plan = planned(&config, "alpha/small,beta/large", &out, 1).unwrap();
    assert_eq!((plan.health_version, plan.route.as_str()), (out.version(), "alpha/small,beta/large"));
    assert_ne!(out.version(), View::default().version());
}

#[test]
fn what_the_operator_says_and_where_a_provider_serves() {
    let config = snapshot(r#"{"three": {"targets": ["alpha/small", "beta/large", "gamma/claude"]}}"#, "{}");
    let until = LATER.0;
    let shut = Standing::Shut { until: LATER };
    let all = ["alpha/small", "beta/large", "gamma/claude"];
    for (what, cells, colo, expected) in [
        (
            "drained comes last, behind what ramps",
            view(&[("alpha/small", Standing::Drained), ("beta/large", Standing::Ramping { percent: 0 })]),
            "",
            "gamma/claude: priority 1; beta/large: priority 2; alpha/small: priority 3".to_owned(),
        ),
        (
            "and is better than nothing",
            view(&[("alpha/small", Standing::Drained), ("beta/large", OPEN), ("gamma/claude", COOLING)]),
            "",
            format!("alpha/small: priority 1 | beta/large: circuit open until {until} | gamma/claude: cooling until {until}"),
        ),
        (
            "a drained credential is the only one",
            view(&[("alpha#0", Standing::Drained)]),
            "",
            "beta/large: priority 1; gamma/claude: priority 2; alpha/small: priority 3".to_owned(),
        ),
        (
            "shut is not tried even when all is out",
            view(&[("alpha/small", shut), ("beta/large", OPEN), ("gamma/claude", OPEN)]),
            "",
            format!(
                "beta/large: all unavailable, tried anyway; gamma/claude: all unavailable, tried anyway \
                 | alpha/small: shut by the operator until {until}"
            ),
        ),
        (
            "a shut credential",
            view(&[("alpha#0", shut)]),
            "",
            format!("beta/large: priority 1; gamma/claude: priority 2 | alpha/small: shut by the operator until {until}"),
        ),
        (
            "blocked here",
            view(&[("alpha@HKG", COOLING)]),
            "HKG",
            format!(
                "beta/large: priority 1; gamma/claude: priority 2 \
                 | alpha/small: does not serve where this came in, asked again at {until}"
            ),
        ),
        (
            "and nowhere else",
            view(&[("alpha@HKG", COOLING)]),
            "FRA",
            "alpha/small: priority 1; beta/large: priority 2; gamma/claude: priority 3".to_owned(),
        ),
    ] {
        let facts = ask("three", false);
        let origin = Origin { colo, ..Origin::default() };
        let ask = Ask { origin, ..Ask::generate(Dialect::OpenAiChat, &facts) };
        assert_eq!(told(&plan(ask, &config, &cells, NOW, 1).unwrap()), expected, "{what}");
    }
    let error = planned(&config, "three", &view(&all.map(|cell| (cell, shut))), 1).unwrap_err();
    assert_eq!(error.status, 503, "{error:?}");
}

#[test]
fn a_shut_or_drained_credential_is_not_used_while_another_is_there() {
    let config = snapshot(r#"{"one": {"targets": ["pair/x"]}}"#, "{}");
    let shut = Standing::Shut { until: LATER };
    for (cells, expected) in [
        (vec![], vec![0, 1]),
        (vec![("pair#0", Standing::Drained)], vec![1]),
        (vec![("pair#0", Standing::Drained), ("pair#1", shut)], vec![0]),
        (vec![("pair#0", Standing::Drained), ("pair#1", COOLING)], vec![0, 1]),
        (vec![("pair#0", shut)], vec![1]),
        (vec![("pair#1", shut)], vec![0]),
        (vec![("pair#0", shut), ("pair#1", COOLING)], vec![1]),
    ] {
        let mut plan = planned(&config, "one", &view(&cells), 1).unwrap();
        plan.attempts[0].credentials.sort_unstable();
        assert_eq!(plan.attempts[0].credentials, expected, "{cells:?}");
    }
}
