//! What is asked of the past: a window, what to count, and by what.

use super::{
    rows::{MINUTE_MS, minute},
    series::{LABELS, Names},
};
use crate::{
    error::Error,
    units::Millis,
    wire::query::{names, pairs},
};

struct Window {
    name: &'static str,
    minutes: u64,
    /// Of a point, and of the rows it is made of.
    step: u64,
    grain: u64,
}

const WINDOWS: [Window; 4] = [
    Window { name: "1h", minutes: 60, step: 1, grain: 1 },
    Window { name: "24h", minutes: 24 * 60, step: 15, grain: 15 },
    Window { name: "7d", minutes: 7 * 24 * 60, step: 60, grain: 60 },
    Window { name: "30d", minutes: 30 * 24 * 60, step: 360, grain: 60 },
];
/// Rows of one answer of the object: of the fullest tables some tens of megabytes.
const ROWS: u64 = 96;

/// What is asked, at one time.
pub struct Question {
    window: &'static Window,
    /// Places in `LABELS`.
    pub(super) by: Vec<usize>,
    only: Vec<(usize, Vec<String>)>,
    /// The minute after the last one.
    pub(super) to: u64,
}

impl Question {
    /// `window=24h&group_by=route,provider&model=…`; names may be several, with commas between.
    pub fn read(query: &str, now: Millis) -> Result<Self, Error> {
        let (mut window, mut by, mut only) = (WINDOWS.first(), vec![], vec![]);
        for (name, value) in pairs(query) {
            match (name, label(name)) {
                (_, Some(label)) => only.push((label, names(name, &value)?)),
                ("window", _) => window = WINDOWS.iter().find(|window| window.name == value),
                ("group_by", _) => by = labels(&value)?,
                ("tenant" | "key", _) => return Err(Error::invalid(name, NO_TENANTS)),
                _ => {
                    let known = format!("window, group_by, {}", LABELS.join(", "));
                    return Err(Error::invalid(name, format!("`{name}` is not known here; use {known}.")));
                }
            }
        }
        let window = window.ok_or_else(|| Error::invalid("window", "`window` must be 1h, 24h, 7d or 30d."))?;
        // The step that has begun is the last one.
        let to = (minute(now) / window.step + 1) * window.step;
        Ok(Self { window, by, only, to })
    }

    pub(super) const fn from(&self) -> u64 {
        self.to.saturating_sub(self.window.minutes)
    }

    pub(super) const fn step_ms(&self) -> u64 {
        self.window.step * MINUTE_MS
    }

    /// The minutes at which points begin.
    pub(super) fn points(&self) -> impl Iterator<Item = u64> {
        let (from, step) = (self.from(), self.window.step);
        (0..self.window.minutes / step).map(move |number| from + number * step)
    }

    /// When the point of a minute begins.
    pub(super) const fn point(&self, minute: u64) -> u64 {
        minute / self.window.step * self.window.step
    }

    /// What the object is to be asked for, one after the other: `grain from to`, in minutes.
    pub fn pages(&self) -> Vec<String> {
        let (grain, mut from, mut pages) = (self.window.grain, self.from(), vec![]);
        while from < self.to {
            let to = self.to.min(from + ROWS * grain);
            pages.push(format!("rows/{grain}/{from}/{to}"));
            from = to;
        }
        pages
    }

    pub(super) fn wants(&self, names: &Names) -> bool {
        self.only.iter().all(|(label, wanted)| names.get(*label).is_some_and(|name| wanted.contains(name)))
    }
}

const NO_TENANTS: &str = "Metrics have no tenants and no keys, which may be any number; /admin/v1/usage sums up by both.";

fn label(name: &str) -> Option<usize> {
    LABELS.iter().position(|label| *label == name)
}

fn labels(value: &str) -> Result<Vec<usize>, Error> {
    let mut by = vec![];
    for word in value.split(',').filter(|word| !word.is_empty()) {
        let message = || match word {
            "tenant" | "key" => NO_TENANTS.to_owned(),
            _ => format!("`{word}` is nothing to group by; use {}.", LABELS.join(", ")),
        };
        let label = label(word).ok_or_else(|| Error::invalid("group_by", message()))?;
        if !by.contains(&label) {
            by.push(label);
        }
    }
    Ok(by)
}
