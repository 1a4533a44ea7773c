//! Changes that keep JSON whole: values swapped, replaced, left out, members renamed.

use serde_json::Value;

use crate::{arbitrary, random::Random};

/// Deeper than any reader goes down.
const DEEP: usize = 100;

/// Changes the body, or the data of one of its events.
pub fn change(input: &mut Vec<u8>, random: &mut Random) {
    let text = String::from_utf8_lossy(input).into_owned();
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        *input = changed(value, random).into_bytes();
        return;
    }
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let at = random.below(lines.len());
    let Some(line) = lines.get_mut(at) else { return };
    let Some(data) = line.trim_end().strip_prefix("data:") else { return };
    if let Ok(value) = serde_json::from_str::<Value>(data) {
        *line = format!("data: {}\n", changed(value, random));
        *input = lines.concat().into_bytes();
    }
}

fn changed(mut value: Value, random: &mut Random) -> String {
    let places = places(&value);
    let Some(place) = random.pick(&places).cloned() else { return value.to_string() };
    match random.below(6) {
        0 => {
            let other = random.pick(&places).and_then(|other| value.pointer(other)).cloned().unwrap_or_default();
            set(&mut value, &place, other);
        }
        1 => set(&mut value, &place, odd(random)),
        2 => remove(&mut value, &place),
        3 => {
            if let Some(Value::Array(items)) = value.pointer_mut(&place) {
                let again = random.pick(items).cloned();
                items.extend(again);
            }
        }
        4 => {
            if let Some(Value::Object(map)) = value.pointer_mut(&place) {
                map.insert(arbitrary::name(random), arbitrary::json_value(random, 2));
            }
        }
        _ => {
            if let Some(Value::String(text)) = value.pointer_mut(&place) {
                *text = arbitrary::text(random);
            }
        }
    }
    value.to_string()
}

/// Values that no reader hopes for.
fn odd(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => true.into(),
        2 => (-1).into(),
        3 => u64::MAX.into(),
        4 => 1.5.into(),
        5 => "".into(),
        6 => Value::Array(vec![]),
        7 => (0..random.below(DEEP)).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
        _ => arbitrary::json_value(random, 3),
    }
}

fn set(value: &mut Value, place: &str, other: Value) {
    if let Some(slot) = value.pointer_mut(place) {
        *slot = other;
    }
}

fn remove(value: &mut Value, place: &str) {
    let Some((holder, key)) = place.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(holder) {
        Some(Value::Object(map)) => drop(map.shift_remove(&key)),
        Some(Value::Array(items)) => {
            if let Ok(at) = key.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
    }
}

/// Pointers to all values.
fn places(value: &Value) -> Vec<String> {
    let (mut out, mut open) = (vec![], vec![(String::new(), value)]);
    while let Some((place, value)) = open.pop() {
        if let Value::Object(map) = value {
            open.extend(map.iter().map(|(key, value)| (format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), value)));
        } else if let Value::Array(items) = value {
            open.extend(items.iter().enumerate().map(|(at, value)| (format!("{place}/{at}"), value)));
        }
        out.push(place);
    }
    out
}
