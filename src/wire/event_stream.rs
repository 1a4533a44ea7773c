//! Amazon's event stream: binary messages, cut anywhere.
//!
//! Each message is handed on as the server-sent event that says the same: `raw` is that event's text, so it can be passed
//! to whoever reads those. An event's name is its `:event-type`. Of a `chunk` (Bedrock's wrapping of another API's events)
//! what is inside comes out, named by its `type`. An exception is named by its type, and its data have that and the
//! message once more as `error`, where readers of other streams look for one.

use std::{borrow::Cow, ops::Range};

use serde_json::{Map, Value};

use super::compose::{Members, json};

use super::{
    base64,
    framing::Unreadable,
    json::{Outline, json_text},
    sse::{self, Frame},
};

/// Bytes of one message, as for server-sent events: an image comes whole. Amazon's own limit is 24 MiB.
const MAX_MESSAGE: usize = sse::MAX_FRAME;
/// Total length, length of the headers, checksum of these two.
const PRELUDE: usize = 12;
/// The checksum at the end.
const CHECKSUM: usize = 4;
/// CRC-32 (reflected 0x04C11DB7) of each half byte.
const CRC: [u32; 16] = [
    0x0000_0000,
    0x1db7_1064,
    0x3b6e_20c8,
    0x26d9_30ac,
    0x76dc_4190,
    0x6b6b_51f4,
    0x4db2_6158,
    0x5005_713c,
    0xedb8_8320,
    0xf00f_9344,
    0xd6d6_a3e8,
    0xcb61_b38c,
    0x9b64_c2b0,
    0x86d3_d2d4,
    0xa00a_e278,
    0xbdbd_f21c,
];

/// An incremental splitter, used like [`sse::Frames`].
#[derive(Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Where the first unread message begins.
    start: usize,
    /// Where the last whole message ends; up to here all is checked.
    whole: usize,
    /// The last message as a server-sent event.
    text: String,
}

impl Frames {
    /// An error also when a checksum or a length is wrong: nothing after it can be trusted.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.buffer.drain(..self.start);
        self.whole = self.whole.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.len().saturating_add(bytes.len()) > MAX_MESSAGE {
            return Err(Unreadable::TooLarge);
        }
        self.buffer.extend_from_slice(bytes);
        while let Some(message) = self.buffer.get(self.whole..).map(first).transpose()?.flatten() {
            self.whole = self.whole.saturating_add(message.len());
        }
        Ok(())
    }

    /// Bytes of the message that is being collected.
    pub const fn pending(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// The next whole message.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let message = first(self.buffer.get(self.start..self.whole)?).ok()??;
        self.start = self.start.saturating_add(message.len());
        let event = Message::read(message);
        let (name, data) = event.tell();
        let (name, data) = render(&name, &data, &mut self.text);
        let part = |range: Range<usize>| self.text.get(range).map(Cow::Borrowed);
        Some(Frame { event: part(name), data: part(data), raw: self.text.as_bytes() })
    }

    /// None: what is left of a message at the end of a stream says nothing.
    pub fn last_frame(&mut self) -> Option<Frame<'_>> {
        self.next_frame()
    }
}

/// The message at the beginning, once all of it is there.
fn first(bytes: &[u8]) -> Result<Option<&[u8]>, Unreadable> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    let (total, headers) = (length(prelude, 0), length(prelude, 4));
    if !is_sound(prelude) || total < headers.saturating_add(PRELUDE + CHECKSUM) {
        return Err(Unreadable::Corrupt);
    }
    if total > MAX_MESSAGE {
        return Err(Unreadable::TooLarge);
    }
    let Some(message) = bytes.get(..total) else { return Ok(None) };
    if is_sound(message) { Ok(Some(message)) } else { Err(Unreadable::Corrupt) }
}

/// Whether the last four bytes are the checksum of those before.
fn is_sound(bytes: &[u8]) -> bool {
    bytes.split_last_chunk().is_some_and(|(text, sum)| crc(text) == u32::from_be_bytes(*sum))
}

