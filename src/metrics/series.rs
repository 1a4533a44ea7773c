//! One series: what the requests of one route, provider, model, region, operation and outcome came to.

use super::histogram::Histogram;
use crate::ledger::{
    counted::{begun_ms, is_fine},
    record::{GIVEN, Record, Try},
};

/// What a series is named by.
pub const LABELS: [&str; 6] = ["route", "provider", "model", "region", "operation", "outcome"];
pub type Names = [String; LABELS.len()];
/// The same while a request is looked at: nothing is copied for a series that is there.
pub(super) type Borrowed<'a> = [&'a str; LABELS.len()];

/// What is counted. Kept by position: what is new goes to the end.
pub const COUNTS: [&str; 17] = [
    "requests",
    "errors",
    "client_errors",
    "failovers",
    "breaks",
    "tries",
    "hedges",
    "cache_hits",
    "cache_misses",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "reasoning",
    "cost",
    "wasted",
    "unpriced",
];
pub const REQUESTS: usize = 0;
pub const ERRORS: usize = 1;
pub const CLIENT_ERRORS: usize = 2;
pub const TRIES: usize = 5;
pub const COST: usize = 14;
pub const WASTED: usize = 15;

/// Times: to the first content of a stream, to the end, and what the gateway added.
pub const TIMES: [&str; 3] = ["first_ms", "ms", "gateway_ms"];
pub const FIRST: usize = 0;
pub const WHOLE: usize = 1;
pub const ADDED: usize = 2;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    counts: [u64; COUNTS.len()],
    times: [Histogram; TIMES.len()],
    /// The last hour since 1970 in which it grew.
    pub(super) hour: u64,
}

/// Characters of a name: the longest model of any catalog has 85.
const MAX_NAME: usize = 96;
/// The route of requests that named their targets themselves: those names are any number.
const DIRECT: &str = "direct";

impl Series {
    pub fn count(&self, which: usize) -> u64 {
        self.counts.get(which).copied().unwrap_or(0)
    }

    pub fn time(&self, which: usize) -> Option<&Histogram> {
        self.times.get(which)
    }

    pub const fn counts(&self) -> &[u64; COUNTS.len()] {
        &self.counts
    }

    pub fn merge(&mut self, other: &Self) {
        self.add(&other.counts);
        self.times.iter_mut().zip(&other.times).for_each(|(time, other)| time.merge(other));
        self.hour = self.hour.max(other.hour);
    }

    fn add(&mut self, counts: &[u64; COUNTS.len()]) {
        self.counts.iter_mut().zip(counts).for_each(|(count, more)| *count = count.saturating_add(*more));
    }

    /// Counts a request.
    pub(super) fn note(&mut self, record: &Record) {
        let (usage, (cost, unpriced)) = (record.used(), record.paid());
        let (error, client_error, broke) = verdict(record);
        let is = |is: bool| u64::from(is);
        self.add(&[
            1,
            is(error),
            is(client_error),
            u64::try_from(record.failovers()).unwrap_or(0),
            is(broke),
            0,
            is(record.tries.iter().any(Try::is_hedge)),
            is(record.cache == Some(GIVEN)),
            is(record.cache == Some("miss")),
            usage.input,
            usage.cache_read,
            usage.cache_write,
            usage.output,
            usage.reasoning,
            cost.0,
            0,
            is(unpriced),
        ]);
        let [first, whole, added] = &mut self.times;
        if let Some(ms) = begun_ms(&record.tries).filter(|_| record.stream) {
            first.add(ms);
        }
        whole.add(record.total_ms);
        // What was sent to nobody was refused, or given from the cache.
        if !record.tries.is_empty() {
            added.add(record.gateway_ms);
        }
    }

    /// Counts one of a request's sends.
    pub(super) fn note_try(&mut self, t: &Try) {
        let mut counts = [0; COUNTS.len()];
        for (which, more) in [(TRIES, 1), (WASTED, t.wasted.unwrap_or_default().0)] {
            if let Some(count) = counts.get_mut(which) {
                *count = more;
            }
        }
        self.add(&counts);
    }

    /// Counts, times and the hour, each in a column.
    pub(super) fn write(&self, out: &mut String) {
        let used = self.counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let counts: Vec<String> = self.counts.iter().take(used).map(u64::to_string).collect();
        out.push_str(&counts.join(","));
        for time in &self.times {
            out.push(' ');
            time.write(out);
        }
        out.push_str(&format!(" {}", self.hour));
    }

    pub(super) fn read<'a>(mut columns: impl Iterator<Item = &'a str>) -> Self {
        let mut series = Self::default();
        let mut next = || columns.next().unwrap_or_default();
        series.counts.iter_mut().zip(next().split(',')).for_each(|(count, text)| *count = text.parse().unwrap_or(0));
        series.times.iter_mut().for_each(|time| *time = Histogram::read(next()));
        series.hour = next().parse().unwrap_or(0);
        series
    }
}

/// Whether it failed by the gateway's or a provider's fault, by its caller's, and whether it broke after it had begun.
fn verdict(record: &Record) -> (bool, bool, bool) {
    let is_fine = is_fine(record.outcome) && record.status < 400;
    // What was passed on names nobody.
    let is_callers = record.is_callers_fault() || (record.fault.is_none() && record.status < 500);
    let is_error = !is_fine && !is_callers;
    (is_error, !is_fine && is_callers, is_error && record.stream && record.status < 400)
}

/// The names that a request counts under.
pub(super) fn names(record: &Record) -> Borrowed<'_> {
    // A list of targets, or one of them.
    let route = if record.route.contains(['/', ',']) { DIRECT } else { &record.route };
    [
        cut(route),
        cut(record.provider.as_deref().unwrap_or_default()),
        model(record.model.as_deref().unwrap_or_default()),
        &record.region,
        record.task,
        record.outcome,
    ]
}

/// The names that one of its sends counts under.
pub(super) fn names_of_try<'a>([route, _, _, region, operation, _]: Borrowed<'a>, t: &'a Try) -> Borrowed<'a> {
    [route, cut(&t.provider), model(&t.model), region, operation, t.outcome]
}

/// What follows a question mark are the built-in provider's orders.
fn model(name: &str) -> &str {
    cut(name.split('?').next().unwrap_or_default())
}

fn cut(name: &str) -> &str {
    if name.len() <= MAX_NAME {
        return name;
    }
    name.char_indices().nth(MAX_NAME).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}
