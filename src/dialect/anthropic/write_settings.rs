//! Numbers, names and the rest of a request, from chat to wire.

use serde_json::{Map, Number, Value};

use super::thinking::Thinking;
use crate::{
    chat::{profile::Profile, request::Request},
    wire::compose::{Members, json},
};

/// The longest `user_id` that Anthropic takes.
const MAX_USER_ID: usize = 512;
/// With thinking on, Anthropic takes a `top_p` from here to 1.
const MIN_THINKING_TOP_P: f64 = 0.95;

pub(super) fn write(
    request: &Request,
    profile: &Profile,
    thinking: Thinking,
    body: &mut Map<String, Value>,
    dropped: &mut Vec<String>,
) {
    sampling(request, profile, thinking, body, dropped);
    let (stop, blank): (Vec<_>, Vec<_>) = request.stop.iter().partition(|stop| !stop.trim().is_empty());
    if !blank.is_empty() {
        dropped.push("stop".to_owned());
    }
    if !stop.is_empty() {
        body.put("stop_sequences", json!(stop));
    }
    match &request.user {
        Some(user) if user.len() <= MAX_USER_ID => {
            body.put("metadata", json!({"user_id": user}));
        }
        Some(_) => dropped.push("user".to_owned()),
        None => {}
    }
    match request.service_tier.as_deref() {
        // What was reserved is taken wherever it may be.
        Some("auto" | "priority") => {
            body.put("service_tier", "auto");
        }
        Some("default" | "standard") => {
            body.put("service_tier", "standard_only");
        }
        Some(_) => dropped.push("service_tier".to_owned()),
        None => {}
    }
    unknown(request, dropped);
}

fn sampling(request: &Request, profile: &Profile, thinking: Thinking, body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let is_default = |number: &&Number| number.as_f64() == Some(1.0);
    // With thinking on, Anthropic takes the default temperature only; models without sampling not even that.
    let temperature = request.temperature.as_ref().filter(|number| profile.sampling || !is_default(number));
    let mut has_temperature = false;
    if let Some(asked) = temperature {
        let taken = (profile.sampling && (!thinking.is_on() || is_default(&asked))).then(|| clamped(asked));
        if taken.as_ref() != Some(asked) {
            dropped.push("temperature".to_owned());
        }
        has_temperature = taken.as_ref().is_some_and(|taken| !is_default(&taken));
        if let Some(taken) = taken {
            body.put("temperature", taken);
        }
    }
    if let Some(top_p) = request.top_p.as_ref().filter(|number| !is_default(number)) {
        let is_near = !thinking.is_on() || top_p.as_f64().is_some_and(|p| p >= MIN_THINKING_TOP_P);
        // Claude from 4.1 on takes one of the two.
        if profile.sampling && is_near && !has_temperature {
            body.shift_remove("temperature");
            body.put("top_p", top_p.clone());
        } else {
            dropped.push("top_p".to_owned());
        }
    }
    if let Some(top_k) = &request.top_k {
        if profile.sampling && !thinking.is_on() {
            body.put("top_k", top_k.clone());
        } else {
            dropped.push("top_k".to_owned());
        }
    }
}

/// 0 to 1, where others go to 2.
fn clamped(temperature: &Number) -> Number {
    match temperature.as_f64() {
        Some(value) if value > 1.0 => Number::from(1),
        Some(value) if value < 0.0 => Number::from(0),
        _ => temperature.clone(),
    }
}

/// What this dialect cannot say, where more than the default is asked.
fn unknown(request: &Request, dropped: &mut Vec<String>) {
    let is_set = |number: &Option<Number>| number.as_ref().is_some_and(|number| number.as_f64() != Some(0.0));
    let rows = [
        ("presence_penalty", is_set(&request.presence_penalty)),
        ("frequency_penalty", is_set(&request.frequency_penalty)),
        ("seed", request.seed.is_some()),
        ("n", request.n.is_some_and(|n| n > 1)),
        ("logprobs", request.logprobs),
        ("top_logprobs", request.top_logprobs.is_some_and(|n| n > 0)),
        ("verbosity", request.verbosity.as_ref().is_some_and(|word| word != "medium")),
        ("store", request.store == Some(true)),
        ("metadata", request.metadata.as_ref().and_then(Value::as_object).is_some_and(|map| !map.is_empty())),
        ("cache_key", request.cache_key.is_some()),
        ("modalities", request.modalities.iter().any(|kind| kind != "text")),
    ];
    dropped.extend(rows.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name.to_owned()));
}
