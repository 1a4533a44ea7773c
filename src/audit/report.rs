//! What an object and the admin API say of a chain, and how they talk about it.

use serde_json::Value;

use super::{Broken, Entry, Head, State, Verdict, read_head, write_head, write_line};
use crate::wire::{
    compose::{Members, json},
    digest::hex,
    json::json_text,
};

/// Which entries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub after: u64,
    pub limit: u64,
}

impl Page {
    /// `17 50`: at most 50 entries after entry 17.
    pub fn write(self) -> String {
        format!("{} {}", self.after, self.limit)
    }

    pub fn read(text: &str) -> Self {
        let (after, limit) = text.split_once(' ').unwrap_or_default();
        Self { after: after.parse().unwrap_or_default(), limit: limit.parse().unwrap_or_default() }
    }
}

/// One entry a line.
pub fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| write_line(entry) + "\n").collect()
}

/// A page with the number to ask on from; null: there are no more.
pub fn page(entries: &[Entry], limit: u64) -> String {
    let is_full = u64::try_from(entries.len()).unwrap_or(u64::MAX) >= limit;
    let next = entries.last().filter(|_| is_full).map(|last| last.seq.to_string());
    let lines: Vec<String> = entries.iter().map(write_line).collect();
    format!("{{\"data\":[{}],\"next\":{}}}", lines.join(","), next.as_deref().unwrap_or("null"))
}

/// `noted` is the body of the entry that says what was published last.
pub fn head(tenant: &str, head: Head, noted: &Value) -> String {
    json_text(&json!({"tenant": tenant, "seq": head.seq, "hash": hex(&head.hash), "published": noted}))
}

/// A turn of a verification: how far the turns before came, and the heads to compare with.
pub fn ask_turn(state: &Value, published: &[Head]) -> String {
    let published: Vec<String> = published.iter().map(|head| write_head(*head)).collect();
    json_text(&json!({"state": state, "published": published}))
}

pub fn read_turn(message: &str) -> (State, Vec<Head>) {
    let message: Value = serde_json::from_str(message).unwrap_or_default();
    let published = message.get("published").and_then(Value::as_array);
    let published = published.into_iter().flatten().filter_map(|head| read_head(head.as_str()?)).collect();
    (message.get("state").map(State::read).unwrap_or_default(), published)
}

/// A turn that was not the last.
pub fn turn(state: &State) -> String {
    json_text(&json!({"state": state.write()}))
}

/// What the next turn is to be asked with; `None`: this was the last.
pub fn next_turn(answer: &str) -> Option<Value> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer.get("state").cloned()
}

/// The last word.
pub fn verdict(tenant: &str, verdict: &Verdict, noted: &Value) -> String {
    let mut out = json!({
        "ok": verdict.is_ok(),
        "tenant": tenant,
        "entries": verdict.checked,
        "first": (verdict.checked > 0).then_some(verdict.first),
        "last": verdict.head.seq,
        "head": hex(&verdict.head.hash),
        "published": {"compared": verdict.heads, "dropped": verdict.heads_before, "last": noted},
    });
    if let (Value::Object(out), Some((seq, broken))) = (&mut out, &verdict.broken) {
        out.put("broken", json!({"seq": *seq, "what": broken.name(), "message": broken.words(*seq)}));
    }
    json_text(&out)
}

impl Broken {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing { .. } => "missing",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Unlinked => "unlinked",
            Self::Foreign(_) => "foreign",
            Self::Beheaded => "beheaded",
            Self::Rewritten => "rewritten",
            Self::Truncated { .. } => "truncated",
        }
    }
}
