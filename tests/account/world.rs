//! Many isolates and one object in virtual time. Messages are late, lost there or lost back; isolates and the object die.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    fmt::Debug,
};

use portolan::{
    account::{Account, Admission, Local, Message, Reply, Subject, Told, Verdict},
    config::Rules,
    ledger::entry::{Close, Closing, Opening},
    units::{Millis, Money},
};

use serde::{Serialize, de::DeserializeOwned};

/// As the ledger has it: openings gather, ends go with the records, lost calls are noticed, beats are sent, orphans swept.
const GATHER_MS: u64 = 100;
const RECORDS_MS: u64 = 1_000;
const CALL_MS: u64 = 5_000;
const BEAT_MS: u64 = 10_000;
const SWEEP_MS: u64 = 60_000;

pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// How the world is.
#[derive(Clone)]
pub struct Nature {
    pub seed: u64,
    pub isolates: usize,
    pub seconds: u64,
    /// Requests a second, to all isolates together.
    pub rate: u64,
    pub latency_ms: u64,
    /// Percent of calls that are lost on the way there, and on the way back.
    pub lost: u64,
    /// Percent of calls after which the object's memory is gone.
    pub forgets: u64,
    /// Isolates that die and are replaced, a minute.
    pub deaths: u64,
    pub life_ms: u64,
    /// The most a request is counted with, and what it then takes in percent of that, at most.
    pub tokens: u64,
    pub takes: u64,
    pub money: u64,
}

