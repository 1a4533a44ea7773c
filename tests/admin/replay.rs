//! A decision is made again from its record: the same, or with the difference that there is.

use std::rc::Rc;

use portolan::{
    admin::{replay, version},
    chat::request::Effort,
    config::{MaxPrice, OwnKey, Snapshot},
    dialect::{Dialect, Facts},
    exchange::{Call, Exchange, Task},
    features::Features,
    ledger::record::{Early, Record, Unplanned},
    plan::{
        self, Sort, Wishes,
        health::{Numbers, Standing, View},
        inputs::{Inputs, Origin, keep},
        seed,
    },
    units::{Millis, Money},
    wire::trace::Trace,
};
use serde_json::{Value, json};

use super::{NOW, gateway, openapi::hold};

/// Chance that repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = seed::mix(self.0);
        seed::below(self.0, bound)
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(u64::try_from(items.len()).unwrap())).unwrap()]
    }
}

const TARGETS: [&str; 6] = ["alpha/small", "alpha/toolless", "beta/large", "gamma/claude", "pair/x", "delta/x"];

const STRATEGIES: [&str; 6] = ["priority", "weighted", "least_cost", "least_latency", "balanced", "sticky"];

/// Conditions over all that is kept of a request.
const CONDITIONS: [&str; 14] = [
    r#"{"header.x-team": {"eq": "research"}}"#,
    r#"{"metadata.tier": {"in": ["gold", "silver"]}}"#,
    r#"{"not": {"user": {"exists": true}}}"#,
    r#"{"country": "DE"}"#,
    r#"{"colo": {"ne": "FRA"}}"#,
    r#"{"key.tags": "gold"}"#,
    r#"{"key.name": "ci"}"#,
    r#"{"max_output_tokens": {"gte": 1000}}"#,
    r#"{"stream": true}"#,
    r#"{"dialect": "anthropic"}"#,
    r#"{"input_tokens": {"lt": 3000}, "tools": {"eq": 0}}"#,
    r#"{"any": [{"has_images": true}, {"complexity": {"gt": 0.5}}]}"#,
    r#"{"reasoning_effort": {"gte": "medium"}}"#,
    r#"{"all": [{"language": "de"}, {"hour_utc": {"lt": 23}}]}"#,
];

/// Some routes over some targets, each of which may lead to those before it.
fn config(dice: &mut Dice) -> Rc<Snapshot> {
    let mut routes = serde_json::Map::new();
    for n in 0..4 {
        let strategy = *dice.pick(&STRATEGIES);
        let condition = |dice: &mut Dice| serde_json::from_str::<Value>(dice.pick::<&str>(&CONDITIONS)).unwrap();
        let mut targets: Vec<Value> = vec![];
        for _ in 0..1 + dice.below(5) {
            let mut target = match dice.below(8) {
                0 if n > 0 => json!({"use": format!("route{}", dice.below(n))}),
                _ => json!({"model": dice.pick(&TARGETS)}),
            };
            if targets.iter().any(|other| other["model"] == target["model"] && other["use"] == target["use"]) {
                continue;
            }
            if strategy == "weighted" {
                target["weight"] = json!(1 + dice.below(9));
            }
            if dice.below(4) == 0 {
                target["when"] = condition(dice);
            }
            targets.push(target);
        }
        let mut route = json!({"strategy": strategy, "targets": targets});
        if n > 0 && dice.below(2) == 0 {
            let rules: Vec<Value> = (0..1 + dice.below(3))
                .map(|_| json!({"when": condition(dice), "use": format!("route{}", dice.below(n))}))
                .collect();
            route["rules"] = json!(rules);
        }
        if dice.below(3) == 0 {
            route["when_all_unavailable"] = json!("fail");
        }
        if dice.below(3) == 0 {
            route["retry"] = json!({"attempts": 1 + dice.below(3)});
        }
        routes.insert(format!("route{n}"), route);
    }
    gateway(&Value::Object(routes).to_string())
}

