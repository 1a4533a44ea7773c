//! What goes outside of each request, after it and beside the journal: spans to the operator's collector, records to its
//! webhook. Whoever is slow there holds up nobody: what has no room in its queue is lost, counted, and said.

use futures::future::join;
use worker::{Env, console_error};

use super::{bindings, clock, edge, isolate, store};
use crate::{
    config::{Otlp, Settings},
    ledger::record::Record,
    telemetry::{self, Answer, Queue, Verdict},
    units::Millis,
};

/// Until the receiver's answer is there.
const TIMEOUT_MS: f64 = 5_000.0;
/// Batches that one request's afterwards sends: the rest is the next one's.
const MAX_BATCHES: usize = 8;

/// What waits for its receivers.
#[derive(Default)]
pub struct Outward {
    spans: Queue<Record>,
    records: Queue<String>,
}

/// Notes what is to be told of a request. `line` is the record as JSON.
pub fn note(record: &Record, line: &str, settings: &Settings) {
    let is_told = settings.traces().is_some_and(|otlp| telemetry::is_told(record, otlp));
    let is_hooked = settings.records_webhook.is_some();
    if is_told || is_hooked {
        isolate::with(|i| {
            let mut outward = i.outward.borrow_mut();
            if is_told {
                outward.spans.push(record.clone());
            }
            if is_hooked {
                outward.records.push(line.to_owned());
            }
        });
    }
}

/// A full batch does not wait.
pub fn is_due(now: Millis) -> bool {
    isolate::with(|i| {
        let outward = i.outward.borrow();
        outward.spans.is_due(now) || outward.records.is_due(now)
    })
}

/// Sends what waits.
pub async fn send(env: &Env) {
    let (spans, records) = isolate::with(|i| {
        let outward = i.outward.borrow();
        (!outward.spans.is_empty(), !outward.records.is_empty())
    });
    let telling = async {
        if spans {
            send_spans().await;
        }
    };
    let hooking = async {
        if records {
            send_records(env).await;
        }
    };
    join(telling, hooking).await;
}

async fn send_spans() {
    for _ in 0..MAX_BATCHES {
        let now = clock::now();
        let Some(config) = isolate::with(|i| i.loaded.borrow().as_ref().map(|loaded| loaded.snapshot.clone())) else { return };
        let (batch, lost) = isolate::with(|i| {
            let spans = &mut i.outward.borrow_mut().spans;
            (spans.take(now), spans.take_lost())
        });
        complain("spans of requests", lost, "there was no room for more");
        if batch.is_empty() {
            return;
        }
        let done = match config.settings.traces() {
            Some(otlp) => collect(otlp, telemetry::SPANS_PATH, &telemetry::spans(&batch, &config)).await,
            // Nobody wants to know any more.
            None => Ok(0),
        };
        isolate::with(|i| {
            let spans = &mut i.outward.borrow_mut().spans;
            match done {
                Ok(rejected) => {
                    complain("spans", rejected, "the collector took the rest");
                    spans.sent();
                }
                Err((why, rest_ms)) => {
                    complain("spans of requests", count(&batch), &format!("the collector of `otlp`: {why}"));
                    spans.gave_up(clock::now().plus(rest_ms));
                }
            }
        });
    }
}

async fn send_records(env: &Env) {
    for _ in 0..MAX_BATCHES {
        let now = clock::now();
        let (batch, lost) = isolate::with(|i| {
            let records = &mut i.outward.borrow_mut().records;
            let batch = records.take(now);
            let lost = if batch.is_empty() { 0 } else { records.take_lost() };
            (batch, lost)
        });
        if batch.is_empty() {
            return;
        }
        complain("records for the webhook", lost, "there was no room for more");
        let webhook = isolate::with(|i| i.loaded.borrow().as_ref().and_then(|l| l.snapshot.settings.records_webhook.clone()));
        let done = match webhook {
            Some(url) => hook(env, &url, &telemetry::deliveries(&batch, lost, now), now).await,
            None => Ok(0),
        };
        isolate::with(|i| {
            let records = &mut i.outward.borrow_mut().records;
            match done {
                Ok(_) => records.sent(),
                Err((why, rest_ms)) => {
                    console_error!("the webhook was not told of {} records, and will be again: {why}", batch.len());
                    records.put_back(batch, clock::now().plus(rest_ms.max(REST_MS)));
                }
            }
        });
    }
}

/// A webhook that failed is left alone at least so long.
const REST_MS: u64 = 10_000;

async fn hook(env: &Env, url: &str, body: &str, now: Millis) -> Result<u64, (String, u64)> {
    let keys = store::webhook_keys(env, now).await.map_err(|words| (words.to_owned(), 0))?;
    // The same for both tries, so that a receiver can tell one event from two.
    let id = format!("records_{}", edge::random_id());
    deliver(url, &keys.headers(&id, body, now), body).await
}

/// Tells the operator's collector: how many it rejected; or why it took nothing, and how long to rest.
pub async fn collect(otlp: &Otlp, path: &str, body: &str) -> Result<u64, (String, u64)> {
    let headers: Vec<(&str, String)> = otlp.headers.iter().map(|header| (header.name.as_str(), header.value.clone())).collect();
    deliver(&format!("{}{path}", otlp.endpoint), &headers, body).await
}

/// Sends one batch, twice if need be. How many of it were rejected; or why it was not taken, and how long to rest.
async fn deliver(url: &str, headers: &[(&str, String)], body: &str) -> Result<u64, (String, u64)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (answer, words) = match bindings::post(url, headers, body, TIMEOUT_MS).await {
            Ok(answer) => {
                let words = format!("it answered {}", answer.status);
                (answer, words)
            }
            Err(words) => (Answer::default(), words),
        };
        match telemetry::judge(&answer, tries) {
            Verdict::Taken { rejected } => return Ok(rejected),
            Verdict::Again(ms) => edge::pause(ms).await,
            Verdict::Lost { rest_ms } => return Err((words, rest_ms)),
        }
    }
}

fn count<T>(batch: &[T]) -> u64 {
    u64::try_from(batch.len()).unwrap_or_default()
}

/// Says what did not arrive, if anything did not.
pub fn complain(what: &str, lost: u64, why: &str) {
    if lost > 0 {
        console_error!("{lost} {what} were lost: {why}");
    }
}
