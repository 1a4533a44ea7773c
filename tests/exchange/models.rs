//! `GET /v1/models` in both dialects.

use portolan::{dialect::Dialect, error::Kind, exchange::models::list};
use serde_json::{Value, json};

use super::driver::gateway;

fn listed(dialect: Dialect, id: Option<&str>) -> Value {
    let config = gateway(r#"{"smart":{"targets":["alpha/small","gamma/claude"]}}"#, "");
    serde_json::from_str(&list(&config, dialect, id, &|_| true).unwrap()).unwrap()
}

#[test]
fn each_dialect_lists_in_its_own_shape() {
    let chat = listed(Dialect::OpenAiChat, None);
    let data = chat["data"].as_array().unwrap();
    assert_eq!(chat["object"], "list");
    assert_eq!(data[0], json!({"id": "smart", "object": "model", "created": 0, "owned_by": "portolan", "context_length": 8000}));
    let small = data.iter().find(|model| model["id"] == "alpha/small").unwrap();
    assert_eq!(small["owned_by"], "alpha");
    assert_eq!(
        small["pricing"],
        json!({"prompt": "0.00000125", "completion": "0.00001", "input_cache_read": "0.000000125", "input_cache_write": "0.00000125"})
    );
    let claude = listed(Dialect::Anthropic, None);
    let models = claude["data"].as_array().unwrap();
    assert_eq!(models.len(), data.len());
    assert_eq!((&claude["has_more"], &claude["first_id"]), (&json!(false), &json!("smart")));
    assert_eq!(claude["last_id"], models[models.len() - 1]["id"]);
    for model in models {
        assert_eq!(model["type"], "model");
        assert!(model["display_name"].is_string() && model["created_at"].is_string(), "{model}");
    }
    assert!(!data.iter().any(|model| model["id"].as_str().unwrap().starts_with("delta/")), "what has no secret is off");
    let mut ids: Vec<_> = data.iter().map(|model| model["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), data.len(), "each once");
}

#[test]
fn gemini_has_a_list_of_its_own_shape() {
    let list = listed(Dialect::Gemini, None);
    let small = list["models"].as_array().unwrap().iter().find(|model| model["name"] == "models/alpha/small").unwrap();
    assert_eq!((&small["inputTokenLimit"], &small["displayName"]), (&json!(8000), &json!("alpha/small")));
    assert_eq!(listed(Dialect::Gemini, Some("smart"))["name"], "models/smart");
}

#[test]
fn one_model_is_found_by_its_name() {
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        assert_eq!(listed(dialect, Some("alpha/small"))["id"], "alpha/small");
        assert_eq!(listed(dialect, Some("smart"))["id"], "smart");
        let error = list(&gateway("", ""), dialect, Some("nobody/nothing"), &|_| true).unwrap_err();
        assert_eq!((error.kind, error.status), (Kind::ModelNotFound, 404));
    }
}

#[test]
fn a_limited_caller_sees_its_own() {
    let config = gateway("", "");
    let sees = |id: &str| id.starts_with("mock/");
    let listed = list(&config, Dialect::OpenAiChat, None, &sees).unwrap();
    assert!(listed.contains("\"mock/echo\"") && !listed.contains("openai/"), "{listed}");
    assert!(list(&config, Dialect::OpenAiChat, Some("mock/echo"), &sees).is_ok());
    let all = list(&config, Dialect::OpenAiChat, None, &|_| true).unwrap();
    let other = serde_json::from_str::<Value>(&all).unwrap();
    let other = other["data"].as_array().unwrap().iter().find_map(|m| m["id"].as_str().filter(|id| !sees(id))).unwrap();
    assert!(list(&config, Dialect::OpenAiChat, Some(other), &sees).is_err(), "{other}");
}
