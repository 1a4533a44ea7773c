//! The command line.

use std::path::{Path, PathBuf};

use crate::scenario;

pub const USAGE: &str = "\
cargo xtask bench [options]
  --quick              fewer and shorter rounds; ends within three minutes
  --markdown           print the tables as Markdown, as docs/performance.md has them
  --only NAME,NAME     these measures only (names are in the first column)
  --gateway-dir DIR    the built Worker (default: build)
  --workerd PATH       the runtime (default: the one in node_modules)
  --json PATH          where the results go as JSON (default: target/bench.json)";

pub struct Options {
    pub quick: bool,
    pub markdown: bool,
    pub only: Option<Vec<String>>,
    pub gateway: PathBuf,
    pub workerd: Option<PathBuf>,
    pub json: PathBuf,
}

impl Options {
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }
}

/// Reads the arguments; the error is a line for the user.
pub fn read(root: &Path, arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        quick: false,
        markdown: false,
        only: None,
        gateway: root.join("build"),
        workerd: None,
        json: root.join("target/bench.json"),
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--markdown" => options.markdown = true,
            "--only" => options.only = Some(value()?.split(',').map(read_name).collect::<Result<_, _>>()?),
            "--gateway-dir" => options.gateway = value()?.into(),
            "--workerd" => options.workerd = Some(value()?.into()),
            "--json" => options.json = value()?.into(),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(options)
}

fn read_name(name: &str) -> Result<String, String> {
    let known: Vec<&str> = scenario::names().collect();
    if known.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(format!("no measure is named {name}; there are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, String> {
        read(Path::new("/r"), line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn everything_is_measured_unless_some_is_named() {
        for (line, name, wanted) in [("", "ttft", true), ("--only ttft,cold", "cold", true), ("--only cold", "ttft", false)] {
            assert_eq!(options(line).unwrap().wants(name), wanted, "{line} {name}");
        }
    }

    #[test]
    fn unknown_arguments_and_missing_values_are_refused() {
        for (line, fine) in [("--quick --markdown", true), ("--fast", false), ("--only", false), ("--only nothing", false)] {
            assert_eq!(options(line).is_ok(), fine, "{line}");
        }
    }
}
