//! The answer to a question: sums over all of it, for each step of time, and by what was asked.

use serde_json::{Map, Value};

use super::{
    question::Question,
    rows::{MINUTE_MS, each},
    series::{ADDED, CLIENT_ERRORS, COST, COUNTS, ERRORS, FIRST, LABELS, REQUESTS, Series, WHOLE},
    table::read_line,
};
use crate::{
    sorted::{SortedMap, in_order},
    units::Money,
    wire::{
        compose::{IntoJson, Members},
        json::json_text,
    },
};

pub struct Report {
    question: Question,
    points: SortedMap<u64, Series>,
    groups: SortedMap<Vec<String>, Series>,
    total: Series,
}

/// Groups of one answer, the largest first.
const MAX_GROUPS: usize = 1_000;

impl Report {
    pub fn new(question: Question) -> Self {
        let mut points = SortedMap::new();
        points.extend(question.points().map(|at| (at, Series::default())));
        Self { question, points, groups: SortedMap::new(), total: Series::default() }
    }

    /// Adds rows as the object gave them.
    pub fn add(&mut self, rows: &str) {
        let Self { question, points, groups, total } = self;
        each(rows, |minute, line| {
            let Some((names, series)) = read_line(line).filter(|(names, _)| question.wants(names)) else { return };
            let Some(point) = points.get_mut(&question.point(minute)) else { return };
            point.merge(&series);
            total.merge(&series);
            if !question.by.is_empty() {
                let group = question.by.iter().filter_map(|label| names.get(*label).cloned()).collect();
                groups.or_default(group).merge(&series);
            }
        });
    }

    pub fn written(&self) -> String {
        let mut out = Map::new();
        out.put("from", self.question.from() * MINUTE_MS);
        out.put("to", self.question.to * MINUTE_MS);
        out.put("step_ms", self.question.step_ms());
        out.put("total", sums(Map::new(), &self.total));
        let mut points = vec![];
        for (at, series) in &self.points {
            let mut point = Map::new();
            point.put("at", at * MINUTE_MS);
            points.push(sums(point, series));
        }
        out.put("points", points);
        let requests = |series: &Series| series.count(REQUESTS);
        let groups = in_order(self.groups.iter(), |(_, one), (_, other)| requests(one) >= requests(other));
        let written = groups.into_iter().take(MAX_GROUPS).map(|(names, series)| {
            let mut group = Map::new();
            for (label, name) in self.question.by.iter().zip(names) {
                group.put(LABELS.get(*label).copied().unwrap_or_default(), name.as_str());
            }
            sums(group, series)
        });
        out.put("groups", written.collect::<Vec<_>>());
        json_text(&Value::Object(out))
    }
}

fn sums(mut out: Map<String, Value>, series: &Series) -> Map<String, Value> {
    for (name, count) in COUNTS.iter().zip(series.counts()) {
        out.put(name, *count);
    }
    out.put("cost_usd", Money(series.count(COST)).dollars());
    for (name, time, percents) in
        [("first_ms", FIRST, &[50, 95, 99][..]), ("ms", WHOLE, &[50, 95, 99]), ("gateway_ms", ADDED, &[50, 95])]
    {
        let mut within = Map::new();
        for percent in percents {
            if let Some(ms) = series.time(time).and_then(|time| time.within(*percent)) {
                within.put(&format!("p{percent}"), ms);
            }
        }
        out.put(name, Some(within).filter(|within| !within.is_empty()));
    }
    out.put("availability", availability(series));
    out
}

/// The share of requests that did not fail by the gateway's or a provider's fault, of those that did not fail by their
/// caller's.
fn availability(series: &Series) -> Value {
    const MILLION: u64 = 1_000_000;
    let asked = series.count(REQUESTS).saturating_sub(series.count(CLIENT_ERRORS));
    let failed = series.count(ERRORS).saturating_mul(MILLION).div_ceil(asked.max(1));
    let well = u32::try_from(MILLION.saturating_sub(failed)).unwrap_or(0);
    if asked == 0 { Value::Null } else { (f64::from(well) / 1e6).into_json() }
}
