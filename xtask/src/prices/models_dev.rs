//! The table of models.dev: providers with their models, dollars per million tokens.

use portolan::catalog::Class;
use portolan::chat::usage::Service;
use serde_json::{Map, Value};

use super::layout::Table;
use super::rates::{Rates, amount};

/// Its word for a provider, and ours.
const PROVIDERS: [(&str, &str); 21] = [
    ("alibaba", "qwen"),
    ("amazon-bedrock", "bedrock"),
    ("anthropic", "anthropic"),
    ("azure", "azure-openai"),
    ("cerebras", "cerebras"),
    ("cloudflare-workers-ai", "workers-ai"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks-ai", "fireworks"),
    ("google", "google"),
    ("groq", "groq"),
    ("huggingface", "huggingface"),
    ("minimax", "minimax"),
    ("mistral", "mistral"),
    ("moonshotai", "moonshot"),
    ("nvidia", "nvidia"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("togetherai", "together"),
    ("xai", "xai"),
];
/// `zai` sells abroad what `zhipuai` sells at home: our `zhipu` is the former's address.
const ABROAD: (&str, &str) = ("zai", "zhipu");

const CLASSES: [(&str, Class); 9] = [
    ("input", Class::Input),
    ("output", Class::Output),
    ("cache_read", Class::CacheRead),
    ("cached_input", Class::CacheRead),
    ("cache_write", Class::CacheWrite),
    ("cached_write", Class::CacheWrite),
    ("reasoning", Class::Reasoning),
    ("input_audio", Class::InputAudio),
    ("output_audio", Class::OutputAudio),
];

pub fn read(top: &Map<String, Value>, table: &mut Table) {
    for (name, entry) in top {
        let provider = PROVIDERS.iter().chain([&ABROAD]).find(|(theirs, _)| theirs == name).map(|(_, ours)| *ours);
        for (model, entry) in entry.get("models").and_then(Value::as_object).into_iter().flatten() {
            let key = format!("{name}/{model}");
            let Some(provider) = provider else {
                table.leave_out(format!("provider `{name}` has no name here"), &key);
                continue;
            };
            let Some(cost) = entry.get("cost").and_then(Value::as_object) else {
                table.leave_out("no price", &key);
                continue;
            };
            match read_cost(&key, cost, table).write() {
                Some(price) => drop(table.prices.entry(format!("{provider}/{model}")).or_insert(price)),
                None => table.leave_out("no price", &key),
            }
        }
    }
}

fn read_cost(key: &str, cost: &Map<String, Value>, table: &mut Table) -> Rates {
    let mut rates = Rates::default();
    read_members(key, cost, 0, &mut rates, table);
    for tier in cost.get("tiers").and_then(Value::as_array).into_iter().flatten() {
        let by_length = tier.pointer("/tier/type").is_none_or(|kind| kind == "context");
        match (tier.as_object(), tier.pointer("/tier/size").and_then(Value::as_u64).filter(|_| by_length)) {
            (Some(members), Some(above)) => read_members(key, members, above, &mut rates, table),
            (_, _) => table.keep_unread("a tier that is no length", key),
        }
    }
    rates
}

fn read_members(key: &str, members: &Map<String, Value>, above: u64, rates: &mut Rates, table: &mut Table) {
    for (member, value) in members.iter().filter(|(member, _)| !["tier", "tiers"].contains(&member.as_str())) {
        let class = CLASSES.iter().find(|(word, _)| word == member).map(|(_, class)| *class);
        match (class, value.as_number().and_then(|number| amount(number, true))) {
            (Some(class), Some(amount)) => rates.put(Service::Standard, above, class, amount),
            (_, _) => table.keep_unread(format!("`{member}`"), key),
        }
    }
}
