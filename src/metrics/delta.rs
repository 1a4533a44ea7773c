//! What one isolate has counted and not told yet. What is told twice counts once: it has a number.

use super::table::Table;
use crate::{ledger::record::Record, units::Millis};

/// Told so often: what an isolate that is ended by force had counted in this time is lost.
pub const TELL_MS: u64 = 10_000;
/// So many series are told at once, whenever it was told last: a message of some tens of kilobytes.
const MANY: usize = 200;
/// Told together with the records of the same second.
const SOON_MS: u64 = 1_000;
/// A call, or a promise to call, that was not heard of again was ended by the runtime.
const LOST_MS: u64 = 15_000;

/// A call, under way or to be made again.
#[derive(Debug)]
struct Call {
    number: u64,
    text: String,
    /// Absent: it failed.
    since: Option<Millis>,
}

#[derive(Debug, Default)]
pub struct Delta {
    table: Table,
    /// Of the last call.
    number: u64,
    call: Option<Call>,
    told: Millis,
    promised: Option<Millis>,
}

impl Delta {
    /// Counts a finished request.
    pub fn note(&mut self, record: &Record) {
        self.table.note(record);
    }

    /// Promises to tell: how long to pause before. `None`: there is nothing, or somebody else will.
    pub fn promise(&mut self, now: Millis) -> Option<u64> {
        if self.table.is_empty() && self.call.is_none() {
            return None;
        }
        let is_promised = self.promised.is_some_and(|at| now.since(at) < LOST_MS);
        if is_promised && self.table.len() < MANY {
            return None;
        }
        self.promised = Some(now);
        let pause = if self.table.len() < MANY { TELL_MS.saturating_sub(now.since(self.told)) } else { 0 };
        Some(pause.max(SOON_MS))
    }

    /// The number of a call, and what it tells: again what was not acknowledged, before what is new.
    pub fn begin(&mut self, now: Millis) -> Option<(u64, String)> {
        self.promised = None;
        let is_lost = |since: Millis| now.since(since) >= LOST_MS;
        if let Some(call) = &mut self.call {
            if !call.since.is_none_or(is_lost) {
                return None;
            }
            call.since = Some(now);
            return Some((call.number, call.text.clone()));
        }
        if self.table.is_empty() {
            return None;
        }
        self.number += 1;
        let text = std::mem::take(&mut self.table).write();
        self.told = now;
        self.call = Some(Call { number: self.number, text: text.clone(), since: Some(now) });
        Some((self.number, text))
    }

    /// The object has it. Whether there is more to tell.
    pub fn acknowledged(&mut self, number: u64) {
        self.call.take_if(|call| call.number == number);
    }

    /// It may have it or not.
    pub fn failed(&mut self, number: u64) {
        if let Some(call) = self.call.as_mut().filter(|call| call.number == number) {
            call.since = None;
        }
    }
}
