//! `GET /v1/models` in the caller's dialect.

use serde_json::{Map, Value};

use crate::{
    catalog::{Class, Price},
    chat::usage::Service,
    config::{ListedModel, Snapshot},
    dialect::Dialect,
    error::{Error, Kind},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// The list of what the caller sees, or the one model of that id.
pub fn list(config: &Snapshot, dialect: Dialect, id: Option<&str>, sees: &dyn Fn(&str) -> bool) -> Result<String, Error> {
    let mut models = config.model_list();
    models.retain(|model| sees(&model.id));
    if let Some(id) = id {
        let found = models.iter().find(|m| m.id == id).map(|m| json_text(&one(m, dialect)));
        return found.ok_or_else(|| Error::new(Kind::ModelNotFound, format!("The model `{id}` does not exist here.")));
    }
    let data: Vec<Value> = models.iter().map(|m| one(m, dialect)).collect();
    let list = match shape(dialect) {
        Shape::OpenAi => json!({"object": "list", "data": data}),
        Shape::Anthropic => {
            let id = |model: Option<&ListedModel>| model.map(|m| m.id.clone());
            json!({"data": data, "has_more": false, "first_id": id(models.first()), "last_id": id(models.last())})
        }
        Shape::Gemini => json!({"models": data}),
    };
    Ok(json_text(&list))
}

enum Shape {
    OpenAi,
    Anthropic,
    Gemini,
}

const fn shape(dialect: Dialect) -> Shape {
    match dialect {
        Dialect::Anthropic => Shape::Anthropic,
        Dialect::Gemini => Shape::Gemini,
        Dialect::OpenAiChat
        | Dialect::OpenAiResponses
        | Dialect::OpenAiCompletions
        | Dialect::Converse
        | Dialect::Cohere
        | Dialect::WorkersAi => Shape::OpenAi,
    }
}

fn one(model: &ListedModel, dialect: Dialect) -> Value {
    let id = &model.id;
    let mut value = match shape(dialect) {
        Shape::OpenAi => json!({"id": id, "object": "model", "created": 0, "owned_by": &model.owner}),
        Shape::Anthropic => json!({"type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z"}),
        Shape::Gemini => json!({
            "name": format!("models/{id}"),
            "displayName": id,
            "inputTokenLimit": model.context,
            "outputTokenLimit": model.max_output,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }),
    };
    describe(model, &mut value);
    value
}

/// What SDKs ignore and people look for: window and price in USD a token.
fn describe(model: &ListedModel, value: &mut Value) {
    let Value::Object(map) = value else { return };
    if let Some(context) = model.context {
        map.put("context_length", context);
    }
    if let Some(max) = model.max_output {
        map.put("max_output_tokens", max);
    }
    if let Some(price) = &model.price {
        map.put("pricing", pricing(price));
        let tiers = tiers(price);
        if !tiers.is_empty() {
            map.put("pricing_tiers", tiers);
        }
        map.put("pricing_source", price.source());
        map.put("pricing_date", Some(price.date()).filter(|date| !date.is_empty()));
    }
}

/// OpenRouter's words, dollars for one of each.
const WORDS: [(Class, &str); 16] = [
    (Class::Input, "prompt"),
    (Class::Output, "completion"),
    (Class::CacheRead, "input_cache_read"),
    (Class::CacheWrite, "input_cache_write"),
    (Class::CacheWriteHour, "input_cache_write_1h"),
    (Class::Reasoning, "internal_reasoning"),
    (Class::InputAudio, "audio"),
    (Class::OutputAudio, "audio_output"),
    (Class::CacheReadAudio, "input_audio_cache"),
    (Class::InputImage, "image_token"),
    (Class::OutputImage, "image_output"),
    (Class::Request, "request"),
    (Class::Search, "web_search"),
    (Class::Image, "image_made"),
    (Class::Second, "second"),
    (Class::Character, "character"),
];

fn word(class: Class) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == class).map_or("", |(_, word)| word)
}

/// The usual rates: the four in any case, others where they are told apart.
fn pricing(price: &Price) -> Map<String, Value> {
    let mut out = Map::new();
    let four = [price.input, price.output, price.cache_read, price.cache_write];
    for ((_, word), amount) in WORDS.iter().zip(four) {
        out.put(word, amount.dollars());
    }
    for rate in price.rates().iter().filter(|rate| rate.service.is_standard() && rate.above == 0) {
        out.put(word(rate.class), rate.amount.dollars());
    }
    out
}

/// What is other than usual, by tier of service and length of the prompt.
fn tiers(price: &Price) -> Vec<Value> {
    let mut tiers: Vec<((Service, u32), Map<String, Value>)> = vec![];
    for rate in price.rates().iter().filter(|rate| !rate.service.is_standard() || rate.above > 0) {
        let key = (rate.service, rate.above);
        if tiers.iter().all(|(known, _)| *known != key) {
            let mut tier = Map::new();
            tier.put("service_tier", rate.service.name());
            tier.put("above_prompt_tokens", u64::from(rate.above));
            tiers.push((key, tier));
        }
        if let Some((_, tier)) = tiers.iter_mut().find(|(known, _)| *known == key) {
            tier.put(word(rate.class), rate.amount.dollars());
        }
    }
    tiers.into_iter().map(|(_, tier)| Value::Object(tier)).collect()
}
