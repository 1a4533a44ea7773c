//! The wasm32 standard library built from Debian's package of its source, for machines where rustup cannot fetch it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::wasm_target::TARGET;

/// The Debian release whose backports carry current compilers.
const SUITE: &str = "trixie-backports";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SOURCES: [&str; 3] =
    ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.list"];

/// A crate with nothing in it: building it with `-Zbuild-std` leaves the standard library's own files.
const CRATE: &str = "[package]\nname = \"nothing\"\nedition = \"2024\"\n[lib]\npath = \"nothing.rs\"\n[workspace]\n";

/// Builds the standard library and puts it into the toolchain's folder for the target.
pub fn install(root: &Path, destination: &Path) -> Result<()> {
    let work = root.join(".tools/rust-src");
    fs::create_dir_all(&work)?;
    let sysroot = run::output(run::command("rustc")?.args(["--print", "sysroot"]))?;
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    if !source.join("library").is_dir() {
        let library = fetch(&work)?;
        fs::create_dir_all(&source)?;
        run::succeed(run::command("cp")?.arg("-r").arg(library).arg(&source))?;
    }
    let built = build(&work)?;
    copy(&built, destination)?;
    fs::remove_dir_all(work).context("remove the files of the build")
}

/// Downloads and unpacks the source of our compiler's version; returns its `library` folder.
fn fetch(work: &Path) -> Result<PathBuf> {
    let version = run::output(run::command("rustc")?.arg("--version"))?;
    let version = version.split_whitespace().nth(1).context("rustc names no version")?;
    let mirror = SOURCES.iter().find_map(|file| mirror(&fs::read_to_string(file).ok()?)).context("no Debian mirror is set up")?;
    fs::write(work.join("sources.list"), format!("deb [signed-by={KEYRING}] {mirror} {SUITE} main\n"))?;
    fs::create_dir_all(work.join("lists/partial"))?;
    run::succeed(apt_get(work)?.arg("update"))?;
    run::succeed(apt_get(work)?.args(["download", &format!("rust-src={version}*")]))?;
    let package = files(work, ".deb")?.pop().context("nothing was downloaded")?;
    run::succeed(run::command("dpkg")?.arg("-x").arg(package).arg(work))?;
    Ok(work.join(format!("usr/src/rustc-{version}/library")))
}

/// The machine's own package lists stay as they are.
fn apt_get(work: &Path) -> Result<Command> {
    let mut command = run::command("apt-get")?;
    command.current_dir(work).args(["--quiet", "--option", "APT::Sandbox::User=root"]);
    for (option, value) in [
        ("Dir::Etc::SourceList", work.join("sources.list")),
        ("Dir::Etc::SourceParts", PathBuf::from("/dev/null")),
        ("Dir::State::Lists", work.join("lists")),
        ("Dir::Cache", work.join("cache")),
    ] {
        command.arg("--option").arg(format!("{option}={}", value.display()));
    }
    Ok(command)
}

/// The first Debian mirror of a sources file, in either of its two formats.
fn mirror(sources: &str) -> Option<String> {
    let is_mirror = |word: &&str| word.contains("://") && word.trim_end_matches('/').ends_with("/debian");
    let lines = sources.lines().filter(|line| line.starts_with("URIs:") || line.starts_with("deb "));
    lines.flat_map(str::split_whitespace).find(is_mirror).map(str::to_owned)
}

fn build(work: &Path) -> Result<PathBuf> {
    fs::write(work.join("Cargo.toml"), CRATE)?;
    fs::write(work.join("nothing.rs"), "")?;
    let mut command = run::command("cargo")?;
    command
        .current_dir(work)
        .args(["build", "-Zbuild-std=std,panic_abort", "--release", "--target", TARGET, "--target-dir", "target"])
        .env("RUSTC_BOOTSTRAP", "1")
        // Link-time optimisation reads the bitcode.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    run::succeed(&mut command)?;
    Ok(work.join("target").join(TARGET).join("release/deps"))
}

/// `libstd` comes last: where it is, the others are.
fn copy(built: &Path, destination: &Path) -> Result<()> {
    fs::create_dir_all(destination)?;
    let mut libraries = files(built, ".rlib")?;
    libraries.sort_by_key(|path| is_named(path, "libstd-"));
    for library in libraries.iter().filter(|path| !is_named(path, "libnothing-")) {
        let name = library.file_name().context("a file without a name")?;
        fs::copy(library, destination.join(name)).with_context(|| destination.display().to_string())?;
    }
    Ok(())
}

fn is_named(path: &Path, start: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
}

fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(end) {
            found.push(entry.path());
        }
    }
    if found.is_empty() {
        bail!("no {end} file in {}", folder.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::mirror;

    #[test]
    fn the_mirror_is_the_one_that_the_machine_uses() {
        for (sources, expected) in [
            (
                "Types: deb\n# http://snapshot.example/debian/1\nURIs: http://mirror.example/debian\n",
                Some("http://mirror.example/debian"),
            ),
            ("deb [signed-by=/x] http://mirror.example/debian/ bookworm main", Some("http://mirror.example/debian/")),
            ("URIs: http://mirror.example/debian-security", None),
            ("", None),
        ] {
            assert_eq!(mirror(sources).as_deref(), expected, "{sources}");
        }
    }
}
