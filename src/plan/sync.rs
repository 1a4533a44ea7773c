//! How isolates share their health: what one tells the region's object, and what it learns from the reply.
//!
//! Plain values both ways; the shell only carries bytes. The object knows more, so it decides; an isolate that cannot
//! reach it decides for itself.

use std::rc::Rc;

use super::report::Told;
pub use super::report::{Reply, Report, absorb};
use super::{
    breaker::Batch,
    health::{Health, MAX_CELLS, Numbers, Signal, Standing, Tuning, View},
    latency::Spread,
    operator::{Mark, covers},
};
use crate::{sorted::SortedMap, units::Millis};

/// A call without an answer for so long is lost: its request may have been cancelled under it.
const LOST_MS: u64 = 5_000;
/// Where so many requests came since the last call, the next may be made a little early: so many are served a call at
/// least, and in a busy isolate no request finds its news older than the time between two calls.
const BUSY: u64 = 100;
const EARLY_MS: u64 = 500;
/// Of no view: whatever the object has is news, be it that all is well.
const NO_VERSION: u64 = u64::MAX;

/// A permit that ends sooner is not taken: until the object has heard of the probe, it may lend the same to another.
const TELL_MS: u64 = 2_000;

struct Permit {
    expires: Millis,
    taken: bool,
}

impl Permit {
    const fn may_be_taken(&self, now: Millis) -> bool {
        !self.taken && self.expires.0 > now.plus(TELL_MS).0
    }
}

/// The isolate's side.
pub struct Local {
    isolate: u64,
    health: Health,
    unsent: SortedMap<String, Told>,
    is_urgent: bool,
    in_flight: Option<Report>,
    tried_at: Option<Millis>,
    /// Requests since then.
    requests: u64,
    /// The object answered last time.
    is_reached: bool,
    remote: View,
    version: u64,
    numbers_at: Millis,
    reset_at: Millis,
    /// The region's, and of cells that this isolate has news of, those and its own.
    numbers: Rc<SortedMap<String, Numbers>>,
    permits: SortedMap<String, Permit>,
    /// Openings whose end was already asked about, out of turn.
    asked: SortedMap<String, Millis>,
}

impl Local {
    /// `isolate` is its id, drawn once by the shell: permits belong to it.
    pub fn new(isolate: u64, tuning: Tuning) -> Self {
        Self {
            isolate,
            health: Health::new(tuning),
            unsent: SortedMap::new(),
            is_urgent: false,
            in_flight: None,
            tried_at: None,
            requests: 0,
            is_reached: false,
            remote: View::default(),
            version: NO_VERSION,
            numbers_at: Millis(0),
            reset_at: Millis(0),
            numbers: Rc::default(),
            permits: SortedMap::new(),
            asked: SortedMap::new(),
        }
    }

    /// Begins with a stored snapshot, until the object has said more.
    pub fn warm(&mut self, view: View) {
        if !self.is_reached {
            self.numbers = Rc::clone(&view.numbers);
            self.remote = view;
        }
    }

    pub const fn tune(&mut self, tuning: Tuning) {
        self.health.tune(tuning);
    }

