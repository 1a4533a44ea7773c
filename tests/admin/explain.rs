//! The plan of a request that is sent nowhere.

use portolan::admin::explain;
use serde_json::json;

use super::{answer, asked, column, gateway};

const ROUTES: &str = r#"{
    "smart": {"targets": ["alpha/small", "gamma/claude", "delta/x"], "timeouts": {"first_token_ms": 900}},
    "pair": {"targets": ["pair/x"], "when_all_unavailable": "fail"}}"#;

#[test]
fn a_plan_is_told_whole() {
    let config = gateway(ROUTES);
    let body = r#"{"body": {"model": "smart", "stream": true, "logit_bias": {"1": 2}, "messages": [{"role": "user", "content": "CANARY"}]}}"#;
    let told = answer(explain, body, &config);
    assert_eq!(told["route"], "smart");
    assert_eq!(column(&told, "attempts", "target"), ["alpha/small", "gamma/claude"]);
    assert_eq!(column(&told, "attempts", "reason"), ["priority 1", "priority 2"]);
    assert_eq!(column(&told, "attempts", "dialect"), ["openai-chat", "anthropic"]);
    assert_eq!(column(&told, "attempts", "body"), ["verbatim", "translated"]);
    assert_eq!(column(&told, "attempts", "dropped"), ["[]", r#"["logit_bias"]"#]);
    assert_eq!(column(&told, "attempts", "credentials"), ["1", "1"]);
    let timeouts = json!({"headers_ms": 30_000, "first_token_ms": 900, "idle_ms": 20_000, "total_ms": 600_000});
    assert_eq!(told["attempts"][0]["timeouts"], timeouts);
    assert_eq!(told["skipped"], json!([{"target": "delta/x", "why": "no secret DELTA_KEY"}]));
    let policy = &told["policy"];
    assert_eq!((policy["on_stream_break"].as_str(), policy["lossy"].as_str()), (Some("error"), Some("report")));
    assert_eq!((told["config"].as_str(), told["at"].as_u64()), (Some(config.version.as_str()), Some(super::NOW.0)));
    assert_eq!(told["seed"].as_str().map(str::len), Some(16));
    let text = told.to_string();
    assert!(!text.contains("CANARY") && !text.contains("value-of"), "{text}");
}

#[test]
fn what_is_said_of_health_holds() {
    let config = gateway(ROUTES);
    for (health, attempts, refused) in [
        (r#"{"alpha/small": "open"}"#, vec!["gamma/claude: priority 1"], None),
        (
            r#"{"alpha/small": {"standing": "cooling", "for_ms": 0}}"#,
            vec!["alpha/small: priority 1", "gamma/claude: priority 2"],
            None,
        ),
        (r#"{"alpha/small": "probe"}"#, vec!["alpha/small: probe", "gamma/claude: priority 2"], None),
        (
            r#"{"alpha#0": "cooling", "gamma/claude": {"standing": "degraded", "percent": 100}}"#,
            vec!["gamma/claude: priority 1"],
            None,
        ),
        (r#"{"pair/x": {"standing": "open", "for_ms": 4200}}"#, vec![], Some(5)),
    ] {
        let model = if refused.is_some() { "pair" } else { "smart" };
        let question = format!(r#"{{"body": {{"model": "{model}", "messages": []}}, "health": {health}}}"#);
        let told = answer(explain, &question, &config);
        let lines: Vec<String> = match refused {
            None => column(&told, "attempts", "target")
                .iter()
                .zip(column(&told, "attempts", "reason"))
                .map(|(t, r)| format!("{t}: {r}"))
                .collect(),
            Some(_) => vec![],
        };
        assert_eq!(lines, attempts, "{health}");
        assert_eq!(told["refused"]["retry_after_s"].as_u64(), refused, "{health}");
    }
}

#[test]
fn any_caller_may_be_asked_for() {
    let config = gateway(ROUTES);
    for (more, path, expected) in [
        (r#""dialect": "anthropic""#, "dialect", json!("anthropic")),
        (r#""path": "/v1/responses""#, "dialect", json!("openai-responses")),
        (r#""path": "/v1beta/models/smart:streamGenerateContent?alt=sse""#, "stream", json!(true)),
        (r#""path": "/v1/embeddings""#, "task", json!("embed")),
        (
            r#""key": {"name": "ci", "routes": ["pair"]}"#,
            "refused",
            json!({"status": 403, "fault": "caller", "param": "model", "retry_after_s": null,
            "message": "The gateway key `ci` may not use `smart`; it may use: `pair`."}),
        ),
    ] {
        let content = if more.contains("beta") {
            r#""contents": [{"parts": [{"text": "Hi"}]}]"#
        } else {
            r#""messages": [], "max_tokens": 9, "input": "Hi""#
        };
        let told = answer(explain, &format!(r#"{{{more}, "body": {{"model": "smart", {content}}}}}"#), &config);
        assert_eq!(told[path], expected, "{more}");
    }
}

#[test]
fn a_keys_word_on_keeping_data_holds_in_a_plan() {
    let config = gateway(ROUTES);
    for (key, is_refused) in [(r#"{"name": "ci"}"#, false), (r#"{"name": "ci", "zdr": "required"}"#, true)] {
        let told = answer(explain, &format!(r#"{{"key": {key}, "body": {{"model": "smart", "messages": []}}}}"#), &config);
        let words = told["refused"]["message"].as_str().unwrap_or_default();
        assert_eq!(words.contains("not marked as keeping nothing"), is_refused, "{key}: {told}");
    }
}

#[test]
fn the_same_id_gives_the_same_draw() {
    let config = gateway(
        r#"{"split": {"strategy": "weighted", "targets": [{"model": "alpha/small", "weight": 1}, {"model": "gamma/claude", "weight": 1}]}}"#,
    );
    let first = |id: &str| {
        let question = format!(r#"{{"request_id": "{id}", "body": {{"model": "split", "messages": []}}}}"#);
        column(&answer(explain, &question, &config), "attempts", "target")[0].clone()
    };
    let drawn: Vec<String> = (0..40).map(|n| first(&format!("req_{n}"))).collect();
    assert_eq!(drawn, (0..40).map(|n| first(&format!("req_{n}"))).collect::<Vec<_>>());
    assert!(drawn.contains(&"alpha/small".to_owned()) && drawn.contains(&"gamma/claude".to_owned()));
}

#[test]
fn a_question_that_cannot_be_understood_says_why() {
    let config = gateway(ROUTES);
    for (question, words) in [
        ("[]", "must be a JSON object"),
        ("{}", "`body` is required"),
        (r#"{"body": "x"}"#, "`body` is required"),
        (r#"{"body": {"messages": []}}"#, "model"),
        (r#"{"body": {"model": "smart"}, "pth": "/v1"}"#, "`pth` is not known here"),
        (r#"{"body": {"model": "smart"}, "path": "/v1/models"}"#, "POST /v1/models"),
        (r#"{"body": {"model": "smart"}, "dialect": "gemini"}"#, "Gemini's requests need `path`"),
        (r#"{"body": {"model": "smart"}, "health": {"alpha/small": "down"}}"#, "one of up, degraded"),
        (r#"{"body": {"model": "smart"}, "health": {"alpha": "open"}}"#, "`alpha` names no cell"),
        (r#"{"body": {"model": "smart"}, "health": {"alpha/small": {"standing": "open", "percnt": 3}}}"#, "percnt"),
        (r#"{"body": {"model": "smart"}, "key": {"tags": []}}"#, "`key` must be a key's entry"),
        (r#"{"body": {"model": "smart"}, "at": "noon"}"#, "`at` must be a whole number"),
        (r#"{"body": {"model": "smart"}, "faults": {}}"#, "`faults` is not known here"),
    ] {
        let error = explain(&asked(question, &config)).unwrap_err();
        assert!(error.status == 400 && error.message.contains(words), "{question}: {} {}", error.status, error.message);
    }
}
