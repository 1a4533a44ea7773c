//! All series of a time or a place, as they are kept and told: text that adds up.

use std::cmp::Ordering;

use super::series::{Borrowed, LABELS, Names, Series, names, names_of_try};
use crate::{ledger::record::Record, units::Millis, wire::percent};

/// Series of one table: some hundreds of bytes each, and a row of SQLite may have two megabytes. A deployment of ten routes
/// over ten models in three regions has three hundred that are used.
pub const MAX_SERIES: usize = 1_000;
/// What is new beyond that counts here: sums stay right, only names are lost.
pub const OTHER: &str = "other";
/// A series that has not grown for so many hours is forgotten when its place is needed: 35 days, as long as rows are kept.
const IDLE_HOURS: u64 = 35 * 24;
const MS_PER_HOUR: u64 = 3_600_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// In the order of names.
    series: Vec<(Names, Series)>,
}

fn order(names: &Names, other: Borrowed<'_>) -> Ordering {
    names.iter().map(String::as_str).cmp(other)
}

impl Table {
    pub const fn len(&self) -> usize {
        self.series.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &(Names, Series)> {
        self.series.iter()
    }

    fn at(&mut self, names: Borrowed<'_>) -> Option<&mut Series> {
        let mut place = self.series.binary_search_by(|(known, _)| order(known, names));
        let mut own = names;
        if place.is_err() && self.series.len() >= MAX_SERIES {
            own = [OTHER; LABELS.len()];
            place = self.series.binary_search_by(|(known, _)| order(known, own));
        }
        let place = match place {
            Ok(place) => place,
            Err(place) => {
                self.series.insert(place, (own.map(str::to_owned), Series::default()));
                place
            }
        };
        self.series.get_mut(place).map(|(_, series)| series)
    }

    /// Counts a finished request: where a series is there already, nothing is copied.
    pub fn note(&mut self, record: &Record) {
        let hour = record.time.plus(record.total_ms).0 / MS_PER_HOUR;
        let own = names(record);
        if let Some(series) = self.at(own) {
            series.note(record);
            series.hour = hour;
        }
        for t in &record.tries {
            if let Some(series) = self.at(names_of_try(own, t)) {
                series.note_try(t);
                series.hour = hour;
            }
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (names, more) in &other.series {
            if let Some(series) = self.at(names.each_ref().map(String::as_str)) {
                series.merge(more);
            }
        }
    }

    /// Forgets what has not grown for long, once it is full.
    pub fn forget_idle(&mut self, now: Millis) {
        let since = (now.0 / MS_PER_HOUR).saturating_sub(IDLE_HOURS);
        if self.series.len() >= MAX_SERIES {
            self.series.retain(|(_, series)| series.hour >= since);
        }
    }

    /// A line a series. What another version wrote is not misread: columns are added at the end.
    pub fn write(&self) -> String {
        let mut out = String::new();
        for (names, series) in &self.series {
            for name in names {
                out.push_str(&percent::encoded(name));
                out.push(' ');
            }
            series.write(&mut out);
            out.push('\n');
        }
        out
    }

    /// Adds what was written.
    pub fn read(&mut self, text: &str) {
        text.lines().for_each(|line| self.read_line(line));
    }

    fn read_line(&mut self, line: &str) {
        if let Some((names, series)) = read_line(line)
            && let Some(known) = self.at(names.each_ref().map(String::as_str))
        {
            known.merge(&series);
        }
    }
}

pub(super) fn read_line(line: &str) -> Option<(Names, Series)> {
    let mut columns = line.split(' ');
    let mut names = Names::default();
    for name in &mut names {
        *name = percent::decoded(columns.next()?);
    }
    Some((names, Series::read(columns)))
}
