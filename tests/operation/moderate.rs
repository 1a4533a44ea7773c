//! Moderation: OpenAI's callers at OpenAI and at Mistral.

use portolan::catalog::{
    Operation,
    Style::{Mistral, OpenAi},
};
use serde_json::json;

use super::{json, read, sent};

#[test]
fn inputs_become_texts_a_verdict_each() {
    for (input, expected) in [
        (json!("a"), json!(["a"])),
        (json!(["a", "b"]), json!(["a", "b"])),
        // Parts are one input, judged together.
        (json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), json!(["a\nb"])),
    ] {
        let body = json!({"model": "x", "input": input}).to_string();
        let (_, found, dropped) = sent(Operation::Moderate, (OpenAi, Mistral), &body, "m").unwrap();
        assert_eq!((json(&found), dropped), (json!({"model": "m", "input": expected}), vec![]));
    }
    let picture = r#"{"input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://e.org/a.png"}}]}"#;
    let error = sent(Operation::Moderate, (OpenAi, Mistral), picture, "m").unwrap_err();
    assert_eq!(error.param.as_deref(), Some("input[1]"));
    assert!(error.message.contains("text only"), "{}", error.message);
    let (_, own, _) = sent(Operation::Moderate, (OpenAi, OpenAi), picture, "m").unwrap();
    assert_eq!(own, picture.replacen('{', r#"{"model":"m","#, 1), "its own provider takes pictures");
}

#[test]
fn mistral_s_categories_get_openai_s_names() {
    let answer = r#"{"id":"i","model":"mm","results":[
        {"categories":{"sexual":false,"hate_and_discrimination":true,"violence_and_threats":false,"pii":false},
         "category_scores":{"sexual":0.01,"hate_and_discrimination":0.9,"violence_and_threats":0.0,"pii":0.2}},
        {"categories":{"pii":true},"category_scores":{"pii":0.99}},
        {"categories":{"selfharm":false},"category_scores":{"selfharm":0.1}}]}"#;
    let found = read(Operation::Moderate, (OpenAi, Mistral), r#"{"input":["a","b","c"]}"#, answer).unwrap();
    let body = json(&found.body.unwrap());
    let flagged: Vec<_> = body["results"].as_array().unwrap().iter().map(|result| result["flagged"].clone()).collect();
    assert_eq!(flagged, [true, true, false]);
    let first = &body["results"][0];
    for (name, flag, score) in [
        ("hate", true, 0.9),
        ("sexual", false, 0.01),
        ("pii", false, 0.2),
        // SDKs that check want all thirteen.
        ("harassment/threatening", false, 0.0),
    ] {
        assert_eq!((&first["categories"][name], &first["category_scores"][name]), (&json!(flag), &json!(score)), "{name}");
        assert_eq!(first["category_applied_input_types"][name], json!(["text"]));
    }
    assert_eq!(first["categories"].as_object().unwrap().len(), 14);
    assert_eq!((&body["id"], &body["model"]), (&json!("i"), &json!("mm")));
    assert!(found.estimated, "no tokens are reported");
}

#[test]
fn an_own_answer_passes() {
    let found = read(Operation::Moderate, (OpenAi, OpenAi), r#"{"input":"a"}"#, r#"{"results":[]}"#).unwrap();
    assert_eq!(found.body, None);
    assert!(read(Operation::Moderate, (OpenAi, Mistral), r#"{"input":"a"}"#, "{}").is_err());
}
