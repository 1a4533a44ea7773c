//! `simulate [--requests N] [--seed N]` plays worlds until so many requests have passed; `--only SEED` plays one world;
//! `--compare [FOLDER]` puts our policy beside the field's, and leaves plots in the folder.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use proof::{
    counts::conclude,
    sim::{
        compare,
        runs::{self, Options},
    },
};

const USUAL_REQUESTS: usize = 30_000;
/// A gate that passes today passes tomorrow; who hunts gives another.
const USUAL_SEED: u64 = 1;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("--compare").is_some() {
        let folder = arguments.next().unwrap_or_else(|| "docs".to_owned());
        return match compare::run(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        };
    }
    conclude(read(arguments).and_then(|options| runs::run(&options)))
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { requests: USUAL_REQUESTS, seed: USUAL_SEED, only: None };
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().with_context(|| format!("{argument} needs a number"));
        match argument.as_str() {
            "--requests" => options.requests = number()?.parse()?,
            "--seed" => options.seed = number()?.parse()?,
            "--only" => options.only = Some(number()?.parse()?),
            _ => anyhow::bail!("no option `{argument}`"),
        }
    }
    Ok(options)
}
