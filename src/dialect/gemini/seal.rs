//! Proofs of other providers on their way through a client that speaks Gemini.
//!
//! Such a client sends a `thoughtSignature` back on the part that it came with. Google's is base64, and SDKs decode it and
//! encode it anew, some in the alphabet of URLs: a foreign one is therefore base64 of our mark, its dialect and itself.

use crate::{
    chat::{Dialect, request::Signature},
    wire::base64,
};

/// Nine bytes, which are twelve characters whatever follows.
const MARK: &str = "portolan:";
/// Before the dialect of thoughts that only their provider reads.
const REDACTED: &str = "redacted-";
/// `MARK` in base64.
pub(super) const SEALED: &str = "cG9ydG9sYW46";

/// What stands for a signature that never was: documented by Google, and sent by its clients, some in base64.
const STAND_INS: [&str; 3] = [STAND_IN, "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=", "context_engineering_is_the_way_to_go"];
pub(super) const STAND_IN: &str = "skip_thought_signature_validator";

pub(super) enum Proof {
    Own(Signature),
    /// Thoughts that only the provider can read.
    Redacted {
        data: String,
        dialect: Dialect,
    },
}

pub(super) fn seal(signature: &Signature) -> String {
    let Signature { dialect, value } = signature;
    if *dialect == Dialect::Gemini {
        value.clone()
    } else {
        base64::encode(format!("{MARK}{}:{value}", dialect.name()).as_bytes())
    }
}

pub(super) fn seal_redacted(data: &str, dialect: Dialect) -> String {
    base64::encode(format!("{MARK}{REDACTED}{}:{data}", dialect.name()).as_bytes())
}

/// `None` for a stand-in, which proves nothing.
pub(super) fn unseal(text: String) -> Option<Proof> {
    if text.is_empty() || STAND_INS.contains(&text.as_str()) {
        return None;
    }
    Some(open(&text).unwrap_or(Proof::Own(Signature { dialect: Dialect::Gemini, value: text })))
}

fn open(text: &str) -> Option<Proof> {
    let plain = String::from_utf8(base64::decode(&standard(text.starts_with(SEALED).then_some(text)?))?).ok()?;
    let (name, value) = plain.strip_prefix(MARK)?.split_once(':')?;
    let (redacted, name) = name.strip_prefix(REDACTED).map_or((false, name), |name| (true, name));
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name)?;
    let value = value.to_owned();
    Some(if redacted { Proof::Redacted { data: value, dialect } } else { Proof::Own(Signature { dialect, value }) })
}

/// Base64 in its standard alphabet, padded: Google's SDKs write that of URLs, which other providers refuse.
pub(super) fn standard(text: &str) -> String {
    let mut out = text.replace('-', "+").replace('_', "/");
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}
