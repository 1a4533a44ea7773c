//! Several isolates and one object: one probe for the fleet, news in time, back in time.

use portolan::{
    plan::{
        health::{Health, Signal, Standing, Tuning, View},
        seed::{below, fold},
        sync::{Local, Reply, Report, absorb},
    },
    units::Millis,
};

pub const T0: Millis = Millis(1_800_000_000_000);
pub const KEY: &str = "acme/large";
pub const OK: Signal = Signal::Ok { first_ms: 300 };
pub const FAILED: Signal = Signal::Failed { floor_ms: 0 };

pub fn at(ms: u64) -> Millis {
    T0.plus(ms)
}

/// A region: isolates and their object, with the wire between them.
pub struct Region {
    pub object: Health,
    pub locals: Vec<Local>,
    pub calls: u64,
    pub is_cut: bool,
}

impl Region {
    pub fn new(isolates: u64) -> Self {
        let locals = (0..isolates).map(|i| Local::new(100 + i, Tuning::default())).collect();
        Self { object: Health::default(), locals, calls: 0, is_cut: false }
    }

    /// What the shell does after each request.
    pub fn sync(&mut self, i: usize, now: Millis) {
        let Some(report) = self.locals[i].due(now) else { return };
        self.calls += 1;
        if self.is_cut {
            self.locals[i].learned_nothing(now);
            return;
        }
        let wire = serde_json::to_string(&report).unwrap();
        let report: Report = serde_json::from_str(&wire).unwrap();
        let wire = serde_json::to_string(&absorb(&mut self.object, &report, now, 7)).unwrap();
        let reply: Reply = serde_json::from_str(&wire).unwrap();
        self.locals[i].learned(reply, now);
    }

    pub fn standing(&self, i: usize, now: Millis) -> Standing {
        self.locals[i].view(now).standing(KEY, now)
    }

    pub fn report(&mut self, i: usize, signal: Signal, now: Millis) {
        self.locals[i].report(KEY, signal, now, now.0);
        self.sync(i, now);
    }

    /// Everybody knows everybody, and isolate 0 has seen three failures.
    pub fn down(isolates: u64) -> Self {
        let mut region = Self::new(isolates);
        for i in 0..region.locals.len() {
            region.sync(i, T0);
        }
        for _ in 0..3 {
            region.report(0, FAILED, T0);
        }
        region
    }
}

#[test]
fn a_failure_in_one_isolate_is_known_in_all_within_five_seconds() {
    let mut region = Region::down(4);
    assert!(matches!(region.standing(0, T0), Standing::Open { .. }), "at once where it was seen");
    assert!(matches!(region.object.snapshot(T0).standing(KEY, T0), Standing::Open { .. }), "and in the object");
    for i in 1..4 {
        assert_eq!(region.standing(i, at(4_900)), Standing::Up, "not yet asked");
        region.sync(i, at(5_000));
        assert!(matches!(region.standing(i, at(5_000)), Standing::Open { .. }), "{i}");
    }
}

#[test]
fn a_cooldown_travels_at_once_too() {
    let mut region = Region::new(2);
    region.sync(0, T0);
    region.locals[0].report("acme#0", Signal::Down { until: at(60_000) }, at(10), 1);
    region.sync(0, at(10));
    region.sync(1, at(20));
    assert_eq!(region.locals[1].view(at(20)).standing("acme#0", at(20)), Standing::Cooling { until: at(60_000) });
}

#[test]
fn counters_travel_every_five_seconds_at_most_ten_calls_a_thousand() {
    let mut region = Region::new(1);
    for request in 0..1_000 {
        region.report(0, OK, at(request * 50));
    }
    assert!(region.calls <= 10, "{}", region.calls);
}

/// Configuration and keys are as new as the last call: in a busy isolate it is made before any request finds it old.
#[test]
fn a_busy_isolate_calls_a_little_early_and_no_more_often_than_a_hundred_requests() {
    for (between_ms, first) in [(40, 4_520), (45, 4_500), (50, 5_000), (1_000, 5_000)] {
        let mut region = Region::new(1);
        let mut called = vec![];
        for request in 0..1_000 {
            let now = at(request * between_ms);
            region.locals[0].request();
            let before = region.calls;
            region.sync(0, now);
            if region.calls > before {
                called.push(request * between_ms);
            }
        }
        assert_eq!(called[1], first, "every {between_ms} ms");
        assert!(between_ms > 50 || region.calls <= 10, "every {between_ms} ms: {} calls", region.calls);
    }
}

