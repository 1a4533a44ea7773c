//! What is said of each call: joined to the table of calls by method and path.

/// A member of a query: name, JSON type, and what it says.
pub(super) type Query = &'static [(&'static str, &'static str, &'static str)];

pub(super) struct Row {
    pub call: &'static str,
    pub summary: &'static str,
    pub query: Query,
    /// A component, or `object`; empty: no body.
    pub body: &'static str,
    /// Successful statuses.
    pub done: &'static [u16],
}

const NONE: Query = &[];
const DRY_RUN: (&str, &str, &str) =
    ("dry_run", "boolean", "Say what would come of it, and write nothing. `If-Match` is not needed then.");
const DOCUMENT: (&str, &str, &str) = ("document", "document", "Which document.");
const TENANT: (&str, &str, &str) =
    ("tenant", "string", "Whose chain: `default` unless it says, `@operator` for what is no tenant's.");

const REQUESTS: Query = &[
    ("tenant", "string", "Names of tenants, with commas between; all unless it says."),
    ("key", "string", "Names of gateway keys, with commas between."),
    ("route", "string", "Names of routes, with commas between."),
    ("provider", "string", "Names of providers, with commas between."),
    ("model", "string", "Names of models as asked for, served or answered, with commas between."),
    ("status", "string", "`200`, `4xx` or `400-499`, with commas between."),
    ("outcome", "string", "Outcomes, with commas between."),
    ("min_ms", "integer", "At least so many milliseconds in all."),
    ("max_ms", "integer", "At most so many milliseconds in all."),
    ("min_first_ms", "integer", "At least so many milliseconds to the first token."),
    ("min_cost_usd", "string", "At least so many dollars."),
    ("failover", "boolean", "Whether more than one target was tried."),
    ("fault", "string", "Whose fault, with commas between."),
    ("id", "string", "A part of the gateway's, the caller's or the provider's id."),
    ("from", "string", "A day, a time or milliseconds since 1970."),
    ("to", "string", "The same; left out itself."),
    ("before", "string", "A cursor: what a page's `next` said."),
    ("after", "string", "A cursor, what a page's `newest` said: what came since."),
    ("limit", "integer", "1 to 500 records; 50 unless it says."),
];
const METRICS: Query = &[
    ("window", "string", "`1h`, `24h`, `7d` or `30d`."),
    ("group_by", "string", "Labels, with commas between."),
    ("route", "string", "Names, with commas between."),
    ("provider", "string", "Names, with commas between."),
    ("model", "string", "Names, with commas between."),
    ("region", "string", "Names, with commas between."),
    ("outcome", "string", "Names, with commas between."),
];
const HEALTH: Query = &[
    ("region", "string", "One region; all unless it says."),
    ("history", "boolean", "Also what changed, newest first, 500 a region."),
];
const USAGE: Query = &[
    ("key", "string", "Names, with commas between."),
    ("tenant", "string", "Names, with commas between."),
    ("tag", "string", "Names, with commas between."),
    ("user", "string", "Names, with commas between."),
    ("route", "string", "Names, with commas between."),
    ("provider", "string", "Names, with commas between."),
    ("model", "string", "Names, with commas between."),
    ("from", "string", "A day or a time; its hour is the first."),
    ("to", "string", "A day or a time."),
    ("group_by", "string", "Dimensions, with commas between."),
    ("format", "string", "`json`, `csv` or `jsonl`."),
];
const AUDIT: Query = &[
    TENANT,
    ("after", "integer", "The number of an entry: those after it."),
    ("limit", "integer", "1 to 1000 entries; 100 unless it says."),
    ("format", "string", "`json`, or `jsonl` for all of the chain as a stream."),
];
const VERIFY: Query = &[TENANT, ("head", "string", "NUMBER-HASH that was kept elsewhere.")];
const KEYS: Query = &[
    ("limit", "integer", "1 to 100 keys; 50 unless it says."),
    ("cursor", "string", "What the page before said."),
    ("tenant", "string", "Of one tenant."),
];

