//! Entries and heads as lines of JSON: what is exported, and what an offline verifier reads.

use serde_json::Value;

use super::{Entry, Head};
use crate::{
    units::Millis,
    wire::{
        compose::json,
        digest::{hex, unhex},
        json::json_text,
    },
};

/// Members of a line. One more would be something that nobody vouches for.
const MEMBERS: usize = 7;

pub fn write_line(entry: &Entry) -> String {
    json_text(&json!({
        "tenant": &entry.tenant,
        "seq": entry.seq,
        "time": entry.time.0,
        "kind": &entry.kind,
        "body": &entry.body,
        "previous": hex(&entry.previous),
        "hash": hex(&entry.hash),
    }))
}

/// `None`: this is no entry.
pub fn read_line(line: &str) -> Option<Entry> {
    let line: Value = serde_json::from_str(line).ok()?;
    if line.as_object()?.len() != MEMBERS {
        return None;
    }
    let text = |key: &str| line.get(key)?.as_str();
    Some(Entry {
        tenant: text("tenant")?.to_owned(),
        seq: line.get("seq")?.as_u64()?,
        time: Millis(line.get("time")?.as_u64()?),
        kind: text("kind")?.to_owned(),
        body: text("body")?.to_owned(),
        previous: unhex(text("previous")?)?,
        hash: unhex(text("hash")?)?,
    })
}

/// `17-9f86d081…`: an entry's number and its hash.
pub fn write_head(head: Head) -> String {
    format!("{}-{}", head.seq, hex(&head.hash))
}

/// A head as [`write_head`] writes it, or the JSON in which it was published.
pub fn read_head(text: &str) -> Option<Head> {
    let text = text.trim();
    if let Ok(published) = serde_json::from_str::<Value>(text)
        && published.is_object()
    {
        let said = published.get("data").unwrap_or(&published);
        return Some(Head { seq: said.get("seq")?.as_u64()?, hash: unhex(said.get("hash")?.as_str()?)? });
    }
    let (seq, hash) = text.split_once('-')?;
    Some(Head { seq: seq.parse().ok()?, hash: unhex(hash)? })
}
