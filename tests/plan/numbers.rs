//! What strategies go by: times to the first token and failures of the whole region, in every isolate of it.

use portolan::{
    plan::{
        health::{Numbers, Signal, View},
        sync::absorb,
    },
    units::Millis,
};

use super::sync::{FAILED, KEY, Region, at};

fn numbers(region: &Region, i: usize, now: Millis) -> Numbers {
    region.locals[i].view(now).numbers(KEY).copied().unwrap_or_default()
}

fn near(found: u64, right: u64) -> bool {
    found.abs_diff(right) * 16 <= right
}

fn took(region: &mut Region, i: usize, first_ms: u64, now: Millis) {
    region.locals[i].report(KEY, Signal::Ok { first_ms }, now, now.0);
}

#[test]
fn numbers_of_all_isolates_are_in_each() {
    let mut region = Region::new(3);
    (0..3).for_each(|i| region.sync(i, at(0)));
    for i in 0..100 {
        took(&mut region, 0, 200, at(i));
        took(&mut region, 1, if i < 80 { 400 } else { 3_000 }, at(i));
    }
    assert!(near(numbers(&region, 0, at(100)).p50_ms, 200), "its own, at once");
    assert_eq!(numbers(&region, 2, at(100)), Numbers::default());
    (0..3).for_each(|i| region.sync(i, at(5_000)));
    let found = numbers(&region, 2, at(5_000));
    assert!(near(found.p95_ms, 3_000) && (near(found.p50_ms, 200) || near(found.p50_ms, 400)), "{found:?}");
    assert_eq!((found.samples, found.failed_permille), (200, 0));
    assert_eq!(numbers(&region, 1, at(5_000)), found);
    assert!(region.locals[2].view(at(5_000)).is_plain(), "numbers are no standing");
    assert_eq!(region.locals[2].view(at(5_000)).version(), View::default().version());
}

#[test]
fn failures_show_in_thousandths_of_the_window() {
    let mut region = Region::new(2);
    region.sync(0, at(0));
    for i in 0..40 {
        region.locals[0].report(KEY, if i % 20 == 3 { FAILED } else { Signal::Served }, at(i), 1);
    }
    region.sync(0, at(5_000));
    region.sync(1, at(5_000));
    assert_eq!(numbers(&region, 1, at(5_000)), Numbers { failed_permille: 50, ..Numbers::default() });
    region.sync(1, at(60_000));
    assert_eq!(numbers(&region, 1, at(60_000)).failed_permille, 0, "and leave with it");
}

#[test]
fn what_has_not_moved_is_not_told_again() {
    let mut region = Region::new(2);
    (0..2).for_each(|i| region.sync(i, at(0)));
    let told = |region: &mut Region, first_ms: u64, ms: u64| {
        for _ in 0..100 {
            took(region, 0, first_ms, at(ms));
        }
        region.sync(0, at(ms));
        let report = region.locals[1].due(at(ms)).unwrap();
        let reply = absorb(&mut region.object, &report, at(ms), 1);
        let text = serde_json::to_string(&reply).unwrap();
        region.locals[1].learned(reply, at(ms));
        text
    };
    let first = told(&mut region, 300, 5_000);
    assert!(first.contains(KEY), "{first}");
    // The sample count doubles once more, and then there is nothing left to tell.
    for ms in [10_000, 15_000, 20_000] {
        told(&mut region, 300, ms);
    }
    let calm = told(&mut region, 305, 25_000);
    assert!(!calm.contains(KEY), "{calm}");
    assert!(calm.len() < 80, "{calm}");
    let mut last = String::new();
    (6..20).for_each(|n| last += &told(&mut region, 900, n * 5_000));
    assert!(last.contains(KEY) && near(numbers(&region, 1, at(95_000)).p50_ms, 900), "{last}");
}

#[test]
fn a_cold_isolate_has_the_numbers_of_the_snapshot() {
    let mut region = Region::new(2);
    for _ in 0..50 {
        took(&mut region, 0, 300, at(0));
    }
    region.sync(0, at(0));
    let text = serde_json::to_string(&region.object.snapshot(at(1))).unwrap();
    region.locals[1].warm(serde_json::from_str(&text).unwrap());
    assert_eq!(numbers(&region, 1, at(1)).samples, 50);
    took(&mut region, 1, 300, at(2));
    assert!(near(numbers(&region, 1, at(2)).p50_ms, 300), "one sample of its own changes little");
}

#[test]
fn its_own_news_move_the_region_s_numbers_in_proportion() {
    let mut region = Region::new(1);
    for _ in 0..100 {
        took(&mut region, 0, 100, at(0));
    }
    region.sync(0, at(0));
    for _ in 0..200 {
        took(&mut region, 0, 10_000, at(1_000));
    }
    let found = numbers(&region, 0, at(1_000));
    assert!(found.p50_ms > 100 && found.p95_ms > 4_000, "before anybody else knows: {found:?}");
}
