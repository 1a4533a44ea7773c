//! Outages from beginning to end, with traffic: how often it is probed, and how soon it is back.

use portolan::plan::{health::Standing, sync::absorb};

use super::sync::{FAILED, KEY, OK, Region, at};

/// When the primary is down from 0 to `heals`, with a request an isolate every `pace` ms: when it is up again (never: the largest number), and the
/// probes that were sent.
fn outage(region: &mut Region, heals: u64, pace: usize) -> (u64, Vec<u64>) {
    let mut probes = vec![];
    for ms in (0..heals + 200_000).step_by(pace) {
        let (now, is_down) = (at(ms), ms < heals);
        let signal = if is_down { FAILED } else { OK };
        for i in 0..region.locals.len() {
            match region.standing(i, now) {
                Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } => {
                    if !is_down {
                        return (ms - heals, probes);
                    }
                    region.report(i, signal, now);
                }
                Standing::Probe => {
                    assert!(region.locals[i].take_probe(KEY, now));
                    probes.push(ms);
                    region.locals[i].probed(KEY, signal, now, ms);
                }
                Standing::Open { .. } | Standing::Cooling { .. } | Standing::Drained | Standing::Shut { .. } => {}
            }
            region.sync(i, now);
        }
    }
    (u64::MAX, probes)
}

#[test]
fn it_is_back_within_thirty_seconds_of_healing() {
    for heals in (10_000..130_000).step_by(7_000) {
        for (isolates, pace) in [(1, 1_000), (1, 3_000), (5, 200), (20, 500)] {
            let (ms, probes) = outage(&mut Region::new(isolates), heals, pace);
            assert!(ms <= 30_000, "{ms} after {heals}, {isolates} isolates");
            let during: Vec<_> = probes.iter().filter(|ms| **ms < heals).collect();
            // One probe fails an opening: 5, 10, 20, 20 … seconds, less a tenth.
            assert!(during.len() <= usize::try_from(heals / 18_000).unwrap() + 3, "{during:?} by {heals}");
            assert!(during.windows(2).all(|pair| pair[1] - pair[0] >= 4_500), "{during:?}");
        }
    }
}

#[test]
fn a_long_outage_is_probed_ever_less_often() {
    let (ms, probes) = outage(&mut Region::new(3), 1_800_000, 1_000);
    let late: Vec<_> = probes.iter().filter(|ms| (900_000..1_800_000).contains(*ms)).collect();
    assert!(late.len() <= 9, "every two minutes: {late:?}");
    assert!(ms <= 135_000, "{ms}");
}

#[test]
fn an_isolate_that_cannot_reach_the_object_goes_on_alone() {
    let mut region = Region::new(1);
    region.is_cut = true;
    let (ms, probes) = outage(&mut region, 60_000, 500);
    assert!(ms <= 30_000, "{ms}");
    assert!(probes.windows(2).filter(|pair| pair[1] < 60_000).all(|pair| pair[1] - pair[0] >= 4_500), "{probes:?}");
}

#[test]
fn late_answers_move_nothing_while_a_probe_flies() {
    let mut region = Region::down(2);
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    region.sync(0, at(6_000));
    let before = region.object.snapshot(at(6_000)).version();
    for _ in 0..9 {
        region.report(1, FAILED, at(11_000));
    }
    assert_eq!(region.object.snapshot(at(11_000)).version(), before);
}

#[test]
fn a_reply_that_knows_less_does_not_open_the_door_early() {
    let mut region = Region::new(1);
    let early = region.locals[0].due(at(0)).unwrap();
    for _ in 0..3 {
        region.locals[0].report(KEY, FAILED, at(1), 1);
    }
    let reply = absorb(&mut region.object, &early, at(2), 1);
    region.locals[0].learned(reply, at(2));
    assert!(matches!(region.standing(0, at(2)), Standing::Open { .. }));
}

#[test]
fn a_permit_ends_with_the_object_that_gave_it() {
    let mut region = Region::down(1);
    region.sync(0, at(6_000));
    assert_eq!(region.standing(0, at(6_000)), Standing::Probe);
    region.is_cut = true;
    region.sync(0, at(11_100));
    assert!(region.locals[0].take_probe(KEY, at(11_200)), "its own now");
    assert!(!region.locals[0].take_probe(KEY, at(11_200)), "and not the old one beside it");
}

#[test]
fn whoever_lost_the_permit_cannot_free_another_s() {
    let mut region = Region::down(3);
    region.sync(0, at(6_000));
    // Its word that the probe is on its way never arrives, so the lease ends and another gets the permit.
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    (1..3).for_each(|i| region.sync(i, at(15_000)));
    region.sync(1, at(17_000));
    assert_eq!(region.standing(1, at(17_000)), Standing::Probe);
    region.locals[0].released(KEY, at(17_100));
    region.sync(0, at(17_100));
    region.sync(2, at(17_200));
    for i in [0, 2] {
        assert!(matches!(region.standing(i, at(17_200)), Standing::Open { .. }), "{i}");
    }
}
