//! What one isolate has to tell one tenant's ledger: several requests in one call, nothing lost that is told again.

use std::{cell::Cell, rc::Rc};

use serde::Deserialize;

use super::entry::Entry;
use crate::{units::Millis, wire::json::quoted};

/// Entries of one call: each is half a kilobyte, and an object takes texts of two megabytes.
const MAX_BATCH: usize = 1_000;
/// Entries that wait while the object cannot be reached: some megabytes of the isolate's 128.
const MAX_WAITING: usize = 8_192;
/// A call that was not heard of again was ended with the request that made it; the others make their own.
const LOST_CALL_MS: u64 = 5_000;
/// Somebody who promised to call and did not was ended by the runtime.
const LOST_PROMISE_MS: u64 = 3_000;
/// After a call that failed.
const RETRY_MS: u64 = 1_000;

/// Whether the ledger has acknowledged an entry.
pub type Told = Rc<Cell<bool>>;

#[derive(Debug)]
struct Item {
    entry: Entry,
    told: Told,
}

/// What goes with one call.
#[derive(Debug, Default)]
pub struct Batch {
    items: Vec<Item>,
    alive: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Vec<Item>,
    /// Requests that are still under way.
    alive: Vec<String>,
    /// When somebody will have called.
    promised: Option<Millis>,
    /// Since when a call is under way.
    calling: Option<Millis>,
    failed: Option<Millis>,
    lost: usize,
}

impl Outbox {
    /// Takes in a request's beginning, or its end. A beginning that still waits becomes one entry with the end.
    pub fn put(&mut self, entry: Entry) -> Told {
        let is_same = |item: &&mut Item| item.entry.close.is_none() && item.entry.open.id == entry.open.id;
        if let Some(item) = self.waiting.iter_mut().filter(|_| entry.close.is_some()).rfind(is_same) {
            item.entry = entry;
            return Rc::clone(&item.told);
        }
        let told = Told::default();
        self.waiting.push(Item { entry, told: Rc::clone(&told) });
        self.forget();
        told
    }

    /// Makes room where there is none, a quarter at once. Of a beginning the end will tell too, if it comes.
    fn forget(&mut self) {
        let before = self.waiting.len();
        if before <= MAX_WAITING {
            return;
        }
        let mut surplus = before - MAX_WAITING / 4 * 3;
        self.waiting.retain(|item| {
            let goes = surplus > 0 && item.entry.close.is_none();
            surplus -= usize::from(goes);
            !goes
        });
        self.waiting.drain(..surplus.min(self.waiting.len()));
        self.lost = self.lost.saturating_add(before - self.waiting.len());
    }

    /// A request is still under way.
    pub fn lives(&mut self, id: &str) {
        self.alive.push(id.to_owned());
    }

    /// How many entries were given up, once.
    pub const fn take_lost(&mut self) -> usize {
        let lost = self.lost;
        self.lost = 0;
        lost
    }

    /// Promises to call within so many milliseconds: how long to pause before. `None`: somebody else will be as early.
    pub fn promise(&mut self, now: Millis, within_ms: u64) -> Option<u64> {
        let again = self.failed.map_or(0, |at| RETRY_MS.saturating_sub(now.since(at)));
        let pause = within_ms.max(again);
        let due = now.plus(pause);
        if self.promised.is_some_and(|at| at <= due && now.since(at) < LOST_PROMISE_MS) {
            return None;
        }
        self.promised = Some(due);
        Some(pause)
    }

    /// What is to be told now. `None`: nothing, or a call is under way, after which the rest is told.
    pub fn take(&mut self, now: Millis) -> Option<Batch> {
        if self.calling.is_some_and(|at| now.since(at) < LOST_CALL_MS) || self.is_empty() {
            return None;
        }
        self.calling = Some(now);
        Some(self.batch())
    }

    /// What is to be told by a request that cannot wait for another's call: its own entry, and what waits.
    pub fn take_with(&mut self, entry: &Entry, told: &Told) -> Batch {
        let mut batch = self.batch();
        if !batch.items.iter().any(|item| item.entry.open.id == entry.open.id) {
            batch.items.push(Item { entry: entry.clone(), told: Rc::clone(told) });
        }
        batch
    }

    fn batch(&mut self) -> Batch {
        self.promised = None;
        let rest = self.waiting.split_off(self.waiting.len().min(MAX_BATCH));
        Batch { items: std::mem::replace(&mut self.waiting, rest), alive: std::mem::take(&mut self.alive) }
    }

    /// The object has it.
    pub fn acknowledged(&mut self, batch: Batch) {
        self.calling = None;
        self.failed = None;
        batch.items.iter().for_each(|item| item.told.set(true));
    }

    /// It may have it or not: it is told again.
    pub fn failed(&mut self, batch: Batch, now: Millis) {
        self.calling = None;
        self.failed = Some(now);
        let later = std::mem::replace(&mut self.waiting, batch.items);
        self.waiting.extend(later);
        self.forget();
    }

    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.alive.is_empty()
    }

    /// Nothing is to be done or remembered for this tenant.
    pub const fn is_idle(&self) -> bool {
        self.is_empty() && self.calling.is_none() && self.promised.is_none() && self.failed.is_none()
    }
}

impl Batch {
    /// The message to the tenant's object, as `Message` reads it.
    pub fn write(&self, tenant: &str) -> String {
        let entries: Vec<String> = self.items.iter().filter_map(|item| serde_json::to_string(&item.entry).ok()).collect();
        let alive: Vec<String> = self.alive.iter().map(|id| quoted(id)).collect();
        format!(r#"{{"tenant":{},"entries":[{}],"alive":[{}]}}"#, quoted(tenant), entries.join(","), alive.join(","))
    }
}

/// What an isolate tells a tenant's object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Message {
    pub tenant: String,
    pub entries: Vec<Entry>,
    /// Requests that are still under way.
    pub alive: Vec<String>,
}
