//! What a policy made of an incident, in numbers.

use super::{
    incidents::Incident,
    report::{End, Report, Row},
    upstream::Truth,
};

/// Traffic is looked at in windows of this length.
const WINDOW_MS: u64 = 2_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Clients that got no whole answer through no fault of their own.
    pub failed: u64,
    /// Sends that came to nothing by the provider's fault.
    pub wasted: u64,
    /// Until fewer than a tenth of the requests went to the primary first; none when that never was.
    pub notice_ms: Option<u64>,
    /// From the end of the trouble until nine tenths went there again.
    pub return_ms: Option<u64>,
    /// Sends to the primary in the first second of its return, in percent of its usual rate.
    pub herd_percent: u64,
    /// From a request's arrival to the send that served it: on average, and of 99 in 100.
    pub lost_ms: u64,
    pub lost_p99_ms: u64,
}

pub fn of(incident: &Incident, report: &Report) -> Metrics {
    let here: Vec<&Row> = report.rows.iter().filter(|row| row.region < incident.regions).collect();
    let failed = count(report.rows.iter().filter(|row| row.end == End::Failed));
    let wasted = count(report.rows.iter().flat_map(|row| &row.sends).filter(|send| came_to_nothing(send.truth)));
    let mut lost: Vec<u64> = report
        .rows
        .iter()
        .filter(|row| row.end == End::Served)
        .filter_map(|row| Some(row.sends.last()?.at.saturating_sub(row.at)))
        .collect();
    lost.sort_unstable();
    let mean = lost.iter().sum::<u64>() / u64::try_from(lost.len().max(1)).unwrap_or(1);
    Metrics {
        failed,
        wasted,
        notice_ms: first_window(&here, (incident.from, incident.heals), |there, all| there * 10 < all),
        return_ms: first_window(&here, (incident.heals, u64::MAX), |there, all| there * 10 >= all * 9),
        herd_percent: herd(&here, incident),
        lost_ms: mean,
        lost_p99_ms: lost.get(lost.len() * 99 / 100).copied().unwrap_or(0),
    }
}

pub const fn came_to_nothing(truth: Truth) -> bool {
    match truth {
        Truth::Failed | Truth::Silent | Truth::Limited | Truth::Rejected | Truth::ModelGone => true,
        Truth::Good | Truth::Slow | Truth::RegionBlocked | Truth::TooLong | Truth::Caller => false,
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(0)
}

const fn goes_there(row: &Row) -> bool {
    matches!(row.first, Some((0, _))) && !row.is_probe
}

/// When the share of requests that go to the primary first is as asked for, for the length of a window.
fn first_window(rows: &[&Row], (from, until): (u64, u64), is_so: impl Fn(u64, u64) -> bool) -> Option<u64> {
    let last = rows.last()?.at;
    let mut start = from;
    while start + WINDOW_MS <= last.min(until) {
        let window: Vec<_> = rows.iter().filter(|row| (start..start + WINDOW_MS).contains(&row.at)).collect();
        let there = count(window.iter().filter(|row| goes_there(row)));
        if !window.is_empty() && is_so(there, count(window.iter())) {
            return Some(start - from);
        }
        start += 250;
    }
    None
}

fn herd(rows: &[&Row], incident: &Incident) -> u64 {
    let sends = || rows.iter().flat_map(|row| &row.sends).filter(|send| send.place.provider == 0);
    let usual_per_s = count(sends().filter(|send| send.at < incident.from)) * 1_000 / incident.from.max(1);
    let returns = sends().filter(|send| send.at >= incident.heals && !send.is_probe).map(|send| send.at).min();
    let Some(at) = returns else { return 0 };
    count(sends().filter(|send| (at..at + 1_000).contains(&send.at))) * 100 / usual_per_s.max(1)
}
