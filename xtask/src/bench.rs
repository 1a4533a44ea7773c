//! `cargo xtask bench`: the gateway's cost over a pass-through Worker, in bare workerd (docs/performance.md).

use std::env;
use std::io;
use std::process::{Command, ExitCode};

/// Builds the harness with optimisation, for its own cost is on the measured machine, and runs it.
pub fn bench(arguments: &[String]) -> io::Result<ExitCode> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["run", "--release", "--quiet", "--package", "bench", "--"]).args(arguments).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
