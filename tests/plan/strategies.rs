//! Least cost, least latency, balanced and sticky: what they go by, and how evenly.

use std::collections::BTreeMap;

use portolan::{
    config::Strategy,
    plan::{
        health::Numbers,
        seed::{fold, hash, mix},
        strategy::{Chance, Figures, order},
    },
    units::Money,
};

const DOLLAR: u64 = 1_000_000_000_000;

fn of(name: &str, weight: u64) -> Figures {
    Figures { weight, identity: hash(name), ..Figures::default() }
}

fn costs(name: &str, cost: Option<u64>) -> Figures {
    Figures { cost: cost.map(Money), ..of(name, 1) }
}

fn takes(name: &str, p50_ms: u64, samples: u64) -> Figures {
    Figures { numbers: Numbers { p50_ms, samples, ..Numbers::default() }, ..of(name, 1) }
}

fn told(strategy: Strategy, figures: &[Figures], chance: Chance) -> Vec<(usize, String)> {
    order(strategy, figures, chance).into_iter().map(|(index, reason)| (index, reason.to_string())).collect()
}

fn first(strategy: Strategy, figures: &[Figures], chance: Chance) -> usize {
    order(strategy, figures, chance)[0].0
}

fn percent(hits: usize, of: u64) -> f64 {
    f64::from(u32::try_from(hits).unwrap()) * 100.0 / f64::from(u32::try_from(of).unwrap())
}

#[test]
fn the_cheapest_is_first_and_the_unknown_last() {
    let figures = [costs("a", None), costs("b", Some(DOLLAR / 5)), costs("c", Some(DOLLAR / 10)), costs("d", Some(DOLLAR / 10))];
    for seed in 0..20 {
        let told = told(Strategy::LeastCost, &figures, Chance { seed, session: None });
        let words = |text: &str| text.to_owned();
        let expected = vec![
            (2, words("least cost 0.1 USD")),
            (3, words("least cost 0.1 USD")),
            (1, words("least cost 0.2 USD")),
            (0, words("least cost price unknown")),
        ];
        assert_eq!(told, expected, "the seed decides nothing: {seed}");
    }
    // Between equals a conversation stays where it is, and conversations spread.
    let chance = |session| Chance { seed: mix(session), session: Some(session) };
    let thirds = (0..4_000).filter(|session| first(Strategy::LeastCost, &figures, chance(mix(*session))) == 3).count();
    assert!((percent(thirds, 4_000) - 50.0).abs() < 3.0, "{thirds}");
    let one = first(Strategy::LeastCost, &figures, Chance { seed: 1, session: Some(9) });
    assert_eq!(one, first(Strategy::LeastCost, &figures, Chance { seed: 2, session: Some(9) }));
}

#[test]
fn the_quickest_is_first_and_the_unknown_get_their_share() {
    let figures = [takes("slow", 900, 50), takes("new", 1, 4), takes("quick", 310, 5), takes("newer", 0, 0)];
    let mut count = BTreeMap::new();
    for seed in 0..20_000 {
        let order = order(Strategy::LeastLatency, &figures, Chance { seed: mix(seed), session: None });
        let mut all: Vec<_> = order.iter().map(|(index, _)| *index).collect();
        *count.entry(all[0]).or_insert(0_usize) += 1;
        let explored = matches!(all[0], 1 | 3);
        assert_eq!(order[0].1.to_string(), if explored { "least latency, exploring" } else { "p50 310 ms" });
        let known: Vec<_> = all.iter().copied().filter(|i| matches!(i, 0 | 2)).collect();
        assert_eq!(known, [2, 0]);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }
    for (index, share) in [(2, 90.0), (1, 5.0), (3, 5.0)] {
        assert!((percent(count[&index], 20_000) - share).abs() < 1.0, "{index}: {count:?}");
    }
    let unknown = [takes("a", 0, 0), takes("b", 0, 0)];
    assert!((0..50).all(|seed| first(Strategy::LeastLatency, &unknown, Chance { seed, session: None }) == 0), "as written");
    assert_eq!(order(Strategy::LeastLatency, &unknown, Chance::default())[0].1.to_string(), "latency unknown");
}

