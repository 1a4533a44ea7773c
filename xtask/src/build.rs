//! The Worker's release build, in `build/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::tools::Tools;
use crate::{assets, run, tools, wasm_target};

/// When set, the module keeps the names of its functions: for a profiler, and for reading a stack.
const KEEP_NAMES: &str = "PORTOLAN_KEEP_NAMES";

/// Installs the tools and builds.
pub fn build() -> Result<()> {
    with_tools(&tools::ensure()?)
}

/// Builds; does next to nothing when nothing changed.
pub fn with_tools(tools: &Tools) -> Result<()> {
    let root = run::root()?;
    worker(tools, &root)?;
    assets::assemble(&root)
}

fn worker(tools: &Tools, root: &Path) -> Result<()> {
    run::succeed(run::command("cargo")?.args([
        "build",
        "--quiet",
        "--package",
        "portolan",
        "--lib",
        "--release",
        "--target",
        wasm_target::TARGET,
    ]))?;
    let stamp = stamp(root)?;
    let stamp_file = root.join("build/.stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|built| built == stamp) {
        return Ok(());
    }
    run::step("build the Worker", || {
        let mut command = run::command(tools.worker_build())?;
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
fn stamp(root: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    for file in
        [compiled_module(root)?, root.join("Cargo.toml"), root.join("package-lock.json"), root.join(".tools/.crates.toml")]
    {
        let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
        digest.update(Sha256::digest(bytes));
    }
    digest.update([u8::from(keeps_names())]);
    let digest: [u8; 32] = digest.finalize().into();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn compiled_module(root: &Path) -> Result<PathBuf> {
    let mut command = run::command("cargo")?;
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let metadata: Value = serde_json::from_str(&run::output(&mut command)?)?;
    let folder = metadata.get("target_directory").and_then(Value::as_str).context("cargo metadata names no target folder")?;
    Ok(Path::new(folder).join(wasm_target::TARGET).join("release/portolan.wasm"))
}
