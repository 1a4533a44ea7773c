//! The groups of tests: one row says what a group needs, how that is installed and how it is run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::summary::{self, Counts};
use crate::{build, chromium, debian, npm, python, run, tools};

/// A hung test file ends before the whole gate's patience does.
const FILE_LIMIT_MS: &str = "600000";

pub struct Group {
    pub name: &'static str,
    /// It needs data that is not part of the repository: without it the group is named as not run, in CI too.
    pub needs_data: bool,
    /// Large or long: run by `cargo xtask nightly`, or by name.
    pub nightly: bool,
    /// The line that installs what it needs, for whom the command's own try failed.
    pub install: &'static str,
    /// Its files; a group without any is not there.
    pub files: fn(&Path) -> Result<Vec<PathBuf>>,
    /// Installs what it needs; an error means that the group cannot run here.
    pub prepare: fn(&Path) -> Result<()>,
    pub run: fn(&Path, &[PathBuf]) -> Result<Counts>,
}

pub const GROUPS: [Group; 20] = [
    Group {
        name: "native",
        needs_data: false,
        nightly: false,
        install: "rustup toolchain install stable",
        files: |root| Ok(vec![root.join("Cargo.toml")]),
        prepare: |_| {
            debian::promtool();
            Ok(())
        },
        run: |_, _| run_cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"]),
    },
    Group {
        name: "recordings",
        needs_data: true,
        nightly: false,
        install: "set PORTOLAN_CORPUS and PORTOLAN_CLIENTS to folders of recordings (see tests/corpus.rs)",
        files: |root| Ok(vec![root.join("tests/corpus.rs")]),
        prepare: |_| recordings(),
        run: |_, _| run_cargo(&["test", "--quiet", "--test", "corpus", "--no-fail-fast", "--", "--ignored"]),
    },
    Group {
        name: "corpus",
        needs_data: true,
        nightly: false,
        install: "set PORTOLAN_CORPUS to a folder of recorded exchanges (see proof/src/recording.rs)",
        files: |root| Ok(vec![root.join("proof/Cargo.toml")]),
        prepare: |_| folder("PORTOLAN_CORPUS").map(|_| ()),
        run: |_, _| run_recordings("corpus", "PORTOLAN_CORPUS"),
    },
    Group {
        name: "clients",
        needs_data: true,
        nightly: false,
        install: "set PORTOLAN_CLIENTS to a folder of what clients send (see proof/src/clients.rs)",
        files: |root| Ok(vec![root.join("proof/Cargo.toml")]),
        prepare: |_| folder("PORTOLAN_CLIENTS").map(|_| ()),
        run: |_, _| run_recordings("clients", "PORTOLAN_CLIENTS"),
    },
    Group {
        name: "fuzz",
        needs_data: false,
        nightly: false,
        install: "rustup toolchain install stable",
        files: |root| Ok(vec![root.join("proof/src/bin/fuzz.rs")]),
        prepare: |_| Ok(()),
        run: |_, _| run_fuzz(&[]),
    },
    Group {
        name: "simulator",
        needs_data: false,
        nightly: false,
        install: "rustup toolchain install stable",
        files: |root| Ok(vec![root.join("proof/src/bin/simulate.rs")]),
        prepare: |_| Ok(()),
        run: |_, _| run_simulator(&[]),
    },
    Group {
        name: "simulator-long",
        needs_data: false,
        nightly: true,
        install: "rustup toolchain install stable",
        files: |root| Ok(vec![root.join("proof/src/bin/simulate.rs")]),
        prepare: |_| Ok(()),
        run: |_, _| run_simulator(&["--requests", "1000000"]),
    },
    Group {
        name: "worker",
        needs_data: false,
        nightly: false,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/e2e"), ".test.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, files| run_worker(files, None),
    },
    Group {
        name: "worker-newest",
        needs_data: false,
        nightly: false,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/e2e"), ".runtime.test.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, files| run_worker(files, Some(newest_workerd()?)),
    },
    Group {
        name: "conformance",
        needs_data: false,
        nightly: false,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "run.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_conformance(&["--slice"]),
    },
    Group {
        name: "conformance-all",
        needs_data: false,
        nightly: true,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "run.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_conformance(&[]),
    },
    Group {
        name: "chaos",
        needs_data: false,
        nightly: false,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "chaos.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_chaos("25"),
    },
    Group {
        name: "chaos-long",
        needs_data: false,
        nightly: true,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "chaos.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_chaos("300"),
    },
    Group {
        name: "kill",
        needs_data: false,
        nightly: false,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "kill.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_script("tests/conformance/kill.mjs", &["--seconds", "25"]),
    },
    Group {
        name: "kill-long",
        needs_data: false,
        nightly: true,
        install: "cargo xtask tools",
        files: |root| files(&root.join("tests/conformance"), "kill.mjs"),
        prepare: |_| tools::ensure().map(|_| ()),
        run: |_, _| run_script("tests/conformance/kill.mjs", &["--seconds", "240", "--wait"]),
    },
    Group {
        name: "sdks",
        needs_data: false,
        nightly: false,
        install: "cd tests/sdk && npm ci --ignore-scripts",
        files: |root| files(&root.join("tests/sdk"), ".test.mjs"),
        prepare: |root| tools::ensure().and_then(|_| npm::ensure(&root.join("tests/sdk"))),
        run: |_, files| run_worker(files, None),
    },
    Group {
        name: "clis",
        needs_data: false,
        nightly: true,
        install: "cd tests/cli && npm ci --ignore-scripts",
        files: |root| files(&root.join("tests/cli"), ".test.mjs"),
        prepare: |root| tools::ensure().and_then(|_| clis(&root.join("tests/cli"))),
        run: |_, files| run_worker(files, None),
    },
    Group {
        name: "dashboard",
        needs_data: false,
        nightly: false,
        install: "apt-get install chromium, or set CHROMIUM to a browser of its kind",
        files: |root| files(&root.join("tests/dashboard"), ".test.mjs"),
        prepare: |_| tools::ensure().and_then(|_| chromium::ensure()),
        run: |_, files| run_worker(files, None),
    },
    Group {
        name: "openapi",
        needs_data: false,
        nightly: false,
        install: "apt-get install python3-venv (the packages come by themselves)",
        files: |root| files(&root.join("tests/openapi"), "run.mjs"),
        prepare: |root| tools::ensure().and_then(|_| python::schemathesis(root)).map(|_| ()),
        run: |root, _| run_openapi(root),
    },
    Group {
        name: "python",
        needs_data: false,
        nightly: false,
        install: "apt-get install python3-venv (the packages come by themselves)",
        files: |root| files(&root.join("tests/python"), ".py"),
        prepare: |root| python::ensure(root).map(|_| ()),
        run: run_python,
    },
];

