//! The Python that tests run in: a virtual environment with the packages of a requirements file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run;

const FOLDER: &str = ".tools/venv";
const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// The Python of the virtual environment, made anew when the requirements changed.
pub fn ensure(root: &Path) -> Result<PathBuf> {
    let python = root.join(FOLDER).join("bin/python");
    let stamp = root.join(FOLDER).join("requirements");
    let wanted = fs::read_to_string(root.join(REQUIREMENTS)).unwrap_or_default();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run::step("install the Python packages", || {
        run::succeed(run::command("python3")?.args(["-m", "venv", "--clear", FOLDER]))?;
        if !wanted.is_empty() {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
            run::succeed(run::command(&python)?.args(pip))?;
        }
        fs::write(&stamp, &wanted).context("note the installed requirements")
    })?;
    Ok(python)
}
