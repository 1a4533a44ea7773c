//! An upstream that lies: answers and streams that are meant to break their reader, to cost a fortune, or to lead elsewhere.

use portolan::{dialect::Dialect, units::Money, wire::sse::Frames};
use serde_json::Value;

use super::json::{deep, nested, on_a_small_stack};
use crate::exchange::{
    driver::{Case, gateway},
    script::{Answer, CHAT, MESSAGE, chunk, data, done, json, role, says, served, stop, stream, told},
};

fn odd_values() -> Vec<String> {
    let plain = [
        "null",
        "true",
        "-1",
        "1.5",
        "1e999",
        "18446744073709551615",
        "18446744073709551616",
        r#""x""#,
        r#""\ud800""#,
        "[]",
        "{}",
        "[null]",
        r#"{"__proto__":{"a":1}}"#,
        r#""{\"a\":""#,
    ];
    let mut odd: Vec<String> = plain.map(str::to_owned).to_vec();
    odd.push("9".repeat(400));
    odd.push(Value::from("k".repeat(1 << 12)).to_string());
    for depth in [60, 127, 128, 5_000] {
        odd.push(nested("[", "]", depth, ""));
        odd.push(nested(r#"{"a":"#, "}", depth, "1"));
        odd.push(nested(r#"{"error":"#, "}", depth, r#"{"message":"x"}"#));
        odd.push(Value::from(nested(r#"{"a":"#, "}", depth, "1")).to_string());
        odd.push(Value::from(nested(r#"{"error":{"message":"#, "}}", depth, "1")).to_string());
    }
    odd
}

const ANSWERS: [(Dialect, &str); 16] = [
    (
        Dialect::OpenAiChat,
        r#"{"id":ODD,"model":ODD,"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":ODD}],"usage":ODD}"#,
    ),
    (Dialect::OpenAiChat, r#"{"id":"i","choices":ODD}"#),
    (
        Dialect::OpenAiChat,
        r#"{"id":"i","choices":[{"index":ODD,"message":{"role":"assistant","content":ODD,"reasoning_content":ODD},"finish_reason":"stop"}],"usage":{"prompt_tokens":ODD,"completion_tokens":ODD,"prompt_tokens_details":ODD}}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"id":"i","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":ODD,"type":"function","function":{"name":ODD,"arguments":ODD}}]},"finish_reason":"tool_calls"}]}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"id":"i","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":ODD}}]},"finish_reason":"tool_calls"}]}"#,
    ),
    (Dialect::OpenAiResponses, r#"{"id":ODD,"status":"completed","output":ODD,"usage":ODD}"#),
    (
        Dialect::OpenAiResponses,
        r#"{"id":"i","status":"completed","output":[{"type":"function_call","call_id":"t","name":"f","arguments":ODD},{"type":"message","content":[ODD]}],"usage":{"input_tokens":ODD,"output_tokens":ODD}}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"id":"i","type":"message","role":"assistant","model":"m","content":ODD,"stop_reason":ODD,"usage":ODD}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"id":"i","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":ODD}],"stop_reason":"tool_use","usage":{"input_tokens":ODD,"output_tokens":ODD,"cache_read_input_tokens":ODD}}"#,
    ),
    (Dialect::Gemini, r#"{"candidates":ODD,"usageMetadata":ODD}"#),
    (
        Dialect::Gemini,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":ODD}},ODD]},"finishReason":"STOP","groundingMetadata":ODD}],"usageMetadata":{"promptTokenCount":ODD,"candidatesTokenCount":ODD}}"#,
    ),
    (
        Dialect::Converse,
        r#"{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":ODD}},ODD]}},"stopReason":"tool_use","usage":ODD}"#,
    ),
    (
        Dialect::Cohere,
        r#"{"id":"i","finish_reason":"COMPLETE","message":{"role":"assistant","content":ODD,"tool_calls":ODD},"usage":ODD}"#,
    ),
    (Dialect::WorkersAi, r#"{"response":ODD,"tool_calls":ODD,"usage":ODD}"#),
    (Dialect::OpenAiChat, r#"{"error":ODD}"#),
    (Dialect::Gemini, r#"[{"error":ODD}]"#),
];

const EVENTS: [(Dialect, &str); 12] = [
    (Dialect::OpenAiChat, r#"{"choices":[{"index":ODD,"delta":ODD,"finish_reason":ODD}],"usage":ODD}"#),
    (
        Dialect::OpenAiChat,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":ODD,"id":ODD,"function":{"name":ODD,"arguments":ODD}}]}}]}"#,
    ),
    (Dialect::OpenAiChat, r#"{"error":ODD}"#),
    (Dialect::OpenAiResponses, r#"{"type":"response.output_item.added","output_index":ODD,"item":ODD}"#),
    (
        Dialect::OpenAiResponses,
        r#"{"type":"response.function_call_arguments.delta","output_index":ODD,"item_id":ODD,"delta":ODD}"#,
    ),
    (Dialect::OpenAiResponses, r#"{"type":"response.completed","response":ODD}"#),
    (Dialect::Anthropic, r#"{"type":"content_block_start","index":ODD,"content_block":ODD}"#),
    (Dialect::Anthropic, r#"{"type":"content_block_delta","index":ODD,"delta":{"type":"input_json_delta","partial_json":ODD}}"#),
    (Dialect::Anthropic, r#"{"type":"message_delta","delta":ODD,"usage":ODD}"#),
    (
        Dialect::Gemini,
        r#"{"candidates":[{"index":ODD,"content":{"parts":[{"functionCall":{"name":"f","args":ODD}}]},"finishReason":ODD}],"usageMetadata":ODD}"#,
    ),
    (Dialect::Cohere, r#"{"type":"tool-call-delta","index":ODD,"delta":ODD}"#),
    (Dialect::WorkersAi, r#"{"response":ODD,"usage":ODD}"#),
];

#[test]
fn odd_answers_are_read_to_an_end() {
    on_a_small_stack(|| {
        let mut read = 0;
        for (dialect, template) in ANSWERS {
            for odd in odd_values() {
                let text = template.replace("ODD", &odd);
                let upstream = dialect.upstream();
                read += usize::from(upstream.read_response(&text).is_ok());
                for status in [0, 200, 400, 429, 500] {
                    let error = upstream.read_error(status, &text);
                    assert!(error.message.len() <= text.len() + 200);
                }
            }
        }
        assert!(read > 100, "{read}");
    });
}

/// Through the whole exchange: to a caller of the same dialect and of another.
#[test]
fn odd_answers_are_passed_on_or_refused() {
    on_a_small_stack(|| {
        for (dialect, template) in
            ANSWERS.into_iter().filter(|(dialect, _)| matches!(dialect, Dialect::OpenAiChat | Dialect::Anthropic))
        {
            let model = if dialect == Dialect::Anthropic { "gamma/claude" } else { "alpha/small" };
            for odd in odd_values() {
                let text = template.replace("ODD", &odd);
                for caller in [Dialect::OpenAiChat, Dialect::Anthropic] {
                    let run = Case::of(caller, model, false).run([json(200, &text)]);
                    assert!(matches!(run.status, 200 | 400..600), "{} {text:.200}", run.status);
                    let is_json = serde_json::from_str::<Value>(&run.body).is_ok();
                    // As deep as the provider nested it, which is deeper than this reader goes.
                    assert!(is_json || run.body == text || deep(&run.body) > 100, "{caller:?} {text:.300}: {:.300}", run.body);
                }
            }
        }
    });
}

#[test]
fn odd_events_are_read_to_an_end() {
    on_a_small_stack(|| {
        for (dialect, template) in EVENTS {
            let mut reader = dialect.upstream().event_reader();
            let (mut frames, mut events) = (Frames::default(), vec![]);
            for odd in odd_values() {
                let text = template.replace("ODD", &odd);
                let kind = text.split('"').nth(3).unwrap_or_default().to_owned();
                for bytes in [
                    format!("data: {text}\n\n"),
                    format!("event: {kind}\ndata: {text}\n\n"),
                    format!("data: {text}\r\rdata:\n\n"),
                ] {
                    frames.push(bytes.as_bytes()).unwrap();
                    while let Some(frame) = frames.next_frame() {
                        reader.read(&frame, &mut events);
                    }
                }
            }
            reader.close(&mut events);
            // Numbers of blocks and choices are the provider's word: they are no sizes of ours.
            assert!(events.len() < 10_000, "{dialect:?}: {}", events.len());
        }
    });
}

/// An event without an end is not collected for ever.
#[test]
fn an_event_without_an_end_is_given_up() {
    let mut frames = Frames::default();
    let part = vec![b'x'; 1 << 20];
    let given_up = (0..64).find(|_| frames.push(&part).is_err());
    assert_eq!(given_up, Some(16));
}

#[test]
fn a_usage_that_lies_costs_what_can_be_counted_and_no_more() {
    let most = u64::MAX.to_string();
    for (input, output, is_counted) in [
        (&*most, &*most, true),
        ("18446744073709551616", "1", false),
        ("-1", "1", false),
        ("1e30", "1", false),
        ("1.5", "\"2\"", false),
    ] {
        let text = CHAT
            .replace("\"prompt_tokens\":10", &format!("\"prompt_tokens\":{input}"))
            .replace("\"completion_tokens\":5", &format!("\"completion_tokens\":{output}"));
        let run = Case::chat("alpha/small").run([json(200, &text)]);
        let record = run.record();
        assert_eq!(run.status, 200, "{input}");
        let most = record.cost == Some(Money(u64::MAX));
        assert_eq!(most, is_counted, "{input} {output}: {:?} {:?}", record.usage, record.cost);
        let usage = data(&format!(
            r#"{{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":1}}}}"#
        ));
        let run = Case::chat_stream("alpha/small").run([stream([role(), says("Hi"), stop(), usage, done()])]);
        assert_eq!(run.status, 200);
        assert!(run.body.contains("[DONE]"), "{}", run.body);
    }
}

#[test]
fn redirects_are_not_followed_and_tell_nothing() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let answer = || {
            json(status, r#"{"location":"http://169.254.169.254/latest"}"#)
                .header("location", "http://169.254.169.254/latest?key=canary")
        };
        for case in [
            Case::chat("alpha/small"),
            Case::chat_stream("alpha/small"),
            Case::of(Dialect::Anthropic, "gamma/claude", false),
            Case::of(Dialect::Anthropic, "alpha/small", true),
        ] {
            let run = case.run([answer()]);
            assert_eq!((run.status, run.header("x-portolan-error")), (502, Some("provider")), "{status}");
            let told = format!("{} {:?} {:?}", run.body, run.headers, run.record());
            assert!(!told.contains("169.254") && !told.contains("canary"), "{told}");
        }
        // Another target serves.
        let config = gateway(r#"{"r":{"targets":["alpha/small","beta/small"]}}"#, "");
        let run = Case::with(config, Dialect::OpenAiChat, "r", false).run([answer(), served()]);
        assert_eq!((run.status, run.hosts().as_str()), (200, "alpha beta"));
    }
}

/// Whatever an upstream calls its answer, the caller gets a status that there is.
#[test]
fn no_status_that_is_none_reaches_the_caller() {
    for status in [0, 1, 99, 100, 101, 199, 204, 205, 226, 299, 304, 399, 418, 499, 599, 600, 700, 999, 1000, 65_535] {
        for case in
            [Case::chat("alpha/small"), Case::chat_stream("alpha/small"), Case::of(Dialect::Anthropic, "gamma/claude", true)]
        {
            for body in ["", "{}", "<html>", r#"{"error":{"message":"No.","code":999}}"#] {
                let run = case.run_on(&json(status, body));
                assert!((400..600).contains(&run.status), "{status} {body}: {}", run.status);
            }
        }
    }
}

/// A server that repeats what it was sent, as debugging ones do, does not hand out the operator's credential.
#[test]
fn an_error_that_repeats_the_credential_is_told_without_it() {
    for (model, secret) in [("alpha/small", "value-of-ALPHA_KEY"), ("gamma/claude", "value-of-GAMMA_KEY")] {
        for status in [400, 404, 422, 500, 503] {
            let body = format!(
                r#"{{"type":"error","error":{{"type":"invalid_request_error","code":"{secret}","param":"{secret}","message":"Bad header authorization: Bearer {secret} ({secret})"}}}}"#
            );
            for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
                for stream in [false, true] {
                    let case = Case::of(dialect, model, stream);
                    let run = case.run_on(&json(status, &body));
                    let told = format!("{} {:?} {}", run.body, run.headers, serde_json::to_string(run.record()).unwrap());
                    assert!(!told.contains(secret), "{model} {status}: {told}");
                }
            }
        }
    }
}

/// What quotes or repeats a caller's text in a refusal must not shut a model, an account or a region for the others.
#[test]
fn a_callers_words_in_a_refusal_move_nobodys_health() {
    let words = [
        "You exceeded your current quota, please check your plan and billing details",
        "API key not valid. Please pass a valid API key.",
        "Incorrect API key provided",
        "The model gpt-4o does not exist",
        "User location is not supported for the API use.",
        "Country, region, or territory not supported",
        "not available in your region",
        "model is not a valid model id",
        "overloaded at capacity",
        "insufficient_quota",
    ];
    for text in words {
        for shape in [
            "Invalid value: '{}'.",
            "Invalid value: {}",
            "Unknown name \\\"{}\\\": no such field",
            "messages.0.content: {} is not allowed",
            "Could not parse: {}",
        ] {
            let body = format!(
                r#"{{"error":{{"message":"{}","type":"invalid_request_error","code":null,"param":null}}}}"#,
                shape.replace("{}", text)
            );
            let run = Case::chat("alpha/small").run([json(400, &body)]);
            assert_eq!(run.learned(), Vec::<String>::new(), "{body}");
            assert_eq!(run.status, 400, "{body}");
        }
    }
}

#[test]
fn whole_answers_pass_as_they_were() {
    // So that what is refused above is refused for what is in it.
    for (dialect, model, text) in [(Dialect::OpenAiChat, "alpha/small", CHAT), (Dialect::Anthropic, "gamma/claude", MESSAGE)] {
        let run = Case::of(dialect, model, false).run([json(200, text)]);
        assert_eq!((run.status, run.body.as_str()), (200, text));
    }
    let run = Case::chat_stream("alpha/small").run([stream(told())]);
    assert!(run.status == 200 && run.body.contains("there"));
    let plain: Answer = stream([role(), chunk(r#"{"index":0,"delta":{},"finish_reason":"stop"}"#), done()]);
    assert_eq!(plain.status, 200);
}
