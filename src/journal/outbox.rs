//! Records of one isolate on their way to the journals of their tenants: many in one call, told again when a call failed.

use super::Policy;
use crate::{sorted::SortedMap, units::Millis, wire::json::quoted};

/// Bytes that wait while journals cannot be reached: of the isolate's 128 megabytes.
const MAX_WAITING: usize = 4 << 20;
/// Bytes of one call: an object takes texts of two megabytes.
const MAX_CALL: usize = 1 << 20;
/// That much is sent without waiting for more: some hundred records.
const FULL: usize = 1 << 19;
/// Objects that are told at once; a request may have six connections open.
const AT_ONCE: usize = 4;
/// After a call that failed.
const RETRY_MS: u64 = 1_000;
/// A call that was not heard of again was ended with the request that made it.
const LOST_MS: u64 = 10_000;

/// A record, or who keeps an answer: JSON either way.
#[derive(Debug)]
struct Line {
    is_record: bool,
    text: String,
}

/// What is to be told to one tenant's journal.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<Line>,
    /// Since when; a failure begins it anew.
    since: Millis,
    failed: Option<Millis>,
    /// A call that is under way, and how many of the lines went with it.
    calling: Option<(u64, Millis, usize)>,
}

#[derive(Debug, Default)]
pub struct Outbox {
    tenants: SortedMap<String, Waiting>,
    /// How long and how much is kept, as the configuration had it last.
    policy: Option<Policy>,
    bytes: usize,
    lost: usize,
    /// Of the last call.
    number: u64,
}

/// One call.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    pub tenant: String,
    pub policy: Policy,
    pub message: String,
    number: u64,
}

impl Outbox {
    pub const fn keep_for(&mut self, policy: Policy) {
        self.policy = Some(policy);
    }

    /// Takes in a record.
    pub fn put(&mut self, tenant: &str, record: String, now: Millis) {
        self.add(tenant, Line { is_record: true, text: record }, now);
    }

    /// A provider may keep the answer that has this id.
    pub fn put_kept(&mut self, tenant: &str, (response, provider): (&str, &str), now: Millis) {
        let text = format!("[{},{}]", quoted(response), quoted(provider));
        self.add(tenant, Line { is_record: false, text }, now);
    }

    fn add(&mut self, tenant: &str, line: Line, now: Millis) {
        if self.bytes.saturating_add(line.text.len()) > MAX_WAITING {
            self.lost = self.lost.saturating_add(1);
            return;
        }
        self.bytes = self.bytes.saturating_add(line.text.len());
        if !self.tenants.contains_key(tenant) {
            self.tenants.insert(tenant.to_owned(), Waiting { since: now, ..Waiting::default() });
        }
        if let Some(waiting) = self.tenants.get_mut(tenant) {
            waiting.lines.push(line);
        }
    }

    /// It does not wait for more.
    pub const fn is_full(&self) -> bool {
        self.bytes >= FULL
    }

    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Calls to make now, of those who wait longest.
    pub fn begin(&mut self, now: Millis) -> Vec<Batch> {
        let Some(policy) = self.policy else { return vec![] };
        for waiting in self.tenants.values_mut() {
            waiting.calling = waiting.calling.filter(|(_, at, _)| now.since(*at) < LOST_MS);
        }
        let is_due = |waiting: &Waiting| {
            waiting.calling.is_none() && waiting.failed.is_none_or(|at| now.since(at) >= RETRY_MS) && !waiting.lines.is_empty()
        };
        let mut due: Vec<(Millis, String)> = self
            .tenants
            .iter()
            .filter(|(_, waiting)| is_due(waiting))
            .map(|(name, waiting)| (waiting.since, name.clone()))
            .collect();
        due.sort_unstable();
        due.truncate(AT_ONCE);
        let mut batches = vec![];
        for (_, tenant) in due {
            self.number += 1;
            let number = self.number;
            let Some(waiting) = self.tenants.get_mut(&tenant) else { continue };
            let (message, count) = waiting.message(&tenant);
            waiting.calling = Some((number, now, count));
            batches.push(Batch { tenant, policy, message, number });
        }
        batches
    }

    /// The journal has it, or it may have it or not: then it is told again. Of a call that was taken for lost nothing follows.
    pub fn ended(&mut self, batch: &Batch, is_told: bool, now: Millis) {
        let Some(waiting) = self.tenants.get_mut(&batch.tenant) else { return };
        let Some((_, _, count)) = waiting.calling.take_if(|(number, ..)| *number == batch.number) else { return };
        waiting.since = now;
        waiting.failed = (!is_told).then_some(now);
        if is_told {
            let told = waiting.lines.drain(..count.min(waiting.lines.len()));
            self.bytes = told.fold(self.bytes, |bytes, line| bytes.saturating_sub(line.text.len()));
            if waiting.lines.is_empty() {
                self.tenants.remove(&batch.tenant);
            }
        }
    }

    /// How many lines found no room, once.
    pub const fn take_lost(&mut self) -> usize {
        let lost = self.lost;
        self.lost = 0;
        lost
    }
}

impl Waiting {
    /// As much as goes into one call, and how many lines that are.
    fn message(&self, tenant: &str) -> (String, usize) {
        let (mut records, mut kept, mut bytes, mut count) = (vec![], vec![], 0_usize, 0);
        for line in &self.lines {
            bytes = bytes.saturating_add(line.text.len());
            if bytes > MAX_CALL && count > 0 {
                break;
            }
            count += 1;
            if line.is_record { &mut records } else { &mut kept }.push(line.text.as_str());
        }
        let (tenant, records, kept) = (quoted(tenant), records.join(","), kept.join(","));
        (format!(r#"{{"tenant":{tenant},"records":[{records}],"kept":[{kept}]}}"#), count)
    }
}
