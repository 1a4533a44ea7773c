//! SHA-256 and what is made of it.

use sha2::{Digest, Sha256};

/// SHA-256 works on blocks of so many bytes.
const BLOCK: usize = 64;

/// What SHA-256 gives.
pub type Hash = [u8; 32];

/// Of pieces as if they were one.
pub fn sha256<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().into()
}

/// RFC 2104 with SHA-256, of pieces as if they were one.
pub fn hmac(key: &[u8], pieces: &[&[u8]]) -> Hash {
    let hashed = sha256([key]);
    let key = if key.len() > BLOCK { hashed.as_slice() } else { key };
    let mut block = [0; BLOCK];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let (inner, outer) = (block.map(|byte: u8| byte ^ 0x36), block.map(|byte| byte ^ 0x5c));
    let inner = sha256([inner.as_slice()].into_iter().chain(pieces.iter().copied()));
    sha256([outer.as_slice(), &inner])
}

/// In lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from(if four < 10 { b'0' + four } else { b'a' + four - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes that [`hex`] writes so; upper case is another text.
pub fn unhex(text: &str) -> Option<Hash> {
    let four = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut hash = Hash::default();
    if text.len() != hash.len() * 2 {
        return None;
    }
    let mut digits = text.bytes();
    for byte in &mut hash {
        *byte = four(digits.next()?)? << 4 | four(digits.next()?)?;
    }
    Some(hash)
}
