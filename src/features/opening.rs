//! How a conversation begins: what stays the same while it grows.

use crate::chat::request::{Part, Request, Role};

/// FNV-1a of the texts up to the first of the user's turns: the same number on each turn of a conversation. Texts alone, for
/// marks of caching and the like wander. 0 where there is no text.
pub(super) fn of(request: &Request) -> u64 {
    let first = request.messages.iter().position(|message| message.role == Role::User);
    let end = first.map_or(request.messages.len(), |at| at + 1);
    let texts = request.messages.iter().take(end).flat_map(|message| &message.parts).filter_map(Part::as_text);
    let mut sum = None;
    for text in texts.map(str::as_bytes) {
        // A byte that no text has ends each, so that none runs into the next.
        let bytes = text.iter().chain([&0xff]);
        sum = Some(bytes.fold(sum.unwrap_or(0xcbf2_9ce4_8422_2325), |sum: u64, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }));
    }
    sum.unwrap_or(0)
}
