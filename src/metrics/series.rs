//! One series: what the requests of one route, provider, model, region, operation and outcome came to.

use super::histogram::Histogram;
use crate::ledger::record::{GIVEN, OWN_CREDENTIAL, Record, Try};

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
const WASTED: usize = 15;

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

/// What a request ended as that went well, as far as the gateway can tell.
const FINE: [&str; 2] = ["ok", FORWARDED];
const FORWARDED: &str = "forwarded";
const CALLER: &str = "caller";
/// Of a try that was sent while another was awaited.
const HEDGE: &str = "hedge, ";
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
        // Those of an answer that was given before were counted then.
        let usage = record.usage.filter(|_| record.cache != Some(GIVEN)).unwrap_or_default();
        // The provider bills the tenant: it is none of the operator's money.
        let is_own = record.credential == Some(OWN_CREDENTIAL);
        let (error, client_error, broke) = verdict(record);
        let is = |is: bool| u64::from(is);
        self.add(&[
            1,
            is(error),
            is(client_error),
            failovers(&record.tries),
            is(broke),
            0,
            is(record.tries.iter().any(|t| t.reason.starts_with(HEDGE))),
            is(record.cache == Some(GIVEN)),
            is(record.cache == Some("miss")),
            usage.input,
            usage.cache_read,
            usage.cache_write,
            usage.output,
            usage.reasoning,
            record.cost.filter(|_| !is_own).unwrap_or_default().0,
            0,
            is(!is_own && record.cost.is_none() && (record.usage.is_some() || record.outcome == FORWARDED)),
        ]);
        let [first, whole, added] = &mut self.times;
        let begun = record.tries.iter().find(|t| t.outcome == "ok");
        if let (true, Some(t)) = (record.stream, begun) {
            first.add(t.at_ms.saturating_add(t.ms));
        }
        whole.add(record.total_ms);
        if let Some(ms) = gateway_ms(record, begun) {
            added.add(ms);
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
    let is_fine = FINE.contains(&record.outcome) && record.status < 400;
    // What was passed on names nobody.
    let is_callers = record.fault.map_or(record.status < 500, |fault| fault == CALLER);
    let is_error = !is_fine && !is_callers;
    (is_error, !is_fine && is_callers, is_error && record.stream && record.status < 400)
}

/// Targets after the first, as ledgers count them.
fn failovers(tries: &[Try]) -> u64 {
    let is_new = |(at, t): &(usize, &Try)| {
        let is_same = |other: &&Try| other.provider == t.provider && other.model == t.model;
        t.outcome != HEDGED && !tries.iter().take(*at).filter(|t| t.outcome != HEDGED).any(|other| is_same(&other))
    };
    let targets = tries.iter().enumerate().filter(is_new).count();
    u64::try_from(targets.saturating_sub(1)).unwrap_or(0)
}

/// Cancelled, for another one answered first.
const HEDGED: &str = "hedged";

/// From the request to its first send, without what it was held for; and what a whole answer took once it was there.
fn gateway_ms(record: &Record, begun: Option<&Try>) -> Option<u64> {
    let first = record.tries.first()?;
    let held = record.inputs.as_ref().and_then(|inputs| inputs.get("held_ms")?.as_u64()).unwrap_or(0);
    let before = first.at_ms.saturating_sub(held);
    let after = match begun {
        Some(t) if !record.stream => record.total_ms.saturating_sub(t.at_ms.saturating_add(t.ms)),
        _ => 0,
    };
    Some(before.saturating_add(after))
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