fn crc(bytes: &[u8]) -> u32 {
    let half = |crc: u32| crc >> 4 ^ usize::try_from(crc & 0xf).ok().and_then(|at| CRC.get(at)).copied().unwrap_or_default();
    !bytes.iter().fold(u32::MAX, |crc, &byte| half(half(crc ^ u32::from(byte))))
}

/// A 32-bit length; one that is not there is impossible.
fn length(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk());
    four.and_then(|four| usize::try_from(u32::from_be_bytes(*four)).ok()).unwrap_or(usize::MAX)
}

/// What matters of a message.
#[derive(Default)]
struct Message<'a> {
    kind: Cow<'a, str>,
    event: Cow<'a, str>,
    exception: Cow<'a, str>,
    error: Cow<'a, str>,
    error_message: Cow<'a, str>,
    payload: Cow<'a, str>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let end_of_headers = PRELUDE.saturating_add(length(bytes, 4));
        let mut rest = bytes.get(PRELUDE..end_of_headers).unwrap_or_default();
        let payload = bytes.get(end_of_headers..bytes.len().saturating_sub(CHECKSUM)).unwrap_or_default();
        let mut message = Self { payload: String::from_utf8_lossy(payload), ..Self::default() };
        while let Some((name, value, tail)) = header(rest) {
            rest = tail;
            let text = String::from_utf8_lossy(value);
            match name {
                b":message-type" => message.kind = text,
                b":event-type" => message.event = text,
                b":exception-type" => message.exception = text,
                b":error-code" => message.error = text,
                b":error-message" => message.error_message = text,
                _ => {}
            }
        }
        message
    }

    /// Its name and its data.
    fn tell(self) -> (String, String) {
        match self.kind.as_ref() {
            "exception" => failure(&self.exception, None, &self.payload),
            "error" => failure(&self.error, Some(&self.error_message), &self.payload),
            _ if self.event == "chunk" => {
                let inner = unwrapped(&self.payload);
                inner.unwrap_or_else(|| (self.event.into_owned(), self.payload.into_owned()))
            }
            _ => (self.event.into_owned(), self.payload.into_owned()),
        }
    }
}

/// Name, value and what follows. Values of fixed size have no length.
fn header(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&name_length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(name_length))?;
    let (&kind, rest) = rest.split_first()?;
    let (size, rest) = match kind {
        // true, false; byte, short, int, long; byte array, string; timestamp, UUID.
        0 | 1 => (0, rest),
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        6 | 7 => {
            let (size, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*size)), rest)
        }
        5 | 8 => (8, rest),
        9 => (16, rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(size)?;
    Some((name, value, rest))
}

/// What a `chunk` wraps, and its type.
fn unwrapped(payload: &str) -> Option<(String, String)> {
    let outer = Outline::read(payload.as_bytes()).ok()?;
    let bytes: String = outer.parse("bytes", "base64").ok()??;
    let inner = String::from_utf8(base64::decode(&bytes)?).ok()?;
    let name = Outline::read(inner.as_bytes()).ok().and_then(|inner| inner.parse::<String>("type", "a string").ok()?);
    Some((name.unwrap_or_else(|| "chunk".to_owned()), inner))
}

fn failure(name: &str, message: Option<&str>, payload: &str) -> (String, String) {
    let mut data: Map<String, Value> = serde_json::from_str(payload).unwrap_or_default();
    let told = data.get("message").or_else(|| data.get("Message")).and_then(Value::as_str);
    let message = message.or(told).unwrap_or(payload);
    let error = json!({"type": name, "message": message});
    data.put("error", error);
    (name.to_owned(), json_text(&Value::Object(data)))
}

/// Where name and data stand in the text. JSON has line ends between its tokens only, where a space will do.
fn render(name: &str, data: &str, text: &mut String) -> (Range<usize>, Range<usize>) {
    let line = |part: &str| part.replace(['\n', '\r'], " ");
    let (name, data) = (line(name), line(data));
    text.clear();
    sse::write(text, Some(&name), &data);
    let name_start = "event: ".len();
    let data_start = name_start + name.len() + "\ndata: ".len();
    // Written, data may be longer: `sse::write` escapes the line ends of JavaScript.
    (name_start..name_start + name.len(), data_start..text.len().saturating_sub("\n\n".len()))
}
