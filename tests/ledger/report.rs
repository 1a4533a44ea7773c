//! Reports of spending: what is asked of a tenant's object, and what the answers come to.

use portolan::{
    ledger::report::{Question, Report},
    units::Millis,
    wire::time,
};
use serde_json::{Value, json};

use crate::admin::openapi::hold;

fn now() -> Millis {
    time::read("2026-11-23T17:20:00Z").unwrap()
}

fn question(query: &str) -> Question {
    Question::read(query, now()).unwrap()
}

fn json_of(query: &str, answers: &[(&str, Option<&str>)]) -> Value {
    let told = serde_json::from_str(&written(query, answers)).unwrap();
    hold("Report", &told);
    told
}

fn written(query: &str, answers: &[(&str, Option<&str>)]) -> String {
    let question = question(query);
    let mut report = Report::default();
    answers.iter().for_each(|(tenant, rows)| report.add(&question, tenant, *rows));
    report.written(&question)
}

#[test]
fn a_question_becomes_a_statement() {
    let hour = |text: &str| time::read(text).unwrap().0 / 3_600_000;
    for (query, parts, bound) in [
        ("", vec![format!("hour < {}", hour("2026-11-23T18:00:00Z")), "HAVING".to_owned()], vec![]),
        (
            "key=ci&group_by=model,day",
            vec!["key IN (?)".to_owned(), "GROUP BY model, strftime('%Y-%m-%d'".to_owned()],
            vec!["ci"],
        ),
        ("key=a,b%27--", vec!["key IN (?, ?)".to_owned()], vec!["a", "b'--"]),
        ("tag=gold&group_by=tag", vec!["LEFT JOIN json_each".to_owned(), "own.value IN (?)".to_owned()], vec!["gold"]),
        (
            "from=2026-11-01&to=2026-12-01",
            vec![format!("hour >= {} AND hour < {}", hour("2026-11-01T00:00:00Z"), hour("2026-12-01T00:00:00Z"))],
            vec![],
        ),
        // Within an hour, the whole of it.
        (
            "from=2026-11-01T10:59:59Z&to=2026-11-01T11:00:01Z",
            vec![format!("hour >= {} AND hour < {}", hour("2026-11-01T10:00:00Z"), hour("2026-11-01T12:00:00Z"))],
            vec![],
        ),
    ] {
        let (statement, names) = question(query).statement();
        for part in parts {
            assert!(statement.contains(&part), "{query}: {part} in {statement}");
        }
        assert_eq!(names, bound, "{query}");
    }
    assert_eq!(question("tenant=acme,zoo").tenants(), ["acme", "zoo"]);
    assert!(question("key=ci").tenants().is_empty());
}

#[test]
fn what_cannot_be_asked_is_named() {
    for (query, param, part) in [
        ("group_by=colour", "group_by", "`colour` is nothing to group by"),
        ("format=xml", "format", "json, csv or jsonl"),
        ("from=yesterday", "from", "a day such as"),
        ("from=2026-02-30", "from", "a day such as"),
        ("from=2026-11-02&to=2026-11-01", "from", "before `to`"),
        ("kye=ci", "kye", "is not known here"),
    ] {
        let error = Question::read(query, now()).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{query}");
        assert!(error.message.contains(part), "{query}: {}", error.message);
    }
}

#[test]
fn tenants_are_summed_up_to_the_picodollar() {
    // Beyond what a floating-point number holds.
    let one = r#"{"key":"ci","requests":2,"cost":9007199254740993,"input":10}"#;
    let two = r#"{"key":"ci","requests":1,"cost":2,"input":5},{"key":"web","requests":1,"cost":0}"#;
    let report = json_of("group_by=key", &[("acme", Some(one)), ("zoo", Some(two)), ("gone", None)]);
    let data = report["data"].as_array().unwrap();
    assert_eq!(data.len(), 2);
    assert_eq!(
        (&data[0]["key"], &data[0]["requests"], &data[0]["cost"]),
        (&json!("ci"), &json!(3), &json!(9_007_199_254_740_995_u64))
    );
    assert_eq!(data[0]["cost_usd"], "9007.199254740995");
    assert_eq!(report["total"]["requests"], 4);
    assert_eq!(report["unreachable"], json!(["gone"]));
    let by_tenant =
        json_of("group_by=tenant", &[("acme", Some(r#"{"tenant":"","requests":2}"#)), ("zoo", Some(r#"{"requests":1}"#))]);
    assert_eq!(by_tenant["data"][0]["tenant"], "acme");
    assert_eq!(by_tenant["data"][1]["tenant"], "zoo");
    let by_tag = json_of("group_by=tag", &[("acme", Some(r#"{"tag":"a","requests":1},{"tag":"b","requests":1}"#))]);
    assert_eq!(by_tag.get("total"), None, "one request of two tags is no two requests");
}

#[test]
fn exports_are_rows() {
    let rows = r#"{"model":"a,\"b\"","requests":1,"cost":1250000},{"model":"=HYPERLINK(1)","requests":2,"cost":0}"#;
    let csv = written("group_by=model&format=csv", &[("acme", Some(rows))]);
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "model,requests,errors,failovers,input,cache_read,cache_write,output,cost,unpriced,estimated,cost_usd",
            "'=HYPERLINK(1),2,0,0,0,0,0,0,0,0,0,0",
            "\"a,\"\"b\"\"\",1,0,0,0,0,0,0,1250000,0,0,0.00000125",
            "",
        ]
    );
    let lines = written("group_by=model&format=jsonl", &[("acme", Some(rows))]);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["model"], &last["cost_usd"]), (&json!("a,\"b\""), &json!("0.00000125")));
    assert_eq!(lines.lines().count(), 2);
}
