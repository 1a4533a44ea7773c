//! Where the records of requests go: noted when a request ends, handed in together when nobody waits.

use futures::future::join;
use worker::{Env, console_log};

use super::{clock, edge, health_object, isolate, journal_object, metrics, metrics_object, outward, till};
use crate::{config::Settings, ledger::record::Record};

/// Takes a record in, in the request's own turn: what costs more than noting is left for `hand_in`.
pub fn note(record: &Record, settings: &Settings) {
    isolate::with(|i| i.metrics.borrow_mut().note(record));
    metrics::note_point(record, settings);
    keep(record, settings);
}

/// The same of a request that is nobody's, and counts as none.
pub fn keep(record: &Record, settings: &Settings) {
    if let (Some(response), Some(provider)) = (&record.response_id, &record.provider) {
        isolate::remember_owner(response.clone(), record.tenant.clone(), provider.clone());
    }
    let Ok(line) = serde_json::to_string(record) else { return };
    if settings.log_console {
        console_log!("{line}");
    }
    outward::note(record, &line, settings);
    journal_object::note(record, line, settings);
}

/// Records sent together: one call to the object a second and isolate, not one a request.
const BATCH_MS: u64 = 1_000;
/// Somebody who promised to send and was never heard of again was ended by the runtime.
const LOST_MS: u64 = 10_000;

/// After a request: tells health and journal what is due, at most once a second unless something changed.
pub async fn flush(env: &Env, region: &str) {
    join(flush_records(env, region), metrics_object::flush(env)).await;
}

async fn flush_records(env: &Env, region: &str) {
    health_object::sync(env, region).await;
    let now = clock::now();
    let wait = isolate::with(|i| {
        let promised = i.promised.get().is_some_and(|at| now.since(at) < LOST_MS);
        match (promised, i.journal.borrow().is_full() || outward::is_due(now)) {
            (_, true) => Some(0),
            (true, false) => None,
            (false, false) => {
                i.promised.set(Some(now));
                Some(BATCH_MS)
            }
        }
    });
    let Some(wait) = wait else { return };
    if wait > 0 {
        edge::pause(wait).await;
    }
    let ours = async {
        hand_in(env).await;
        health_object::sync(env, region).await;
    };
    // Whoever is slow outside holds up nothing of ours.
    join(ours, outward::send(env)).await;
}

/// All records to the journals, and to ledgers what they were not told.
pub async fn hand_in(env: &Env) {
    metrics::write_points(env);
    till::deliver_all(env).await;
    isolate::with(|i| i.promised.set(None));
    journal_object::deliver(env).await;
}
