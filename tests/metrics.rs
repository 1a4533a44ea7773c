//! Tests of the room `metrics`: what is counted adds up, in whatever order and however often it is told.

mod delta;
mod outside;
mod question;
mod table;

use portolan::{
    chat::{Dialect, usage::Usage},
    ledger::{
        Payer,
        record::{Early, Record, Try},
    },
    metrics::{COUNTS, Series, Table},
    units::{Millis, Money},
};

/// 2026-11-23T10:05:07Z
const NOW: Millis = Millis(1_795_428_307_000);

/// A request that went well at its only target.
fn record(route: &str, provider: &str, model: &str, ms: u64) -> Record {
    let who = Early {
        id: "req_1".to_owned(),
        trace: portolan::wire::trace::Trace::of("req_1", None),
        time: NOW,
        dialect: Dialect::OpenAiChat,
        payer: Payer::gateway("k"),
        asked: route.to_owned(),
        region: "weur".to_owned(),
        unplanned: None,
    };
    let usage = Usage { input: 100, cache_read: 20, cache_write: 3, output: 40, reasoning: 5, ..Usage::default() };
    Record {
        task: "generate",
        route: route.to_owned(),
        model: Some(model.to_owned()),
        outcome: "ok",
        upstream_ms: ms - 5,
        gateway_ms: 5,
        tries: vec![sent(provider, model, 200, "ok", (2, ms - 5))],
        usage: Some(usage),
        cost: Some(Money(1_234)),
        ..Record::forwarded(who, (provider, 200), "config", NOW.plus(ms))
    }
}

fn sent(provider: &str, model: &str, status: u16, outcome: &'static str, (at_ms, ms): (u64, u64)) -> Try {
    Try {
        provider: provider.to_owned(),
        model: model.to_owned(),
        reason: "priority".to_owned(),
        status,
        outcome,
        at_ms,
        ms,
        end_ms: None,
        wasted: None,
        credential: None,
        number: 0,
    }
}

fn table(records: &[Record]) -> Table {
    let mut table = Table::default();
    records.iter().for_each(|record| table.note(record));
    table
}

fn count(series: &Series, name: &str) -> u64 {
    series.count(COUNTS.iter().position(|known| *known == name).unwrap())
}

/// Over all series.
fn sum(table: &Table, name: &str) -> u64 {
    table.iter().map(|(_, series)| count(series, name)).sum()
}
