//! Counted tokens, in the many places providers put them.

use serde_json::{Number, Value};

use crate::{
    chat::usage::{Service, Usage},
    units::Money,
    wire::compose::json,
};

/// A usage object; `None` when it counts nothing.
pub fn read(usage: &Value) -> Option<Usage> {
    let of = |holder: &str, key: &str| usage.get(holder).and_then(|details| count(details, key));
    let prompt = count(usage, "prompt_tokens").or_else(|| count(usage, "input_tokens"));
    let answer = count(usage, "completion_tokens").or_else(|| count(usage, "output_tokens"));
    if prompt.is_none() && answer.is_none() {
        return None;
    }
    let (prompt, answer) = (prompt.unwrap_or(0), answer.unwrap_or(0));
    let thought = of("completion_tokens_details", "reasoning_tokens").or_else(|| count(usage, "reasoning_tokens")).unwrap_or(0);
    let cached = of("prompt_tokens_details", "cached_tokens")
        .or_else(|| count(usage, "cached_tokens"))
        .or_else(|| count(usage, "prompt_cache_hit_tokens"))
        .unwrap_or(0);
    let written =
        of("prompt_tokens_details", "cache_write_tokens").or_else(|| count(usage, "cache_creation_input_tokens")).unwrap_or(0);
    // xAI counts thoughts beside the answer, and only the total tells; Azure's Grok reports more cached than prompt.
    let beside = thought > 0 && count(usage, "total_tokens") == Some(prompt.saturating_add(answer).saturating_add(thought));
    let output = if beside { answer.saturating_add(thought) } else { answer };
    let cache_read = cached.min(prompt);
    let cache_write = written.min(prompt - cache_read);
    let share = |holder, key| of(holder, key).unwrap_or(0);
    Some(Usage {
        input: prompt - cache_read - cache_write,
        cache_read,
        cache_write,
        output,
        reasoning: thought.min(output),
        input_audio: share("prompt_tokens_details", "audio_tokens"),
        input_image: share("prompt_tokens_details", "image_tokens"),
        output_audio: share("completion_tokens_details", "audio_tokens"),
        output_image: share("completion_tokens_details", "image_tokens"),
        reported: reported(usage),
        ..Usage::default()
    })
}

/// Dollars that OpenRouter and Perplexity say they ask for it.
fn reported(usage: &Value) -> Option<Money> {
    let cost = usage.get("cost")?;
    let dollars = cost.get("total_cost").unwrap_or(cost).as_number()?;
    Money::of_dollars(&dollars.to_string())
}

/// The usage of an answer or a chunk, and as it was said: at the top, under Groq's name, or in the choice (Moonshot).
pub fn find<'a>(body: &'a Value, choice: Option<&'a Value>) -> Option<(Usage, &'a Value)> {
    let groq = body.get("x_groq").and_then(|groq| groq.get("usage"));
    let inside = choice.and_then(|choice| choice.get("usage"));
    [body.get("usage"), groq, inside].into_iter().flatten().find_map(|raw| {
        let service = body.get("service_tier").and_then(Value::as_str).map(Service::read).unwrap_or_default();
        read(raw).map(|usage| (Usage { service, ..usage }, raw))
    })
}

fn count(holder: &Value, key: &str) -> Option<u64> {
    holder.get(key).and_then(Value::as_u64)
}

pub fn write(usage: &Usage, cost: Option<Money>) -> Value {
    let mut out = json!({
        "prompt_tokens": usage.prompt(),
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    });
    if usage.cache_write > 0 {
        out["prompt_tokens_details"]["cache_write_tokens"] = usage.cache_write.into();
    }
    for (holder, counts) in [
        ("prompt_tokens_details", [("audio_tokens", usage.input_audio), ("image_tokens", usage.input_image)]),
        ("completion_tokens_details", [("audio_tokens", usage.output_audio), ("image_tokens", usage.output_image)]),
    ] {
        for (key, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            out[holder][key] = count.into();
        }
    }
    if let Some(dollars) = cost.and_then(|cost| serde_json::from_str::<Number>(&cost.dollars()).ok()) {
        out["cost"] = dollars.into();
    }
    out
}
