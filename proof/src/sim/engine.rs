//! Plays a scenario: one event after another, in virtual time.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;
use portolan::{config::Snapshot, units::Millis};

use super::{
    config,
    mutants::Mutant,
    policy::Policy,
    queue::{Event, Queue},
    report::{Check, End, Report},
    request::Flight,
    scenario::Scenario,
    upstream::Load,
    watch::Watch,
};

/// The worlds begin then.
const EPOCH: u64 = 1_800_000_000_000;
/// As the shell: what is not urgent is told a second after a request.
const FLUSH_MS: u64 = 1_000;
/// How often the shell tells of what is under way.
pub(super) const BEAT_MS: u64 = 10_000;
/// Beyond all deadlines: a request that never ends must not keep the world alive.
const MAX_BEATS_MS: u64 = 600_000;
/// As the object: its view goes to KV so long after it changed.
const PUBLISH_MS: u64 = 5_000;

pub struct Engine<'a> {
    pub scenario: &'a Scenario,
    pub config: Rc<Snapshot>,
    pub policy: Box<dyn Policy + 'a>,
    pub mutant: Option<Mutant>,
    pub queue: Queue,
    pub now: u64,
    pub report: Report,
    pub watch: Watch,
    pub(super) flights: BTreeMap<usize, Flight>,
    pub(super) load: Load,
    objects: Vec<Object>,
    /// Isolates that live, and until when each has promised to flush.
    pub(super) isolates: BTreeMap<usize, u64>,
    /// What KV shows, by region.
    shown: BTreeMap<usize, String>,
    messages: u64,
}

#[derive(Clone, Default)]
struct Object {
    life: u32,
    stored: Option<String>,
    busy_until: u64,
    publishes: bool,
}

/// Plays it to its end.
pub fn play<'a>(scenario: &'a Scenario, policy: Box<dyn Policy + 'a>, mutant: Option<Mutant>, traced: bool) -> Result<Report> {
    let mut engine = Engine {
        scenario,
        config: config::snapshot(scenario)?,
        policy,
        mutant,
        queue: Queue::default(),
        now: 0,
        report: Report { trace: traced.then(Vec::new), ..Report::default() },
        watch: Watch::new(scenario),
        flights: BTreeMap::new(),
        load: Load::default(),
        objects: vec![Object::default(); scenario.regions],
        isolates: BTreeMap::new(),
        shown: BTreeMap::new(),
        messages: 0,
    };
    engine.begin();
    while let Some((at, event)) = engine.queue.soonest() {
        engine.now = engine.now.max(at);
        engine.happen(event);
    }
    engine.finish();
    Ok(engine.report)
}

