//! What became of a region's cells: their changes of state and the operator's words, the newest of them.

use serde_json::Value;

use super::{
    breaker::{Cell, State},
    health::Health,
    is_own_key,
    operator::Action,
    tuning::Tuning,
};
use crate::{sorted::SortedMap, units::Millis, wire::compose::json};

/// Changes kept of a region: some 35 KB, loaded and stored with its state. A target that stays down leaves two rows a probe, so
/// this is the last 8 h of one, and a quiet region's last weeks.
pub const MAX_CHANGES: usize = 500;

/// States by number, as they are kept. New ones go to the end.
const STATES: [&str; 8] = ["up", "degraded", "ramping", "half", "open", "cooling", "drained", "shut"];
const UP: u8 = 0;
const DEGRADED: u8 = 1;
const RAMPING: u8 = 2;
const HALF: u8 = 3;
const OPEN: u8 = 4;
const COOLING: u8 = 5;
const DRAINED: u8 = 6;
const SHUT: u8 = 7;

/// A cell, or what the operator spoke of, went from one state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Millis,
    pub cell: String,
    from: u8,
    to: u8,
    pub until: Option<Millis>,
    /// Empty where it is not known.
    pub why: String,
}

impl Change {
    pub fn from(&self) -> &'static str {
        name(self.from)
    }

    pub fn to(&self) -> &'static str {
        name(self.to)
    }

    fn packed(&self) -> Value {
        json!([self.at.0, self.from, self.to, self.until.unwrap_or_default().0, self.cell.as_str(), self.why.as_str()])
    }

    fn unpacked(row: &Value) -> Option<Self> {
        let number = |at: usize| row.get(at).and_then(Value::as_u64).unwrap_or(0);
        let words = |at: usize| Some(row.get(at)?.as_str()?.to_owned());
        let state = |at: usize| u8::try_from(number(at)).unwrap_or(UP);
        let until = Some(Millis(number(3))).filter(|until| *until > Millis(0));
        Some(Self { at: Millis(number(0)), from: state(1), to: state(2), until, cell: words(4)?, why: words(5)? })
    }
}

fn name(state: u8) -> &'static str {
    STATES.get(usize::from(state)).copied().unwrap_or("up")
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Oldest first.
    changes: Vec<Change>,
    /// The state that each name was left in, where it is not up.
    last: SortedMap<String, u8>,
}

impl History {
    pub(super) fn packed(&self) -> Value {
        Value::Array(self.changes.iter().map(Change::packed).collect())
    }

    pub(super) fn unpacked(rows: Option<&Value>) -> Self {
        let (mut history, rows) = (Self::default(), rows.and_then(Value::as_array));
        rows.into_iter().flatten().filter_map(Change::unpacked).for_each(|change| history.put(change));
        history
    }

    fn put(&mut self, change: Change) {
        if change.to == UP {
            self.last.remove(&change.cell);
        } else {
            self.last.insert(change.cell.clone(), change.to);
        }
        // What ends by its time is seen later than it was.
        let place = self.changes.partition_point(|known| known.at <= change.at);
        self.changes.insert(place, change);
        if self.changes.len() > MAX_CHANGES {
            self.changes.remove(0);
        }
    }

    fn last(&self, cell: &str) -> u8 {
        self.last.get(cell).copied().unwrap_or(UP)
    }
}

/// Where something stands, until when and why.
type Stand = (u8, Option<Millis>, String);

impl Cell {
    fn stand(&self, now: Millis, tuning: &Tuning) -> Stand {
        let nothing = String::new;
        match self.state.ramped(now, tuning).as_ref().unwrap_or(&self.state) {
            State::Open { until } => (OPEN, Some(*until), self.cause.clone()),
            State::Half { .. } => (HALF, None, nothing()),
            State::Up | State::Ramp { .. } if self.cool_until > now => (COOLING, Some(self.cool_until), nothing()),
            State::Ramp { .. } => (RAMPING, None, format!("{} probes went well", tuning.probes_to_close)),
            State::Up => match (self.by_errors(now, tuning), self.latency.share(now, tuning)) {
                (Some(_), _) => (DEGRADED, None, self.failed(now, tuning)),
                (None, Some(_)) => (DEGRADED, None, "slow to the first token".to_owned()),
                (None, None) => (UP, None, nothing()),
            },
        }
    }

    /// When it left a state that ends by its time, as far as that can still be seen.
    fn left_at(&self, from: u8, now: Millis, tuning: &Tuning) -> Millis {
        let end = match from {
            COOLING => self.cool_until,
            RAMPING => self.state.ramp_ends(tuning),
            _ => now,
        };
        end.min(now)
    }
}

impl Health {
    /// Newest first, with what ended by its time meanwhile.
    pub fn changes(&mut self, now: Millis) -> impl Iterator<Item = &Change> {
        self.note(now, "");
        self.history.changes.iter().rev()
    }

    /// The operator's word on a provider, one of its models or credentials, from now on.
    pub fn order(&mut self, target: &str, action: Action, for_ms: u64, now: Millis) {
        self.note(now, "");
        let from = self.history.last(target);
        self.marks.set(target, action, for_ms, now);
        if action == Action::Reset {
            self.forget(target);
        }
        let (why, (to, until, _)) = (format!("operator: {}", action.name()), self.stand(target, now));
        self.history.put(Change { at: now, cell: target.to_owned(), from, to, until, why: why.clone() });
        self.note(now, &why);
    }

    /// By the word on it, not by that on its provider: one word is one change.
    fn stand(&self, name: &str, now: Millis) -> Stand {
        let mark = self.marks.by_target.get(name).filter(|mark| mark.until > now);
        let said = mark.and_then(|mark| match mark.action {
            Action::Drain => Some((DRAINED, Some(mark.until), String::new())),
            Action::ForceOpen => Some((SHUT, Some(mark.until), String::new())),
            Action::ForceClose => Some((UP, Some(mark.until), String::new())),
            Action::Reset => None,
        });
        let learned = || self.cells.get(name).map(|cell| cell.stand(now, &self.tuning));
        said.or_else(learned).unwrap_or((UP, None, String::new()))
    }

    /// Takes down what changed since it was last asked; `why` where whoever asks has done it. A cell of a tenant's own key
    /// says nothing of others, and must not push out what does.
    pub(super) fn note(&mut self, now: Millis, why: &str) {
        let cells = self.cells.keys().filter(|cell| !is_own_key(cell));
        let mut changed: Vec<Change> = vec![];
        for name in cells.chain(self.marks.by_target.keys()).chain(self.history.last.keys()) {
            let (from, (to, until, said)) = (self.history.last(name), self.stand(name, now));
            if from != to && !changed.iter().any(|change| change.cell == *name) {
                let (at, ended) = self.left(name, from, now);
                let why = [why, &said, ended].into_iter().find(|why| !why.is_empty()).unwrap_or_default();
                changed.push(Change { at, cell: name.clone(), from, to, until, why: why.to_owned() });
            }
        }
        for change in changed {
            if let Some(cell) = self.cells.get_mut(&change.cell) {
                cell.cause.clear();
            }
            self.history.put(change);
        }
    }

    /// When and why something left a state, where what follows does not say so.
    fn left(&self, name: &str, from: u8, now: Millis) -> (Millis, &'static str) {
        if matches!(from, DRAINED | SHUT) {
            let until = self.marks.by_target.get(name).map_or(now, |mark| mark.until);
            return (until.min(now), "the operator's word ended");
        }
        match self.cells.get(name) {
            Some(cell) => (cell.left_at(from, now, &self.tuning), ""),
            None => (now, "forgotten"),
        }
    }
}
