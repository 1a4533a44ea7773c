//! The field's published policies, as simple models. docs/simulator.md names the sources and what was left out.
//!
//! They get all the rest from us: our blame, our deadlines, our commit point, our retries. Only when a provider is shut, and
//! for how long, is theirs.

use std::collections::BTreeMap;

use portolan::{
    exchange::Lesson,
    plan::health::{Signal, Standing, View},
    units::Millis,
};

use super::{fleet::Fleet, policy::Policy, scenario::Scenario};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Nothing is remembered: each request tries in order of priority.
    RetryOnly,
    /// One failure shuts a target for a minute.
    OneError,
    /// A limit or a rejected key shuts it for 5 s at once; other failures when they are more than half of at least 5 in this
    /// minute.
    Cooldown,
    /// 20 % failures of at least 10 requests in a minute shut it for 60 s; then it is open to all.
    Ratio,
    /// 5 failures in a row shut it for 30 s, then 60, and so on; each process for itself.
    Outlier,
    /// Our own breaker, but each isolate for itself.
    Alone,
}

impl Rival {
    pub const ALL: [Self; 6] = [Self::RetryOnly, Self::OneError, Self::Cooldown, Self::Ratio, Self::Outlier, Self::Alone];

    pub const fn name(self) -> &'static str {
        match self {
            Self::RetryOnly => "retry only",
            Self::OneError => "cooldown on one error",
            Self::Cooldown => "cooldown, LiteLLM's defaults",
            Self::Ratio => "error ratio, no half-open",
            Self::Outlier => "outlier ejection per process",
            Self::Alone => "our breaker, not shared",
        }
    }

    const fn is_shared(self) -> bool {
        match self {
            Self::OneError | Self::Cooldown | Self::Ratio => true,
            Self::RetryOnly | Self::Outlier | Self::Alone => false,
        }
    }

    pub fn policy<'a>(self, scenario: &'a Scenario) -> Box<dyn Policy + 'a> {
        match self {
            Self::Alone => Box::new(Fleet::apart(scenario.seed)),
            Self::RetryOnly | Self::OneError | Self::Cooldown | Self::Ratio | Self::Outlier => {
                Box::new(Memory { rival: self, scenario, cells: BTreeMap::new() })
            }
        }
    }
}

/// What is remembered of a provider, by region or by isolate. Sharing takes no time: the models' best case.
struct Memory<'a> {
    rival: Rival,
    scenario: &'a Scenario,
    cells: BTreeMap<(usize, usize), Cell>,
}

#[derive(Default)]
struct Cell {
    /// Of this minute.
    minute: u64,
    good: u64,
    bad: u64,
    in_a_row: u64,
    times: u64,
    shut_until: Millis,
}

const MINUTE_MS: u64 = 60_000;

impl Memory<'_> {
    fn whose(&self, isolate: usize) -> usize {
        let region = self.scenario.lives.get(isolate).map_or(0, |life| life.region);
        if self.rival.is_shared() { region } else { isolate }
    }
}

impl Policy for Memory<'_> {
    fn born(&mut self, _isolate: usize, _region: usize) {}

    fn died(&mut self, isolate: usize) {
        if !self.rival.is_shared() {
            self.cells.retain(|(whose, _), _| *whose != isolate);
        }
    }

    fn view(&self, isolate: usize, now: Millis) -> View {
        let whose = self.whose(isolate);
        let shut = self.cells.iter().filter(|((w, _), cell)| *w == whose && cell.shut_until > now);
        View::of(shut.flat_map(|((_, provider), cell)| {
            let cooling = Standing::Cooling { until: cell.shut_until };
            (0..self.scenario.models).map(move |model| (super::config::cell_name(*provider, model), cooling))
        }))
    }

    fn learn(&mut self, isolate: usize, lesson: Lesson, now: Millis, _seed: u64) {
        let Lesson::Signal(cell, signal) = lesson else { return };
        let Some(provider) = cell.strip_prefix('p').and_then(|rest| rest.split(['/', '#']).next()?.parse().ok()) else { return };
        let whose = self.whose(isolate);
        self.cells.entry((whose, provider)).or_default().learn(self.rival, signal, now);
    }
}

impl Cell {
    fn learn(&mut self, rival: Rival, signal: Signal, now: Millis) {
        let minute = now.0 / MINUTE_MS;
        if self.minute != minute {
            (self.minute, self.good, self.bad) = (minute, 0, 0);
        }
        let is_good = matches!(signal, Signal::Ok { .. } | Signal::Served);
        (self.good, self.bad) = if is_good { (self.good + 1, self.bad) } else { (self.good, self.bad + 1) };
        self.in_a_row = if is_good { 0 } else { self.in_a_row + 1 };
        if is_good {
            return;
        }
        let all = self.good + self.bad;
        let stated = match signal {
            Signal::Cool { until } => until.since(now),
            Signal::Ok { .. } | Signal::Served | Signal::Failed { .. } | Signal::Down { .. } => 0,
        };
        let at_once = !matches!(signal, Signal::Failed { .. });
        let shuts_ms = match rival {
            Rival::RetryOnly | Rival::Alone => 0,
            Rival::OneError => MINUTE_MS,
            Rival::Cooldown if at_once => stated.clamp(5_000, MINUTE_MS),
            Rival::Cooldown if all >= 5 && self.bad * 2 > all => 5_000,
            Rival::Ratio if all >= 10 && self.bad * 5 >= all => MINUTE_MS,
            Rival::Outlier if self.in_a_row >= 5 => {
                self.times += 1;
                self.in_a_row = 0;
                (30_000 * self.times).min(300_000)
            }
            Rival::Cooldown | Rival::Ratio | Rival::Outlier => 0,
        };
        if shuts_ms > 0 {
            self.shut_until = self.shut_until.max(now.plus(shuts_ms));
            if rival == Rival::Ratio {
                (self.good, self.bad) = (0, 0);
            }
        }
    }
}
