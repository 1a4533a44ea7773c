//! Streams where whole answers were asked for, whole answers where streams were, and routes that refuse what is lossy.

use portolan::dialect::{Dialect, openai_chat::OpenAiChat};
use serde_json::{Value, json};

use super::{
    driver::{Case, gateway},
    script::{Answer, data, json as answered, stream},
};
use crate::fold::{events, fold};

const WHOLE: &str = r#"{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

fn pieces() -> Answer {
    stream([
        data(
            r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Hello "},"finish_reason":null}]}"#,
        ),
        data(
            r#"{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
        ),
        data("[DONE]"),
    ])
}

#[test]
fn a_whole_answer_to_a_stream_is_told_as_a_stream() {
    let run = Case::chat_stream("alpha/small").run([answered(200, WHOLE)]);
    assert_eq!((run.status, run.header("content-type")), (200, Some("text/event-stream; charset=utf-8")), "{}", run.body);
    let folded = fold(&events(&OpenAiChat, [run.body.as_bytes()]));
    assert_eq!(crate::fold::texts(&folded.parts).0, "Hello there");
    assert!(folded.ended, "{}", run.body);
    assert_eq!(run.record().usage.unwrap().output, 2);
    let claude = Case::of(Dialect::Anthropic, "alpha/small", true).run([answered(200, WHOLE)]);
    assert!(claude.body.starts_with("event: message_start") && claude.body.contains("message_stop"), "{}", claude.body);
}

#[test]
fn a_stream_for_a_whole_answer_is_put_together() {
    for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
        let run = Case::of(dialect, "alpha/small", false).run([pieces()]);
        assert_eq!((run.status, run.header("content-type")), (200, Some("application/json")), "{}", run.body);
        let body: Value = serde_json::from_str(&run.body).unwrap();
        let said = body.pointer("/choices/0/message/content").or_else(|| body.pointer("/content/0/text"));
        assert_eq!(said, Some(&json!("Hello there")), "{body}");
        assert_eq!(run.record().usage.unwrap().output, 2);
    }
}

#[test]
fn a_stream_that_broke_off_is_no_whole_answer() {
    let cut = || stream([data(r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"Hello "},"finish_reason":null}]}"#)]);
    let run = Case::chat("alpha/small,beta/large").run([cut(), answered(200, WHOLE)]);
    assert_eq!((run.status, run.hosts().as_str()), (200, "alpha beta"));
}

/// `container` has no place in OpenAI's chat, and stands for all that is lost.
const WITH_CONTAINER: &str =
    r#"{"model":"strict","max_tokens":9,"container":"c","messages":[{"role":"user","content":"Hello"}]}"#;

#[test]
fn a_route_that_refuses_what_is_lossy_names_the_field() {
    let routes = r#"{"strict":{"targets":["alpha/small"],"lossy":"refuse"},"loose":{"targets":["alpha/small"]}}"#;
    let ask = |model: &str| {
        Case::with(gateway(routes, ""), Dialect::Anthropic, model, false).body(&WITH_CONTAINER.replace("strict", model))
    };
    let run = ask("strict").run([]);
    assert_eq!(run.status, 400, "{}", run.body);
    assert!(run.body.contains("`container`") && run.body.contains("alpha/small"), "{}", run.body);
    let run = ask("loose").run([answered(200, WHOLE)]);
    assert_eq!((run.status, run.header("x-portolan-dropped")), (200, Some("container")));
    // A target that can carry it comes first; a request that loses nothing goes through.
    let routes = r#"{"strict":{"targets":["alpha/small","gamma/claude"],"lossy":"refuse"}}"#;
    let answer = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let run =
        Case::with(gateway(routes, ""), Dialect::Anthropic, "strict", false).body(WITH_CONTAINER).run([answered(200, answer)]);
    assert_eq!((run.status, run.hosts().as_str()), (200, "gamma"));
    let plain = WITH_CONTAINER.replace(r#""container":"c","#, "");
    let run = Case::with(gateway(routes, ""), Dialect::Anthropic, "strict", false).body(&plain).run([answered(200, WHOLE)]);
    assert_eq!((run.status, run.hosts().as_str()), (200, "alpha"));
}

#[test]
fn a_tool_that_takes_any_text_goes_as_a_function_to_who_does_not_know_it() {
    let tool = r#"{"type":"custom","custom":{"name":"patch","description":"Edits files.","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: /.+/"}}}}"#;
    let body = |model: &str| format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}],"tools":[{tool}]}}"#);
    let answer = r#"{"id":"c1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"patch","arguments":"{\"input\":\"*** Begin\"}"}}]},"finish_reason":"tool_calls"}]}"#;
    let run = Case::chat("alpha/small").body(&body("alpha/small")).run([answered(200, answer)]);
    let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
    assert_eq!(sent["tools"][0]["type"], "function", "{sent}");
    let said: Value = serde_json::from_str(&run.body).unwrap();
    let call = &said["choices"][0]["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["custom"]["input"]), (&json!("custom"), &json!("*** Begin")), "{said}");
}
