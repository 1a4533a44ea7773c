//! What must hold of cells: probes, returns, herds, and what is down.

use std::collections::BTreeMap;

use portolan::{
    exchange::Lesson,
    plan::{
        Plan, Reason,
        health::{Standing, View},
        sync,
    },
    units::Millis,
};

use super::{
    checks,
    config::cell_name,
    policy::Policy,
    report::{Check, Report, SendRow},
    request::Flight,
    scenario::{Arrival, Fault, Route, Scenario, Trouble},
};

/// A provider that is back has been probed, has ramped and serves within this time, given traffic: an opening of 20 s and a
/// tenth, the permit's way, two probes.
pub const RETURN_MS: u64 = 45_000;
/// The same when an isolate with a permit died, or the object or the network failed: a probe on its way is believed in for
/// 15 s after the last word of it.
pub const DISTURBED_MS: u64 = RETURN_MS + 15_000;
/// A probe without stream waits so long for a silent target, also for one that has just come back.
const PATIENCE_MS: u64 = 60_000;
/// Outages shorter than this prove nothing.
const SHORT_MS: u64 = 10_000;
/// Everybody has noticed an outage that fails fast by then; of one that is silent, the first token is waited for.
const NOTICE_MS: u64 = 15_000;
const NOTICE_SILENCE_MS: u64 = 35_000;
/// An isolate that heard its object within this time knows.
const FRESH_MS: u64 = 6_000;

#[derive(Default)]
pub struct Watch {
    isolates: BTreeMap<usize, Isolate>,
    probes: BTreeMap<(usize, String), Vec<InFlight>>,
    ramps: BTreeMap<(usize, String, u8), Ramp>,
    outages: Vec<Outage>,
    disturbed: Vec<(usize, u64)>,
}

struct Isolate {
    region: usize,
    heard_at: Option<u64>,
    is_alone: bool,
}

struct InFlight {
    request: usize,
    isolate: usize,
    is_alone: bool,
}

#[derive(Default)]
struct Ramp {
    asked: u64,
    taken: u64,
}

struct Outage {
    cell: String,
    region: usize,
    from: u64,
    until: u64,
    /// Sends while everybody knew, probes apart.
    hits: u64,
    probes: u64,
    /// Requests that would have gone there after it healed, and whether they did.
    after: Vec<(u64, bool)>,
    /// Everybody has noticed by then.
    notice_ms: u64,
}

impl Watch {
    pub fn new(scenario: &Scenario) -> Self {
        Self { outages: outages(scenario), ..Self::default() }
    }

    pub fn born(&mut self, isolate: usize, region: usize, now: u64) {
        self.isolates.insert(isolate, Isolate { region, heard_at: None, is_alone: true });
        if now > 0 {
            self.disturbed.push((region, now));
        }
    }

    pub fn reached(&mut self, isolate: usize, is_answered: bool, now: u64) {
        if let Some(known) = self.isolates.get_mut(&isolate) {
            known.is_alone = !is_answered;
            known.heard_at = if is_answered { Some(now) } else { known.heard_at };
        }
    }

    /// A call of this isolate's is lost: it may think itself alone from now on.
    pub fn lost(&mut self, isolate: usize, now: u64) {
        if let Some(known) = self.isolates.get_mut(&isolate) {
            known.is_alone = true;
            self.disturbed.push((known.region, now));
        }
    }

    /// What it told of its probes is lost, so that the region cannot know of them.
    pub fn untold(&mut self, isolate: usize, report: &str) {
        let Ok(report) = serde_json::from_str::<sync::Report>(report) else { return };
        let is_told = |cell: &str| report.tells_of_probe(cell);
        for ((_, cell), here) in &mut self.probes {
            here.iter_mut().filter(|probe| probe.isolate == isolate && is_told(cell)).for_each(|probe| probe.is_alone = true);
        }
    }

    /// The region has heard a report. Where it holds a target for back, a probe that is still on its way is none it waits for:
    /// isolates that were cut off have shown it meanwhile.
    pub fn told(&mut self, region: usize, policy: &dyn Policy, clock: Millis) {
        for ((_, cell), here) in self.probes.iter_mut().filter(|((of, _), _)| *of == region) {
            if !matches!(policy.regional(region, cell, clock), Some(Standing::Open { .. } | Standing::Cooling { .. })) {
                here.iter_mut().for_each(|probe| probe.is_alone = true);
            }
        }
    }

