//! How isolates share their health: what one tells the region's object, and what it learns from the reply.
//!
//! Plain values both ways; the shell only carries bytes. The object knows more, so it decides; an isolate that cannot
//! reach it decides for itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    breaker::Batch,
    health::{Health, MAX_CELLS, Signal, Standing, Tuning, View},
};
use crate::units::Millis;

/// A call without an answer for so long is lost: its request may have been cancelled under it.
const LOST_MS: u64 = 5_000;
/// What an isolate has to tell of one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    #[serde(rename = "n", default)]
    batch: Batch,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cool_until: Option<Millis>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    open_until: Option<Millis>,
    /// The probe is on its way.
    #[serde(rename = "p", default)]
    probing: bool,
    /// How the probe ended; all zero: it proved nothing.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    probed: Option<Batch>,
}

impl Told {
    /// This, then `later`.
    fn add(&mut self, later: &Self) {
        self.batch.add(later.batch);
        self.cool_until = self.cool_until.max(later.cool_until);
        self.open_until = self.open_until.max(later.open_until);
        self.probing |= later.probing;
        self.probed = later.probed.or(self.probed);
    }
}

/// From an isolate to the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    #[serde(rename = "i")]
    isolate: u64,
    /// Of the view it has.
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "c", default)]
    cells: BTreeMap<String, Told>,
    /// Open cells it would probe.
    #[serde(rename = "w", default)]
    wants: Vec<String>,
    /// The operator's numbers, which the object hears of in no other way.
    #[serde(rename = "t", default)]
    tuning: Tuning,
}

/// From the object to an isolate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    #[serde(rename = "v")]
    version: u64,
    /// None: the one it has is current.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    /// Permits for one probe each, and when they end.
    #[serde(rename = "p", default)]
    permits: BTreeMap<String, Millis>,
}

/// The object's side: takes a report in, and answers with all that is known.
pub fn absorb(health: &mut Health, report: &Report, now: Millis, seed: u64) -> Reply {
    health.tune(report.tuning);
    for (key, told) in &report.cells {
        if told.batch != Batch::default() {
            health.count(key, told.batch, now, seed);
        }
        if let Some(until) = told.cool_until {
            health.cell(key, now).cool(until);
        }
        if let Some(until) = told.open_until.filter(|until| *until > now) {
            health.cell(key, now).open_until_at_least(until, now);
        }
        if told.probing {
            health.probing(key, report.isolate, now);
        }
        if let Some(batch) = told.probed {
            health.probed(key, report.isolate, batch, now, seed);
        }
    }
    let grant = |key: &String| Some((key.clone(), health.permit(key, report.isolate, now)?));
    let mut permits = BTreeMap::new();
    permits.extend(report.wants.iter().take(MAX_CELLS).filter_map(grant));
    let view = health.snapshot(now);
    let version = view.version();
    Reply { version, view: (version != report.version).then_some(view), permits }
}

impl Reply {
    /// The object must store its state before it sends this, or another life of it might hand out the same permit.
    pub fn grants(&self) -> bool {
        !self.permits.is_empty()
    }
}

struct Permit {
    expires: Millis,
    taken: bool,
}

/// The isolate's side.
pub struct Local {
    isolate: u64,
    health: Health,
    unsent: BTreeMap<String, Told>,
    is_urgent: bool,
    in_flight: Option<Report>,
    tried_at: Option<Millis>,
    /// The object answered last time.
    is_reached: bool,
    remote: View,
    version: u64,
    permits: BTreeMap<String, Permit>,
    /// Openings whose end was already asked about, out of turn.
    asked: BTreeMap<String, Millis>,
}

