//! What became of the cells: each change of state once, with its time, why, and the operator's words.

use portolan::plan::{
    health::{Health, Signal, Tuning},
    history::MAX_CHANGES,
    operator::Action,
    sync::{Local, absorb},
};

use super::sync::{FAILED, KEY, OK, Region, T0, at};

/// As rows: milliseconds since the start, cell, from > to, until, why.
fn told(health: &mut Health, ms: u64) -> Vec<String> {
    let changes = health.changes(at(ms)).map(|change| {
        let until = change.until.map(|until| format!(" until {}", until.since(T0))).unwrap_or_default();
        format!("{} {} {} > {}{until}: {}", change.at.since(T0), change.cell, change.from(), change.to(), change.why)
    });
    let mut rows: Vec<String> = changes.collect();
    rows.reverse();
    rows
}

fn still() -> Health {
    Health::new(Tuning { jitter_percent: 0, ..Tuning::default() })
}

enum Step {
    Report(&'static str, Signal),
    Order(&'static str, Action, u64),
    /// The region's own probe begins, or ends like this.
    Probe,
    Probed(Option<Signal>),
}

/// A list of steps, each at a time; a time to look at; what is told then.
type Case = (&'static str, &'static [(u64, Step)], u64, &'static [&'static str]);

const SERVED: Signal = Signal::Served;
const LIMIT: Signal = Signal::Cool { until: T0.plus(9_000) };

#[test]
fn each_change_is_told_once_with_its_time_and_reason() {
    use Step::{Order, Probe, Probed, Report};
    let cases: [Case; 13] = [
        ("nothing happened", &[(0, Report(KEY, OK)), (5, Report(KEY, FAILED))], 9, &[]),
        (
            "failures in a row",
            &[(0, Report(KEY, FAILED)), (1, Report(KEY, FAILED)), (2, Report(KEY, FAILED)), (3, Report(KEY, FAILED))],
            9,
            &["9 acme/large up > open until 5002: 3 failures in a row"],
        ),
        (
            "a share of failures",
            &[
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, FAILED)),
            ],
            0,
            &["0 acme/large up > open until 5000: 3 of 6 failed"],
        ),
        (
            "a few failures",
            &[
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, SERVED)),
                (0, Report(KEY, FAILED)),
            ],
            1,
            &["1 acme/large up > degraded: 1 of 5 failed"],
        ),
        ("a limit", &[(0, Report("acme#0", LIMIT))], 1, &["1 acme#0 up > cooling until 9000: "]),
        (
            "what ends by its time is told with that time, however late anybody looks",
            &[(0, Report("acme#0", LIMIT)), (4, Order("else", Action::Drain, 1_000))],
            90_000,
            &[
                "4 acme#0 up > cooling until 9000: ",
                "4 else up > drained until 1004: operator: drain",
                "1004 else drained > up: the operator's word ended",
                "9000 acme#0 cooling > up: ",
            ],
        ),
        ("a tenant's own key", &[(0, Report("acme#own-77", LIMIT)), (0, Report("acme#own-77/large", LIMIT))], 1, &[]),
        (
            "an outage from end to end",
            &[
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, FAILED)),
                (5_000, Probe),
                (5_100, Probed(Some(FAILED))),
                (15_100, Probe),
                (15_200, Probed(Some(SERVED))),
                (15_300, Probe),
                (15_400, Probed(Some(SERVED))),
            ],
            100_000,
            &[
                "5000 acme/large up > half: ",
                "5100 acme/large half > open until 15100: a probe failed",
                "15100 acme/large open > half: ",
                "15400 acme/large half > ramping: 2 probes went well",
                "25400 acme/large ramping > up: ",
            ],
        ),
        (
            "a probe that proved nothing",
            &[
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, FAILED)),
                (0, Report(KEY, FAILED)),
                (1, Order("else", Action::ForceClose, 10)),
                (5_000, Probe),
                (5_100, Probed(None)),
            ],
            6_000,
            &[
                "1 acme/large up > open until 5000: 3 failures in a row",
                "1 else up > up until 11: operator: force_close",
                "5000 acme/large open > half: ",
            ],
        ),
        (
            "a word on a provider is one change, and the models go on under it",
            &[
                (0, Report(KEY, OK)),
                (1, Order("acme", Action::ForceOpen, 50)),
                (2, Report(KEY, LIMIT)),
                (9, Order("acme", Action::Drain, 20)),
            ],
            100,
            &[
                "1 acme up > shut until 51: operator: force_open",
                "9 acme/large up > cooling until 9000: ",
                "9 acme shut > drained until 29: operator: drain",
                "29 acme drained > up: the operator's word ended",
            ],
        ),
        (
            "a reset tells of all that it brings back",
            &[(0, Report("acme#0", LIMIT)), (0, Report("acme#1", LIMIT)), (3, Order("acme", Action::Reset, 0))],
            100,
            &[
                "3 acme#0 up > cooling until 9000: ",
                "3 acme#1 up > cooling until 9000: ",
                "3 acme up > up: operator: reset",
                "3 acme#0 cooling > up: operator: reset",
                "3 acme#1 cooling > up: operator: reset",
            ],
        ),
        (
            "a word on a cell hides what it learns",
            &[(0, Order(KEY, Action::ForceClose, 100)), (1, Report(KEY, LIMIT)), (50, Order("x", Action::Reset, 0))],
            200,
            &[
                "0 acme/large up > up until 100: operator: force_close",
                "50 x up > up: operator: reset",
                "200 acme/large up > cooling until 9000: ",
            ],
        ),
        (
            "the same word again is told again",
            &[(0, Order("acme", Action::Drain, 100)), (50, Order("acme", Action::Drain, 100))],
            60,
            &["0 acme up > drained until 100: operator: drain", "50 acme drained > drained until 150: operator: drain"],
        ),
    ];
    for (name, steps, ms, expected) in cases {
        let mut health = still();
        for (ms, step) in steps {
            match step {
                Report(cell, signal) => drop(health.report(cell, *signal, at(*ms), 1)),
                Order(target, action, for_ms) => health.order(target, *action, *for_ms, at(*ms)),
                Probe => assert!(health.begin_probe(KEY, at(*ms)).is_some(), "{name}"),
                Probed(signal) => health.end_probe(KEY, *signal, at(*ms), 1),
            }
        }
        assert_eq!(told(&mut health, ms), expected, "{name}");
        assert_eq!(told(&mut health, ms), expected, "{name}: and not once more");
        let kept = serde_json::to_string(&health).unwrap();
        let mut back: Health = serde_json::from_str(&kept).unwrap();
        assert_eq!(told(&mut back, ms), expected, "{name}: after a restart");
        assert_eq!(back, health, "{name}");
    }
}