    pub fn restarted(&mut self, region: usize, now: u64) {
        self.disturbed.push((region, now));
    }

    /// A request has a plan.
    pub fn planned(
        &mut self,
        arrival: &Arrival,
        isolate: usize,
        plan: &Plan,
        (policy, view, clock, now): (&dyn Policy, &View, Millis, u64),
    ) {
        let Some(first) = plan.attempts.first() else { return };
        let (cell, is_plain) = (first.cell(), !matches!(first.reason, Reason::Probe | Reason::TriedAnyway));
        for outage in self.outages.iter_mut().filter(|o| o.region == arrival.region && now >= o.until) {
            let is_wanted =
                plan.attempts.iter().any(|a| a.cell() == outage.cell) || plan.skipped.iter().any(|s| s.target == outage.cell);
            if is_wanted {
                outage.after.push((now, cell == outage.cell && is_plain));
            }
        }
        let is_fresh =
            self.isolates.get(&isolate).is_some_and(|i| i.heard_at.is_some_and(|at| now - at <= FRESH_MS) && !i.is_alone);
        if !is_fresh {
            return;
        }
        for attempt in &plan.attempts {
            let key = attempt.cell();
            if let Some(Standing::Ramping { percent }) = policy.regional(arrival.region, &key, clock)
                && matches!(attempt.reason, Reason::Priority { .. })
                && plan.attempts.iter().any(|other| other.cell() != key && view.standing(&other.cell(), clock) == Standing::Up)
            {
                let ramp = self.ramps.entry((arrival.region, key.clone(), percent)).or_default();
                ramp.asked += 1;
                ramp.taken += u64::from(key == cell);
            }
        }
    }

    pub fn sent(
        &mut self,
        flight: &Flight,
        cell: &str,
        number: u64,
        (row, reason): (&SendRow, Option<Reason>),
        report: &mut Report,
    ) {
        let (now, region) = (row.at, row.place.region);
        let knows = |o: &&mut Outage| o.region == region && o.cell == cell && (o.from + o.notice_ms..o.until).contains(&now);
        let is_alone = self.isolates.get(&flight.isolate).is_none_or(|i| i.is_alone);
        for outage in self.outages.iter_mut().filter(knows) {
            match reason {
                Some(Reason::Probe) => outage.probes += 1,
                Some(Reason::TriedAnyway) => {}
                _ => outage.hits += 1,
            }
        }
        if !row.is_probe {
            return;
        }
        let here = self.probes.entry((region, cell.to_owned())).or_default();
        if here.iter().any(|probe| probe.request == flight.arrival) {
            return;
        }
        if let Some(other) = here.iter().find(|probe| !probe.is_alone && !is_alone) {
            let what = format!("a second probe of {cell}, while that of request {} is on its way", other.request);
            report.wrong(Check::OneProbe, now, (Some(number), Some(cell)), what);
        }
        here.push(InFlight { request: flight.arrival, isolate: flight.isolate, is_alone });
    }

    pub fn learned(&mut self, flight: &mut Flight, lesson: &Lesson, _now: u64) {
        let (Lesson::Probed(cell, _) | Lesson::Released(cell)) = lesson else { return };
        flight.probes.retain(|probe| probe != cell);
        for ((_, name), here) in &mut self.probes {
            if name == cell {
                here.retain(|probe| probe.request != flight.arrival);
            }
        }
    }

    pub fn killed(&mut self, flight: &Flight, now: u64) {
        self.ended(flight);
        if let Some(isolate) = self.isolates.get(&flight.isolate) {
            self.disturbed.push((isolate.region, now));
        }
    }

    pub fn ended(&mut self, flight: &Flight) {
        for here in self.probes.values_mut() {
            here.retain(|probe| probe.request != flight.arrival);
        }
    }

