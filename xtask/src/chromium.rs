//! The browser that the dashboard is tested in: Debian's, or the one that `CHROMIUM` names.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};

use crate::debian;

/// Where Debian's package puts it; the tests look here too.
const PLACE: &str = "/usr/bin/chromium";

/// Installs the package where that is possible.
pub fn ensure() -> Result<()> {
    if let Some(own) = env::var_os("CHROMIUM") {
        let own = Path::new(&own);
        return if own.is_file() { Ok(()) } else { bail!("CHROMIUM names {}, which is not there", own.display()) };
    }
    if Path::new(PLACE).is_file() {
        return Ok(());
    }
    // Without fonts every text is a row of boxes, and no picture tells anything.
    debian::install(PLACE, &["chromium", "fonts-dejavu-core"])
}
