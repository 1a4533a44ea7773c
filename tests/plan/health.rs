//! The breaker along virtual time: FAILOVER 6.

use portolan::{
    config::Breaker,
    plan::{
        health::{Health, MAX_CELLS, Signal, Standing, Tuning, View},
        operator::Action,
    },
    units::Millis,
};

const T0: Millis = Millis(1_800_000_000_000);
const KEY: &str = "acme/large";
const OK: Signal = Signal::Ok { first_ms: 300 };
const FAILED: Signal = Signal::Failed { floor_ms: 0 };

fn at(ms: u64) -> Millis {
    T0.plus(ms)
}

/// What a cell stands at after signals at times.
fn after(signals: &[(u64, Signal)]) -> (Health, Standing) {
    let mut health = Health::default();
    let mut last = 0;
    for (ms, signal) in signals {
        health.report(KEY, *signal, at(*ms), 1);
        last = *ms;
    }
    let standing = health.snapshot(at(last)).standing(KEY, at(last));
    (health, standing)
}

fn is_open(standing: Standing) -> bool {
    matches!(standing, Standing::Open { .. })
}

#[test]
fn it_opens_at_three_in_a_row_or_half_of_five() {
    for (rule, signals, opens) in [
        ("two in a row", vec![(0, FAILED), (1, FAILED)], false),
        ("three in a row", vec![(0, FAILED), (1, FAILED), (2, FAILED)], true),
        ("a success between", vec![(0, FAILED), (1, FAILED), (2, OK), (3, FAILED)], false),
        ("three of five", vec![(0, FAILED), (1, OK), (2, FAILED), (3, OK), (4, FAILED)], true),
        ("half of four is too few", vec![(0, FAILED), (1, OK), (2, OK), (3, FAILED)], false),
        ("half of six", vec![(0, FAILED), (1, OK), (2, OK), (3, FAILED), (4, OK), (5, FAILED)], true),
        ("two of five", vec![(0, FAILED), (1, OK), (2, OK), (3, OK), (4, FAILED)], false),
        ("a row older than the window", vec![(0, FAILED), (1, FAILED), (40_000, FAILED)], false),
        ("what left the window", vec![(0, FAILED), (1, OK), (2, FAILED), (36_000, OK), (36_001, FAILED), (36_002, OK)], false),
    ] {
        assert_eq!(is_open(after(&signals).1), opens, "{rule}");
    }
}

#[test]
fn it_is_told_when_a_state_changes_and_only_then() {
    let mut health = Health::default();
    let told: Vec<_> = [OK, FAILED, FAILED, FAILED, FAILED, OK].iter().map(|signal| health.report(KEY, *signal, T0, 1)).collect();
    assert_eq!(told, [false, false, false, true, false, false]);
    assert!(health.report("acme#0", Signal::Down { until: at(9) }, T0, 1));
    assert!(!health.report("acme#0", Signal::Cool { until: at(8) }, T0, 1), "a shorter deadline is no news");
}

#[test]
fn an_opening_lasts_five_seconds_give_or_take_a_tenth() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut health = Health::default();
        for _ in 0..3 {
            health.report(KEY, FAILED, T0, seed);
        }
        let Standing::Open { until } = health.snapshot(T0).standing(KEY, T0) else { panic!("open") };
        let ms = until.since(T0);
        assert!((4_500..=5_500).contains(&ms), "{ms}");
        ends.insert(ms);
    }
    assert!(ends.len() > 50, "a fleet does not return at once: {}", ends.len());
}

#[test]
fn a_deadline_is_never_shortened_and_retry_after_is_a_floor() {
    let open_until = |signals: &[(u64, Signal)]| match after(signals).1 {
        Standing::Open { until } | Standing::Cooling { until } => until.since(T0),
        Standing::Up
        | Standing::Degraded { .. }
        | Standing::Ramping { .. }
        | Standing::Probe
        | Standing::Drained
        | Standing::Shut { .. } => 0,
    };
    let floor = Signal::Failed { floor_ms: 30_000 };
    assert_eq!(open_until(&[(0, FAILED), (0, FAILED), (0, floor)]), 30_000, "the floor of the last");
    assert_eq!(open_until(&[(0, FAILED), (0, FAILED), (0, FAILED), (1_000, floor)]), 31_000, "a late answer lengthens");
    assert_eq!(
        open_until(&[(0, FAILED), (0, FAILED), (0, floor), (1, Signal::Failed { floor_ms: 10 })]),
        30_000,
        "and never shortens"
    );
    let (long, short) = (Signal::Cool { until: at(9_000) }, Signal::Cool { until: at(2_000) });
    assert_eq!(open_until(&[(0, long), (1, short)]), 9_000);
    assert_eq!(open_until(&[(0, long), (1, OK)]), 9_000, "a success does not lift a limit");
    assert_eq!(open_until(&[(0, long), (1, FAILED), (1, FAILED), (1, FAILED)]), 9_000, "open and cooling: the later");
}

