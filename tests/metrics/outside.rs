//! What is told to the outside: Prometheus, a collector, Analytics Engine.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use portolan::{
    ledger::record::Record,
    metrics::{Gauges, Table, export, exposition, point},
    plan::health::{Standing, View},
    units::{Millis, Money},
};
use serde_json::{Value, json};

use super::{NOW, record, sent, table};

fn counted() -> Table {
    let mut stream = record("smart", "openai", "gpt-5", 300);
    stream.stream = true;
    let broken = Record { status: 200, outcome: "broken", fault: Some("provider"), ..stream.clone() };
    let tries = vec![sent("openai", "gpt-5", 503, "transient", (1, 9)), sent("a", "b", 200, "ok", (20, 99))];
    table(&[record("smart", "openai", "gpt-5", 100), stream, broken, Record { tries, ..record("o\"dd\\\n", "a", "b", 2_000) }])
}

fn page(table: &Table) -> String {
    let view = View::of([
        ("openai/gpt-5".to_owned(), Standing::Open { until: NOW.plus(1) }),
        ("a".to_owned(), Standing::Ramping { percent: 5 }),
    ]);
    exposition(table, &Gauges { version: "1.2.3", config: "c\"1", problems: 2, regions: vec![("weur", view)], now: NOW })
}

#[test]
fn a_page_has_each_series_in_base_units() {
    let page = page(&counted());
    let has = |line: &str| assert!(page.lines().any(|other| other == line), "{line}\n{page}");
    let smart = r#"route="smart",provider="openai",model="gpt-5",region="weur",operation="generate""#;
    has(&format!(r#"portolan_requests_total{{{smart},outcome="ok"}} 2"#));
    has(&format!(r#"portolan_stream_breaks_total{{{smart},outcome="broken"}} 1"#));
    has(&format!(r#"portolan_cost_dollars_total{{{smart},outcome="ok"}} 0.000000002468"#));
    has(&format!(r#"portolan_request_duration_seconds_bucket{{{smart},le="0.128"}} 1"#));
    has(&format!(r#"portolan_request_duration_seconds_bucket{{{smart},le="+Inf"}} 3"#));
    has(&format!(r#"portolan_request_duration_seconds_sum{{{smart}}} 0.700"#));
    has(&format!(r#"portolan_time_to_first_token_seconds_count{{{smart}}} 2"#));
    has(
        r#"portolan_tries_total{route="o\"dd\\\n",provider="openai",model="gpt-5",region="weur",operation="generate",outcome="transient"} 1"#,
    );
    has(r#"portolan_target_share{region="weur",target="openai/gpt-5"} 0"#);
    has(r#"portolan_target_share{region="weur",target="a"} 0.05"#);
    has(r#"portolan_target_state{region="weur",target="openai/gpt-5",state="open"} 1"#);
    has(r#"portolan_build_info{version="1.2.3"} 1"#);
    has(r#"portolan_config_info{version="c\"1"} 1"#);
    has("portolan_config_problems 2");
    // Buckets never fall.
    let mut last: Option<(String, u64)> = None;
    for line in page.lines().filter(|line| line.contains("_bucket{")) {
        let (labels, value) = line.rsplit_once(' ').unwrap();
        let (own, value) = (labels.split(",le=").next().unwrap().to_owned(), value.parse().unwrap());
        if let Some((before, count)) = &last {
            assert!(*before != own || *count <= value, "{line}");
        }
        last = Some((own, value));
    }
    assert!(!page.contains("requests_total{route=\"smart\",provider=\"openai\",model=\"gpt-5\",region=\"weur\",operation=\"generate\",outcome=\"transient\""));
}

/// The real checker, where it is installed. In CI it is.
#[test]
fn promtool_finds_nothing_to_say() {
    for table in [Table::default(), counted()] {
        let spawned = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut promtool) = spawned else {
            let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!is_ci, "promtool is missing: apt-get install -y prometheus");
            eprintln!("not run: promtool is missing (apt-get install -y prometheus)");
            return;
        };
        promtool.stdin.take().unwrap().write_all(page(&table).as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && words.is_empty(), "{words}\n{}", page(&table));
    }
}

#[test]
fn a_collector_is_told_cumulative_sums_and_histograms() {
    let message: Value = serde_json::from_str(&export(&counted(), Millis(1_000), NOW, "1.2.3")).unwrap();
    let resource = &message["resourceMetrics"][0];
    assert_eq!(resource["resource"]["attributes"][0], json!({"key": "service.name", "value": {"stringValue": "portolan"}}));
    let metrics = resource["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let metric = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap();
    let requests = metric("portolan.requests");
    assert_eq!((&requests["sum"]["aggregationTemporality"], &requests["sum"]["isMonotonic"]), (&json!(2), &json!(true)));
    let points = requests["sum"]["dataPoints"].as_array().unwrap();
    let attribute = |point: &Value, key: &str| {
        let all = point["attributes"].as_array().unwrap();
        all.iter().find(|one| one["key"] == key).map(|one| one["value"]["stringValue"].as_str().unwrap().to_owned())
    };
    let total: u64 = points.iter().map(|point| point["asInt"].as_u64().unwrap()).sum();
    assert_eq!(total, 4);
    assert_eq!(points[0]["startTimeUnixNano"], "1000000000");
    assert_eq!(points[0]["timeUnixNano"], format!("{}000000", NOW.0));
    let errors: Vec<_> = points.iter().map(|point| attribute(point, "error.type")).collect();
    assert_eq!(errors.iter().flatten().collect::<Vec<_>>(), ["broken"]);
    assert_eq!(attribute(&points[0], "gen_ai.operation.name").as_deref(), Some("chat"));
    let prompt = metric("gen_ai.client.inference.usage.input_tokens");
    assert!(prompt["sum"]["dataPoints"].as_array().unwrap().iter().any(|point| point["asInt"] == 246), "two of 100+20+3");
    for metric in metrics {
        let is_of_tokens = metric["name"].as_str().unwrap().starts_with("gen_ai.client.inference.usage.");
        for point in metric["sum"]["dataPoints"].as_array().into_iter().flatten() {
            let told = attribute(point, "gen_ai.token.modality");
            assert_eq!(told.as_deref(), is_of_tokens.then_some("unknown"), "{}", metric["name"]);
        }
    }
    for (name, count) in [("gen_ai.client.operation.duration", 4), ("gen_ai.server.time_to_first_token", 2)] {
        let points = metric(name)["histogram"]["dataPoints"].as_array().unwrap();
        let mut sum = 0;
        for point in points {
            let (counts, bounds) = (point["bucketCounts"].as_array().unwrap(), point["explicitBounds"].as_array().unwrap());
            assert_eq!(counts.len(), bounds.len() + 1);
            let own: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(point["count"], own);
            sum += own;
        }
        assert_eq!(sum, count, "{name}");
    }
    assert!(metrics.iter().all(|metric| metric["name"] != "portolan.hedged_requests"), "what never happened is not told");
    assert!(metric("portolan.cost")["sum"]["dataPoints"][0]["asDouble"].is_number());
}

#[test]
fn a_point_has_its_columns_in_order() {
    let mut one = record("smart", "openai", "gpt-5", 100);
    one.cost = Some(Money(1_500_000_000_000));
    let found = point(&one);
    assert_eq!(found["indexes"], json!(["default"]));
    assert_eq!(
        found["blobs"],
        json!(["smart", "openai", "gpt-5", "weur", "generate", "ok", null, "openai-chat", "k", "default", null, "req_1"])
    );
    assert_eq!(found["doubles"], json!([200, 100, 0, 95, 1, 100, 20, 3, 40, 5, 1.5, 0]));
    one.tenant = "é".repeat(96);
    one.stream = true;
    let found = point(&one);
    assert_eq!(found["indexes"], json!(["é".repeat(48)]), "96 bytes at most");
    assert_eq!(found["doubles"][2], 97);
}
