//! Whatever is said, each dialect says it and understands itself: values made up at random, the same on every machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;

use portolan::{
    chat::{event::Event, fold, profile::Profile},
    dialect::Dialect,
    wire::framing::Framing,
};
use proof::{
    answers::callers, arbitrary, arbitrary_request, facets, fuzz, pins::Declared, random::Random, request_facets, rules, stream,
};

/// Values tried, of each dialect.
const TRIES: usize = 150;

/// What went wrong, each kind once, with how often and the first seed that shows it.
#[derive(Default)]
struct Wrong(BTreeMap<String, (usize, usize, String)>);

impl Wrong {
    fn add(&mut self, what: String, seed: usize, detail: impl FnOnce() -> String) {
        self.0.entry(what).or_insert_with(|| (0, seed, detail())).0 += 1;
    }

    fn report(&self) {
        let rows: Vec<String> = self
            .0
            .iter()
            .map(|(what, (count, seed, detail))| format!("{what} ({count} times, first {seed})\n    {detail}"))
            .collect();
        assert!(rows.is_empty(), "\n{}", rows.join("\n"));
    }
}

fn seeded(seed: usize) -> Random {
    Random::new(u64::try_from(seed).unwrap())
}

fn short(text: &str) -> String {
    text.chars().take(900).collect()
}

#[test]
fn requests_come_back_but_for_what_was_reported() {
    let declared = Declared::read("declared-requests.txt").unwrap();
    let mut wrong = Wrong::default();
    for (dialect, caller) in callers() {
        for seed in 0..TRIES {
            let request = arbitrary_request::request(&mut seeded(seed));
            let written = dialect.upstream().write_request(&request, &Profile::DEFAULT);
            for rule in rules::broken(dialect, &written.value) {
                wrong.add(format!("{}: {rule}", dialect.name()), seed, || short(&written.value));
            }
            let Ok(again) = caller.read_request(&written.value) else {
                wrong.add(format!("{}: refused", dialect.name()), seed, || short(&written.value));
                continue;
            };
            for path in request_facets::differences(&request, &again.value) {
                let told = written.dropped.iter().any(|reported| request_facets::covers(reported, &path));
                if !told && !declared.has(dialect.name(), &path) {
                    wrong.add(format!("{} | {path}", dialect.name()), seed, || short(&written.value));
                }
            }
        }
    }
    wrong.report();
}

#[test]
fn answers_come_back_but_for_what_is_declared() {
    let declared = Declared::read("declared.txt").unwrap();
    let mut wrong = Wrong::default();
    for (to, caller) in callers() {
        for seed in 0..TRIES {
            let response = arbitrary::response(&mut seeded(seed));
            let facts = stream::facts();
            let written = caller.write_response(&response, &stream::asked(to, &facts), None);
            let place = format!("canonical > {}", to.name());
            match to.upstream().read_response(&written) {
                Err(error) => wrong.add(format!("{place}: {}", error.message), seed, || short(&written)),
                Ok(again) => {
                    for loss in facets::losses(&response, &again).into_iter().filter(|loss| !declared.has(&place, loss)) {
                        wrong.add(format!("{place} | {loss}"), seed, || short(&written));
                    }
                }
            }
        }
    }
    wrong.report();
}

#[test]
fn streams_come_back_but_for_what_is_declared_and_however_cut() {
    let declared = Declared::read("declared.txt").unwrap();
    let mut wrong = Wrong::default();
    for (to, caller) in callers() {
        for seed in 0..TRIES {
            let mut random = seeded(seed);
            let response = arbitrary::response(&mut random);
            let events = arbitrary::events(&mut random, &response);
            let text = stream::rewritten(to, caller, &events);
            let place = format!("canonical > {}", to.name());
            let read = stream::events(to.upstream(), Framing::Sse, [text.as_bytes()]);
            let in_pieces = stream::events(to.upstream(), Framing::Sse, random.cut(text.as_bytes(), 60));
            if in_pieces != read || stream::events(to.upstream(), Framing::Sse, text.as_bytes().chunks(1)) != read {
                wrong.add(format!("{place}: otherwise when cut"), seed, || short(&text));
            }
            if let Some(rule) = stream::unruly(&read).or_else(|| (!read.contains(&Event::End)).then(|| "no end".to_owned())) {
                wrong.add(format!("{place}: {rule}"), seed, || short(&text));
            }
            match fold::fold(read) {
                Err(error) => wrong.add(format!("{place}: {}", error.message), seed, || short(&text)),
                Ok(again) => {
                    for loss in facets::losses(&response, &again).into_iter().filter(|loss| !declared.has(&place, loss)) {
                        wrong.add(format!("{place} | {loss}"), seed, || short(&text));
                    }
                }
            }
        }
    }
    wrong.report();
}

/// Also what is no request and no answer at all: an error, never a panic.
#[test]
fn no_reader_panics() {
    let targets = fuzz::all();
    assert!(targets.len() > 3 * Dialect::ALL.len());
    for target in &targets {
        for seed in 0..TRIES / 5 {
            let mut random = seeded(seed);
            let json = arbitrary::json_value(&mut random, 4).to_string();
            let bytes: Vec<u8> = (0..random.below(200)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            for input in [json.as_bytes(), format!("data: {json}\n\n").as_bytes(), &bytes] {
                // What it finds wrong is the business of the fuzzer; here only a panic is.
                let _ = target.run(input);
            }
        }
    }
}
