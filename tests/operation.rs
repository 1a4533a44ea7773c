//! Calls that are not chat: their bodies between callers and providers, and the estimate of tokens.

mod catalog;
mod count;
mod embed;
mod estimate;
mod moderate;
mod rerank;

use portolan::{
    catalog::{Endpoint, Operation, Style},
    error::Error,
    operation::{self, Answer},
    wire::json::join,
};
use serde_json::Value;

/// What is sent: path, body, dropped.
fn sent(
    operation: Operation,
    (from, to): (Style, Style),
    body: &str,
    model: &str,
) -> Result<(String, String, Vec<String>), Error> {
    let path = match (operation, to) {
        (Operation::Embed, Style::Gemini) => "/v1beta/models/{model}:embedContent",
        (Operation::Embed, Style::Vertex) => "/publishers/google/models/{model}:predict",
        (Operation::CountTokens, Style::Gemini) => "/v1beta/models/{model}:countTokens",
        _ => "/it",
    };
    let sent = operation::write(operation, from, Endpoint { style: to, path }, body.as_bytes(), model)?;
    Ok((sent.path, join(body, &sent.body), sent.dropped))
}

fn read(operation: Operation, styles: (Style, Style), asked: &str, answer: &str) -> Result<Answer, String> {
    operation::read(operation, styles, asked.as_bytes(), answer.as_bytes(), "asked-model").map_err(|error| error.message)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
