//! The life of a request in the engine, from its arrival to its record.

use std::rc::Rc;

use portolan::{
    dialect::Facts,
    error::{Blame, Error},
    exchange::{Call, Exchange, Lesson, Received, Sendable, Step, Task, relay::Ended, reply::Body},
    plan::{self, Ask, Plan, Reason, health::View, seed},
    wire::json::Outline,
};

use super::{
    bytes, checks, config,
    engine::{BEAT_MS, Engine},
    mutants::Mutant,
    queue::Event,
    report::{Check, End, Row, SendRow},
    request::{self, Flight, Pending},
    scenario::{Arrival, region_name},
    upstream::{self, Sent},
};

/// More steps than any request takes.
const MAX_STEPS: u32 = 5_000;
/// Plans are made twice for one request in so many.
const TWICE: u64 = 8;

impl Engine<'_> {
    fn isolate_for(&self, arrival: &Arrival) -> Option<usize> {
        let here = |isolate: &usize| self.scenario.lives.get(*isolate).is_some_and(|life| life.region == arrival.region);
        let there: Vec<usize> = self.isolates.keys().copied().filter(here).collect();
        let drawn = self.scenario.roll(&format!("isolate of {}", arrival.number), u64::try_from(there.len()).unwrap_or(0));
        there.get(usize::try_from(drawn).unwrap_or(0)).copied()
    }

    pub(super) fn arrives(&mut self, index: usize) {
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
        if arrival.number.is_multiple_of(TWICE) {
            self.replan(arrival, (&plan, &facts), &view, seed);
        }
        self.watch.planned(arrival, isolate, &plan, (self.policy.as_ref(), &view, self.clock(), self.now));
        let probes: Vec<String> = plan.probes().collect();
        for cell in &probes {
            self.policy.take(isolate, cell, self.clock());
        }
        // As the shell, which tells it while the request goes on.
        if !probes.is_empty() {
            self.sync(isolate);
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
            payer: portolan::ledger::Payer::gateway("sim"),
            region: region_name(arrival.region).to_owned(),
            colo: String::new(),
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
        self.queue.add(self.now + BEAT_MS, Event::Beats { request: index, isolate });
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

    pub(super) fn wakes(&mut self, mut flight: Flight) {
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
                let Some(mut relay) = flight.end(how) else { return self.ends(flight, End::Served) };
                if !relay.is_followed() {
                    flight.exchange.relayed(&mut relay, now);
                    return self.ends(flight, End::Served);
                }
                flight.exchange.ended(&mut relay, how, now);
            }
        }
        self.learn(&mut flight);
        if flight.passing.is_some() { self.passes(flight) } else { self.steps(flight) }
    }

    /// Does what the exchange says until it must wait.
    fn steps(&mut self, mut flight: Flight) {
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
            // Only beside another call, which nobody begins here.
            Step::Last(bytes) => {
                flight.got.extend(bytes);
                return self.ends(flight, End::Served);
            }
            Step::Idle => {
                let number = self.scenario.arrivals.get(flight.arrival).map(|a| a.number);
                let what = "it waits for a second call that nobody began".to_owned();
                self.report.wrong(Check::Ends, self.now, (number, None), what);
                return self.ends(flight, End::Failed);
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
        self.waits(flight, wait);
    }

    fn passes(&mut self, mut flight: Flight) {
        let wait = flight.pass(self.now);
        self.waits(flight, wait);
    }

    fn waits(&mut self, mut flight: Flight, ms: u64) {
        flight.turn += 1;
        let is_forgotten = self.mutant == Some(Mutant::Forgets) && flight.turn == 3 && flight.arrival.is_multiple_of(64);
        if !is_forgotten {
            self.queue.add(self.now + ms, Event::Wakes { request: flight.arrival, turn: flight.turn });
        }
        self.flights.insert(flight.arrival, flight);
    }

    fn send(&mut self, flight: &mut Flight, target: &Sendable) {
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
    pub(super) fn ends(&mut self, mut flight: Flight, end: End) {
        let now = self.clock();
        if end == End::Left
            && let Some(mut relay) = flight.end(Ended::Gone)
        {
            flight.exchange.relayed(&mut relay, now);
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

    pub(super) fn row(&mut self, flight: &Flight, end: End) {
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
