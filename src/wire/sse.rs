//! Server-sent events, split from bytes that arrive cut anywhere.
//!
//! Survives LF, CRLF and CR, several data lines, comments, and a last event without its blank line. Every byte that came
//! in is in the `raw` of exactly one frame, so frames can be passed on untouched.

use std::borrow::Cow;

/// Bytes of one event. Inline images come whole in one event; 16 MiB holds the largest that providers send.
pub const MAX_FRAME: usize = 16 << 20;

/// One event, or a stretch of comments and blank lines (then `data` is `None`).
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub event: Option<Cow<'a, str>>,
    pub data: Option<Cow<'a, str>>,
    pub raw: &'a [u8],
}

/// The stream is not server-sent events of a bearable size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLarge;

/// An incremental splitter: `push` bytes, then take frames until there is none.
#[derive(Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Where the frame that is being collected begins.
    start: usize,
    /// Where its unfinished line begins.
    line: usize,
    /// How far that line was searched for its end.
    searched: usize,
}

impl Frames {
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FrameTooLarge> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.line -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.len() + bytes.len() > MAX_FRAME {
            return Err(FrameTooLarge);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Bytes of the frame that is being collected.
    pub const fn pending(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// The next whole frame.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        while let Some((end, next)) = self.line_end() {
            let blank = end == self.line;
            self.line = next;
            self.searched = next;
            if blank {
                let raw = self.start..next;
                self.start = next;
                return self.buffer.get(raw).map(frame);
            }
        }
        None
    }

    /// At the end of the stream: what is left, as a frame.
    pub fn last_frame(&mut self) -> Option<Frame<'_>> {
        let raw = self.start..self.buffer.len();
        self.start = raw.end;
        self.line = raw.end;
        self.searched = raw.end;
        self.buffer.get(raw).filter(|raw| !raw.is_empty()).map(frame)
    }

    /// End of the current line and start of the next one. A CR at the very end may be half a CRLF: wait for more.
    fn line_end(&mut self) -> Option<(usize, usize)> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(offset) = rest.iter().position(|&b| b == b'\n' || b == b'\r') else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + offset;
        match (self.buffer.get(end), self.buffer.get(end + 1)) {
            (Some(b'\r'), Some(b'\n')) => Some((end, end + 2)),
            (Some(b'\r'), None) => {
                self.searched = end;
                None
            }
            _ => Some((end, end + 1)),
        }
    }
}

fn frame(raw: &[u8]) -> Frame<'_> {
    let mut frame = Frame { event: None, data: None, raw };
    for line in raw.split(|&b| b == b'\n' || b == b'\r') {
        let (name, value) = match line.iter().position(|&b| b == b':') {
            Some(colon) => (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default()),
            None => (line, <&[u8]>::default()),
        };
        let value = String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value));
        match name {
            b"event" => frame.event = Some(value),
            b"data" => {
                frame.data = Some(match frame.data.take() {
                    None => value,
                    Some(before) => Cow::Owned(format!("{before}\n{value}")),
                });
            }
            _ => {}
        }
    }
    frame
}

/// What ends a line for some who split text, and not for JSON, with its escape: clients would see half an event.
const LINE_ENDS: [(char, &str); 3] = [('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029"), ('\u{85}', "\\u0085")];

/// Writes one event: `event:` only where the dialect has it. `data` is JSON, or one word.
pub fn write(out: &mut String, event: Option<&str>, data: &str) {
    if let Some(event) = event {
        out.push_str("event: ");
        out.push_str(event);
        out.push('\n');
    }
    out.push_str("data: ");
    // Their first bytes: rare enough to spare the search for the characters.
    if data.bytes().any(|byte| byte == 0xE2 || byte == 0xC2) && data.contains(LINE_ENDS.map(|(end, _)| end)) {
        let escaped = LINE_ENDS.iter().fold(data.to_owned(), |text, (end, escape)| text.replace(*end, escape));
        out.push_str(&escaped);
    } else {
        out.push_str(data);
    }
    out.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(chunks: &[&[u8]]) -> Vec<(Option<String>, Option<String>)> {
        let (mut frames, mut seen, mut raw) = (Frames::default(), vec![], vec![]);
        let mut keep = |frame: Frame<'_>| {
            raw.extend_from_slice(frame.raw);
            if frame.data.is_some() {
                seen.push((frame.event.map(Cow::into_owned), frame.data.map(Cow::into_owned)));
            }
        };
        for chunk in chunks {
            frames.push(chunk).unwrap();
            while let Some(frame) = frames.next_frame() {
                keep(frame);
            }
        }
        if let Some(frame) = frames.last_frame() {
            keep(frame);
        }
        assert_eq!(raw, chunks.concat(), "every byte is in exactly one frame");
        seen
    }

    #[test]
    fn any_cut_of_the_bytes_gives_the_same_events() {
        let text = ": hello\n\nevent: a\r\ndata: {\"é\":\r\ndata:1}\r\n\r\ndata: x\rdata: y\r\rdata: last\n".as_bytes();
        let whole = collect(&[text]);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole.first(), Some(&(Some("a".to_owned()), Some("{\"é\":\n1}".to_owned()))));
        for cut in 0..text.len() {
            let (left, right) = text.split_at(cut);
            assert_eq!(collect(&[left, right]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(collect(&bytes), whole, "byte by byte");
    }

    #[test]
    fn what_splits_lines_is_escaped() {
        let mut out = String::new();
        write(&mut out, None, "{\"a\":\"x\u{2028}y\u{2029}z\u{85}é\"}");
        assert_eq!(out, "data: {\"a\":\"x\\u2028y\\u2029z\\u0085é\"}\n\n");
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut frames = Frames::default();
        assert_eq!(frames.push(&vec![b'x'; MAX_FRAME]), Ok(()));
        assert_eq!(frames.push(b"x"), Err(FrameTooLarge));
    }
}
