//! The operator's word on health: it wins over every breaker, until it ends.

use super::health::Standing;
use crate::{sorted::SortedMap, units::Millis};

/// Targets with a word on them, in one region.
pub(super) const MAX_MARKS: usize = 128;
/// A word that names no end: what nobody remembers must not hold for ever.
pub const USUAL_MS: u64 = 60 * 60_000;
pub const MAX_MS: u64 = 30 * 24 * 60 * 60_000;
/// As long as any cooldown: no isolate must come back with what it knew before a reset.
const RESET_MS: u64 = 24 * 60 * 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// No traffic while anything else is left.
    Drain,
    /// No traffic at all.
    ForceOpen,
    /// Traffic, whatever the breaker says.
    ForceClose,
    /// Forgets what was learned, and any word.
    Reset,
}

impl Action {
    pub const ALL: [Self; 4] = [Self::Drain, Self::ForceOpen, Self::ForceClose, Self::Reset];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::ForceOpen => "force_open",
            Self::ForceClose => "force_close",
            Self::Reset => "reset",
        }
    }
}

/// A word on `provider`, `provider/model` or `provider#n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub action: Action,
    pub until: Millis,
    /// When it was reset last: what was learned before is not taken from anybody.
    pub reset: Millis,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub by_target: SortedMap<String, Mark>,
}

/// The provider a cell belongs to.
fn provider(cell: &str) -> &str {
    cell.find(['/', '#', '@']).and_then(|end| cell.get(..end)).unwrap_or(cell)
}

/// Whether a word on `target` is about this cell.
pub(super) fn covers(target: &str, cell: &str) -> bool {
    target == cell || target == provider(cell)
}

impl Marks {
    /// Where a cell stands by the operator's word; the one on the cell goes before the one on its provider.
    pub fn standing(&self, cell: &str, now: Millis) -> Option<Standing> {
        if self.by_target.is_empty() {
            return None;
        }
        [cell, provider(cell)].into_iter().find_map(|target| {
            let mark = self.by_target.get(target).filter(|mark| mark.until > now)?;
            match mark.action {
                Action::Drain => Some(Standing::Drained),
                Action::ForceOpen => Some(Standing::Shut { until: mark.until }),
                Action::ForceClose => Some(Standing::Up),
                Action::Reset => None,
            }
        })
    }

    pub fn set(&mut self, target: &str, action: Action, for_ms: u64, now: Millis) {
        self.by_target.retain(|_, mark| mark.until > now);
        if action == Action::Reset {
            self.by_target.retain(|other, mark| mark.action == Action::Reset || !covers(target, other));
        }
        if !self.by_target.contains_key(target) && self.by_target.len() >= MAX_MARKS {
            let first = self.by_target.iter().min_by_key(|(_, mark)| mark.until).map(|(target, _)| target.clone());
            first.map(|target| self.by_target.remove(&target));
        }
        let known = self.by_target.get(target).map(|mark| mark.reset).unwrap_or_default();
        let (until, reset) = match action {
            // Later than any other, so that whoever knows one knows all that came before.
            Action::Reset => (now.plus(RESET_MS), now.max(self.last_reset().plus(1))),
            Action::Drain | Action::ForceOpen | Action::ForceClose => (now.plus(for_ms), known),
        };
        self.by_target.insert(target.to_owned(), Mark { action, until, reset });
    }

    pub fn last_reset(&self) -> Millis {
        self.by_target.values().map(|mark| mark.reset).max().unwrap_or_default()
    }

    /// Whether a cell was reset after `since`.
    pub fn was_reset(&self, cell: &str, since: Millis) -> bool {
        self.by_target.iter().any(|(target, mark)| mark.reset > since && covers(target, cell))
    }
}
