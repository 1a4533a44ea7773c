//! Prometheus' text format, version 0.0.4.

use super::{
    families::{FAMILIES, SPREADS, Times, seconds, without_outcomes},
    series::{LABELS, Series},
    table::Table,
};
use crate::{
    plan::health::{Standing, View},
    units::Millis,
};

/// What is so now, besides what was counted.
pub struct Gauges<'a> {
    pub version: &'a str,
    pub config: &'a str,
    /// Documents' problems.
    pub problems: usize,
    /// What the regions last published.
    pub regions: Vec<(&'a str, View)>,
    pub now: Millis,
}

/// All of it as Prometheus reads it.
pub fn exposition(table: &Table, gauges: &Gauges<'_>) -> String {
    let mut out = String::new();
    for family in &FAMILIES {
        let name = format!("{}_total", family.name);
        head(&mut out, &name, "counter", family.help);
        for (names, series) in table.iter() {
            if let Some(count) = family.of(series) {
                line(&mut out, &name, &labels(LABELS.iter().zip(names)), &family.text(count));
            }
        }
    }
    let series = without_outcomes(table);
    for times in &SPREADS {
        head(&mut out, times.name, "histogram", times.help);
        for (names, series) in &series {
            histogram(&mut out, times, &labels(LABELS.iter().zip(names)), series);
        }
    }
    gauge(&mut out, gauges);
    out
}

fn histogram(out: &mut String, times: &Times, labels: &str, series: &Series) {
    let Some(spread) = series.time(times.which).filter(|spread| spread.count() > 0) else { return };
    let bucket = format!("{}_bucket", times.name);
    for edge in times.edges() {
        line(out, &bucket, &format!("{labels},le=\"{}\"", seconds(edge)), &spread.up_to(edge).to_string());
    }
    let count = spread.count().to_string();
    line(out, &bucket, &format!("{labels},le=\"+Inf\""), &count);
    line(out, &format!("{}_sum", times.name), labels, &seconds(spread.sum_ms()));
    line(out, &format!("{}_count", times.name), labels, &count);
}

fn gauge(out: &mut String, gauges: &Gauges<'_>) {
    let Gauges { version, config, problems, ref regions, now } = *gauges;
    head(
        out,
        "target_share",
        "gauge",
        "Share of its traffic that a target, credential or place gets: 1 when it is up, 0 when it is shut.",
    );
    let standings = |state: bool, out: &mut String| {
        for (region, view) in regions {
            for cell in view.heard_of() {
                let standing = view.standing(cell, now);
                let own = labels([("region", *region), ("target", cell)].iter().map(|(label, name)| (label, name)));
                if state {
                    line(out, "target_state", &format!("{own},state=\"{}\"", standing.name()), "1");
                } else {
                    line(out, "target_share", &own, &share(standing));
                }
            }
        }
    };
    standings(false, out);
    head(out, "target_state", "gauge", "How a target stands with a region's breaker: 1 at the state it is in.");
    standings(true, out);
    head(out, "build_info", "gauge", "The version of the gateway.");
    line(out, "build_info", &labels([("version", version)].iter().map(|(label, name)| (label, name))), "1");
    head(out, "config_info", "gauge", "The version of the configuration that is in force.");
    line(out, "config_info", &labels([("version", config)].iter().map(|(label, name)| (label, name))), "1");
    head(out, "config_problems", "gauge", "What is wrong with documents that are not in force.");
    out.push_str(&format!("portolan_config_problems {problems}\n"));
}

fn share(standing: Standing) -> String {
    match standing {
        Standing::Up => "1".to_owned(),
        Standing::Degraded { percent } | Standing::Ramping { percent } => format!("{}.{:02}", percent / 100, percent % 100),
        Standing::Probe | Standing::Drained | Standing::Open { .. } | Standing::Cooling { .. } | Standing::Shut { .. } => {
            "0".to_owned()
        }
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# HELP portolan_{name} {help}\n# TYPE portolan_{name} {kind}\n"));
}

fn line(out: &mut String, name: &str, labels: &str, value: &str) {
    out.push_str("portolan_");
    for part in [name, "{", labels, "} ", value, "\n"] {
        out.push_str(part);
    }
}

fn labels<'a, T: AsRef<str> + 'a + ?Sized, U: AsRef<str> + 'a + ?Sized>(pairs: impl Iterator<Item = (&'a T, &'a U)>) -> String {
    let pairs: Vec<String> = pairs.map(|(label, name)| format!("{}=\"{}\"", label.as_ref(), escaped(name.as_ref()))).collect();
    pairs.join(",")
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
