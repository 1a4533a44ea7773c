//! Bodies of this dialect whose history holds what their target refuses: thoughts and extras of other providers' answers.
//!
//! A route may answer one turn from elsewhere and the next from a provider that knows OpenAI's members only.

use serde_json::{Map, Value};

use crate::{
    chat::profile::{History, Profile},
    wire::{
        compose::Members,
        json::{Edit, Outline, json_text, names_any},
    },
};

/// What answers add to a message beside OpenAI's members. OpenRouter's word for thoughts goes by the other name too.
const EXTRAS: [&str; 4] = ["reasoning", "reasoning_details", "images", "annotations"];
const THOUGHTS: &str = "reasoning_content";
/// What they add to a call.
const BESIDE_CALL: &str = "extra_content";
const SUSPECT: [&str; 6] = ["reasoning", "reasoning_details", "images", "annotations", THOUGHTS, BESIDE_CALL];

pub fn repairs(body: &Outline<'_>, profile: &Profile) -> Vec<Edit> {
    if profile.history == History::Details {
        return vec![];
    }
    let Some(text) = body.get("messages").filter(|text| is_suspect(text)) else { return vec![] };
    let Ok(Value::Array(mut messages)) = serde_json::from_str(text) else { return vec![] };
    let mut changed = false;
    for message in messages.iter_mut().filter_map(Value::as_object_mut) {
        if message.get("role").is_some_and(|role| role == "assistant") {
            changed |= repair(message, profile.history == History::Bare);
        }
    }
    if changed { vec![Edit::Set("messages".into(), json_text(&Value::Array(messages)))] } else { vec![] }
}

/// Cheap, for it looks at every body: no parsing unless one of the names is there. Inside a text quotes are escaped.
fn is_suspect(text: &str) -> bool {
    names_any(text, &SUSPECT)
}

fn repair(message: &mut Map<String, Value>, bare: bool) -> bool {
    let mut changed = false;
    for name in EXTRAS {
        let Some(found) = message.shift_remove(name) else { continue };
        changed = true;
        if name == "reasoning" && !bare && found.is_string() && !message.contains_key(THOUGHTS) {
            message.put(THOUGHTS, found);
        }
    }
    changed |= bare && message.shift_remove(THOUGHTS).is_some();
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
        changed |= call.shift_remove(BESIDE_CALL).is_some();
    }
    changed
}