#[test]
fn failures_spread_over_isolates_add_up() {
    let mut region = Region::new(6);
    (0..6).for_each(|i| region.sync(i, T0));
    for i in 0..6 {
        region.report(i, if i % 2 == 0 { FAILED } else { OK }, at(10));
        assert_eq!(region.standing(i, at(10)), Standing::Up, "alone nobody has seen enough");
    }
    (0..6).for_each(|i| region.sync(i, at(5_000)));
    assert!(matches!(region.object.snapshot(at(5_000)).standing(KEY, at(5_000)), Standing::Open { .. }));
}

#[test]
fn a_late_opening_that_has_ended_opens_nothing() {
    let mut object = Health::default();
    let mut local = Local::new(9, Tuning { in_a_row: 1, ..Tuning::default() });
    local.report(KEY, FAILED, T0, 1);
    // The operator has thought better of it meanwhile.
    local.tune(Tuning::default());
    let report = local.due(at(6_000)).unwrap();
    object.report(KEY, OK, at(6_000), 1);
    absorb(&mut object, &report, at(6_000), 1);
    assert_eq!(object.snapshot(at(6_000)).standing(KEY, at(6_000)), Standing::Up);
}

#[test]
fn an_opening_is_the_region_s_whatever_went_well_before() {
    let mut region = Region::new(2);
    for _ in 0..1_000 {
        region.locals[1].report(KEY, OK, T0, 1);
    }
    region.sync(1, T0);
    region.sync(0, T0);
    for _ in 0..3 {
        region.report(0, FAILED, at(1));
    }
    assert!(matches!(region.object.snapshot(at(1)).standing(KEY, at(1)), Standing::Open { .. }));
}

#[test]
fn one_probe_for_the_whole_fleet() {
    let mut region = Region::down(5);
    for ms in (0..20_000).step_by(100) {
        let now = at(ms);
        for i in 0..5 {
            region.sync(i, now);
        }
        let holders = (0..5).filter(|i| region.standing(*i, now) == Standing::Probe).count();
        assert!(holders <= 1, "{holders} at {ms}");
    }
}

#[test]
fn a_permit_serves_one_request_and_then_nobody_until_it_ends() {
    let mut region = Region::down(3);
    let now = at(6_000);
    (0..3).for_each(|i| region.sync(i, now));
    let holder = (0..3).find(|i| region.standing(*i, now) == Standing::Probe).unwrap();
    assert!(region.locals[holder].take_probe(KEY, now));
    assert!(!region.locals[holder].take_probe(KEY, now), "one request only");
    assert!(matches!(region.standing(holder, now), Standing::Open { .. }));
    region.sync(holder, now);
    // Longer than an unused permit lives: the object knows that this one is used.
    for ms in (6_000..60_000).step_by(500) {
        for i in 0..3 {
            region.sync(i, at(ms));
            assert!(!region.locals[i].take_probe(KEY, at(ms)), "{i} at {ms}");
        }
    }
    region.locals[holder].probed(KEY, FAILED, at(60_000), 1);
    region.sync(holder, at(60_000));
    let Standing::Open { until } = region.standing(holder, at(60_000)) else { panic!("open") };
    assert!((9_000..=11_000).contains(&until.since(at(60_000))), "twice as long as before: {}", until.since(at(60_000)));
}

#[test]
fn an_unused_permit_goes_to_another() {
    let mut region = Region::down(2);
    region.sync(0, at(6_000));
    assert_eq!(region.standing(0, at(6_000)), Standing::Probe);
    region.sync(1, at(6_100));
    assert!(matches!(region.standing(1, at(6_100)), Standing::Open { .. }));
    // Isolate 0 is gone, or has nothing to send.
    region.sync(1, at(16_100));
    assert_eq!(region.standing(1, at(16_100)), Standing::Probe);
    assert!(!region.locals[0].take_probe(KEY, at(16_100)), "its lease is over");
}

#[test]
fn a_probe_that_proved_nothing_frees_the_permit() {
    let mut region = Region::down(2);
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    region.sync(0, at(6_000));
    region.locals[0].released(KEY, at(6_500));
    region.sync(0, at(6_500));
    assert!(matches!(region.object.snapshot(at(6_500)).standing(KEY, at(6_500)), Standing::Open { .. }), "neither closed");
    region.sync(1, at(11_500));
    assert!((0..2).any(|i| region.standing(i, at(11_500)) == Standing::Probe), "nor lost");
}

