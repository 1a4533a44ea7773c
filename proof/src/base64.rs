//! Base64, read: recordings keep binary bodies in it.

/// `None` for what is not base64. Padding and line ends are skipped.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (vec![], 0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'=' | b'\n' | b'\r')) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    Some(out)
}