impl Default for Nature {
    fn default() -> Self {
        Self {
            seed: 1,
            isolates: 8,
            seconds: 100,
            rate: 20,
            latency_ms: 60,
            lost: 0,
            forgets: 0,
            deaths: 0,
            life_ms: 2_000,
            tokens: 1_000,
            takes: 100,
            money: 1_000,
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives,
    Flush(u64),
    Heard(usize),
    Back(usize),
    Lost(usize),
    Ends(String),
    Beat(u64),
    Dies,
    Sweep,
}

struct Isolate {
    local: Local,
    /// Its clock is so far ahead.
    skew: u64,
    opened: Vec<Opening>,
    closed: Vec<(Opening, Closing)>,
    alive: Vec<String>,
    flush_at: Option<u64>,
}

struct Call {
    isolate: u64,
    message: Option<Message>,
    opened: Vec<Opening>,
    closed: Vec<(Opening, Closing)>,
    alive: Vec<String>,
    reply: Option<Reply>,
}

/// As text, now and then: it is the same every time.
fn carried<T: Serialize + DeserializeOwned + Clone + PartialEq + Debug>(value: &T, now: u64) -> T {
    if !now.is_multiple_of(16) {
        return value.clone();
    }
    let read = serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap();
    assert_eq!(*value, read);
    read
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Life {
    pub opening: Opening,
    pub isolate: u64,
    /// When it was decided that it goes on: by the object if it asked, by the isolate if not.
    pub went: Option<u64>,
    pub asked: bool,
    pub ended: Option<u64>,
    /// When the object knew how it ended.
    pub settled: Option<u64>,
    pub heard: bool,
    pub took: u64,
    pub cost: u64,
    pub waits: bool,
}

#[derive(Default)]
struct Store {
    states: HashMap<String, String>,
    open: BTreeMap<String, (Opening, u64)>,
    closed: HashMap<String, Closing>,
}

pub struct World {
    nature: Nature,
    rules: BTreeMap<String, Rules>,
    dice: Dice,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
    isolates: BTreeMap<u64, Isolate>,
    born: u64,
    calls: Vec<Call>,
    store: Store,
    account: Option<Account>,
    pub lives: BTreeMap<String, Life>,
    pub refused: u64,
    pub called: u64,
    pub alerts: Vec<(String, u64)>,
}

/// The world begins at no special time of its minute.
pub const START: u64 = 1_795_453_404_321;

impl World {
    pub fn new(nature: Nature, rules: &[(&str, Rules)]) -> Self {
        let mut world = Self {
            dice: Dice(nature.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            rules: rules.iter().map(|(subject, rules)| ((*subject).to_owned(), rules.clone())).collect(),
            now: START,
            events: BinaryHeap::new(),
            count: 0,
            isolates: BTreeMap::new(),
            born: 0,
            calls: vec![],
            store: Store::default(),
            account: None,
            lives: BTreeMap::new(),
            refused: 0,
            called: 0,
            alerts: vec![],
            nature,
        };
        (0..world.nature.isolates).for_each(|_| world.birth());
        world.after(0, Event::Arrives);
        world.after(SWEEP_MS / 2, Event::Sweep);
        if let Some(gap) = 60_000_u64.checked_div(world.nature.deaths) {
            world.after(gap, Event::Dies);
        }
        world
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.count += 1;
        self.events.push(Reverse((self.now + ms, self.count, event)));
    }

    fn birth(&mut self) {
        self.born += 1;
        let skew = self.dice.below(7_200_000);
        let isolate =
            Isolate { local: Local::new(self.born), skew, opened: vec![], closed: vec![], alive: vec![], flush_at: None };
        self.isolates.insert(self.born, isolate);
        let ms = self.dice.below(BEAT_MS);
        self.after(ms, Event::Beat(self.born));
    }

    pub fn run(&mut self) {
        let end = START + self.nature.seconds * 1_000;
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at > end {
                return;
            }
            self.now = at;
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives => self.arrives(),
            Event::Flush(isolate) => self.flush(isolate, false),
            Event::Heard(call) => self.heard(call),
            Event::Back(call) => self.back(call),
            Event::Lost(call) => self.lost(call),
            Event::Ends(id) => self.ends(&id),
            Event::Beat(isolate) => self.beat(isolate),
            Event::Dies => {
                let isolate = self.any();
                self.isolates.remove(&isolate);
                let now = self.now;
                let its = self.lives.values_mut().filter(|life| life.isolate == isolate);
                its.for_each(|life| life.ended = life.ended.or(Some(now)));
                self.birth();
                self.after(60_000 / self.nature.deaths, Event::Dies);
            }
            Event::Sweep => self.sweep(),
        }
    }

    fn any(&mut self) -> u64 {
        let count = u64::try_from(self.isolates.len()).unwrap();
        let place = usize::try_from(self.dice.below(count)).unwrap();
        *self.isolates.keys().nth(place).unwrap()
    }

    fn arrives(&mut self) {
        let gap = self.dice.below(2_000 / self.nature.rate.max(1) + 1);
        self.after(gap, Event::Arrives);
        let number = self.any();
        let id = format!("req_{:06}", self.lives.len());
        let tokens = self.dice.below(self.nature.tokens) + 1;
        let took = tokens * self.dice.below(self.nature.takes + 1) / 100;
        let reserved = self.dice.below(self.nature.money) + 1;
        let cost = self.dice.below(reserved + 1);
        let mut opening =
            Opening { id: id.clone(), tokens, reserved: Money(reserved), at: Millis(self.now), ..Opening::default() };
        let subjects: Vec<_> = self.rules.iter().map(|(id, rules)| Subject { id: id.clone(), rules }).collect();
        let isolate = self.isolates.get_mut(&number).unwrap();
        let admission = isolate.local.admit(&mut opening, true, &subjects, Millis(self.now + isolate.skew));
        let life = Life {
            opening: opening.clone(),
            isolate: number,
            went: None,
            asked: false,
            ended: None,
            settled: None,
            heard: false,
            took,
            cost,
            waits: false,
        };
        self.lives.insert(id.clone(), life);
        match admission {
            Admission::Go => {
                isolate.opened.push(opening);
                self.lives.get_mut(&id).unwrap().went = Some(self.now);
                let ms = self.dice.below(self.nature.life_ms) + 1;
                self.after(ms, Event::Ends(id));
                self.soon(number, GATHER_MS);
            }
            Admission::Ask => {
                let life = self.lives.get_mut(&id).unwrap();
                (life.waits, life.asked) = (true, true);
                self.flush(number, true);
            }
            Admission::Refused(_) => {
                self.lives.get_mut(&id).unwrap().ended = Some(self.now);
                self.refused += 1;
            }
        }
    }

    fn soon(&mut self, number: u64, ms: u64) {
        let Some(isolate) = self.isolates.get_mut(&number) else { return };
        let due = self.now + ms;
        if isolate.flush_at.is_none_or(|at| at > due || at < self.now) {
            isolate.flush_at = Some(due);
            self.after(ms, Event::Flush(number));
        }
    }

    fn flush(&mut self, number: u64, is_urgent: bool) {
        let now = self.now;
        let Some(isolate) = self.isolates.get_mut(&number) else { return };
        if !is_urgent && isolate.flush_at != Some(now) {
            return;
        }
        isolate.flush_at = None;
        let message = isolate.local.message(Millis(now + isolate.skew));
        let call = Call {
            isolate: number,
            message: message.map(|message| carried(&message, now)),
            opened: std::mem::take(&mut isolate.opened),
            closed: std::mem::take(&mut isolate.closed),
            alive: std::mem::take(&mut isolate.alive),
            reply: None,
        };
        if call.message.is_none() && call.opened.is_empty() && call.closed.is_empty() && call.alive.is_empty() {
            return;
        }
        self.called += 1;
        self.calls.push(call);
        let call = self.calls.len() - 1;
        let ms = self.dice.below(self.nature.latency_ms) + 1;
        let event = if self.dice.percent(self.nature.lost) { Event::Lost(call) } else { Event::Heard(call) };
        let ms = if event == Event::Lost(call) { CALL_MS } else { ms };
        self.after(ms, event);
    }

    fn heard(&mut self, number: usize) {
        let call = &self.calls[number];
        let message = call.message.clone();
        let is_closed = |id: &str| self.store.closed.contains_key(id);
        let opened: Vec<Opening> = call
            .opened
            .iter()
            .filter(|opening| !is_closed(&opening.id) && !self.store.open.contains_key(&opening.id))
            .cloned()
            .collect();
        let is_swept = |id: &str| self.store.closed.get(id).is_some_and(|closing| closing.close == Close::Sweep);
        let fresh = call.closed.iter().filter(|(open, _)| !is_closed(&open.id) || is_swept(&open.id));
        let closed: Vec<(Opening, Closing)> = fresh.cloned().collect();
        let guesses: Vec<(Opening, Closing)> =
            closed.iter().filter_map(|(open, _)| Some((open.clone(), self.store.closed.get(&open.id)?.clone()))).collect();
        let alive = call.alive.clone();
        let told = Told {
            message: message.as_ref(),
            opened: &opened,
            closed: &closed.iter().map(|(open, close)| (open, close)).collect::<Vec<_>>(),
            withdrawn: &guesses.iter().map(|(open, close)| (open, close)).collect::<Vec<_>>(),
            alive: &alive,
        };
        let reply = self.tell(told);
        for opening in opened.iter().chain(closed.iter().map(|(open, _)| open)) {
            self.lives.get_mut(&opening.id).unwrap().heard = true;
        }
        self.calls[number].reply = Some(carried(&reply, self.now));
        let lost = self.dice.percent(self.nature.lost);
        let ms = if lost { CALL_MS } else { self.dice.below(self.nature.latency_ms) + 1 };
        self.after(ms, if lost { Event::Lost(number) } else { Event::Back(number) });
    }

    fn tell(&mut self, told: Told<'_>) -> Reply {
        let now = Millis(self.now);
        let store = &mut self.store;
        let account = self.account.get_or_insert_with(|| {
            let mut account = Account::default();
            store.open.values().for_each(|(opening, heard)| account.restore(opening.clone(), Millis(*heard)));
            account
        });
        for subject in account.unknown(told) {
            account.know(&subject, store.states.get(&subject).map(String::as_str));
        }
        let heard = account.hear(told, now);
        store.states.extend(heard.states);
        for opening in told.opened.iter().chain(&heard.opened) {
            store.open.insert(opening.id.clone(), (opening.clone(), self.now));
        }
        for (opening, closing) in told.closed {
            store.open.remove(&opening.id);
            store.closed.insert(opening.id.clone(), (*closing).clone());
            self.lives.get_mut(&opening.id).unwrap().settled = Some(self.now);
        }
        for id in told.alive {
            store.open.entry(id.clone()).and_modify(|(_, heard)| *heard = now.0);
        }
        for opening in heard.opened {
            let life = self.lives.get_mut(&opening.id).unwrap();
            (life.went, life.heard, life.opening) = (Some(self.now), true, opening);
        }
        self.alerts.extend(heard.alerts.into_iter().map(|alert| (alert.subject, alert.percent)));
        if self.dice.percent(self.nature.forgets) {
            self.account = None;
        }
        heard.reply
    }

    fn back(&mut self, number: usize) {
        let Call { isolate, reply, .. } = &self.calls[number];
        let (number, reply) = (*isolate, reply.clone().unwrap());
        let Some(isolate) = self.isolates.get_mut(&number) else { return };
        for (id, verdict) in isolate.local.learned(reply, Millis(self.now + isolate.skew)) {
            let life = self.lives.get_mut(&id).unwrap();
            if !std::mem::take(&mut life.waits) {
                continue;
            }
            if verdict == Verdict::Go {
                let ms = self.dice.below(self.nature.life_ms) + 1;
                self.count += 1;
                self.events.push(Reverse((self.now + ms, self.count, Event::Ends(id))));
            } else {
                life.ended = Some(self.now);
                self.refused += 1;
            }
        }
    }

    fn lost(&mut self, number: usize) {
        let Call { isolate, message, opened, closed, alive, .. } = &mut self.calls[number];
        let number = *isolate;
        let Some(isolate) = self.isolates.get_mut(&number) else { return };
        let waits = |id: &str| self.lives.get(id).is_some_and(|life| life.waits);
        if let Some(message) = message {
            isolate.local.undelivered(message.clone(), waits);
        }
        isolate.opened.append(opened);
        isolate.closed.append(closed);
        isolate.alive.append(alive);
        self.soon(number, 1);
    }

    fn ends(&mut self, id: &str) {
        let life = self.lives.get_mut(id).unwrap();
        let Some(isolate) = self.isolates.get_mut(&life.isolate) else { return };
        life.ended = Some(self.now);
        let closing =
            Closing { id: id.to_owned(), at: Millis(self.now), output: life.took, cost: Money(life.cost), ..Closing::default() };
        isolate.closed.push((life.opening.clone(), closing));
        let number = life.isolate;
        self.soon(number, RECORDS_MS);
    }

    fn beat(&mut self, number: u64) {
        let Some(isolate) = self.isolates.get_mut(&number) else { return };
        let its = self.lives.iter().filter(|(_, life)| life.isolate == number && life.went.is_some() && life.ended.is_none());
        isolate.alive = its.map(|(id, _)| id.clone()).collect();
        self.soon(number, GATHER_MS);
        self.after(BEAT_MS, Event::Beat(number));
    }

    fn sweep(&mut self) {
        self.after(SWEEP_MS / 2, Event::Sweep);
        let old = self.store.open.values().filter(|(_, heard)| self.now - heard > SWEEP_MS);
        let swept = |opening: &Opening| Closing { id: opening.id.clone(), close: Close::Sweep, ..Closing::default() };
        let lost: Vec<(Opening, Closing)> = old.map(|(opening, _)| (opening.clone(), swept(opening))).collect();
        let closed: Vec<_> = lost.iter().map(|(open, close)| (open, close)).collect();
        self.tell(Told { closed: &closed, ..Told::default() });
    }

    /// Requests that went on, in the order of the decisions.
    pub fn went(&self) -> Vec<&Life> {
        let mut went: Vec<&Life> = self.lives.values().filter(|life| life.went.is_some()).collect();
        went.sort_by_key(|life| life.went);
        went
    }

    /// What the ledger has, and what those under way will cost. Of those that died it knows what the sweep says.
    pub fn spent(&self) -> u64 {
        let closed: u64 = self.store.closed.values().map(|closing| closing.cost.0).sum();
        let open = self.store.open.keys().map(|id| &self.lives[id]).filter(|life| self.isolates.contains_key(&life.isolate));
        closed + open.map(|life| life.cost).sum::<u64>()
    }

    /// The most in any 60 seconds of what `of` says of each.
    pub fn most(&self, of: impl Fn(&Life) -> u64) -> u64 {
        let went = self.went();
        let (mut first, mut sum, mut most) = (0, 0, 0);
        for life in &went {
            sum += of(life);
            while went[first].went.unwrap() + 60_000 <= life.went.unwrap() {
                sum -= of(went[first]);
                first += 1;
            }
            most = most.max(sum);
        }
        most
    }
}
