//! The isolate's side: what may go on without asking, and what is told to the object.

use super::{ALIVE_MS, Amounts, Entry, Hold, LEASE_MS, Lease, Message, Numbers, Refusal, Reply, Subject, Verdict, What};
use crate::{
    config::Rules,
    ledger::entry::{Closing, Opening},
    sorted::SortedMap,
    units::Millis,
};

/// A message without a reply for so long is lost: its request may have been cancelled under it.
const LOST_MS: u64 = 5_000;
/// Without a request for so long, an isolate gives its leases back.
const IDLE_MS: u64 = 1_000;

/// Whether a request goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// When the reply to the next message says so.
    Ask,
    Refused(Refusal),
}

/// A lease, by the isolate's clock.
#[derive(Clone, Debug)]
struct Held {
    number: u64,
    left: Amounts,
    until: Millis,
}

/// What is known of a subject.
#[derive(Clone, Debug, Default)]
struct Known {
    rules: Rules,
    leases: Vec<Held>,
    /// What was needed in this stretch of time, and in the one before.
    needed: [Amounts; 2],
    since: Millis,
    last: Millis,
    numbers: Numbers,
    numbers_at: Millis,
}

/// A tenant, as one isolate knows it.
#[derive(Debug, Default)]
pub struct Local {
    isolate: u64,
    subjects: SortedMap<String, Known>,
    /// Under way; once the object knows of them, they are told of.
    under_way: Vec<String>,
    told: Millis,
    asks: Vec<Entry>,
    opened: Vec<Entry>,
    closed: Vec<Closing>,
    returned: Vec<(String, u64)>,
    in_flight: Option<Message>,
}

impl Local {
    /// `isolate` is its id, drawn once by the shell: leases belong to it.
    pub fn new(isolate: u64) -> Self {
        Self { isolate, ..Self::default() }
    }

