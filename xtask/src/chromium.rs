//! The browser that the dashboard is tested in: Debian's, or the one that `CHROMIUM` names.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};

use crate::run;

/// Where Debian's package puts it; the tests look here too.
const PLACE: &str = "/usr/bin/chromium";

/// Installs the package where that is possible without asking: as root, on a system that has `apt-get`.
pub fn ensure() -> Result<()> {
    if let Some(own) = env::var_os("CHROMIUM") {
        let own = Path::new(&own);
        return if own.is_file() { Ok(()) } else { bail!("CHROMIUM names {}, which is not there", own.display()) };
    }
    if Path::new(PLACE).is_file() {
        return Ok(());
    }
    if !Path::new("/usr/bin/apt-get").is_file() || run::output(run::command("id")?.arg("-u"))?.trim() != "0" {
        bail!("{PLACE} is missing");
    }
    run::step("install Chromium", || {
        run::succeed(run::command("apt-get")?.args(["--quiet", "update"]))?;
        // Without fonts every text is a row of boxes, and no picture tells anything.
        let packages = ["chromium", "fonts-dejavu-core"];
        let install = ["--quiet", "--yes", "--no-install-recommends", "install"];
        run::succeed(run::command("apt-get")?.env("DEBIAN_FRONTEND", "noninteractive").args(install).args(packages))
    })
}
