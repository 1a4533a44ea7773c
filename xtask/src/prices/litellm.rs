//! LiteLLM's table: one object, dollars for one of each, the tier and the length in the name of the member.

use portolan::catalog::{self, Class};
use portolan::chat::usage::Service;
use serde_json::{Map, Value};

use super::layout::Table;
use super::rates::{Rates, amount};

/// Its word for a provider, ours, and what stands before the model's own name in the key.
const PROVIDERS: [(&str, &str, &[&str]); 24] = [
    ("anthropic", "anthropic", &["anthropic/"]),
    ("azure", "azure-openai", &["azure/"]),
    ("bedrock", "bedrock", &["bedrock/"]),
    ("bedrock_converse", "bedrock", &["bedrock/converse/", "bedrock/"]),
    ("cerebras", "cerebras", &["cerebras/"]),
    ("cloudflare", "workers-ai", &["cloudflare/"]),
    ("cohere", "cohere", &["cohere/"]),
    ("cohere_chat", "cohere", &["cohere_chat/", "cohere/"]),
    ("dashscope", "qwen", &["dashscope/"]),
    ("deepseek", "deepseek", &["deepseek/"]),
    ("fireworks_ai", "fireworks", &["fireworks_ai/"]),
    ("fireworks_ai-embedding-models", "fireworks", &["fireworks_ai/"]),
    ("gemini", "google", &["gemini/"]),
    ("groq", "groq", &["groq/"]),
    ("minimax", "minimax", &["minimax/"]),
    ("mistral", "mistral", &["mistral/"]),
    ("moonshot", "moonshot", &["moonshot/"]),
    ("openai", "openai", &["openai/"]),
    ("perplexity", "perplexity", &["perplexity/"]),
    ("together_ai", "together", &["together_ai/"]),
    ("volcengine", "bytedance", &["volcengine/"]),
    ("voyage", "voyage", &["voyage/"]),
    ("xai", "xai", &["xai/"]),
    ("zai", "zhipu", &["zai/"]),
];

/// Its word for a class. Longer ones come before those they begin with.
const CLASSES: [(&str, Class); 17] = [
    ("cache_creation_input_token_cost_above_1hr", Class::CacheWriteHour),
    ("cache_creation_input_token_cost", Class::CacheWrite),
    ("cache_read_input_audio_token_cost", Class::CacheReadAudio),
    ("cache_read_input_token_cost", Class::CacheRead),
    ("input_cost_per_audio_token", Class::InputAudio),
    ("input_cost_per_image_token", Class::InputImage),
    ("input_cost_per_token", Class::Input),
    ("output_cost_per_audio_token", Class::OutputAudio),
    ("output_cost_per_image_token", Class::OutputImage),
    ("output_cost_per_reasoning_token", Class::Reasoning),
    ("output_cost_per_token", Class::Output),
    ("input_cost_per_query", Class::Search),
    ("input_cost_per_request", Class::Request),
    ("output_cost_per_image", Class::Image),
    ("input_cost_per_second", Class::Second),
    ("output_cost_per_second", Class::Second),
    ("input_cost_per_character", Class::Character),
];

pub fn read(top: &Map<String, Value>, table: &mut Table) {
    for (key, entry) in top {
        let maker = entry.get("litellm_provider").and_then(Value::as_str).unwrap_or_default();
        if key == "sample_spec" {
            continue;
        }
        let Some((_, provider, prefixes)) = PROVIDERS.iter().find(|(theirs, ..)| *theirs == maker) else {
            table.leave_out(format!("provider `{maker}` has no name here"), key);
            continue;
        };
        let model = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key);
        // A region, a size or a quality before it; who sells others' models has slashes in their names.
        let sells = ["fireworks", "together", "workers-ai"].contains(provider);
        if model.contains('/') && !sells && catalog::model(provider, model).is_none() {
            table.leave_out("price by region, size or quality", key);
            continue;
        }
        let model = if *provider == "fireworks" && !model.contains('/') {
            format!("accounts/fireworks/models/{model}")
        } else {
            model.to_owned()
        };
        match read_entry(key, entry, table).write() {
            Some(price) => drop(table.prices.entry(format!("{provider}/{model}")).or_insert(price)),
            None => table.leave_out("no price", key),
        }
    }
}

