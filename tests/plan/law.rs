//! Properties that every plan has.

use portolan::{
    dialect::Facts,
    features::Features,
    plan::{
        cell,
        health::{Numbers, Standing, View},
        seed::mix,
    },
};

use super::{
    case::{Case, EXAMPLE, told},
    judge::NOW,
};

/// Many requests of many kinds on many routes in many states of health.
#[test]
fn every_plan_keeps_the_law() {
    const ROUTES: [&str; 9] =
        ["auto", "smart", "cheap", "split", "all", "spread", "quick", "fair", "lab/dear,lab/plain,openai/gpt-5.4"];
    let base = Case::of(EXAMPLE, "x");
    let cells: Vec<String> = base.config.providers.values().flat_map(|p| p.models.keys().map(|m| cell(&p.name, m))).collect();
    let mut sizes = [0_u32; 5];
    for seed in 0..4_000_u64 {
        let dice = |what: u64, sides: u64| mix(mix(seed) ^ what) % sides;
        let standing = |what: u64| match dice(what, 9) {
            0 => Standing::Open { until: NOW.plus(9_000) },
            1 => Standing::Cooling { until: NOW.plus(dice(what, 9_000)) },
            2 => Standing::Degraded { percent: 40 },
            3 => Standing::Probe,
            _ => Standing::Up,
        };
        let view = View::of(cells.iter().zip(100..).map(|(cell, at)| (cell.clone(), standing(at))));
        let numbers = cells.iter().zip(900..).map(|(cell, at)| {
            (cell.clone(), Numbers { p50_ms: 100 + dice(at, 900), samples: dice(at, 12), ..Numbers::default() })
        });
        let features = Features {
            input_tokens: 10 << dice(1, 18),
            images: dice(2, 4) == 0,
            tools: dice(3, 2),
            complexity: u16::try_from(dice(4, 1_001)).unwrap(),
            opening: dice(5, 3),
            ..Features::default()
        };
        let body = [
            "{}",
            r#"{"models":["smart","lab/plain"]}"#,
            r#"{"provider":{"sort":"price","ignore":["openai"]}}"#,
            r#"{"provider":{"order":["lab","google"],"allow_fallbacks":false}}"#,
            r#"{"metadata":{"team":"legal"},"provider":{"max_price":{"prompt":2}}}"#,
        ][usize::try_from(dice(6, 5)).unwrap()];
        let facts = Facts { model: ROUTES[usize::try_from(dice(7, 9)).unwrap()].to_owned(), ..base.facts.clone() };
        let case = Case { facts, view: view.with_numbers(numbers), seed, ..base.clone() }.features(features).says(body);
        let planned = case.plan();
        assert_eq!(format!("{planned:?}"), format!("{:?}", case.clone().plan()), "the same inputs, the same plan");
        let Ok(plan) = planned else {
            sizes[0] += 1;
            continue;
        };
        sizes[plan.attempts.len()] += 1;
        let tried: Vec<_> = plan.attempts.iter().map(|a| a.cell()).collect();
        for (at, name) in tried.iter().enumerate() {
            assert!(!tried[..at].contains(name), "unique: {tried:?}");
            let again = plan.skipped.iter().filter(|s| s.target == *name).map(|s| s.why.to_string());
            let allowed = |why: &String| why == "in the plan already";
            assert!(again.clone().all(|why| allowed(&why)), "{:?}", again.collect::<Vec<_>>());
        }
        // Whatever the route itself may lead to is either tried or left out with a reason, once.
        let resolved = case.config.resolve(&plan.route).unwrap();
        if plan.rule.is_none() {
            for target in case.config.targets(&resolved.config) {
                let name = target.name();
                let skipped = plan.skipped.iter().any(|s| s.target == name);
                assert!(tried.contains(&name) || skipped, "{name} of {} is lost: {}", plan.route, told(&plan));
            }
        }
    }
    assert!(sizes.iter().all(|count| *count > 20), "every size of plan occurs: {sizes:?}");
}
