//! The head of a chain, told to those who keep it where nobody who can rewrite the chain can reach.

use serde_json::Value;

use super::{FORMAT, Head, read_head, write_head};
use crate::{
    units::Millis,
    wire::{
        compose::json,
        digest::{hex, sha256},
        json::json_text,
        percent,
    },
};

/// After the first entry of a chain: soon, and not for each entry of a first start.
const FIRST_MS: u64 = 10_000;
/// Chains do not all publish at midnight sharp.
const SPREAD_MS: u64 = 600_000;

/// When the head is to be published next: soon at first, and then with the day. Nothing is due while nothing was added.
///
/// `oldest` is when the first entry was added that no published head covers, and `published` when a head was last.
pub fn due(tenant: &str, oldest: Option<Millis>, published: Option<Millis>) -> Option<Millis> {
    let oldest = oldest?;
    Some(match published {
        None => oldest.plus(FIRST_MS),
        Some(published) => published.midnight_after().plus(spread(tenant)),
    })
}

fn spread(tenant: &str) -> u64 {
    let [a, b, c, d, ..] = sha256([tenant.as_bytes()]);
    u64::from(u32::from_be_bytes([a, b, c, d])) % SPREAD_MS
}

/// What is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published<'a> {
    pub tenant: &'a str,
    pub head: Head,
    pub now: Millis,
}

impl Published<'_> {
    /// Where it is written once: the day's name, or when the day has one already, the day's with the entry's number.
    pub fn keys(&self) -> [String; 2] {
        let day = format!("{}{}", folder(self.tenant), self.now.date());
        [format!("{day}.json"), format!("{day}-{}.json", self.head.seq)]
    }

    /// The same each time that it is sent.
    pub fn id(&self) -> String {
        let hash = hex(&self.head.hash);
        format!("head_{}", hash.get(..32).unwrap_or_default())
    }

    /// A Standard Webhooks payload, and the content of the file as well.
    pub fn message(&self) -> String {
        json_text(&json!({
            "type": "audit.head",
            "timestamp": self.now.timestamp(),
            "data": {
                "format": FORMAT,
                "tenant": self.tenant,
                "date": self.now.date(),
                "seq": self.head.seq,
                "hash": hex(&self.head.hash),
            },
        }))
    }

    /// The body of the entry that says so.
    pub fn note(&self, to: Vec<String>) -> String {
        json_text(&json!({
            "date": self.now.date(),
            "seq": self.head.seq,
            "hash": hex(&self.head.hash),
            "to": to,
        }))
    }
}

/// Where the heads of a tenant are.
pub fn folder(tenant: &str) -> String {
    format!("heads/{}/", percent::encoded(tenant))
}

/// Who did not take a head is asked again soon, and then ever more seldom.
const SOONEST_MS: u64 = 5_000;
const LATEST_MS: u64 = 300_000;

/// A publication that has begun: the same head goes everywhere, however long that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub head: Head,
    pub at: Millis,
    /// Where it has come to.
    pub told: Vec<String>,
}

impl Pending {
    /// When it is to be tried again: after as long as it has taken so far.
    pub fn again(&self, now: Millis) -> Millis {
        now.plus(now.since(self.at).clamp(SOONEST_MS, LATEST_MS))
    }

    pub fn write(&self) -> String {
        json_text(&json!({"head": write_head(self.head), "at": self.at.0, "told": self.told.clone()}))
    }

    pub fn read(text: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(text).ok()?;
        let told = said.get("told")?.as_array()?.iter().filter_map(|place| place.as_str().map(str::to_owned));
        Some(Self { head: read_head(said.get("head")?.as_str()?)?, at: Millis(said.get("at")?.as_u64()?), told: told.collect() })
    }
}
