//! How likely tokens were: today's `content`, and the parallel lists of old (text completions, Together).

use serde_json::Value;

use super::{items, text};
use crate::{chat::response::TokenLogprob, wire::compose::json};

/// A choice's `logprobs`.
pub fn read(choice: &Value) -> Vec<TokenLogprob> {
    let Some(logprobs) = choice.get("logprobs").filter(|logprobs| logprobs.is_object()) else { return vec![] };
    let content = items(logprobs, "content");
    if content.is_empty() { read_lists(logprobs) } else { content.iter().map(read_token).collect() }
}

fn read_token(token: &Value) -> TokenLogprob {
    let bytes = token.get("bytes").and_then(Value::as_array);
    let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    TokenLogprob {
        token: text(token, "token").unwrap_or_default().to_owned(),
        logprob: number(token.get("logprob")),
        bytes: bytes.map(|list| list.iter().filter_map(byte).collect()),
        top: items(token, "top_logprobs").iter().map(read_token).collect(),
    }
}

fn read_lists(logprobs: &Value) -> Vec<TokenLogprob> {
    let (values, tops) = (items(logprobs, "token_logprobs"), items(logprobs, "top_logprobs"));
    let tokens = items(logprobs, "tokens").iter().filter_map(Value::as_str).enumerate();
    tokens
        .map(|(i, token)| {
            let top = tops.get(i).and_then(Value::as_object);
            let one = |(token, logprob): (&String, &Value)| plain(token, number(Some(logprob)), vec![]);
            plain(token, number(values.get(i)), top.map(|top| top.iter().map(one).collect()).unwrap_or_default())
        })
        .collect()
}

fn plain(token: &str, logprob: f64, top: Vec<TokenLogprob>) -> TokenLogprob {
    TokenLogprob { token: token.to_owned(), logprob, bytes: None, top }
}

/// The first token of an echoed prompt has none.
fn number(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).unwrap_or(0.0)
}

/// `null` where there are none.
pub fn write(tokens: &[TokenLogprob]) -> Value {
    if tokens.is_empty() {
        return Value::Null;
    }
    let list: Vec<Value> = tokens.iter().map(|token| write_token(token, true)).collect();
    json!({"content": list, "refusal": null})
}

fn write_token(token: &TokenLogprob, with_top: bool) -> Value {
    let mut out = json!({"token": &token.token, "logprob": token.logprob, "bytes": &token.bytes});
    if with_top {
        let top: Vec<Value> = token.top.iter().map(|token| write_token(token, false)).collect();
        out["top_logprobs"] = top.into();
    }
    out
}