    /// A request came.
    pub const fn request(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// An outcome of a request that was no probe.
    pub fn report(&mut self, key: &str, signal: Signal, now: Millis, seed: u64) {
        self.begin(now);
        let changed = self.health.report(key, signal, now, seed);
        let mut told = Told::default();
        match signal {
            Signal::Ok { first_ms } => (told.batch, told.times) = (Batch::good(first_ms), Spread::one(first_ms)),
            Signal::Served => told.batch = Batch::served(),
            Signal::Failed { floor_ms } => told.batch = Batch::bad(floor_ms),
            Signal::Cool { until } | Signal::Down { until } => told.cool_until = Some(until),
        }
        if changed {
            told.open_until = self.health.get(key).and_then(super::breaker::Cell::open_until);
            let is_known = matches!(self.remote.standing(key, now), Standing::Open { until } if until > now);
            self.is_urgent |= told.cool_until.is_some() || (told.open_until.is_some() && !is_known);
        }
        self.tell(key, &told);
        self.renew_numbers(key, now);
    }

    /// What was reset before the first it saw, it cannot have learned.
    const fn begin(&mut self, now: Millis) {
        if self.reset_at.0 == 0 {
            self.reset_at = now;
        }
    }

    /// What the region knows of a cell, and what this isolate has seen since it told it last.
    fn renew_numbers(&mut self, key: &str, now: Millis) {
        let own = self.health.numbers(key, now);
        let merged = match (self.remote.numbers.get(key), self.unsent.get(key)) {
            (Some(known), Some(told)) => known.blend(own, u64::from(told.batch.good).saturating_add(told.batch.bad.into())),
            (Some(known), None) => *known,
            (None, _) => own,
        };
        let is_known = self.numbers.contains_key(key);
        if is_known || (merged != Numbers::default() && self.numbers.len() < MAX_CELLS) {
            Rc::make_mut(&mut self.numbers).insert(key.to_owned(), merged);
        }
    }

    /// Takes the permit for the one probe of an open cell, which the object must hear of at once. Every probe taken must end in `probed` or `released`.
    pub fn take_probe(&mut self, key: &str, now: Millis) -> bool {
        let probe_ms = self.health.tuning().probe_ms;
        if let Some(permit) = self.permits.get_mut(key)
            && permit.may_be_taken(now)
        {
            (permit.taken, permit.expires) = (true, now.plus(probe_ms));
            self.tell(key, &Told { probing: true, ..Told::default() });
            self.is_urgent = true;
            return true;
        }
        if self.is_reached || self.is_probing(key, now) || self.health.permit(key, self.isolate, now).is_none() {
            return false;
        }
        self.health.probing(key, self.isolate, now.plus(probe_ms));
        // Also if the object is reached again meanwhile: it is not asked for another one.
        self.permits.insert(key.to_owned(), Permit { expires: now.plus(probe_ms), taken: true });
        true
    }

    /// A probe of this isolate's is on its way, which losing or finding the object does not call back.
    fn is_probing(&self, key: &str, now: Millis) -> bool {
        self.permits.get(key).is_some_and(|permit| permit.taken && permit.expires > now)
    }

    /// The outcome of a probe: `Ok`, `Served` or `Failed`. A limit says nothing of the model's health: it is reported as such, and
    /// the probe is released.
    pub fn probed(&mut self, key: &str, signal: Signal, now: Millis, seed: u64) {
        match signal {
            Signal::Ok { first_ms } => self.end_probe(key, Batch::good(first_ms), now, seed),
            Signal::Served => self.end_probe(key, Batch::served(), now, seed),
            Signal::Failed { floor_ms } => self.end_probe(key, Batch::bad(floor_ms), now, seed),
            Signal::Cool { .. } | Signal::Down { .. } => {
                self.report(key, signal, now, seed);
                self.end_probe(key, Batch::default(), now, seed);
            }
        }
    }

    /// A probe that proved nothing: the caller's fault, a limit, or a client that left.
    pub fn released(&mut self, key: &str, now: Millis) {
        self.end_probe(key, Batch::default(), now, 0);
    }

    fn end_probe(&mut self, key: &str, batch: Batch, now: Millis, seed: u64) {
        // While the object is reached its reply says what the probe came to.
        if !self.is_reached && self.health.get(key).is_some_and(|cell| cell.open_until().is_some()) {
            self.health.probed(key, self.isolate, batch, now, seed);
        }
        if self.permits.remove(key).is_some() {
            self.tell(key, &Told { probed: Some(batch), ..Told::default() });
            self.is_urgent = true;
        }
    }

    fn tell(&mut self, key: &str, told: &Told) {
        if let Some(known) = self.unsent.get_mut(key) {
            known.add(told);
        } else if self.unsent.len() < MAX_CELLS {
            self.unsent.insert(key.to_owned(), told.clone());
        }
    }

    /// What to send now, if anything: at once when a state changed or an opening ended, else every few seconds. Its answer
    /// goes to `learned` or `learned_nothing`.
    pub fn due(&mut self, now: Millis) -> Option<Report> {
        self.begin(now);
        let since = self.tried_at.map_or(u64::MAX, |at| now.since(at));
        if self.in_flight.is_some() {
            if since < LOST_MS {
                return None;
            }
            self.learned_nothing(now);
        }
        let ended = self.ended(now);
        let tuning = self.health.tuning();
        let is_new = ended.iter().any(|(key, until)| self.asked.get(key) != Some(until));
        let is_busy = self.requests >= BUSY && since.saturating_add(EARLY_MS) >= tuning.sync_ms;
        let is_due = since >= tuning.sync_ms || is_busy || (is_new && since >= tuning.gap_ms);
        if !is_due && !(self.is_urgent && (self.is_reached || since >= tuning.gap_ms)) {
            return None;
        }
        for key in self.permits.iter().filter(|(_, permit)| permit.taken && permit.expires > now).map(|(key, _)| key) {
            self.unsent.or_default(key.clone()).probing = true;
        }
        let wants = ended.keys().filter(|key| !self.permits.contains_key(*key)).cloned().collect();
        let report = Report {
            isolate: self.isolate,
            version: self.version,
            numbers_at: self.numbers_at,
            reset_at: self.reset_at,
            cells: std::mem::take(&mut self.unsent),
            wants,
            tuning: *tuning,
        };
        (self.is_urgent, self.tried_at, self.asked, self.requests) = (false, Some(now), ended, 0);
        self.in_flight = Some(report.clone());
        Some(report)
    }

    /// Cells that are open past their deadline, here or there.
    fn ended(&self, now: Millis) -> SortedMap<String, Millis> {
        let local = self.health.iter().filter_map(|(key, cell)| Some((key.clone(), cell.open_until()?)));
        let remote = self.remote.cells().filter_map(|(key, standing)| match standing {
            Standing::Open { until } => Some((key.to_owned(), until)),
            Standing::Up
            | Standing::Degraded { .. }
            | Standing::Ramping { .. }
            | Standing::Probe
            | Standing::Cooling { .. }
            | Standing::Drained
            | Standing::Shut { .. } => None,
        });
        let mut ended = SortedMap::new();
        for (key, until) in local.chain(remote) {
            let latest = ended.or_insert(key, until);
            *latest = until.max(*latest);
        }
        // What the operator has spoken of needs no probe.
        ended.retain(|key, until| *until <= now && self.remote.marks.standing(key, now).is_none());
        ended
    }

    pub fn learned(&mut self, reply: Reply, now: Millis) {
        self.in_flight = None;
        self.is_reached = true;
        if let Some(view) = reply.view {
            let numbers = std::mem::take(&mut self.remote.numbers);
            (self.remote, self.version) = (View { numbers, ..view }, reply.version);
        }
        self.forget_what_was_reset();
        self.numbers_at = reply.numbers_at.max(self.numbers_at);
        for (key, numbers) in reply.numbers {
            Rc::make_mut(&mut self.remote.numbers).insert(key.clone(), numbers);
            self.renew_numbers(&key, now);
        }
        for (key, expires) in reply.permits {
            // A probe that it began by itself while this was on its way goes on under it.
            if self.is_probing(&key, now) {
                self.tell(&key, &Told { probing: true, ..Told::default() });
                self.is_urgent = true;
            } else {
                self.permits.insert(key, Permit { expires, taken: false });
            }
        }
        self.permits.retain(|_, permit| permit.expires > now);
        // The region has seen more: what it does not hold for open is open here only until its own deadline.
        for (key, cell) in self.health.iter_mut() {
            let is_over = cell.open_until().is_some_and(|until| until <= now);
            if is_over && !matches!(self.remote.standing(key, now), Standing::Open { .. }) {
                cell.close();
            }
        }
    }

    /// By the operator's word: what was learned before does not count.
    fn forget_what_was_reset(&mut self) {
        let Self { remote, health, unsent, permits, asked, numbers, reset_at, .. } = self;
        let new = |mark: &Mark| mark.reset > *reset_at;
        for (target, _) in remote.marks.by_target.iter().filter(|(_, mark)| new(mark)) {
            health.forget(target);
            unsent.retain(|cell, _| !covers(target, cell));
            permits.retain(|cell, permit| permit.taken || !covers(target, cell));
            asked.retain(|cell, _| !covers(target, cell));
            Rc::make_mut(numbers).retain(|cell, _| !covers(target, cell));
            Rc::make_mut(&mut remote.numbers).retain(|cell, _| !covers(target, cell));
        }
        *reset_at = remote.marks.last_reset().max(*reset_at);
    }

    /// The object could not be reached: this isolate goes on alone with what it knows, half-opening by itself.
    pub fn learned_nothing(&mut self, now: Millis) {
        if let Some(report) = self.in_flight.take() {
            for (key, mut told) in report.cells {
                if let Some(later) = self.unsent.remove(&key) {
                    told.add(&later);
                }
                self.is_urgent |= told.cool_until.is_some() || told.open_until.is_some() || told.probed.is_some();
                self.tell(&key, &told);
            }
        }
        self.is_reached = false;
        for (key, standing) in std::mem::take(&mut self.remote.cells) {
            match standing {
                Standing::Open { until } => {
                    self.health.cell(&key, now).open_until_at_least(until, now);
                }
                Standing::Cooling { until } => {
                    self.health.cell(&key, now).cool(until);
                }
                Standing::Up
                | Standing::Degraded { .. }
                | Standing::Ramping { .. }
                | Standing::Probe
                | Standing::Drained
                | Standing::Shut { .. } => {}
            }
        }
        self.version = NO_VERSION;
        self.permits.retain(|_, permit| permit.taken);
    }

    /// What routing sees: the worse of what the region and this isolate hold, and the permits it has.
    pub fn view(&self, now: Millis) -> View {
        let mut view = self.health.standings(now);
        view.marks = self.remote.marks.clone();
        view.numbers = Rc::clone(&self.numbers);
        for (key, standing) in self.remote.cells() {
            view.add(key, standing);
        }
        let permitted = |key: &str| self.permits.get(key).is_some_and(|permit| permit.may_be_taken(now));
        let wants = |key: &str| self.health.get(key).is_some_and(|cell| cell.wants_probe(now));
        let alone = |key: &str| !self.is_reached && !self.is_probing(key, now) && wants(key);
        for (key, standing) in &mut view.cells {
            if matches!(standing, Standing::Open { until } if *until <= now) && (permitted(key) || alone(key)) {
                *standing = Standing::Probe;
            }
        }
        view
    }
}
