//! The order of candidates, pinned: replay rests on it.

use portolan::{
    plan::{
        health::Standing,
        seed::{below, fold, mix},
        strategy::{Arranged, arrange, draw},
    },
    units::Millis,
};

/// Computed apart from this code. A change here makes every recorded plan a lie.
const PINNED_FOLD: u64 = 15_269_847_576_846_692_056;
const PINNED_ORDERS: [(u64, [usize; 4]); 6] =
    [(0, [0, 1, 2, 3]), (1, [0, 2, 1, 3]), (2, [0, 1, 2, 3]), (42, [0, 1, 2, 3]), (5, [2, 0, 1, 3]), (u64::MAX, [0, 2, 1, 3])];

#[test]
fn the_same_seed_gives_the_same_order_for_ever() {
    // SplitMix64's first numbers, as its authors publish them.
    assert_eq!([mix(0), mix(0x9e37_79b9_7f4a_7c15)], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    assert_eq!(fold(7, "openai/gpt-4o"), PINNED_FOLD);
    for (seed, expected) in PINNED_ORDERS {
        assert_eq!(draw(&[70, 20, 10, 0], seed), expected, "{seed}");
    }
}

#[test]
fn what_has_no_weight_comes_last_as_written() {
    assert!(draw(&[], 1).is_empty());
    assert_eq!(draw(&[0, 0], 1), [0, 1]);
}

#[test]
fn weights_are_shares() {
    const SEEDS: u32 = 20_000;
    let weights = [70, 20, 10, 0];
    let mut first = [0_u32; 4];
    let mut second_after_0 = [0_u32; 4];
    for seed in 0..u64::from(SEEDS) {
        let order = draw(&weights, seed);
        first[order[0]] += 1;
        if order[0] == 0 {
            second_after_0[order[1]] += 1;
        }
        assert_eq!(order[3], 3, "weight 0 is a last resort");
    }
    for (count, weight) in first.iter().zip(weights) {
        let share = f64::from(*count) / f64::from(SEEDS) * 100.0;
        assert!((share - f64::from(u32::try_from(weight).unwrap())).abs() < 2.0, "{share} for {weight}");
    }
    let share = f64::from(second_after_0[1]) / f64::from(first[0]) * 100.0;
    assert!((share - 66.7).abs() < 2.0, "of the rest, by weight: {share}");
}

#[test]
fn numbers_below_are_even() {
    let mut count = [0_u32; 10];
    for seed in 0..10_000 {
        count[usize::try_from(below(seed, 10)).unwrap()] += 1;
    }
    assert!(count.iter().all(|n| (900..1_100).contains(n)), "{count:?}");
    assert_eq!(below(1, 0), 0);
}

#[test]
fn health_goes_before_strategy() {
    use Standing::{Cooling, Degraded, Open, Probe, Ramping, Up};
    const UNTIL: Millis = Millis(9);
    type Row = (&'static str, &'static [Standing], &'static [usize], &'static [usize]);
    let rows: &[Row] = &[
        ("all up", &[Up, Up, Up], &[0, 1, 2], &[]),
        ("open and cooling are out", &[Open { until: UNTIL }, Up, Cooling { until: UNTIL }], &[1], &[0, 2]),
        ("a probe keeps its place", &[Probe, Up, Probe], &[0, 1, 2], &[]),
        ("no share: behind the others", &[Degraded { percent: 0 }, Up, Ramping { percent: 0 }, Up], &[1, 3, 0, 2], &[]),
        ("a whole share: as if up", &[Degraded { percent: 100 }, Up], &[0, 1], &[]),
        ("nothing left", &[Open { until: UNTIL }], &[], &[0]),
    ];
    for (rule, standings, usable, excluded) in rows {
        let order: Vec<_> = (0..standings.len()).collect();
        for seed in 0..20 {
            let arranged = arrange(&order, |index| standings[index], seed);
            assert_eq!(arranged, Arranged { usable: usable.to_vec(), excluded: excluded.to_vec() }, "{rule}");
        }
    }
    assert_eq!(arrange(&[2, 0, 1], |_| Up, 1).usable, [2, 0, 1], "the strategy's order stays");
}

#[test]
fn a_share_is_a_share_of_the_seeds() {
    for percent in [10, 50, 80] {
        let standings = [Standing::Ramping { percent }, Standing::Up];
        let hits = (0..20_000).filter(|seed| arrange(&[0, 1], |index| standings[index], mix(*seed)).usable[0] == 0).count();
        let share = f64::from(u32::try_from(hits).unwrap()) / 200.0;
        assert!((share - f64::from(percent)).abs() < 2.0, "{share} for {percent}");
    }
}
