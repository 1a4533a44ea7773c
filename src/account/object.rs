//! The object of a tenant: what isolates say, taken in and answered.

use super::{
    Amounts, Message, Reply, SILENT_MS, Verdict, packing,
    sheet::{Alert, Sheet},
};
use crate::{
    ledger::entry::{Closing, Opening},
    sorted::SortedMap,
    units::Millis,
};

/// How often what is silent is looked for.
const LOOK_MS: u64 = 1_000;

/// A request under way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Open {
    opening: Opening,
    /// When it was counted.
    at: Millis,
    heard: Millis,
    /// It holds its place.
    placed: bool,
}

/// All of a tenant's subjects, and its requests under way.
#[derive(Clone, Debug, Default)]
pub struct Account {
    sheets: SortedMap<String, Sheet>,
    open: SortedMap<String, Open>,
    looked: Millis,
}

/// What the object was told, as far as it is news: the ledger leaves out what comes a second time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    pub message: Option<&'a Message>,
    pub opened: &'a [Opening],
    /// Each request once, with its beginning.
    pub closed: &'a [(&'a Opening, &'a Closing)],
    /// Ends that were guessed, of requests that are in `closed` now.
    pub withdrawn: &'a [(&'a Opening, &'a Closing)],
    /// Requests still under way.
    pub alive: &'a [String],
}

/// What came of it. All of it is stored together before the reply goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub reply: Reply,
    /// Requests that asked and are under way now.
    pub opened: Vec<Opening>,
    /// Subjects, and what is to be stored of each in place of what was.
    pub states: Vec<(String, String)>,
    pub alerts: Vec<Alert>,
}

/// Which sheets are to be stored.
type Touched = Vec<String>;

fn need(opening: &Opening) -> Amounts {
    Amounts::one(opening.tokens, opening.reserved)
}

impl Account {
    /// A request that the ledger has as open, when the object begins another life. All of them before anything is heard.
    pub fn restore(&mut self, opening: Opening, heard: Millis) {
        self.open.insert(opening.id.clone(), Open { opening, at: heard, heard, placed: true });
    }

    /// Subjects whose state is needed and not here.
    pub fn unknown(&self, told: Told<'_>) -> Vec<String> {
        let message = told.message;
        let asks = message.into_iter().flat_map(|message| &message.asks);
        let closed = told.closed.iter().chain(told.withdrawn).map(|(opening, _)| *opening);
        let held = self.open.values().map(|open| &open.opening).chain(asks).chain(told.opened).chain(closed);
        let named = message.into_iter().flat_map(|message| {
            let wants = message.wants.iter().map(|(subject, _)| subject);
            wants.chain(message.returned.iter().map(|lease| &lease.subject)).chain(message.rules.keys())
        });
        let mut unknown: Vec<String> = vec![];
        for subject in held.flat_map(|opening| &opening.holds).map(|(subject, _)| subject).chain(named) {
            if !self.sheets.contains_key(subject) && !unknown.contains(subject) {
                unknown.push(subject.clone());
            }
        }
        unknown
    }

    /// What is stored of a subject, if anything is.
    pub fn know(&mut self, subject: &str, state: Option<&str>) {
        let mut sheet = state.and_then(packing::read_sheet).unwrap_or_default();
        let is_held = |open: &&Open| open.opening.holds.iter().any(|(held, _)| held == subject);
        for open in self.open.values().filter(is_held) {
            sheet.hold(held(open));
        }
        self.sheets.insert(subject.to_owned(), sheet);
    }

    /// Takes in what was told. Its subjects must be known.
    pub fn hear(&mut self, told: Told<'_>, now: Millis) -> Heard {
        let (mut heard, mut touched) = (Heard::default(), vec![]);
        self.look(now, &mut touched);
        if let Some(message) = told.message {
            for (subject, rules) in &message.rules {
                let sheet = self.sheet(subject, &mut touched);
                sheet.rules = rules.clone();
                sheet.forget(now);
                sheet.meet(message.isolate, now);
            }
        }
        for opening in told.opened {
            self.begin(opening, now, &mut touched);
        }
        for (opening, guess) in told.withdrawn {
            for (subject, _) in &opening.holds {
                self.sheet(subject, &mut touched).withdraw(guess.cost, guess.at, now);
            }
        }
        for (opening, closing) in told.closed {
            let is_corrected = told.withdrawn.iter().any(|(withdrawn, _)| withdrawn.id == opening.id);
            self.end((opening, closing), is_corrected, now, &mut touched);
            for (subject, _) in &opening.holds {
                heard.alerts.extend(self.sheet(subject, &mut touched).alerts(subject, now));
            }
        }
        told.alive.iter().for_each(|id| self.renew(id, now));
        if let Some(message) = told.message {
            self.answer(message, &mut heard, now, &mut touched);
        }
        let stored = |subject: String| self.sheets.get(&subject).map(|sheet| (subject, packing::sheet(sheet)));
        heard.states = touched.into_iter().filter_map(stored).collect();
        heard
    }