#[test]
fn balanced_weighs_cost_latency_and_failures() {
    let all = |name, cost, p50_ms, failed_permille| Figures {
        cost: Some(Money(cost)),
        numbers: Numbers { p50_ms, samples: 50, failed_permille, ..Numbers::default() },
        ..of(name, 1)
    };
    type Row = (&'static str, Vec<Figures>, Vec<usize>, &'static str);
    let rows: Vec<Row> = vec![
        ("cheap and slow against dear and quick", vec![all("a", 10, 900, 0), all("b", 20, 300, 0)], vec![1, 0], "score 1.500: "),
        ("the same, and it fails", vec![all("a", 10, 900, 0), all("b", 20, 300, 500)], vec![0, 1], "score 2.000: "),
        ("ten times is as bad as it gets", vec![all("a", 10, 9_000, 0), all("b", 1_000, 300, 0)], vec![0, 1], "score 5.500: "),
        (
            "no price: as the dearest",
            vec![Figures { cost: None, ..all("a", 0, 300, 0) }, all("b", 10, 300, 0), all("c", 20, 300, 0)],
            vec![1, 0, 2],
            "score 1.000: ",
        ),
        (
            "too few samples: as the quickest",
            vec![all("a", 10, 600, 0), Figures { numbers: Numbers::default(), ..all("b", 10, 0, 0) }, all("c", 10, 300, 0)],
            vec![1, 2, 0],
            "score 1.000: ",
        ),
    ];
    for (rule, figures, expected, reason) in rows {
        let told = told(Strategy::Balanced, &figures, Chance::default());
        assert_eq!(told.iter().map(|(index, _)| *index).collect::<Vec<_>>(), expected, "{rule}");
        assert!(told[0].1.starts_with(reason), "{rule}: {}", told[0].1);
    }
    let figures = [all("a", DOLLAR / 1_000, 310, 0)];
    assert_eq!(told(Strategy::Balanced, &figures, Chance::default())[0].1, "score 1.000: 0.001 USD, p50 310 ms");
}

const SESSIONS: u64 = 20_000;

fn homes(figures: &[(&str, u64)]) -> Vec<String> {
    let list: Vec<Figures> = figures.iter().map(|(name, weight)| of(name, *weight)).collect();
    let chance = |session| Chance { seed: mix(session ^ 5), session: Some(fold(session, "session")) };
    (0..SESSIONS).map(|session| figures[first(Strategy::Sticky, &list, chance(session))].0.to_owned()).collect()
}

#[test]
fn sessions_are_shared_out_by_weight_and_stay() {
    let before = homes(&[("a", 5), ("b", 3), ("c", 2), ("last", 0)]);
    for (name, share) in [("a", 50.0), ("b", 30.0), ("c", 20.0), ("last", 0.0)] {
        let found = percent(before.iter().filter(|home| *home == name).count(), SESSIONS);
        assert!((found - share).abs() < 1.5, "{name}: {found}");
    }
    // Where it stands, and what the dice say, is all the same.
    assert_eq!(homes(&[("c", 2), ("last", 0), ("a", 5), ("b", 3)]), before);
    // One more takes its share of each, and moves nobody else.
    let after = homes(&[("a", 5), ("b", 3), ("c", 2), ("new", 10)]);
    let moved = before.iter().zip(&after).filter(|(old, new)| old != new).inspect(|(_, new)| assert_eq!(*new, "new")).count();
    assert!((percent(moved, SESSIONS) - 50.0).abs() < 1.5, "{moved}");
    // One less, and only its own are moved.
    let without = homes(&[("a", 5), ("c", 2)]);
    assert!(before.iter().zip(&without).all(|(old, new)| old == new || old == "b"));
}

#[test]
fn where_a_session_lives_is_pinned() {
    // Computed apart from this code, with exact logarithms. A change here moves every conversation.
    let figures = [of("openai/gpt-5.4", 1), of("anthropic/claude-opus-4-6", 1), of("google/gemini-2.5-pro", 3)];
    let found: Vec<usize> =
        (0..16).map(|session| first(Strategy::Sticky, &figures, Chance { seed: 0, session: Some(mix(session)) })).collect();
    assert_eq!(found, PINNED_HOMES);
}

const PINNED_HOMES: [usize; 16] = [2, 2, 1, 0, 0, 1, 2, 2, 1, 2, 2, 0, 2, 2, 2, 2];
