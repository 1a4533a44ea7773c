//! The tables of the ledger. What is to be stored was decided before; money passes as JSON text, for numbers of JavaScript
//! are not exact beyond 2^53.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasm_bindgen::JsValue;

use super::{TenantObject, bindings};
use crate::{
    audit,
    ledger::{
        book::{self, Group, Known, Posting, Sums},
        entry::{Entry, Opening},
        report::Question,
    },
    sorted::SortedMap,
    units::Millis,
    wire::json::json_text,
};

/// Requests under way, those that ended by when they began, and sums of an hour each. Without row ids: a request is one
/// row written where there would be two, and rows written are what storage costs.
pub const TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS open (id TEXT PRIMARY KEY, alive INTEGER NOT NULL, opening TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS entries (opened INTEGER NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL, \
     PRIMARY KEY (opened, id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS usage (hour INTEGER NOT NULL, key TEXT NOT NULL, tags TEXT NOT NULL, user TEXT NOT NULL, \
     route TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, requests INTEGER NOT NULL, errors INTEGER NOT NULL, \
     lost INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, \
     output INTEGER NOT NULL, cost INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, \
     failovers INTEGER NOT NULL, ms INTEGER NOT NULL, upstream_ms INTEGER NOT NULL, \
     PRIMARY KEY (hour, key, tags, user, route, provider, model)) WITHOUT ROWID",
];

const KNOWN: &str = "SELECT json_object('id', told.value ->> 1, 'open', json(iif(entries.id IS NULL, 'true', 'false')), 'lost', \
     json(iif(entries.entry ->> '$.close.close' = 'sweep', entries.entry, 'null'))) FROM json_each(?) AS told \
     LEFT JOIN entries ON entries.opened = told.value ->> 0 AND entries.id = told.value ->> 1 \
     LEFT JOIN open ON open.id = told.value ->> 1 WHERE entries.id IS NOT NULL OR open.id IS NOT NULL";
const OPEN: &str = "INSERT OR IGNORE INTO open SELECT value ->> 'id', ?, value FROM json_each(?)";
const CLOSE: &str = "INSERT OR REPLACE INTO entries SELECT value ->> '$.open.at', value ->> '$.open.id', value FROM json_each(?)";
const CLOSED: &str = "DELETE FROM open WHERE id IN (SELECT value ->> '$.open.id' FROM json_each(?))";
const COUNT: &str = "INSERT INTO usage SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
     value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, \
     value ->> 14, value ->> 15, value ->> 16, value ->> 17, value ->> 18, value ->> 19 FROM json_each(?) WHERE true \
     ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, errors = errors + excluded.errors, \
     lost = lost + excluded.lost, input = input + excluded.input, cache_read = cache_read + excluded.cache_read, \
     cache_write = cache_write + excluded.cache_write, output = output + excluded.output, cost = cost + excluded.cost, \
     unpriced = unpriced + excluded.unpriced, estimated = estimated + excluded.estimated, \
     failovers = failovers + excluded.failovers, ms = ms + excluded.ms, upstream_ms = upstream_ms + excluded.upstream_ms";

/// Between two looks for requests that were never heard of again.
const SWEEP_MS: f64 = 30_000.0;
/// Requests that are swept at once; the rest are at the next alarm, which then comes soon.
const MAX_SWEPT: u32 = 500;
const SOON_MS: f64 = 100.0;
/// Isolates say every ten seconds what is under way: five times in vain, and nobody is left to say it.
const LOST_AFTER_MS: u64 = 60_000;
/// Entries kept: a month of reconciliation with a provider's own export and some days.
const ENTRIES_MS: u64 = 35 * 86_400_000;
/// And no more than these, some hundred megabytes: an object of a free account has room for a thousand.
const MAX_ENTRIES: u32 = 500_000;
/// Hours that are summed up: a year, and the month after in which it is looked back on.
const USAGE_HOURS: u64 = 400 * 24;
const HOUR_MS: u64 = 3_600_000;
/// Sums of one hour, beyond which end users are not told apart: a tenant may have any number of them.
const MAX_GROUPS: u64 = 2_000;
/// All of those.
const OTHERS: &str = "*";
/// Between two looks for what is old.
const TIDY_MS: u64 = HOUR_MS;

/// A request of a message that is in the tables.
#[derive(Deserialize)]
struct Row {
    id: String,
    open: bool,
    /// The entry that was closed for it, when it was given up.
    lost: Option<Entry>,
}

impl TenantObject {
    /// What the tables have of these requests.
    pub(super) fn known<'a>(&self, told: impl Iterator<Item = &'a Opening>) -> Result<SortedMap<String, Known>, JsValue> {
        let ids: Vec<(u64, &str)> = told.map(|opening| (opening.at.0, opening.id.as_str())).collect();
        if ids.is_empty() {
            return Ok(SortedMap::new());
        }
        let rows = self.run(KNOWN, &[json(&ids)?])?;
        let rows: Vec<Row> = serde_json::from_str(&format!("[{rows}]")).map_err(|error| error.to_string())?;
        let known = |row: Row| match (row.open, row.lost) {
            (true, _) => (row.id, Known::Open),
            (false, Some(entry)) => (row.id, Known::Swept(Box::new(entry))),
            (false, None) => (row.id, Known::Closed),
        };
        Ok(rows.into_iter().map(known).collect())
    }

    pub(super) fn store(&self, posting: &Posting, now: Millis) -> Result<(), JsValue> {
        if posting.is_empty() {
            return Ok(());
        }
        self.open(&posting.opened, now)?;
        if !posting.closed.is_empty() {
            // First: should it fail, nothing is closed, and all of it is told again.
            self.chain.append_requests(&self.state, &digests(&posting.closed)?, now)?;
            let closed = json(&posting.closed)?;
            self.run(CLOSE, std::slice::from_ref(&closed))?;
            self.run(CLOSED, &[closed])?;
            let is_crowded = self.is_crowded(posting)?;
            let sums: Vec<Value> = posting.sums.iter().map(|(group, sums)| row(group, sums, is_crowded)).collect();
            self.run(COUNT, &[json_text(&Value::Array(sums)).into()])?;
        }
        self.watch();
        Ok(())
    }

    fn is_crowded(&self, posting: &Posting) -> Result<bool, JsValue> {
        let Some(group) = posting.sums.keys().rfind(|group| !group.user.is_empty()) else { return Ok(false) };
        let count = self.run("SELECT count(*) FROM usage WHERE hour = ?", &[time(Millis(group.hour))])?;
        Ok(count.parse::<u64>().is_ok_and(|count| count >= MAX_GROUPS))
    }

    pub(super) fn open(&self, opened: &[Opening], now: Millis) -> Result<(), JsValue> {
        if opened.is_empty() {
            return Ok(());
        }
        self.run(OPEN, &[time(now), json(opened)?])?;
        self.watch();
        Ok(())
    }

    /// Looks again after a while.
    fn watch(&self) {
        if !self.is_armed.replace(true) {
            bindings::arm(&self.state, SWEEP_MS);
        }
    }

    /// The rows of a report, as JSON objects with commas between.
    pub(super) fn report(&self, query: &str, now: Millis) -> Result<String, JsValue> {
        let question = Question::read(query, now).map_err(|error| error.message.clone())?;
        let (statement, bound) = question.statement();
        self.run(&statement, &bound.iter().map(JsValue::from).collect::<Vec<_>>())
    }

    /// Somebody said that these are still under way.
    pub(super) fn hear(&self, alive: &[String], now: Millis) -> Result<(), JsValue> {
        if !alive.is_empty() {
            self.run("UPDATE open SET alive = ? WHERE id IN (SELECT value FROM json_each(?))", &[time(now), json(alive)?])?;
        }
        Ok(())
    }

    pub(super) fn sweep(&self, now: Millis) -> Result<(), JsValue> {
        let before = Millis(now.0.saturating_sub(LOST_AFTER_MS));
        let lost = self.run("SELECT opening FROM open WHERE alive < ? LIMIT ?", &[time(before), MAX_SWEPT.into()])?;
        let lost: Vec<Opening> = serde_json::from_str(&format!("[{lost}]")).map_err(|error| error.to_string())?;
        self.post(&book::sweep(lost, now), None, &[], now)?;
        self.tidy(now)?;
        let left = self.run("SELECT min(alive) FROM open", &[])?;
        if let Ok(alive) = left.parse::<u64>() {
            self.is_armed.set(true);
            bindings::arm(&self.state, if alive < before.0 { SOON_MS } else { SWEEP_MS });
        }
        Ok(())
    }

    /// Drops what is old, now and then.
    fn tidy(&self, now: Millis) -> Result<(), JsValue> {
        let last = self.run("SELECT value FROM about WHERE name = 'tidied'", &[])?.parse().unwrap_or_default();
        if now.since(Millis(last)) < TIDY_MS {
            return Ok(());
        }
        self.run("INSERT OR REPLACE INTO about VALUES ('tidied', ?)", &[now.0.to_string().into()])?;
        self.run("DELETE FROM entries WHERE opened < ?", &[time(Millis(now.0.saturating_sub(ENTRIES_MS)))])?;
        self.run(
            "DELETE FROM entries WHERE opened < (SELECT opened FROM entries ORDER BY opened DESC LIMIT 1 OFFSET ?)",
            &[MAX_ENTRIES.into()],
        )?;
        let hour = Millis((now.0 / HOUR_MS).saturating_sub(USAGE_HOURS));
        self.run("DELETE FROM usage WHERE hour < ?", &[time(hour)])?;
        Ok(())
    }
}

/// Ids, and what the stored texts are known by.
fn digests(closed: &[Entry]) -> Result<Vec<(String, String)>, JsValue> {
    let digest = |entry: &Entry| {
        let text = serde_json::to_string(entry).map_err(|error| error.to_string())?;
        Ok((entry.open.id.clone(), audit::digest(&text)))
    };
    closed.iter().map(digest).collect()
}

/// In the order of the table's columns.
fn row(group: &Group, sums: &Sums, is_crowded: bool) -> Value {
    let Group { hour, key, tags, user, route, provider, model } = group;
    let user = if is_crowded && !user.is_empty() { OTHERS } else { user };
    let names = [key.as_str(), tags, user, route, provider, model].map(Value::from);
    let sums = [
        sums.requests,
        sums.errors,
        sums.lost,
        sums.input,
        sums.cache_read,
        sums.cache_write,
        sums.output,
        sums.cost,
        sums.unpriced,
        sums.estimated,
        sums.failovers,
        sums.ms,
        sums.upstream_ms,
    ];
    Value::Array([Value::from(*hour)].into_iter().chain(names).chain(sums.map(Value::from)).collect())
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    serde_json::to_string(value).map(JsValue::from).map_err(|error| error.to_string().into())
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "whole milliseconds of this age fit")]
pub(super) fn time(at: Millis) -> JsValue {
    JsValue::from_f64(at.0 as f64)
}
