//! The loops over every byte of a body. A package of its own, since these alone are compiled for speed; all else is
//! compiled for size.
//!
//! An exact, non-recursive JSON scanner finds where values end, and refuses what is not JSON.

/// Levels of arrays and objects. serde_json stops at the same depth, so what passes here can be parsed later.
const MAX_DEPTH: u32 = 127;

/// Bytes looked at together inside strings; the compiler turns the inner loop into vector instructions.
const LANE: usize = 32;

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub what: &'static str,
}

pub struct Scanner<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Scanner<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub const fn fault(&self, what: &'static str) -> Fault {
        Fault { at: self.at, what }
    }

    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.fault(what))
    }

    /// Past a string; the position is at its opening quote.
    pub fn string(&mut self) -> Result<(), Fault> {
        self.expect(b'"', "expected a string")?;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(byte) if byte < 0x20 => return Err(self.fault("control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.fault("unterminated string")),
            }
        }
    }

    /// Past whole lanes without quote, backslash or control character.
    fn skip_plain(&mut self) {
        while let Some(lane) = self.bytes.get(self.at..self.at + LANE) {
            let special = lane.iter().fold(false, |found, &b| found | (b == b'"') | (b == b'\\') | (b < 0x20));
            if special {
                let plain = lane.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
                self.at += plain.unwrap_or(0);
                return;
            }
            self.at += LANE;
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.fault("bad \\u escape"));
                }
                self.at += 5;
            }
            _ => return Err(self.fault("bad escape")),
        }
        Ok(())
    }

    /// Past one value of any kind; the position is at its first byte.
    pub fn value(&mut self) -> Result<(), Fault> {
        // One bit a level: set for an object, clear for an array.
        let (mut kinds, mut depth) = (0_u128, 0_u32);
        loop {
            self.skip_space();
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.skip_space();
                    let close = if open == b'{' { b'}' } else { b']' };
                    if self.peek() == Some(close) {
                        self.at += 1;
                    } else {
                        if depth >= MAX_DEPTH {
                            return Err(self.fault("nested too deeply"));
                        }
                        kinds = kinds << 1 | u128::from(open == b'{');
                        depth += 1;
                        if open == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b't') => self.word(b"true")?,
                Some(b'f') => self.word(b"false")?,
                Some(b'n') => self.word(b"null")?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(_) => return Err(self.fault("expected a value")),
                None => return Err(self.fault("unexpected end")),
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let in_object = kinds & 1 == 1;
                self.skip_space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if in_object {
                            self.skip_space();
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => {}
                    Some(b']') if !in_object => {}
                    Some(_) => return Err(self.fault("expected a comma or the end")),
                    None => return Err(self.fault("unexpected end")),
                }
                self.at += 1;
                kinds >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), Fault> {
        self.string()?;
        self.skip_space();
        self.expect(b':', "expected a colon")
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.bytes.get(self.at..self.at + word.len()) != Some(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("expected a digit")) } else { Ok(()) }
    }
}

/// Bytes looked at together for a quote: the compiler makes vectors of them.
const BLOCK: usize = 64;

/// Whether one of these names stands in a JSON text, as a key or as a whole string. One pass, without parsing: inside a
/// string quotes are escaped.
pub fn names_any(text: &str, names: &[&str]) -> bool {
    let bytes = text.as_bytes();
    let is_name = |at: usize| {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        names.iter().any(|name| rest.starts_with(name.as_bytes()) && rest.get(name.len()) == Some(&b'"'))
    };
    bytes.chunks(BLOCK).enumerate().any(|(block, chunk)| {
        let has_quote = chunk.iter().fold(false, |found, byte| found | (*byte == b'"'));
        has_quote && chunk.iter().enumerate().any(|(i, byte)| *byte == b'"' && is_name(block * BLOCK + i))
    })
}
