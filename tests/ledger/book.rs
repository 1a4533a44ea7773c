//! Messages that come twice, in any order and in any company: one entry, closed once, counted once.

use portolan::{
    ledger::{
        book::{self, Known, Posting, Sums},
        entry::{Close, Closing, Entry, Opening},
        outbox::{Message, Outbox},
    },
    sorted::SortedMap,
    units::{Millis, Money},
};

const HOUR: u64 = 3_600_000;

fn opening(id: &str, at: u64) -> Opening {
    let words = |text: &str| text.to_owned();
    let (key, route, provider) = (words("ci"), words("fast"), words("openai"));
    Opening { id: words(id), at: Millis(at), key, route, provider, prompt: Money(7), ..Opening::default() }
}

fn begun(id: &str, at: u64) -> Entry {
    Entry { open: opening(id, at), close: None }
}

fn ended(id: &str, at: u64, cost: u64, outcome: &str) -> Entry {
    let (id, outcome) = (id.to_owned(), outcome.to_owned());
    let open = opening(&id, at);
    let closing = Closing { id, outcome, provider: "openai".to_owned(), cost: Money(cost), input: 3, ..Closing::default() };
    Entry { open, close: Some(closing) }
}

/// The call that is under way.
fn written(outbox: &Outbox) -> Message {
    serde_json::from_str(&outbox.write("acme", None)).unwrap()
}

/// A call that begins now.
fn told_at(outbox: &mut Outbox, now: Millis) -> Message {
    assert!(outbox.begin(now) > 0);
    written(outbox)
}

/// What the tables would hold.
#[derive(Default)]
struct Tables {
    open: SortedMap<String, Opening>,
    entries: SortedMap<String, Entry>,
    sums: SortedMap<book::Group, Sums>,
    closings: usize,
}

impl Tables {
    fn hear(&mut self, told: &[Entry]) {
        let mut known = SortedMap::new();
        for Entry { open: Opening { id, .. }, .. } in told {
            let kept = self.entries.get(id);
            let swept = kept.filter(|entry| entry.close.as_ref().unwrap().close == Close::Sweep);
            match (kept, swept) {
                (_, Some(entry)) => drop(known.insert(id.clone(), Known::Swept(Box::new(entry.clone())))),
                (Some(_), None) => drop(known.insert(id.clone(), Known::Closed)),
                (None, None) if self.open.contains_key(id) => drop(known.insert(id.clone(), Known::Open)),
                (None, None) => {}
            }
        }
        self.store(book::post(told.to_vec(), known));
    }

    fn sweep(&mut self, now: Millis) {
        let lost = self.open.values().cloned().collect();
        self.store(book::sweep(lost, now));
    }

    fn store(&mut self, posting: Posting) {
        for opening in posting.opened {
            assert!(self.open.insert(opening.id.clone(), opening).is_none(), "opened twice");
        }
        for entry in posting.closed {
            let corrected = entry.close.as_ref().unwrap().corrected;
            let before = self.entries.insert(entry.open.id.clone(), entry.clone());
            assert_eq!(before.is_some(), corrected, "{}: closed twice", entry.open.id);
            self.open.remove(&entry.open.id);
            self.closings += 1;
        }
        for (group, sums) in posting.sums {
            let kept = self.sums.or_default(group);
            kept.requests += sums.requests;
            kept.errors += sums.errors;
            kept.lost += sums.lost;
            kept.cost += sums.cost;
            kept.estimated += sums.estimated;
            kept.input += sums.input;
        }
    }

    fn total(&self, of: impl Fn(&Sums) -> i64) -> i64 {
        self.sums.values().map(of).sum()
    }

    fn entries_cost(&self) -> i64 {
        let cost = |entry: &Entry| i64::try_from(entry.close.as_ref().unwrap().cost.0).unwrap();
        self.entries.values().map(cost).sum()
    }
}

