//! Gateway keys: where they stand in a request, and how they are compared.

use sha2::{Digest, Sha256};

use crate::wire::percent;

/// Before the digest, in KV.
const PREFIX: &str = "key:";
/// Every key the gateway hands out begins so.
const MARK: &str = "pk-";
/// Shorter ones could be guessed; longer ones are nobody's.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=200;

/// SHA-256 in lower-case hex: all that is stored of a key.
pub fn digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        out
    })
}

/// The KV name of a key's entry.
pub fn entry_name(key: &str) -> String {
    format!("{PREFIX}{}", digest(key))
}

/// Could this be a key that the gateway handed out? Saves a look-up for what cannot.
pub fn is_well_formed(key: &str) -> bool {
    LENGTH.contains(&key.len())
        && key.starts_with(MARK)
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Compares digests, and all of their bytes: the time taken says nothing of the key.
pub(super) fn is_same(key: &str, secret: Option<&str>) -> bool {
    let Some(secret) = secret.map(str::trim).filter(|s| !s.is_empty()) else { return false };
    let (a, b) = (Sha256::digest(key.as_bytes()), Sha256::digest(secret.as_bytes()));
    a.iter().zip(b.iter()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// The key a request brings. Header names are compared without case; `x-api-key` wins over `Authorization`, for SDKs that
/// send both mean it. `query` is the URL's, without the question mark.
pub fn presented(headers: &[(String, String)], query: Option<&str>) -> Option<String> {
    let header = |name: &str| {
        let value = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())?;
        Some(value).filter(|v| !v.is_empty())
    };
    let bearer = || {
        let (scheme, key) = header("authorization")?.split_once(' ')?;
        Some(key.trim()).filter(|key| scheme.eq_ignore_ascii_case("bearer") && !key.is_empty())
    };
    let found = header("x-api-key").or_else(bearer).or_else(|| header("x-goog-api-key")).or_else(|| header("api-key"));
    found.map(str::to_owned).or_else(|| query.and_then(in_query))
}

fn in_query(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    Some(percent::decoded(value)).filter(|key| !key.is_empty())
}