fn health(dice: &mut Dice) -> View {
    let mut cells = vec![];
    for name in TARGETS.iter().chain(&[
        "alpha#0",
        "pair#0",
        "pair#1",
        "gamma#0",
        "elsewhere/m",
        "alpha#own-5f0e",
        "alpha#own-5f0e/small",
        "alpha#own-9999",
    ]) {
        let percent = u8::try_from(dice.below(101)).unwrap();
        let until = NOW.plus(dice.below(20_000));
        let standings = [
            Standing::Up,
            Standing::Up,
            Standing::Up,
            Standing::Degraded { percent },
            Standing::Ramping { percent },
            Standing::Probe,
            Standing::Open { until },
            Standing::Cooling { until },
        ];
        cells.push(((*name).to_owned(), *dice.pick(&standings)));
    }
    let numbers = TARGETS.iter().map(|name| {
        let numbers = Numbers {
            p50_ms: dice.below(900),
            p95_ms: dice.below(3_000),
            samples: dice.below(12),
            failed_permille: u16::try_from(dice.below(1_000)).unwrap(),
        };
        ((*name).to_owned(), numbers)
    });
    View::of(cells).with_numbers(numbers.collect::<Vec<_>>())
}

fn maybe<T>(dice: &mut Dice, value: impl FnOnce(&mut Dice) -> T) -> Option<T> {
    (dice.below(2) == 0).then(|| value(dice))
}

fn wishes(dice: &mut Dice) -> Wishes {
    let name = |dice: &mut Dice| vec![(*dice.pick(&["alpha", "beta", "gamma", "pair"])).to_owned()];
    let label = ("tier".to_owned(), (*dice.pick(&["gold", "tin"])).to_owned());
    let mut wishes = Wishes { metadata: vec![label, ("never".to_owned(), "read".to_owned())], ..Wishes::NONE };
    wishes.session = maybe(dice, |dice| format!("conversation {}", dice.below(9)));
    match dice.below(9) {
        0 => wishes.route = Some(format!("route{}", dice.below(4))),
        1 => wishes.models = vec!["gamma/claude".to_owned(), format!("route{}", dice.below(4))],
        2 => wishes.order = name(dice),
        3 => wishes.only = [name(dice), name(dice)].concat(),
        4 => wishes.ignore = name(dice),
        5 => wishes.allow_fallbacks = Some(false),
        6 => wishes.sort = Some(*dice.pick(&[Sort::Price, Sort::Latency, Sort::Throughput])),
        7 => wishes.max_price = MaxPrice { input: Some(Money(1_500_000)), output: None },
        _ => wishes.require_parameters = true,
    }
    wishes
}

fn features(dice: &mut Dice) -> Features {
    Features {
        input_tokens: dice.below(9_000),
        messages: dice.below(9),
        tools: dice.below(3),
        images: dice.below(3) == 0,
        audio: dice.below(9) == 0,
        files: dice.below(9) == 0,
        video: dice.below(9) == 0,
        json_schema: dice.below(5) == 0,
        reasoning_effort: maybe(dice, |dice| *dice.pick(&[Effort::Minimal, Effort::Medium, Effort::XHigh])),
        language: dice.pick::<&str>(&["", "de", "zh"]),
        complexity: u16::try_from(dice.below(1_001)).unwrap(),
        opening: dice.below(u64::MAX),
    }
}

