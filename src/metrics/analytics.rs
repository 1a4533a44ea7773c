//! A request as one data point of Analytics Engine.

use serde_json::Value;

use crate::{
    ledger::{counted::begun_ms, record::Record},
    wire::compose::json,
};

/// Bytes of an index.
pub const INDEX_BYTES: usize = 96;
/// Points that one invocation may write.
pub const MAX_POINTS: usize = 250;

/// Its index, its texts and its numbers, in the order that `docs/metrics.md` names. All texts of a record are names of 128
/// characters at most: together they are far from the 16 KB that a point may have.
pub fn point(record: &Record) -> Value {
    let index = &record.tenant;
    let mut end = index.len().min(INDEX_BYTES);
    while !index.is_char_boundary(end) {
        end -= 1;
    }
    let usage = record.usage.unwrap_or_default();
    let cost = record.cost.unwrap_or_default().dollars().parse().unwrap_or(0.0_f64);
    let begun = begun_ms(&record.tries).filter(|_| record.stream);
    json!({
        "indexes": [index.get(..end)],
        "blobs": [
            record.route.as_str(), record.provider.as_deref(), record.model.as_deref(), record.region.as_str(), record.task,
            record.outcome, record.fault, record.dialect, record.key.as_str(), record.tenant.as_str(), record.cache,
            record.id.as_str(),
        ],
        "doubles": [
            u64::from(record.status), record.total_ms, begun.unwrap_or(0), record.upstream_ms,
            record.tries.len(), usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning, cost,
            u64::from(record.stream),
        ],
    })
}