#[test]
fn what_isolates_tell_is_taken_down_as_it_comes() {
    let mut region = Region::down(2);
    region.sync(1, at(5_000));
    let rows = told(&mut region.object, 5_000);
    assert!(
        matches!(&rows[..], [row] if row.starts_with("0 acme/large up > open until ") && row.ends_with("3 failures in a row")),
        "{rows:?}"
    );
    let mut object = still();
    let mut local = Local::new(9, Tuning { in_a_row: 1, ..Tuning::default() });
    local.report(KEY, FAILED, T0, 1);
    local.tune(Tuning::default());
    let report = local.due(at(10)).unwrap();
    absorb(&mut object, &report, at(10), 1);
    let rows = told(&mut object, 20);
    assert!(matches!(&rows[..], [row] if row.starts_with("10 ") && row.ends_with(": an isolate saw it fail")), "{rows:?}");
}

#[test]
fn a_report_that_changes_nothing_adds_nothing_to_what_is_kept() {
    let mut region = Region::down(1);
    let kept = region.object.clone();
    for ms in 0..50 {
        region.report(0, OK, at(100 + ms));
    }
    assert_eq!(told(&mut region.object, 200), told(&mut kept.clone(), 200));
}

#[test]
fn the_newest_are_kept_and_no_more() {
    let mut health = still();
    for i in 0..u64::try_from(MAX_CHANGES).unwrap() + 20 {
        health.order("acme", Action::ForceClose, 1, at(i));
    }
    let rows = told(&mut health, 600);
    assert_eq!(rows.len(), MAX_CHANGES);
    assert!(rows[0].starts_with("20 ") && rows[MAX_CHANGES - 1].starts_with("519 "), "{} … {}", rows[0], rows[MAX_CHANGES - 1]);
    let kept = serde_json::to_string(&health).unwrap();
    assert!(kept.len() < 50_000, "{}", kept.len());
}