#[test]
fn two_good_probes_close_and_the_share_ramps() {
    let mut region = Region::down(2);
    let mut now = at(6_000);
    region.sync(0, now);
    for _ in 0..2 {
        assert!(region.locals[0].take_probe(KEY, now));
        region.sync(0, now);
        now = now.plus(400);
        region.locals[0].probed(KEY, OK, now, 1);
        region.sync(0, now);
    }
    for (ms, expected) in [
        (0, Standing::Ramping { percent: 10 }),
        (4_999, Standing::Ramping { percent: 10 }),
        (5_000, Standing::Ramping { percent: 50 }),
        (10_000, Standing::Up),
    ] {
        let now = now.plus(ms);
        assert_eq!(region.object.snapshot(now).standing(KEY, now), expected, "{ms} ms on");
    }
    assert_eq!(region.standing(0, now), Standing::Ramping { percent: 10 }, "the isolate that had opened follows");
}

#[test]
fn successes_hasten_the_ramp_and_failures_hold_it() {
    let closed = || {
        let mut region = Region::down(1);
        for _ in 0..2 {
            region.sync(0, at(6_000));
            assert!(region.locals[0].take_probe(KEY, at(6_000)));
            region.locals[0].probed(KEY, OK, at(6_000), 1);
            region.sync(0, at(6_000));
        }
        region.object
    };
    let object = |signals: &[(u64, Signal)], ms: u64| {
        let mut object = closed();
        for (ms, signal) in signals {
            object.report(KEY, *signal, at(6_000 + ms), 1);
        }
        object.snapshot(at(6_000 + ms)).standing(KEY, at(6_000 + ms))
    };
    assert_eq!(object(&[(100, OK); 10], 999), Standing::Ramping { percent: 10 }, "never quicker than a second");
    assert_eq!(object(&[(100, OK); 10], 1_000), Standing::Ramping { percent: 50 });
    assert_eq!(object(&[(4_000, FAILED)], 5_000), Standing::Ramping { percent: 10 }, "a failure begins the step anew");
    let Standing::Open { until } = object(&[(1, FAILED), (1, FAILED), (1, FAILED)], 1) else { panic!("open") };
    assert!(until.since(at(6_001)) >= 9_000, "the same outage goes on, twice as long");
}

#[test]
fn what_was_learned_survives_the_loss_of_the_object() {
    let mut region = Region::down(2);
    region.sync(1, at(5_000));
    region.is_cut = true;
    region.sync(1, at(10_000));
    assert_eq!(region.standing(1, at(10_000)), Standing::Probe, "alone, its own probe");
    assert!(region.locals[1].take_probe(KEY, at(10_000)));
    assert!(!region.locals[1].take_probe(KEY, at(10_000)));
    region.locals[1].probed(KEY, FAILED, at(10_100), 1);
    assert!(matches!(region.standing(1, at(10_100)), Standing::Open { until } if until > at(14_000)));
}

#[test]
fn what_could_not_be_told_is_told_later() {
    let mut region = Region::new(1);
    region.is_cut = true;
    for ms in [0, 10, 20] {
        region.report(0, FAILED, at(ms));
    }
    assert_eq!(region.object, Health::default());
    region.is_cut = false;
    region.sync(0, at(1_100));
    let Standing::Open { until } = region.object.snapshot(at(1_100)).standing(KEY, at(1_100)) else { panic!("open") };
    assert!(until >= at(4_500), "{until:?}");
}

#[test]
fn a_call_whose_answer_never_came_is_given_up() {
    let mut local = Local::new(1, Tuning::default());
    assert!(local.due(T0).is_some());
    local.report(KEY, FAILED, at(10), 1);
    assert!(local.due(at(4_000)).is_none(), "one call at a time");
    assert!(local.due(at(6_000)).is_some());
}

#[test]
fn the_operator_s_numbers_reach_the_object() {
    let mut object = Health::default();
    let tuning = Tuning { open_ms: 60_000, early_max_open_ms: 60_000, ..Tuning::default() };
    let mut local = Local::new(1, tuning);
    local.report(KEY, FAILED, T0, 1);
    absorb(&mut object, &local.due(T0).unwrap(), T0, 1);
    assert_eq!(object.tuning(), &tuning);
}

#[test]
fn a_cold_isolate_starts_from_the_stored_snapshot() {
    let mut local = Local::new(1, Tuning::default());
    local.warm(View::of([(KEY.to_owned(), Standing::Open { until: at(9) })]));
    assert!(matches!(local.view(T0).standing(KEY, T0), Standing::Open { .. }));
    assert!(local.due(T0).is_some(), "and asks at once");
}

