//! What must hold of each request. What must hold of cells is [`super::watch`]'s.

use std::collections::BTreeSet;

use portolan::{exchange::Lesson, ledger::record::Record, plan::health::Signal};

use super::{
    bytes::{self, Seen},
    report::{Check, End, Report},
    request::Flight,
    scenario::{Arrival, Scenario},
    upstream::Truth,
};

/// Sends to one target (with each of its two credentials, and once more), and in all; targets.
const MOST_HERE: usize = 3;
const MOST: usize = 6;
const MOST_TARGETS: usize = 4;

/// A lesson is about what really happened.
pub fn lesson(flight: &Flight, lesson: &Lesson, (number, at): (Option<u64>, u64), report: &mut Report) {
    let (Lesson::Signal(cell, signal) | Lesson::Probed(cell, signal)) = lesson else { return };
    let is_ill = !matches!(signal, Signal::Ok { .. } | Signal::Served);
    let is_true = flight.sends.iter().any(|send| {
        let model = super::config::cell_name(send.place.provider, send.place.model);
        let credential = format!("p{}#{}", send.place.provider, send.place.key);
        match signal {
            Signal::Ok { .. } | Signal::Served => *cell == model,
            Signal::Failed { .. } => *cell == model && matches!(send.truth, Truth::Failed | Truth::Silent | Truth::Slow),
            Signal::Cool { .. } => {
                *cell == model && send.truth == Truth::ModelGone || *cell == credential && send.truth == Truth::Limited
            }
            Signal::Down { .. } => *cell == credential && send.truth == Truth::Rejected,
        }
    });
    if !is_true {
        let truths: Vec<Truth> = flight.sends.iter().map(|send| send.truth).collect();
        let what = format!(
            "health was told {}of {cell} ({signal:?}), but what happened was {truths:?}",
            if is_ill { "ill " } else { "" }
        );
        report.wrong(Check::Blame, at, (number, Some(cell)), what);
    }
}

/// All that is over is looked at; how it ended, really.
pub fn ended(scenario: &Scenario, flight: &mut Flight, (record, end): (&Record, End), now: u64, report: &mut Report) -> End {
    let Some(arrival) = scenario.arrivals.get(flight.arrival) else { return end };
    let mut wrong = |check, what: String| report.wrong(check, now, (Some(arrival.number), None), what);
    for what in repeats(flight) {
        wrong(Check::NoRepeat, what);
    }
    if !flight.probes.is_empty() {
        wrong(Check::ProbesSettle, format!("probes without an outcome: {:?}", flight.probes));
    }
    if !flight.exchange.take_lessons().is_empty() {
        wrong(Check::ProbesSettle, "lessons were left over".to_owned());
    }
    let took = now - arrival.at;
    if took > flight.total_ms + 1 {
        wrong(Check::Deadline, format!("it took {took} ms of {}", flight.total_ms));
    }
    if record.tries.len() != flight.sends.len() {
        wrong(Check::OneRecord, format!("the record has {} tries, there were {}", record.tries.len(), flight.sends.len()));
    }
    if end == End::Left {
        return End::Left;
    }
    if record.status != flight.status {
        wrong(Check::OneRecord, format!("the record says {}, the client got {}", record.status, flight.status));
    }
    let told = bytes::seen(arrival.dialect, arrival.stream, &String::from_utf8_lossy(&flight.got));
    let is_whole = flight.answer.as_ref().is_some_and(|answer| answer.status == 200 && answer.read >= answer.whole_after);
    if flight.status == 200 {
        if told.is_clean != is_whole {
            let what =
                if is_whole { "a whole answer ended as if it were broken" } else { "a broken answer ended as if it were whole" };
            wrong(Check::TrueEnd, what.to_owned());
        }
        for what in words(flight, arrival, &told) {
            wrong(Check::TrueWords, what);
        }
        if told.is_clean && record.provider.as_deref() != flight.answer.as_ref().map(|a| format!("p{}", a.provider)).as_deref() {
            wrong(Check::OneRecord, format!("the record names {:?}, another served", record.provider));
        }
    }
    let is_own_fault = flight.sends.last().is_some_and(|send| matches!(send.truth, Truth::Caller | Truth::TooLong));
    match flight.status {
        200 if told.is_clean => End::Served,
        _ if is_own_fault => End::Refused,
        _ => End::Failed,
    }
}

fn repeats(flight: &Flight) -> Vec<String> {
    let mut wrong = vec![];
    let targets: Vec<(usize, usize)> = flight.sends.iter().map(|send| (send.place.provider, send.place.model)).collect();
    let mut left = BTreeSet::new();
    for (at, target) in targets.iter().enumerate() {
        if left.contains(target) {
            wrong.push(format!("it came back to {target:?}: {targets:?}"));
        }
        if targets.get(at + 1).is_some_and(|next| next != target) {
            left.insert(*target);
        }
        let was_silent = flight.sends.get(at).is_some_and(|send| send.truth == Truth::Silent);
        if was_silent && targets.get(at + 1) == Some(target) {
            wrong.push(format!("it tried silence again: {targets:?}"));
        }
    }
    let distinct: BTreeSet<_> = targets.iter().collect();
    let here = |target: &(usize, usize)| targets.iter().filter(|other| *other == target).count();
    if targets.len() > MOST || distinct.len() > MOST_TARGETS || distinct.iter().any(|target| here(target) > MOST_HERE) {
        wrong.push(format!("too many tries: {targets:?}"));
    }
    wrong
}

fn words(flight: &Flight, arrival: &Arrival, told: &Seen) -> Vec<String> {
    let mut wrong = vec![];
    let provider = flight.answer.as_ref().map_or(usize::MAX, |answer| answer.provider);
    if let Some(word) = told.words.iter().enumerate().find(|(at, word)| **word != (provider, *at)) {
        wrong.push(format!("words of {provider} were due, and there is {word:?}: {:?}", told.words));
    }
    if told.is_clean && told.words.len() != arrival.words {
        wrong.push(format!("{} words of {} in an answer that ended well", told.words.len(), arrival.words));
    }
    wrong
}

/// Each request that was not killed has one record.
pub fn one_each(report: &mut Report) {
    let mut seen = BTreeSet::new();
    let twice: Vec<u64> = report.rows.iter().map(|row| row.number).filter(|number| !seen.insert(*number)).collect();
    for number in twice {
        report.wrong(Check::OneRecord, 0, (Some(number), None), "it has two records".to_owned());
    }
    if seen.len() != report.requests {
        let what = format!("{} records of {} requests", seen.len(), report.requests);
        report.wrong(Check::OneRecord, 0, (None, None), what);
    }
}