#[test]
fn successes_of_requests_from_before_do_not_close_it() {
    let (_, standing) = after(&[(0, FAILED), (0, FAILED), (0, FAILED), (100, OK), (200, OK), (6_000, OK), (6_100, OK)]);
    assert!(is_open(standing));
}

#[test]
fn a_cooldown_ends_by_itself() {
    let (health, _) = after(&[(0, Signal::Cool { until: at(2_000) })]);
    let view = health.snapshot(T0);
    assert_eq!(view.standing(KEY, at(1_999)), Standing::Cooling { until: at(2_000) });
    assert_eq!(view.standing(KEY, at(2_000)), Standing::Up);
    assert_eq!(health.snapshot(at(2_000)), View::default());
    assert_eq!(view.standing("acme/small", T0), Standing::Up, "a provider is up while one of its models is down");
}

#[test]
fn degraded_is_a_share_not_a_verdict() {
    let errors = |bad: usize, good: usize| {
        // The good first, then in turn: no three in a row, and no half of a few.
        let mut signals = vec![(0, OK); good - bad];
        for _ in 0..bad {
            signals.extend([(0, FAILED), (0, OK)]);
        }
        after(&signals).1
    };
    for (bad, good, expected) in [
        (0, 20, Standing::Up),
        (1, 19, Standing::Up),
        (2, 18, Standing::Degraded { percent: 80 }),
        (5, 15, Standing::Degraded { percent: 50 }),
        (8, 12, Standing::Degraded { percent: 20 }),
    ] {
        assert_eq!(errors(bad, good), expected, "{bad} of {}", bad + good);
    }
}

#[test]
fn slow_is_three_times_its_own_baseline_for_a_while() {
    let mut health = Health::default();
    let feed = |health: &mut Health, count: u64, from: u64, first_ms: u64| {
        for i in 0..count {
            health.report(KEY, Signal::Ok { first_ms }, at(from + i), 1);
        }
        health.snapshot(at(from + count)).standing(KEY, at(from + count))
    };
    assert_eq!(feed(&mut health, 50, 0, 400), Standing::Up);
    assert_eq!(feed(&mut health, 50, 100, 800), Standing::Up, "twice is not slow");
    let slow = feed(&mut health, 30, 200, 4_000);
    assert!(matches!(slow, Standing::Degraded { percent: 1..=33 }), "{slow:?}");
    assert_eq!(feed(&mut health, 30, 300, 500), Standing::Up, "and quick again");
    assert!(matches!(feed(&mut health, 30, 400, 4_000), Standing::Degraded { .. }));
    assert_eq!(
        health.snapshot(at(40_000)).standing(KEY, at(40_000)),
        Standing::Up,
        "stale slowness is forgotten, or nobody would ever look"
    );
    let mut quick = Health::default();
    feed(&mut quick, 50, 0, 10);
    assert_eq!(feed(&mut quick, 50, 100, 200), Standing::Up, "200 ms is never slow");
}

#[test]
fn whole_answers_count_as_served_and_say_nothing_of_speed() {
    let (mut timed, mut mixed) = (Health::default(), Health::default());
    for i in 0..40 {
        timed.report(KEY, Signal::Ok { first_ms: 400 }, at(i), 1);
        mixed.report(KEY, Signal::Ok { first_ms: 400 }, at(i), 1);
        mixed.report(KEY, Signal::Served, at(i), 1);
    }
    for i in 40..60 {
        timed.report(KEY, Signal::Ok { first_ms: 4_000 }, at(i), 1);
        mixed.report(KEY, Signal::Ok { first_ms: 4_000 }, at(i), 1);
        mixed.report(KEY, Signal::Served, at(i), 1);
    }
    let standing = |health: &Health| health.snapshot(at(60)).standing(KEY, at(60));
    assert!(matches!(standing(&timed), Standing::Degraded { .. }));
    assert_eq!(standing(&mixed), standing(&timed), "the same speed, whatever was served besides");
    let mut failing = Health::default();
    for i in 0..30 {
        let signal = if i % 3 == 0 { Signal::Failed { floor_ms: 0 } } else { Signal::Served };
        failing.report(KEY, signal, at(i), 1);
    }
    assert!(
        matches!(standing(&failing), Standing::Degraded { percent: 30..=40 }),
        "they are successes: {:?}",
        standing(&failing)
    );
}

