//! What providers refuse: the rules of each dialect that a request must hold, checked from its text alone.

mod anthropic;
mod chat;
mod cohere;
mod converse;
mod gemini;
mod responses;

use portolan::dialect::Dialect;
use serde_json::Value;

/// The rules that a request breaks, one line each.
pub fn broken(dialect: Dialect, body: &str) -> Vec<String> {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return vec!["not JSON".to_owned()] };
    let mut out = vec![];
    match dialect {
        Dialect::OpenAiChat => chat::check(&body, &mut out),
        // Its model is named in the call, not in the body.
        Dialect::WorkersAi => need(body["messages"].is_array() || body["prompt"].is_string(), "nothing asked", &mut out),
        Dialect::OpenAiResponses => responses::check(&body, &mut out),
        Dialect::OpenAiCompletions => {
            need(body["prompt"].is_string() || body["prompt"].is_array(), "no prompt", &mut out);
            need(body["messages"].is_null(), "messages in a completion", &mut out);
        }
        Dialect::Anthropic => anthropic::check(&body, &mut out),
        Dialect::Gemini => gemini::check(&body, &mut out),
        Dialect::Converse => converse::check(&body, &mut out),
        Dialect::Cohere => cohere::check(&body, &mut out),
    }
    out.sort();
    out.dedup();
    out
}

fn need(holds: bool, rule: &str, out: &mut Vec<String>) {
    if !holds {
        out.push(rule.to_owned());
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Letters, digits, `_` and `-`, which all providers take in names.
fn is_name(name: &str, longest: usize) -> bool {
    !name.is_empty() && name.len() <= longest && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn is_json_object(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
}

/// Members that no dialect has: a canonical word that slipped onto the wire.
fn only(value: &Value, known: &[&str], what: &str, out: &mut Vec<String>) {
    for key in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
        need(known.contains(&key.as_str()), &format!("unknown member `{key}` in {what}"), out);
    }
}