impl Engine<'_> {
    fn begin(&mut self) {
        let end = self.scenario.end();
        for (index, life) in self.scenario.lives.iter().enumerate() {
            self.queue.add(life.from, Event::Born(index));
            if life.until <= end {
                self.queue.add(life.until, Event::Dies(index));
            }
        }
        for (region, at) in &self.scenario.restarts {
            self.queue.add(*at, Event::Restarts(*region));
        }
        for (index, arrival) in self.scenario.arrivals.iter().enumerate() {
            self.queue.add(arrival.at, Event::Arrives(index));
        }
    }

    fn finish(&mut self) {
        let left: Vec<u64> = self.flights.values().filter_map(|f| Some(self.scenario.arrivals.get(f.arrival)?.number)).collect();
        for number in left {
            self.report.wrong(Check::Ends, self.now, (Some(number), None), "it never ended".to_owned());
        }
        let watch = std::mem::replace(&mut self.watch, Watch::new(self.scenario));
        watch.finish(self.scenario, &mut self.report);
    }

    pub const fn clock(&self) -> Millis {
        Millis(EPOCH + self.now)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Born(isolate) => self.born(isolate),
            Event::Dies(isolate) => self.dies(isolate),
            Event::Arrives(arrival) => self.arrives(arrival),
            Event::Wakes { request, turn } => {
                if let Some(flight) = self.flights.remove(&request) {
                    if flight.turn == turn { self.wakes(flight) } else { drop(self.flights.insert(request, flight)) }
                }
            }
            Event::Leaves(request) => {
                if let Some(flight) = self.flights.remove(&request) {
                    self.ends(flight, End::Left);
                }
            }
            Event::Beats { request, isolate } => {
                let begun = self.scenario.arrivals.get(request).map_or(0, |arrival| arrival.at);
                if self.flights.contains_key(&request) && self.now < begun + MAX_BEATS_MS {
                    self.sync(isolate);
                    self.queue.add(self.now + BEAT_MS, Event::Beats { request, isolate });
                }
            }
            Event::Flushes(isolate) => {
                if let Some(promised) = self.isolates.get_mut(&isolate) {
                    *promised = 0;
                    self.sync(isolate);
                }
            }
            Event::ToObject { isolate, report } => self.object_hears(isolate, &report),
            Event::ToIsolate { isolate, life: _, reply } => {
                if self.isolates.contains_key(&isolate) {
                    let is_answered = reply.is_some();
                    self.policy.told(isolate, reply.as_deref(), self.clock());
                    self.watch.reached(isolate, is_answered, self.now);
                    self.report.note(self.now, (None, None), || format!("isolate {isolate} hears: {reply:?}"));
                    if is_answered {
                        self.sync(isolate);
                    }
                }
            }
            Event::Stored { region, life, state } => {
                if let Some(object) = self.objects.get_mut(region)
                    && object.life == life
                {
                    object.stored = Some(state);
                    if !std::mem::replace(&mut object.publishes, true) {
                        self.queue.add(self.now + PUBLISH_MS, Event::Publishes(region));
                    }
                }
            }
            Event::Restarts(region) => self.restarts(region),
            Event::Publishes(region) => {
                if let Some(object) = self.objects.get_mut(region) {
                    object.publishes = false;
                }
                if let Some(view) = self.policy.published(region, self.clock()) {
                    self.queue.add(self.now + self.scenario.network.kv_ms, Event::Published { region, view });
                }
            }
            Event::Published { region, view } => drop(self.shown.insert(region, view)),
        }
    }

    fn born(&mut self, isolate: usize) {
        let Some(life) = self.scenario.lives.get(isolate) else { return };
        self.isolates.insert(isolate, 0);
        self.policy.born(isolate, life.region);
        self.watch.born(isolate, life.region, self.now);
        if let Some(view) = self.shown.get(&life.region) {
            self.policy.warm(isolate, view);
        }
    }

    /// Everything in it is gone, unsaid.
    fn dies(&mut self, isolate: usize) {
        self.isolates.remove(&isolate);
        self.policy.died(isolate);
        let theirs: Vec<usize> = self.flights.iter().filter(|(_, f)| f.isolate == isolate).map(|(index, _)| *index).collect();
        for flight in theirs.into_iter().filter_map(|index| self.flights.remove(&index)).collect::<Vec<_>>() {
            self.watch.killed(&flight, self.now);
            self.row(&flight, End::Killed);
        }
        self.report.note(self.now, (None, None), || format!("isolate {isolate} dies"));
    }

    fn restarts(&mut self, region: usize) {
        let Some(object) = self.objects.get_mut(region) else { return };
        object.life += 1;
        object.busy_until = self.now;
        let stored = object.stored.clone();
        self.policy.restart(region, stored.as_deref());
        self.watch.restarted(region, self.now);
        self.report.note(self.now, (None, None), || format!("the object of region {region} restarts with {stored:?}"));
    }

    fn delay(&mut self) -> (u64, bool) {
        self.messages += 1;
        let network = &self.scenario.network;
        let name = format!("message {}", self.messages);
        let spread = network.max_ms.saturating_sub(network.min_ms) + 1;
        (
            network.min_ms + self.scenario.roll(&name, spread),
            self.scenario.roll(&format!("{name} lost"), 100) < network.lost_percent,
        )
    }

    /// Tells the object what is due. A lost call fails, or is never heard of again.
    pub(super) fn sync(&mut self, isolate: usize) {
        let Some(report) = self.policy.due(isolate, self.clock()) else { return };
        self.report.messages += 1;
        let (delay, is_lost) = self.delay();
        self.report.note(self.now, (None, None), || format!("isolate {isolate} tells: {report}"));
        if !is_lost {
            self.queue.add(self.now + delay, Event::ToObject { isolate, report });
        } else {
            self.watch.lost(isolate, self.now);
            self.watch.untold(isolate, &report);
            if delay % 2 == 0 {
                self.queue.add(self.now + delay, Event::ToIsolate { isolate, life: 0, reply: None });
            }
        }
    }

    fn object_hears(&mut self, isolate: usize, report: &str) {
        let Some(region) = self.scenario.lives.get(isolate).map(|life| life.region) else { return };
        let Some((reply, state)) = self.policy.absorb(region, report, self.clock()) else { return };
        self.watch.told(region, self.policy.as_ref(), self.clock());
        let (delay, is_lost) = self.delay();
        let Some(object) = self.objects.get_mut(region) else { return };
        // The reply waits until the state is kept, and others behind it.
        let mut leaves = object.busy_until.max(self.now);
        let life = object.life;
        if let Some(state) = state {
            leaves += 2 + delay % 9;
            object.busy_until = leaves;
            self.queue.add(leaves, Event::Stored { region, life, state });
        }
        let reply = if is_lost { None } else { Some(reply) };
        if is_lost {
            self.watch.lost(isolate, self.now);
        }
        self.queue.add(leaves + delay, Event::ToIsolate { isolate, life, reply });
    }

    /// After a request: at once what is urgent, the rest in a second.
    pub(super) fn flush(&mut self, isolate: usize) {
        self.sync(isolate);
        if let Some(promised) = self.isolates.get_mut(&isolate)
            && *promised <= self.now
        {
            *promised = self.now + FLUSH_MS;
            self.queue.add(self.now + FLUSH_MS, Event::Flushes(isolate));
        }
    }
}
