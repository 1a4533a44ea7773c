//! What was written through the admin API of late, and holds before KV shows it everywhere.
//!
//! Each region's health object keeps it, and its isolates hear of it within seconds. By what a text replaced, and not by
//! any time, it is told whether KV still lags behind or somebody has edited it since.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    sorted::SortedMap,
    units::Millis,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// Bytes of a digest: it tells a handful of texts apart, and nobody gains by making two alike.
const DIGEST_BYTES: usize = 8;
/// The digest of what is not there.
const ABSENT: &str = "absent";
/// Texts that one is known to have replaced. KV takes a write a second of one name, and shows a minute's.
const MAX_REPLACED: usize = 64;
/// For so long it is kept at least: KV speaks of a minute, and of more at times.
pub const SETTLED_MS: u64 = 3_600_000;

/// A text's digest, for `ETag` too.
pub fn digest_of(text: Option<&str>) -> String {
    let Some(text) = text else { return ABSENT.to_owned() };
    Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// One name of KV, and what was written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    /// `None`: deleted.
    pub text: Option<String>,
    /// Digests of what KV may still show.
    replaced: Vec<String>,
    at: Millis,
    /// Given by the object, and rising; 0 in the isolate that wrote it, until it hears of it again.
    pub number: u64,
}

impl Item {
    pub fn new(name: impl Into<String>, text: Option<String>, was: Option<&str>, at: Millis) -> Self {
        Self { name: name.into(), text, replaced: vec![digest_of(was)], at, number: 0 }
    }

    /// With all that `earlier` had replaced, and with what it was itself.
    #[must_use]
    pub fn after(mut self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        // The latest first: those are kept.
        for digest in [digest_of(earlier.text.as_deref())].into_iter().chain(earlier.replaced) {
            if !self.replaced.contains(&digest) && self.replaced.len() < MAX_REPLACED {
                self.replaced.push(digest);
            }
        }
        self
    }

    /// Whether KV shows what this replaced.
    fn is_behind(&self, shown: Option<&str>) -> bool {
        shown != self.text.as_deref() && self.replaced.contains(&digest_of(shown))
    }

    /// Whether it has done its work: long ago, and KV shows it or something later.
    pub fn is_settled(&self, shown: Option<&str>, now: Millis) -> bool {
        now.since(self.at) >= SETTLED_MS && !self.is_behind(shown)
    }

    pub fn is_old(&self, now: Millis) -> bool {
        now.since(self.at) >= SETTLED_MS
    }

    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().and_then(Self::of)
    }

    fn of(value: Value) -> Option<Self> {
        let Value::Object(mut map) = value else { return None };
        let number = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_u64);
        let text = |value: Value| value.as_str().map(str::to_owned);
        Some(Self {
            at: Millis(number(&map, "at")?),
            number: number(&map, "number").unwrap_or(0),
            name: map.swap_remove("name").and_then(text)?,
            text: map.swap_remove("text").and_then(text),
            replaced: map.swap_remove("replaced")?.as_array()?.iter().cloned().filter_map(text).collect(),
        })
    }

    /// As one JSON text.
    pub fn write(&self) -> String {
        let replaced: Vec<Value> = self.replaced.iter().map(|digest| Value::from(digest.as_str())).collect();
        let mut out = Map::new();
        out.put("name", &self.name);
        out.put("text", self.text.as_deref());
        out.put("replaced", replaced);
        out.put("at", self.at.0);
        out.put("number", self.number);
        json_text(&Value::Object(out))
    }
}

/// Items that come in one message.
pub fn read_items(text: &str) -> Vec<Item> {
    let items: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    items.into_iter().filter_map(Item::of).collect()
}

/// What the object answers to an isolate that has heard of all up to some number: what is new since, and the numbers of
/// all that still holds.
pub fn answer(number: u64, kept: &str, items: &str) -> String {
    format!("{{\"number\":{number},\"kept\":[{kept}],\"items\":[{items}]}}")
}

/// What one isolate has heard.
#[derive(Debug, Default)]
pub struct News {
    items: SortedMap<String, Item>,
    number: u64,
}

impl News {
    /// Of the last news it has heard of.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// What this isolate has written itself.
    pub fn take(&mut self, item: Item) {
        let earlier = self.items.remove(&item.name);
        self.items.insert(item.name.clone(), item.after(earlier));
    }

    /// Takes the object's answer in. The names of what changed.
    pub fn learn(&mut self, answer: &str, now: Millis) -> Vec<String> {
        let Ok(Value::Object(mut answer)) = serde_json::from_str(answer) else { return vec![] };
        let kept = answer.swap_remove("kept").unwrap_or_default();
        let kept: Vec<u64> = kept.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let Some(Value::Array(items)) = answer.swap_remove("items") else { return vec![] };
        self.number = answer.get("number").and_then(Value::as_u64).unwrap_or(0);
        let mut changed = vec![];
        for item in items.into_iter().filter_map(Item::of) {
            // Its own, come back, is no news; but it has a number now.
            if self.items.get(&item.name).is_none_or(|known| known.text != item.text) {
                changed.push(item.name.clone());
            }
            self.items.insert(item.name.clone(), item);
        }
        self.items.retain(|_, item| kept.contains(&item.number) || (item.number == 0 && !item.is_old(now)));
        changed
    }

    /// What holds under a name for which KV shows this.
    pub fn over(&self, name: &str, shown: Option<String>) -> Option<String> {
        match self.items.get(name) {
            Some(item) if item.is_behind(shown.as_deref()) => item.text.clone(),
            Some(_) | None => shown,
        }
    }

    /// What was written under a name, when anything was: `Some(None)` where it was deleted.
    pub fn text(&self, name: &str) -> Option<Option<String>> {
        self.items.get(name).map(|item| item.text.clone())
    }
}

/// For the operator: what a write came to.
pub fn told(regions: &[(&'static str, Option<String>)]) -> Value {
    let untold: Vec<&str> = regions.iter().filter(|(_, answer)| answer.is_none()).map(|(region, _)| *region).collect();
    json!({"within_ms": 5_000, "not_told": untold})
}
