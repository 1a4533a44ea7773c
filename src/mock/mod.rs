//! The built-in provider: deterministic answers, and faults on demand. docs/mock.md lists its models and options.

mod answers;
mod options;
mod sample;
mod script;

use options::Options;

use crate::{
    chat::event::Stamp,
    dialect::{Asked, Caller, Facts},
    error::Error,
    wire::json::Outline,
};

/// What is sent, and when. The shell performs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The wait before the status line.
    pub delay_ms: u64,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub chunks: Vec<Chunk>,
    pub ending: Ending,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The wait after the chunk before.
    pub after_ms: u64,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Clean,
    /// The connection breaks.
    Cut,
    /// Nothing more comes, and no end.
    Stall,
}

/// What the model (`echo`, `flaky?fail=503&rate=0.3`) answers to a body of the caller's dialect. `seed` only decides
/// whether it fails and names the answer: another attempt has another seed.
pub fn answer(caller: &dyn Caller, model: &str, (body, facts): (&str, &Facts), seed: u64, now_s: u64) -> Script {
    let digest = mix(digest(options::name(model), body) ^ mix(seed));
    let stamp = Stamp { id: format!("mock{digest:016x}"), created: now_s, model: format!("mock/{}", options::name(model)) };
    let request_id = stamp.id.clone();
    perform(caller, model, digest, &Asked { stamp, facts, body: body.as_bytes() })
        .unwrap_or_else(|error| script::refusal(caller, &error, &request_id, 0))
}

/// Whether a model with its options is one of ours.
pub fn check(model: &str) -> Result<(), Error> {
    Options::read(model, None).map(drop)
}

fn perform(caller: &dyn Caller, model: &str, digest: u64, asked: &Asked<'_>) -> Result<Script, Error> {
    let options = Options::read(model, Outline::read(asked.body)?.parse("mock", "an object of options")?)?;
    let request = caller.read_request(std::str::from_utf8(asked.body).unwrap_or_default())?.value;
    if let Some(error) = options.failure(digest) {
        return Ok(script::refusal(caller, &error, &asked.stamp.id, options.delay_ms));
    }
    let response = answers::respond(&options, &request, &asked.stamp)?;
    let perform = if asked.facts.stream { script::stream } else { script::whole };
    Ok(perform(caller, &options, &response, asked))
}

/// FNV-1a over both texts. Options are left out: the answer that a fault breaks is the sound one.
fn digest(model: &str, body: &str) -> u64 {
    let bytes = model.bytes().chain([0]).chain(body.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finisher of splitmix64: neighbouring seeds give unlike rolls.
const fn mix(seed: u64) -> u64 {
    let a = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}
