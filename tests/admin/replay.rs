//! A decision is made again from its record: the same, or with the difference that there is.

use std::{collections::BTreeMap, rc::Rc};

use portolan::{
    admin::{replay, version},
    config::Snapshot,
    dialect::{Dialect, Facts},
    exchange::{Call, Exchange, Task},
    ledger::record::{Early, Record, Unplanned},
    plan::{
        health::{Standing, View},
        inputs::{Inputs, Origin, keep},
        seed,
    },
    units::Millis,
};
use serde_json::{Value, json};

use super::{NOW, gateway};

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

/// Some routes over some targets.
fn config(dice: &mut Dice) -> Rc<Snapshot> {
    let routes: BTreeMap<String, Value> = (0..4)
        .map(|n| {
            let count = 1 + dice.below(5);
            let weighted = dice.below(2) == 0;
            let mut names: Vec<&str> = vec![];
            for _ in 0..count {
                let name = *dice.pick(&TARGETS);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let target = |dice: &mut Dice, name: &str| {
                if weighted { json!({"model": name, "weight": 1 + dice.below(9)}) } else { json!(name) }
            };
            let targets: Vec<Value> = names.iter().map(|name| target(dice, name)).collect();
            let strategy = if weighted { "weighted" } else { "priority" };
            let mut route = json!({"strategy": strategy, "targets": targets});
            if dice.below(3) == 0 {
                route["when_all_unavailable"] = json!("fail");
            }
            if dice.below(3) == 0 {
                route["retry"] = json!({"attempts": 1 + dice.below(3)});
            }
            (format!("route{n}"), route)
        })
        .collect();
    gateway(&json!(routes).to_string())
}

fn health(dice: &mut Dice) -> View {
    let mut cells = vec![];
    for name in TARGETS.iter().chain(&["alpha#0", "pair#0", "pair#1", "gamma#0", "elsewhere/m"]) {
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
    View::of(cells)
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
        max_output: (dice.below(2) == 0).then(|| dice.below(4_000)),
        ..Facts::default()
    };
    let inputs = Inputs {
        dialect: *dice.pick(&[Dialect::OpenAiChat, Dialect::Anthropic, Dialect::Gemini]),
        operation: None,
        facts,
        owner: None,
        features: None,
        origin: Origin { region: "weur".to_owned(), ..Origin::default() },
        key: "ci".to_owned(),
        tags: vec![],
        headers: vec![],
        wishes: portolan::plan::Wishes::NONE,
        conversation: None,
        health: health(dice),
        now: NOW,
        seed: seed::hash(&id),
    };
    (inputs, id)
}

/// The record that the gateway writes of it, as the journal has it.
fn recorded(inputs: &Inputs, id: &str, config: &Rc<Snapshot>) -> Value {
    let planned = inputs.plan(config);
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
                key: inputs.key.clone(),
                region,
            };
            let mut exchange = Exchange::new(call, Rc::clone(config), plan).made_of(kept);
            exchange.close(NOW);
            exchange.record(NOW)
        }
        Err(error) => {
            let unplanned = Some(Unplanned { task: Task::Generate.name(), stream: inputs.facts.stream, inputs: kept });
            let (key, asked) = (inputs.key.clone(), inputs.facts.model.clone());
            let who = Early { id: id.to_owned(), time: NOW, dialect: inputs.dialect, key, asked, region, unplanned };
            Record::refused(who, &error, &config.version, Millis(NOW.0 + 3))
        }
    };
    serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()
}

fn again(record: &Value, config: &Snapshot) -> Value {
    let told = replay(record.clone(), config).map_err(|error| format!("{record}: {}", error.message)).unwrap();
    serde_json::from_str(&told).unwrap()
}

#[test]
fn every_decision_is_the_same_again() {
    let mut dice = Dice(20_261_123);
    let (mut planned, mut refused) = (0, 0);
    for round in 0..60 {
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
            assert_eq!(version(&record), Some(config.version.as_str()));
        }
    }
    assert!(planned > 1_500 && refused > 50, "{planned} {refused}");
}

#[test]
fn another_standing_is_another_decision() {
    let config = gateway(r#"{"three": {"targets": ["alpha/small", "beta/large", "gamma/claude"]}}"#);
    let mut dice = Dice(1);
    let (mut inputs, id) = inputs(&mut dice);
    (inputs.facts.model, inputs.facts.tools) = ("three".to_owned(), false);
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
