//! Counted tokens.

use serde_json::{Number, Value};

use crate::{
    chat::usage::{Service, Usage},
    units::Money,
    wire::compose::json,
};

/// A usage object, and the tier that served; `None` when it counts nothing.
pub(super) fn read(usage: &Value, tier: Option<&str>) -> Option<Usage> {
    let count = |holder: &Value, key: &str| holder.get(key).and_then(Value::as_u64);
    let of = |details: &str, key: &str| usage.get(details).and_then(|details| count(details, key)).unwrap_or(0);
    let (prompt, output) = (count(usage, "input_tokens"), count(usage, "output_tokens"));
    if prompt.is_none() && output.is_none() {
        return None;
    }
    let (prompt, output) = (prompt.unwrap_or(0), output.unwrap_or(0));
    let cache_read = of("input_tokens_details", "cached_tokens").min(prompt);
    let cache_write = of("input_tokens_details", "cache_write_tokens").min(prompt - cache_read);
    let reasoning = of("output_tokens_details", "reasoning_tokens").min(output);
    Some(Usage {
        input: prompt - cache_read - cache_write,
        cache_read,
        cache_write,
        output,
        reasoning,
        input_audio: of("input_tokens_details", "audio_tokens"),
        input_image: of("input_tokens_details", "image_tokens"),
        output_audio: of("output_tokens_details", "audio_tokens"),
        output_image: of("output_tokens_details", "image_tokens"),
        service: tier.map(Service::read).unwrap_or_default(),
        reported: usage.get("cost").and_then(Value::as_number).and_then(|cost| Money::of_dollars(&cost.to_string())),
        ..Usage::default()
    })
}

/// Both details are always there: strict clients refuse a report without them.
pub(super) fn write(usage: &Usage, cost: Option<Money>) -> Value {
    let mut out = json!({
        "input_tokens": usage.prompt(),
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total(),
    });
    if usage.cache_write > 0 {
        out["input_tokens_details"]["cache_write_tokens"] = usage.cache_write.into();
    }
    if let Some(dollars) = cost.and_then(|cost| serde_json::from_str::<Number>(&cost.dollars()).ok()) {
        out["cost"] = dollars.into();
    }
    out
}