fn read_entry(key: &str, entry: &Value, table: &mut Table) -> Rates {
    let mut rates = Rates::default();
    let is_free_token =
        |entry: &Value| ["input_cost_per_token", "output_cost_per_token"].iter().all(|key| entry.get(key).is_none());
    let mode = entry.get("mode").and_then(Value::as_str).unwrap_or_default();
    for (member, value) in entry.as_object().into_iter().flatten() {
        let is_drawn = member == "input_cost_per_image" && mode == "image_generation" && is_free_token(entry);
        let named = if is_drawn { Some((Class::Image, Service::Standard, 0)) } else { read_name(member) };
        match (named, value.as_number().and_then(|number| amount(number, false))) {
            (Some((Class::Second | Class::Image, ..)), Some(_)) if !is_free_token(entry) => {
                table.keep_unread("a unit beside the price by the token: tokens are counted", &format!("{key}: {member}"));
            }
            (Some((class, service, above)), Some(amount)) => rates.put(service, above, class, amount),
            _ if member == "tiered_pricing" => read_lengths(value, &mut rates),
            _ if member == "search_context_cost_per_query" => read_search(key, entry, value, &mut rates, table),
            _ if member.contains("cost") || member.contains("pricing") => {
                table.keep_unread(format!("`{}`", plain(member)), key);
            }
            _ => {}
        }
    }
    rates
}

/// Class, tier and length of `input_cost_per_token_above_200k_tokens_batches`.
fn read_name(member: &str) -> Option<(Class, Service, u64)> {
    let (word, class) = CLASSES.iter().find(|(word, _)| member.starts_with(word))?;
    let rest = member.strip_prefix(word)?;
    let tiers = [("_batches", Service::Batch), ("_flex", Service::Flex), ("_priority", Service::Priority)];
    let tier = tiers.iter().find_map(|(end, service)| Some((rest.strip_suffix(end)?, *service)));
    let (rest, service) = tier.unwrap_or((rest, Service::Standard));
    if rest.is_empty() {
        return Some((*class, service, 0));
    }
    let thousands = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?;
    Some((*class, service, thousands.parse::<u64>().ok()? * 1_000))
}

/// A list of ranges; the first is the usual one.
fn read_lengths(ranges: &Value, rates: &mut Rates) {
    for range in ranges.as_array().into_iter().flatten() {
        let from =
            range.pointer("/range/0").and_then(|from| from.as_u64().or_else(|| format!("{:.0}", from.as_f64()?).parse().ok()));
        for (member, value) in range.as_object().into_iter().flatten() {
            let amount = value.as_number().and_then(|number| amount(number, false));
            if let (Some((class, service, 0)), Some(from), Some(amount)) = (read_name(member), from, amount) {
                rates.put(service, from, class, amount);
            }
        }
    }
}

/// Only Anthropic says how often it searched; of the others it would be a price that is never asked.
fn read_search(key: &str, entry: &Value, sizes: &Value, rates: &mut Rates, table: &mut Table) {
    let price = sizes.get("search_context_size_medium").and_then(Value::as_number).and_then(|number| amount(number, false));
    match (entry["litellm_provider"] == "anthropic", price) {
        (true, Some(price)) => rates.put(Service::Standard, 0, Class::Search, price),
        (_, _) => table.keep_unread("searches of the web: the provider does not count them", key),
    }
}

/// The name without its length and tier, so that reasons are few.
fn plain(member: &str) -> &str {
    let cut = member.find("_above_").unwrap_or(member.len());
    let name = member.get(..cut).unwrap_or(member);
    ["_batches", "_flex", "_priority"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}
