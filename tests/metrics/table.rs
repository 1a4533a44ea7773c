//! Counting: what a record comes to, and that tables add up.

use portolan::{
    error::{Blame, Error, Kind},
    ledger::record::Record,
    metrics::{COUNTS, MAX_SERIES, OTHER, Table},
    units::Money,
};

use super::{NOW, count, record, sent, sum, table};

fn plain() -> Record {
    record("smart", "openai", "gpt-5", 500)
}

#[test]
fn a_request_comes_to_what_became_of_it() {
    let failed = |status, outcome, fault| Record { status, outcome, fault: Some(fault), ..plain() };
    let second = || vec![sent("openai", "gpt-5", 503, "transient", (1, 9)), sent("openai", "o", 200, "ok", (20, 99))];
    let hedged = || {
        let mut tries = vec![sent("openai", "gpt-5", 0, "hedged", (1, 90)), sent("openai", "o", 200, "ok", (20, 9))];
        tries[0].wasted = Some(Money(77));
        tries[1].reason = "hedge, priority".to_owned();
        tries
    };
    let again = || vec![sent("openai", "gpt-5", 503, "transient", (1, 9)), sent("openai", "gpt-5", 200, "ok", (99, 9))];
    let with_first = |record: Record| Record { stream: true, first_ms: Some(9), ..record };
    type Row<'a> = (&'a str, Record, &'a [(&'a str, u64)]);
    let rows: &[Row<'_>] = &[
        ("well", plain(), &[("tries", 1), ("input", 100), ("output", 40), ("reasoning", 5), ("cost", 1_234)]),
        ("a provider's answer", failed(502, "transient", "provider"), &[("errors", 1)]),
        ("a limit of the provider's", failed(429, "limited", "provider"), &[("errors", 1)]),
        ("the caller's", failed(400, "caller", "caller"), &[("client_errors", 1)]),
        ("the caller left", failed(499, "gone", "caller"), &[("client_errors", 1)]),
        ("the caller left a stream", with_first(failed(200, "gone", "caller")), &[("client_errors", 1), ("breaks", 0)]),
        ("a stream that broke", with_first(failed(200, "broken", "provider")), &[("errors", 1), ("breaks", 1)]),
        ("the gateway's own trap", with_first(failed(200, "gateway", "gateway")), &[("errors", 1), ("breaks", 1)]),
        ("a stream that never began", with_first(failed(502, "silent", "provider")), &[("errors", 1), ("breaks", 0)]),
        ("another target", Record { tries: second(), ..plain() }, &[("failovers", 1), ("tries", 2)]),
        ("the same one again", Record { tries: again(), ..plain() }, &[("failovers", 0), ("tries", 2)]),
        ("a hedge", Record { tries: hedged(), ..plain() }, &[("failovers", 0), ("hedges", 1), ("wasted", 77), ("tries", 2)]),
        ("passed on", Record { outcome: "forwarded", usage: None, cost: None, ..plain() }, &[("errors", 0), ("unpriced", 1)]),
        ("passed on and failed", Record { outcome: "forwarded", status: 503, ..plain() }, &[("errors", 1)]),
        ("passed on and refused", Record { outcome: "forwarded", status: 404, ..plain() }, &[("client_errors", 1)]),
        ("no price", Record { cost: None, ..plain() }, &[("unpriced", 1), ("cost", 0)]),
        ("paid by the tenant", Record { credential: Some("tenant"), ..plain() }, &[("cost", 0), ("unpriced", 0), ("input", 100)]),
        (
            "kept before",
            Record { cache: Some("hit"), cost: Some(Money(0)), tries: vec![], ..plain() },
            &[("cache_hits", 1), ("input", 0), ("tries", 0), ("unpriced", 0)],
        ),
        ("not kept yet", Record { cache: Some("miss"), ..plain() }, &[("cache_misses", 1), ("input", 100)]),
    ];
    for (what, record, expected) in rows {
        let table = table(std::slice::from_ref(record));
        for (name, right) in [("requests", 1), ("errors", 0), ("client_errors", 0)].iter().chain(*expected) {
            let is_last = expected.iter().any(|(other, number)| other == name && number != right);
            assert!(is_last || sum(&table, name) == *right, "{what}: {name} is {}", sum(&table, name));
        }
    }
}

