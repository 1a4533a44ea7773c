//! Gateway keys: where they stand in a request, and how they are compared.

use sha2::{Digest, Sha256};

use crate::wire::percent;

/// Before the digest, in KV.
pub const PREFIX: &str = "key:";
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
    let is_whole = |key: &str| {
        let (text, check) = key.split_at_checked(key.len().saturating_sub(CHECK_DIGITS)).unwrap_or_default();
        key.len() == MADE.len() + RANDOM_DIGITS + CHECK_DIGITS && checksum(text) == check
    };
    LENGTH.contains(&key.len())
        && (!key.starts_with(MADE) || is_whole(key))
        && key.starts_with(MARK)
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What keys that the gateway makes begin with. Those made by hand do not.
const MADE: &str = "pk-v1_";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits that 32 random bytes take, and a checksum's.
const RANDOM_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;
/// Bytes of the digest that the checksum is of: 62^6 is more than 2^32.
const CHECK_BYTES: usize = 4;
/// Characters by which the operator tells keys apart.
const HINT: usize = 4;

/// A new key from 32 random bytes: their digits, and a checksum, so that a slip of the hand is known for one without a
/// look-up. https://github.blog/engineering/behind-githubs-new-authentication-token-formats
pub fn mint(random: &[u8]) -> String {
    let key = format!("{MADE}{}", base62(random, RANDOM_DIGITS));
    let check = checksum(&key);
    key + &check
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    base62(digest.get(..CHECK_BYTES).unwrap_or_default(), CHECK_DIGITS)
}

/// A number in so many digits, the first the greatest.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut out = String::new();
    for _ in 0..digits {
        let mut rest = 0_u16;
        for byte in &mut number {
            let wide = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(wide / 62).unwrap_or(0);
            rest = wide % 62;
        }
        out.insert(0, char::from(*BASE62.get(usize::from(rest)).unwrap_or(&b'0')));
    }
    out
}

/// The last characters of a key.
pub fn hint(key: &str) -> String {
    key.get(key.len().saturating_sub(HINT)..).unwrap_or_default().to_owned()
}

/// A key's id: its digest. Whoever has it has nothing to call with.
pub fn is_id(id: &str) -> bool {
    id.len() == 64 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The KV name of the entry of an id, and back.
pub fn name_of_id(id: &str) -> String {
    format!("{PREFIX}{id}")
}

pub fn id_of_name(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
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
