//! Requests, from chat to wire.

use serde_json::{Map, Value};

use super::{
    block, format,
    settings::{self, Thinking},
    tools,
    turns::Turns,
};
use crate::{
    chat::{
        profile::Profile,
        request::{Message, Part, Request, Role},
    },
    dialect::{Translated, dropped::Dropped},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// Beyond four marks the request is refused. The first (tools, system) and the last (newest turns) save most.
const MAX_MARKS: usize = 4;

pub(super) fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let mut dropped = Dropped::default();
    let leading = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (first, rest) = request.messages.split_at_checked(leading).unwrap_or_default();
    let mut system = system_blocks(first, &mut dropped);
    let mut turns = Turns::write(rest, &mut dropped);
    if !profile.prefill && turns.is_prefilled() {
        turns.forget_prefill();
        dropped.add("messages[]");
    }
    let thinking = Thinking::of(request, profile, &turns, &mut dropped);
    if !thinking.is_on() {
        turns.forget_last_thoughts();
    }
    let answer = format::of(request, profile, thinking.is_on(), &mut dropped);
    if let Some(told) = &answer.told {
        system.push(json!({"text": told}));
    }
    let tools = tools::write(request, &answer, turns.called(), &mut dropped);
    let mut body = Map::new();
    if turns.is_empty() {
        // At least one turn is required: instructions alone are what the user says.
        body.put("messages", if system.is_empty() { json!([]) } else { json!([{"role": "user", "content": system}]) });
    } else {
        body.put("messages", turns.into_value());
        if !system.is_empty() {
            body.put("system", system);
        }
    }
    if let Some(tools) = tools {
        body.put("toolConfig", tools);
    }
    let mut output = Map::new();
    output.extend(answer.text_format.map(|format| ("textFormat".to_owned(), format)));
    output.extend(thinking.effort().map(|effort| ("effort".to_owned(), effort.into())));
    if !output.is_empty() {
        body.put("outputConfig", output);
    }
    settings::write(request, profile, thinking, &mut body, &mut dropped);
    limit_marks(&mut body, &mut dropped);
    Translated { value: json_text(&Value::Object(body)), dropped: dropped.into_paths() }
}

fn system_blocks(messages: &[Message], dropped: &mut Dropped) -> Vec<Value> {
    let mut blocks = vec![];
    for part in messages.iter().flat_map(|message| &message.parts) {
        let Part::Text { text, cache, .. } = part else {
            dropped.add("messages[].parts[]");
            continue;
        };
        if let Some(written) = block::text(text) {
            blocks.push(written);
            blocks.extend(cache.as_ref().map(block::cache_point));
        }
    }
    blocks
}

/// Takes cache marks from the middle until there are no more than are allowed. Tools come first in the cached prefix,
/// turns last.
fn limit_marks(body: &mut Map<String, Value>, dropped: &mut Dropped) {
    let places = ["/toolConfig/tools", "/system", "/messages"];
    let mut body_value = Value::Object(std::mem::take(body));
    let count = places.iter().filter_map(|place| body_value.pointer(place)).map(count_marks).sum::<usize>();
    let surplus = count.saturating_sub(MAX_MARKS);
    dropped.add_if(surplus > 0, "messages[].parts[].cache");
    let mut seen = 0;
    for place in places {
        if let Some(value) = body_value.pointer_mut(place) {
            keep_marks(value, surplus, &mut seen);
        }
    }
    if let Value::Object(whole) = body_value {
        *body = whole;
    }
}

fn is_mark(value: &Value) -> bool {
    value.get("cachePoint").is_some()
}

fn count_marks(value: &Value) -> usize {
    let Some(items) = value.as_array() else { return 0 };
    items.iter().map(|item| usize::from(is_mark(item)) + item.get("content").map_or(0, count_marks)).sum()
}

fn keep_marks(value: &mut Value, surplus: usize, seen: &mut usize) {
    let Value::Array(items) = value else { return };
    items.retain_mut(|item| {
        if !is_mark(item) {
            if let Some(content) = item.get_mut("content") {
                keep_marks(content, surplus, seen);
            }
            return true;
        }
        *seen += 1;
        *seen <= MAX_MARKS / 2 || *seen > MAX_MARKS / 2 + surplus
    });
}
