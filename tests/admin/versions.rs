//! Versions of documents: which are kept, how they are listed, and what makes one of another.

use portolan::{
    admin::versions::{Asked, diff, is_new, listed, news, shown},
    config::{Documents, news::digest_of},
    units::Millis,
};
use serde_json::{Value, json};

use super::openapi::hold;

fn changes(was: &Value, is: &Value) -> Value {
    let told = diff("routes", (Some("1"), Some(&was.to_string())), ("2", &is.to_string()));
    let mut told: Value = serde_json::from_str(&told).unwrap();
    hold("Diff", &told);
    told["changes"].take()
}

#[test]
fn differences_are_pointers_in_an_order_that_can_be_done() {
    for (was, is, expected) in [
        (json!({}), json!({}), json!([])),
        (json!({"a": 1}), json!({"a": 1}), json!([])),
        (json!({"a": 1}), json!({"a": 2}), json!([{"path": "/a", "op": "replace", "was": 1, "is": 2}])),
        (json!({"a": 1}), json!({}), json!([{"path": "/a", "op": "remove", "was": 1}])),
        (json!({}), json!({"a": null}), json!([{"path": "/a", "op": "add", "is": null}])),
        (
            json!({"a/b~": {"c": 1}}),
            json!({"a/b~": {"c": 2}}),
            json!([{"path": "/a~1b~0/c", "op": "replace", "was": 1, "is": 2}]),
        ),
        (
            json!({"t": [1, 2, 3]}),
            json!({"t": [4]}),
            json!([
                {"path": "/t/0", "op": "replace", "was": 1, "is": 4},
                {"path": "/t/2", "op": "remove", "was": 3},
                {"path": "/t/1", "op": "remove", "was": 2},
            ]),
        ),
        (
            json!({"t": []}),
            json!({"t": [1, 2]}),
            json!([{"path": "/t/0", "op": "add", "is": 1}, {"path": "/t/1", "op": "add", "is": 2}]),
        ),
        (json!({"t": [1]}), json!({"t": {}}), json!([{"path": "/t", "op": "replace", "was": [1], "is": {}}])),
    ] {
        assert_eq!(changes(&was, &is), expected, "{was} {is}");
    }
    let first: Value = serde_json::from_str(&diff("routes", (None, None), ("1", "{\"a\":1}"))).unwrap();
    hold("Diff", &first);
    let expected = json!({"document": "routes", "from": null, "to": "1", "changes": [{"path": "/a", "op": "add", "is": 1}]});
    assert_eq!(first, expected);
}

#[test]
fn what_differs_is_told_with_what_it_replaced() {
    let documents = |routes: Option<&str>, budgets: Option<&str>| {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Documents { routes: own(routes), budgets: own(budgets), ..Documents::default() }
    };
    let told = |replaced: Option<&Documents>, current: &Documents| {
        let told = news(replaced, current, |_, text| text == "B", Millis(7)).unwrap_or_else(|| "[]".to_owned());
        let items: Vec<Value> = serde_json::from_str(&told).unwrap();
        let line = |item: &Value| format!("{} {} {}", item["document"], item["text"], item["by"]).replace('"', "");
        items.iter().map(line).collect::<Vec<_>>()
    };
    let (a, b) = (documents(Some("A"), Some("X")), documents(Some("B"), Some("X")));
    assert_eq!(told(None, &a), ["routes A kv", "budgets X kv"]);
    assert_eq!(told(Some(&a), &b), ["routes A kv", "routes B api"]);
    assert!(told(Some(&a), &a).is_empty());
    assert!(told(None, &documents(Some(&"x".repeat((1 << 20) + 1)), None)).is_empty(), "too large");
}

#[test]
fn what_lags_behind_is_no_edit() {
    let rows = json!([["b", 1_000], ["a", 500]]);
    for (digest, by, at, expected) in [
        ("b", "api", 2_000, false),
        ("c", "kv", 1_001, true),
        ("a", "kv", 2_000, false),
        ("a", "api", 2_000, true),
        ("a", "kv", 121_000, false),
        ("a", "kv", 121_001, true),
    ] {
        let item = json!({"digest": digest, "by": by, "at": at});
        assert_eq!(is_new(&item, &rows), expected, "{item}");
    }
    assert!(is_new(&json!({"digest": "a", "by": "kv", "at": 1}), &json!([])));
}

#[test]
fn the_newest_of_those_in_force_is_current() {
    let digest = digest_of(Some("A"));
    let rows = json!([{"version": "3", "digest": digest}, {"version": "2", "digest": "x"}, {"version": "1", "digest": digest}]);
    let current = |text: Option<&str>| {
        let told: Value = serde_json::from_str(&listed(&rows.to_string(), text)).unwrap();
        told["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["current"] == true)
            .map(|row| row["version"].to_string())
            .collect::<String>()
    };
    assert_eq!([current(Some("A")), current(Some("B")), current(None)], ["\"3\"", "", ""]);
    assert_eq!(shown(String::new()).unwrap_err().status, 404);
    assert_eq!(shown("A".to_owned()).unwrap(), ("A".to_owned(), format!("\"{digest}\"")));
}

#[test]
fn queries_say_what_they_mean_or_nothing() {
    let all = ["document", "against", "dry_run"];
    let asked = Asked::read("document=routes&against=12&dry_run=true", &all).unwrap();
    assert_eq!((asked.document, asked.against.as_deref(), asked.is_dry), ("routes", Some("12"), true));
    assert!(Asked::read("document=routes&against=current", &all).unwrap().is_against_current());
    assert!(!Asked::read("dry_run=false", &["dry_run"]).unwrap().is_dry);
    for (query, known, param) in [
        ("", &all[..], "document"),
        ("document=keys", &all, "document"),
        ("document=routes&against=", &all, "against"),
        ("document=routes&against=-1", &all, "against"),
        ("document=routes&dry_run=yes", &all, "dry_run"),
        ("dry_run", &["dry_run"], "dry_run"),
        ("dryrun=true", &["dry_run"], "dryrun"),
    ] {
        assert_eq!(Asked::read(query, known).unwrap_err().param.as_deref(), Some(param), "{query}");
    }
}
