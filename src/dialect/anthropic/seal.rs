//! Proofs of other providers on their way through a client that speaks Anthropic.
//!
//! Such a client sends thinking back as it got it, so a foreign signature travels in a thinking block's `signature`, marked
//! with its dialect. A tool call has no place for one: it travels in a thinking block of its own that names the call.

use serde_json::Value;

use super::id;
use crate::{
    chat::{
        Dialect,
        request::{Signature, ToolCall},
    },
    wire::compose::json,
};

/// All whose proofs may travel here.
const PROVERS: [Dialect; 8] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::OpenAiCompletions,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Converse,
    Dialect::Cohere,
    Dialect::WorkersAi,
];
/// Of the block's own thoughts: `portolan:gemini:…`.
const OWN: &str = "portolan:";
/// Of a tool call: `portolan-call:gemini:toolu_1:…`.
const CALL: &str = "portolan-call:";

/// A thinking block's `signature` or a redacted block's `data`. Anthropic's own stays byte for byte.
pub(super) fn seal(dialect: Dialect, value: &str) -> String {
    if dialect == Dialect::Anthropic { value.to_owned() } else { format!("{OWN}{}:{value}", dialect.name()) }
}

pub(super) fn unseal(text: String) -> Signature {
    match text.strip_prefix(OWN).and_then(split_dialect) {
        Some((dialect, value)) => Signature { dialect, value: value.to_owned() },
        None => Signature { dialect: Dialect::Anthropic, value: text },
    }
}

pub(super) fn is_sealed(text: &str) -> bool {
    text.starts_with(OWN) || text.starts_with(CALL)
}

/// The thinking block that carries a call's signature.
pub(super) fn call_block(call: &ToolCall) -> Option<Value> {
    let signature = call.signature.as_ref()?;
    Some(json!({"type": "thinking", "thinking": "", "signature": call_seal(&call.id, signature)}))
}

pub(super) fn call_seal(call: &str, signature: &Signature) -> String {
    format!("{CALL}{}:{}:{}", signature.dialect.name(), id::encode(call), signature.value)
}

/// The call's id and its signature.
pub(super) fn unseal_call(text: &str) -> Option<(String, Signature)> {
    let (dialect, rest) = split_dialect(text.strip_prefix(CALL)?)?;
    let (call, value) = rest.split_once(':')?;
    Some((id::decode(call.to_owned()), Signature { dialect, value: value.to_owned() }))
}

fn split_dialect(text: &str) -> Option<(Dialect, &str)> {
    let (name, value) = text.split_once(':')?;
    PROVERS.into_iter().find(|dialect| dialect.name() == name).map(|dialect| (dialect, value))
}
