//! W3C Trace Context: which trace a request belongs to, and what is said of it to the next.
//!
//! <https://www.w3.org/TR/trace-context-2/>

use super::digest;

const SAMPLED: u8 = 1;
/// The last seven bytes of the trace's id are random.
const RANDOM: u8 = 2;
const TRACE_DIGITS: usize = 32;
const SPAN_DIGITS: usize = 16;
/// Of version 00; a later one may add to it.
const HEADER_BYTES: usize = 55;

/// The place of one request in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 digits: the caller's, or made from the request's id.
    pub trace_id: String,
    /// 16 digits: of the request itself.
    pub span_id: String,
    /// The caller's span.
    pub parent: Option<String>,
    flags: u8,
}

impl Trace {
    /// Of a request with this id, whose caller sent this `traceparent`. What is not valid counts as not sent.
    pub fn of(id: &str, traceparent: Option<&str>) -> Self {
        let own = own_digits(id);
        let span_id = own.get(TRACE_DIGITS - SPAN_DIGITS..).unwrap_or_default().to_owned();
        match traceparent.and_then(read) {
            Some((trace_id, parent, flags)) => Self {
                trace_id: trace_id.to_owned(),
                span_id,
                parent: Some(parent.to_owned()),
                flags: flags & (SAMPLED | RANDOM),
            },
            None => Self { trace_id: own, span_id, parent: None, flags: RANDOM },
        }
    }

    /// What the caller decided: whether its trace is kept.
    pub fn is_sampled(&self) -> Option<bool> {
        self.parent.as_ref().map(|_| self.flags & SAMPLED != 0)
    }

    /// What is sent on: `span` is whose child the next one is.
    pub fn header(&self, span: &str, is_sampled: bool) -> String {
        let flags = self.flags & RANDOM | if is_sampled { SAMPLED } else { 0 };
        format!("00-{}-{span}-{flags:02x}", self.trace_id)
    }
}

/// The span of a request's try: `number` were sent before it.
pub fn try_span(span_id: &str, number: usize) -> String {
    let first = u64::from_str_radix(span_id, 16).unwrap_or(1);
    let number = u64::try_from(number).unwrap_or_default();
    format!("{:016x}", first.wrapping_add(number).wrapping_add(1))
}

/// Whether a header says what the specification allows.
pub fn is_traceparent(text: &str) -> bool {
    read(text).is_some()
}

fn read(text: &str) -> Option<(&str, &str, u8)> {
    let known = text.get(..HEADER_BYTES)?;
    let mut parts = known.split('-');
    let (version, trace_id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let has_more = match text.get(HEADER_BYTES..)? {
        "" => false,
        more if more.starts_with('-') => true,
        _ => return None,
    };
    let is_known = parts.next().is_none() && digits(version, 2) && version != "ff" && (version != "00" || !has_more);
    let is_set = |text: &str| text.bytes().any(|b| b != b'0');
    let is_whole = digits(trace_id, TRACE_DIGITS) && digits(parent, SPAN_DIGITS) && digits(flags, 2);
    let is_valid = is_known && is_whole && is_set(trace_id) && is_set(parent);
    is_valid.then_some((trace_id, parent, u8::from_str_radix(flags, 16).ok()?))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// An id of ours ends in the digits of a random UUID; of any other they are made.
fn own_digits(id: &str) -> String {
    let tail = id.rsplit('_').next().unwrap_or_default();
    if digits(tail, TRACE_DIGITS) {
        return tail.to_owned();
    }
    digest::hex(&digest::sha256([id.as_bytes()])).get(..TRACE_DIGITS).unwrap_or_default().to_owned()
}