fn inputs(dice: &mut Dice) -> (Inputs, String) {
    let id = format!("req_{:x}", dice.below(u64::MAX));
    let several = ["alpha/small, beta/large".to_owned(), format!("beta/{},gamma/claude", "long".repeat(49))];
    let model = match dice.below(6) {
        n @ 0..4 => format!("route{n}"),
        _ => dice.pick(&several).clone(),
    };
    let facts = Facts {
        model,
        stream: dice.below(2) == 0,
        tools: dice.below(3) == 0,
        max_output: maybe(dice, |dice| dice.below(4_000)),
        user: maybe(dice, |dice| format!("user {}", dice.below(9))),
        ..Facts::default()
    };
    let inputs = Inputs {
        dialect: *dice.pick(&[Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini]),
        operation: None,
        facts,
        owner: None,
        features: maybe(dice, features),
        origin: Origin {
            region: "weur".to_owned(),
            country: (*dice.pick(&["DE", "FR"])).to_owned(),
            colo: (*dice.pick(&["FRA", "CDG"])).to_owned(),
        },
        key: "ci".to_owned(),
        tags: maybe(dice, |_| vec!["gold".to_owned()]).unwrap_or_default(),
        providers: (dice.below(8) == 0).then(|| vec!["alpha".to_owned(), "gamma".to_owned()]),
        headers: ["x-team", "cookie"].map(|name| (name.to_owned(), (*dice.pick(&["research", "sales"])).to_owned())).to_vec(),
        wishes: maybe(dice, wishes).unwrap_or(Wishes::NONE),
        conversation: None,
        health: health(dice),
        own_keys: maybe(dice, own_keys).unwrap_or_default(),
        now: NOW,
        seed: seed::hash(&id),
    };
    (inputs, id)
}

/// A tenant's own keys: one in place of the operator's, one where the operator has none, one that cannot be opened.
fn own_keys(dice: &mut Dice) -> Vec<(String, String)> {
    let keys = [("alpha", "5f0e"), ("delta", "5f0e"), ("beta", "")];
    keys.into_iter().filter(|_| dice.below(2) == 0).map(|(name, print)| (name.to_owned(), print.to_owned())).collect()
}

fn with_own(inputs: &Inputs, config: &Rc<Snapshot>) -> Rc<Snapshot> {
    let key = |(provider, print): &(String, String)| OwnKey {
        provider: provider.clone(),
        fingerprint: print.clone(),
        value: (!print.is_empty()).then(|| "sk-own-canary-7a1c44e0".to_owned()),
    };
    Rc::new(config.with_own(&inputs.own_keys.iter().map(key).collect::<Vec<_>>()))
}

/// The record that the gateway writes of it, as the journal has it.
fn recorded(inputs: &Inputs, id: &str, config: &Rc<Snapshot>) -> Value {
    let config = &with_own(inputs, config);
    let planned = plan::plan(inputs.ask(), config, &inputs.health, inputs.now, inputs.seed);
    let kept = keep(inputs.ask(), config, &inputs.health, planned.as_ref());
    let region = inputs.origin.region.clone();
    let record = match planned {
        Ok(plan) => {
            let call = Call {
                id: id.to_owned(),
                dialect: inputs.dialect,
                task: Task::Generate,
                caller: inputs.dialect.caller().unwrap(),
                facts: inputs.facts.clone(),
                body: Rc::new(b"{}".to_vec()),
                headers: vec![],
                started: inputs.now,
                seed: inputs.seed,
                payer: portolan::ledger::Payer::gateway(&inputs.key),
                region,
                colo: inputs.origin.colo.clone(),
            };
            let mut exchange = Exchange::new(call, Rc::clone(config), plan).made_of(kept);
            exchange.close(NOW);
            exchange.record(NOW)
        }
        Err(error) => {
            let unplanned = Some(Unplanned { task: Task::Generate.name(), stream: inputs.facts.stream, inputs: kept });
            let (key, asked) = (inputs.key.clone(), inputs.facts.model.clone());
            let who = Early {
                id: id.to_owned(),
                trace: Trace::of(id, None),
                time: NOW,
                dialect: inputs.dialect,
                payer: portolan::ledger::Payer::gateway(&key),
                asked,
                region,
                unplanned,
            };
            Record::refused(who, &error, &config.version, Millis(NOW.0 + 3))
        }
    };
    serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()
}

fn again(record: &Value, config: &Snapshot) -> Value {
    let told = replay(record.clone(), config).map_err(|error| format!("{record}: {}", error.message)).unwrap();
    let told = serde_json::from_str(&told).unwrap();
    hold("Replay", &told);
    told
}

