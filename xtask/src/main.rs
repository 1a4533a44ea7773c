//! The developer's commands: `cargo xtask <command>`.

mod build;
mod npm;
mod run;
mod tools;
mod wasm_target;

use std::env;
use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
usage: cargo xtask <command>

  tools   install what the other commands need
  build   build the Worker into build/";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match command(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<ExitCode> {
    let Some((name, _rest)) = arguments.split_first() else {
        return usage();
    };
    match name.as_str() {
        "tools" => tools::ensure().map(|_| ExitCode::SUCCESS),
        "build" => build::build().map(|()| ExitCode::SUCCESS),
        _ => usage(),
    }
}

fn usage() -> Result<ExitCode> {
    eprintln!("{USAGE}");
    Ok(ExitCode::FAILURE)
}
