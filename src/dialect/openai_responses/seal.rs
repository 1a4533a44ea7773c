//! Thoughts and proofs of other providers on their way through a client that speaks Responses.
//!
//! Such a client sends reasoning items back as it got them, so what only their provider reads travels in
//! `encrypted_content`, marked with its dialect. A tool call has no place for a proof: it travels in a reasoning item of its
//! own that names the call. Every reasoning item of ours is marked, proof or not: OpenAI looks up those it does not know,
//! and fails.

use crate::chat::{Dialect, request::Signature};

/// Of the item's own thoughts: `portolan:gemini:…`; with nothing behind it, thoughts without a proof.
const OWN: &str = "portolan:";
/// Of a tool call: `portolan-call:gemini:6:call_1…`, the number being the length of the call's id.
const CALL: &str = "portolan-call:";
/// Thoughts only their provider can read.
const HIDDEN: &str = "portolan-redacted:";

/// Whose proofs there can be.
const PROVERS: [Dialect; 7] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::OpenAiCompletions,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Converse,
    Dialect::Cohere,
];

pub(super) enum Seal {
    Unsigned,
    Own(Signature),
    Call { id: String, signature: Signature },
    Hidden { dialect: Dialect, data: String },
}

pub(super) fn own(signature: Option<&Signature>) -> String {
    match signature {
        Some(Signature { dialect, value }) => format!("{OWN}{}:{value}", dialect.name()),
        None => OWN.to_owned(),
    }
}

pub(super) fn call(id: &str, signature: &Signature) -> String {
    format!("{CALL}{}:{}:{id}{}", signature.dialect.name(), id.len(), signature.value)
}

/// This dialect's own needs no mark.
pub(super) fn hidden(dialect: Dialect, data: &str) -> String {
    if dialect == Dialect::OpenAiResponses { data.to_owned() } else { format!("{HIDDEN}{}:{data}", dialect.name()) }
}

/// `None` for what is not ours. A mark that cannot be read (of a newer gateway, cut by a client) proves nothing.
pub(super) fn open(text: &str) -> Option<Seal> {
    let is_ours = [OWN, CALL, HIDDEN].iter().any(|mark| text.starts_with(mark));
    is_ours.then(|| read(text).unwrap_or(Seal::Unsigned))
}

fn read(text: &str) -> Option<Seal> {
    if let Some(rest) = text.strip_prefix(OWN) {
        let (dialect, value) = split_dialect(rest)?;
        return Some(Seal::Own(Signature { dialect, value: value.to_owned() }));
    }
    if let Some(rest) = text.strip_prefix(HIDDEN) {
        let (dialect, data) = split_dialect(rest)?;
        return Some(Seal::Hidden { dialect, data: data.to_owned() });
    }
    let (dialect, rest) = split_dialect(text.strip_prefix(CALL)?)?;
    let (length, rest) = rest.split_once(':')?;
    let length = length.parse::<usize>().ok()?;
    let (id, value) = (rest.get(..length)?, rest.get(length..)?);
    Some(Seal::Call { id: id.to_owned(), signature: Signature { dialect, value: value.to_owned() } })
}

/// Whether a body may hold one of our marks: cheap, for it looks at every body.
pub(super) fn is_suspect(text: &str) -> bool {
    [OWN, CALL, HIDDEN].iter().any(|mark| text.contains(mark))
}

fn split_dialect(text: &str) -> Option<(Dialect, &str)> {
    let (name, value) = text.split_once(':')?;
    PROVERS.into_iter().find(|dialect| dialect.name() == name).map(|dialect| (dialect, value))
}
