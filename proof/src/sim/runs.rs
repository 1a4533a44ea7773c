//! Many worlds, each looked at; of one that fails, the smallest trace.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    engine,
    fleet::Fleet,
    mutants::Mutant,
    report::{Check, Report, Violation},
    scenario::Scenario,
    shrink, worlds,
};
use crate::counts::Counts;

/// Requests of one world.
pub const WORLD: usize = 2_000;
/// Of worlds in which the gateway is broken on purpose, and how many of them are tried.
const MUTANT_WORLD: usize = 1_000;
const MAX_MUTANT_WORLDS: u64 = 60;
/// Worlds whose failures are shrunk and told; the others are only counted.
const MAX_TOLD: usize = 3;
/// Lines of a trace: a failing world that was made small has no more that matter.
const MAX_LINES: usize = 80;

pub struct Options {
    pub requests: usize,
    pub seed: u64,
    pub only: Option<u64>,
}

pub fn play(scenario: &Scenario, mutant: Option<Mutant>, traced: bool) -> Result<Report> {
    engine::play(scenario, Box::new(Fleet::new(scenario.seed)), mutant, traced)
}

/// Each check is one test.
pub fn run(options: &Options) -> Result<Counts> {
    let mut wrong: BTreeMap<Check, Vec<String>> = BTreeMap::new();
    let (mut worlds, mut requests, mut sends, mut probes, mut messages, mut told) = (0, 0, 0, 0, 0, 0);
    let mut returns = vec![];
    let mut seed = options.only.unwrap_or(options.seed);
    while requests < options.requests {
        let scenario = worlds::make(seed, WORLD);
        let report = play(&scenario, None, false)?;
        worlds += 1;
        requests += report.requests;
        sends += report.sends;
        probes += report.probes;
        messages += report.messages;
        returns.extend(report.returns.iter().copied());
        let mut first: BTreeMap<Check, &Violation> = BTreeMap::new();
        for violation in &report.violations {
            first.entry(violation.check).or_insert(violation);
        }
        for (check, violation) in first {
            let lines = wrong.entry(check).or_default();
            lines.push(format!("seed {seed}, {} ms, request {:?}: {}", violation.at, violation.request, violation.what));
            if told < MAX_TOLD && lines.len() == 1 {
                told += 1;
                tell(&scenario, check)?;
            }
        }
        seed += 1;
        if options.only.is_some() {
            break;
        }
    }
    returns.sort_unstable();
    let at = |percent: usize| returns.get(returns.len() * percent / 100).or(returns.last()).copied().unwrap_or(0);
    println!("{worlds} worlds, {requests} requests, {sends} sends, {probes} probes, {messages} calls to objects");
    println!("{} outages watched to their end; back after {} ms at the median, {} at worst", returns.len(), at(50), at(100));
    let mut counts = Counts::default();
    let missed = ["no check noticed it".to_owned()];
    for check in Check::ALL {
        let wrong = wrong.remove(&check).unwrap_or_default();
        println!(
            "{:<16} {}",
            check.name(),
            if wrong.is_empty() { "holds".to_owned() } else { format!("fails in {} worlds", wrong.len()) }
        );
        counts.add(check.name(), wrong.get(..wrong.len().min(10)).unwrap_or_default());
    }
    for (mutant, check) in Mutant::ALL {
        let noticed = noticed(mutant, check, options.seed)?;
        let name = format!("broken on purpose: {mutant:?}");
        println!(
            "{name:<36} {}",
            noticed.map_or("not noticed".to_owned(), |at| format!("noticed by {} in world {at}", check.name()))
        );
        counts.add(&name, if noticed.is_some() { &[] } else { &missed });
    }
    Ok(counts)
}

/// In which world the check notices what is broken.
fn noticed(mutant: Mutant, check: Check, seed: u64) -> Result<Option<u64>> {
    for nth in 0..MAX_MUTANT_WORLDS {
        let report = play(&worlds::make(seed + nth, MUTANT_WORLD), Some(mutant), false)?;
        if report.violations.iter().any(|violation| violation.check == check) {
            return Ok(Some(nth + 1));
        }
    }
    Ok(None)
}

/// The smallest world found in which it still fails, and what happened there to the request and cell concerned.
fn tell(scenario: &Scenario, check: Check) -> Result<()> {
    let fails = |scenario: &Scenario, check: Check| {
        play(scenario, None, false).is_ok_and(|report| report.violations.iter().any(|violation| violation.check == check))
    };
    let (small, runs) = shrink::shrink(scenario, check, &fails);
    let report = play(&small, None, true)?;
    let Some(violation) = report.violations.iter().find(|violation| violation.check == check) else { return Ok(()) };
    println!("{} fails with seed {}; made small in {runs} runs:", check.name(), scenario.seed);
    println!("  {} requests, {} isolates, restarts {:?}", small.arrivals.len(), small.lives.len(), small.restarts);
    println!("  routes {:?}, {:?}", small.routes, small.network);
    for fault in &small.faults {
        println!("  {fault:?}");
    }
    let concerns = |line: &&super::report::Line| {
        line.request.is_none() && line.cell.is_none()
            || violation.request.is_some() && line.request == violation.request
            || violation.cell.is_some() && line.cell == violation.cell
            || small.arrivals.len() <= 8
    };
    let lines: Vec<_> = report
        .trace
        .iter()
        .flatten()
        .filter(concerns)
        .filter(|line| line.at <= violation.at.max(1) || violation.at == 0)
        .collect();
    for line in lines.iter().skip(lines.len().saturating_sub(MAX_LINES)) {
        let whose = line.request.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let text: String = line.text.chars().take(400).collect();
        println!("  {:>8} {whose:>6} {text}", line.at);
    }
    println!("  {:>8} {:>6} {}", violation.at, violation.request.unwrap_or_default(), violation.what);
    Ok(())
}
