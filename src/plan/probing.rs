//! Active probes: cells that are shut and that nobody's requests would try.

use super::{
    breaker::{Batch, Cell, State},
    health::{Health, Signal, Standing, View},
};
use crate::units::Millis;

/// Where there is traffic, somebody asks for the permit within the 5 s between two synchronisations.
const IDLE_MS: u64 = 6_000;
/// Calls of one alarm: each costs money, and they go one after the other.
const MAX_PROBES: usize = 3;
/// The least time between two alarms, and that until what was left over is looked at again.
const SOON_MS: u64 = 1_000;
const LEFT_OVER_MS: u64 = 5_000;
/// The region's object, as the holder of a permit. No isolate draws it.
const OBJECT: u64 = 0;

impl Cell {
    /// From when on nobody's request is waited for: a permit was lent and not used, or not even asked for.
    fn idle_at(&self) -> Option<Millis> {
        let at = match &self.state {
            State::Half { permit: Some(permit), .. } => permit.expires,
            State::Open { until } | State::Half { since: until, permit: None, .. } => (*until).max(self.touched).plus(IDLE_MS),
            State::Up | State::Ramp { .. } => return None,
        };
        Some(at.max(self.cool_until))
    }
}

impl Health {
    /// Models that are shut, and from when on each is idle. The operator's word needs no probe.
    fn shut(&self, now: Millis) -> impl Iterator<Item = (&String, Millis)> {
        let models = self.cells.iter().filter(move |(key, _)| key.contains('/') && self.marks.standing(key, now).is_none());
        models.filter_map(|(key, cell)| Some((key, cell.idle_at()?)))
    }

    /// What to probe now.
    pub fn idle(&self, now: Millis) -> Vec<String> {
        self.shut(now).filter(|(_, at)| *at <= now).take(MAX_PROBES).map(|(key, _)| key.clone()).collect()
    }

    /// Milliseconds until something may be idle; nothing where nothing is shut.
    pub fn look_again_after(&self, now: Millis) -> Option<u64> {
        let at = self.shut(now).map(|(_, at)| at).min()?;
        Some(if at <= now { LEFT_OVER_MS } else { at.since(now).max(SOON_MS) })
    }

    /// The region's own probe: the permit, and what its plan is made on.
    pub fn begin_probe(&mut self, key: &str, now: Millis) -> Option<View> {
        self.permit(key, OBJECT, now)?;
        self.probing(key, OBJECT, now.plus(self.tuning().probe_ms));
        self.note(now, "");
        let mut view = self.snapshot(now);
        view.cells.insert(key.to_owned(), Standing::Probe);
        Some(view)
    }

    /// A new life of the object knows of no probe of its own: what an earlier one began died with it.
    #[must_use]
    pub fn awoken(mut self) -> Self {
        for (_, cell) in self.iter_mut() {
            if let State::Half { permit, .. } = &mut cell.state {
                *permit = permit.filter(|permit| permit.holder != OBJECT);
            }
        }
        self
    }

    /// How it ended; `None`: it proved nothing.
    pub fn end_probe(&mut self, key: &str, signal: Option<Signal>, now: Millis, seed: u64) {
        let batch = match signal {
            Some(Signal::Ok { first_ms }) => Batch::good(first_ms),
            Some(Signal::Served) => Batch::served(),
            Some(Signal::Failed { floor_ms }) => Batch::bad(floor_ms),
            Some(limit @ (Signal::Cool { .. } | Signal::Down { .. })) => {
                self.report(key, limit, now, seed);
                Batch::default()
            }
            None => Batch::default(),
        };
        self.probed(key, OBJECT, batch, now, seed);
        self.note(now, "");
    }
}
