//! Data URLs (RFC 2397), as loosely as they come: parameters, white space, percent-encoding.

use crate::chat::request::Source;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 2397: what a data URL without a media type is.
const DEFAULT_TYPE: &str = "text/plain";

/// Any URL: a data URL becomes inline data. `None` for a data URL that is broken.
pub fn source(url: &str) -> Option<Source> {
    let url = url.trim();
    match url.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data") => inline(rest),
        _ => Some(Source::Url(url.to_owned())),
    }
}

fn inline(rest: &str) -> Option<Source> {
    let (head, data) = rest.split_once(',')?;
    let mut words = head.split(';').map(str::trim);
    let media_type = words.next().filter(|word| !word.is_empty()).unwrap_or(DEFAULT_TYPE).to_ascii_lowercase();
    let is_base64 = words.any(|word| word.eq_ignore_ascii_case("base64"));
    let data = if is_base64 { clean_base64(data)? } else { base64(&unpercent(data)) };
    Some(Source::Inline { media_type, data })
}

/// Standard base64 with padding, from either alphabet, with white space and percent-encoding undone.
pub fn clean_base64(data: &str) -> Option<String> {
    let bytes = if data.contains('%') { unpercent(data) } else { data.as_bytes().to_vec() };
    let mut out = String::with_capacity(bytes.len() + 3);
    for byte in bytes {
        match byte {
            b'-' => out.push('+'),
            b'_' => out.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => out.push(char::from(byte)),
            b'=' | b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => return None,
        }
    }
    match out.len() % 4 {
        0 => {}
        2 => out.push_str("=="),
        3 => out.push('='),
        _ => return None,
    }
    Some(out)
}

fn unpercent(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    while let Some((&byte, rest)) = bytes.split_first() {
        let hex = rest.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                bytes = rest.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                bytes = rest;
            }
        }
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(bits >> shift & 63).ok().and_then(|i| ALPHABET.get(i));
            out.push(digit.filter(|_| place <= group.len()).map_or('=', |&b| char::from(b)));
        }
    }
    out
}
