//! Counted tokens, both ways.

use serde_json::{Map, Value};

use crate::{
    chat::usage::{Service, Usage},
    units::Money,
    wire::compose::{Members, json},
};

/// Overwrites key by key: a later report of a stream repeats some counts, raises others and leaves some out.
pub(super) fn read(reported: &Value, usage: &mut Usage) {
    let set = |count: &mut u64, value: Option<u64>| *count = value.unwrap_or(*count);
    let count = |key: &str| reported.get(key).and_then(Value::as_u64);
    set(&mut usage.input, count("input_tokens"));
    set(&mut usage.cache_read, count("cache_read_input_tokens"));
    set(&mut usage.cache_write, count("cache_creation_input_tokens").or_else(|| cache_creation(reported)));
    let of = |holder: &str, key: &str| reported.get(holder)?.get(key)?.as_u64();
    set(&mut usage.cache_write_1h, of("cache_creation", "ephemeral_1h_input_tokens"));
    set(&mut usage.searches, of("server_tool_use", "web_search_requests"));
    set(&mut usage.output, count("output_tokens"));
    set(&mut usage.reasoning, of("output_tokens_details", "thinking_tokens"));
    usage.reasoning = usage.reasoning.min(usage.output);
    let tier = reported.get("service_tier").and_then(Value::as_str);
    usage.service = tier.map_or(usage.service, Service::read);
}

/// The cache writes where only their split by lifetime is told.
fn cache_creation(reported: &Value) -> Option<u64> {
    let split = reported.get("cache_creation")?.as_object()?;
    Some(split.values().filter_map(Value::as_u64).fold(0, u64::saturating_add))
}

/// The provider's own numbers after one more report.
pub(super) fn merge(reported: &Value, raw: &mut Option<Value>) {
    match (raw, reported) {
        (Some(Value::Object(raw)), Value::Object(more)) => {
            let said = more.iter().filter(|(_, value)| !value.is_null());
            raw.extend(said.map(|(key, value)| (key.clone(), value.clone())));
        }
        (raw, _) => *raw = Some(reported.clone()),
    }
}

/// The tier that served, in OpenAI's words.
pub(super) fn read_tier(reported: &Value) -> Option<String> {
    let tier = reported.get("service_tier")?.as_str()?;
    Some(if tier == "standard" { "default".to_owned() } else { tier.to_owned() })
}

pub(super) fn write(usage: &Usage, cost: Option<Money>) -> Map<String, Value> {
    let mut out = Map::new();
    out.put("input_tokens", usage.input);
    out.put("cache_creation_input_tokens", usage.cache_write);
    out.put("cache_read_input_tokens", usage.cache_read);
    out.put("output_tokens", usage.output);
    if usage.cache_write_1h > 0 {
        let hour = usage.cache_write_1h.min(usage.cache_write);
        let split = json!({"ephemeral_5m_input_tokens": usage.cache_write - hour, "ephemeral_1h_input_tokens": hour});
        out.put("cache_creation", split);
    }
    if usage.reasoning > 0 {
        out.put("output_tokens_details", json!({"thinking_tokens": usage.reasoning}));
    }
    if let Some(cost) = cost.and_then(|cost| serde_json::from_str::<Value>(&cost.dollars()).ok()) {
        out.put("cost", cost);
    }
    out
}

/// In Anthropic's words; a tier that it does not have is not named.
pub(super) fn write_tier(tier: Option<&str>) -> Option<&str> {
    match tier? {
        "default" | "standard" => Some("standard"),
        "priority" => Some("priority"),
        _ => None,
    }
}
