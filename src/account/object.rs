//! The object of a tenant: what isolates say, taken in and answered.

use super::{
    Amounts, Entry, Message, ORPHAN_MS, Reply, SILENT_MS, Verdict, packing,
    sheet::{Alert, Sheet},
};
use crate::{
    ledger::entry::{Close, Closing},
    sorted::SortedMap,
    units::{Millis, Money},
};

/// How often what is silent is looked for.
const LOOK_MS: u64 = 1_000;

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    entry: Entry,
    /// When it was counted.
    at: Millis,
    heard: Millis,
    /// It holds its place.
    placed: bool,
}

/// All of a tenant's subjects.
#[derive(Clone, Debug, Default)]
pub struct Account {
    sheets: SortedMap<String, Sheet>,
    open: SortedMap<String, Open>,
    looked: Millis,
}

/// What came of a message. All of it is stored together before the reply goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub reply: Reply,
    /// Requests that are under way now.
    pub opened: Vec<Entry>,
    /// Those that are over; each once.
    pub closed: Vec<Closing>,
    /// Subjects, and what is to be stored of each in place of what was.
    pub states: Vec<(String, String)>,
    pub alerts: Vec<Alert>,
}

/// What the sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Of requests that nobody told of any more.
    pub closed: Vec<Closing>,
    pub states: Vec<(String, String)>,
    pub alerts: Vec<Alert>,
    /// When to look again; nothing is under way otherwise.
    pub next: Option<Millis>,
}

fn need(entry: &Entry) -> Amounts {
    Amounts::one(entry.opening.tokens, entry.opening.reserved)
}

impl Account {
    /// A request that the ledger has as open, when the object begins another life. All of them before anything is heard.
    pub fn restore(&mut self, entry: Entry, at: Millis, heard: Millis) {
        self.open.insert(entry.opening.id.clone(), Open { entry, at, heard, placed: true });
    }

    /// Subjects whose state is needed and not here: of requests under way, and of a message.
    pub fn unknown(&self, message: Option<&Message>) -> Vec<String> {
        let told = message.into_iter().flat_map(|message| message.asks.iter().chain(&message.opened));
        let held = self.open.values().map(|open| &open.entry).chain(told).flat_map(|entry| &entry.holds);
        let wanted = message.into_iter().flat_map(|message| {
            let wants = message.wants.iter().map(|(subject, _)| subject);
            wants.chain(message.returned.iter().map(|(subject, _)| subject))
        });
        let mut unknown: Vec<String> = vec![];
        for subject in held.map(|hold| &hold.subject).chain(wanted) {
            if !self.sheets.contains_key(subject) && !unknown.contains(subject) {
                unknown.push(subject.clone());
            }
        }
        unknown
    }

    /// What is stored of a subject, if anything is.
    pub fn know(&mut self, subject: &str, state: Option<&str>) {
        let mut sheet = state.and_then(packing::read_sheet).unwrap_or_default();
        for open in self.open.values().filter(|open| open.entry.holds.iter().any(|hold| hold.subject == subject)) {
            sheet.restore(need(&open.entry));
            if !open.placed {
                sheet.place(false);
            }
        }
        self.sheets.insert(subject.to_owned(), sheet);
    }

    /// Takes a message in. Its subjects must be known.
    pub fn hear(&mut self, message: Message, now: Millis) -> Heard {
        let mut heard = Heard { reply: Reply { sent: message.sent, ..Reply::default() }, ..Heard::default() };
        let mut touched: Vec<String> = vec![];
        self.look(now, &mut touched);
        for (subject, rules) in message.rules {
            let sheet = self.sheets.or_default(subject.clone());
            sheet.rules = rules;
            sheet.forget(now);
            sheet.meet(message.isolate, now);
            touch(&mut touched, &subject);
        }
        for entry in message.opened {
            if !self.open.contains_key(&entry.opening.id) {
                for hold in &entry.holds {
                    let sheet = self.sheets.or_default(hold.subject.clone());
                    sheet.open_leased((message.isolate, hold.lease), need(&entry), now);
                    touch(&mut touched, &hold.subject);
                }
                self.begin(&entry, now);
                heard.opened.push(entry);
            }
        }
        for closing in message.closed {
            if self.end(&closing, now, &mut touched, &mut heard.alerts) {
                heard.closed.push(closing);
            }
        }
        for id in &message.alive {
            self.renew(id, now);
        }
        for (subject, number) in &message.returned {
            if let Some(sheet) = self.sheets.get_mut(subject) {
                sheet.take_back(message.isolate, *number);
                touch(&mut touched, subject);
            }
        }
        for entry in message.asks {
            let (id, verdict) = (entry.opening.id.clone(), self.decide(&entry, now));
            if verdict == Verdict::Go && !self.open.contains_key(&id) {
                for hold in &entry.holds {
                    self.sheets.or_default(hold.subject.clone()).open(need(&entry), now);
                    touch(&mut touched, &hold.subject);
                }
                self.begin(&entry, now);
                heard.opened.push(entry);
            }
            heard.reply.verdicts.push((id, verdict));
        }
        for (subject, want) in message.wants {
            let sheet = self.sheets.or_default(subject.clone());
            heard.reply.leases.extend(sheet.lease(&subject, message.isolate, want, now));
        }
        for subject in touched {
            let Some(sheet) = self.sheets.get(&subject) else { continue };
            heard.reply.numbers.push((subject.clone(), sheet.numbers(message.isolate, now)));
            heard.states.push((subject, packing::sheet(sheet)));
        }
        heard
    }

