//! Every test a change must pass, group by group.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::groups::{GROUPS, Group};
use crate::run;
use crate::summary::Counts;

enum Outcome {
    Ran(Counts),
    NotRun(String),
}

struct Row {
    name: &'static str,
    install: &'static str,
    needs_data: bool,
    outcome: Outcome,
    took: Duration,
}

/// Runs the named groups, or all that a change must pass; says whether every test passed.
pub fn test(names: &[String]) -> Result<bool> {
    run_groups(names, |group| !group.nightly)
}

/// Runs what is too large or too long for every change.
pub fn nightly() -> Result<bool> {
    run_groups(&[], |group| group.nightly)
}

fn run_groups(names: &[String], usual: fn(&Group) -> bool) -> Result<bool> {
    let root = run::root()?;
    if let Some(unknown) = names.iter().find(|name| GROUPS.iter().all(|group| group.name != name.as_str())) {
        let known: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
        bail!("no test group `{unknown}`: there are {}", known.join(", "));
    }
    let mut rows = Vec::new();
    for group in
        GROUPS.iter().filter(|group| if names.is_empty() { usual(group) } else { names.iter().any(|name| name == group.name) })
    {
        rows.extend(run_group(group, &root)?);
    }
    let total = total(&rows, env::var("CI").is_ok_and(|ci| ci == "true"));
    print_table(&rows);
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(total.failed == 0)
}

/// Runs a group; one without files gives no row.
fn run_group(group: &Group, root: &Path) -> Result<Option<Row>> {
    let files = (group.files)(root)?;
    if files.is_empty() {
        return Ok(None);
    }
    let start = Instant::now();
    let ran = run::step(&format!("test {}", group.name), || {
        if let Err(error) = (group.prepare)(root) {
            return Ok(Outcome::NotRun(format!("{error:#}")));
        }
        (group.run)(root, &files).map(Outcome::Ran)
    });
    // The Worker does not build, say: the other groups still tell something.
    let outcome = ran.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Outcome::Ran(Counts::default().with_status(false))
    });
    Ok(Some(Row { name: group.name, install: group.install, needs_data: group.needs_data, outcome, took: start.elapsed() }))
}

/// The sum of all groups. Where it must not be overlooked, a group that did not run counts as a failure.
fn total(rows: &[Row], must_run: bool) -> Counts {
    rows.iter()
        .map(|row| match &row.outcome {
            Outcome::Ran(counts) => *counts,
            Outcome::NotRun(_) => Counts::default().with_status(row.needs_data || !must_run),
        })
        .fold(Counts::default(), Counts::plus)
}

fn print_table(rows: &[Row]) {
    println!("\n{:<16} {:>7} {:>7} {:>8} {:>8}", "group", "passed", "failed", "skipped", "seconds");
    for Row { name, install, outcome, took, .. } in rows {
        match outcome {
            Outcome::Ran(Counts { passed, failed, skipped }) => {
                println!("{name:<16} {passed:>7} {failed:>7} {skipped:>8} {:>8.1}", took.as_secs_f64());
            }
            Outcome::NotRun(why) => println!("{name:<16} not run: {why}; to install: {install}"),
        }
    }
    let not_run = rows.iter().filter(|row| matches!(row.outcome, Outcome::NotRun(_))).count();
    if not_run > 0 {
        println!("groups not run: {not_run}");
    }
    println!();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, Row, total};
    use crate::summary::Counts;

    #[test]
    fn a_group_that_did_not_run_fails_only_where_it_must_run() {
        let row = |outcome| Row { name: "", install: "", needs_data: false, outcome, took: Duration::ZERO };
        let rows =
            [row(Outcome::Ran(Counts { passed: 3, failed: 0, skipped: 1 })), row(Outcome::NotRun("no network".to_owned()))];
        assert_eq!(total(&rows, false).failed, 0);
        assert_eq!(total(&rows, true).failed, 1);
        assert_eq!(total(&rows, true).passed, 3);
        let rows = rows.map(|row| Row { needs_data: true, ..row });
        assert_eq!(total(&rows, true).failed, 0);
    }
}