    /// Whether a request goes on. Its opening is told with the next message in any case; where it is to ask, it waits for
    /// its verdict. `is_priced`: all it may cost is in `reserved`.
    pub fn admit(&mut self, opening: Opening, is_priced: bool, subjects: &[Subject<'_>], now: Millis) -> Admission {
        if let Some(refusal) = unpriced(subjects).filter(|_| !is_priced) {
            return Admission::Refused(refusal);
        }
        let need = Amounts::one(opening.tokens, opening.reserved);
        let mut holds = vec![];
        for subject in subjects {
            let own = need.under(subject.rules);
            let known = self.subjects.or_default(subject.id.clone());
            known.meet(subject.rules, own, now);
            let lease = known.leases.iter().find(|lease| now < lease.until && lease.left.covers(own));
            let lease = if own == Amounts::default() { Some(0) } else { lease.map(|lease| lease.number) };
            holds.push((subject.id.clone(), lease, own));
        }
        let goes = holds.iter().all(|(_, lease, _)| lease.is_some());
        if goes {
            for (subject, lease, own) in &holds {
                let held = self.subjects.get_mut(subject).and_then(|known| {
                    known.spend(*own);
                    known.leases.iter_mut().find(|held| Some(held.number) == *lease)
                });
                held.into_iter().for_each(|held| held.left = held.left.minus(*own));
            }
        }
        let lease = |lease: Option<u64>| lease.filter(|_| goes).unwrap_or(0);
        let holds = holds.into_iter().map(|(subject, number, _)| Hold { subject, lease: lease(number) }).collect();
        let entry = Entry { opening, holds };
        if !goes {
            self.asks.push(entry);
            return Admission::Ask;
        }
        self.under_way.push(entry.opening.id.clone());
        self.opened.push(entry);
        Admission::Go
    }

    /// A request is over, however it ended; also one that asked and was given up.
    pub fn close(&mut self, closing: Closing) {
        self.under_way.retain(|id| *id != closing.id);
        let waiting = self.asks.iter().position(|entry| entry.opening.id == closing.id);
        match waiting {
            // Nobody has heard of it.
            Some(place) => drop(self.asks.remove(place)),
            None => self.closed.push(closing),
        }
    }

    /// Somebody waits for a verdict.
    pub fn is_urgent(&self) -> bool {
        !self.asks.is_empty()
    }

    /// What to send now: everything there is to tell, one message at a time.
    pub fn message(&mut self, now: Millis) -> Option<Message> {
        if self.in_flight.as_ref().is_some_and(|message| now.since(message.sent) < LOST_MS) {
            return None;
        }
        self.undelivered();
        let alive = if now.since(self.told) >= ALIVE_MS { self.under_way.clone() } else { vec![] };
        let is_quiet = self.asks.is_empty() && self.opened.is_empty() && self.closed.is_empty();
        self.give_back(now);
        if is_quiet && alive.is_empty() && self.returned.is_empty() {
            return None;
        }
        if !alive.is_empty() {
            self.told = now;
        }
        let mut message = Message {
            isolate: self.isolate,
            sent: now,
            asks: std::mem::take(&mut self.asks),
            opened: std::mem::take(&mut self.opened),
            closed: std::mem::take(&mut self.closed),
            returned: std::mem::take(&mut self.returned),
            alive,
            ..Message::default()
        };
        for hold in message.asks.iter().chain(&message.opened).flat_map(|entry| &entry.holds) {
            if let Some(known) = self.subjects.get(&hold.subject)
                && !message.rules.contains_key(&hold.subject)
            {
                message.rules.insert(hold.subject.clone(), known.rules.clone());
                message.wants.extend(known.want(now).map(|want| (hold.subject.clone(), want)));
            }
        }
        self.in_flight = Some(message.clone());
        Some(message)
    }

    /// Leases that are over, and those of subjects nobody asks for now.
    fn give_back(&mut self, now: Millis) {
        let busy = !self.under_way.is_empty() || !self.asks.is_empty();
        for (subject, known) in &mut self.subjects {
            let is_idle = !busy && now.since(known.last) >= IDLE_MS;
            let is_over = |lease: &Held| is_idle || now >= lease.until || lease.left.requests == 0 && lease.left.slots == 0;
            let over = known.leases.iter().filter(|lease| is_over(lease)).map(|lease| (subject.clone(), lease.number));
            self.returned.extend(over);
            known.leases.retain(|lease| !is_over(lease));
        }
        self.subjects.retain(|_, known| !known.leases.is_empty() || now.since(known.last) < LEASE_MS + LEASE_MS);
    }

    /// The message in flight did not arrive: it is told again with the next one. What asked is still waiting, unless it was
    /// closed meanwhile.
    pub fn undelivered(&mut self) {
        let Some(lost) = self.in_flight.take() else { return };
        self.told = if lost.alive.is_empty() { self.told } else { Millis(0) };
        let put_first = |mine: &mut Vec<Entry>, lost: Vec<Entry>| {
            let later = std::mem::replace(mine, lost);
            mine.extend(later);
        };
        let is_wanted = |entry: &Entry| !self.closed.iter().any(|closing| closing.id == entry.opening.id);
        let asks = lost.asks.into_iter().filter(is_wanted).collect();
        put_first(&mut self.asks, asks);
        put_first(&mut self.opened, lost.opened);
        let later = std::mem::replace(&mut self.closed, lost.closed);
        self.closed.extend(later);
        self.returned.extend(lost.returned);
    }

    /// Takes a reply in, and hands out what it says of requests that asked.
    pub fn learned(&mut self, reply: Reply, now: Millis) -> Vec<(String, Verdict)> {
        if self.in_flight.as_ref().is_none_or(|message| message.sent != reply.sent) {
            // Of a message that was taken for lost: it was told again, and is answered again.
            return vec![];
        }
        self.in_flight = None;
        for Lease { subject, number, left, for_ms } in reply.leases {
            let until = reply.sent.plus(for_ms.min(LEASE_MS));
            self.subjects.or_default(subject).leases.push(Held { number, left, until });
        }
        for (subject, numbers) in reply.numbers {
            if let Some(known) = self.subjects.get_mut(&subject) {
                (known.numbers, known.numbers_at) = (numbers, now);
            }
        }
        for (id, verdict) in &reply.verdicts {
            if *verdict == Verdict::Go && !self.closed.iter().any(|closing| closing.id == *id) {
                self.under_way.push(id.clone());
            }
        }
        reply.verdicts
    }

    /// How a subject stands, for headers.
    pub fn numbers(&self, subject: &str, now: Millis) -> Option<Numbers> {
        let known = self.subjects.get(subject)?;
        let mut numbers = known.numbers;
        for meter in [&mut numbers.requests, &mut numbers.tokens].into_iter().flatten() {
            meter.reset_ms = meter.reset_ms.saturating_sub(now.since(known.numbers_at));
        }
        Some(numbers)
    }
}

impl Known {
    fn meet(&mut self, rules: &Rules, need: Amounts, now: Millis) {
        if self.rules != *rules {
            self.rules = rules.clone();
        }
        self.turn(now);
        let [this, _] = &mut self.needed;
        *this = this.plus(need);
        self.last = now;
    }

    fn turn(&mut self, now: Millis) {
        let age = now.since(self.since);
        if age >= LEASE_MS {
            let [this, _] = self.needed;
            self.needed = [Amounts::default(), if age < 2 * LEASE_MS { this } else { Amounts::default() }];
            self.since = now;
        }
    }

    /// Taken from a lease: the object has not counted it yet.
    fn spend(&mut self, need: Amounts) {
        let take = |meter: &mut Option<super::Meter>, need: u64| {
            meter.iter_mut().for_each(|meter| meter.left = meter.left.saturating_sub(need));
        };
        take(&mut self.numbers.requests, need.requests);
        take(&mut self.numbers.tokens, need.tokens);
    }

    /// Twice what was needed of late, less what is there.
    fn want(&self, now: Millis) -> Option<Amounts> {
        let [this, before] = self.needed;
        let recent = this.plus(before);
        let there = self.leases.iter().filter(|lease| now < lease.until);
        let there = there.fold(Amounts::default(), |sum, lease| sum.plus(lease.left));
        let want = recent.plus(recent).minus(there);
        let has_enough = there.covers(recent) && recent != Amounts::default();
        (!has_enough && want != Amounts::default()).then_some(want)
    }
}

/// A budget that models without a price slip through would be none.
fn unpriced(subjects: &[Subject<'_>]) -> Option<Refusal> {
    subjects.iter().find_map(|subject| {
        let budget = subject.rules.budgets.iter().find(|budget| !budget.soft && !budget.unpriced)?;
        let (subject, limit) = (subject.id.clone(), budget.limit.0);
        Some(Refusal { subject, what: What::Unpriced, limit, need: 0, wait_ms: None })
    })
}
