//! `openapi.json`: written down from the table of the admin API's calls.

use std::fs;

use anyhow::{Context, Result};

use crate::run;

pub const FILE: &str = "openapi.json";

pub fn write() -> Result<()> {
    let file = run::root()?.join(FILE);
    fs::write(&file, portolan::admin::openapi::text()).context(FILE)?;
    println!("{}", file.display());
    Ok(())
}
