//! The gate: formatting, lints of both targets, every test, and the size of the upload.

use anyhow::{Context, Result, bail};

use crate::run::{self, step, succeed};
use crate::{summary, test, tools, wasm_target};

/// The platform's own limit is five times as high, but a Worker's size is paid at every cold start. The goal is 600 KB; this is
/// what holds until it is reached again.
const UPLOAD_LIMIT_BYTES: f64 = 865_000.0;

/// Runs every stage; the first that fails ends it.
pub fn ci() -> Result<()> {
    let tools = step("tools", tools::ensure)?;
    step("format", || succeed(run::command("cargo")?.args(["fmt", "--all", "--check"])))?;
    step("lints, native", || clippy(&["--workspace", "--all-targets"]))?;
    step("lints, wasm", || clippy(&["--package", "portolan", "--target", wasm_target::TARGET]))?;
    step("tests", || if test::test(&[])? { Ok(()) } else { bail!("not every test passed") })?;
    step("upload", || check_upload(&tools))
}

fn clippy(scope: &[&str]) -> Result<()> {
    succeed(run::command("cargo")?.args(["clippy", "--quiet"]).args(scope).args(["--", "--deny", "warnings"]))
}

/// What `wrangler deploy` would send, and how large that is.
fn check_upload(tools: &tools::Tools) -> Result<()> {
    let mut command = run::command(tools.node_bin("wrangler"))?;
    command.args(["deploy", "--dry-run"]).envs(tools::QUIET_WRANGLER);
    let (succeeded, printed) = run::tee(&mut command)?;
    if !succeeded {
        bail!("`wrangler deploy --dry-run` failed");
    }
    let bytes = summary::gzip_kib(&printed).context("wrangler names no upload size")? * 1024.0;
    println!("  gzip size of the upload: {:.0} KB of {:.0} KB", bytes / 1000.0, UPLOAD_LIMIT_BYTES / 1000.0);
    if bytes > UPLOAD_LIMIT_BYTES {
        bail!("the upload is too large");
    }
    Ok(())
}