#[test]
fn in_whatever_order_a_request_is_told_of_it_is_one_entry() {
    let (open, close, other) = (begun("a", 5), ended("a", 5, 100, "ok"), ended("a", 5, 900, "gone"));
    for (how, messages, cost, left) in [
        ("opened, closed", vec![vec![&open], vec![&close]], 100, 0),
        ("both at once", vec![vec![&open, &close]], 100, 0),
        ("only closed", vec![vec![&close]], 100, 0),
        ("closed before opened", vec![vec![&close], vec![&open]], 100, 0),
        ("closed before opened, in one message", vec![vec![&close, &open]], 100, 0),
        ("opened twice", vec![vec![&open, &open], vec![&open]], 0, 1),
        ("closed twice: the first counts", vec![vec![&open], vec![&close], vec![&other]], 100, 0),
        ("closed twice in one message", vec![vec![&open], vec![&other, &close]], 900, 0),
        ("told again whole", vec![vec![&open, &close], vec![&open, &close], vec![&open]], 100, 0),
    ] {
        let mut tables = Tables::default();
        for message in messages {
            tables.hear(&message.into_iter().cloned().collect::<Vec<_>>());
        }
        assert_eq!((tables.total(|s| s.cost), tables.open.len()), (cost, left), "{how}");
        assert_eq!(tables.closings, 1 - left, "{how}");
    }
}

#[test]
fn one_given_up_as_lost_is_owed_its_prompt_until_the_truth_comes() {
    let mut tables = Tables::default();
    tables.hear(&[begun("a", 5), begun("b", 5)]);
    tables.sweep(Millis(61_000));
    assert_eq!((tables.total(|s| s.cost), tables.total(|s| s.lost), tables.open.len()), (14, 2, 0));
    tables.sweep(Millis(99_000));
    tables.hear(&[begun("a", 5)]);
    assert_eq!((tables.total(|s| s.cost), tables.open.len()), (14, 0), "it is not opened anew");
    for _ in 0..2 {
        tables.hear(&[ended("a", 5, 100, "ok")]);
        assert_eq!((tables.total(|s| s.cost), tables.total(|s| s.lost), tables.total(|s| s.requests)), (107, 1, 2));
        assert_eq!(tables.total(|s| s.errors), 1);
        let entry = tables.entries.get("a").unwrap().close.clone().unwrap();
        assert!(entry.corrected && entry.close == Close::Finish);
    }
    tables.hear(&[ended("a", 5, 333, "ok")]);
    assert_eq!(tables.total(|s| s.cost), 107, "corrected once");
}

#[test]
fn a_swept_entry_says_how_long_and_what() {
    let mut open = opening("a", 1_000);
    open.prompt = Money(u64::MAX);
    let closing = open.swept(Millis(63_000));
    assert_eq!((closing.close, closing.outcome.as_str(), closing.ms), (Close::Sweep, "lost", 62_000));
    assert_eq!((closing.estimated, closing.provider.as_str()), (true, "openai"));
    assert!(i64::try_from(closing.cost.0).is_ok(), "no price makes sums overflow");
}

#[test]
fn an_hour_is_that_of_the_beginning() {
    let mut tables = Tables::default();
    let mut late = ended("a", HOUR - 1, 1, "ok");
    late.close.as_mut().unwrap().at = Millis(HOUR + 50_000);
    tables.hear(&[late, ended("b", HOUR, 1, "ok")]);
    assert_eq!(tables.sums.keys().map(|group| group.hour).collect::<Vec<_>>(), [0, 1]);
}

fn place(rolled: u64, count: usize) -> usize {
    usize::try_from(rolled).unwrap() % count
}

