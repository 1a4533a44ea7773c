//! A release: two clean builds that must be the same, what they hold, and the digests of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::tools::{self, Tools};
use crate::{assets, build, run, wasm_target};

/// Other compilers make other bytes of the same source.
const RUSTC: &str = "1.95.0";
/// Writes down the crates that were built in.
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");
/// Where a release is put, and where it is built.
const FOLDER: &str = "dist";
const WORK: &str = "target/release-builds";
const SBOM: &str = "sbom.cdx";
/// Folders of libraries that the dashboard brings along: package, version, license.
const VENDOR: &str = "src/dashboard/vendor";
const VENDORED: [(&str, &str, &str, &str); 1] = [("cfworker-json-schema", "@cfworker/json-schema", "4.1.6", "MIT")];

pub fn release() -> Result<()> {
    let root = run::root()?;
    check(&root)?;
    let tools = tools::ensure()?;
    tools::ensure_crates(&root, &[CYCLONEDX])?;
    let work = root.join(WORK);
    empty(&work)?;
    let commit = git(&root, &["rev-parse", "HEAD"])?;
    let clones = [work.join("one"), work.join("two")];
    let mut builds = Vec::new();
    for clone in &clones {
        builds.push(run::step(&format!("build {}", clone.display()), || clean_build(&root, &tools, clone))?);
    }
    let [one, two] = &builds[..] else { bail!("two builds are compared") };
    if let Some((file, digest)) = one.iter().find(|row| !two.contains(row)).or_else(|| two.iter().find(|row| !one.contains(row)))
    {
        bail!("the builds differ: {} has {digest} in one of them only; they are left in {WORK}", file.display());
    }
    let [clone, _] = &clones;
    let folder = root.join(FOLDER);
    empty(&folder)?;
    assets::copy(&clone.join("build"), &folder.join("build"))?;
    fs::write(folder.join(format!("{SBOM}.json")), sbom(&tools, clone)?)?;
    let sums: String = one.iter().map(|(file, digest)| format!("{digest}  {}\n", file.display())).collect();
    fs::write(folder.join("SHA256SUMS"), &sums)?;
    fs::remove_dir_all(&work).context(WORK)?;
    println!("commit {commit}, rustc {RUSTC}: two clean builds are identical, in {FOLDER}/\n{sums}");
    Ok(())
}

/// What is released is what is committed, made by the pinned compiler.
fn check(root: &Path) -> Result<()> {
    let found = run::output(run::command("rustc")?.arg("--version"))?;
    if found.split_whitespace().nth(1) != Some(RUSTC) {
        bail!("a release is built by rustc {RUSTC}, and this is {}: `rustup default {RUSTC}`", found.trim());
    }
    let changed = git(root, &["status", "--porcelain"])?;
    if !changed.is_empty() {
        bail!("a release is built of a commit, and these are not in it:\n{changed}");
    }
    Ok(())
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    Ok(run::output(run::command("git")?.current_dir(root).args(arguments))?.trim_end().to_owned())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// Clones the commit and builds all of it anew; each file of `build/` with its digest.
fn clean_build(root: &Path, tools: &Tools, clone: &Path) -> Result<Vec<(PathBuf, String)>> {
    run::succeed(run::command("git")?.args(["clone", "--quiet", "--no-hardlinks", "."]).arg(clone))?;
    // Pinned by their versions; the crates are compiled anew.
    for shared in [".tools", "node_modules"] {
        std::os::unix::fs::symlink(root.join(shared), clone.join(shared)).with_context(|| shared.to_owned())?;
    }
    build::worker(tools, clone, Some(&clone.join("target")))?;
    assets::assemble(clone)?;
    let mut files = Vec::new();
    digests(&clone.join("build"), Path::new(""), &mut files)?;
    files.sort();
    Ok(files)
}

fn digests(folder: &Path, below: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            digests(&entry.path(), &name, files)?;
        } else if !entry.file_name().to_string_lossy().starts_with('.') {
            files.push((name, build::hex(&Sha256::digest(fs::read(entry.path())?))));
        }
    }
    Ok(())
}

/// CycloneDX: the crates of the module, and what the dashboard brings along.
fn sbom(tools: &Tools, clone: &Path) -> Result<String> {
    let time = git(clone, &["show", "--no-patch", "--format=%ct", "HEAD"])?;
    let mut command = run::command(tools.program(CYCLONEDX.0))?;
    command.current_dir(clone).env("SOURCE_DATE_EPOCH", time).args(["cyclonedx", "--format", "json", "--no-build-deps"]);
    command.args(["--target", wasm_target::TARGET, "--override-filename", SBOM]);
    run::output_on_failure(&mut command)?;
    let file = clone.join(format!("{SBOM}.json"));
    let mut told: Value = serde_json::from_str(&fs::read_to_string(&file).with_context(|| file.display().to_string())?)?;
    let components = told.get_mut("components").and_then(Value::as_array_mut).context("the SBOM names no components")?;
    for entry in fs::read_dir(clone.join(VENDOR)).context(VENDOR)? {
        let name = entry?.file_name();
        let row = VENDORED.iter().find(|row| name == row.0);
        components.push(component(row.with_context(|| format!("{} has no row in xtask/src/release.rs", name.display()))?));
    }
    Ok(serde_json::to_string_pretty(&told)? + "\n")
}

fn component((_, name, version, license): &(&str, &str, &str, &str)) -> Value {
    let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
    json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "licenses": [{ "license": { "id": license } }],
        "purl": purl,
        "scope": "required",
    })
}