impl Local {
    /// `isolate` is its id, drawn once by the shell: permits belong to it.
    pub fn new(isolate: u64, tuning: Tuning) -> Self {
        Self {
            isolate,
            health: Health::new(tuning),
            unsent: BTreeMap::new(),
            is_urgent: false,
            in_flight: None,
            tried_at: None,
            is_reached: false,
            remote: View::default(),
            version: 0,
            permits: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Begins with a stored snapshot, until the object has said more.
    pub fn warm(&mut self, view: View) {
        if !self.is_reached {
            self.remote = view;
        }
    }

    pub const fn tune(&mut self, tuning: Tuning) {
        self.health.tune(tuning);
    }

    /// An outcome of a request that was no probe.
    pub fn report(&mut self, key: &str, signal: Signal, now: Millis, seed: u64) {
        let changed = self.health.report(key, signal, now, seed);
        let mut told = Told::default();
        match signal {
            Signal::Ok { first_ms } => told.batch = Batch::good(first_ms),
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
    }

    /// Takes the permit for the one probe of an open cell. Every probe taken must end in `probed` or `released`.
    pub fn take_probe(&mut self, key: &str, now: Millis) -> bool {
        let probe_ms = self.health.tuning().probe_ms;
        if let Some(permit) = self.permits.get_mut(key)
            && !permit.taken
            && permit.expires > now
        {
            (permit.taken, permit.expires) = (true, now.plus(probe_ms));
            self.tell(key, &Told { probing: true, ..Told::default() });
            self.is_urgent = true;
            return true;
        }
        if self.is_reached || self.is_probing(key, now) || self.health.permit(key, self.isolate, now).is_none() {
            return false;
        }
        self.health.probing(key, self.isolate, now);
        true
    }

    /// A probe with the region's permit is on its way, which the loss of the object does not call back.
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
        let is_due = since >= tuning.sync_ms || (is_new && since >= tuning.gap_ms);
        if !is_due && !(self.is_urgent && (self.is_reached || since >= tuning.gap_ms)) {
            return None;
        }
        let wants = ended.keys().filter(|key| !self.permits.contains_key(*key)).cloned().collect();
        let cells = std::mem::take(&mut self.unsent);
        let report = Report { isolate: self.isolate, version: self.version, cells, wants, tuning: *tuning };
        (self.is_urgent, self.tried_at, self.asked) = (false, Some(now), ended);
        self.in_flight = Some(report.clone());
        Some(report)
    }

    /// Cells that are open past their deadline, here or there.
    fn ended(&self, now: Millis) -> BTreeMap<String, Millis> {
        let local = self.health.iter().filter_map(|(key, cell)| Some((key.clone(), cell.open_until()?)));
        let remote = self.remote.cells().filter_map(|(key, standing)| match standing {
            Standing::Open { until } => Some((key.to_owned(), until)),
            Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe | Standing::Cooling { .. } => {
                None
            }
        });
        let mut ended = BTreeMap::new();
        for (key, until) in local.chain(remote) {
            let latest = ended.entry(key).or_insert(until);
            *latest = until.max(*latest);
        }
        ended.retain(|_, until| *until <= now);
        ended
    }

    pub fn learned(&mut self, reply: Reply, now: Millis) {
        self.in_flight = None;
        self.is_reached = true;
        if let Some(view) = reply.view {
            (self.remote, self.version) = (view, reply.version);
        }
        for (key, expires) in reply.permits {
            self.permits.insert(key, Permit { expires, taken: false });
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
        for (key, standing) in std::mem::take(&mut self.remote).cells {
            match standing {
                Standing::Open { until } => {
                    self.health.cell(&key, now).open_until_at_least(until, now);
                }
                Standing::Cooling { until } => {
                    self.health.cell(&key, now).cool(until);
                }
                Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe => {}
            }
        }
        self.version = 0;
        self.permits.retain(|_, permit| permit.taken);
    }

    /// What routing sees: the worse of what the region and this isolate hold, and the permits it has.
    pub fn view(&self, now: Millis) -> View {
        let mut view = self.health.snapshot(now);
        for (key, standing) in self.remote.cells() {
            view.add(key, standing);
        }
        let permitted = |key: &str| self.permits.get(key).is_some_and(|permit| !permit.taken && permit.expires > now);
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