#[test]
fn cells_are_bounded_and_the_idle_go_first() {
    let mut health = Health::default();
    for _ in 0..3 {
        health.report(KEY, FAILED, T0, 1);
    }
    for i in 0..u64::try_from(MAX_CELLS).unwrap() * 2 {
        health.report(&format!("acme/{i}"), OK, at(i), 1);
    }
    assert!(is_open(health.snapshot(T0).standing(KEY, T0)), "an open cell outlives a thousand idle ones");
    for i in 0..u64::try_from(MAX_CELLS).unwrap() * 2 {
        health.report(&format!("acme/{i}"), Signal::Cool { until: at(1_000_000) }, at(i), 1);
    }
    assert_eq!(health.snapshot(T0).cells().count(), MAX_CELLS);
}

#[test]
fn it_travels_small_and_whole() {
    let timed = |count: usize, ms: u64| vec![(ms, Signal::Ok { first_ms: ms }); count];
    let cool = Signal::Cool { until: at(9_000) };
    for signals in [
        vec![(0, FAILED), (0, FAILED), (0, FAILED)],
        vec![(0, FAILED), (1_000, Signal::Served), (20_000, cool)],
        [timed(40, 20), timed(30, 900), vec![(9_000, FAILED)]].concat(),
    ] {
        let (mut health, standing) = after(&signals);
        health.order("acme", Action::Drain, 5_000, T0);
        health.order("acme#1", Action::Reset, 0, T0);
        health.tune(Tuning { open_ms: 77, ..Tuning::default() });
        let text = serde_json::to_string(&health).unwrap();
        let back: Health = serde_json::from_str(&text).unwrap();
        assert_eq!(back, health);
        assert!(text.len() < 512, "{} bytes: {text}", text.len());
        let view = health.snapshot(at(9_000));
        assert_eq!(view.standing(KEY, at(9_000)), standing, "the operator's word is over");
        let text = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<View>(&text).unwrap(), view);
        assert!(text.len() < 200, "{} bytes: {text}", text.len());
    }
}

#[test]
fn what_another_version_wrote_is_not_read() {
    let text = serde_json::to_string(&after(&[(0, FAILED)]).0).unwrap();
    assert!(serde_json::from_str::<Health>(&text).is_ok());
    for other in [text.replace(r#""f":2"#, r#""f":1"#), text.replace(r#""f":2,"#, ""), "[]".to_owned(), "null".to_owned()] {
        assert!(serde_json::from_str::<Health>(&other).is_err(), "{other}");
        assert!(serde_json::from_str::<View>(&other).is_err(), "{other}");
    }
}

#[test]
fn a_version_is_its_content() {
    let open = |key: &str, ms| View::of([(key.to_owned(), Standing::Open { until: Millis(ms) }), ("b".to_owned(), Standing::Up)]);
    assert_eq!(open("a", 1).version(), open("a", 1).version());
    assert_eq!(View::default().version(), 0);
    let versions = [View::default().version(), open("a", 1).version(), open("a", 2).version(), open("c", 1).version()];
    assert_eq!(versions.iter().collect::<std::collections::BTreeSet<_>>().len(), versions.len());
}

#[test]
fn the_worse_opinion_counts() {
    use Standing::{Cooling, Degraded, Drained, Open, Probe, Ramping, Shut, Up};
    let (early, late) = (Millis(1), Millis(2));
    for (a, b, worst) in [
        (Up, Degraded { percent: 80 }, Degraded { percent: 80 }),
        (Ramping { percent: 10 }, Degraded { percent: 80 }, Ramping { percent: 10 }),
        (Ramping { percent: 50 }, Open { until: early }, Open { until: early }),
        (Cooling { until: late }, Open { until: early }, Open { until: late }),
        (Open { until: early }, Open { until: late }, Open { until: late }),
        (Cooling { until: early }, Cooling { until: late }, Cooling { until: late }),
        (Probe, Cooling { until: early }, Cooling { until: early }),
        (Drained, Degraded { percent: 1 }, Drained),
        (Drained, Cooling { until: early }, Cooling { until: early }),
        (Shut { until: early }, Open { until: late }, Shut { until: early }),
    ] {
        assert_eq!((a.worst(b), b.worst(a)), (worst, worst), "{a:?} {b:?}");
    }
}

#[test]
fn numbers_may_be_set_one_by_one() {
    assert_eq!(Tuning::of(&Breaker::default()), Tuning::default());
    let breaker = Breaker {
        open_ms: Some(50),
        early_max_open_ms: Some(200),
        max_open_ms: Some(900),
        consecutive_failures: Some(7),
        ..Breaker::default()
    };
    let expected = Tuning { open_ms: 50, early_max_open_ms: 200, max_open_ms: 900, in_a_row: 7, gap_ms: 50, ..Tuning::default() };
    assert_eq!(Tuning::of(&breaker), expected);
}
