//! The operator's word: wins over every breaker, reaches every isolate, survives the object, and ends.

use portolan::{
    plan::{
        health::{Health, Signal, Standing, Tuning},
        operator::Action,
        sync::{Local, absorb},
    },
    units::Millis,
};

use super::sync::{FAILED, KEY, OK, Region, T0, at};

const DOWN: Signal = Signal::Down { until: T0.plus(1_800_000) };

const HOUR: u64 = 3_600_000;

#[test]
fn a_word_is_on_a_cell_or_on_all_of_its_provider() {
    let (open, cooling) = (Standing::Open { until: at(5_000) }, Standing::Cooling { until: at(1_800_000) });
    let shut = Standing::Shut { until: at(HOUR) };
    for (target, action, model, other, credential) in [
        ("none", Action::Drain, open, Standing::Up, cooling),
        ("acme/large", Action::Drain, Standing::Drained, Standing::Up, cooling),
        ("acme/large", Action::ForceOpen, shut, Standing::Up, cooling),
        ("acme/large", Action::ForceClose, Standing::Up, Standing::Up, cooling),
        ("acme/large", Action::Reset, Standing::Up, Standing::Up, cooling),
        ("acme#0", Action::ForceClose, open, Standing::Up, Standing::Up),
        ("acme#0", Action::Reset, open, Standing::Up, Standing::Up),
        ("acme", Action::Drain, Standing::Drained, Standing::Drained, Standing::Drained),
        ("acme", Action::ForceOpen, shut, shut, shut),
        ("acme", Action::ForceClose, Standing::Up, Standing::Up, Standing::Up),
        ("acme", Action::Reset, Standing::Up, Standing::Up, Standing::Up),
        ("acm", Action::ForceOpen, open, Standing::Up, cooling),
    ] {
        let mut health = Health::new(Tuning { jitter_percent: 0, ..Tuning::default() });
        for _ in 0..3 {
            health.report(KEY, FAILED, T0, 1);
        }
        health.report("acme#0", DOWN, T0, 1);
        health.order(target, action, HOUR, T0);
        let view = health.snapshot(T0);
        let found = [KEY, "acme/small", "acme#0"].map(|cell| view.standing(cell, T0));
        assert_eq!(found, [model, other, credential], "{target} {action:?}");
        assert_eq!(view.standing("acme2/large", T0), Standing::Up, "{target} {action:?}");
    }
}

#[test]
fn a_word_ends_and_a_nearer_one_goes_before() {
    let mut health = Health::default();
    health.order("acme", Action::ForceOpen, 2_000, T0);
    health.order(KEY, Action::ForceClose, 1_000, T0);
    for (ms, model, other) in [
        (999, Standing::Up, Standing::Shut { until: at(2_000) }),
        (1_999, Standing::Shut { until: at(2_000) }, Standing::Shut { until: at(2_000) }),
        (2_000, Standing::Up, Standing::Up),
    ] {
        let view = health.snapshot(at(ms));
        assert_eq!((view.standing(KEY, at(ms)), view.standing("acme/x", at(ms))), (model, other), "{ms}");
    }
    health.order("acme", Action::Drain, HOUR, T0);
    health.order("acme", Action::Reset, 0, T0);
    assert_eq!(health.snapshot(T0).standing(KEY, T0), Standing::Up, "a reset takes the word back");
}

#[test]
fn it_is_in_force_everywhere_within_five_seconds() {
    for (action, expected) in [
        (Action::Drain, Standing::Drained),
        (Action::ForceOpen, Standing::Shut { until: at(100 + HOUR) }),
        (Action::ForceClose, Standing::Up),
        (Action::Reset, Standing::Up),
    ] {
        let mut region = Region::down(3);
        region.sync(1, at(50));
        region.object.order("acme", action, HOUR, at(100));
        for i in 0..3 {
            region.sync(i, at(5_100));
            assert_eq!(region.standing(i, at(5_100)), expected, "{action:?} in {i}");
        }
        assert!(region.locals[0].due(at(5_100 + 4_999)).is_none(), "{action:?}: and costs no call");
    }
}

