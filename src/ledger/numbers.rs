//! A provider's own report of usage, as far as it counts.

use serde_json::{Map, Value};

/// Members in one report: the longest seen has two dozen.
const MAX_MEMBERS: usize = 64;
/// Objects within objects: the deepest seen has two.
const MAX_DEPTH: usize = 4;

/// Only what is a number, by its path: a word of a provider may be anything, and records hold no content.
pub fn of(raw: &Value) -> Option<Value> {
    let mut left = MAX_MEMBERS;
    let kept = kept(raw.as_object()?, MAX_DEPTH, &mut left);
    (!kept.is_empty()).then_some(Value::Object(kept))
}

fn kept(object: &Map<String, Value>, depth: usize, left: &mut usize) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in object {
        if *left == 0 || depth == 0 {
            break;
        }
        let number = match value.as_object() {
            Some(inner) => Some(kept(inner, depth - 1, left)).filter(|inner| !inner.is_empty()).map(Value::Object),
            None => Some(value.clone()).filter(Value::is_number),
        };
        if let Some(number) = number.filter(|_| is_word(key)) {
            *left = left.saturating_sub(1);
            out.insert(key.clone(), number);
        }
    }
    out
}

/// Longer keys are no names of counts.
const MAX_KEY: usize = 48;

fn is_word(key: &str) -> bool {
    key.len() <= MAX_KEY && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
