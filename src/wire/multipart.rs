//! `multipart/form-data` (RFC 7578), as far as a text field's place in it goes.

use std::ops::Range;

/// Headers of one part: name, type and a line or two more.
const MAX_HEAD: usize = 2_048;
/// RFC 2046.
const MAX_BOUNDARY: usize = 70;

/// The boundary that a `content-type` names; none when it is of another kind.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut values = parameters.split(';').filter_map(|pair| parameter(pair, "boundary"));
    // Of two, another reader may take the other, and see other fields.
    let value = values.next().filter(|value| !value.is_empty() && value.len() <= MAX_BOUNDARY)?;
    values.next().is_none().then_some(value)
}

/// `name="value"` without regard for the case of its name.
fn parameter<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = pair.split_once('=')?;
    found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
}

/// Where the value of a text field stands in a body; nowhere when it is there twice: of two, another reader may take the
/// other.
pub fn field(body: &[u8], boundary: &str, name: &str) -> Option<Range<usize>> {
    let mut found = None;
    for range in fields(body, boundary, name)? {
        if found.replace(range).is_some() {
            return None;
        }
    }
    found
}

/// All text fields of a name; none of a body that is no form to its end.
fn fields(body: &[u8], boundary: &str, name: &str) -> Option<Vec<Range<usize>>> {
    let mut found = vec![];
    let delimiter = format!("\r\n--{boundary}");
    let opening = format!("--{boundary}");
    let mut at =
        if body.starts_with(opening.as_bytes()) { opening.len() } else { find(body, delimiter.as_bytes(), 0)? + delimiter.len() };
    loop {
        let head = body.get(at..)?;
        if head.starts_with(b"--") {
            return Some(found);
        }
        let head_end = find(head.get(..MAX_HEAD.min(head.len()))?, b"\r\n\r\n", 0)?;
        let start = at + head_end + 4;
        let end = find(body, delimiter.as_bytes(), start)?;
        // Without a name of its own: another reader may know what to make of it.
        if field_name(head.get(..head_end)?)?.is_some_and(|this| this.eq_ignore_ascii_case(name)) {
            found.push(start..end);
        }
        at = end + delimiter.len();
    }
}

/// What a part is called, where it is called so in one way only; nothing of a file.
fn field_name(head: &[u8]) -> Option<Option<String>> {
    let head = String::from_utf8_lossy(head);
    let is_disposition =
        |line: &&str| line.split_once(':').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let mut dispositions = head.lines().filter(is_disposition);
    let disposition = dispositions.next().filter(|_| dispositions.next().is_none())?;
    let lower = disposition.to_ascii_lowercase();
    if lower.split(';').any(|pair| pair.trim().starts_with("filename")) {
        return Some(None);
    }
    let mut names = disposition.split(';').filter_map(|pair| parameter(pair, "name"));
    let name = names.next().filter(|_| names.next().is_none())?;
    (!name.contains(['\\', '"', '%']) && !lower.contains("name*")).then(|| Some(name.to_owned()))
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
