//! What an object stores and selects, in SQL. What is filtered by stands in columns of its own, in rows of a hundred bytes:
//! no filter reads the text of a record.

use super::Question;

/// Two rows a request and two entries of indexes; one more of each kind for what is rare and looked for: failures, failovers.
pub const TABLES: [&str; 6] = [
    "CREATE TABLE IF NOT EXISTS facts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER, key TEXT, route TEXT, \
     provider TEXT, model TEXT, asked TEXT, answered TEXT, client TEXT, response TEXT, status INTEGER, outcome TEXT, \
     fault TEXT, ms INTEGER, first_ms INTEGER, cost INTEGER, failed INTEGER, failover INTEGER)",
    "CREATE TABLE IF NOT EXISTS texts (seq INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS facts_key ON facts (key)",
    "CREATE INDEX IF NOT EXISTS facts_fault ON facts (fault) WHERE fault IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS facts_failed ON facts (failed) WHERE failed = 1",
    "CREATE INDEX IF NOT EXISTS facts_failover ON facts (failover) WHERE failover = 1",
];

/// Takes records in from a place on: the message, and the place as text. What is there already stays as it is. Materialized:
/// else each look at `value` writes the whole record out anew. A failover is what `Record::failovers` counts.
pub const STORE: &str = "WITH told AS MATERIALIZED (SELECT key, value FROM json_each(?, '$.records')) \
     INSERT OR IGNORE INTO facts SELECT CAST(? AS INTEGER) + told.key, value ->> 'id', value ->> 'time', \
     value ->> 'key', value ->> 'route', value ->> 'provider', value ->> 'model', value ->> 'asked', value ->> 'answered_by', \
     value ->> 'client_request_id', value ->> 'response_id', value ->> 'status', value ->> 'outcome', value ->> 'fault', \
     value ->> 'total_ms', value ->> 'first_ms', value ->> 'cost', value ->> 'status' >= 400, \
     (SELECT count(DISTINCT json_array(try.value ->> 'provider', try.value ->> 'model')) > 1 FROM json_each(told.value, '$.tries') AS try \
     WHERE try.value ->> 'outcome' IS NOT 'hedged') \
     FROM told";
/// And their texts: the message once more.
pub const TEXTS: &str = "WITH told AS MATERIALIZED (SELECT value FROM json_each(?, '$.records')) \
     INSERT OR IGNORE INTO texts SELECT facts.seq, told.value FROM told CROSS JOIN facts ON facts.id = told.value ->> 'id'";
/// Who keeps which answers: tenant, and the message.
pub const KEEP: &str = "INSERT OR REPLACE INTO kept SELECT value ->> 0, ?, value ->> 1 FROM json_each(?, '$.kept')";
/// Deletes what stands before a place, texts first.
pub const OLD: [&str; 2] =
    ["DELETE FROM texts WHERE seq < CAST(? AS INTEGER)", "DELETE FROM facts WHERE seq < CAST(? AS INTEGER)"];

impl Question {
    /// What one object is to select, and the texts to bind: a line a row, its place, its id and its record.
    pub fn statement(&self, floor: u64, until: u64, limit: usize) -> (String, Vec<String>) {
        let (low, high) = self.places();
        let (low, high) = (low.max(floor), high.min(until));
        let mut conditions = vec![format!("facts.seq >= {low} AND facts.seq <= {high}")];
        let mut bound = vec![];
        if let Some(before) = &self.before {
            conditions.push(format!("(facts.seq < {} OR facts.id < ?)", before.place));
            bound.push(before.id.clone());
        }
        conditions.extend(self.conditions.iter().cloned());
        bound.extend(self.bound.iter().cloned());
        let conditions = conditions.join(" AND ");
        let select = "SELECT facts.seq || ' ' || facts.id || ' ' || texts.record || char(10) FROM facts CROSS JOIN texts";
        let order = "ORDER BY facts.seq DESC LIMIT";
        (format!("{select} ON texts.seq = facts.seq WHERE {conditions} {order} {limit}"), bound)
    }
}