/// The files of a folder whose name ends so, in order; none when the folder is not there.
fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(end) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Scripts of packages that fetch nothing and only put their own program in its place.
const PLACING: [(&str, &str); 2] = [("@anthropic-ai/claude-code", "install.cjs"), ("opencode-ai", "postinstall.mjs")];

fn clis(folder: &Path) -> Result<()> {
    npm::ensure(folder)?;
    for (package, script) in PLACING {
        let place = folder.join("node_modules").join(package);
        run::succeed(run::command("node")?.arg(script).current_dir(place))?;
    }
    Ok(())
}

/// Recorded traffic lies where two variables say.
fn recordings() -> Result<()> {
    for name in ["PORTOLAN_CORPUS", "PORTOLAN_CLIENTS"] {
        folder(name)?;
    }
    Ok(())
}

fn folder(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set"))
}

/// Each recorded exchange is one test.
pub fn run_recordings(what: &str, variable: &str) -> Result<Counts> {
    let mut command = run::command("cargo")?;
    command.args(["run", "--quiet", "--package", "proof", "--bin", "recordings", "--", what]).arg(folder(variable)?);
    let (succeeded, printed) = run::tee(&mut command)?;
    Ok(summary::of_proof(&printed).with_status(succeeded))
}

fn run_cargo(arguments: &[&str]) -> Result<Counts> {
    let (succeeded, printed) = run::tee(run::command("cargo")?.args(arguments))?;
    Ok(summary::of_cargo(&printed).with_status(succeeded))
}

