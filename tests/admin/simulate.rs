//! Faults that are injected into the real exchange, in virtual time.

use portolan::admin::simulate;
use serde_json::{Value, json};

use super::{answer, asked, column, gateway};

const ROUTES: &str = r#"{
    "two": {"targets": ["alpha/small", "gamma/claude"]},
    "pair": {"targets": ["pair/x", "beta/large"]},
    "hedged": {"targets": ["alpha/small", "beta/large"], "hedge": {"after": 500}},
    "patient": {"targets": ["alpha/small"], "when_all_unavailable": {"wait_ms": 4000}}}"#;

fn run(model: &str, stream: bool, faults: &str) -> Value {
    let question = format!(
        r#"{{"faults": {faults}, "body": {{"model": "{model}", "stream": {stream}, "max_tokens": 100, "messages": [{{"role": "user", "content": "Hi"}}]}}}}"#
    );
    answer(simulate, &question, &gateway(ROUTES))
}

fn header<'a>(told: &'a Value, name: &str) -> &'a str {
    told["answer"]["headers"][name].as_str().unwrap_or_default()
}

#[test]
fn faults_meet_the_real_exchange() {
    for (rule, model, stream, faults, attempts, outcome) in [
        ("all is well", "two", false, "{}", "1; alpha/small=200", "ok"),
        ("all is well in a stream", "two", true, "{}", "1; alpha/small=200", "ok"),
        (
            "a 503 is repeated once, then the next is asked",
            "two",
            false,
            r#"{"alpha/small": {"fail": 503}}"#,
            "2; alpha/small=503, gamma/claude=200",
            "ok",
        ),
        ("once is once", "two", true, r#"{"alpha/small": [{"fail": 500}, {}]}"#, "1; alpha/small=200", "ok"),
        (
            "a limit is waited for",
            "two",
            true,
            r#"{"alpha/small": [{"fail": 429, "retry_after": "2"}, {}]}"#,
            "1; alpha/small=200",
            "ok",
        ),
        (
            "a connection that breaks",
            "two",
            false,
            r#"{"alpha/small": [{"connection": "reset"}]}"#,
            "2; alpha/small=transient, gamma/claude=200",
            "ok",
        ),
        (
            "silence is not repeated",
            "two",
            true,
            r#"{"alpha/small": [{"delay_ms": 40000}]}"#,
            "2; alpha/small=silent, gamma/claude=200",
            "ok",
        ),
        (
            "a late first token",
            "two",
            true,
            r#"{"alpha/small": [{"first_ms": 20000}]}"#,
            "2; alpha/small=silent, gamma/claude=200",
            "ok",
        ),
        (
            "an error inside a 200",
            "two",
            true,
            r#"{"alpha/small": [{"error_at": 1}]}"#,
            "2; alpha/small=transient, gamma/claude=200",
            "ok",
        ),
        ("a caller's fault is final", "two", false, r#"{"alpha/small": [{"fail": 400}]}"#, "1; alpha/small=400", "caller"),
        (
            "in the provider's words",
            "two",
            false,
            r#"{"alpha/small": [{"fail": 404, "code": "model_not_found", "message": "The model `small` does not exist"}]}"#,
            "2; alpha/small=404, gamma/claude=200",
            "ok",
        ),
        ("cut after the commit point", "two", true, r#"{"alpha/small": [{"cut": 40}]}"#, "1; alpha/small=200", "transient"),
        ("a stall after the commit point", "two", true, r#"{"alpha/small": [{"stall_at": 9}]}"#, "1; alpha/small=200", "silent"),
        ("the other credential", "pair", false, r#"{"pair/x": [{"fail": 401}, {}]}"#, "1; pair/x=200", "ok"),
        (
            "nobody is left",
            "two",
            false,
            r#"{"alpha/small": {"fail": 503}, "gamma/claude": {"fail": 529}}"#,
            "2; alpha/small=503, gamma/claude=529",
            "transient",
        ),
    ] {
        let told = run(model, stream, faults);
        assert_eq!(header(&told, "x-portolan-attempts"), attempts, "{rule}: {}", told["steps"]);
        assert_eq!(told["answer"]["outcome"], outcome, "{rule}");
        assert_eq!(told["record"]["outcome"], outcome, "{rule}");
        assert_eq!(told["unused_faults"], Value::Array(vec![]), "{rule}");
        assert_eq!(told, run(model, stream, faults), "{rule}: the same again");
    }
}

#[test]
fn the_transcript_has_virtual_times() {
    let told = run("two", true, r#"{"alpha/small": [{"fail": 429, "retry_after": "2"}, {"first_ms": 20000}]}"#);
    let steps: Vec<String> = column(&told, "steps", "step")
        .into_iter()
        .zip(column(&told, "steps", "at_ms"))
        .map(|(s, at)| format!("{s} {at}"))
        .collect();
    let begins = [
        "send 0",
        "head 0",
        "whole 0",
        "lesson 0",
        "wait 0",
        "send 2000",
        "head 2000",
        "failure 14000",
        "lesson 14000",
        "send 14000",
        "head 14000",
        "commit 14060",
        "end 15100",
        "lesson 15100",
    ];
    assert_eq!(steps, begins);
    assert_eq!(told["steps"][3]["signal"], "cool");
    assert!(told["answer"]["body"].as_str().unwrap().ends_with("data: [DONE]\n\n"));
    assert_eq!(told["answer"]["total_ms"], told["record"]["total_ms"]);
}

#[test]
fn a_break_is_never_a_clean_end() {
    let told = run("two", true, r#"{"alpha/small": [{"cut": 40}]}"#);
    let body = told["answer"]["body"].as_str().unwrap();
    assert!(body.contains("lorem") && body.contains("\"error\"") && !body.contains("[DONE]"), "{body}");
}

#[test]
fn every_dialect_of_a_provider_can_answer() {
    for (target, stream) in [
        ("alpha/small", true),
        ("gamma/claude", true),
        ("google/gemini-2.5-flash", true),
        ("google/gemini-2.5-flash", false),
        ("mock/echo", true),
        ("mock/flaky?fail=500&rate=0", false),
    ] {
        let told = run(target, stream, "{}");
        assert_eq!(
            (told["answer"]["status"].as_u64(), told["answer"]["outcome"].as_str()),
            (Some(200), Some("ok")),
            "{target}: {told}"
        );
        let words = if target.starts_with("mock") { "Hi" } else { "lorem" };
        assert!(told["answer"]["body"].as_str().unwrap().contains(words), "{target}");
        assert!(told["record"]["usage"]["output"].as_u64() > Some(0), "{target}");
    }
}

#[test]
fn a_client_may_leave() {
    let config = gateway(ROUTES);
    for (rule, leaves, faults) in [
        ("in a pause", 2, r#"{"alpha/small": {"fail": 503}}"#),
        ("in silence", 50, r#"{"alpha/small": {"delay_ms": 9000}}"#),
        ("mid-stream", 300, "{}"),
    ] {
        let question = format!(
            r#"{{"client_leaves_ms": {leaves}, "faults": {faults}, "body": {{"model": "two", "stream": true, "messages": [{{"role": "user", "content": "Hi"}}]}}}}"#
        );
        let told = answer(simulate, &question, &config);
        assert_eq!(
            (told["answer"]["outcome"].as_str(), told["answer"]["total_ms"].as_u64()),
            (Some("gone"), Some(leaves)),
            "{rule}"
        );
    }
}

#[test]
fn faults_that_cannot_be_meant_are_refused() {
    let config = gateway(ROUTES);
    for (faults, words) in [
        (r#"{"alpha/small": [{"fial": 503}]}"#, "no option `fial`"),
        (r#"{"alpha/small": [{"fail": 200}]}"#, "`faults.alpha/small[0]`"),
        (r#"{"alpha/small": []}"#, "a list of 1 to 16 faults"),
        (r#"{"alpha/small": [{"connection": "slow"}]}"#, "one of reset, refused, dns, tls"),
        (r#"{"alpha/small": [{"code": "x"}]}"#, "go with `fail`"),
        (r#"{"alpha/small": [{"answer": "poem"}]}"#, "no model `poem`"),
        ("[]", "an object of at most 16 targets"),
    ] {
        let question = format!(r#"{{"faults": {faults}, "body": {{"model": "two", "messages": []}}}}"#);
        let error = simulate(&asked(&question, &config)).unwrap_err();
        assert!(error.status == 400 && error.message.contains(words), "{faults}: {}", error.message);
    }
    let told = run("two", false, r#"{"alpha/smalll": {"fail": 503}}"#);
    assert_eq!(told["unused_faults"], json!(["alpha/smalll"]));
    let embed = r#"{"path": "/v1/embeddings", "body": {"model": "openai/text-embedding-3-small", "input": "x"}}"#;
    assert!(simulate(&asked(embed, &config)).unwrap_err().message.contains("Only generating"));
}

#[test]
fn a_second_target_is_asked_beside_a_late_one() {
    for (rule, faults, attempts, total_ms) in [
        ("not late", r#"{"alpha/small": {"first_ms": 400}}"#, "1; alpha/small=200", None),
        (
            "late, and the second is first",
            r#"{"alpha/small": {"first_ms": 9000}}"#,
            "2; alpha/small=hedged, beta/large=200",
            Some(3_000),
        ),
        (
            "late, and the first is first",
            r#"{"alpha/small": {"first_ms": 900}, "beta/large": {"first_ms": 900}}"#,
            "2; alpha/small=200, beta/large=hedged",
            None,
        ),
        (
            "late, and the second fails",
            r#"{"alpha/small": {"first_ms": 900}, "beta/large": {"fail": 400}}"#,
            "2; alpha/small=200, beta/large=400",
            None,
        ),
    ] {
        let told = run("hedged", true, faults);
        let begun = column(&told, "steps", "step").contains(&"hedge".to_owned());
        assert_eq!(begun, rule != "not late", "{rule}: {}", told["steps"]);
        assert_eq!(
            (header(&told, "x-portolan-attempts"), &told["answer"]["outcome"]),
            (attempts, &json!("ok")),
            "{rule}: {}",
            told["steps"]
        );
        assert!(total_ms.is_none_or(|most| told["answer"]["total_ms"].as_u64() < Some(most)), "{rule}");
    }
}

#[test]
fn a_route_may_wait_for_a_target() {
    let config = gateway(ROUTES);
    for (rule, for_ms, status, sent) in [("back in time", 1_200, 200, Some(1_200)), ("back too late", 60_000, 503, None)] {
        let question = format!(
            r#"{{"health": {{"alpha/small": {{"standing": "cooling", "for_ms": {for_ms}}}}}, "body": {{"model": "patient", "messages": [{{"role": "user", "content": "Hi"}}]}}}}"#
        );
        let told = answer(simulate, &question, &config);
        assert_eq!(told["steps"][0]["at_ms"].as_u64(), sent, "{rule}: {told}");
        match sent {
            Some(held) => assert_eq!(
                (told["answer"]["status"].as_u64(), told["record"]["inputs"]["held_ms"].as_u64()),
                (Some(status), Some(held)),
                "{rule}"
            ),
            None => assert_eq!(told["refused"]["status"].as_u64(), Some(status), "{rule}"),
        }
    }
}
