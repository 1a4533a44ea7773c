//! Outages from beginning to end, with traffic: how often it is probed, and how soon it is back.

use portolan::plan::health::Standing;

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
                Standing::Open { .. } | Standing::Cooling { .. } => {}
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