/// An isolate that tells of two hundred requests by an object that hears some messages twice, some late and some never, and
/// answers some that it has heard with an error.
#[test]
fn nothing_is_lost_or_counted_twice_whatever_becomes_of_messages() {
    for seed in 1..16_u64 {
        let mut dice = seed;
        let mut roll = move |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let (mut tables, mut outbox, mut late) = (Tables::default(), Outbox::default(), Vec::<Vec<Entry>>::new());
        let mut now = Millis(HOUR * 3);
        let mut cost = 0;
        let mut under_way: Vec<(u64, u64)> = vec![];
        let mut deliver = |outbox: &mut Outbox, tables: &mut Tables, now: Millis, roll: &mut dyn FnMut(u64) -> u64| {
            if outbox.is_calling(now) || outbox.is_empty() {
                return;
            }
            let call = outbox.begin(now);
            let message = written(outbox);
            assert_eq!(message.tenant, "acme");
            let fate = roll(5);
            if fate > 0 {
                tables.hear(&message.entries);
            }
            if roll(4) == 0 {
                late.push(message.entries);
            }
            if roll(3) == 0 && !late.is_empty() {
                let at = place(roll(u64::MAX >> 33), late.len());
                tables.hear(&late.remove(at));
            }
            match fate {
                0 => {}
                1 => outbox.failed(call, now),
                _ => outbox.acknowledged(call),
            }
        };
        for number in 0..200 {
            now = now.plus(roll(40));
            drop(outbox.put(begun(&format!("r{number}"), now.0)));
            under_way.push((number, now.0));
            while roll(3) > 0 && !under_way.is_empty() {
                let (number, at) = under_way.remove(place(roll(u64::MAX >> 33), under_way.len()));
                cost += 1_000 + i64::try_from(number).unwrap();
                drop(outbox.put(ended(&format!("r{number}"), at, 1_000 + number, "ok")));
            }
            if roll(4) == 0 {
                deliver(&mut outbox, &mut tables, now, &mut roll);
            }
        }
        for _ in 0..100 {
            now = now.plus(10_000);
            deliver(&mut outbox, &mut tables, now, &mut roll);
        }
        assert!(outbox.is_empty(), "seed {seed}");
        assert_eq!((tables.total(|s| s.cost), tables.entries_cost()), (cost, cost), "seed {seed}");
        assert_eq!(tables.open.len(), under_way.len(), "seed {seed}");
        assert_eq!(tables.entries.len() + under_way.len(), 200, "seed {seed}");
        assert_eq!(tables.total(|s| s.requests), i64::try_from(tables.entries.len()).unwrap(), "seed {seed}");
    }
}

#[test]
fn several_requests_go_in_one_call() {
    let (mut outbox, now) = (Outbox::default(), Millis(1_000));
    let told = outbox.put(begun("a", 1));
    assert_eq!(outbox.promise(now, 100), Some(100));
    drop(outbox.put(begun("b", 1)));
    assert_eq!(outbox.promise(now.plus(50), 100), None, "somebody is as early");
    assert_eq!(outbox.promise(now.plus(50), 0), Some(0), "nobody is so early");
    let call = outbox.begin(now.plus(50));
    assert!(outbox.is_empty(), "nothing is left");
    drop(outbox.put(begun("c", 1)));
    outbox.lives("a");
    assert!(outbox.is_calling(now.plus(60)), "one call at a time");
    assert!(!told.get());
    outbox.acknowledged(call);
    assert!(told.get() && !outbox.is_calling(now.plus(70)));
    let rest = told_at(&mut outbox, now.plus(70));
    assert_eq!((rest.entries, rest.alive), (vec![begun("c", 1)], vec!["a".to_owned()]));
}

#[test]
fn who_never_comes_back_holds_nobody_up() {
    let (mut outbox, now) = (Outbox::default(), Millis(1_000));
    drop(outbox.put(begun("a", 1)));
    assert_eq!(outbox.promise(now, 100), Some(100));
    assert_eq!(outbox.promise(now.plus(5_000), 100), Some(100), "the promise was not kept");
    let call = outbox.begin(now);
    drop(outbox.put(begun("b", 1)));
    assert!(outbox.is_calling(now.plus(5_000)));
    assert!(!outbox.is_calling(now.plus(6_000)), "the call was never heard of again");
    assert_eq!(told_at(&mut outbox, now.plus(6_000)).entries, [begun("a", 1), begun("b", 1)], "what it told is told again");
    outbox.acknowledged(call);
    assert!(outbox.is_calling(now.plus(6_001)), "its answer comes too late to count");
}

#[test]
fn an_object_that_cannot_be_reached_is_asked_again_and_memory_has_a_bound() {
    let (mut outbox, now) = (Outbox::default(), Millis(1_000));
    drop(outbox.put(ended("kept", 1, 1, "ok")));
    let call = outbox.begin(now);
    outbox.failed(call, now);
    assert_eq!(outbox.promise(now, 0), Some(1_000), "not at once");
    for number in 0..10_000 {
        drop(outbox.put(begun(&format!("r{number}"), 1)));
    }
    let lost = outbox.take_lost();
    assert!(lost > 0 && outbox.take_lost() == 0);
    assert_eq!(told_at(&mut outbox, now.plus(1_000)).entries[0], ended("kept", 1, 1, "ok"), "what is owed is kept longest");
}
