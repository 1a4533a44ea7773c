//! `cargo xtask bench`: the gateway's cost over a pass-through Worker, in bare workerd (docs/performance.md).

use std::process::ExitCode;

use anyhow::Result;

use crate::{build, npm, run};

/// Builds the Worker, and the harness with optimisation, for its own cost is on the measured machine; then measures.
pub fn bench(arguments: &[String]) -> Result<ExitCode> {
    // A Worker from elsewhere is measured as it is; workerd comes from npm all the same.
    if arguments.iter().any(|argument| argument == "--gateway-dir") {
        npm::ensure(&run::root()?)?;
    } else {
        build::build()?;
    }
    let status =
        run::command("cargo")?.args(["run", "--release", "--quiet", "--package", "bench", "--"]).args(arguments).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
