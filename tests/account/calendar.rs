//! When budgets begin anew.

use portolan::{account::period, config::Period, units::Millis};

const DAY: u64 = 86_400;

#[test]
fn periods_go_by_the_calendar_in_utc() {
    // Seconds since 1970, of `date -u -d … +%s`.
    for (now, per, begins, ends) in [
        // 2026-11-23T17:03:24Z, a Monday
        (1_795_453_404, Period::Day, 1_795_392_000, Some(1_795_478_400)),
        (1_795_453_404, Period::Week, 1_795_392_000, Some(1_795_996_800)),
        (1_795_453_404, Period::Month, 1_793_491_200, Some(1_796_083_200)),
        (1_795_453_404, Period::Total, 0, None),
        // The second before, a Sunday: another week.
        (1_795_391_999, Period::Week, 1_794_787_200, Some(1_795_392_000)),
        // 2028-02-29, and the last second of it.
        (1_835_395_200, Period::Month, 1_832_976_000, Some(1_835_481_600)),
        (1_835_481_599, Period::Month, 1_832_976_000, Some(1_835_481_600)),
        (1_835_481_600, Period::Month, 1_835_481_600, Some(1_838_160_000)),
        // 2100 has no leap day: 2100-02-28T23:59:59Z
        (4_107_542_399, Period::Month, 4_105_123_200, Some(4_107_542_400)),
        // The first days there are.
        (0, Period::Week, 0, Some(4 * DAY)),
        (0, Period::Month, 0, Some(31 * DAY)),
    ] {
        let now = Millis(now * 1000 + 999);
        assert_eq!(period::begins(per, now), Millis(begins * 1000), "{now:?} {per:?}");
        assert_eq!(period::ends(per, now), ends.map(|end| Millis(end * 1000)), "{now:?} {per:?}");
    }
}

/// Each day is in the month of the day before, or its first.
#[test]
fn months_follow_each_other_without_a_gap() {
    let (mut month, mut count) = (Millis(0), 1);
    for day in 0..200 * 366 {
        let now = Millis(day * DAY * 1000);
        let begins = period::begins(Period::Month, now);
        let end = period::ends(Period::Month, now).unwrap();
        assert!(begins <= now && now < end);
        if begins != month {
            assert_eq!(begins, now);
            let days = now.since(month) / DAY / 1000;
            assert!((28..=31).contains(&days), "{days}");
            (month, count) = (begins, count + 1);
        }
    }
    assert_eq!(count, 2405);
}
