//! Who may probe, and what the region believes of a probe that it cannot see.

use portolan::plan::{
    health::{Health, Standing},
    sync::{Reply, Report, absorb},
};

use super::sync::{FAILED, KEY, Region, at};

/// What isolate `i` tells now, taken in; whether the object must keep its state before it answers.
fn tell(region: &mut Region, i: usize, ms: u64) -> bool {
    let report: Report = region.locals[i].due(at(ms)).unwrap();
    let reply: Reply = absorb(&mut region.object, &report, at(ms), 7);
    let is_promise = reply.is_promise(&report);
    region.locals[i].learned(reply, at(ms));
    is_promise
}

#[test]
fn a_permit_is_not_used_in_its_last_two_seconds() {
    for (ms, may) in [(6_000, true), (13_900, true), (14_100, false), (15_900, false)] {
        let mut region = Region::down(2);
        region.sync(0, at(6_000));
        assert_eq!(region.standing(0, at(ms)) == Standing::Probe, may, "{ms}");
        assert_eq!(region.locals[0].take_probe(KEY, at(ms)), may, "{ms}");
    }
}

#[test]
fn a_probe_that_was_told_survives_a_restart_of_the_object() {
    let mut region = Region::down(2);
    assert!(tell(&mut region, 0, 6_000), "it lends a permit");
    assert!(region.locals[0].take_probe(KEY, at(6_500)));
    assert!(tell(&mut region, 0, 6_500), "the probe is on its way");
    let stored = serde_json::to_string(&region.object).unwrap();
    region.object = serde_json::from_str::<Health>(&stored).unwrap();
    region.sync(1, at(20_000));
    assert!(!region.locals[1].take_probe(KEY, at(20_000)), "longer than an unused permit lives");
    region.locals[0].released(KEY, at(21_000));
    assert!(tell(&mut region, 0, 21_000), "it has ended");
}

#[test]
fn counts_alone_are_not_stored() {
    let mut region = Region::new(1);
    region.locals[0].report("acme/small", FAILED, at(1_000), 1);
    assert!(!tell(&mut region, 0, 5_500));
}

#[test]
fn only_the_holder_s_failure_opens_again_while_a_permit_is_out() {
    let mut region = Region::down(3);
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    region.sync(0, at(6_000));
    region.sync(1, at(6_500));
    // Cut off, isolate 1 decides for itself.
    region.is_cut = true;
    region.sync(1, at(12_000));
    assert!(region.locals[1].take_probe(KEY, at(12_000)));
    region.is_cut = false;
    region.locals[1].probed(KEY, FAILED, at(14_000), 1);
    region.sync(1, at(14_000));
    for ms in (15_000..60_000).step_by(1_000) {
        if ms % 10_000 == 0 {
            region.sync(0, at(ms));
        }
        region.sync(2, at(ms));
        assert!(!region.locals[2].take_probe(KEY, at(ms)), "the first probe is still on its way at {ms}");
    }
    region.locals[0].probed(KEY, FAILED, at(60_000), 1);
    region.sync(0, at(60_000));
    let Standing::Open { until } = region.standing(0, at(60_000)) else { panic!("open") };
    assert!(until > at(60_000));
}

#[test]
fn a_probe_of_an_isolate_that_died_is_believed_in_for_fifteen_seconds() {
    let mut region = Region::down(2);
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    region.sync(0, at(6_000));
    for (ms, may) in [(12_000, false), (17_100, false), (22_200, true)] {
        region.sync(1, at(ms));
        assert_eq!(region.locals[1].take_probe(KEY, at(ms)), may, "{ms}");
    }
}

#[test]
fn a_probe_of_the_object_s_own_dies_with_it() {
    let mut region = Region::down(1);
    assert!(region.object.begin_probe(KEY, at(12_000)).is_some());
    assert!(region.object.begin_probe(KEY, at(13_000)).is_none(), "it is on its way");
    let stored = serde_json::to_string(&region.object).unwrap();
    region.object = serde_json::from_str::<Health>(&stored).unwrap().awoken();
    assert!(region.object.begin_probe(KEY, at(13_000)).is_some());
}