#[test]
fn refusals_are_their_callers_or_the_gateways() {
    let who = |record: &Record| portolan::ledger::record::Early {
        id: record.id.clone(),
        trace: portolan::wire::trace::Trace::of(&record.id, None),
        time: NOW,
        dialect: portolan::chat::Dialect::OpenAiChat,
        payer: portolan::ledger::Payer::gateway("k"),
        asked: String::new(),
        region: "weur".to_owned(),
        unplanned: None,
    };
    for (kind, name, plan) in [
        (Kind::InvalidRequest, "client_errors", &[][..]),
        (Kind::Internal, "errors", &[]),
        (Kind::RateLimited, "client_errors", &["refused: no"]),
        (Kind::TokensLimited, "client_errors", &["refused: no"]),
    ] {
        let error = Error::new(kind, "no").with_blame(if name == "errors" { Blame::Gateway } else { Blame::Caller });
        let refused = Record::refused(who(&plain()), &error, "config", NOW);
        assert_eq!(refused.plan, plan, "{name}");
        assert_eq!(sum(&table(&[refused]), name), 1, "{name}");
    }
}

#[test]
fn sends_count_where_they_went() {
    let tries = vec![sent("openai", "gpt-5", 503, "transient", (1, 9)), sent("anthropic", "opus", 200, "ok", (20, 99))];
    let record = Record { tries, provider: Some("anthropic".to_owned()), model: Some("opus".to_owned()), ..plain() };
    let table = table(&[record]);
    let found: Vec<(Vec<&str>, u64, u64)> = table
        .iter()
        .map(|(names, series)| (names.iter().map(String::as_str).collect(), count(series, "requests"), count(series, "tries")))
        .collect();
    let names = |provider, model, outcome| vec!["smart", provider, model, "weur", "generate", outcome];
    assert_eq!(found, [(names("anthropic", "opus", "ok"), 1, 1), (names("openai", "gpt-5", "transient"), 0, 1)]);
}

#[test]
fn names_are_no_callers_to_choose() {
    for (route, model, expected) in [
        ("smart", "gpt-5", ["smart", "gpt-5"]),
        ("openai/gpt-5", "gpt-5", ["direct", "gpt-5"]),
        ("openai/a,openai/b", "a", ["direct", "a"]),
        ("mock/echo?words=3", "echo?words=3", ["direct", "echo"]),
    ] {
        let table = table(&[record(route, "p", model, 500)]);
        let (names, _) = table.iter().next().unwrap();
        assert_eq!([names[0].as_str(), names[2].as_str()], expected, "{route}");
    }
    let long = "é".repeat(300);
    let table = table(&[record("r", "p", &long, 500)]);
    assert_eq!(table.iter().next().unwrap().0[2], "é".repeat(96));
}

#[test]
fn times_are_those_a_caller_waited() {
    let tries = vec![sent("openai", "gpt-5", 0, "silent", (3, 1_000)), sent("openai", "o", 200, "ok", (1_010, 200))];
    let stream = Record { stream: true, first_ms: Some(200), gateway_ms: 10, total_ms: 4_000, tries, ..plain() };
    let late = Record { tries: vec![sent("openai", "gpt-5", 200, "ok", (42, 453))], gateway_ms: 7, waited_ms: 40, ..plain() };
    for (what, record, first, whole, added) in [
        ("a stream waits for failed tries too", stream, Some(1_210), 4_000, Some(10)),
        ("a whole answer has no first token", plain(), None, 500, Some(5)),
        ("what was held back is no work", late, None, 500, Some(7)),
        ("nothing was sent", Record { tries: vec![], ..plain() }, None, 500, None),
    ] {
        let table = table(&[record]);
        let times: Vec<Option<u64>> = (0..3)
            .map(|which| {
                table.iter().find_map(|(_, series)| series.time(which).filter(|time| time.count() > 0).map(|t| t.sum_ms()))
            })
            .collect();
        assert_eq!(times, [first, Some(whole), added], "{what}");
    }
}

