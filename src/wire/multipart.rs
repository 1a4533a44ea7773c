//! `multipart/form-data` (RFC 7578), as far as a text field's place in it goes.

use std::ops::Range;

/// Headers of one part: name, type and a line or two more.
const MAX_HEAD: usize = 2_048;

/// The boundary that a `content-type` names; none when it is of another kind.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|pair| pair.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"')).filter(|value| !value.is_empty())
}

/// Where the value of a text field stands in a body. Of a field that is there twice the first.
pub fn field(body: &[u8], boundary: &str, name: &str) -> Option<Range<usize>> {
    let delimiter = format!("\r\n--{boundary}");
    let opening = format!("--{boundary}");
    let mut at =
        if body.starts_with(opening.as_bytes()) { opening.len() } else { find(body, delimiter.as_bytes(), 0)? + delimiter.len() };
    loop {
        let head = body.get(at..)?;
        let head_end = find(head.get(..MAX_HEAD.min(head.len()))?, b"\r\n\r\n", 0)?;
        let start = at + head_end + 4;
        let end = find(body, delimiter.as_bytes(), start)?;
        if is_named(head.get(..head_end)?, name) {
            return Some(start..end);
        }
        at = end + delimiter.len();
    }
}

fn is_named(head: &[u8], name: &str) -> bool {
    let Ok(head) = std::str::from_utf8(head) else { return false };
    let disposition =
        head.lines().find(|line| line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:")));
    let mut pairs = disposition.into_iter().flat_map(|line| line.split(';')).map(str::trim);
    let wanted = pairs.clone().find_map(|pair| pair.strip_prefix("name="));
    wanted.is_some_and(|value| value.trim_matches('"') == name) && !pairs.any(|pair| pair.starts_with("filename"))
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut at = from;
    loop {
        at += haystack.get(at..)?.iter().position(|byte| byte == first)?;
        if haystack.get(at + 1..)?.starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
}
