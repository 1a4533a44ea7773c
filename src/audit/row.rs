//! Entries as rows of a table, and the rows made into a chain again.

use serde_json::Value;

use super::{Entry, Head, Kind, UNKNOWN, append};
use crate::{
    units::Millis,
    wire::{
        compose::json,
        digest::{Hash, hex, unhex},
        json::json_text,
    },
};

/// What a table keeps of an entry: the tenant is the table's, and the hash before is that of the row before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub seq: u64,
    pub time: Millis,
    pub kind: String,
    pub body: String,
    pub hash: Hash,
}

impl Row {
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// The entries that follow a head.
pub fn extend(head: Head, tenant: &str, new: Vec<(Kind, String)>, now: Millis) -> Vec<Entry> {
    let mut head = head;
    let link = |new| {
        let entry = append(head, tenant, new, now);
        head = entry.head();
        entry
    };
    new.into_iter().map(link).collect()
}

/// As one JSON array of `[seq, time, kind, body, hash]`.
pub fn write_rows(entries: &[Entry]) -> String {
    let row = |entry: &Entry| json!([entry.seq, entry.time.0, &entry.kind, &entry.body, hex(&entry.hash)]);
    json_text(&Value::Array(entries.iter().map(row).collect()))
}

/// Arrays as above with commas between. A table that was tampered with may have anything in it: what cannot be read becomes
/// something that no hash fits.
pub fn read_rows(text: &str) -> Vec<Row> {
    let rows: Vec<Value> = serde_json::from_str(&format!("[{text}]")).unwrap_or_default();
    let row = |row: &Value| {
        let number = |at: usize| row.get(at).and_then(Value::as_u64).unwrap_or_default();
        let text = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default();
        Row {
            seq: number(0),
            time: Millis(number(1)),
            kind: text(2).to_owned(),
            body: text(3).to_owned(),
            hash: unhex(text(4)).unwrap_or(UNKNOWN),
        }
    };
    rows.iter().map(row).collect()
}

/// Rows of a chain with their links. `before`: the row before the first, or what a checkpoint says of it.
pub fn linked(tenant: &str, before: Option<Head>, rows: Vec<Row>) -> Vec<Entry> {
    let follows = |before: &Head| rows.first().is_some_and(|first| first.seq == before.seq.saturating_add(1));
    let genesis = Some(Head::genesis(tenant)).filter(follows);
    let mut previous = genesis.or_else(|| before.filter(follows)).map_or(UNKNOWN, |before| before.hash);
    let link = |row: Row| {
        let Row { seq, time, kind, body, hash } = row;
        let entry = Entry { tenant: tenant.to_owned(), seq, time, kind, body, previous, hash };
        previous = hash;
        entry
    };
    rows.into_iter().map(link).collect()
}

/// A chain may be longer than wanted by this part of it before its oldest are dropped: a checkpoint is an entry too.
const SLACK: u64 = 10;

/// The oldest entry to keep of a chain from `first` to `last` when there are too many.
pub const fn first_kept(first: u64, last: u64, max: u64) -> Option<u64> {
    let kept = last.saturating_sub(first).saturating_add(1);
    if kept <= max.saturating_add(max / SLACK) { None } else { Some(last.saturating_sub(max).saturating_add(1)) }
}
