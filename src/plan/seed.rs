//! Chance that repeats: the same seed gives the same choice on any machine, for ever.
//!
//! The constants are SplitMix64's and FNV-1a's. Changing one changes every recorded plan: replay rests on them.

/// One step of SplitMix64: neighbouring seeds give unrelated numbers.
pub const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A seed of its own for one name below `seed`.
pub fn fold(seed: u64, name: &str) -> u64 {
    mix(seed ^ hash(name))
}

/// FNV-1a of the bytes.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A number in `0..bound`, evenly; 0 for a bound of 0.
pub fn below(seed: u64, bound: u64) -> u64 {
    let scaled = (u128::from(mix(seed)) * u128::from(bound)) >> 64;
    u64::try_from(scaled).unwrap_or(0)
}
