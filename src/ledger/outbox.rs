//! What one isolate has to tell one tenant's ledger: several requests in one call, nothing lost that is told again.

use std::{cell::Cell, rc::Rc};

use serde::Deserialize;
use serde_json::Value;

use super::entry::Entry;
use crate::{units::Millis, wire::json::quoted};

/// Entries of one call: each is half a kilobyte, and an object takes texts of two megabytes.
const MAX_BATCH: usize = 1_000;
/// Entries that wait while the object cannot be reached: some megabytes of the isolate's 128.
const MAX_WAITING: usize = 8_192;
/// A call that was not heard of again was ended with the request that made it: what it told is told again.
const LOST_CALL_MS: u64 = 6_000;
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

/// A call that is under way, and what went with it.
#[derive(Debug)]
struct Calling {
    number: u64,
    since: Millis,
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
    calling: Option<Calling>,
    /// Of the last call.
    number: u64,
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

    /// Whether a call is under way: after it the rest is told. One that was lost is over.
    pub fn is_calling(&mut self, now: Millis) -> bool {
        if self.calling.as_ref().is_some_and(|calling| now.since(calling.since) < LOST_CALL_MS) {
            return true;
        }
        self.put_back();
        false
    }

    /// Begins a call with all that waits: its number.
    pub fn begin(&mut self, now: Millis) -> u64 {
        self.promised = None;
        self.number += 1;
        let rest = self.waiting.split_off(self.waiting.len().min(MAX_BATCH));
        let items = std::mem::replace(&mut self.waiting, rest);
        let alive = std::mem::take(&mut self.alive);
        self.calling = Some(Calling { number: self.number, since: now, items, alive });
        self.number
    }

    /// The message of the call that has begun, as `Message` reads it. `account` is JSON.
    pub fn write(&self, tenant: &str, account: Option<&str>) -> String {
        let (mut entries, mut alive) = (vec![], vec![]);
        if let Some(calling) = &self.calling {
            entries.extend(calling.items.iter().filter_map(|item| serde_json::to_string(&item.entry).ok()));
            alive.extend(calling.alive.iter().map(|id| quoted(id)));
        }
        let (tenant, entries, alive) = (quoted(tenant), entries.join(","), alive.join(","));
        let account = account.map(|account| format!(r#","account":{account}"#)).unwrap_or_default();
        format!(r#"{{"tenant":{tenant},"entries":[{entries}],"alive":[{alive}]{account}}}"#)
    }

    /// The object has it. Of a call that was taken for lost nothing follows: what it told was told again.
    pub fn acknowledged(&mut self, number: u64) {
        if let Some(calling) = self.calling.take_if(|calling| calling.number == number) {
            self.failed = None;
            calling.items.iter().for_each(|item| item.told.set(true));
        }
    }

    /// It may have it or not: it is told again.
    pub fn failed(&mut self, number: u64, now: Millis) {
        if self.calling.as_ref().is_some_and(|calling| calling.number == number) {
            self.failed = Some(now);
            self.put_back();
        }
    }

    fn put_back(&mut self) {
        let Some(calling) = self.calling.take() else { return };
        let later = std::mem::replace(&mut self.waiting, calling.items);
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

/// What an isolate tells a tenant's object.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Message {
    pub tenant: String,
    pub entries: Vec<Entry>,
    /// Requests that are still under way.
    pub alive: Vec<String>,
    /// What is said of limits, where there are any.
    pub account: Option<Value>,
}