    /// All of its subjects must have room.
    fn decide(&self, entry: &Entry, now: Millis) -> Verdict {
        if self.open.contains_key(&entry.opening.id) {
            return Verdict::Go;
        }
        let refused = |subject: &str| {
            let sheet = self.sheets.get(subject)?;
            sheet.refuse(subject, need(entry), now)
        };
        let refusal = entry.holds.iter().find_map(|hold| refused(&hold.subject));
        refusal.map_or(Verdict::Go, Verdict::Refused)
    }

    fn begin(&mut self, entry: &Entry, now: Millis) {
        let open = Open { entry: entry.clone(), at: now, heard: now, placed: true };
        self.open.insert(entry.opening.id.clone(), open);
    }

    /// Whether it was open.
    fn end(&mut self, closing: &Closing, now: Millis, touched: &mut Vec<String>, alerts: &mut Vec<Alert>) -> bool {
        let Some(open) = self.open.remove(&closing.id) else { return false };
        let need = need(&open.entry);
        let held = if open.placed { need } else { Amounts { slots: 0, ..need } };
        let tokens = [closing.input, closing.cache_read, closing.cache_write, closing.output];
        let taken = tokens.into_iter().fold(0, u64::saturating_add);
        for hold in &open.entry.holds {
            let Some(sheet) = self.sheets.get_mut(&hold.subject) else { continue };
            sheet.close(held, (open.at, [need.tokens, taken]), closing.cost, now);
            alerts.extend(sheet.alerts(&hold.subject, now));
            touch(touched, &hold.subject);
        }
        true
    }

    fn renew(&mut self, id: &str, now: Millis) {
        let Some(open) = self.open.get_mut(id) else { return };
        open.heard = now;
        if !std::mem::replace(&mut open.placed, true) {
            for hold in &open.entry.holds {
                self.sheets.get_mut(&hold.subject).into_iter().for_each(|sheet| sheet.place(true));
            }
        }
    }

    /// Places of requests that nobody told of for long are free, and leases that ended long ago are forgotten.
    fn look(&mut self, now: Millis, touched: &mut Vec<String>) {
        if now.since(self.looked) < LOOK_MS {
            return;
        }
        self.looked = now;
        for open in self.open.values_mut().filter(|open| open.placed && now.since(open.heard) >= SILENT_MS) {
            open.placed = false;
            for hold in &open.entry.holds {
                self.sheets.get_mut(&hold.subject).into_iter().for_each(|sheet| sheet.place(false));
                touch(touched, &hold.subject);
            }
        }
    }

    /// Closes what nobody told of for long. It is owed at least what its prompt costs.
    pub fn sweep(&mut self, now: Millis) -> Swept {
        let mut swept = Swept::default();
        let mut touched = vec![];
        self.look(now, &mut touched);
        let orphans = self.open.values().filter(|open| now.since(open.heard) >= ORPHAN_MS);
        let orphans: Vec<Closing> = orphans.map(|open| orphan(&open.entry, now)).collect();
        for closing in orphans {
            self.end(&closing, now, &mut touched, &mut swept.alerts);
            swept.closed.push(closing);
        }
        for subject in touched {
            swept.states.extend(self.sheets.get(&subject).map(|sheet| (subject.clone(), packing::sheet(sheet))));
        }
        self.sheets.iter_mut().for_each(|(_, sheet)| sheet.forget(now));
        self.sheets.retain(|_, sheet| !sheet.is_idle());
        swept.next = self.open.values().map(|open| open.heard.plus(ORPHAN_MS)).min();
        swept
    }
}

fn orphan(entry: &Entry, now: Millis) -> Closing {
    Closing {
        id: entry.opening.id.clone(),
        at: now,
        close: Close::Sweep,
        outcome: "lost".to_owned(),
        cost: entry.opening.prompt.max(Money(0)),
        estimated: true,
        ..Closing::default()
    }
}

fn touch(touched: &mut Vec<String>, subject: &str) {
    if !touched.iter().any(|known| known == subject) {
        touched.push(subject.to_owned());
    }
}
