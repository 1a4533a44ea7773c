//! What is said at the end: tables, JSON, and the one line that other tools read.

use std::io;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::modules::Sizes;
use crate::scenario::{CHUNK, REQUEST, Scenario, TTFT};
use crate::seeing::{GATEWAYS, Seen};
use crate::stats::{Pairs, lower_quartile, median, quantile};
use crate::suite::{ColdStart, Cost, Delay, unit};

/// A measure that was tried: its figures, or why there are none.
pub type Tried<T> = Result<T, String>;

pub struct Report {
    pub quick: bool,
    pub machine: Machine,
    pub seconds: u64,
    pub costs: Vec<(&'static Scenario, Tried<Cost>)>,
    pub delays: Vec<(&'static Scenario, Tried<Delay>)>,
    pub cold: Option<Tried<ColdStart>>,
    pub seen: Option<Tried<Seen>>,
    pub sizes: Sizes,
}

/// A table: the heads of its columns, and its rows.
pub struct Table {
    pub title: &'static str,
    pub heads: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
}

impl Report {
    pub fn failures(&self) -> Vec<String> {
        let costs = self.costs.iter().filter_map(|(scenario, tried)| Some((scenario.name, tried.as_ref().err()?)));
        let delays = self.delays.iter().filter_map(|(scenario, tried)| Some((scenario.name, tried.as_ref().err()?)));
        let cold = self.cold.iter().filter_map(|tried| Some(("cold", tried.as_ref().err()?)));
        let seen = self.seen.iter().filter_map(|tried| Some(("seeing", tried.as_ref().err()?)));
        costs.chain(delays).chain(cold).chain(seen).map(|(name, reason)| format!("{name}: {reason}")).collect()
    }

    /// What the figures depend on.
    pub fn circumstances(&self) -> Vec<String> {
        let machine = &self.machine;
        let pinned = if machine.pinned { "workerd on core 0, load and upstream on core 1" } else { "nothing pinned" };
        vec![
            format!("{} cores of {}; {pinned}; load average at the start {}", machine.cores, machine.model, machine.load),
            format!(
                "{}; {}; {} run of {} s",
                machine.workerd,
                machine.rustc,
                if self.quick { "quick" } else { "full" },
                self.seconds
            ),
        ]
    }

    pub fn tables(&self) -> Vec<Table> {
        vec![self.cpu_table(), self.delay_table(), self.seeing_table(), self.rest_table()]
    }

    fn cpu_table(&self) -> Table {
        let row = |(scenario, tried): &(&'static Scenario, Tried<Cost>)| {
            let mut row = vec![scenario.name.to_owned(), scenario.title.to_owned()];
            match tried {
                Ok(cost) => row.extend([
                    format!("{:.1}", lower_quartile(&cost.cpu.floor)),
                    format!("{:.1}", lower_quartile(&cost.cpu.gateway)),
                    format!("{:.1} / {}", cost.cpu.added(), unit(scenario.unit)),
                    format!("{:.2}", cost.cpu.ratio()),
                    format!("{:.2}", cost.cpu.quartile_ratio()),
                    scenario.goal.map(|goal| format!("≤ {goal}")).unwrap_or_default(),
                    cost.cpu.floor.len().to_string(),
                ]),
                Err(_) => row.extend(["failed"; 7].map(str::to_owned)),
            }
            row
        };
        Table {
            title: "CPU of the whole process, µs (lower quartile of the rounds)",
            heads: &["measure", "what", "floor", "gateway", "added", "× (median)", "× (quartiles)", "goal", "rounds"],
            rows: self.costs.iter().map(row).collect(),
        }
    }

    fn delay_table(&self) -> Table {
        let row = |(scenario, tried): &(&'static Scenario, Tried<Delay>)| {
            let mut row = vec![scenario.name.to_owned(), scenario.title.to_owned()];
            match tried {
                Ok(delay) => {
                    let both = |of: &dyn Fn(usize) -> f64| format!("{:.2} / {:.2}", of(500), of(990));
                    row.extend([
                        both(&|at| quantile(&delay.direct, at)),
                        both(&|at| quantile(&delay.floor, at)),
                        both(&|at| quantile(&delay.gateway, at)),
                        both(&|at| quantile(&delay.gateway, at) - quantile(&delay.direct, at)),
                        both(&|at| quantile(&delay.gateway, at) - quantile(&delay.floor, at)),
                        delay.gateway.len().to_string(),
                    ]);
                }
                Err(_) => row.extend(["failed"; 6].map(str::to_owned)),
            }
            row
        };
        Table {
            title: "Latency, ms, p50 / p99",
            heads: &["measure", "what", "direct", "floor", "gateway", "added to direct", "added to floor", "samples"],
            rows: self.delays.iter().map(row).collect(),
        }
    }

    fn seeing_table(&self) -> Table {
        let seen = self.seen.iter().filter_map(|tried| tried.as_ref().ok());
        let row = |seen: &Seen, (index, name): (usize, &&str)| {
            let (cost, ratio, time) = (seen.cost(index), seen.ratio(index), seen.time(index));
            let quartiles = seen.ratio_of_quartiles(index);
            vec![(*name).to_owned(), format!("{cost:.1}"), format!("{ratio:.2}"), format!("{quartiles:.2}"), format!("{time:.2}")]
        };
        Table {
            title: "Cost of seeing: 1 KB request, CPU of the whole process with what is sent after it",
            heads: &["told", "CPU, µs", "× off (median)", "× off (quartiles)", "answer, ms, p50"],
            rows: seen.flat_map(|seen| GATEWAYS.iter().enumerate().map(|each| row(seen, each))).collect(),
        }
    }

    fn rest_table(&self) -> Table {
        let mut rows = Vec::new();
        let mut pairs = |name: &str, title: &str, pairs: &Pairs, of: fn(&[f64]) -> f64, digits: usize| {
            let (floor, gateway) = (of(&pairs.floor), of(&pairs.gateway));
            let shown = |value: f64| format!("{value:.digits$}");
            rows.push(vec![
                name.to_owned(),
                title.to_owned(),
                shown(floor),
                shown(gateway),
                shown(gateway - floor),
                pairs.floor.len().to_string(),
            ]);
        };
        if let Some(cost) = self.cost(REQUEST) {
            pairs("rps", "1 KB requests a second, one core", &cost.rate, median, 0);
        }
        if let Some(Ok(cold)) = &self.cold {
            pairs("cold", "fresh process, CPU to its first answer, ms", &cold.cpu, lower_quartile, 1);
            pairs("cold_first", "its first request, ms", &cold.first, median, 1);
        }
        for (name, title, bytes) in [
            ("wasm", "wasm, KB", self.sizes.wasm),
            ("wasm_gzip", "wasm after gzip, KB", self.sizes.wasm_gzip),
            ("upload_gzip", "whole upload after gzip, KB", self.sizes.upload_gzip),
        ] {
            rows.push([name, title, "", &kilobytes(bytes), "", ""].map(str::to_owned).to_vec());
        }
        Table { title: "The rest", heads: &["measure", "what", "floor", "gateway", "added", "rounds"], rows }
    }

    fn cost(&self, name: &str) -> Option<&Cost> {
        find(&self.costs, name)?.as_ref().ok()
    }

    /// The last line. Scripts read it: its form does not change.
    pub fn last_line(&self) -> String {
        let ratio = |name| summary(find(&self.costs, name), |cost| cost.cpu.ratio());
        let added = |delay: &Delay| median(&delay.gateway) - median(&delay.direct);
        format!(
            "cpu_per_request_vs_floor={} cpu_per_chunk_vs_floor={} ttft_added_ms_p50={} wasm_gzip_kb={}",
            ratio(REQUEST),
            ratio(CHUNK),
            summary(find(&self.delays, TTFT), added),
            kilobytes(self.sizes.wasm_gzip)
        )
    }

    pub fn json(&self) -> io::Result<String> {
        let costs: Vec<Value> = self.costs.iter().map(|(scenario, tried)| json_of(scenario, tried, json_cost)).collect();
        let delays: Vec<Value> = self.delays.iter().map(|(scenario, tried)| json_of(scenario, tried, json_delay)).collect();
        let cold = self.cold.as_ref().map(|tried| match tried {
            Ok(cold) => json!({"cpu_ms": json_pairs(&cold.cpu), "first_request_ms": json_pairs(&cold.first)}),
            Err(reason) => json!({"failed": reason}),
        });
        let seen = self.seen.as_ref().map(|tried| match tried {
            Ok(seen) => json!({"gateways": GATEWAYS, "cpu_us": seen.cpu}),
            Err(reason) => json!({"failed": reason}),
        });
        let value = json!({
            "quick": self.quick, "seconds": self.seconds, "circumstances": self.circumstances(),
            "cpu": costs, "latency": delays, "cold": cold, "seeing": seen,
            "wasm_bytes": self.sizes.wasm, "wasm_gzip_bytes": self.sizes.wasm_gzip, "upload_gzip_bytes": self.sizes.upload_gzip,
            "summary": self.last_line()
        });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }
}

fn find<'a, T>(tried: &'a [(&'static Scenario, Tried<T>)], name: &str) -> Option<&'a Tried<T>> {
    tried.iter().find(|(scenario, _)| scenario.name == name).map(|(_, tried)| tried)
}

fn summary<T>(tried: Option<&Tried<T>>, figure: impl Fn(&T) -> f64) -> String {
    match tried {
        Some(Ok(measured)) => format!("{:.2}", figure(measured)),
        Some(Err(_)) => "failed".to_owned(),
        None => "skipped".to_owned(),
    }
}

/// Kilobytes of 1000 bytes, the stricter reading of a limit.
fn kilobytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1000, bytes % 1000 / 100)
}

fn json_of<T>(scenario: &Scenario, tried: &Tried<T>, write: fn(&Scenario, &T) -> Value) -> Value {
    match tried {
        Ok(measured) => write(scenario, measured),
        Err(reason) => json!({"name": scenario.name, "failed": reason}),
    }
}

fn json_cost(scenario: &Scenario, cost: &Cost) -> Value {
    json!({
        "name": scenario.name, "what": scenario.title, "unit": unit(scenario.unit), "goal": scenario.goal,
        "cpu_us": json_pairs(&cost.cpu), "requests_per_second": json_pairs(&cost.rate)
    })
}

fn json_delay(scenario: &Scenario, delay: &Delay) -> Value {
    let ends = |values: &[f64]| json!({"p50": quantile(values, 500), "p99": quantile(values, 990), "samples": values.len()});
    json!({
        "name": scenario.name, "what": scenario.title,
        "direct_ms": ends(&delay.direct), "floor_ms": ends(&delay.floor), "gateway_ms": ends(&delay.gateway)
    })
}

fn json_pairs(pairs: &Pairs) -> Value {
    json!({
        "floor": pairs.floor, "gateway": pairs.gateway, "ratio_median": pairs.ratio(),
        "ratio_of_quartiles": pairs.quartile_ratio(), "added": pairs.added()
    })
}

impl Table {
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let rule = vec!["---".to_owned(); heads.len()];
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("**{}**\n\n{}{}{rows}", self.title, line(&heads), line(&rule))
    }

    pub fn plain(&self) -> String {
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&heads).chain(&self.rows).collect();
        let width =
            |column: usize| lines.iter().filter_map(|line| Some(line.get(column)?.chars().count())).max().unwrap_or_default();
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let show = |line: &&Vec<String>| {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        format!("{}\n{}", self.title, lines.iter().map(show).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{CPU, LATENCY};

    fn report(costs: Vec<(&'static Scenario, Tried<Cost>)>, delays: Vec<(&'static Scenario, Tried<Delay>)>) -> Report {
        let text = String::new;
        let machine = Machine { cores: 2, model: text(), load: text(), workerd: text(), rustc: text(), pinned: true };
        let sizes = Sizes { wasm: 900_000, wasm_gzip: 301_260, upload_gzip: 310_000 };
        Report { quick: true, machine, seconds: 1, costs, delays, cold: None, seen: None, sizes }
    }

    #[test]
    fn last_line_has_one_form_whatever_happened() {
        let pairs = |floor, gateway| Pairs { floor: vec![floor], gateway: vec![gateway] };
        let cost = |name: &str, floor, gateway| {
            let scenario = CPU.iter().find(|scenario| scenario.name == name).unwrap();
            (scenario, Ok(Cost { cpu: pairs(floor, gateway), rate: pairs(1.0, 1.0) }))
        };
        let ttft = LATENCY.iter().find(|scenario| scenario.name == TTFT).unwrap();
        let delay = Delay { direct: vec![20.1], floor: vec![20.5], gateway: vec![20.9] };
        let whole = report(vec![cost(REQUEST, 100.0, 150.0), cost(CHUNK, 50.0, 60.0)], vec![(ttft, Ok(delay))]);
        assert_eq!(
            whole.last_line(),
            "cpu_per_request_vs_floor=1.50 cpu_per_chunk_vs_floor=1.20 ttft_added_ms_p50=0.80 wasm_gzip_kb=301.2"
        );
        let broken = report(vec![], vec![(ttft, Err("it broke".to_owned()))]);
        assert_eq!(
            broken.last_line(),
            "cpu_per_request_vs_floor=skipped cpu_per_chunk_vs_floor=skipped ttft_added_ms_p50=failed wasm_gzip_kb=301.2"
        );
        assert_eq!(broken.failures(), ["ttft: it broke"]);
    }
}
