//! `logprobsResult`, both ways.

use serde_json::Value;

use crate::{chat::response::TokenLogprob, wire::compose::json};

pub(super) fn read(candidate: &Value) -> Vec<TokenLogprob> {
    let Some(result) = candidate.get("logprobsResult") else { return vec![] };
    let list = |key: &str| result.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut tops = list("topCandidates").iter();
    let token = |chosen: &Value| {
        let top = tops.next().and_then(|top| top.get("candidates")?.as_array());
        let top = top.into_iter().flatten().map(|value| read_token(value, vec![])).collect();
        read_token(chosen, top)
    };
    list("chosenCandidates").iter().map(token).collect()
}

fn read_token(value: &Value, top: Vec<TokenLogprob>) -> TokenLogprob {
    let token = value.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
    let logprob = value.get("logProbability").and_then(Value::as_f64).unwrap_or_default();
    TokenLogprob { token, logprob, bytes: None, top }
}

pub(super) fn write(tokens: &[TokenLogprob]) -> Value {
    let token = |token: &TokenLogprob| json!({ "token": &token.token, "logProbability": token.logprob });
    let chosen: Vec<Value> = tokens.iter().map(token).collect();
    let top: Vec<Value> =
        tokens.iter().map(|chosen| json!({ "candidates": chosen.top.iter().map(token).collect::<Vec<_>>() })).collect();
    json!({ "topCandidates": top, "chosenCandidates": chosen })
}