#[test]
fn a_stale_snapshot_does_not_outlive_the_object_s_word_that_all_is_well() {
    let mut region = Region::new(1);
    region.locals[0].warm(View::of([(KEY.to_owned(), Standing::Open { until: T0 })]));
    region.sync(0, at(1));
    assert_eq!(region.standing(0, at(1)), Standing::Up);
}

#[test]
fn an_unchanged_view_is_not_sent_again() {
    let mut region = Region::down(1);
    let report = region.locals[0].due(at(5_001)).unwrap();
    let reply = serde_json::to_value(absorb(&mut region.object, &report, at(5_001), 1)).unwrap();
    assert!(reply.get("s").is_none(), "{reply}");
}

#[test]
fn never_two_probes_at_once_however_long_they_take() {
    for seed in 0..40 {
        let mut region = Region::down(4);
        // Per isolate: when its probe ends.
        let mut flying = [None; 4];
        let mut started = 0;
        for ms in (0..240_000).step_by(50) {
            let now = at(ms);
            for (i, ends) in flying.iter_mut().enumerate() {
                let roll = below(fold(seed, &format!("{ms}/{i}")), 100);
                if ends.is_some_and(|end| end <= ms) {
                    *ends = None;
                    match roll {
                        0..30 => region.locals[i].released(KEY, now),
                        30..60 => region.locals[i].probed(KEY, OK, now, ms),
                        _ => region.locals[i].probed(KEY, FAILED, now, ms),
                    }
                } else if roll < 20 && region.standing(i, now) == Standing::Probe && region.locals[i].take_probe(KEY, now) {
                    // Up to a minute: a reasoning model's first token.
                    *ends = Some(ms + below(fold(seed, &format!("long {ms}/{i}")), 60_000));
                    started += 1;
                }
                region.sync(i, now);
            }
            assert!(flying.iter().flatten().count() <= 1, "seed {seed}, {ms} ms: {flying:?}");
        }
        assert!(started >= 2, "seed {seed}: {started}");
    }
}

#[test]
fn an_isolate_cut_off_while_its_probe_is_on_its_way_sends_no_second_one() {
    let mut region = Region::down(1);
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)));
    region.is_cut = true;
    region.sync(0, at(6_100));
    assert!(matches!(region.standing(0, at(6_200)), Standing::Open { .. }));
    assert!(!region.locals[0].take_probe(KEY, at(6_200)));
    region.locals[0].probed(KEY, FAILED, at(18_000), 1);
    region.is_cut = false;
    region.sync(0, at(18_000));
    assert!(
        matches!(region.object.snapshot(at(18_000)).standing(KEY, at(18_000)), Standing::Open { until } if until > at(18_000))
    );
}

#[test]
fn an_isolate_that_finds_its_object_again_asks_for_no_probe_beside_its_own() {
    let mut region = Region::down(1);
    region.is_cut = true;
    region.sync(0, at(6_000));
    assert!(region.locals[0].take_probe(KEY, at(6_000)), "alone");
    region.is_cut = false;
    region.sync(0, at(11_000));
    region.sync(0, at(16_000));
    assert!(matches!(region.standing(0, at(16_000)), Standing::Open { .. }));
    assert!(!region.locals[0].take_probe(KEY, at(16_000)));
    region.locals[0].released(KEY, at(17_000));
    region.sync(0, at(21_000));
    assert_eq!(region.standing(0, at(21_000)), Standing::Probe, "the next one is the region's");
}

#[test]
fn a_permit_that_comes_after_all_is_that_of_the_probe_under_way() {
    let mut region = Region::down(2);
    region.is_cut = true;
    region.sync(0, at(6_000));
    let asked = region.locals[0].due(at(11_000)).unwrap();
    assert!(region.locals[0].take_probe(KEY, at(11_100)), "alone");
    let reply = absorb(&mut region.object, &asked, at(11_200), 7);
    assert!(reply.is_promise(&asked));
    region.locals[0].learned(reply, at(11_300));
    assert!(!region.locals[0].take_probe(KEY, at(11_400)), "it is used already");
    region.is_cut = false;
    region.sync(0, at(11_400));
    region.sync(1, at(30_000));
    assert!(matches!(region.standing(1, at(30_000)), Standing::Open { .. }), "the region knows of it");
}

#[test]
fn the_number_of_the_last_news_comes_with_every_reply() {
    let mut local = Local::new(1, Tuning::default());
    let report = local.due(T0).unwrap();
    let reply = absorb(&mut Health::default(), &report, T0, 7);
    assert_eq!(reply.news(), 0);
    let wire = serde_json::to_string(&reply.with_news(T0.0)).unwrap();
    assert_eq!(serde_json::from_str::<Reply>(&wire).unwrap().news(), T0.0);
}
