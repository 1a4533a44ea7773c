//! Bodies of this dialect whose history was partly written by other providers.
//!
//! Google refuses signatures that are not its own. They and the thoughts they are of are taken out; a call keeps its place
//! with the stand-in where the model asks for one.

use std::borrow::Cow;

use serde_json::Value;

use super::{seal, thinking};
use crate::wire::{
    compose::Members,
    json::{Edit, Outline, json_text},
};

pub(super) fn repairs(body: &Outline<'_>, model: &str) -> Vec<Edit> {
    // Cheap, for it looks at every body: no parsing unless one of our marks is there.
    let Some(text) = body.get("contents").filter(|text| text.contains(seal::SEALED)) else { return vec![] };
    let Ok(Value::Array(mut contents)) = serde_json::from_str(text) else { return vec![] };
    let stand_in = thinking::needs_signatures(model);
    let parts = |content: &Value| content.get("parts").and_then(Value::as_array).is_some_and(Vec::is_empty);
    for content in &mut contents {
        let Some(Value::Array(all)) = content.get_mut("parts") else { continue };
        all.retain_mut(|part| keep(part, stand_in));
    }
    contents.retain(|content| !parts(content));
    vec![Edit::Set(Cow::Borrowed("contents"), json_text(&Value::Array(contents)))]
}

fn keep(part: &mut Value, stand_in: bool) -> bool {
    let Value::Object(fields) = part else { return true };
    let is_sealed = |key: &&str| fields.get(*key).and_then(Value::as_str).is_some_and(|text| text.starts_with(seal::SEALED));
    let Some(key) = ["thoughtSignature", "thought_signature"].into_iter().find(is_sealed) else { return true };
    if stand_in && ["functionCall", "function_call"].iter().any(|call| fields.contains_key(*call)) {
        fields.put(key, seal::STAND_IN);
        return true;
    }
    fields.shift_remove(key);
    let is_thought = fields.get("thought") == Some(&Value::Bool(true));
    let is_empty = fields.get("text").and_then(Value::as_str) == Some("");
    !(is_thought || is_empty)
}
