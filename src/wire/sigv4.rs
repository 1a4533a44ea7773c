//! AWS Signature Version 4: what proves to Amazon that a request is ours.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use super::{
    digest::{hex, hmac, sha256},
    percent,
};
use crate::{sorted::in_order, units::Millis};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed.
pub struct Call<'a> {
    pub method: &'a str,
    /// As it is sent: a path without `.` and `..` segments, its escapes in place.
    pub url: &'a str,
    /// Those that arrive as they are written here; `host` is added. Names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// From [`body_digest`].
    pub body_sha256: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

pub struct Keys<'a> {
    pub access_key: &'a str,
    pub secret_key: &'a str,
    pub session_token: Option<&'a str>,
}

/// The digest of a body that is sent in pieces.
pub fn body_digest<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    hex(&sha256(pieces))
}

/// The headers to add.
pub fn sign(call: &Call<'_>, keys: &Keys<'_>, now: Millis) -> Vec<(String, String)> {
    let time = timestamp(now);
    let date = time.get(..8).unwrap_or_default();
    let (host, path, query) = split(call.url);
    let mut added = vec![("x-amz-date", time.as_str())];
    added.extend(keys.session_token.map(|token| ("x-amz-security-token", token)));
    let headers = call.headers.iter().chain(&added).copied().chain([("host", host)]);
    let headers: Vec<(&str, &str)> = in_order(headers, |a, b| a.0 <= b.0);
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut text = format!("{}\n{}\n{}\n", call.method, twice_encoded(path), sorted(query));
    for (name, value) in headers {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        text.push_str(&format!("{name}:{}\n", words.join(" ")));
    }
    text.push_str(&format!("\n{names}\n{}", call.body_sha256));
    let scope = format!("{date}/{}/{}/aws4_request", call.region, call.service);
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", body_digest([text.as_bytes()]));
    let seed = hmac(format!("AWS4{}", keys.secret_key).as_bytes(), &[date.as_bytes()]);
    let key = [call.region, call.service, "aws4_request"].iter().fold(seed, |key, word| hmac(&key, &[word.as_bytes()]));
    let signature = hex(&hmac(&key, &[to_sign.as_bytes()]));
    let proof = format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", keys.access_key);
    added.push(("authorization", &proof));
    added.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Host, path and query.
fn split(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (host, if path.is_empty() { "/" } else { path }, query)
}

/// Every service but S3 wants the path encoded once more than it is sent.
fn twice_encoded(path: &str) -> String {
    let segments: Vec<String> = path.split('/').map(percent::encoded).collect();
    segments.join("/")
}

fn sorted(query: &str) -> String {
    let recoded = |text: &str| percent::encoded(&percent::decoded(text));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (recoded(name), recoded(value))
    };
    let pairs = query.split('&').filter(|text| !text.is_empty()).map(pair);
    let pairs: Vec<String> = in_order(pairs, |a, b| a <= b).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// `20150830T123600Z`
fn timestamp(now: Millis) -> String {
    let seconds = now.0 / 1000;
    let (year, month, day) = now.civil();
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}
