//! A request to a provider, written.

use serde_json::{Map, Value};

use super::{lose, tools, write_items};
use crate::{
    chat::{
        profile::{Profile, Thinking},
        request::{Effort, Format, Reasoning, Request, ToolChoice},
    },
    dialect::Translated,
    wire::{
        compose::{IntoJson, Members, json},
        json::json_text,
    },
};

/// OpenAI refuses a lower limit.
const MIN_OUTPUT: u64 = 16;

/// Up to these many tokens of thought an effort is `low` or `medium`: the geometric middle between the budgets that the
/// three words are usually worth (1024, 4096, 16384).
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;

/// OpenAI requires a name of a schema; other dialects have none.
const DEFAULT_SCHEMA_NAME: &str = "answer";

pub(super) fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let (mut out, mut dropped) = (Map::new(), vec![]);
    put(&mut out, "model", request.model.as_str());
    let (instructions, input) = write_items::write(request, profile, &mut dropped);
    if let Some(instructions) = instructions {
        put(&mut out, "instructions", instructions);
    }
    put(&mut out, "input", input);
    if request.stream {
        put(&mut out, "stream", true);
    }
    write_tools(request, profile, &mut out, &mut dropped);
    write_limits(request, profile, &mut out, &mut dropped);
    write_text(request, profile, &mut out, &mut dropped);
    let thinks = write_reasoning(request, profile, &mut out, &mut dropped);
    let wanted = [
        ("reasoning.encrypted_content", thinks),
        ("message.output_text.logprobs", request.logprobs || request.top_logprobs.is_some()),
    ];
    let include: Vec<&str> = wanted.iter().filter(|(_, wanted)| *wanted).map(|(name, _)| *name).collect();
    if !include.is_empty() {
        put(&mut out, "include", include);
    }
    if let Some(count) = request.top_logprobs {
        put(&mut out, "top_logprobs", count);
    }
    // What is translated must not depend on what a provider keeps.
    put(&mut out, "store", request.store.unwrap_or(false));
    for (key, word) in
        [("service_tier", &request.service_tier), ("prompt_cache_key", &request.cache_key), ("user", &request.user)]
    {
        if let Some(word) = word {
            put(&mut out, key, word.as_str());
        }
    }
    if let Some(metadata) = &request.metadata {
        put(&mut out, "metadata", metadata.clone());
    }
    unsaid(request, &mut dropped);
    Translated { value: json_text(&Value::Object(out)), dropped }
}

fn put(out: &mut Map<String, Value>, key: &str, value: impl IntoJson) {
    out.put(key, value);
}

/// What this dialect has no word for.
fn unsaid(request: &Request, dropped: &mut Vec<String>) {
    let says_more = |number: &Option<serde_json::Number>| number.as_ref().is_some_and(|n| n.as_f64() != Some(0.0));
    for (path, is_lost) in [
        ("top_k", request.top_k.is_some()),
        ("presence_penalty", says_more(&request.presence_penalty)),
        ("frequency_penalty", says_more(&request.frequency_penalty)),
        ("seed", request.seed.is_some()),
        ("stop", !request.stop.is_empty()),
        ("n", request.n.is_some_and(|n| n > 1)),
        ("modalities", request.modalities.iter().any(|kind| kind != "text")),
    ] {
        if is_lost {
            lose(dropped, path);
        }
    }
}

/// Without tools OpenAI refuses the members that speak about them.
fn write_tools(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let tools = tools::write(&request.tools, profile.custom_tools, dropped);
    if tools.is_empty() {
        return;
    }
    put(out, "tools", tools);
    if let Some(choice) = &request.tool_choice {
        let forces = match choice {
            ToolChoice::Auto | ToolChoice::None => false,
            ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Among { .. } => true,
        };
        if forces && !profile.tool_choice {
            lose(dropped, "tool_choice");
        } else {
            put(out, "tool_choice", tools::write_choice(choice, &request.tools, profile.custom_tools));
        }
    }
    if let Some(parallel) = request.parallel_tool_calls {
        put(out, "parallel_tool_calls", parallel);
    }
}

fn write_limits(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    if let Some(limit) = request.max_tokens {
        let fitting = limit.max(MIN_OUTPUT).min(profile.max_output.unwrap_or(u64::MAX));
        if fitting != limit {
            lose(dropped, "max_tokens");
        }
        put(out, "max_output_tokens", fitting);
    }
    for (key, number) in [("temperature", &request.temperature), ("top_p", &request.top_p)] {
        match number {
            Some(number) if profile.sampling => put(out, key, number.clone()),
            Some(_) => lose(dropped, key),
            None => {}
        }
    }
}

fn write_text(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let mut text = Map::new();
    match &request.format {
        Some(Format::Schema { .. }) if !profile.json_schema => {
            lose(dropped, "format.schema");
            put(&mut text, "format", json!({"type": "json_object"}));
        }
        Some(format) => put(&mut text, "format", write_format(format)),
        None => {}
    }
    if let Some(verbosity) = &request.verbosity {
        put(&mut text, "verbosity", verbosity.as_str());
    }
    if !text.is_empty() {
        put(out, "text", text);
    }
}

fn write_format(format: &Format) -> Value {
    match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let mut out = json!({"type": "json_schema", "name": name.as_deref().unwrap_or(DEFAULT_SCHEMA_NAME)});
            if let Some(description) = description {
                out["description"] = description.as_str().into();
            }
            out["schema"] = schema.clone();
            if let Some(strict) = strict {
                out["strict"] = (*strict).into();
            }
            out
        }
    }
}

/// Whether thoughts can come back: models that do not think refuse to encrypt any.
fn write_reasoning(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Vec<String>) -> bool {
    if profile.thinking == Thinking::None {
        if request.reasoning.as_ref().is_some_and(|reasoning| !matches!(reasoning, Reasoning::Off | Reasoning::Budget(0))) {
            lose(dropped, "reasoning");
        }
        return false;
    }
    let effort = request.reasoning.as_ref().and_then(write_effort);
    let mut reasoning = Map::new();
    if let Some(effort) = effort {
        put(&mut reasoning, "effort", effort);
    }
    if request.show_reasoning == Some(true) {
        put(&mut reasoning, "summary", "auto");
    }
    if !reasoning.is_empty() {
        put(out, "reasoning", reasoning);
    }
    effort != Some("none")
}

const fn write_effort(reasoning: &Reasoning) -> Option<&'static str> {
    Some(match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => "none",
        Reasoning::Effort(Effort::Minimal) => "minimal",
        Reasoning::Effort(Effort::Low) | Reasoning::Budget(..=LOW_BUDGET) => "low",
        Reasoning::Effort(Effort::Medium) | Reasoning::Budget(..=MEDIUM_BUDGET) => "medium",
        Reasoning::Effort(Effort::High) | Reasoning::Budget(_) => "high",
        Reasoning::Effort(Effort::XHigh) => "xhigh",
        Reasoning::Effort(Effort::Max) => "max",
        // As much as the model finds right is what OpenAI's do unasked.
        Reasoning::Adaptive => return None,
    })
}
