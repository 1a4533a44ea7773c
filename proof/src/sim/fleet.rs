//! Our own health: the real isolates' and objects' halves, joined only by text.

use std::collections::BTreeMap;

use portolan::{
    exchange::Lesson,
    plan::{
        health::{Health, Standing, Tuning, View},
        seed,
        sync::{Local, Reply, Report, absorb},
    },
    units::Millis,
};

use super::policy::Policy;

#[derive(Default)]
pub struct Fleet {
    seed: u64,
    /// Isolates are never told of each other: each goes on by itself, as when it cannot reach its object.
    apart: bool,
    isolates: BTreeMap<usize, Local>,
    objects: BTreeMap<usize, Health>,
}

impl Fleet {
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub fn apart(seed: u64) -> Self {
        Self { seed, apart: true, ..Self::default() }
    }
}

impl Policy for Fleet {
    fn born(&mut self, isolate: usize, _region: usize) {
        let id = seed::fold(self.seed, &format!("isolate {isolate}"));
        self.isolates.insert(isolate, Local::new(id, Tuning::default()));
    }

    fn died(&mut self, isolate: usize) {
        self.isolates.remove(&isolate);
    }

    fn view(&self, isolate: usize, now: Millis) -> View {
        self.isolates.get(&isolate).map(|local| local.view(now)).unwrap_or_default()
    }

    fn take(&mut self, isolate: usize, cell: &str, now: Millis) -> bool {
        self.isolates.get_mut(&isolate).is_some_and(|local| local.take_probe(cell, now))
    }

    // As `shell::settle` does.
    fn learn(&mut self, isolate: usize, lesson: Lesson, now: Millis, seed: u64) {
        let Some(local) = self.isolates.get_mut(&isolate) else { return };
        match lesson {
            Lesson::Signal(cell, signal) => local.report(&cell, signal, now, seed),
            Lesson::Probed(cell, signal) => local.probed(&cell, signal, now, seed),
            Lesson::Released(cell) => local.released(&cell, now),
        }
    }

    fn due(&mut self, isolate: usize, now: Millis) -> Option<String> {
        let report = self.isolates.get_mut(&isolate).filter(|_| !self.apart)?.due(now)?;
        serde_json::to_string(&report).ok()
    }

    fn told(&mut self, isolate: usize, reply: Option<&str>, now: Millis) {
        let Some(local) = self.isolates.get_mut(&isolate) else { return };
        match reply.and_then(|text| serde_json::from_str::<Reply>(text).ok()) {
            Some(reply) => local.learned(reply, now),
            None => local.learned_nothing(now),
        }
    }

    // As `shell::health_object` does.
    fn absorb(&mut self, region: usize, report: &str, now: Millis) -> Option<(String, Option<String>)> {
        let report: Report = serde_json::from_str(report).ok()?;
        let health = self.objects.entry(region).or_insert_with(|| Health::new(Tuning::default()));
        let before = health.snapshot(now).version();
        let reply = absorb(health, &report, now, seed::mix(now.0));
        let changed = health.snapshot(now).version() != before || reply.is_promise(&report);
        let state = changed.then(|| serde_json::to_string(health).ok()).flatten();
        Some((serde_json::to_string(&reply).ok()?, state))
    }

    fn restart(&mut self, region: usize, stored: Option<&str>) {
        let health = stored.and_then(|text| serde_json::from_str(text).ok());
        self.objects.insert(region, health.unwrap_or_else(|| Health::new(Tuning::default())));
    }

    fn published(&self, region: usize, now: Millis) -> Option<String> {
        serde_json::to_string(&self.objects.get(&region)?.snapshot(now)).ok()
    }

    fn warm(&mut self, isolate: usize, view: &str) {
        if let (Some(local), Ok(view)) = (self.isolates.get_mut(&isolate), serde_json::from_str(view)) {
            local.warm(view);
        }
    }

    fn regional(&self, region: usize, cell: &str, now: Millis) -> Option<Standing> {
        Some(self.objects.get(&region)?.snapshot(now).standing(cell, now))
    }
}