    fn answer(&mut self, message: &Message, heard: &mut Heard, now: Millis, touched: &mut Touched) {
        heard.reply.sent = message.sent;
        for lease in &message.returned {
            self.sheet(&lease.subject, touched).take_back(message.isolate, lease.number, lease.left);
        }
        for ask in &message.asks {
            let verdict = self.decide(ask, now);
            if verdict == Verdict::Go && !self.open.contains_key(&ask.id) {
                self.begin(ask, now, touched);
                heard.opened.push(ask.clone());
            }
            heard.reply.verdicts.push((ask.id.clone(), verdict));
        }
        for (subject, want) in &message.wants {
            let lease = self.sheet(subject, touched).lease(subject, message.isolate, *want, now);
            heard.reply.leases.extend(lease);
        }
        for subject in message.rules.keys() {
            let numbers = self.sheet(subject, touched).numbers(message.isolate, now);
            heard.reply.numbers.push((subject.clone(), numbers));
        }
    }

    fn sheet(&mut self, subject: &str, touched: &mut Touched) -> &mut Sheet {
        if !touched.iter().any(|known| known == subject) {
            touched.push(subject.to_owned());
        }
        self.sheets.or_default(subject.to_owned())
    }

    /// All of its subjects must have room. One that is under way already asks again, for it missed the reply.
    fn decide(&self, ask: &Opening, now: Millis) -> Verdict {
        if self.open.contains_key(&ask.id) {
            return Verdict::Go;
        }
        let refused = |subject: &String| self.sheets.get(subject)?.refuse(subject, need(ask), now);
        let refusal = ask.holds.iter().find_map(|(subject, _)| refused(subject));
        refusal.map_or(Verdict::Go, Verdict::Refused)
    }

    fn begin(&mut self, opening: &Opening, now: Millis, touched: &mut Touched) {
        if opening.holds.is_empty() || self.open.contains_key(&opening.id) {
            return;
        }
        for (subject, lease) in &opening.holds {
            self.sheet(subject, touched).open(*lease, need(opening), now);
        }
        self.open.insert(opening.id.clone(), Open { opening: opening.clone(), at: now, heard: now, placed: true });
    }

    /// One that nobody told the beginning of begins and ends at once.
    fn end(&mut self, (opening, closing): (&Opening, &Closing), is_corrected: bool, now: Millis, touched: &mut Touched) {
        if !is_corrected {
            self.begin(opening, now, touched);
        }
        let open = self.open.remove(&opening.id);
        let tokens = [closing.input, closing.cache_read, closing.cache_write, closing.output];
        let taken = tokens.into_iter().fold(0, u64::saturating_add);
        for (subject, _) in &opening.holds {
            let sheet = self.sheet(subject, touched);
            if let Some(open) = &open {
                sheet.release(held(open));
                sheet.correct(open.at, open.opening.tokens, taken, now);
            }
            sheet.spend(closing.cost, now);
        }
    }

    fn renew(&mut self, id: &str, now: Millis) {
        let Some(open) = self.open.get_mut(id) else { return };
        open.heard = now;
        if !std::mem::replace(&mut open.placed, true) {
            for (subject, _) in &open.opening.holds {
                self.sheets.get_mut(subject).into_iter().for_each(|sheet| sheet.place(true));
            }
        }
    }

    /// Places of requests that nobody told of for long are free.
    fn look(&mut self, now: Millis, touched: &mut Touched) {
        if now.since(self.looked) < LOOK_MS {
            return;
        }
        self.looked = now;
        for open in self.open.values_mut().filter(|open| open.placed && now.since(open.heard) >= SILENT_MS) {
            open.placed = false;
            for (subject, _) in &open.opening.holds {
                self.sheets.get_mut(subject).into_iter().for_each(|sheet| sheet.place(false));
            }
        }
        self.sheets.retain(|subject, sheet| {
            sheet.forget(now);
            !sheet.is_idle() || touched.contains(subject)
        });
    }
}

/// What a request keeps from others while it is under way.
fn held(open: &Open) -> Amounts {
    Amounts { requests: 0, tokens: 0, slots: u64::from(open.placed), money: open.opening.reserved }
}
