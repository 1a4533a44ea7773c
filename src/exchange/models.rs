//! `GET /v1/models` in the caller's dialect.

use serde_json::{Value, json};

use crate::{
    config::{ListedModel, Snapshot},
    dialect::Dialect,
    error::{Error, Kind},
    wire::json::json_text,
};

/// The list, or the one model of that id.
pub fn list(config: &Snapshot, dialect: Dialect, id: Option<&str>) -> Result<String, Error> {
    let models = config.model_list();
    if let Some(id) = id {
        let found = models.iter().find(|m| m.id == id).map(|m| json_text(&one(m, dialect)));
        return found.ok_or_else(|| Error::new(Kind::ModelNotFound, format!("The model `{id}` does not exist here.")));
    }
    let data: Vec<Value> = models.iter().map(|m| one(m, dialect)).collect();
    let list = match dialect {
        Dialect::Gemini
        | Dialect::OpenAiChat
        | Dialect::OpenAiResponses
        | Dialect::OpenAiCompletions
        | Dialect::Converse
        | Dialect::Cohere => json!({"object": "list", "data": data}),
        Dialect::Anthropic => {
            let id = |model: Option<&ListedModel>| model.map(|m| m.id.clone());
            json!({"data": data, "has_more": false, "first_id": id(models.first()), "last_id": id(models.last())})
        }
    };
    Ok(json_text(&list))
}

fn one(model: &ListedModel, dialect: Dialect) -> Value {
    match dialect {
        Dialect::Gemini
        | Dialect::OpenAiChat
        | Dialect::OpenAiResponses
        | Dialect::OpenAiCompletions
        | Dialect::Converse
        | Dialect::Cohere => {
            let mut value = json!({"id": model.id, "object": "model", "created": 0, "owned_by": model.owner});
            describe(model, &mut value);
            value
        }
        Dialect::Anthropic => {
            let mut value =
                json!({"type": "model", "id": model.id, "display_name": model.id, "created_at": "1970-01-01T00:00:00Z"});
            describe(model, &mut value);
            value
        }
    }
}

/// What SDKs ignore and people look for: window and price in USD a token.
fn describe(model: &ListedModel, value: &mut Value) {
    let Value::Object(map) = value else { return };
    if let Some(context) = model.context {
        map.insert("context_length".to_owned(), context.into());
    }
    if let Some(max) = model.max_output {
        map.insert("max_output_tokens".to_owned(), max.into());
    }
    if let Some(price) = model.price {
        let pricing = json!({
            "prompt": price.input.dollars(),
            "completion": price.output.dollars(),
            "input_cache_read": price.cache_read.dollars(),
            "input_cache_write": price.cache_write.dollars(),
        });
        map.insert("pricing".to_owned(), pricing);
    }
}
