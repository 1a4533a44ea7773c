//! The spans of a request, from its record: one of the request, as a server, and one of each try, as a client.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>, and for the names
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md>

use serde_json::{Map, Value};

use super::attribute::Attributes;
use crate::{
    config::{Otlp, Snapshot},
    ledger::{
        counted::is_fine,
        record::{HEDGED, OK, Record, Try},
    },
    units::Millis,
    wire::{
        compose::{Members, json},
        json::json_text,
        trace::try_span,
    },
};

/// Below a collector's endpoint.
pub const SPANS_PATH: &str = "/v1/traces";

/// Kinds of spans.
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
/// A status: an error. Another one is not set.
const ERROR: u64 = 2;
/// The parent is known to be elsewhere.
const IS_REMOTE: u64 = 0x300;

/// What the conventions call a provider, where that is not what we call it.
const PROVIDERS: [(&str, &str); 8] = [
    ("azure-openai", "azure.ai.openai"),
    ("bedrock", "aws.bedrock"),
    ("google", "gcp.gemini"),
    ("mistral", "mistral_ai"),
    ("moonshot", "moonshot_ai"),
    ("vertex", "gcp.vertex_ai"),
    ("workers-ai", "cloudflare.workers_ai"),
    ("xai", "x_ai"),
];

/// Whether a request is told to the collector.
pub fn is_told(record: &Record, otlp: &Otlp) -> bool {
    let is_notable = || record.tries.len() > 1 || is_somebodys_fault(record);
    otlp.samples(&record.trace_id, record.sampled) || (record.sampled.is_none() && otlp.keep_errors && is_notable())
}

/// The body of a call to the collector.
pub fn spans(records: &[Record], config: &Snapshot) -> String {
    let spans: Vec<Value> = records.iter().flat_map(|record| of_request(record, config)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut resource = Attributes::default();
    resource.text("service.name", "portolan");
    resource.text("service.version", version);
    resource.text("cloud.provider", "cloudflare");
    let scope = json!({"name": "portolan", "version": version});
    let resource = json!({"attributes": resource.into_value()});
    json_text(&json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]}))
}

fn of_request(record: &Record, config: &Snapshot) -> Vec<Value> {
    let last = record.tries.len().saturating_sub(1);
    let served = record.tries.iter().rposition(|t| t.outcome == OK).unwrap_or(last);
    let mut spans = vec![server(record)];
    for (at, attempt) in record.tries.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| record.tries.get(before));
        let next = record.tries.get(at + 1);
        spans.push(client(record, config, (attempt, at == served), (before, next)));
    }
    spans
}

fn server(record: &Record) -> Value {
    let mut name = operation(record).to_owned();
    if !record.route.is_empty() {
        name = format!("{name} {}", record.route);
    }
    let mut out = Attributes::default();
    if record.status > 0 {
        out.count("http.response.status_code", u64::from(record.status));
    }
    if !is_fine(record.outcome) {
        out.text("error.type", record.outcome);
    }
    for (key, value) in [
        ("portolan.request.id", record.id.as_str()),
        ("portolan.tenant", &record.tenant),
        ("portolan.key", &record.key),
        ("portolan.dialect", record.dialect),
        ("portolan.task", record.task),
        ("portolan.model.asked", &record.asked),
        ("portolan.route", &record.route),
        ("portolan.outcome", record.outcome),
        ("portolan.region", &record.region),
        ("portolan.config", &record.config),
    ] {
        out.text(key, value);
    }
    for (key, value) in [
        ("portolan.rule", record.rule.as_deref()),
        ("portolan.provider", record.provider.as_deref()),
        ("portolan.model", record.model.as_deref()),
        ("portolan.fault", record.fault),
        ("portolan.detail", record.detail.as_deref()),
        ("portolan.cache", record.cache),
        ("portolan.credential", record.credential),
        ("portolan.client_request_id", record.client_request_id.as_deref()),
    ] {
        out.some(key, value);
    }
    out.flag("portolan.stream", record.stream);
    out.flag("portolan.estimated", record.estimated);
    out.count("portolan.tries", u64::try_from(record.tries.len()).unwrap_or_default());
    out.count("portolan.upstream_ms", record.upstream_ms);
    if let Some(first_ms) = record.first_ms {
        out.count("portolan.first_ms", first_ms);
    }
    if let Some(cost) = record.cost {
        out.decimal("portolan.cost_usd", &cost.dollars());
    }
    let is_error = record.status >= 500 || (!is_fine(record.outcome) && is_somebodys_fault(record));
    let (start, end) = (record.time, record.time.plus(record.total_ms));
    let mut span = span((&record.trace_id, &record.span_id, &name, SERVER), (start, end), out, is_error);
    if let Some(parent) = &record.parent_span_id {
        span.put("parentSpanId", parent.as_str());
        span.put("flags", IS_REMOTE | u64::from(record.sampled == Some(true)));
    }
    Value::Object(span)
}

