//! Rerank: what is asked of each provider, and what its answer becomes.

use portolan::catalog::{
    Operation,
    Style::{self, Cohere, Fireworks, Jina, OpenAi, Voyage},
};
use serde_json::{Value, json};

use super::{json, read, sent};

const ASKED: &str = r#"{"model":"x","query":"q","documents":["one",{"text":"two"},{"title":"t","text":"three"}],
    "top_n":2,"return_documents":true,"max_tokens_per_doc":99,"rank_fields":["text"]}"#;

#[test]
fn a_query_is_asked_in_each_style() {
    let documents = json!(["one", "two", r#"{"title":"t","text":"three"}"#]);
    for (to, expected, dropped) in [
        (
            Cohere,
            json!({"model": "m", "query": "q", "documents": documents, "top_n": 2, "max_tokens_per_doc": 99}),
            vec!["rank_fields"],
        ),
        (
            Voyage,
            json!({"model": "m", "query": "q", "documents": documents, "top_k": 2}),
            vec!["rank_fields", "max_tokens_per_doc"],
        ),
        (
            Fireworks,
            json!({"model": "m", "query": "q", "documents": documents, "top_n": 2}),
            vec!["rank_fields", "max_tokens_per_doc"],
        ),
    ] {
        let (_, found, found_dropped) = sent(Operation::Rerank, (Jina, to), ASKED, "m").unwrap();
        assert_eq!((json(&found), found_dropped), (expected, dropped.into_iter().map(str::to_owned).collect()), "{to:?}");
    }
    let (_, own, dropped) = sent(Operation::Rerank, (Jina, Jina), r#"{"query": "q", "model":"x", "odd":1}"#, "m").unwrap();
    assert_eq!((own.as_str(), dropped.len()), (r#"{"query": "q", "model":"m", "odd":1}"#, 0));
}

#[test]
fn what_cannot_be_asked_is_refused() {
    for (to, body, param) in [
        (Cohere, r#"{"model":"x","documents":["a"]}"#, "query"),
        (Cohere, r#"{"model":"x","query":"q"}"#, "documents"),
        (Cohere, r#"{"model":"x","query":"q","documents":"a"}"#, "documents"),
        (OpenAi, r#"{"model":"x","query":"q","documents":["a"]}"#, ""),
    ] {
        let error = sent(Operation::Rerank, (Jina, to), body, "m").unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{body}");
    }
}

fn results(style: Style) -> &'static str {
    if style == Cohere {
        r#"{"id":"i","results":[{"index":1,"relevance_score":0.50},{"index":0,"relevance_score":1e-3}],"meta":{"billed_units":{"search_units":1}}}"#
    } else if style == Voyage {
        r#"{"object":"list","data":[{"relevance_score":0.50,"index":1},{"relevance_score":1e-3,"index":0}],"model":"v","usage":{"total_tokens":43}}"#
    } else {
        r#"{"object":"list","data":[{"index":1,"relevance_score":0.50,"document":"two"},{"index":0,"relevance_score":1e-3,"document":"one"}],"usage":{"prompt_tokens":43,"total_tokens":43}}"#
    }
}

#[test]
fn every_answer_reaches_the_caller_with_scores_as_written() {
    for (to, tokens) in [(Cohere, None), (Voyage, Some(43)), (Fireworks, Some(43))] {
        let found = read(Operation::Rerank, (Jina, to), ASKED, results(to)).unwrap();
        assert_eq!(found.estimated, tokens.is_none(), "{to:?}");
        let input = found.usage.unwrap().input;
        assert!(tokens.is_none_or(|tokens| tokens == input) && input > 0, "{to:?}: {input}");
        let body = found.body.unwrap();
        assert!(body.contains("0.50") && body.contains("1e-3"), "{to:?}: {body}");
        let body = json(&body);
        assert_eq!(body["results"][0]["document"], json!({"text": "two"}), "{to:?}: asked for, so given");
        assert_eq!(body["results"][1]["index"], 0);
        assert_eq!(body["usage"]["total_tokens"], json!(input));
        assert!(body["model"].is_string());
    }
    let bare = r#"{"model":"x","query":"q","documents":["one","two"]}"#;
    let found = read(Operation::Rerank, (Jina, Fireworks), bare, results(Fireworks)).unwrap();
    assert_eq!(json(&found.body.unwrap())["results"][0].get("document"), None, "not asked for");
    let found = read(Operation::Rerank, (Cohere, Voyage), bare, results(Voyage)).unwrap();
    let body = json(&found.body.unwrap());
    assert_eq!((&body["meta"]["tokens"]["input_tokens"], &body["usage"]), (&json!(43), &Value::Null));
}

#[test]
fn an_own_answer_passes_and_is_counted() {
    let answer = r#"{"results":[{"index":0,"relevance_score":0.9,"document":{}}],"usage":{"total_tokens":17}}"#;
    let found = read(Operation::Rerank, (Jina, Jina), r#"{"query":"q","documents":["a"]}"#, answer).unwrap();
    assert_eq!((found.body, found.usage.map(|usage| usage.input), found.estimated), (None, Some(17), false));
    assert!(read(Operation::Rerank, (Jina, Voyage), r#"{"query":"q","documents":["a"]}"#, "{}").is_err());
}

#[test]
fn what_cohere_bills_is_the_usage() {
    let asked = r#"{"model":"m","query":"q","documents":["a"]}"#;
    for (meta, expected) in [
        (r#"{"tokens":{"input_tokens":60},"billed_units":{"input_tokens":5,"search_units":1}}"#, (5, false)),
        (r#"{"tokens":{"input_tokens":60},"billed_units":{"search_units":1}}"#, (60, false)),
    ] {
        let answer = format!(r#"{{"results":[{{"index":0,"relevance_score":0.9}}],"meta":{meta}}}"#);
        let found = read(Operation::Rerank, (Jina, Cohere), asked, &answer).unwrap();
        assert_eq!((found.usage.unwrap().input, found.estimated), expected, "{meta}");
        assert_eq!(found.raw_usage, Some(json(meta)), "the provider's own numbers stay");
    }
}
