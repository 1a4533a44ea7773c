//! The isolate's side: what may go on without asking, and what is told to the object.

use super::{Amounts, LEASE_MS, Lease, Message, Meter, Numbers, Refusal, Reply, Return, Subject, Verdict, What};
use crate::{config::Rules, ledger::entry::Opening, sorted::SortedMap, units::Millis};

/// Without a request for so long, a subject's leases are given back.
const IDLE_MS: u64 = 1_000;
/// A limit that was reached is not asked about again for so long.
const SHUT_MS: u64 = 1_000;
/// A subject is forgotten that nobody asked for in this time.
const FORGET_MS: u64 = 60_000;

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
    /// The object was told nothing of it since.
    is_news: bool,
    /// It has no requests left until then.
    shut: Option<(Millis, Refusal)>,
    shut_since: Millis,
    numbers: Numbers,
    numbers_at: Millis,
}

/// A tenant, as one isolate knows it.
#[derive(Debug, Default)]
pub struct Local {
    isolate: u64,
    subjects: SortedMap<String, Known>,
    asks: Vec<Opening>,
    returned: Vec<Return>,
}

impl Local {
    /// `isolate` is its id, drawn once by the shell: leases belong to it.
    pub fn new(isolate: u64) -> Self {
        Self { isolate, ..Self::default() }
    }

