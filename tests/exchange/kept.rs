//! What is kept of an answer for the next who asks the same: all of it, if it was good; else nothing.

use portolan::{
    cache::{Slot, Stored},
    config::OnStreamBreak,
    dialect::{Dialect, surface::Operation},
    exchange::reply::{Body, replayed},
    ledger::{
        Payer,
        entry::Closing,
        record::{Early, Given, Record},
    },
    wire::trace::Trace,
};

use super::{
    driver::{Case, Run, START, gateway},
    script::{Answer, chunk, data, done, error, json, message, role, says, served, stop, stream, told, usage},
};

fn slot(writes: bool) -> Slot {
    Slot { name: "answer1:x".to_owned(), ttl_s: 60, reads: true, writes }
}

fn kept(case: &Case, answers: Vec<Answer>) -> Run {
    Case { slot: Some(slot(true)), ..case.clone() }.run(answers)
}

const VECTORS: &str = r#"{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
const CALL: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#;
const FILTERED: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"So"},"finish_reason":"content_filter"}]}"#;

fn with_usage(model: &str) -> Case {
    let case = Case::chat_stream(model);
    let body = case.body.replace("\"stream\":true", "\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    case.body(&body)
}

#[test]
fn a_good_answer_is_kept_as_the_caller_was_sent_it() {
    let embed = Case::operation(Operation::Embed, Dialect::OpenAiChat, r#"{"model":"alpha/small","input":"Hello"}"#);
    let google = Case::operation(Operation::Embed, Dialect::OpenAiChat, r#"{"model":"google/e","input":"Hello"}"#);
    let atomic = Case { on_break: OnStreamBreak::Atomic, ..Case::chat_stream("alpha/small") };
    let continued = Case { on_break: OnStreamBreak::Continue, ..Case::chat_stream("alpha/small,beta/large") };
    let events = "text/event-stream; charset=utf-8";
    for (what, case, answers, content_type) in [
        ("whole", Case::chat("alpha/small"), vec![served()], "application/json"),
        ("whole, with calls", Case::chat("alpha/small"), vec![json(200, CALL)], "application/json"),
        ("whole, translated", Case::of(Dialect::Anthropic, "alpha/small", false), vec![served()], "application/json"),
        (
            "after a failure",
            Case::chat("alpha/small,beta/large"),
            vec![error(400, "model_not_found", "x"), served()],
            "application/json",
        ),
        ("a stream", Case::chat_stream("alpha/small"), vec![stream(told())], events),
        ("a stream that would pass natively", with_usage("alpha/small"), vec![stream(told())], events),
        ("a translated stream", Case::chat_stream("gamma/claude"), vec![stream(message())], events),
        ("a stream in pieces", Case::chat_stream("alpha/small"), vec![stream(told()).split(7)], events),
        ("without its end mark", Case::chat_stream("alpha/small"), vec![stream([role(), says("Hi"), stop(), usage()])], events),
        ("gathered", atomic, vec![stream(told())], events),
        ("one that could have gone on", continued, vec![stream(told())], events),
        ("vectors", embed, vec![json(200, VECTORS)], "application/json"),
        ("vectors, translated", google, vec![json(200, r#"{"embedding":{"values":[0.5]}}"#)], "application/json"),
    ] {
        let run = kept(&case, answers);
        let stored = run.kept.as_ref().unwrap_or_else(|| panic!("{what}: nothing is kept of {}", run.body));
        assert_eq!(std::str::from_utf8(&stored.body).unwrap(), run.body, "{what}");
        assert_eq!(stored.content_type, content_type, "{what}");
        assert_eq!(Some(stored.content_type.as_str()), run.header("content-type"), "{what}");
        assert_eq!(
            (Some(stored.provider.as_str()), Some(stored.model.as_str())),
            (run.header("x-portolan-provider"), run.header("x-portolan-model"))
        );
        assert_eq!(stored.usage, run.record().usage, "{what}");
        assert_eq!(run.header("x-portolan-cache"), Some("miss"), "{what}");
        assert_eq!(run.record().cache, Some("miss"), "{what}");
        assert_ne!(run.native, Some(true), "{what}: its bytes would not be seen");
    }
}

#[test]
fn what_is_not_whole_and_good_is_not_kept() {
    let strict = |routes: &str| Case::with(gateway(routes, ""), Dialect::OpenAiChat, "r", false);
    let requires = strict(r#"{"r":{"targets":[{"model":"mock/echo","requires":{"zdr":true}}]}}"#);
    let continued = Case { on_break: OnStreamBreak::Continue, ..Case::chat_stream("alpha/small,beta/large") };
    let whole = || stream(told());
    let huge = format!(
        r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"finish_reason":"stop"}}]}}"#,
        "x".repeat(1 << 20)
    );
    let filtered = chunk(r#"{"index":0,"delta":{},"finish_reason":"content_filter"}"#);
    for (what, case, answers) in [
        ("an error", Case::chat("alpha/small"), vec![error(400, "bad", "No.")]),
        ("a filter's refusal", Case::chat("alpha/small"), vec![json(200, FILTERED)]),
        ("a stream that a filter ended", Case::chat_stream("alpha/small"), vec![stream([role(), says("So"), filtered, done()])]),
        ("a broken stream", Case::chat_stream("alpha/small"), vec![stream([role(), says("Hi")])]),
        (
            "an error in a stream",
            Case::chat_stream("alpha/small"),
            vec![stream([role(), says("Hi"), data(r#"{"error":{"message":"no"}}"#)])],
        ),
        (
            "a malformed stream",
            Case::chat_stream("alpha/small"),
            vec![stream([role(), says("Hi"), data("{oops"), stop(), done()])],
        ),
        ("one that went on elsewhere", continued, vec![stream([role(), says("Hi ")]), whole()]),
        ("one whose client left", Case { leaves_at: Some(5), ..Case::chat_stream("alpha/small") }, vec![whole().wait(3, 50)]),
        (
            "a stream that nobody asked for",
            Case::chat("alpha/small"),
            vec![stream([role(), says("Hi"), data("{oops"), stop(), done()])],
        ),
        ("too much", Case::chat("alpha/small"), vec![json(200, &huge)]),
        ("what a target further in forbids", requires, vec![]),
    ] {
        let run = kept(&case, answers);
        assert!(run.kept.is_none(), "{what}: {}", run.body.chars().take(200).collect::<String>());
    }
}

#[test]
fn where_there_is_no_cache_nothing_changes() {
    let case = with_usage("alpha/small");
    let run = case.run([stream(told())]);
    assert!(run.kept.is_none() && run.native == Some(true), "native as ever");
    assert_eq!((run.header("x-portolan-cache"), run.record().cache), (Some("off"), None));
    let run = Case { slot: Some(slot(false)), ..case }.run([stream(told())]);
    assert!(run.kept.is_none() && run.native == Some(true), "what is not to be stored need not be seen");
    assert_eq!(run.header("x-portolan-cache"), Some("miss"));
    let forbidden = Case::with(gateway(r#"{"r":{"targets":["mock/echo"],"zdr":true}}"#, ""), Dialect::OpenAiChat, "r", false);
    let run = Case { slot: Some(slot(true)), ..forbidden }.run([]);
    assert_eq!(run.header("x-portolan-cache"), Some("off"), "zero retention and a cache do not go together");
}

/// Its tokens were counted when it was made.
#[test]
fn an_answer_given_again_is_a_request_without_tokens_and_cost() {
    let stored = kept(&Case::chat("alpha/small"), vec![served()]).kept.unwrap();
    assert!(stored.usage.is_some_and(|usage| usage.output == 5));
    let Stored { provider, model, answered_by, usage, estimated, .. } = stored;
    let given = Given { provider, model, answered_by, usage, estimated, stream: false };
    let who = Early {
        id: "req_2".to_owned(),
        trace: Trace::of("req_2", None),
        time: START,
        dialect: Dialect::OpenAiChat,
        payer: Payer::gateway("ci"),
        asked: "alpha/small".to_owned(),
        region: "weur".to_owned(),
        unplanned: None,
    };
    let record = Record::cached(who, "generate", "alpha/small", given, "v", START.plus(3));
    assert!(record.usage.is_some_and(|usage| usage.output == 5));
    let close = Closing::of(&record);
    assert_eq!((close.input, close.cache_read, close.output, close.cost.0, close.unpriced), (0, 0, 0, 0, false));
    assert_eq!((close.provider.as_str(), close.model.as_str(), close.outcome.as_str(), close.ms), ("alpha", "small", "ok", 3));
}

#[test]
fn an_answer_given_again_says_so() {
    let run = kept(&Case::chat_stream("alpha/small"), vec![stream(told())]);
    let stored = run.kept.unwrap();
    let traced = ("traceparent".to_owned(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let reply = replayed(&stored, ("req_2", "smart\n"), (Some("mine"), Some(traced)), 3);
    let header = |name: &str| reply.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    for (name, value) in [
        ("x-request-id", Some("req_2")),
        ("request-id", Some("req_2")),
        ("x-client-request-id", Some("mine")),
        ("traceparent", Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
        ("x-portolan-cache", Some("hit")),
        ("x-portolan-provider", Some("alpha")),
        ("x-portolan-model", Some("small")),
        ("x-portolan-route", Some("smart?")),
        ("x-portolan-cost", Some("0")),
        ("content-type", Some("text/event-stream; charset=utf-8")),
        ("server-timing", Some("gateway;dur=3")),
    ] {
        assert_eq!(header(name), value, "{name}");
    }
    assert!(reply.status == 200 && matches!(reply.body, Body::Upstream));
    assert_eq!(stored.until.since(START) / 1000, 60);
}
