//! Sets of words as tables of hashes, made when the gateway is built: only the hashes are carried, not the words.

/// Slots of a table; more than twice its words, so that a search ends soon.
pub(super) const SLOTS: usize = 4096;
const BITS: u32 = 12;
/// Words of more letters are looked up by their first ones too, where the list says `*`.
pub(super) const STEM: u32 = 6;

const BASIS: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// The meaning of a word that another may follow to make two words of the list.
pub(super) const OPENS: u32 = 1 << 31;

/// Keys, of which none is zero, beside what the words mean. With its place, half a hash tells a word from millions.
pub(super) struct Table {
    keys: [u16; SLOTS],
    meanings: [u32; SLOTS],
}

/// FNV-1a over the letters of a word.
#[derive(Clone, Copy)]
pub(super) struct Hash(u32);

impl Hash {
    pub(super) const EMPTY: Self = Self(BASIS);

    pub(super) const fn letter(self, code: u32) -> Self {
        Self((self.0 ^ code).wrapping_mul(PRIME))
    }

    /// Of a word and the one after it.
    pub(super) const fn then(self, next: Self) -> Self {
        Self(self.0.rotate_left(7).wrapping_mul(PRIME) ^ next.0)
    }

    const fn stem(self) -> Self {
        self.letter(0x2a)
    }

    const fn key(self) -> u16 {
        let [a, b, c, d] = self.0.to_be_bytes();
        u16::from_be_bytes([a ^ c, b ^ d]) | 1
    }

    const fn slot(self) -> u32 {
        self.0.wrapping_mul(0x9e37_79b1) >> (32 - BITS)
    }
}

/// What the table says of a word; 0 for none.
pub(super) fn find(table: &Table, hash: Hash) -> u32 {
    let first = usize::try_from(hash.slot()).unwrap_or_default();
    let key = hash.key();
    let keys = table.keys.get(first..).unwrap_or_default();
    match keys.iter().position(|found| *found == key || *found == 0) {
        Some(at) if keys.get(at) == Some(&key) => table.meanings.get(first + at).copied().unwrap_or_default(),
        Some(_) | None => 0,
    }
}

pub(super) fn find_stem(table: &Table, hash: Hash) -> u32 {
    find(table, hash.stem())
}

/// Of rows of a meaning (bits, or-ed where a word is in several rows) and its words, between spaces. `a_b` are two words in
/// a row, `*` stands for whatever follows the first six letters.
pub(super) const fn table(mut rows: &[(u32, &str)]) -> Table {
    let mut table = Table { keys: [0; SLOTS], meanings: [0; SLOTS] };
    while let [(meaning, words), rest @ ..] = rows {
        let (mut bytes, mut hash, mut before) = (words.as_bytes(), Hash::EMPTY, None);
        let mut is_empty = true;
        loop {
            let (code, after) = letter(bytes);
            match code {
                0x5f => {
                    table = set(table, hash, OPENS);
                    before = Some(hash);
                    hash = Hash::EMPTY;
                }
                0 | 0x20 => {
                    let whole = match before {
                        Some(before) => before.then(hash),
                        None => hash,
                    };
                    if !is_empty {
                        table = set(table, whole, *meaning);
                    }
                    hash = Hash::EMPTY;
                    before = None;
                    is_empty = true;
                }
                code => {
                    hash = hash.letter(code);
                    is_empty = false;
                }
            }
            if bytes.is_empty() {
                break;
            }
            bytes = after;
        }
        rows = rest;
    }
    table
}

const fn set(mut table: Table, hash: Hash, meaning: u32) -> Table {
    let mut slot = 0;
    let mut bit = 0;
    // There is no conversion of sizes in constants.
    while bit < BITS {
        if hash.slot() >> bit & 1 == 1 {
            slot += 1_usize << bit;
        }
        bit += 1;
    }
    let key = hash.key();
    // Built only at compile time, where a slot out of bounds, or a full end of the table, would stop the compiler.
    while table.keys[slot] != 0 && table.keys[slot] != key {
        slot += 1;
    }
    table.keys[slot] = key;
    table.meanings[slot] |= meaning;
    table
}

/// The code of the first letter of UTF-8 of at most three bytes, and what follows it; 0 at the end.
const fn letter(bytes: &[u8]) -> (u32, &[u8]) {
    match bytes {
        [a, rest @ ..] if *a < 0x80 => (wide(*a), rest),
        [a, b, rest @ ..] if *a < 0xe0 => (wide(*a & 0x1f) << 6 | wide(*b & 0x3f), rest),
        [a, b, c, rest @ ..] => (wide(*a & 0x0f) << 12 | wide(*b & 0x3f) << 6 | wide(*c & 0x3f), rest),
        _ => (0, &[]),
    }
}

const fn wide(byte: u8) -> u32 {
    u32::from_be_bytes([0, 0, 0, byte])
}
