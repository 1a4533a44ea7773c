//! What is said of each call: joined to the table of calls by method and path.

use super::{
    kinds::Member,
    queries::{AGAINST, AUDIT, CHAIN, DOCUMENT, DRY_RUN, HEALTH, KEYS, METRICS, REQUESTS, USAGE, VERIFY, WHOSE},
};

/// A call that an answer leads to, and what it gives for its parameters.
pub(super) type Link = (&'static str, &'static [(&'static str, &'static str)]);

pub(super) struct Row {
    pub call: &'static str,
    pub summary: &'static str,
    /// A component; `{document}`: the document's own.
    pub answer: &'static str,
    pub query: &'static [Member],
    /// A component; empty: no body.
    pub body: &'static str,
    /// Successful statuses.
    pub done: &'static [u16],
    /// Media types of the answer, the usual one first.
    pub media: &'static [&'static str],
    pub links: &'static [Link],
}

impl Row {
    const fn asks(self, query: &'static [Member]) -> Self {
        Self { query, ..self }
    }

    const fn takes(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    const fn done(self, done: &'static [u16]) -> Self {
        Self { done, ..self }
    }

    const fn written(self, media: &'static [&'static str]) -> Self {
        Self { media, ..self }
    }

    const fn leads(self, links: &'static [Link]) -> Self {
        Self { links, ..self }
    }
}

const fn row(call: &'static str, summary: &'static str, answer: &'static str) -> Row {
    Row { call, summary, answer, query: &[], body: "", done: &[200], media: &["application/json"], links: &[] }
}

/// The newest record.
const RECORD: &[(&str, &str)] = &[("id", "$response.body#/data/0/id")];
/// The first key of a list, and the one that was made.
const LISTED_KEY: &[(&str, &str)] = &[("key", "$response.body#/data/0/id")];
const KEY: &[(&str, &str)] = &[("key", "$response.body#/id")];
/// The newest version, and the one before.
const NEWEST: &[(&str, &str)] = &[("version", "$response.body#/data/0/version"), ("document", "$request.query.document")];
const BEFORE: &[(&str, &str)] =
    &[("version", "$response.body#/data/1/version"), ("document", "$request.query.document"), ("header.If-Match", "*")];
/// The text that was read may be changed.
const READ: &[(&str, &str)] = &[("header.If-Match", "$response.header.ETag")];
/// The tenant that was asked for.
const TENANT: &[(&str, &str)] = &[("tenant", "$response.body#/tenant"), ("provider", "$response.body#/data/0/provider")];

const SCHEMA: &[&str] = &["application/schema+json"];

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("GET requests", "Records of requests, newest first", "Records").asks(REQUESTS)
        .leads(&[("GET requests/{id}", RECORD), ("GET requests/{id}/replay", RECORD)]),
    row("GET requests/{id}", "One record", "FoundRecord").asks(&[WHOSE]),
    row("GET requests/{id}/replay", "Makes the decision of a recorded request again, and says whether it is the same", "Replay").asks(&[WHOSE]),
    row("GET metrics", "Counters and latencies of a window, by step and by group", "Metrics").asks(METRICS),
    row("GET health", "What each region knows of providers", "Health").asks(HEALTH),
    row("POST health/{target}", "Drains, forces or resets a target", "Health").takes("HealthOrder"),
    row("PUT health/{target}", "The same as POST", "Health").takes("HealthOrder"),
    row("GET config", "Whether all documents are in force, and what is wrong with those that are not", "Config"),
    row("GET config/versions", "Versions of a document, newest first, the last 100", "Versions").asks(&[DOCUMENT])
        .leads(&[("GET config/versions/{version}", NEWEST), ("GET config/versions/{version}/diff", NEWEST), ("POST config/versions/{version}/revert", BEFORE)]),
    row("GET config/versions/{version}", "The text of a version, with its ETag", "Document").asks(&[DOCUMENT]),
    row("GET config/versions/{version}/diff", "What makes this version of another", "Diff").asks(&[DOCUMENT, AGAINST]),
    row("POST config/versions/{version}/revert", "Puts a version in force again; needs `If-Match` of the current one", "Written").asks(&[DOCUMENT, DRY_RUN]).done(&[200, 201]),
    row("GET prices", "Every price in force, and its source", "Prices"),
    row("GET prices/document", "The operator's document `prices`, with its ETag", "prices").leads(&[("PUT prices", READ)]),
    row("POST explain", "What would become of a request; nothing is sent", "Explanation").takes("Asking"),
    row("POST simulate", "The same with faults", "Simulation").takes("Simulating"),
    row("GET tenants/{tenant}/secrets", "A tenant's own keys for providers, by fingerprint", "OwnKeys")
        .leads(&[("DELETE tenants/{tenant}/secrets/{provider}", TENANT)]),
    row("PUT tenants/{tenant}/secrets/{provider}", "Brings a tenant's own key, kept encrypted", "OwnKeys").takes("OwnKey"),
    row("DELETE tenants/{tenant}/secrets/{provider}", "Takes it away", "OwnKeys"),
    row("GET usage", "Sums of requests, tokens and cost", "Report").asks(USAGE).written(&["application/json", "text/csv; charset=utf-8", "application/x-ndjson"]),
    row("GET audit", "Entries of an audit chain", "AuditPage").asks(AUDIT).written(&["application/json", "application/jsonl; charset=utf-8"]),
    row("GET audit/verify", "Whether the chain holds", "Verdict").asks(VERIFY),
    row("GET audit/head", "Where it ends", "AuditHead").asks(&[CHAIN]),
    row("GET keys", "Gateway keys, without the keys themselves", "Keys").asks(KEYS).leads(&[("GET keys/{key}", LISTED_KEY)]),
    row("POST keys", "Makes a key; this answer alone has it", "NewKey").takes("KeyEntry").done(&[201])
        .leads(&[("GET keys/{key}", KEY), ("PUT keys/{key}", KEY), ("PATCH keys/{key}", KEY), ("DELETE keys/{key}", KEY),
            ("POST keys/{key}/rotate", KEY), ("POST keys/{key}/disable", KEY), ("POST keys/{key}/enable", KEY)]),
    row("GET keys/{key}", "One key's entry, with its ETag", "Key"),
    row("PUT keys/{key}", "Replaces the entry", "Key").takes("KeyEntry"),
    row("PATCH keys/{key}", "Changes members of it (RFC 7396)", "Key").takes("KeyPatch"),
    row("DELETE keys/{key}", "Deletes it", "DeletedKey"),
    row("POST keys/{key}/rotate", "A new key in its place; the old one ends after `overlap_s`", "NewKey").takes("Rotation").done(&[201]),
    row("POST keys/{key}/disable", "Shuts it", "Key"),
    row("POST keys/{key}/enable", "Opens it again", "Key"),
    row("GET openapi.json", "This description", "OpenApi"),
    row("GET schema/key", "The JSON Schema of a gateway key's entry", "JsonSchema").written(SCHEMA),
    row("GET schema/{document}", "The JSON Schema of a document", "JsonSchema").written(SCHEMA),
    row("GET {document}", "A document as it was written, with its ETag", "{document}").leads(&[("PUT {document}", READ)]),
    row("PUT {document}", "Replaces a document, if all hold together; needs `If-Match` where there is one", "Written").asks(&[DRY_RUN]).takes("{document}").done(&[200, 201]),
];