fn client(
    record: &Record,
    config: &Snapshot,
    (attempt, served): (&Try, bool),
    (before, next): (Option<&Try>, Option<&Try>),
) -> Value {
    let operation = operation(record);
    let provider = config.providers.get(&attempt.provider);
    let kind = provider.map_or(attempt.provider.as_str(), |provider| provider.kind.name);
    let kind = if kind.is_empty() { attempt.provider.as_str() } else { kind };
    let mut out = Attributes::default();
    out.text("gen_ai.operation.name", operation);
    out.text("gen_ai.provider.name", PROVIDERS.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, theirs)| theirs));
    out.text("gen_ai.request.model", &attempt.model);
    out.flag("gen_ai.request.stream", record.stream);
    if let Some((host, port)) = provider.and_then(|provider| place(&provider.base_url)) {
        out.text("server.address", host);
        out.count("server.port", port);
    }
    if attempt.status > 0 {
        out.count("http.response.status_code", u64::from(attempt.status));
    }
    // A stream that broke after its first content: its try had gone well until then.
    let broke = served && next.is_none() && attempt.outcome == OK && !is_fine(record.outcome);
    let outcome = if broke { record.outcome } else { attempt.outcome };
    if !matches!(outcome, OK | HEDGED) {
        out.text("error.type", outcome);
    }
    out.text("portolan.provider", &attempt.provider);
    out.text("portolan.reason", &attempt.reason);
    out.text("portolan.outcome", outcome);
    out.some("portolan.credential", attempt.credential);
    if let Some(wasted) = attempt.wasted {
        out.decimal("portolan.wasted_usd", &wasted.dollars());
    }
    if served {
        answered(&mut out, record, attempt);
    }
    let start = record.time.plus(attempt.at_ms);
    let streamed = record.stream && (200..300).contains(&attempt.status) && outcome != HEDGED;
    let end = match next {
        _ if !streamed => start.plus(attempt.ms),
        Some(next) => start.plus(attempt.ms).max(record.time.plus(next.at_ms)),
        None => start.plus(attempt.ms).max(record.time.plus(record.total_ms)),
    };
    let id = try_span(&record.span_id, attempt.number);
    let name = format!("{operation} {}", attempt.model);
    let is_error = !matches!(outcome, OK | HEDGED);
    let mut span = span((&record.trace_id, &id, &name, CLIENT), (start, end), out, is_error);
    span.put("parentSpanId", record.span_id.as_str());
    if let Some(before) = before {
        span.put("links", json!([link(record, attempt, before)]));
    }
    Value::Object(span)
}

/// What the answer used. On one span of a request only: whoever adds up counts it once.
fn answered(out: &mut Attributes, record: &Record, attempt: &Try) {
    out.some("gen_ai.response.model", record.answered_by.as_deref());
    out.some("gen_ai.response.id", record.response_id.as_deref());
    if let Some(usage) = record.usage {
        let input = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
        for (key, tokens) in [("gen_ai.usage.input_tokens", input), ("gen_ai.usage.output_tokens", usage.output)] {
            out.count(key, tokens);
        }
        for (key, tokens) in [
            ("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
            ("gen_ai.usage.cache_write.input_tokens", usage.cache_write),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ] {
            if tokens > 0 {
                out.count(key, tokens);
            }
        }
    }
    if record.stream && attempt.outcome == OK {
        let (seconds, rest) = (attempt.ms / 1_000, attempt.ms % 1_000);
        out.decimal("gen_ai.response.time_to_first_chunk", &format!("{seconds}.{rest:03}"));
    }
}

/// To the try that this one stands in for.
fn link(record: &Record, attempt: &Try, before: &Try) -> Value {
    let word = match (attempt.is_hedge(), attempt.is_to_the_target_of(before)) {
        (true, _) => "hedge",
        (false, true) => "retry",
        (false, false) => "failover",
    };
    let mut out = Attributes::default();
    out.text("portolan.link", word);
    let id = try_span(&record.span_id, before.number);
    json!({"traceId": record.trace_id.as_str(), "spanId": id, "attributes": out.into_value()})
}

fn span(
    (trace, id, name, kind): (&str, &str, &str, u64),
    (start, end): (Millis, Millis),
    attributes: Attributes,
    is_error: bool,
) -> Map<String, Value> {
    let mut span = Map::new();
    span.put("traceId", trace);
    span.put("spanId", id);
    span.put("name", name);
    span.put("kind", kind);
    span.put("startTimeUnixNano", nanos(start));
    span.put("endTimeUnixNano", nanos(end));
    span.put("attributes", attributes.into_value());
    if is_error {
        span.put("status", json!({"code": ERROR}));
    }
    span
}

fn nanos(at: Millis) -> String {
    format!("{}000000", at.0)
}

/// The gateway's or a provider's.
fn is_somebodys_fault(record: &Record) -> bool {
    record.fault.is_some() && !record.is_callers_fault()
}

/// In the conventions' words, where they have one.
fn operation(record: &Record) -> &'static str {
    match (record.task, record.dialect) {
        ("generate", "openai-completions") => "text_completion",
        ("generate", _) => "chat",
        ("embed", _) => "embeddings",
        ("", _) => "forward",
        (task, _) => task,
    }
}

/// Host and port of a base URL.
fn place(url: &str) -> Option<(&str, u64)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let usual = if scheme == "http" { 80 } else { 443 };
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, port.parse().unwrap_or(usual))),
        _ => Some((authority, usual)),
    }
}
