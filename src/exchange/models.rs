//! `GET /v1/models` in the caller's dialect.

use serde_json::Value;

use crate::{
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
        let pricing = json!({
            "prompt": price.input.dollars(),
            "completion": price.output.dollars(),
            "input_cache_read": price.cache_read.dollars(),
            "input_cache_write": price.cache_write.dollars(),
        });
        map.put("pricing", pricing);
    }
}
