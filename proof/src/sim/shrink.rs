//! Makes a failing scenario small: fewer requests, faults, isolates and accidents, as long as it still fails.

use super::{report::Check, scenario::Scenario};

/// Runs that shrinking may take.
const MAX_RUNS: usize = 400;

/// Whether a scenario fails a check.
type Fails<'a> = &'a dyn Fn(&Scenario, Check) -> bool;

/// The smallest scenario found that still fails this check, and in how many runs it was found.
pub fn shrink(scenario: &Scenario, check: Check, fails: Fails<'_>) -> (Scenario, usize) {
    let mut best = scenario.clone();
    let mut runs = 0;
    loop {
        let before = size(&best);
        best = thinned(&best, check, (fails, &mut runs), |s| s.faults.len(), |s, range| drop(s.faults.drain(range)));
        best = thinned(&best, check, (fails, &mut runs), |s| s.restarts.len(), |s, range| drop(s.restarts.drain(range)));
        best = thinned(&best, check, (fails, &mut runs), |s| s.arrivals.len(), |s, range| drop(s.arrivals.drain(range)));
        best = thinned(&best, check, (fails, &mut runs), |s| s.lives.len(), |s, range| drop(s.lives.drain(range)));
        for change in [|s: &mut Scenario| s.network.lost_percent = 0, |s: &mut Scenario| s.network.max_ms = s.network.min_ms] {
            let mut smaller = best.clone();
            change(&mut smaller);
            runs += 1;
            if runs < MAX_RUNS && fails(&smaller, check) {
                best = smaller;
            }
        }
        if size(&best) == before || runs >= MAX_RUNS {
            return (best, runs);
        }
    }
}

fn size(scenario: &Scenario) -> usize {
    scenario.faults.len() + scenario.restarts.len() + scenario.arrivals.len() + scenario.lives.len()
}

/// Leaves out halves, then quarters, and so on, as long as it fails.
fn thinned(
    scenario: &Scenario,
    check: Check,
    (fails, runs): (Fails<'_>, &mut usize),
    count: fn(&Scenario) -> usize,
    leave_out: fn(&mut Scenario, std::ops::Range<usize>),
) -> Scenario {
    let mut best = scenario.clone();
    let mut piece = count(&best);
    while piece > 0 {
        let mut at = 0;
        while at < count(&best) && *runs < MAX_RUNS {
            let mut smaller = best.clone();
            leave_out(&mut smaller, at..(at + piece).min(count(&best)));
            *runs += 1;
            if fails(&smaller, check) { best = smaller } else { at += piece }
        }
        piece /= 2;
    }
    best
}
