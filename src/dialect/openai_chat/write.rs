//! A request for a provider, written.

use serde_json::{Map, Value};

use super::{
    write_messages::{Dropped, write_messages},
    write_tools,
};
use crate::{
    chat::{
        profile::{Profile, Thinking},
        request::{Effort, Format, Reasoning, Request, Role},
    },
    dialect::Translated,
    wire::{
        compose::{IntoJson, Members, json},
        json::json_text,
    },
};

/// OpenAI refuses more stop sequences.
const MAX_STOP: usize = 4;

/// Up to these many tokens of thought an effort is `low` or `medium`: the geometric middle between the budgets that the
/// three words are usually worth (1024, 4096, 16384).
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;

/// Asks for what a begun answer means, where the answer cannot be begun.
const GO_ON: &str = "Go on exactly where your last message ends, without repeating any of it.";

pub fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let (mut out, mut dropped) = (Map::new(), Dropped::default());
    put(&mut out, "model", request.model.as_str());
    let mut messages = write_messages(&request.messages, profile, &mut dropped);
    if !profile.prefill && request.messages.last().is_some_and(|last| last.role == Role::Assistant) {
        dropped.push("prefill");
        messages.push(json!({"role": "user", "content": GO_ON}));
    }
    if let Some(format) = &request.format {
        write_format(format, profile, &mut messages, &mut out, &mut dropped);
    }
    put(&mut out, "messages", messages);
    if request.stream {
        put(&mut out, "stream", true);
        put(&mut out, "stream_options", json!({"include_usage": true}));
    }
    write_tools::write(request, profile, &mut out, &mut dropped);
    write_sampling(request, profile, &mut out, &mut dropped);
    if !request.stop.is_empty() {
        let kept: Vec<&str> = request.stop.iter().take(MAX_STOP).map(String::as_str).collect();
        put(&mut out, "stop", kept);
    }
    if request.stop.len() > MAX_STOP {
        dropped.push("stop[]");
    }
    if let Some(reasoning) = &request.reasoning {
        write_reasoning(reasoning, profile.thinking, &mut out, &mut dropped);
    }
    // Thoughts come unasked in this dialect, and cannot be declined.
    if request.show_reasoning == Some(false) {
        dropped.push("show_reasoning");
    }
    write_wishes(request, &mut out);
    Translated { value: json_text(&Value::Object(out)), dropped: dropped.paths }
}

fn put(out: &mut Map<String, Value>, key: &str, value: impl IntoJson) {
    out.put(key, value);
}

fn write_sampling(request: &Request, profile: &Profile, out: &mut Map<String, Value>, dropped: &mut Dropped) {
    let limit = request.max_tokens.map(|limit| limit.min(profile.max_output.unwrap_or(limit)));
    if limit != request.max_tokens {
        dropped.push("max_tokens");
    }
    for (key, number, known) in [
        ("max_completion_tokens", limit.map(Into::into), true),
        ("temperature", request.temperature.clone(), profile.sampling),
        ("top_p", request.top_p.clone(), profile.sampling),
        ("presence_penalty", request.presence_penalty.clone(), true),
        ("frequency_penalty", request.frequency_penalty.clone(), true),
        ("seed", request.seed.clone(), true),
        // Many know it, OpenAI and the strict do not.
        ("top_k", request.top_k.clone(), false),
    ] {
        match number {
            Some(number) if known => put(out, key, Value::Number(number)),
            Some(_) => dropped.push(key),
            None => {}
        }
    }
}

/// What only says the default is left out: strict providers refuse members they do not know.
fn write_wishes(request: &Request, out: &mut Map<String, Value>) {
    if let Some(n) = request.n {
        put(out, "n", n);
    }
    if request.logprobs {
        put(out, "logprobs", true);
        if let Some(top) = request.top_logprobs {
            put(out, "top_logprobs", top);
        }
    }
    for (key, word, default) in [
        ("user", &request.user, ""),
        ("service_tier", &request.service_tier, "auto"),
        ("verbosity", &request.verbosity, "medium"),
        ("prompt_cache_key", &request.cache_key, ""),
    ] {
        if let Some(word) = word.as_deref().filter(|word| *word != default) {
            put(out, key, word);
        }
    }
    if request.store == Some(true) {
        put(out, "store", true);
    }
    if let Some(labels) = &request.metadata {
        put(out, "metadata", labels.clone());
    }
    if !request.modalities.is_empty() {
        put(out, "modalities", request.modalities.clone());
    }
    if request.modalities.iter().any(|word| word == "audio") {
        // Required, and named by no other dialect in the same words. Streams can only hold raw samples.
        let format = if request.stream { "pcm16" } else { "wav" };
        put(out, "audio", json!({"voice": "alloy", "format": format}));
    }
}

/// OpenAI requires a name of a schema; other dialects have none.
const DEFAULT_SCHEMA_NAME: &str = "answer";

fn write_format(
    format: &Format,
    profile: &Profile,
    messages: &mut Vec<Value>,
    out: &mut Map<String, Value>,
    dropped: &mut Dropped,
) {
    let written = match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { description, schema, .. } if !profile.json_schema => {
            dropped.push("format.schema");
            instruct(messages, description.as_deref(), schema);
            json!({"type": "json_object"})
        }
        Format::Schema { name, description, schema, strict } => {
            let mut out = Map::new();
            put(&mut out, "name", name.as_deref().unwrap_or(DEFAULT_SCHEMA_NAME));
            if let Some(description) = description {
                put(&mut out, "description", description.as_str());
            }
            put(&mut out, "schema", schema.clone());
            if let Some(strict) = strict {
                put(&mut out, "strict", *strict);
            }
            json!({"type": "json_schema", "json_schema": out})
        }
    };
    put(out, "response_format", written);
}

/// The schema as an instruction, in the system message that is there: templates refuse a second one.
fn instruct(messages: &mut Vec<Value>, description: Option<&str>, schema: &Value) {
    let about = description.map(|text| format!(" {text}")).unwrap_or_default();
    let text =
        format!("Answer with one JSON object that matches this JSON Schema, and nothing else.{about}\n{}", json_text(schema));
    let system = messages.first_mut().filter(|first| first.get("role").is_some_and(|role| role == "system"));
    match system.and_then(|first| first.get_mut("content")) {
        Some(Value::String(content)) => {
            content.push_str("\n\n");
            content.push_str(&text);
        }
        Some(Value::Array(parts)) => parts.push(json!({"type": "text", "text": text})),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            messages.insert(0, json!({"role": "system", "content": text}));
        }
    }
}

fn write_reasoning(reasoning: &Reasoning, how: Thinking, out: &mut Map<String, Value>, dropped: &mut Dropped) {
    let is_off = matches!(reasoning, Reasoning::Off | Reasoning::Budget(0));
    match how {
        Thinking::None if is_off => {}
        Thinking::None => dropped.push("reasoning"),
        Thinking::Switch => {
            put(out, "thinking", json!({"type": if is_off { "disabled" } else { "enabled" }}));
            if let (Reasoning::Effort(_), Some(word)) = (reasoning, write_effort(reasoning)) {
                put(out, "reasoning_effort", word);
            }
        }
        Thinking::Effort | Thinking::Budget => {
            if let Some(word) = write_effort(reasoning) {
                put(out, "reasoning_effort", word);
            }
        }
    }
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
        Reasoning::Adaptive => return None,
    })
}
