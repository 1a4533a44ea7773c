//! Cache marks: which of too many to keep.

use serde_json::{Map, Value};

/// Beyond four marks Anthropic refuses the request. The first (tools, system) and the last (newest turns) save most.
const MAX_MARKS: usize = 4;

/// Takes marks from the middle until there are no more than Anthropic allows.
pub(super) fn limit(body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let mut marked = vec![];
    let (mut tools, mut system, mut messages) = (None, None, None);
    for (key, value) in body.iter_mut() {
        match key.as_str() {
            "tools" => tools = Some(value),
            "system" => system = Some(value),
            "messages" => messages = Some(value),
            _ => {}
        }
    }
    // The order of the cached prefix, which is not that of the body.
    tools.into_iter().for_each(|value| collect(value, "tools[].cache", &mut marked));
    system.into_iter().chain(messages).for_each(|value| collect(value, "messages[].parts[].cache", &mut marked));
    let surplus = marked.len().saturating_sub(MAX_MARKS);
    for (block, path) in marked.into_iter().skip(MAX_MARKS / 2).take(surplus) {
        block.shift_remove("cache_control");
        dropped.push(path.to_owned());
    }
}

fn collect<'a>(value: &'a mut Value, path: &'static str, marked: &mut Vec<(&'a mut Map<String, Value>, &'static str)>) {
    if let Value::Array(items) = value {
        for item in items {
            collect(item, path, marked);
        }
    } else if let Value::Object(map) = value {
        if map.contains_key("cache_control") {
            marked.push((map, path));
        } else if let Some(content) = map.get_mut("content") {
            collect(content, path, marked);
        }
    }
}