    /// Whether a request goes on; where it is to ask, it waits for its verdict. Its `holds` are set either way. `is_priced`:
    /// all that it may cost is in `reserved`.
    pub fn admit(&mut self, opening: &mut Opening, is_priced: bool, subjects: &[Subject<'_>], now: Millis) -> Admission {
        if let Some(refusal) = unpriced(subjects).filter(|_| !is_priced) {
            return Admission::Refused(refusal);
        }
        let need = Amounts::one(opening.tokens, opening.reserved);
        let mut leases = vec![];
        for subject in subjects {
            let own = need.under(subject.rules);
            let known = self.subjects.or_default(subject.id.clone());
            known.meet(subject.rules, now);
            if let Some(refusal) = known.shut_at(now) {
                return Admission::Refused(refusal);
            }
            known.note(own);
            leases.push(if own == Amounts::default() { Some(0) } else { known.find(own, now) });
        }
        let goes = leases.iter().all(Option::is_some);
        let lease = |lease: Option<u64>| lease.filter(|_| goes).unwrap_or(0);
        opening.holds = subjects.iter().zip(leases).map(|(subject, number)| (subject.id.clone(), lease(number))).collect();
        if !goes {
            self.asks.push(opening.clone());
            return Admission::Ask;
        }
        for (subject, lease) in subjects.iter().zip(&opening.holds) {
            let known = self.subjects.get_mut(&subject.id);
            known.into_iter().for_each(|known| known.spend(lease.1, need.under(subject.rules)));
        }
        Admission::Go
    }

    /// Nobody waits any more for what this request asked.
    pub fn give_up(&mut self, id: &str) {
        self.asks.retain(|ask| ask.id != id);
    }

    /// Nothing is known or held, and nobody waits.
    pub const fn is_idle(&self) -> bool {
        self.subjects.is_empty() && self.asks.is_empty() && self.returned.is_empty()
    }

    /// Somebody waits for a verdict.
    pub const fn is_urgent(&self) -> bool {
        !self.asks.is_empty()
    }

    /// What goes along with the next call to the object.
    pub fn message(&mut self, now: Millis) -> Option<Message> {
        let (asks, mut returned) = (std::mem::take(&mut self.asks), std::mem::take(&mut self.returned));
        let mut message = Message { isolate: self.isolate, sent: now, ..Message::default() };
        for (subject, known) in &mut self.subjects {
            // A lease that is too small for what asks now is of more use to it in the object's hands.
            let is_asked = asks.iter().any(|ask| ask.holds.iter().any(|(held, _)| held == subject));
            returned.extend(known.give_back(is_asked, now).map(|lease| {
                let Held { number, left, .. } = lease;
                Return { subject: subject.clone(), number, left }
            }));
            if std::mem::take(&mut known.is_news) {
                message.wants.extend(known.want(now).map(|want| (subject.clone(), want)));
                message.rules.insert(subject.clone(), known.rules.clone());
            }
        }
        (message.asks, message.returned) = (asks, returned);
        self.subjects.retain(|_, known| !known.leases.is_empty() || now.since(known.last) < FORGET_MS);
        (!message.is_empty()).then_some(message)
    }

    /// It did not arrive, or nobody knows: it is told again. `is_waiting`: somebody still waits for what a request asked.
    pub fn undelivered(&mut self, message: Message, is_waiting: impl Fn(&str) -> bool) {
        for subject in message.rules.keys() {
            self.subjects.get_mut(subject).into_iter().for_each(|known| known.is_news = true);
        }
        let later = std::mem::replace(&mut self.asks, message.asks);
        self.asks.retain(|ask| is_waiting(&ask.id));
        self.asks.extend(later);
        self.returned.extend(message.returned);
    }

    /// Takes a reply in, and hands out what it says of requests that asked.
    pub fn learned(&mut self, reply: Reply, now: Millis) -> Vec<(String, Verdict)> {
        for Lease { subject, number, left, for_ms } in reply.leases {
            let until = reply.sent.plus(for_ms.min(LEASE_MS));
            self.subjects.or_default(subject).leases.push(Held { number, left, until });
        }
        for (subject, numbers) in reply.numbers {
            if let Some(known) = self.subjects.get_mut(&subject) {
                (known.numbers, known.numbers_at) = (numbers, now);
            }
        }
        for (_, verdict) in &reply.verdicts {
            if let Verdict::Refused(refusal) = verdict
                && refusal.what == What::Requests
                && let Some(known) = self.subjects.get_mut(&refusal.subject)
            {
                let until = now.plus(refusal.wait_ms.unwrap_or(0));
                known.shut = Some((until, refusal.clone()));
                known.shut_since = now;
            }
        }
        reply.verdicts
    }

    /// How subjects stand, for [`super::headers`]: those that the object has told of.
    pub fn standing(&self, subjects: &[Subject<'_>], now: Millis) -> Vec<(String, Numbers)> {
        let standing = |subject: &Subject<'_>| Some((subject.id.clone(), self.numbers(&subject.id, now)?));
        subjects.iter().filter_map(standing).collect()
    }

    fn numbers(&self, subject: &str, now: Millis) -> Option<Numbers> {
        let known = self.subjects.get(subject)?;
        let mut numbers = known.numbers;
        for meter in [&mut numbers.requests, &mut numbers.tokens].into_iter().flatten() {
            meter.reset_ms = meter.reset_ms.saturating_sub(now.since(known.numbers_at));
        }
        Some(numbers)
    }
}

impl Known {
    fn meet(&mut self, rules: &Rules, now: Millis) {
        if self.rules != *rules {
            self.rules = rules.clone();
            self.shut = None;
        }
        let age = now.since(self.since);
        if age >= LEASE_MS {
            let [this, _] = self.needed;
            self.needed = [Amounts::default(), if age < 2 * LEASE_MS { this } else { Amounts::default() }];
            self.since = now;
        }
        self.last = now;
        self.is_news = true;
    }

    fn shut_at(&self, now: Millis) -> Option<Refusal> {
        let (until, refusal) = self.shut.as_ref()?;
        let wait_ms = Some(until.since(now)).filter(|ms| *ms > 0)?;
        (now.since(self.shut_since) < SHUT_MS).then(|| Refusal { wait_ms: Some(wait_ms), ..refusal.clone() })
    }

    fn note(&mut self, need: Amounts) {
        let [this, _] = &mut self.needed;
        *this = this.plus(need);
    }

    /// A lease that has enough.
    fn find(&self, need: Amounts, now: Millis) -> Option<u64> {
        self.leases.iter().find(|lease| now < lease.until && lease.left.covers(need)).map(|lease| lease.number)
    }

    /// The object has not counted it yet.
    fn spend(&mut self, number: u64, need: Amounts) {
        let lease = self.leases.iter_mut().find(|lease| lease.number == number);
        lease.into_iter().for_each(|lease| lease.left = lease.left.minus(need));
        let take = |meter: &mut Option<Meter>, need: u64| {
            meter.iter_mut().for_each(|meter| meter.left = meter.left.saturating_sub(need));
        };
        take(&mut self.numbers.requests, need.requests);
        take(&mut self.numbers.tokens, need.tokens);
    }

    /// Leases that are over or used up; all of a subject that no request came for of late, or that one asks for.
    fn give_back(&mut self, is_asked: bool, now: Millis) -> impl Iterator<Item = Held> + use<> {
        let is_all = is_asked || now.since(self.last) >= IDLE_MS;
        let over = |lease: &Held| is_all || now >= lease.until || lease.left.requests == 0 && lease.left.slots == 0;
        let (over, kept) = std::mem::take(&mut self.leases).into_iter().partition(over);
        self.leases = kept;
        let over: Vec<Held> = over;
        over.into_iter()
    }

    /// Twice what was needed of late, less what is there.
    fn want(&self, now: Millis) -> Option<Amounts> {
        let [this, before] = self.needed;
        let recent = this.plus(before);
        let there = self.leases.iter().filter(|lease| now < lease.until);
        let there = there.fold(Amounts::default(), |sum, lease| sum.plus(lease.left));
        let want = recent.plus(recent).minus(there);
        (!there.covers(recent) && want != Amounts::default()).then_some(want)
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
