//! Mutated bytes against everything that reads from outside: a stand-in for coverage-guided fuzzing on stable Rust.
//!
//! What behaves in a new way is kept and mutated further, as a fuzzer keeps what reaches new code.

mod check;
mod json;
mod mutate;
mod seeds;
mod targets;

use std::{
    collections::HashSet,
    fs, panic,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Result;
pub use targets::{Target, all};

use crate::{clock::now, random::Random};

/// Inputs kept for mutation, of each target.
const MOST_KEPT: usize = 1500;
/// Bytes of an input: enough for a quadratic reader to be felt.
const LONGEST_INPUT: usize = 48 << 10;
/// An input may take this long, and this long for each of its bytes: hundreds of times what is usual.
const PATIENCE: Duration = Duration::from_millis(60);
const PATIENCE_PER_BYTE: Duration = Duration::from_micros(4);
/// A slow input is measured again: the machine may have been busy.
const MEASURED_AGAIN: usize = 4;
/// Tries to make a failing input smaller.
const MOST_SHRINKING: usize = 4000;

/// Whether the input is running just now.
static TRYING: AtomicBool = AtomicBool::new(false);

pub fn is_trying() -> bool {
    TRYING.load(Ordering::Relaxed)
}

pub struct Report {
    pub name: String,
    pub executions: u64,
    pub kept: usize,
    pub failure: Option<Failure>,
}

pub struct Failure {
    pub why: String,
    pub input: Vec<u8>,
}

/// Runs a target until the time is over or it fails.
pub fn run(target: &Target, time: Duration, seed: u64) -> Report {
    let mut random = Random::new(seed ^ Random::named(&target.name).next());
    let mut pool = seeds::of(target.kind, &mut random);
    let (mut seen, mut executions, start) = (HashSet::new(), 0, now());
    let mut failure = None;
    let mut queue: Vec<Vec<u8>> = pool.clone();
    while failure.is_none() && start.elapsed() < time {
        let input = queue.pop().unwrap_or_else(|| mutate::one(&pool, &mut random, LONGEST_INPUT));
        executions += 1;
        match judge(target, &input) {
            Ok(behaviour) => {
                if seen.insert(behaviour) && pool.len() < MOST_KEPT {
                    pool.push(input);
                }
            }
            Err(why) => failure = Some(Failure { input: shrink(target, input), why }),
        }
    }
    Report { name: target.name.clone(), executions, kept: pool.len(), failure }
}

/// What the target makes of an input, as a number; or why that must not be.
fn judge(target: &Target, input: &[u8]) -> Result<u64, String> {
    let patience = PATIENCE + PATIENCE_PER_BYTE * u32::try_from(input.len()).unwrap_or(u32::MAX);
    let mut took = Duration::MAX;
    let mut behaviour = Ok(0);
    for _ in 0..MEASURED_AGAIN {
        let start = now();
        TRYING.store(true, Ordering::Relaxed);
        behaviour = panic::catch_unwind(|| target.run(input)).unwrap_or_else(|cause| Err(said(cause.as_ref())));
        TRYING.store(false, Ordering::Relaxed);
        took = took.min(start.elapsed());
        if took <= patience {
            return behaviour;
        }
    }
    behaviour.and_then(|_| Err(format!("{} bytes took {} ms", input.len(), took.as_millis())))
}

fn said(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    format!("panics: {}", text.unwrap_or("without a word"))
}

/// Leaves out what the failure does not need: halves first, then single bytes.
fn shrink(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let (mut size, mut left) = (input.len() / 2, MOST_SHRINKING);
    while size > 0 {
        let mut at = 0;
        while at < input.len() && left > 0 {
            left -= 1;
            let end = (at + size).min(input.len());
            let shorter = [input.get(..at).unwrap_or_default(), input.get(end..).unwrap_or_default()].concat();
            if judge(target, &shorter).is_err() {
                input = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    input
}

/// Writes a failing input where it can become a fixture.
pub fn keep(folder: &Path, target: &str, failure: &Failure) -> Result<String> {
    fs::create_dir_all(folder)?;
    let mark = Random::named(&String::from_utf8_lossy(&failure.input)).next();
    let path = folder.join(format!("{target}-{mark:08x}.bin"));
    fs::write(&path, &failure.input)?;
    Ok(path.display().to_string())
}

/// One input again, as `fuzz --replay` does.
pub fn replay(target: &Target, input: &[u8]) -> Result<u64, String> {
    judge(target, input)
}
