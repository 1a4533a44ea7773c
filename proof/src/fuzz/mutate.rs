//! Inputs from inputs.

use super::json;
use crate::random::Random;

/// What the readers look for, and what breaks readers.
const DICTIONARY: [&str; 64] = [
    "data: ",
    "data:",
    "event: ",
    "event: error\n",
    "\n\n",
    "\r\n\r\n",
    "\r",
    "\n",
    ": ping\n\n",
    "[DONE]",
    "data: [DONE]\n\n",
    "\u{feff}",
    "\u{2028}",
    "\u{0}",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "18446744073709551616",
    "\"error\"",
    "\"error\":{\"message\":\"m\"}",
    "\"choices\"",
    "\"delta\"",
    "\"index\"",
    "\"finish_reason\"",
    "\"tool_calls\"",
    "\"function\"",
    "\"arguments\"",
    "\"content\"",
    "\"content_block_start\"",
    "\"content_block_delta\"",
    "\"content_block_stop\"",
    "\"message_start\"",
    "\"message_delta\"",
    "\"message_stop\"",
    "\"thinking\"",
    "\"signature\"",
    "\"tool_use\"",
    "\"tool_result\"",
    "\"input\"",
    "\"candidates\"",
    "\"parts\"",
    "\"functionCall\"",
    "\"functionResponse\"",
    "\"thoughtSignature\"",
    "\"usage\"",
    "\"usageMetadata\"",
    "\"role\"",
    "\"type\"",
    "\"id\"",
    "\"name\"",
    "\"text\"",
    "\"response.completed\"",
    "\"response.output_item.added\"",
    "\"output_index\"",
    "\"item\"",
    "\"previous_response_id\"",
    "\"reasoning\"",
];
/// Changes made to one input, at most.
const MOST_CHANGES: usize = 5;

pub fn one(pool: &[Vec<u8>], random: &mut Random, longest: usize) -> Vec<u8> {
    let mut input = random.pick(pool).cloned().unwrap_or_default();
    for _ in 0..=random.below(MOST_CHANGES) {
        change(&mut input, pool, random);
    }
    input.truncate(longest);
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut Random) {
    match random.below(10) {
        0 => {
            let at = random.below(input.len());
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            let word = random.pick(&DICTIONARY).copied().unwrap_or_default();
            insert(input, word.as_bytes(), random);
        }
        2 => {
            let (from, to) = range(input, random);
            input.drain(from..to);
        }
        3 => {
            let (from, to) = range(input, random);
            let piece = input.get(from..to).unwrap_or_default().to_vec();
            insert(input, &piece, random);
        }
        4 => {
            let other = random.pick(pool).cloned().unwrap_or_default();
            let (from, to) = range(&other, random);
            insert(input, other.get(from..to).unwrap_or_default(), random);
        }
        5 => input.truncate(random.below(input.len() + 1)),
        6 => frames(input, random),
        _ => json::change(input, random),
    }
}

fn insert(input: &mut Vec<u8>, piece: &[u8], random: &mut Random) {
    let at = random.below(input.len() + 1);
    input.splice(at..at, piece.iter().copied());
}

fn range(input: &[u8], random: &mut Random) -> (usize, usize) {
    let from = random.below(input.len() + 1);
    let longest = if random.once_in(3) { input.len() } else { 24 };
    (from, (from + random.below(longest + 1)).min(input.len()))
}

/// Whole events go, come twice, change places, or get other line ends.
fn frames(input: &mut Vec<u8>, random: &mut Random) {
    let text = String::from_utf8_lossy(input).into_owned();
    let mut frames: Vec<&str> = text.split_inclusive("\n\n").collect();
    if frames.is_empty() {
        return;
    }
    let (at, other) = (random.below(frames.len()), random.below(frames.len()));
    match random.below(4) {
        0 => drop(frames.remove(at)),
        1 => frames.insert(other, frames.get(at).copied().unwrap_or_default()),
        2 => frames.swap(at, other),
        _ => {
            *input = text.replace('\n', if random.once_in(2) { "\r\n" } else { "\r" }).into_bytes();
            return;
        }
    }
    *input = frames.concat().into_bytes();
}
