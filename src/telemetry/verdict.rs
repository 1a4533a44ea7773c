//! What a receiver's answer means for what was sent, and the records' form for a webhook.

use serde_json::Value;

use crate::units::Millis;

/// What came back; a status of 0 when nothing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub retry_after: String,
    /// Its beginning.
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken, but for so many.
    Taken { rejected: u64 },
    /// To be sent again after so many milliseconds.
    Again(u64),
    /// Not to be sent again, and nothing else for so many milliseconds.
    Lost { rest_ms: u64 },
}

/// Pause before the second try, where the receiver names none.
const PAUSE_MS: u64 = 1_000;
/// The work after a request may go on for 30 seconds: a longer pause is a rest.
const MAX_PAUSE_MS: u64 = 5_000;
/// How long a receiver that did not answer twice is left alone.
const REST_MS: u64 = 10_000;
/// Longest rest that a receiver may ask for.
const MAX_REST_MS: u64 = 300_000;
/// Tries of one batch.
const MAX_TRIES: u32 = 2;

/// `tries`: how many there were, this one included. What is worth a second try is what OTLP says:
/// <https://opentelemetry.io/docs/specs/otlp/#failures-1>
pub fn judge(answer: &Answer, tries: u32) -> Verdict {
    match answer.status {
        200..300 => Verdict::Taken { rejected: rejected(&answer.body) },
        0 | 429 | 502..=504 => {
            let asked = answer.retry_after.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000));
            let pause = asked.unwrap_or(PAUSE_MS);
            if tries < MAX_TRIES && pause <= MAX_PAUSE_MS {
                return Verdict::Again(pause);
            }
            Verdict::Lost { rest_ms: asked.unwrap_or(REST_MS).clamp(REST_MS, MAX_REST_MS) }
        }
        _ => Verdict::Lost { rest_ms: 0 },
    }
}

/// Of a partial success: numbers of 64 bits are text in JSON, and some write them as numbers all the same.
fn rejected(body: &str) -> u64 {
    let Ok(answer) = serde_json::from_str::<Value>(body) else { return 0 };
    let Some(partial) = answer.get("partialSuccess") else { return 0 };
    let count = ["rejectedSpans", "rejectedDataPoints"].into_iter().find_map(|name| partial.get(name));
    count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok())).unwrap_or_default()
}

/// A delivery of records, each a line of JSON as the journal has it. `lost`: how many before them found no room.
pub fn deliveries(records: &[String], lost: u64, now: Millis) -> String {
    let (time, records) = (now.timestamp(), records.join(","));
    format!(r#"{{"type":"records.created","timestamp":"{time}","data":{{"lost":{lost},"records":[{records}]}}}}"#)
}
