//! Telling: nothing is lost that is not ended by force, and nothing counts twice.

use portolan::{
    metrics::{Delta, KEPT, Message, TELL_MS, Table, rolled_up},
    units::Millis,
};

use super::{NOW, record, sum};

/// The object, as its storage behaves.
#[derive(Default)]
struct Object {
    told: Vec<(String, u64)>,
    total: Table,
}

impl Object {
    fn hear(&mut self, message: &str) {
        let message = Message::read(message).unwrap();
        let known = self.told.iter_mut().find(|(isolate, _)| isolate == message.isolate);
        match known {
            Some((_, number)) if *number >= message.number => return,
            Some((_, number)) => *number = message.number,
            None => self.told.push((message.isolate.to_owned(), message.number)),
        }
        self.total.read(message.table);
    }
}

fn note(delta: &mut Delta) {
    delta.note(&record("r", "p", "m", 500));
}

#[test]
fn it_is_told_soon_and_then_every_ten_seconds() {
    let mut delta = Delta::default();
    assert_eq!(delta.promise(NOW), None, "there is nothing");
    note(&mut delta);
    assert_eq!(delta.promise(NOW), Some(1_000));
    assert_eq!(delta.promise(NOW.plus(500)), None, "somebody will");
    let (number, _) = delta.begin(NOW.plus(1_000)).unwrap();
    delta.acknowledged(number);
    assert_eq!(delta.promise(NOW.plus(1_500)), None, "all is told");
    note(&mut delta);
    assert_eq!(delta.promise(NOW.plus(3_000)), Some(TELL_MS - 2_000));
    assert_eq!(delta.promise(NOW.plus(17_000)), None);
    assert_eq!(delta.promise(NOW.plus(18_000)), Some(1_000), "whoever promised is gone");
}

#[test]
fn many_series_do_not_wait() {
    let mut delta = Delta::default();
    note(&mut delta);
    delta.promise(NOW);
    delta.begin(NOW);
    (0..200).for_each(|number| delta.note(&record("r", "p", &format!("m{number}"), 500)));
    assert_eq!(delta.promise(NOW.plus(10)), Some(1_000));
}

#[test]
fn what_is_told_twice_counts_once() {
    let (mut delta, mut object) = (Delta::default(), Object::default());
    let mut now = NOW;
    let mut tell = |delta: &mut Delta, now: Millis, arrives: bool, answered: bool| {
        let (number, table) = delta.begin(now)?;
        if arrives {
            object.hear(&Message::write("isolate", number, &table));
        }
        if answered {
            delta.acknowledged(number)
        } else {
            delta.failed(number)
        }
        Some(sum(&object.total, "requests"))
    };
    let rows = [
        (true, true, Some(1), "well"),
        (true, false, Some(2), "it arrived, and nobody knows"),
        (true, true, Some(2), "the same again, before what is new"),
        (true, true, Some(4), "what came meanwhile"),
        (false, false, Some(4), "it did not arrive"),
        (true, true, Some(5), "the same again"),
        (true, true, Some(6), "and the rest"),
        (true, true, None, "nothing"),
    ];
    for (number, (arrives, answered, expected, what)) in rows.into_iter().enumerate() {
        if number < 6 {
            note(&mut delta);
        }
        now = now.plus(TELL_MS);
        assert_eq!(tell(&mut delta, now, arrives, answered), expected, "{what}");
    }
}

#[test]
fn a_call_that_is_under_way_is_not_made_again_before_it_is_lost() {
    let mut delta = Delta::default();
    note(&mut delta);
    let (number, table) = delta.begin(NOW).unwrap();
    note(&mut delta);
    assert_eq!(delta.begin(NOW.plus(14_999)), None);
    assert_eq!(delta.begin(NOW.plus(15_000)), Some((number, table)));
    delta.acknowledged(number);
    delta.failed(number);
    let (next, _) = delta.begin(NOW.plus(15_001)).unwrap();
    assert_eq!(next, number + 1);
    delta.acknowledged(number);
    assert_eq!(delta.begin(NOW.plus(15_002)), None, "an answer to an old call says nothing of the next");
}

#[test]
fn messages_that_are_none_are_refused() {
    for text in ["", "a", "a 1", "a b\n", "a -1\n", "\n"] {
        assert!(Message::read(text).is_none(), "{text}");
    }
    let message = Message::read("a 1\n").unwrap();
    assert_eq!((message.isolate, message.number, message.table), ("a", 1, ""));
}

#[test]
fn what_waits_is_added_by_its_minute() {
    let text = |model: &str| {
        let mut table = Table::default();
        table.note(&record("r", "p", model, 500));
        table.write()
    };
    let waiting = format!("@7\n{}{},@8\n{},@7\n{}", text("a"), text("b"), text("a"), text("a"));
    let minutes = rolled_up(&waiting);
    let found: Vec<(u64, usize, u64)> =
        minutes.iter().map(|(minute, table)| (*minute, table.len(), sum(table, "requests"))).collect();
    assert_eq!(found, [(7, 2, 3), (8, 1, 1)]);
    assert!(rolled_up("").is_empty());
}

#[test]
fn rows_begin_at_whole_steps() {
    for (grain, begin) in KEPT.iter().zip([1_000_007, 1_000_005, 999_960, 0]) {
        assert_eq!(grain.begin(1_000_007), begin, "{grain:?}");
        assert!(grain.kept > grain.minutes * 24);
    }
}