const fn row(call: &'static str, summary: &'static str, query: Query, body: &'static str) -> Row {
    Row { call, summary, query, body, done: &[200] }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("GET requests", "Records of requests, newest first", REQUESTS, ""),
    row("GET requests/{id}", "One record", &[("tenant", "string", "Whose it is, where that is known: one journal is asked instead of all.")], ""),
    row("GET requests/{id}/replay", "Makes the decision of a recorded request again, and says whether it is the same", NONE, ""),
    row("GET metrics", "Counters and latencies of a window, by step and by group", METRICS, ""),
    row("GET health", "What each region knows of providers", HEALTH, ""),
    row("POST health/{target}", "Drains, forces or resets a target", NONE, "HealthOrder"),
    row("PUT health/{target}", "The same as POST", NONE, "HealthOrder"),
    row("GET config", "Whether all documents are in force, and what is wrong with those that are not", NONE, ""),
    row("GET config/versions", "Versions of a document, newest first, the last 100", &[DOCUMENT], ""),
    row("GET config/versions/{version}", "The text of a version, with its ETag", &[DOCUMENT], ""),
    row("GET config/versions/{version}/diff", "What makes this version of another", &[DOCUMENT, ("against", "string", "The other: a version or `current`; the one before unless it says.")], ""),
    Row { done: &[200, 201], ..row("POST config/versions/{version}/revert", "Puts a version in force again; needs `If-Match` of the current one", &[DOCUMENT, DRY_RUN], "") },
    row("GET prices", "Every price in force, and its source", NONE, ""),
    row("GET prices/document", "The operator's document `prices`, with its ETag", NONE, ""),
    row("POST explain", "What would become of a request; nothing is sent", NONE, "object"),
    row("POST simulate", "The same with faults", NONE, "object"),
    row("GET tenants/{tenant}/secrets", "A tenant's own keys for providers, by fingerprint", NONE, ""),
    row("PUT tenants/{tenant}/secrets/{provider}", "Brings a tenant's own key, kept encrypted", NONE, "OwnKey"),
    row("DELETE tenants/{tenant}/secrets/{provider}", "Takes it away", NONE, ""),
    row("GET usage", "Sums of requests, tokens and cost", USAGE, ""),
    row("GET audit", "Entries of an audit chain", AUDIT, ""),
    row("GET audit/verify", "Whether the chain holds", VERIFY, ""),
    row("GET audit/head", "Where it ends", &[TENANT], ""),
    row("GET keys", "Gateway keys, without the keys themselves", KEYS, ""),
    Row { done: &[201], ..row("POST keys", "Makes a key; this answer alone has it", NONE, "key") },
    row("GET keys/{key}", "One key's entry, with its ETag", NONE, ""),
    row("PUT keys/{key}", "Replaces the entry", NONE, "key"),
    row("PATCH keys/{key}", "Changes members of it (RFC 7396)", NONE, "object"),
    row("DELETE keys/{key}", "Deletes it", NONE, ""),
    Row { done: &[201], ..row("POST keys/{key}/rotate", "A new key in its place; the old one ends after `overlap_s`", NONE, "Rotation") },
    row("POST keys/{key}/disable", "Shuts it", NONE, ""),
    row("POST keys/{key}/enable", "Opens it again", NONE, ""),
    row("GET openapi.json", "This description", NONE, ""),
    row("GET schema/key", "The JSON Schema of a gateway key's entry", NONE, ""),
    row("GET schema/{document}", "The JSON Schema of a document", NONE, ""),
    row("GET {document}", "A document as it was written, with its ETag", NONE, ""),
    Row { done: &[200, 201], ..row("PUT {document}", "Replaces a document, if all hold together; needs `If-Match` where there is one", &[DRY_RUN], "{document}") },
];
