//! Ids of tool calls in Anthropic's alphabet, reversibly.

/// Says that what follows is another provider's id, spelled in the allowed alphabet.
const MARK: &str = "portolan-";

/// Anthropic refuses ids outside `[a-zA-Z0-9_-]+`; others (`functions.read:0`) are escaped byte by byte.
pub(super) fn encode(id: &str) -> String {
    if !id.is_empty() && id.bytes().all(|b| is_plain(b) || b == b'-') && !id.starts_with(MARK) {
        return id.to_owned();
    }
    let mut out = MARK.to_owned();
    for byte in id.bytes() {
        if is_plain(byte) { out.push(char::from(byte)) } else { out.push_str(&format!("-{byte:02x}")) }
    }
    out
}

/// What `encode` was given; an id that it did not make stays as it is.
pub(super) fn decode(id: String) -> String {
    id.strip_prefix(MARK).and_then(unescape).unwrap_or(id)
}

fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