#[test]
fn a_repaired_credential_is_back_at_once() {
    let mut region = Region::new(3);
    let stands = |region: &Region, i: usize, now: Millis| region.locals[i].view(now).standing("acme#0", now);
    region.locals[0].report("acme#0", DOWN, T0, 1);
    (0..3).for_each(|i| region.sync(i, T0));
    region.object.order("acme#0", Action::Reset, 0, at(1_000));
    (0..2).for_each(|i| region.sync(i, at(5_000)));
    for i in 0..2 {
        assert_eq!(stands(&region, i, at(5_000)), Standing::Up, "{i}, whoever saw it first");
    }
    // One that was away for a while does not bring the old word back.
    assert!(matches!(stands(&region, 2, at(900_000)), Standing::Cooling { .. }));
    region.locals[2].report("acme#0", DOWN, at(900_000), 1);
    region.sync(2, at(900_000));
    assert_eq!(stands(&region, 2, at(900_000)), Standing::Up);
    region.sync(0, at(901_000));
    assert_eq!(stands(&region, 0, at(901_000)), Standing::Up, "what it said before it had heard is not taken");
    region.locals[2].report("acme#0", DOWN, at(902_000), 1);
    region.sync(2, at(902_000));
    region.sync(0, at(907_000));
    assert!(matches!(stands(&region, 0, at(907_000)), Standing::Cooling { .. }), "what it says after is");
}

#[test]
fn an_isolate_born_after_a_reset_is_believed() {
    let mut object = Health::default();
    object.order("acme", Action::Reset, 0, T0);
    let mut local = Local::new(7, Tuning::default());
    for _ in 0..3 {
        local.report(KEY, FAILED, at(10), 1);
    }
    let reply = absorb(&mut object, &local.due(at(10)).unwrap(), at(10), 1);
    local.learned(reply, at(10));
    for view in [object.snapshot(at(10)), local.view(at(10))] {
        assert!(matches!(view.standing(KEY, at(10)), Standing::Open { .. }));
    }
}

#[test]
fn a_word_survives_the_object_and_the_loss_of_it() {
    let mut region = Region::new(1);
    region.sync(0, T0);
    region.object.order("acme", Action::ForceOpen, HOUR, at(1));
    let kept = serde_json::to_string(&region.object).unwrap();
    region.object = serde_json::from_str(&kept).unwrap();
    region.sync(0, at(5_000));
    region.is_cut = true;
    region.sync(0, at(10_000));
    assert!(matches!(region.standing(0, at(10_000)), Standing::Shut { .. }));
    assert_eq!(region.standing(0, at(1 + HOUR)), Standing::Up, "and ends without it");
}

#[test]
fn what_is_forced_in_or_out_is_not_probed() {
    let mut region = Region::down(2);
    region.object.order("acme", Action::ForceOpen, HOUR, at(1));
    for ms in (0..60_000).step_by(500) {
        for i in 0..2 {
            region.sync(i, at(ms));
            assert_ne!(region.standing(i, at(ms)), Standing::Probe, "{i} at {ms}");
        }
    }
    region.object.order("acme", Action::Reset, 0, at(60_000));
    for _ in 0..3 {
        region.report(0, OK, at(60_001));
    }
    region.sync(0, at(65_000));
    assert_eq!(region.standing(0, at(65_000)), Standing::Up);
}

#[test]
fn words_are_bounded() {
    let mut health = Health::default();
    for i in 0..1_000 {
        health.order(&format!("acme/{i}"), Action::Drain, HOUR + i, T0);
    }
    let text = serde_json::to_string(&health.snapshot(T0)).unwrap();
    assert!(text.len() < 8_192, "{}", text.len());
    assert_eq!(health.snapshot(T0).standing("acme/999", T0), Standing::Drained, "the last word holds");
}