/// Each target is one test. A minute in all, unless told otherwise.
pub fn run_fuzz(arguments: &[String]) -> Result<Counts> {
    run_proof("fuzz", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Each check, and each gateway that is broken on purpose, is one test. Some 30 000 requests, unless told otherwise.
pub fn run_simulator(arguments: &[&str]) -> Result<Counts> {
    run_proof("simulate", arguments)
}

/// The verifier of audit chains, with its own words and exit code.
pub fn run_audit(arguments: &[String]) -> Result<ExitCode> {
    // Where the caller stands: that is where the files are.
    let program = ["run", "--quiet", "--package", "proof", "--bin", "audit", "--"];
    let status = Command::new("cargo").args(program).args(arguments).status().context("cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_proof(program: &str, arguments: &[&str]) -> Result<Counts> {
    let mut command = run::command("cargo")?;
    command.args(["run", "--quiet", "--package", "proof", "--profile", "fuzz", "--bin", program, "--"]).args(arguments);
    let (succeeded, printed) = run::tee(&mut command)?;
    Ok(summary::of_proof(&printed).with_status(succeeded))
}

fn run_worker(files: &[PathBuf], workerd: Option<PathBuf>) -> Result<Counts> {
    build::build()?;
    let mut command = run::command("node")?;
    command.args(["--test", "--test-reporter=spec", "--test-timeout", FILE_LIMIT_MS]).args(files).envs(tools::QUIET_WRANGLER);
    if let Some(workerd) = workerd {
        command.env("MINIFLARE_WORKERD_PATH", workerd);
    }
    let (succeeded, printed) = run::tee(&mut command)?;
    Ok(summary::of_node(&printed).with_status(succeeded))
}

/// The scenarios of failover, in each mode; each mode and way of a scenario is one test.
pub fn run_conformance(arguments: &[&str]) -> Result<Counts> {
    run_script("tests/conformance/run.mjs", arguments)
}

/// Upstreams and the runtime are killed under load for so many seconds.
fn run_chaos(seconds: &str) -> Result<Counts> {
    run_script("tests/conformance/chaos.mjs", &["--seconds", seconds])
}

/// A program that prints its counts last.
fn run_script(script: &str, arguments: &[&str]) -> Result<Counts> {
    build::build()?;
    let mut command = run::command("node")?;
    command.arg(script).args(arguments).envs(tools::QUIET_WRANGLER);
    let (succeeded, printed) = run::tee(&mut command)?;
    Ok(summary::of_proof(&printed).with_status(succeeded))
}

/// What `openapi.json` says, held against the Worker; each operation is one test.
fn run_openapi(root: &Path) -> Result<Counts> {
    build::build()?;
    let mut command = run::command("node")?;
    command.arg("tests/openapi/run.mjs").env("SCHEMATHESIS", python::schemathesis(root)?).envs(tools::QUIET_WRANGLER);
    let (succeeded, printed) = run::tee(&mut command)?;
    Ok(summary::of_proof(&printed).with_status(succeeded))
}

fn newest_workerd() -> Result<PathBuf> {
    let printed = run::output(run::command("node")?.args(["--print", "require('workerd-newest').default"]))?;
    Ok(PathBuf::from(printed.trim()))
}

/// Each file is one test: a program that ends well or not.
fn run_python(root: &Path, files: &[PathBuf]) -> Result<Counts> {
    let python = python::ensure(root)?;
    let mut counts = Counts::default();
    for file in files {
        println!("  {}", file.display());
        let succeeded = Command::new(&python).arg(file).current_dir(root).status()?.success();
        let one = Counts { passed: u32::from(succeeded), failed: u32::from(!succeeded), skipped: 0 };
        counts = counts.plus(one);
    }
    Ok(counts)
}
