//! Requests, from chat to wire.

use serde_json::{Map, Number, Value};

use super::{messages::Messages, tools};
use crate::{
    chat::{
        profile::{self, Profile},
        request::{Effort, Format, Reasoning, Request},
    },
    dialect::{Translated, dropped::Dropped},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// What Cohere takes of each.
const MAX_STOPS: usize = 5;
const TOP_P: (f64, f64) = (0.01, 0.99);
const TOP_K: (f64, f64) = (0.0, 500.0);
const PENALTY: (f64, f64) = (0.0, 1.0);

pub(super) fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let mut dropped = Dropped::default();
    let mut body = Map::new();
    body.put("model", request.model.as_str());
    body.put("messages", Messages::write(&request.messages, profile, &mut dropped));
    if request.stream {
        body.put("stream", true);
    }
    tools::write(request, profile, &mut body, &mut dropped);
    format(request, profile, &mut body, &mut dropped);
    thinking(request, profile, &mut body, &mut dropped);
    sampling(request, profile, &mut body, &mut dropped);
    beside(request, &mut dropped);
    Translated { value: json_text(&Value::Object(body)), dropped: dropped.into_paths() }
}

fn format(request: &Request, profile: &Profile, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    let schema = match &request.format {
        None => return,
        Some(Format::Json) => None,
        Some(Format::Schema { schema, .. }) => Some(schema),
    };
    // Together with tools it is refused.
    if body.contains_key("tools") {
        return dropped.add("format");
    }
    let mut written = Map::new();
    written.put("type", "json_object");
    if profile.json_schema {
        written.extend(schema.map(|schema| ("json_schema".to_owned(), schema.clone())));
    } else {
        dropped.add_if(schema.is_some(), "format");
    }
    body.put("response_format", written);
}

fn thinking(request: &Request, profile: &Profile, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    dropped.add_if(request.show_reasoning == Some(false), "show_reasoning");
    let Some(asked) = &request.reasoning else { return };
    if profile.thinking == profile::Thinking::None {
        return dropped.add_if(*asked != Reasoning::Off, "reasoning");
    }
    let budget = match asked {
        Reasoning::Off | Reasoning::Budget(0) => {
            body.put("thinking", json!({"type": "disabled"}));
            return;
        }
        Reasoning::Budget(tokens) => Some(*tokens),
        Reasoning::Effort(effort) => budget(*effort),
        Reasoning::Adaptive => None,
    };
    let mut written = Map::new();
    written.put("type", "enabled");
    written.extend(budget.map(|tokens| ("token_budget".to_owned(), tokens.into())));
    body.put("thinking", written);
}

/// Unlimited, as Cohere's default is, from `high`.
const fn budget(effort: Effort) -> Option<u64> {
    match effort {
        Effort::Minimal | Effort::Low => Some(1024),
        Effort::Medium => Some(4096),
        Effort::High | Effort::XHigh | Effort::Max => None,
    }
}

fn sampling(request: &Request, profile: &Profile, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    let most = profile.max_output.unwrap_or(u64::MAX);
    let limit = request.max_tokens.map(|limit| limit.min(most));
    dropped.add_if(limit != request.max_tokens, "max_tokens");
    body.extend(limit.map(|limit| ("max_tokens".to_owned(), limit.into())));
    for (path, key, value, range) in [
        ("temperature", "temperature", &request.temperature, (0.0, f64::INFINITY)),
        ("top_p", "p", &request.top_p, TOP_P),
        ("top_k", "k", &request.top_k, TOP_K),
    ] {
        let Some(value) = value else { continue };
        let taken = profile.sampling.then(|| clamped(value, range));
        dropped.add_if(taken.as_ref() != Some(value), path);
        body.extend(taken.map(|taken| (key.to_owned(), Value::Number(taken))));
    }
    for (key, value) in [("presence_penalty", &request.presence_penalty), ("frequency_penalty", &request.frequency_penalty)] {
        let Some(value) = value else { continue };
        let taken = clamped(value, PENALTY);
        dropped.add_if(taken != *value, key);
        body.put(key, taken);
    }
    if let Some(seed) = &request.seed {
        // Refused below 0.
        let fits = seed.is_u64();
        dropped.add_if(!fits, "seed");
        body.extend(fits.then(|| ("seed".to_owned(), Value::Number(seed.clone()))));
    }
    dropped.add_if(request.stop.len() > MAX_STOPS, "stop");
    if !request.stop.is_empty() {
        let stops: Vec<&String> = request.stop.iter().take(MAX_STOPS).collect();
        body.put("stop_sequences", json!(stops));
    }
    if request.logprobs {
        body.put("logprobs", true);
    }
}

/// The number itself where it is within.
fn clamped(value: &Number, (least, most): (f64, f64)) -> Number {
    let clamped = value.as_f64().filter(|value| *value < least || *value > most).map(|value| value.clamp(least, most));
    let whole = |value: f64| if value.fract() == 0.0 { format!("{value:.0}").parse().ok() } else { None };
    clamped
        .and_then(|value| whole(value).map(|value: i64| Number::from(value)).or_else(|| Number::from_f64(value)))
        .unwrap_or_else(|| value.clone())
}

fn beside(request: &Request, dropped: &mut Dropped) {
    let said = |text: &Option<String>, default: &str| text.as_deref().is_some_and(|text| text != default);
    for (is_lost, path) in [
        (request.user.is_some(), "user"),
        (request.n.is_some_and(|n| n > 1), "n"),
        (request.top_logprobs.is_some_and(|top| top > 0), "top_logprobs"),
        (said(&request.service_tier, "auto") && said(&request.service_tier, "default"), "service_tier"),
        (said(&request.verbosity, "medium"), "verbosity"),
        (request.store == Some(true), "store"),
        (request.metadata.is_some(), "metadata"),
        (request.cache_key.is_some(), "cache_key"),
        (request.modalities.iter().any(|kind| kind != "text"), "modalities"),
    ] {
        dropped.add_if(is_lost, path);
    }
}
