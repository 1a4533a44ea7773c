//! Our policy and the field's in the same worlds.

use std::{fmt::Write, fs, path::Path};

use anyhow::Result;

use super::{
    engine,
    fleet::Fleet,
    incidents::{self, Incident, Kind},
    metrics::{self, Metrics},
    plot,
    report::Report,
    rivals::Rival,
};

/// Worlds of each kind of incident.
const WORLDS: u64 = 4;
/// The worlds that are drawn.
const DRAWN: u64 = 1;

/// `None` is ours.
type Policy = Option<Rival>;

fn policies() -> Vec<Policy> {
    std::iter::once(None).chain(Rival::ALL.map(Some)).collect()
}

fn name(policy: Policy) -> &'static str {
    policy.map_or("Portolan", Rival::name)
}

fn play(incident: &Incident, policy: Policy) -> Result<Report> {
    let scenario = &incident.scenario;
    match policy {
        None => engine::play(scenario, Box::new(Fleet::new(scenario.seed)), None, false),
        Some(rival) => engine::play(scenario, rival.policy(scenario), None, false),
    }
}

/// Prints the tables, and leaves the plots in `folder`.
pub fn run(folder: &Path) -> Result<()> {
    let mut all: Vec<(Policy, Vec<(Kind, Metrics)>)> = vec![];
    let mut requests = 0;
    for policy in policies() {
        let mut found = vec![];
        for kind in Kind::ALL {
            for seed in 1..=WORLDS {
                let incident = incidents::make(seed, kind);
                let report = play(&incident, policy)?;
                requests += report.requests;
                found.push((kind, metrics::of(&incident, &report)));
            }
        }
        all.push((policy, found));
    }
    println!("{requests} requests, {} worlds, {} policies\n", WORLDS * 6, all.len());
    print!("{}", table(&all));
    for kind in Kind::ALL {
        let of_kind: Vec<_> = all
            .iter()
            .map(|(policy, found)| (*policy, found.iter().filter(|(k, _)| *k == kind).copied().collect::<Vec<_>>()))
            .collect();
        println!("\n{}\n\n{}", kind.name(), table(&of_kind));
    }
    draw(folder, Kind::Outage, "outage")?;
    draw(folder, Kind::Silence, "silence")
}

fn draw(folder: &Path, kind: Kind, file: &str) -> Result<()> {
    let incident = incidents::make(DRAWN, kind);
    let mut drawn = vec![];
    for policy in policies() {
        drawn.push((name(policy), play(&incident, policy)?));
    }
    fs::write(folder.join(format!("simulator-shares-{file}.svg")), plot::shares(&incident, &drawn))?;
    fs::write(folder.join(format!("simulator-wasted-{file}.svg")), plot::wasted(&incident, &drawn))?;
    Ok(())
}

fn table(all: &[(Policy, Vec<(Kind, Metrics)>)]) -> String {
    let mut out =
        "| policy | failed requests | wasted sends | noticed after, s | back after, s | herd, % | added, ms | added p99, ms |\n"
            .to_owned();
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (policy, found) in all {
        let number = |of: fn(&Metrics) -> u64| {
            let mut values: Vec<u64> = found.iter().map(|(_, metrics)| of(metrics)).collect();
            values.sort_unstable();
            format!("{} / {}", median(&values), values.last().copied().unwrap_or(0))
        };
        let time = |of: fn(&Metrics) -> Option<u64>| {
            // Never is worse than any time.
            let mut values: Vec<u64> = found.iter().map(|(_, metrics)| of(metrics).unwrap_or(u64::MAX)).collect();
            values.sort_unstable();
            let show = |ms: u64| if ms == u64::MAX { "never".to_owned() } else { format!("{}.{}", ms / 1_000, ms % 1_000 / 100) };
            format!("{} / {}", show(median(&values)), show(values.last().copied().unwrap_or(0)))
        };
        let columns = [
            number(|m| m.failed),
            number(|m| m.wasted),
            time(|m| m.notice_ms),
            time(|m| m.return_ms),
            number(|m| m.herd_percent),
            number(|m| m.lost_ms),
            number(|m| m.lost_p99_ms),
        ];
        let _ = writeln!(out, "| {} | {} |", name(*policy), columns.join(" | "));
    }
    out
}

fn median(sorted: &[u64]) -> u64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
