//! Asking: windows, groups, and what is said where there was nothing.

use portolan::{
    metrics::{Question, Report},
    units::Millis,
};
use serde_json::{Value, json};

use super::{NOW, record, table};
use crate::admin::openapi::hold;

const MINUTE: u64 = NOW.0 / 60_000;

fn asked(query: &str, rows: &str) -> Value {
    let mut report = Report::new(Question::read(query, NOW).unwrap());
    report.add(rows);
    let told = serde_json::from_str(&report.written()).unwrap();
    hold("Metrics", &told);
    told
}

#[test]
fn every_window_has_all_its_points() {
    for (query, points, step_ms, pages) in [
        ("", 60, 60_000, 1),
        ("window=1h", 60, 60_000, 1),
        ("window=24h&", 96, 900_000, 1),
        ("window=7d", 168, 3_600_000, 2),
        ("window=30d", 120, 21_600_000, 8),
    ] {
        let question = Question::read(query, NOW).unwrap();
        let asked_for = question.pages();
        assert_eq!(asked_for.len(), pages, "{query}");
        let numbers = |page: &str| page.split('/').skip(1).map(|n| n.parse().unwrap()).collect::<Vec<u64>>();
        let spans: Vec<Vec<u64>> = asked_for.iter().map(|page| numbers(page)).collect();
        assert!(spans.windows(2).all(|two| two[0][2] == two[1][1]), "{query}: without a gap");
        let answer = asked(query, "");
        let (from, to) = (answer["from"].as_u64().unwrap(), answer["to"].as_u64().unwrap());
        assert_eq!((spans[0][1] * 60_000, spans[pages - 1][2] * 60_000), (from, to), "{query}");
        assert!(from < NOW.0 && NOW.0 < to && to - NOW.0 <= step_ms, "{query}");
        let all = answer["points"].as_array().unwrap();
        assert_eq!((all.len(), answer["step_ms"].as_u64()), (points, Some(step_ms)), "{query}");
        let times: Vec<u64> = all.iter().map(|point| point["at"].as_u64().unwrap()).collect();
        assert!(times[0] == from && times[points - 1] + step_ms == to, "{query}");
        assert!(times.windows(2).all(|two| two[1] - two[0] == step_ms), "{query}");
    }
}

#[test]
fn where_there_was_nothing_all_is_none() {
    let answer = asked("group_by=route", "");
    let nothing = json!({"requests": 0, "errors": 0, "client_errors": 0, "failovers": 0, "breaks": 0, "tries": 0, "hedges": 0,
        "cache_hits": 0, "cache_misses": 0, "input": 0, "cache_read": 0, "cache_write": 0, "output": 0, "reasoning": 0,
        "cost": 0, "wasted": 0, "unpriced": 0, "cost_usd": "0", "first_ms": null, "ms": null, "gateway_ms": null,
        "availability": null});
    assert_eq!(answer["total"], nothing);
    assert_eq!(answer["groups"], json!([]));
    assert_eq!(answer["points"][59]["availability"], Value::Null);
}

/// Rows of the last minutes: `(minutes ago, records)`.
fn rows() -> String {
    let failed = || portolan::ledger::record::Record {
        status: 502,
        outcome: "transient",
        fault: Some("provider"),
        ..record("smart", "openai", "gpt-5", 500)
    };
    let now = [record("smart", "openai", "gpt-5", 100), record("cheap", "google", "flash", 50), failed()];
    let before = [record("smart", "openai", "gpt-5", 300), record("smart", "openai", "gpt-5", 200)];
    let old = [record("smart", "openai", "gpt-5", 300)];
    format!(
        "@{MINUTE}\n{},@{}\n{},@{}\n{}",
        table(&now).write(),
        MINUTE - 5,
        table(&before).write(),
        MINUTE - 61,
        table(&old).write()
    )
}

#[test]
fn sums_are_of_what_was_asked() {
    for (query, requests, errors, availability) in [
        ("window=1h", 5, 1, json!(0.8)),
        ("window=24h", 6, 1, json!(0.833_333)),
        ("route=smart", 4, 1, json!(0.75)),
        ("route=smart,cheap&provider=google", 1, 0, json!(1.0)),
        ("outcome=transient", 1, 1, json!(0.0)),
        ("model=none", 0, 0, Value::Null),
        ("region=weur&operation=generate", 5, 1, json!(0.8)),
        ("region=enam", 0, 0, Value::Null),
    ] {
        let answer = asked(query, &rows());
        assert_eq!((&answer["total"]["requests"], &answer["total"]["errors"]), (&json!(requests), &json!(errors)), "{query}");
        assert_eq!(answer["total"]["availability"], availability, "{query}");
        let points: u64 = answer["points"].as_array().unwrap().iter().map(|point| point["requests"].as_u64().unwrap()).sum();
        assert_eq!(points, requests, "{query}");
    }
    let answer = asked("", &rows());
    assert_eq!((&answer["points"][59]["requests"], &answer["points"][54]["requests"]), (&json!(3), &json!(2)));
    assert_eq!(answer["points"][54]["ms"], json!({"p50": 200, "p95": 304, "p99": 304}), "200 and 300 to a sixteenth");
    assert_eq!(answer["total"]["cost_usd"], "0.00000000617");
    assert_eq!((&answer["total"]["first_ms"], &answer["total"]["gateway_ms"]["p95"]), (&Value::Null, &json!(5)));
}

#[test]
fn groups_are_the_largest_first() {
    let names = |query: &str, label: &str| -> Vec<(String, u64)> {
        let answer = asked(query, &rows());
        let groups = answer["groups"].as_array().unwrap();
        groups.iter().map(|group| (group[label].as_str().unwrap().to_owned(), group["requests"].as_u64().unwrap())).collect()
    };
    let pair = |name: &str, count| (name.to_owned(), count);
    assert_eq!(names("group_by=route", "route"), [pair("smart", 4), pair("cheap", 1)]);
    assert_eq!(names("group_by=provider,model&route=cheap", "model"), [pair("flash", 1)]);
    assert_eq!(names("group_by=outcome", "outcome"), [pair("ok", 4), pair("transient", 1)]);
}

#[test]
fn what_cannot_be_asked_is_named() {
    for (query, path, words) in [
        ("window=2h", "window", "1h, 24h, 7d or 30d"),
        ("group_by=route,tenant", "group_by", "/admin/v1/usage"),
        ("tenant=acme", "tenant", "/admin/v1/usage"),
        ("group_by=colour", "group_by", "route, provider, model"),
        ("colour=red", "colour", "window, group_by"),
    ] {
        let error = Question::read(query, NOW).err().unwrap();
        assert_eq!(error.param.as_deref(), Some(path), "{query}");
        assert!(error.message.contains(words), "{query}: {}", error.message);
    }
    let many = format!("model={}", vec!["m"; 101].join(","));
    assert!(Question::read(&many, Millis(0)).is_err());
}
