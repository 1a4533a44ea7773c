//! The npm packages of `package-lock.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::run;

/// Installs the packages unless `node_modules` holds exactly what the lock file names.
pub fn ensure(root: &Path) -> Result<()> {
    let lock = fs::read_to_string(root.join("package-lock.json")).context("package-lock.json")?;
    // npm's own record of what it installed: it is right after a plain `npm ci` too.
    let installed = fs::read_to_string(root.join("node_modules/.package-lock.json")).unwrap_or_default();
    if is_current(&lock, &installed) {
        return Ok(());
    }
    run::step("install the npm packages", || {
        run::succeed(run::command("npm")?.args([
            "ci",
            // The platform's programs come as packages of their own; no package's script has to run.
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]))
    })
}

/// Whether every package of the lock file is installed in its version; those of other platforms may be absent.
fn is_current(lock: &str, installed: &str) -> bool {
    let (Some(lock), Some(installed)) = (packages(lock), packages(installed)) else {
        return false;
    };
    lock.iter().filter(|(path, _)| !path.is_empty()).all(|(path, wanted)| match installed.get(path) {
        Some(found) => found.get("version") == wanted.get("version"),
        None => wanted.get("optional") == Some(&Value::Bool(true)),
    })
}

fn packages(lock: &str) -> Option<Map<String, Value>> {
    let lock: Value = serde_json::from_str(lock).ok()?;
    lock.get("packages")?.as_object().cloned()
}

#[cfg(test)]
mod tests {
    use super::is_current;

    const LOCK: &str = r#"{"packages":{"":{"version":"9"},"node_modules/a":{"version":"1.0.0"},
        "node_modules/b-win":{"version":"2.0.0","optional":true}}}"#;

    #[test]
    fn packages_are_current_when_every_version_matches() {
        for (installed, expected) in [
            ("", false),
            (r#"{"packages":{}}"#, false),
            (r#"{"packages":{"node_modules/a":{"version":"0.9.0"}}}"#, false),
            (r#"{"packages":{"node_modules/a":{"version":"1.0.0"}}}"#, true),
            (r#"{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b-win":{"version":"1.0.0"}}}"#, false),
        ] {
            assert_eq!(is_current(LOCK, installed), expected, "{installed}");
        }
    }
}
