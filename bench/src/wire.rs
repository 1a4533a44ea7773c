//! HTTP/1.1 on a blocking socket: as much of it as a load generator and a scripted upstream need.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use memchr::memmem;

/// Larger than any head, and than most of what one `read` returns.
const BUFFER: usize = 64 * 1024;

/// How the length of a body is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

/// One connection, with what was read of it and not yet used.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Wire {
    pub fn new(stream: TcpStream, patience: Option<Duration>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(patience)?;
        Ok(Self { stream, buffer: vec![0; BUFFER], start: 0, end: 0 })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next head, or nothing when the peer has closed between two messages.
    pub fn head(&mut self) -> io::Result<Option<String>> {
        let Some(head) = self.until(b"\r\n\r\n")? else {
            return Ok(None);
        };
        String::from_utf8(head).map(Some).map_err(|_| io::Error::other("head is not text"))
    }

    /// Hands the body to `sink` in the pieces it arrives in.
    pub fn body(&mut self, framing: &Framing, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        match framing {
            Framing::Length(length) => self.take(*length, sink),
            Framing::Chunked => self.chunks(sink),
        }
    }

    fn chunks(&mut self, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        loop {
            let line = self.until(b"\r\n")?.ok_or_else(cut)?;
            let size = read_chunk_size(&line).ok_or_else(|| io::Error::other("chunk size is not hexadecimal"))?;
            self.take(size, sink)?;
            let trailer = self.until(b"\r\n")?.ok_or_else(cut)?;
            if !trailer.is_empty() {
                return Err(io::Error::other("chunk does not end where it said"));
            }
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, length: usize, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            if self.start == self.end && self.fill()? == 0 {
                return Err(cut());
            }
            let piece = left.min(self.end - self.start);
            sink(self.buffer.get(self.start..self.start + piece).unwrap_or_default());
            self.start += piece;
            left -= piece;
        }
        Ok(())
    }

    fn until(&mut self, mark: &[u8]) -> io::Result<Option<Vec<u8>>> {
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(length) = memmem::find(unread, mark) {
                let found = unread.get(..length).unwrap_or_default().to_vec();
                self.start += length + mark.len();
                return Ok(Some(found));
            }
            let clean = unread.is_empty();
            if self.fill()? == 0 {
                return if clean { Ok(None) } else { Err(cut()) };
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 && (self.start == self.end || self.end == self.buffer.len()) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        if room.is_empty() {
            return Err(io::Error::other("head or chunk line longer than the buffer"));
        }
        let count = self.stream.read(room)?;
        self.end += count;
        Ok(count)
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed within a message")
}

/// How the body that follows a head is framed; a head that says nothing has none.
pub fn framing(head: &str) -> Framing {
    if field(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Framing::Chunked;
    }
    Framing::Length(field(head, "content-length").and_then(|value| value.parse().ok()).unwrap_or_default())
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn read_chunk_size(line: &[u8]) -> Option<usize> {
    let text = str::from_utf8(line).ok()?;
    usize::from_str_radix(text.split(';').next()?.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_read_from_the_head() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 12", Framing::Length(12)),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked", Framing::Chunked),
            ("HTTP/1.1 204 No Content\r\nserver: x", Framing::Length(0)),
        ] {
            assert_eq!(framing(head), expected, "{head}");
        }
    }

    #[test]
    fn chunk_size_is_hexadecimal_and_may_carry_an_extension() {
        for (line, expected) in [(&b"12c"[..], Some(300)), (b"0", Some(0)), (b"A;name=x", Some(10)), (b"", None), (b"zz", None)] {
            assert_eq!(read_chunk_size(line), expected);
        }
    }
}