#[test]
fn every_decision_is_the_same_again() {
    let mut dice = Dice(20_261_123);
    let (mut planned, mut refused) = (0, 0);
    for round in 0..80 {
        let config = config(&mut dice);
        for _ in 0..40 {
            let (inputs, id) = inputs(&mut dice);
            let record = recorded(&inputs, &id, &config);
            if record["outcome"] == "refused" {
                refused += 1
            } else {
                planned += 1
            }
            let told = again(&record, &config);
            assert_eq!(told["same"], true, "{round}: {record}\n{told}");
            assert_eq!(told["recorded"], told["recomputed"]);
            let text = record.to_string();
            assert!(!text.contains("canary") && !text.contains("#own-9999"), "{text}");
            assert!(!text.contains("cookie") && !text.contains("never") && !text.contains("conversation "), "{text}");
            assert_eq!(version(&record), Some(config.version.as_str()));
        }
    }
    assert!(planned > 1_500 && refused > 100, "{planned} {refused}");
}

#[test]
fn another_standing_is_another_decision() {
    let config = gateway(r#"{"three": {"targets": ["alpha/small", "beta/large", "gamma/claude"]}}"#);
    let mut dice = Dice(1);
    let (mut inputs, id) = inputs(&mut dice);
    (inputs.facts.model, inputs.facts.tools) = ("three".to_owned(), false);
    (inputs.wishes, inputs.features, inputs.providers) = (Wishes::NONE, None, None);
    inputs.own_keys = vec![];
    inputs.health = View::of([("beta/large".to_owned(), Standing::Open { until: NOW.plus(5_000) })]);
    let record = recorded(&inputs, &id, &config);
    assert_eq!(record["inputs"]["health"], json!({"beta/large": {"standing": "open", "until": NOW.0 + 5_000}}));
    assert_eq!(again(&record, &config)["same"], true);
    let mut changed = record.clone();
    changed["inputs"]["health"]["beta/large"] = json!("up");
    let told = again(&changed, &config);
    assert_eq!(told["same"], false);
    let differences = json!([
        {"path": "attempts[1]", "recorded": "gamma/claude: priority 2", "recomputed": "beta/large: priority 2"},
        {"path": "attempts[2]", "recorded": null, "recomputed": "gamma/claude: priority 3"},
        {"path": "skipped[0]", "recorded": format!("beta/large: circuit open until {}", NOW.0 + 5_000), "recomputed": null},
    ]);
    assert_eq!(told["differences"], differences);
    // The same with another draw, or under other routes.
    let split = gateway(r#"{"three": {"targets": ["gamma/claude", "alpha/small"]}}"#);
    assert_eq!(again(&record, &split)["same"], false);
}

#[test]
fn a_plain_request_keeps_next_to_nothing() {
    let config = gateway(r#"{"one": {"targets": ["alpha/small"]}, "two": {"targets": ["alpha/small", "beta/large"]}}"#);
    let mut dice = Dice(2);
    let (mut inputs, id) = inputs(&mut dice);
    (inputs.wishes, inputs.features, inputs.providers) = (Wishes::NONE, None, None);
    inputs.own_keys = vec![];
    inputs.health = View::of([("elsewhere/m".to_owned(), Standing::Probe), ("pair#0".to_owned(), Standing::Probe)]);
    for (model, tools, max_output, expected) in [
        ("one", false, None, None),
        ("one", true, Some(100), Some(json!({"tools": true, "max_output": 100}))),
        ("two", false, None, None),
        ("alpha/small", false, None, None),
    ] {
        inputs.facts = Facts { model: model.to_owned(), tools, max_output, ..Facts::default() };
        let record = recorded(&inputs, &id, &config);
        assert_eq!(record.get("inputs"), expected.as_ref(), "{model}");
    }
}

#[test]
fn what_was_not_decided_cannot_be_decided_again() {
    let config = gateway("{}");
    for record in [
        json!({"id": "req_1", "task": "", "config": config.version, "dialect": "openai-chat", "asked": "x"}),
        json!({"id": "req_1", "config": config.version}),
    ] {
        assert_eq!(version(&record), None, "{record}");
        let error = replay(record, &config).unwrap_err();
        assert_eq!(error.status, 404, "{}", error.message);
    }
}
