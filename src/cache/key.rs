//! The name of an answer: a digest of all that it depends on.

use sha2::{Digest, Sha256};

use super::{HEADER, Question};

/// Before the digest, in KV; the number changes when what is digested, or stored, does.
const PREFIX: &str = "answer1:";

/// Headers of the caller's that reach the provider, or say what the answer is to be.
const SHAPING: [&str; 4] = ["anthropic-beta", "anthropic-version", "content-type", "openai-beta"];
const OURS: &str = "x-portolan-";
/// Of ours those that change nothing of the answer.
const IDLE: [&str; 2] = [HEADER, "x-portolan-timeout-ms"];

/// Two requests share a name only if nothing tells them apart: whose they are, what they ask and in which form, and under
/// which configuration.
pub(super) fn name(question: Question<'_>, version: &str) -> String {
    let Question { key, tenant, dialect, operation, model, facts, zdr: _, headers, place, body } = question;
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        // A length before each part: no two lists of parts run together to the same bytes.
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        digest.update(part);
    };
    let form = format!("{} {}", facts.stream, facts.array);
    let task = operation.map_or("generate", crate::catalog::Operation::name);
    for part in [key, tenant, dialect.name(), task, model, &facts.model, &form, version] {
        add(part.as_bytes());
    }
    let shaping = |name: &str| SHAPING.contains(&name) || (name.starts_with(OURS) && !IDLE.contains(&name));
    let mut headers: Vec<_> = headers.iter().filter(|(name, _)| shaping(name)).collect();
    headers.sort();
    for (name, value) in headers {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    // What follows is no header.
    add(b"");
    for (name, value) in place {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    add(b"");
    add(body);
    digest.finalize().iter().fold(PREFIX.to_owned(), |mut out, byte| {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        out
    })
}
