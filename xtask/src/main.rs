//! The developer's commands: `cargo xtask <command>`.

mod assets;
mod bench;
mod build;
mod chromium;
mod ci;
mod debian;
mod dev;
mod documents;
mod env_file;
mod groups;
mod import;
mod npm;
mod openapi;
mod prices;
mod python;
mod reconcile;
mod release;
mod run;
mod rust_src;
mod secrets;
mod server;
mod summary;
mod test;
mod tools;
mod wasm_target;

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::summary::Counts;

const USAGE: &str = "\
usage: cargo xtask <command>

  tools        install what the other commands need
  build        build the Worker into build/
  dev          build and serve on http://127.0.0.1:8787, or on PORT; `--config DIR` loads documents and secrets
  test         run every test, or those of the named groups
  corpus       recorded exchanges with real providers, from the folder PORTOLAN_CORPUS
  fuzz         mutated bytes against every reader, a minute in all; `--seconds N`, `--seed N`, names of targets
  conformance  every failover scenario in every mode, as a table; `--update` keeps it in docs/failover.md
  simulate     a fleet in a made-up world; `--requests N`, `--seed N`, `--only SEED`, `--compare [FOLDER]`
  audit        verify an exported audit chain: `audit verify FILE`, `--head NUMBER-HASH`, `--heads FILE`
  nightly      what is too large or too long for every change
  openapi      write openapi.json, the description of the admin API
  prices       import public price tables into a `prices` document: `prices import --from FILE …`
  import       another gateway's configuration into our documents: `import litellm|portkey|openrouter|tensorzero FILE [--out DIR]`
  bench        measure the gateway against a pass-through Worker; `--quick` ends in three minutes
  reconcile    hold the gateway's counts against a provider's own; `--usage FILE --export FILE`
  release      build the commit twice from nothing, which must come to the same bytes: dist/ has them, their digests and an SBOM
  ci           the gate: format, lints, tests, upload size";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match command(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(arguments: &[String]) -> Result<ExitCode> {
    let Some((name, rest)) = arguments.split_first() else {
        return usage();
    };
    match name.as_str() {
        "tools" => tools::ensure().map(|_| ExitCode::SUCCESS),
        "build" => build::build().map(|()| ExitCode::SUCCESS),
        "dev" => dev::dev(rest).map(|()| ExitCode::SUCCESS),
        "test" => test::test(rest).map(|passed| if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        "nightly" => test::nightly().map(|passed| if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        "corpus" => groups::run_recordings("corpus", "PORTOLAN_CORPUS").map(code),
        "fuzz" => groups::run_fuzz(rest).map(code),
        "conformance" => groups::run_conformance(&rest.iter().map(String::as_str).collect::<Vec<_>>()).map(code),
        "simulate" => groups::run_simulator(&rest.iter().map(String::as_str).collect::<Vec<_>>()).map(code),
        "audit" => groups::run_audit(rest),
        "openapi" => openapi::write().map(|()| ExitCode::SUCCESS),
        "prices" => prices::prices(rest).map(|()| ExitCode::SUCCESS),
        "import" => import::import(rest).map(|()| ExitCode::SUCCESS),
        "bench" => bench::bench(rest),
        "reconcile" => reconcile::reconcile(rest).map(|same| if same { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        "release" => release::release().map(|()| ExitCode::SUCCESS),
        "ci" => ci::ci().map(|()| ExitCode::SUCCESS),
        _ => usage(),
    }
}

fn code(counts: Counts) -> ExitCode {
    if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> Result<ExitCode> {
    eprintln!("{USAGE}");
    Ok(ExitCode::FAILURE)
}
