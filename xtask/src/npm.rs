//! The npm packages of a folder's `package-lock.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::run;

/// What was installed by this command: a copy of the lock file.
const STAMP: &str = "node_modules/.installed-lock.json";

/// Installs a folder's packages unless its `node_modules` holds what the lock file names.
pub fn ensure(root: &Path) -> Result<()> {
    let lock = fs::read_to_string(root.join("package-lock.json")).context("package-lock.json")?;
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    // npm's own record tells after a plain `npm ci`, which must not be repeated below a running wrangler.
    if read(STAMP) == lock || is_current(&lock, &read("node_modules/.package-lock.json")) {
        return Ok(());
    }
    run::step(&format!("install the npm packages of {}", root.display()), || {
        // The platform's programs come as packages of their own; no package's script has to run.
        let options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        run::succeed(run::command("npm")?.arg("ci").args(options).current_dir(root))?;
        fs::write(root.join(STAMP), &lock).context(STAMP)
    })
}

/// Whether every package of the lock file is installed in its version; those of other platforms may be absent.
fn is_current(lock: &str, installed: &str) -> bool {
    let (Some(lock), Some(installed)) = (packages(lock), packages(installed)) else {
        return false;
    };
    let may_be_absent =
        |package: &Value| ["optional", "extraneous"].iter().any(|flag| package.get(flag) == Some(&Value::Bool(true)));
    lock.iter().filter(|(path, _)| !path.is_empty()).all(|(path, wanted)| match installed.get(path) {
        Some(found) => found.get("version") == wanted.get("version"),
        None => may_be_absent(wanted),
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
