//! What the commands need: looked for on every start, installed once into folders that git ignores.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{npm, run, wasm_target};

/// The oldest Node that the pinned wrangler runs on.
const NODE_MAJOR: u32 = 20;

/// Programs of the build that come from crates. The first has the version of the `wasm-bindgen` crate in
/// `Cargo.toml`, the second that of the `worker` crate.
const CRATES: [(&str, &str); 2] = [("wasm-bindgen-cli", "0.2.129"), ("worker-build", "0.8.7")];

/// wrangler without questions, reports, banners and look-ups on the network.
pub const QUIET_WRANGLER: [(&str, &str); 6] = [
    ("WRANGLER_SEND_METRICS", "false"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("WRANGLER_LOG_PATH", ".wrangler/logs"),
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("FORCE_COLOR", "0"),
];

/// Where the installed programs are.
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    pub fn wasm_bindgen(&self) -> PathBuf {
        self.program("wasm-bindgen")
    }

    pub fn worker_build(&self) -> PathBuf {
        self.program("worker-build")
    }

    /// A program of a crate.
    pub fn program(&self, name: &str) -> PathBuf {
        self.root.join(".tools/bin").join(name)
    }

    /// A program of an npm package.
    pub fn node_bin(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }
}

/// Installs what is missing.
pub fn ensure() -> Result<Tools> {
    let root = run::root()?;
    check_node()?;
    wasm_target::ensure()?;
    npm::ensure(&root)?;
    ensure_crates(&root, &CRATES)?;
    Ok(Tools { root })
}

fn check_node() -> Result<()> {
    let hint = || format!("Node {NODE_MAJOR} or newer is needed: install it, then run this again");
    let version = run::output(run::command("node")?.arg("--version")).with_context(hint)?;
    let major: Option<u32> = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        bail!("{}; found {}", hint(), version.trim());
    }
    Ok(())
}

/// Programs of crates that only some commands want are named by those.
pub fn ensure_crates(root: &Path, crates: &[(&str, &str)]) -> Result<()> {
    let folder = root.join(".tools");
    let listed = run::output(run::command("cargo")?.args(["install", "--list", "--root"]).arg(&folder))?;
    let missing: Vec<_> = crates.iter().filter(|(name, version)| !is_listed(&listed, name, version)).collect();
    for (name, version) in &missing {
        run::step(&format!("install {name} {version} (minutes, once)"), || {
            run::succeed(
                run::command("cargo")?
                    .args(["install", "--locked", "--version", version, name, "--root"])
                    .arg(&folder)
                    .arg("--target-dir")
                    .arg(folder.join("target")),
            )
        })?;
    }
    // Kept until here, so that an interrupted start goes on where it was.
    let target = folder.join("target");
    if target.is_dir() {
        std::fs::remove_dir_all(target).context("remove the build files of the tools")?;
    }
    Ok(())
}

/// Whether `cargo install --list` names this version.
fn is_listed(listed: &str, name: &str, version: &str) -> bool {
    let line = format!("{name} v{version}:");
    listed.lines().any(|listed| listed.trim_end() == line)
}

#[cfg(test)]
mod tests {
    use super::is_listed;

    #[test]
    fn only_the_pinned_version_counts_as_installed() {
        let listed = "wasm-bindgen-cli v0.2.129:\n    wasm-bindgen\nworker-build v0.8.6:\n    worker-build\n";
        for (name, version, expected) in
            [("wasm-bindgen-cli", "0.2.129", true), ("wasm-bindgen-cli", "0.2.12", false), ("worker-build", "0.8.7", false)]
        {
            assert_eq!(is_listed(listed, name, version), expected, "{name} {version}");
        }
    }
}
