//! The machine and the versions that figures depend on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Where the load and the upstream run; workerd has the first core for itself.
const LOAD_CORE: &str = "1";
const WORKERD_CORE: &str = "0";

pub struct Machine {
    pub cores: usize,
    pub model: String,
    pub load: String,
    pub workerd: String,
    pub rustc: String,
    pub pinned: bool,
}

pub fn describe(workerd: &Path) -> Machine {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, model)| model.to_owned());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Machine {
        cores: thread::available_parallelism().map_or(1, usize::from),
        model: model.unwrap_or_else(|| "unknown CPU".to_owned()),
        load: load.split(' ').next().unwrap_or_default().to_owned(),
        workerd: first_line(Command::new(workerd).arg("--version")),
        rustc: first_line(Command::new("rustc").arg("--version")),
        pinned: false,
    }
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown version").to_owned()
}

/// Moves this process to its core and says how workerd is put on the other; nothing where there is one core or no `taskset`.
pub fn pin(cores: usize) -> Vec<String> {
    if cores < 2 {
        return Vec::new();
    }
    let pid = std::process::id().to_string();
    match Command::new("taskset").args(["-a", "-c", "-p", LOAD_CORE, &pid]).output() {
        Ok(output) if output.status.success() => ["taskset", "-c", WORKERD_CORE].map(str::to_owned).to_vec(),
        Ok(_) | Err(_) => Vec::new(),
    }
}

/// The newest workerd that is installed, for it is nearest to the platform's: its package knows where the native binary lies.
pub fn find_workerd(root: &Path) -> io::Result<PathBuf> {
    let found = first_line(Command::new("node").args(["--print", "require('workerd-newest').default"]).current_dir(root));
    let binary = PathBuf::from(found);
    if binary.is_file() {
        return Ok(binary);
    }
    Err(io::Error::other("no workerd in node_modules: run `cargo xtask tools`, or name one with --workerd"))
}
