//! The Worker's release build, in `build/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::tools::Tools;
use crate::{assets, run, tools, wasm_target};

/// When set, the module keeps the names of its functions: for a profiler, and for reading a stack.
const KEEP_NAMES: &str = "PORTOLAN_KEEP_NAMES";

/// Cargo adds them to those of `.cargo/config.toml`.
const FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// Installs the tools and builds.
pub fn build() -> Result<()> {
    with_tools(&tools::ensure()?)
}

/// Builds; does next to nothing when nothing changed.
pub fn with_tools(tools: &Tools) -> Result<()> {
    let root = run::root()?;
    worker(tools, &root, None)?;
    assets::assemble(&root)
}

/// Builds in `root`, its crates in `target` where it is not the usual folder.
pub fn worker(tools: &Tools, root: &Path, target: Option<&Path>) -> Result<()> {
    let flags = remapped()?;
    let command = |program: &Path| -> Result<Command> {
        let mut command = run::command(program)?;
        command.current_dir(root).env(FLAGS, &flags).envs(target.map(|folder| ("CARGO_TARGET_DIR", folder)));
        Ok(command)
    };
    let arguments = ["build", "--quiet", "--package", "portolan", "--lib", "--release", "--target", wasm_target::TARGET];
    run::succeed(command(Path::new("cargo"))?.args(arguments))?;
    let stamp = stamp(root, target)?;
    let stamp_file = root.join("build/.stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|built| built == stamp) {
        return Ok(());
    }
    run::step("build the Worker", || {
        let mut command = command(&tools.worker_build())?;
        command
            .arg("--release")
            // Without these it downloads programs from elsewhere.
            .env("WASM_BINDGEN_BIN", tools.wasm_bindgen())
            .env("WASM_OPT_BIN", tools.node_bin("wasm-opt"))
            .env("ESBUILD_BIN", tools.node_bin("esbuild"));
        run::output_on_failure(&mut command)?;
        if keeps_names() { Ok(()) } else { strip_names(tools, &root.join("build/index_bg.wasm")) }
    })?;
    fs::write(stamp_file, stamp).context("build/.stamp")
}

fn keeps_names() -> bool {
    env::var_os(KEEP_NAMES).is_some()
}

/// worker-build tells wasm-opt to keep them: a tenth of what is uploaded.
fn strip_names(tools: &Tools, module: &Path) -> Result<()> {
    let mut command = run::command(tools.node_bin("wasm-opt"))?;
    command.args(["--strip-debug", "--strip-producers"]).arg(module).arg("-o").arg(module);
    run::output_on_failure(&mut command)
}

/// The digest of all that decides what `build/` holds.
fn stamp(root: &Path, target: Option<&Path>) -> Result<String> {
    let mut digest = Sha256::new();
    for file in [
        compiled_module(root, target)?,
        root.join("Cargo.toml"),
        root.join("package-lock.json"),
        root.join(".tools/.crates.toml"),
    ] {
        let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
        digest.update(Sha256::digest(bytes));
    }
    digest.update([u8::from(keeps_names())]);
    Ok(hex(&digest.finalize()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compiled_module(root: &Path, target: Option<&Path>) -> Result<PathBuf> {
    Ok(target_folder(root, target)?.join(wasm_target::TARGET).join("release/portolan.wasm"))
}

fn target_folder(root: &Path, target: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = target {
        return Ok(folder.to_owned());
    }
    let mut command = run::command("cargo")?;
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let metadata: Value = serde_json::from_str(&run::output(&mut command)?)?;
    let folder = metadata.get("target_directory").and_then(Value::as_str).context("cargo metadata names no target folder")?;
    Ok(PathBuf::from(folder))
}

/// Paths of the machine that builds do not stand in what it makes: the same commit is the same bytes elsewhere. The folders of
/// sources are there: this program was built of some.
fn remapped() -> Result<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let sources = home.context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    let mut flags = Vec::new();
    for entry in fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
        flags.push(format!("--remap-path-prefix={}=/crates", entry?.path().display()));
    }
    flags.sort();
    Ok(flags.join(" "))
}
