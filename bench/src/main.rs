//! Portolan against a pass-through Worker in the same bare workerd: CPU, latency, size, cold start.
//!
//! `docs/performance.md` says how to read it. `scenario` is the list of what is measured, `suite` measures it, with the load
//! generator `load`, the scripted provider `upstream` and the process of `runtime`; `report` says what came out.

mod clock;
mod cpu;
mod load;
mod machine;
mod manifest;
mod modules;
mod options;
mod report;
mod runtime;
mod scenario;
mod script;
mod seeing;
mod sse;
mod stats;
mod suite;
mod upstream;
mod wire;

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::clock::now;
use crate::options::Options;
use crate::report::{Report, Tried};
use crate::runtime::{Recipe, Serving};
use crate::scenario::{COLD, CPU, LATENCY, Scenario};
use crate::seeing::SEEING;
use crate::suite::{ColdStart, Stage};

const COLD_ROUNDS: (usize, usize) = (5, 11);

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let options = match options::read(root, std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("{reason}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match bench(root, &options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports; whether every measure succeeded.
fn bench(root: &Path, options: &Options) -> io::Result<bool> {
    let report = measure(root, options)?;
    if let Some(folder) = options.json.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&options.json, report.json()?)?;
    let failures = report.failures();
    for line in report.circumstances() {
        println!("{}{line}", if options.markdown { "- " } else { "" });
    }
    for table in report.tables().iter().filter(|table| !table.rows.is_empty()) {
        println!("\n{}", if options.markdown { table.markdown() } else { table.plain() });
    }
    for failure in &failures {
        println!("FAILED {failure}");
    }
    if !failures.is_empty() {
        println!("What workerd said is in target/bench/workerd.log.");
    }
    println!("{}", report.last_line());
    Ok(failures.is_empty())
}

fn measure(root: &Path, options: &Options) -> io::Result<Report> {
    let start = now();
    let binary = options.workerd.clone().map_or_else(|| machine::find_workerd(root), Ok)?;
    let mut machine = machine::describe(&binary);
    let pin = machine::pin(machine.cores);
    machine.pinned = !pin.is_empty();
    let modules = modules::read(&options.gateway)?;
    let sizes = modules::sizes(&modules)?;
    let upstream = upstream::start()?;
    let recipe = Recipe {
        binary,
        folder: root.join("target/bench"),
        pin,
        manifest: manifest::read(&root.join("wrangler.toml"))?,
        modules,
        documents: scenario::documents(upstream),
        upstream,
    };
    recipe.lay_out()?;
    let cold = options.wants(COLD).then(|| cold_start(&recipe, options.quick));
    let seen = options.wants(SEEING).then(|| tell(SEEING, || seeing::measure(&recipe.start(Serving::Seeing)?, options.quick)));
    let stage = Stage { upstream, runtime: recipe.start(Serving::Both)?, quick: options.quick };
    let wanted = |scenario: &&Scenario| options.wants(scenario.name) && scenario.rounds(options.quick) > 0;
    let costs = CPU.iter().filter(wanted).map(|scenario| (scenario, tell(scenario.name, || stage.cost(scenario)))).collect();
    let delays =
        LATENCY.iter().filter(wanted).map(|scenario| (scenario, tell(scenario.name, || stage.delay(scenario)))).collect();
    Ok(Report { quick: options.quick, machine, seconds: start.elapsed().as_secs(), costs, delays, cold, seen, sizes })
}

fn cold_start(recipe: &Recipe, quick: bool) -> Tried<ColdStart> {
    let rounds = if quick { COLD_ROUNDS.0 } else { COLD_ROUNDS.1 };
    let [scenario, ..] = &CPU;
    tell(COLD, || suite::cold_start(recipe, scenario, rounds))
}

/// Runs one measure and says so while it runs.
fn tell<T>(name: &str, measure: impl FnOnce() -> io::Result<T>) -> Tried<T> {
    let start = now();
    let measured = measure();
    let ending = measured.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    eprintln!("bench: {name}, {:.0} s{ending}", start.elapsed().as_secs_f64());
    measured.map_err(|error| error.to_string())
}
