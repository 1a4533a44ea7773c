//! Plays a scenario: one event after another, in virtual time.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;
use portolan::{
    config::Snapshot,
    dialect::Facts,
    error::{Blame, Error},
    exchange::{Call, Exchange, Lesson, Received, Step, Task, relay::Ended, reply::Body},
    plan::{self, Ask, Plan, Reason, health::View, seed},
    units::Millis,
    wire::json::Outline,
};

use super::{
    bytes, checks, config,
    mutants::Mutant,
    policy::Policy,
    queue::{Event, Queue},
    report::{Check, End, Report, Row, SendRow},
    request::{self, Flight, Pending},
    scenario::{Arrival, Scenario, region_name},
    upstream::{self, Load, Sent},
    watch::Watch,
};

/// The worlds begin then.
const EPOCH: u64 = 1_800_000_000_000;
/// More steps than any request takes.
const MAX_STEPS: u32 = 5_000;
/// As the shell: what is not urgent is told a second after a request.
const FLUSH_MS: u64 = 1_000;
/// As the object: its view goes to KV so long after it changed.
const PUBLISH_MS: u64 = 5_000;
/// Plans are made twice for one request in so many.
const TWICE: u64 = 8;

pub struct Engine<'a> {
    pub scenario: &'a Scenario,
    pub config: Rc<Snapshot>,
    pub policy: Box<dyn Policy + 'a>,
    pub mutant: Option<Mutant>,
    pub queue: Queue,
    pub now: u64,
    pub report: Report,
    pub watch: Watch,
    flights: BTreeMap<usize, Flight>,
    load: Load,
    objects: Vec<Object>,
    /// Isolates that live, and until when each has promised to flush.
    isolates: BTreeMap<usize, u64>,
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
    while let Some((at, event)) = engine.queue.next() {
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
        (network.min_ms + self.scenario.roll(&name, spread), self.scenario.roll(&format!("{name} lost"), 100) < network.lost_percent)
    }

    /// Tells the object what is due. A lost call fails, or is never heard of again.
    fn sync(&mut self, isolate: usize) {
        let Some(report) = self.policy.due(isolate, self.clock()) else { return };
        self.report.messages += 1;
        let (delay, is_lost) = self.delay();
        self.report.note(self.now, (None, None), || format!("isolate {isolate} tells: {report}"));
        if !is_lost {
            self.queue.add(self.now + delay, Event::ToObject { isolate, report });
        } else {
            self.watch.lost(isolate, self.now);
            if delay % 2 == 0 {
                self.queue.add(self.now + delay, Event::ToIsolate { isolate, life: 0, reply: None });
            }
        }
    }

    fn object_hears(&mut self, isolate: usize, report: &str) {
        let Some(region) = self.scenario.lives.get(isolate).map(|life| life.region) else { return };
        let Some((reply, state)) = self.policy.absorb(region, report, self.clock()) else { return };
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
    fn flush(&mut self, isolate: usize) {
        self.sync(isolate);
        if let Some(promised) = self.isolates.get_mut(&isolate)
            && *promised <= self.now
        {
            *promised = self.now + FLUSH_MS;
            self.queue.add(self.now + FLUSH_MS, Event::Flushes(isolate));
        }
    }

    fn isolate_for(&self, arrival: &Arrival) -> Option<usize> {
        let here = |isolate: &usize| self.scenario.lives.get(*isolate).is_some_and(|life| life.region == arrival.region);
        let there: Vec<usize> = self.isolates.keys().copied().filter(here).collect();
        let drawn = self.scenario.roll(&format!("isolate of {}", arrival.number), u64::try_from(there.len()).unwrap_or(0));
        there.get(usize::try_from(drawn).unwrap_or(0)).copied()
    }

    fn arrives(&mut self, index: usize) {
        let Some(arrival) = self.scenario.arrivals.get(index) else { return };
        let Some(isolate) = self.isolate_for(arrival) else { return };
        self.report.requests += 1;
        let (body, place) = bytes::request(arrival);
        let seed = seed::fold(self.scenario.seed, &format!("request {}", arrival.number));
        let Some(caller) = arrival.dialect.caller() else { return };
        let facts = Outline::read(body.as_bytes()).and_then(|outline| caller.facts(&outline)).map(|facts| place.fill(facts));
        let view = self.view(isolate);
        let planned = facts.and_then(|facts| Ok((self.plan(arrival, &facts, &view, seed)?, facts)));
        let (mut plan, facts) = match planned {
            Ok(planned) => planned,
            Err(error) => return self.unplanned(arrival, &error),
        };
        if arrival.number % TWICE == 0 {
            self.replan(arrival, (&plan, &facts), &view, seed);
        }
        self.watch.planned(arrival, isolate, &plan, (self.policy.as_ref(), self.clock(), self.now));
        for cell in plan.probes().collect::<Vec<_>>() {
            self.policy.take(isolate, &cell, self.clock());
        }
        if self.mutant == Some(Mutant::TriesAgain)
            && let Some(first) = plan.attempts.first().cloned()
        {
            plan.attempts.push(first);
        }
        let body = Rc::new(body);
        let call = Call {
            id: format!("req_{:08}", arrival.number),
            dialect: arrival.dialect,
            task: Task::Generate,
            caller,
            facts,
            body: Rc::new(body.as_bytes().to_vec()),
            headers: vec![],
            started: self.clock(),
            seed,
            key: "sim".to_owned(),
            region: region_name(arrival.region).to_owned(),
        };
        self.report.note(self.now, (Some(arrival.number), None), || {
            let attempts: Vec<String> = plan.attempts.iter().map(|a| format!("{} ({})", a.cell(), a.reason)).collect();
            let region = region_name(arrival.region);
            format!("arrives in {region} at isolate {isolate}, stream {}: {}", arrival.stream, attempts.join(", "))
        });
        let exchange = Exchange::new(call, Rc::clone(&self.config), plan.clone());
        let flight = Flight::new(exchange, &plan, (index, isolate), body);
        if let Some(ms) = arrival.leaves_after {
            self.queue.add(self.now + ms, Event::Leaves(index));
        }
        self.steps(flight);
    }

    fn view(&self, isolate: usize) -> View {
        let view = self.policy.view(isolate, self.clock());
        self.mutant.map_or(view.clone(), |mutant| mutant.view(view, self.clock()))
    }

    fn plan(&self, arrival: &Arrival, facts: &Facts, view: &View, seed: u64) -> Result<Plan, Error> {
        plan::plan(Ask::generate(arrival.dialect, facts), &self.config, view, self.clock(), seed)
    }

    fn replan(&mut self, arrival: &Arrival, (plan, facts): (&Plan, &Facts), view: &View, seed: u64) {
        let seed = if self.mutant == Some(Mutant::OtherSeed) { seed ^ 1 } else { seed };
        let again = self.plan(arrival, facts, view, seed);
        let is_same = again.is_ok_and(|again| format!("{again:?}") == format!("{plan:?}"));
        if !is_same {
            let what = "the same inputs gave another plan".to_owned();
            self.report.wrong(Check::Deterministic, self.now, (Some(arrival.number), None), what);
        }
    }

    fn unplanned(&mut self, arrival: &Arrival, error: &Error) {
        let end = if error.blame == Blame::Caller { End::Refused } else { End::Failed };
        self.report.note(self.now, (Some(arrival.number), None), || format!("no plan: {error:?}"));
        self.report.rows.push(Row {
            number: arrival.number,
            at: arrival.at,
            region: arrival.region,
            route: arrival.route,
            first: None,
            is_probe: false,
            sends: vec![],
            end,
            took: 0,
        });
    }

    fn wakes(&mut self, mut flight: Flight) {
        let now = self.clock();
        match std::mem::replace(&mut flight.pending, Pending::Nothing) {
            Pending::Nothing => {}
            Pending::Head(head) => flight.exchange.answered(now, head),
            Pending::Whole(Ok(bytes)) => {
                flight.exchange.received(now, Received::Bytes(&bytes));
                flight.whole = bytes;
            }
            Pending::Chunk(Ok(Some(bytes))) => flight.exchange.received(now, Received::Bytes(&bytes)),
            Pending::Chunk(Ok(None)) => flight.exchange.received(now, Received::End),
            Pending::Whole(Err(transport)) | Pending::Chunk(Err(transport)) => {
                flight.exchange.received(now, Received::Failed(transport));
            }
            Pending::Pass(bytes) => flight.passed(&bytes),
            Pending::Over(how) => {
                if let Some(relay) = flight.end(how) {
                    flight.exchange.relayed(&relay, now);
                }
                return self.ends(flight, End::Served);
            }
        }
        self.learn(&mut flight);
        if flight.passing.is_some() { self.passes(flight) } else { self.steps(flight) }
    }

    /// Does what the exchange says until it must wait.
    fn steps(&mut self, mut flight: Flight) {
        loop {
            flight.steps += 1;
            if flight.steps > MAX_STEPS {
                let number = self.scenario.arrivals.get(flight.arrival).map(|a| a.number);
                self.report.wrong(Check::Ends, self.now, (number, None), "it goes round in circles".to_owned());
                return self.ends(flight, End::Failed);
            }
            let step = flight.exchange.next(self.clock());
            self.learn(&mut flight);
            let wait = match step {
                Step::Send(send) => {
                    self.send(&mut flight, &send.target);
                    let limit = if self.mutant == Some(Mutant::Patient) { u64::MAX / 4 } else { send.timeout_ms };
                    flight.head(limit.min(2_000_000))
                }
                Step::Wait(ms) => ms,
                Step::Read { whole: true, timeout_ms } => flight.read_whole(timeout_ms),
                Step::Read { whole: false, timeout_ms } => flight.read_chunk(timeout_ms),
                Step::Relay(relaying) => {
                    flight.begin(*relaying, self.now);
                    return self.passes(flight);
                }
                Step::Reply(reply) => {
                    flight.status = reply.status;
                    flight.got = match reply.body {
                        Body::Text(text) => text.into_bytes(),
                        Body::Upstream => std::mem::take(&mut flight.whole),
                    };
                    return self.ends(flight, End::Served);
                }
            };
            return self.waits(flight, wait);
        }
    }

    fn passes(&mut self, mut flight: Flight) {
        let wait = flight.pass(self.now);
        self.waits(flight, wait);
    }

    fn waits(&mut self, mut flight: Flight, ms: u64) {
        flight.turn += 1;
        let is_forgotten = self.mutant == Some(Mutant::Forgets) && flight.turn == 3 && flight.arrival % 64 == 0;
        if !is_forgotten {
            self.queue.add(self.now + ms, Event::Wakes { request: flight.arrival, turn: flight.turn });
        }
        self.flights.insert(flight.arrival, flight);
    }

    fn send(&mut self, flight: &mut Flight, target: &portolan::exchange::Sendable) {
        let Some(arrival) = self.scenario.arrivals.get(flight.arrival) else { return };
        let Some(place) = request::place(target, &flight.body, arrival.region) else {
            let what = "it was sent nobody knows where".to_owned();
            return self.report.wrong(Check::NoRepeat, self.now, (Some(arrival.number), None), what);
        };
        let sent = Sent { place, arrival, nth: flight.sends.len(), now: self.now };
        let answer = upstream::answer(self.scenario, &mut self.load, &sent);
        let cell = config::cell_name(place.provider, place.model);
        let reason = flight.reasons.get(&cell).copied();
        self.report.sends += 1;
        let is_probe = reason == Some(Reason::Probe);
        self.report.probes += usize::from(is_probe);
        let is_down = self.scenario.active(&place, self.now).any(|fault| fault.trouble.is_hard());
        self.report.note(self.now, (Some(arrival.number), Some(&cell)), || {
            format!("sent to {cell} with key {}, which will be {:?}, as {reason:?}", place.key, answer.truth)
        });
        let row = SendRow { at: self.now, place, truth: answer.truth, is_down, is_probe };
        self.watch.sent(flight, &cell, arrival.number, (&row, reason), &mut self.report);
        flight.sends.push(row);
        flight.answer = Some(answer);
    }

    fn learn(&mut self, flight: &mut Flight) {
        let seed = flight.exchange.call().seed;
        let mut lessons = flight.exchange.take_lessons();
        if let Some(mutant) = self.mutant {
            mutant.lessons(flight, &mut lessons);
        }
        for lesson in lessons {
            let number = self.scenario.arrivals.get(flight.arrival).map(|a| a.number);
            let (Lesson::Signal(cell, _) | Lesson::Probed(cell, _) | Lesson::Released(cell)) = &lesson;
            self.report.note(self.now, (number, Some(cell)), || format!("learned {lesson:?}"));
            checks::lesson(flight, &lesson, (number, self.now), &mut self.report);
            self.watch.learned(flight, &lesson, self.now);
            self.policy.learn(flight.isolate, lesson, self.clock(), seed);
        }
    }

    /// A request is over, once.
    fn ends(&mut self, mut flight: Flight, end: End) {
        let now = self.clock();
        if end == End::Left
            && let Some(relay) = flight.end(Ended::Gone)
        {
            flight.exchange.relayed(&relay, now);
        }
        flight.exchange.close(now);
        self.learn(&mut flight);
        if self.mutant == Some(Mutant::CleanEnd) {
            flight.got.extend_from_slice(b"data: [DONE]\n\n");
        }
        if self.mutant == Some(Mutant::SaysTwice) {
            flight.got.extend_from_within(..);
        }
        let record = flight.exchange.record(now);
        let end = checks::ended(self.scenario, &mut flight, (&record, end), self.now, &mut self.report);
        self.watch.ended(&flight);
        self.row(&flight, end);
        if self.mutant == Some(Mutant::TwoRecords) {
            self.row(&flight, end);
        }
        self.flush(flight.isolate);
    }

    fn row(&mut self, flight: &Flight, end: End) {
        let Some(arrival) = self.scenario.arrivals.get(flight.arrival) else { return };
        let number = |text: &str, at: usize| text.split('/').nth(at).and_then(|part| part.get(1..)).and_then(|n| n.parse().ok());
        let first = flight.first.as_ref().and_then(|(cell, _)| Some((number(cell, 0)?, number(cell, 1)?)));
        self.report.note(self.now, (Some(arrival.number), None), || format!("ends: {end:?} with status {}", flight.status));
        self.report.rows.push(Row {
            number: arrival.number,
            at: arrival.at,
            region: arrival.region,
            route: arrival.route,
            first,
            is_probe: flight.first.as_ref().is_some_and(|(_, reason)| *reason == Reason::Probe),
            sends: flight.sends.clone(),
            end,
            took: self.now - arrival.at,
        });
    }
}
