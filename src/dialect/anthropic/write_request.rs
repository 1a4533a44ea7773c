//! Requests, from chat to wire.

use serde_json::{Map, Value};

use super::{
    answer::{self, Answer},
    marks,
    thinking::Thinking,
    write_block::{self as block, Blocks},
    write_settings,
    write_tools::{tool_choice, tools},
    write_turns::Turns,
};
use crate::{
    chat::{
        profile::Profile,
        request::{Format, Message, Part, Request, Role},
    },
    dialect::{Translated, dropped::tidy},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

pub(super) fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let mut dropped = vec![];
    let leading = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (first, rest) = request.messages.split_at_checked(leading).unwrap_or_default();
    let mut turns = Turns::write(rest, profile, &mut dropped);
    // An answer that is held to a schema is not taken either once it is begun.
    let takes_prefill = profile.prefill && !matches!(request.format, Some(Format::Schema { .. }));
    if !takes_prefill && turns.forget_prefill() {
        dropped.push("messages[]".to_owned());
    }
    let thinking = Thinking::of(request, profile, &turns, &mut dropped);
    let (thinking, max_tokens) = thinking.within(request, profile, &mut dropped);
    if !thinking.is_on() {
        turns.forget_last_thoughts();
    }
    let answer = answer::of(request, profile, thinking, &mut dropped);
    let mut system = system_blocks(first, &mut dropped);
    if let Answer::Told(how) = &answer {
        system.push(json!({"type": "text", "text": how}));
    }
    let mut body = Map::new();
    body.put("model", request.model.as_str());
    body.put("max_tokens", max_tokens);
    converse(turns, system, &mut body);
    let mut tools = tools(request, profile, &mut dropped);
    let choice = match &answer {
        Answer::Tool(_) => Some(answer::choice(request)),
        Answer::Free | Answer::Enforced(_) | Answer::Told(_) if tools.is_empty() => None,
        Answer::Free | Answer::Enforced(_) | Answer::Told(_) => tool_choice(request, profile, thinking, &mut dropped),
    };
    if let Some(choice) = choice {
        body.put("tool_choice", choice);
    }
    let mut output = Map::new();
    if let Some(effort) = thinking.effort() {
        output.put("effort", effort);
    }
    match answer {
        Answer::Enforced(schema) => {
            output.put("format", json!({"type": "json_schema", "schema": schema}));
        }
        Answer::Tool(tool) => tools.push(tool),
        Answer::Free | Answer::Told(_) => {}
    }
    if !tools.is_empty() {
        body.put("tools", tools);
    }
    if let Some(thinking) = thinking.write(request.show_reasoning, &mut dropped) {
        body.put("thinking", thinking);
    }
    if !output.is_empty() {
        body.put("output_config", output);
    }
    if request.stream {
        body.put("stream", true);
    }
    write_settings::write(request, profile, thinking, &mut body, &mut dropped);
    marks::limit(&mut body, &mut dropped);
    Translated { value: json_text(&Value::Object(body)), dropped: tidy(&dropped) }
}

fn converse(turns: Turns, system: Vec<Value>, body: &mut Map<String, Value>) {
    if turns.is_empty() {
        // At least one turn is required: instructions alone are what the user says.
        body.put("messages", if system.is_empty() { json!([]) } else { json!([{"role": "user", "content": system}]) });
    } else {
        if let Some(system) = joined(system) {
            body.put("system", system);
        }
        body.put("messages", turns.into_value());
    }
}

fn system_blocks(messages: &[Message], dropped: &mut Vec<String>) -> Vec<Value> {
    let (mut blocks, mut writer) = (vec![], Blocks { image_urls: false, dropped });
    for part in messages.iter().flat_map(|message| &message.parts) {
        match part {
            Part::Text { text, cache, .. } => blocks.extend(writer.text(text, cache.as_ref())),
            Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::Reasoning { .. }
            | Part::RedactedReasoning { .. }
            | Part::Refusal { .. }
            | Part::ToolCall(_)
            | Part::ToolResult(_)
            | Part::Opaque { .. } => writer.dropped.push(block::path(part)),
        }
    }
    blocks
}

/// One plain block is a string.
fn joined(mut blocks: Vec<Value>) -> Option<Value> {
    match blocks.as_mut_slice() {
        [] => None,
        [Value::Object(only)] if !only.contains_key("cache_control") => only.get_mut("text").map(Value::take),
        _ => Some(Value::Array(blocks)),
    }
}
