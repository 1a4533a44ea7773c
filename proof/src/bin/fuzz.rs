//! `fuzz [--seconds N] [--seed N] [TARGET…]` mutates inputs for that long in all; `fuzz --replay TARGET FILE` tries one.

use std::{fs, panic, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use proof::{
    counts::{Counts, conclude},
    fuzz::{self, Target},
};

const USUAL_SECONDS: u64 = 60;
/// A gate that passes today passes tomorrow; who hunts gives another.
const USUAL_SEED: u64 = 1;
/// Where failing inputs are left.
const FOUND: &str = "target/fuzz";

struct Options {
    seconds: u64,
    seed: u64,
    names: Vec<String>,
    replay: bool,
}

fn main() -> ExitCode {
    // A panic of what is tried is a finding, and told with its input.
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |cause| {
        if !fuzz::is_trying() {
            loud(cause);
        }
    }));
    conclude(read(std::env::args().skip(1)).and_then(|options| run(&options)))
}

fn read(arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { seconds: USUAL_SECONDS, seed: USUAL_SEED, names: vec![], replay: false };
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|n| n.parse().ok()).with_context(|| format!("{argument} needs a number"));
        match argument.as_str() {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            "--replay" => options.replay = true,
            _ => options.names.push(argument),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<Counts> {
    let all = fuzz::all();
    let known = || all.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
    if options.replay {
        let [name, file] = options.names.as_slice() else { bail!("--replay TARGET FILE; targets: {}", known()) };
        let target = all.iter().find(|target| target.name == *name).with_context(|| format!("targets: {}", known()))?;
        return replay(target, Path::new(file));
    }
    let is_wanted =
        |target: &&Target| options.names.is_empty() || options.names.iter().any(|name| target.name.starts_with(name.as_str()));
    let targets: Vec<&Target> = all.iter().filter(is_wanted).collect();
    let count = u32::try_from(targets.len()).ok().filter(|count| *count > 0).with_context(|| format!("targets: {}", known()))?;
    let time = Duration::from_secs(options.seconds) / count;
    println!("seed {}, {} ms a target", options.seed, time.as_millis());
    let mut counts = Counts::default();
    for target in targets {
        let report = fuzz::run(target, time, options.seed);
        println!("{:<28} {:>9} executions, {:>5} inputs kept", report.name, report.executions, report.kept);
        let mut wrong = vec![];
        if let Some(failure) = &report.failure {
            wrong.push(failure.why.clone());
            wrong.push(format!("input: {}", fuzz::keep(Path::new(FOUND), &report.name, failure)?));
        }
        counts.add(&report.name, &wrong);
    }
    Ok(counts)
}

fn replay(target: &Target, file: &Path) -> Result<Counts> {
    let input = fs::read(file).with_context(|| file.display().to_string())?;
    let mut counts = Counts::default();
    counts.add(&target.name, &fuzz::replay(target, &input).err().into_iter().collect::<Vec<_>>());
    Ok(counts)
}
