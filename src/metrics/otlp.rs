//! The same for a collector: OTLP's metrics as JSON, cumulative.

use serde_json::Value;

use super::{
    families::{FAMILIES, SPREADS, Times, seconds, without_outcomes},
    series::{LABELS, Series},
    table::Table,
};
use crate::{
    ledger::counted::is_fine,
    units::Millis,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// What follows the collector's endpoint.
pub const METRICS_PATH: &str = "/v1/metrics";
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u64 = 2;
/// The attribute of each label: the conventions' own where there is one.
const ATTRIBUTES: [&str; LABELS.len()] = [
    "portolan.route",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "portolan.region",
    "gen_ai.operation.name",
    "portolan.outcome",
];
/// What the conventions call an operation.
const OPERATIONS: [(&str, &str); 2] = [("generate", "chat"), ("embed", "embeddings")];
/// All of the prompt, cached or not.
const PROMPT: &str = "gen_ai.client.inference.usage.input_tokens";
/// The conventions have these told by modality, or as of none that is known.
const USAGE: &str = "gen_ai.client.inference.usage.";

/// One message for `POST /v1/metrics`. `since`: when counting began.
pub fn export(table: &Table, since: Millis, now: Millis, version: &str) -> String {
    let span = (nanos(since), nanos(now));
    let mut metrics = vec![];
    for family in &FAMILIES {
        let number = |series: &Series| {
            let count = family.of(series)?;
            // Dollars may be broken: those are doubles. Others are numbers, not text: receivers must read both, and those
            // made of Rust read text as nothing (<https://github.com/open-telemetry/opentelemetry-rust/issues/3527>).
            let value = if family.is_money() { json!(family.text(count).parse().unwrap_or(0.0_f64)) } else { json!(count) };
            Some((if family.is_money() { "asDouble" } else { "asInt" }, value))
        };
        metrics.push(sum(family.otlp, family.unit, family.help, points(table, &span, number)));
    }
    let prompt = |series: &Series| {
        let [_, _, _, _, _, _, _, _, _, input, cache_read, cache_write, ..] = *series.counts();
        let all = input.saturating_add(cache_read).saturating_add(cache_write);
        (all > 0).then(|| ("asInt", json!(all)))
    };
    metrics.push(sum(PROMPT, "{token}", "Tokens of prompts, cached or not.", points(table, &span, prompt)));
    let series = without_outcomes(table);
    metrics.extend(SPREADS.iter().map(|times| spread(times, &series, &span)));
    metrics.retain(|metric| !metric.is_null());
    let own = json!([attribute("service.name", "portolan"), attribute("service.version", version)]);
    let scope = json!({"scope": {"name": "portolan", "version": version}, "metrics": metrics});
    let resource = json!({"resource": {"attributes": own}, "scopeMetrics": [scope]});
    json_text(&json!({"resourceMetrics": [resource]}))
}

type Span = (String, String);

fn points(table: &Table, span: &Span, number: impl Fn(&Series) -> Option<(&'static str, Value)>) -> Vec<Value> {
    let point = |names: &[String], (kind, value): (&str, Value)| {
        let mut point = point(names.iter().map(String::as_str), span);
        if let Value::Object(point) = &mut point {
            point.put(kind, value);
        }
        point
    };
    table.iter().filter_map(|(names, series)| Some(point(names, number(series)?))).collect()
}

fn sum(name: &str, unit: &str, help: &str, mut points: Vec<Value>) -> Value {
    if points.is_empty() {
        return Value::Null;
    }
    if name.starts_with(USAGE) {
        for attributes in points.iter_mut().filter_map(|point| point.get_mut("attributes")?.as_array_mut()) {
            attributes.push(attribute("gen_ai.token.modality", "unknown"));
        }
    }
    let sum = json!({"aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points});
    json!({"name": name, "unit": unit, "description": help, "sum": sum})
}

fn spread(times: &Times, all: &[(Vec<&str>, Series)], span: &Span) -> Value {
    let double = |text: String| text.parse().unwrap_or(0.0_f64);
    let bounds: Vec<f64> = times.edges().map(|edge| double(seconds(edge))).collect();
    let mut points = vec![];
    for (names, series) in all {
        let Some(spread) = series.time(times.which).filter(|spread| spread.count() > 0) else { continue };
        let (mut counts, mut below) = (vec![], 0);
        for up_to in times.edges().map(|edge| spread.up_to(edge)).chain([spread.count()]) {
            counts.push(up_to - below);
            below = up_to;
        }
        let mut point = point(names.iter().copied(), span);
        if let Value::Object(point) = &mut point {
            point.put("count", spread.count());
            point.put("sum", double(seconds(spread.sum_ms())));
            point.put("bucketCounts", counts);
            point.put("explicitBounds", bounds.clone());
        }
        points.push(point);
    }
    if points.is_empty() {
        return Value::Null;
    }
    let histogram = json!({"aggregationTemporality": CUMULATIVE, "dataPoints": points});
    json!({"name": times.otlp, "unit": "s", "description": times.help, "histogram": histogram})
}

fn point<'a>(names: impl Iterator<Item = &'a str>, (since, now): &Span) -> Value {
    let mut attributes = vec![];
    for (key, name) in ATTRIBUTES.iter().zip(names) {
        let operation = OPERATIONS.iter().find(|(own, _)| *own == name);
        let is_error = *key == "portolan.outcome" && !is_fine(name);
        let name = operation.filter(|_| *key == "gen_ai.operation.name").map_or(name, |(_, theirs)| *theirs);
        attributes.push(attribute(key, name));
        if is_error {
            attributes.push(attribute("error.type", name));
        }
    }
    json!({"attributes": attributes, "startTimeUnixNano": since, "timeUnixNano": now})
}

fn attribute(key: &str, text: &str) -> Value {
    json!({"key": key, "value": {"stringValue": text}})
}

fn nanos(at: Millis) -> String {
    format!("{}000000", at.0)
}
