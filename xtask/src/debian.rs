//! Programs that come as Debian packages.

use std::path::Path;

use anyhow::{Result, bail};

use crate::run;

/// Checks Prometheus' page; tests that want it are not run without it, and fail in CI.
const PROMTOOL: &str = "/usr/bin/promtool";

/// Installs packages for a program that is not there, where that is possible without asking: as root, on a system that has
/// `apt-get`.
pub fn install(program: &str, packages: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").is_file() || run::output(run::command("id")?.arg("-u"))?.trim() != "0" {
        bail!("{program} is missing");
    }
    run::step(&format!("install {}", packages.join(", ")), || {
        run::succeed(run::command("apt-get")?.args(["--quiet", "update"]))?;
        let install = ["--quiet", "--yes", "--no-install-recommends", "install"];
        run::succeed(run::command("apt-get")?.env("DEBIAN_FRONTEND", "noninteractive").args(install).args(packages))
    })
}

/// Brings `promtool`, or says what does: the tests beside need it not.
pub fn promtool() {
    if Path::new(PROMTOOL).is_file() {
        return;
    }
    if let Err(error) = install(PROMTOOL, &["prometheus"]) {
        println!("  {error:#}: `apt-get install prometheus` brings it, and what it checks is not run until then");
    }
}
