//! A caller's conversation with more turns at its end.

use serde_json::Value;

use crate::{
    chat::event::Stamp,
    wire::{
        compose::json,
        json::{Edit, Outline, json_text},
        sse::Frame,
    },
};

/// The turns as most dialects write them: a role and its words.
pub(super) fn turns(said: &str, then: Option<&str>) -> Vec<Value> {
    let then = then.map(|then| json!({"role": "user", "content": then}));
    std::iter::once(json!({"role": "assistant", "content": said})).chain(then).collect()
}

/// Sets a member that is an array, with more items at its end.
pub(super) fn appended(body: &Outline<'_>, key: &'static str, more: &[Value]) -> Option<Edit> {
    let list = body.get(key)?.trim().strip_prefix('[')?.strip_suffix(']')?.trim_end();
    let mut text = format!("[{list}");
    for item in more {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&json_text(item));
    }
    text.push(']');
    Some(Edit::Set(key.into(), text))
}

/// Takes over what a chunk of OpenAI's says of the whole answer; false for one that says nothing.
pub(super) fn adopt(stamp: &mut Stamp, frame: &Frame<'_>) -> bool {
    let chunk = frame.data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok());
    let word = |key: &str| chunk.as_ref()?.get(key)?.as_str().filter(|word| !word.is_empty());
    let Some(id) = word("id") else { return false };
    id.clone_into(&mut stamp.id);
    if let Some(model) = word("model") {
        model.clone_into(&mut stamp.model);
    }
    let created = chunk.as_ref().and_then(|chunk| chunk.get("created")?.as_u64());
    stamp.created = created.unwrap_or(stamp.created);
    true
}
