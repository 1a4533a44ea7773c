//! An answer as it is stored, before it is sealed: a line of JSON, and the bytes that the caller was sent.

use serde_json::{Map, Value};

use crate::{
    chat::usage::Usage,
    units::Millis,
    wire::{compose::Members, fields::Fields, json::json_text},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub provider: String,
    pub model: String,
    /// The model as the provider named it.
    pub answered_by: Option<String>,
    pub content_type: String,
    /// Its tokens, as the provider counted them. What else it was paid for is no matter: nobody pays again.
    pub usage: Option<Usage>,
    pub estimated: bool,
    /// When it is too old; KV forgets some time after that.
    pub until: Millis,
    pub body: Vec<u8>,
}

const COUNTS: [&str; 5] = ["input", "cache_read", "cache_write", "output", "reasoning"];

impl Stored {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = Map::new();
        head.put("provider", &self.provider);
        head.put("model", &self.model);
        head.put("answered_by", self.answered_by.as_deref());
        head.put("content_type", &self.content_type);
        head.put("estimated", self.estimated);
        head.put("until", self.until.0);
        if let Some(Usage { input, cache_read, cache_write, output, reasoning, .. }) = self.usage {
            let mut usage = Map::new();
            for (key, count) in COUNTS.into_iter().zip([input, cache_read, cache_write, output, reasoning]) {
                usage.put(key, count);
            }
            head.put("usage", usage);
        }
        let mut out = json_text(&Value::Object(head)).into_bytes();
        out.push(b'\n');
        out.extend_from_slice(&self.body);
        out
    }

    /// The same back; `None` for what is too old or was not written by this code.
    pub fn read(bytes: &[u8], now: Millis) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let mut head = Fields::read(serde_json::from_slice(bytes.get(..end)?).ok()?, "").ok()?;
        let usage = match head.take_fields("usage").ok()? {
            None => None,
            Some(mut counts) => {
                let mut read = COUNTS.map(|key| counts.take_u64(key).ok().flatten()).into_iter();
                let mut next = || read.next().flatten();
                let [input, cache_read, cache_write] = [next()?, next()?, next()?];
                Some(Usage { input, cache_read, cache_write, output: next()?, reasoning: next()?, ..Usage::default() })
            }
        };
        let stored = Self {
            provider: head.need_str("provider").ok()?,
            model: head.need_str("model").ok()?,
            answered_by: head.take_str("answered_by").ok()?,
            content_type: head.need_str("content_type").ok()?,
            usage,
            estimated: head.take_bool("estimated").ok()??,
            until: Millis(head.take_u64("until").ok()??),
            body: bytes.get(end + 1..)?.to_vec(),
        };
        Some(stored).filter(|stored| now < stored.until)
    }
}
