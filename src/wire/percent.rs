//! Percent encoding of URLs (RFC 3986).

/// One segment of a path, or one value of a query: all but the unreserved characters is escaped.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The text behind the escapes. What is no escape stands for itself.
pub fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|two| byte == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let escaped = escaped.and_then(|two| std::str::from_utf8(two).ok());
        if let Some(code) = escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            out.push(code);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a path has a step up or a step on the spot in it, in any spelling that somebody on the way might read so.
pub fn climbs(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    // Twice: some servers decode what a proxy before them has decoded already.
    let path = path.replace("%25", "%").replace("%25", "%");
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace('\\', "/");
    // Parameters of a segment, which some servers take off first: `..;x/`.
    path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}
