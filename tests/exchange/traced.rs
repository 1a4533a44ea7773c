//! A request in its trace: what providers are told of it, and the spans that come of its record.

use std::rc::Rc;

use portolan::{config::Snapshot, telemetry};
use serde_json::Value;

use super::{
    driver::{Case, Run, gateway},
    script::{data, error, role, says, served, silent, stream, told},
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const SECRET_WORDS: &str = "a phrase of the caller's";

fn traced(more: &str) -> Rc<Snapshot> {
    let routes = r#"{"hurry":{"targets":["alpha/small","beta/large"],"hedge":{"after":1000}}}"#;
    gateway(routes, &format!(r#"{{"otlp":{{"endpoint":"https://otel.example"{more}}}}}"#))
}

fn case(config: &Rc<Snapshot>, model: &str, stream: bool) -> Case {
    let case = Case { config: Rc::clone(config), ..if stream { Case::chat_stream(model) } else { Case::chat(model) } };
    let body = case.body.replace("Hello", SECRET_WORDS);
    case.header("tracestate", "a=canary").header("baggage", "user=canary").body(&body)
}

fn spans(run: &Run, config: &Snapshot) -> Vec<Value> {
    let text = telemetry::spans(&[run.record().clone()], config);
    assert!(!text.contains(SECRET_WORDS) && !text.contains("canary"), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    told["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn attribute(span: &Value, name: &str) -> Option<String> {
    let found = span["attributes"].as_array()?.iter().find(|a| a["key"] == name)?;
    let (_, value) = found["value"].as_object()?.iter().next()?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

#[test]
fn providers_are_told_whose_child_they_are_only_where_somebody_traces() {
    let (off, on, rare) = (gateway("", ""), traced(""), traced(r#","sample":0"#));
    for (config, parent, flags) in [
        (&off, None, None),
        (&off, Some(PARENT), Some("as it came")),
        (&off, Some("00-1-2-01"), None),
        (&on, None, Some("03")),
        (&on, Some("00-1-2-01"), Some("03")),
        (&on, Some(PARENT), Some("01")),
        (&on, Some(UNSAMPLED), Some("00")),
        (&rare, None, Some("02")),
        (&rare, Some(PARENT), Some("01")),
    ] {
        let case = case(config, "alpha/small,beta/large", false);
        let case = if let Some(parent) = parent { case.header("traceparent", parent) } else { case };
        let run = case.run([error(503, "down", "Down.").header("x-should-retry", "false"), served()]);
        let record = run.record();
        let spans = spans(&run, config);
        for (at, sent) in run.sends.iter().enumerate() {
            let span = spans[at + 1]["spanId"].as_str().unwrap();
            let expected = flags.map(|flags| match flags {
                "as it came" => PARENT.to_owned(),
                flags => format!("00-{}-{span}-{flags}", record.trace_id),
            });
            assert_eq!(sent.header("traceparent").map(str::to_owned), expected, "{parent:?}");
            assert_eq!((sent.header("tracestate"), sent.header("baggage")), (None, None));
        }
        let is_followed = parent.is_some_and(|p| p.len() == 55);
        assert_eq!(record.parent_span_id.as_deref(), is_followed.then_some("00f067aa0ba902b7"));
        assert_eq!(record.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736", is_followed);
    }
}

#[test]
fn what_is_told_is_the_sample_and_what_went_wrong() {
    let down = || error(503, "down", "Down.").header("x-should-retry", "false");
    for (settings, parent, fine, failed_over) in [
        ("", None, true, true),
        ("", Some(UNSAMPLED), false, false),
        (r#","sample":0"#, None, false, true),
        (r#","sample":0"#, Some(PARENT), true, true),
        (r#","sample":0,"keep_errors":false"#, None, false, false),
    ] {
        let config = traced(settings);
        let otlp = config.settings.otlp.clone().unwrap();
        for (answers, expected) in [(vec![served()], fine), (vec![down(), served()], failed_over)] {
            let case = case(&config, "alpha/small,beta/large", false);
            let case = if let Some(parent) = parent { case.header("traceparent", parent) } else { case };
            assert_eq!(telemetry::is_told(case.run(answers).record(), &otlp), expected, "{settings} {parent:?}");
        }
    }
}

#[test]
fn a_request_and_its_tries_are_spans() {
    let config = traced("");
    let down = || error(503, "down", "Down.").header("x-should-retry", "false");
    let broken = || stream([role(), says("Hel"), data(r#"{"error":{"message":"Oops","code":"server_error"}}"#)]);
    for (what, run, names, errors, links) in [
        ("served", case(&config, "alpha/small", false).run([served()]), "chat small", "-", ""),
        ("streamed", case(&config, "alpha/small", true).run([stream(told())]), "chat small", "-", ""),
        (
            "failed over",
            case(&config, "alpha/small,beta/large", false).run([down(), served()]),
            "chat small, chat large",
            "failed -",
            "failover",
        ),
        ("hedged", case(&config, "hurry", true).run([silent(), stream(told())]), "chat small, chat large", "- -", "hedge"),
        ("broken", case(&config, "alpha/small", true).run([broken()]), "chat small", "failed", ""),
    ] {
        let spans = spans(&run, &config);
        let (server, tries) = spans.split_first().unwrap();
        let record = run.record();
        let found: Vec<&str> = tries.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(found.join(", "), names, "{what}");
        let state = |span: &Value| {
            let error = attribute(span, "error.type");
            assert_eq!(span.get("status").is_some(), error.is_some(), "{what}: {span}");
            if error.is_some() { "failed" } else { "-" }
        };
        assert_eq!(tries.iter().map(state).collect::<Vec<_>>().join(" "), errors, "{what}");
        let linked = tries.iter().filter_map(|span| attribute(span["links"].get(0)?, "portolan.link"));
        assert_eq!(linked.collect::<Vec<_>>().join(" "), links, "{what}");
        assert_eq!((server["kind"].as_u64(), server["spanId"].as_str()), (Some(2), Some(record.span_id.as_str())));
        assert_eq!(server["status"]["code"].as_u64(), (what == "broken").then_some(2), "{what}");
        let nanos = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        let mut ids = vec![server["spanId"].to_string()];
        for span in tries {
            assert_eq!((span["kind"].as_u64(), span["parentSpanId"].as_str()), (Some(3), Some(record.span_id.as_str())));
            assert_eq!(span["traceId"].as_str(), Some(record.trace_id.as_str()));
            let (start, end) = (nanos(span, "startTimeUnixNano"), nanos(span, "endTimeUnixNano"));
            assert!(
                nanos(server, "startTimeUnixNano") <= start && start <= end && end <= nanos(server, "endTimeUnixNano"),
                "{what}"
            );
            assert_eq!(attribute(span, "gen_ai.provider.name").as_deref(), Some("openai"), "the kind of the provider");
            assert_eq!(attribute(span, "server.port").as_deref(), Some("443"));
            ids.push(span["spanId"].to_string());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), tries.len() + 1);
        let with_usage = tries.iter().filter(|span| attribute(span, "gen_ai.usage.input_tokens").is_some()).count();
        assert_eq!(with_usage, usize::from(record.usage.is_some()), "{what}: whoever adds up counts it once");
        assert_eq!(attribute(server, "portolan.tenant").as_deref(), Some(record.tenant.as_str()));
    }
}