    pub fn finish(self, scenario: &Scenario, report: &mut Report) {
        checks::one_each(report);
        for ((region, cell, percent), ramp) in &self.ramps {
            // Five standard deviations of a draw, and a few who had heard it before the rest.
            let expected = ramp.asked * u64::from(*percent) / 100;
            let spread = 5 * (ramp.asked * u64::from(*percent) * (100 - u64::from(*percent)) / 10_000).isqrt();
            if ramp.taken > expected + spread + 4 {
                let what = format!(
                    "{} of {} requests went to {cell} in region {region} while it was to get {percent} %",
                    ramp.taken, ramp.asked
                );
                report.wrong(Check::NoHerd, 0, (None, Some(cell)), what);
            }
        }
        for outage in &self.outages {
            self.judge(outage, scenario, report);
        }
    }

    fn judge(&self, outage: &Outage, scenario: &Scenario, report: &mut Report) {
        let Outage { cell, region, from, until, .. } = outage;
        let isolates = self.isolates.values().filter(|isolate| isolate.region == *region).count();
        let lasted_s = (until - from) / 1_000;
        let is_disturbed =
            self.disturbed.iter().any(|(r, at)| r == region && (from.saturating_sub(5_000)..until + RETURN_MS).contains(at));
        // Each isolate finds out for itself at worst, with what it had under way; a probe every four and a half seconds.
        let isolates = u64::try_from(isolates).unwrap_or(0);
        let (hits, probes) =
            if is_disturbed { (6 * isolates + 6, lasted_s * (1 + isolates) / 4 + 4) } else { (4, lasted_s / 4 + 4) };
        let is_left = outage.hits <= hits && outage.probes <= probes;
        if !is_left {
            let what = format!(
                "{} requests (of {hits}) and {} probes (of {probes}) hit {cell} in region {region} in the {lasted_s} s it was down",
                outage.hits, outage.probes
            );
            report.wrong(Check::LeftAlone, *until, (None, Some(cell)), what);
        }
        let patience_ms = if outage.notice_ms == NOTICE_SILENCE_MS { PATIENCE_MS } else { 0 };
        let bound = if is_disturbed { DISTURBED_MS } else { RETURN_MS } + patience_ms;
        let within: Vec<_> = outage.after.iter().filter(|(at, _)| *at <= until + bound).collect();
        let back = outage.after.iter().find(|(_, is_back)| *is_back).map(|(at, _)| at - until);
        report.returns.extend(back);
        let is_busy = u64::try_from(within.len()).unwrap_or(0) >= bound / 500;
        if is_busy && scenario.end() > until + bound && back.is_none_or(|after| after > bound) {
            let what = format!("{cell} in region {region} was back {back:?} ms after it healed, not within {bound}");
            report.wrong(Check::Returns, *until, (None, Some(cell)), what);
        }
    }
}

/// Hard outages of a first target that nothing else blurs.
fn outages(scenario: &Scenario) -> Vec<Outage> {
    let mut found = vec![];
    for (at, fault) in scenario.faults.iter().enumerate().filter(|(_, f)| f.trouble.is_hard()) {
        let blurs = |(other, f): (usize, &Fault)| {
            other != at && f.provider == fault.provider && f.from < fault.until + DISTURBED_MS && f.until + 30_000 > fault.from
        };
        if scenario.faults.iter().enumerate().any(blurs) || fault.until - fault.from < SHORT_MS {
            continue;
        }
        for region in (0..scenario.regions).filter(|r| fault.region.is_none_or(|f| f == *r)) {
            for model in (0..scenario.models).filter(|m| fault.model.is_none_or(|f| f == *m)) {
                let is_first =
                    |r: &Route| !r.weighted && r.targets.first() == Some(&(fault.provider, model)) && r.targets.len() > 1;
                if scenario.routes.iter().any(is_first) {
                    let notice_ms = if fault.trouble == Trouble::Silent { NOTICE_SILENCE_MS } else { NOTICE_MS };
                    let (cell, from, until) = (cell_name(fault.provider, model), fault.from, fault.until);
                    found.push(Outage { cell, region, from, until, hits: 0, probes: 0, after: vec![], notice_ms });
                }
            }
        }
    }
    found
}