/// Records of any kind, by dice.
fn some(dice: &mut u64, count: usize) -> Vec<Record> {
    let mut roll = |sides: u64| {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*dice >> 33) % sides
    };
    (0..count)
        .map(|_| {
            let (route, provider, model, scale) = (roll(3), roll(3), roll(4), roll(20));
            let mut record =
                record(&format!("r{route}"), &format!("p{provider}"), &format!("m {model}\n%"), 5 + roll(1 << scale));
            record.stream = roll(2) == 0;
            record.outcome = ["ok", "broken", "transient"][usize::try_from(roll(3)).unwrap()];
            record.cost = Some(Money(roll(u64::MAX >> 34)));
            record
        })
        .collect()
}

#[test]
fn tables_add_up_in_any_order_and_grouping() {
    let mut dice = 7;
    for round in 0..60 {
        let parts: Vec<Vec<Record>> = (0..3).map(|_| some(&mut dice, 20)).collect();
        let [a, b, c] = [0, 1, 2].map(|at| table(&parts[at]));
        let plus = |one: &Table, other: &Table| {
            let mut sum = one.clone();
            sum.merge(other);
            sum
        };
        let whole = table(&parts.concat());
        assert_eq!(plus(&plus(&a, &b), &c), whole, "round {round}");
        assert_eq!(plus(&a, &plus(&b, &c)), whole, "round {round}");
        assert_eq!(plus(&plus(&c, &a), &b), whole, "round {round}");
        let mut read = Table::default();
        // As text, one behind the other.
        [&a, &b, &c].iter().for_each(|part| read.read(&part.write()));
        assert_eq!(read, whole, "round {round}");
        assert_eq!(plus(&whole, &Table::default()), whole, "round {round}");
    }
}

#[test]
fn more_series_than_there_is_room_for_lose_their_names_and_nothing_else() {
    let mut full = Table::default();
    let extra = 50;
    for number in 0..MAX_SERIES + extra {
        full.note(&record("r", "p", &format!("m{number}"), 500));
    }
    let all = u64::try_from(MAX_SERIES + extra).unwrap();
    assert_eq!((full.len(), sum(&full, "requests"), sum(&full, "tries")), (MAX_SERIES + 1, all, all));
    let (_, other) = full.iter().find(|(names, _)| names.iter().all(|name| name == OTHER)).unwrap();
    assert_eq!(count(other, "requests"), u64::try_from(extra).unwrap());
    // Two full ones are no larger, and lose nothing.
    let mut another = Table::default();
    (0..MAX_SERIES).for_each(|number| another.note(&record("r", "q", &format!("m{number}"), 500)));
    full.merge(&another);
    assert_eq!((full.len(), sum(&full, "requests")), (MAX_SERIES + 1, all + u64::try_from(MAX_SERIES).unwrap()));
    assert!(full.write().len() < 2_000_000, "a row of storage is no larger");
}

#[test]
fn a_full_table_makes_room_where_nothing_grew_for_long() {
    const DAY_MS: u64 = 86_400_000;
    let mut full = Table::default();
    for number in 0..MAX_SERIES {
        let later = if number == 0 { 30 * DAY_MS } else { 0 };
        full.note(&Record { time: NOW.plus(later), ..record("r", "p", &format!("m{number}"), 500) });
    }
    for (days, left) in [(34, MAX_SERIES), (36, 1), (99, 1)] {
        full.forget_idle(NOW.plus(days * DAY_MS));
        assert_eq!(full.len(), left, "after {days} days");
    }
}

#[test]
fn what_was_broken_on_the_way_is_not_misread() {
    let good = table(&[plain()]).write();
    for (text, series) in [("", 0), ("a b c\n", 0), ("\n\n", 0), (good.as_str(), 1), (&format!("{}\n", good.trim_end()), 1)] {
        let mut read = Table::default();
        read.read(text);
        assert_eq!(read.len(), series, "{text}");
    }
    // A later version's columns are left alone.
    let mut read = Table::default();
    read.read(&format!("{} 99 x\n", good.trim_end()));
    assert_eq!(read, table(&[plain()]));
    assert_eq!(COUNTS.len(), 17, "what is new goes to the end, for what is kept is read by position");
}
