//! Tests of the dialect `workers_ai`: both shapes of answers are read as one.

use portolan::{
    chat::{request::Part, response::StopReason},
    dialect::{Upstream, workers_ai::WorkersAi},
};

use crate::fold::{calls, events, fold, texts};

#[test]
fn answers_of_both_shapes_are_read() {
    for (body, text, calls_told, stop, counted) in [
        (
            r#"{"response":"Yes.","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
            "Yes.",
            vec![],
            StopReason::End,
            Some((9, 2)),
        ),
        (r#"{"result":{"response":"Yes."},"success":true,"errors":[],"messages":[]}"#, "Yes.", vec![], StopReason::End, None),
        (r#"{"response":{"rain":true}}"#, r#"{"rain":true}"#, vec![], StopReason::End, None),
        (
            r#"{"response":null,"tool_calls":[{"name":"weather","arguments":{"city":"Bergen"}},{"name":"time","arguments":{}}]}"#,
            "",
            vec![("weather", r#"{"city":"Bergen"}"#), ("time", "{}")],
            StopReason::ToolCalls,
            None,
        ),
        (
            r#"{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"length"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
            "Yes.",
            vec![],
            StopReason::Length,
            Some((9, 2)),
        ),
    ] {
        let answer = WorkersAi.read_response(body).unwrap();
        assert_eq!(texts(&answer.parts).0, text, "{body}");
        let found: Vec<_> = calls(&answer.parts).iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!(found, calls_told, "{body}");
        let mut ids: Vec<_> = calls(&answer.parts).iter().map(|call| call.id.clone()).collect();
        ids.dedup();
        assert!(ids.len() == calls_told.len() && ids.iter().all(|id| !id.is_empty()), "{ids:?}");
        assert_eq!((answer.stop, answer.usage.map(|usage| (usage.input, usage.output))), (stop, counted), "{body}");
    }
    assert!(WorkersAi.read_response(r#"{"success":true}"#).is_err());
}

#[test]
fn streams_of_both_shapes_are_read() {
    let own = [
        r#"{"response":"Ye","p":"abc"}"#,
        r#"{"response":"s.","p":"ab"}"#,
        r#"{"response":"","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        "[DONE]",
    ];
    let calls_own = [
        r#"{"response":null,"tool_calls":[{"name":"weather","arguments":{"city":"Bergen"}}]}"#,
        r#"{"response":"","tool_calls":[{"id":"c2","type":"function","function":{"name":"time","arguments":"{}"}}]}"#,
        "[DONE]",
    ];
    let chat = [
        r#"{"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"Yes."}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
        r#"{"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
        r#"{"response":"","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        "[DONE]",
    ];
    let bytes = |frames: &[&str]| frames.iter().map(|data| format!("data: {data}\n\n")).collect::<String>();
    let read = |frames: &[&str]| fold(&events(&WorkersAi, [bytes(frames).as_bytes()]));
    for (frames, text, count, stop, output) in [
        (&own[..], "Yes.", 0, StopReason::End, Some(2)),
        (&calls_own[..], "", 2, StopReason::ToolCalls, None),
        (&chat[..], "Yes.", 0, StopReason::Length, Some(2)),
    ] {
        let folded = read(frames);
        assert!(folded.ended && folded.failed.is_none() && folded.malformed == 0, "{folded:?}");
        assert_eq!((texts(&folded.parts).0.as_str(), calls(&folded.parts).len()), (text, count));
        assert_eq!((folded.stop, folded.usage.map(|usage| usage.output)), (Some(stop), output));
        assert!(!folded.parts.iter().any(|part| matches!(part, Part::Text { text, .. } if text.is_empty())), "{folded:?}");
        // Cut off before its end, it is no answer.
        assert!(!read(&frames[..1]).ended);
    }
}

#[test]
fn errors_say_what_they_are() {
    for body in [
        r#"{"result":null,"success":false,"errors":[{"code":3040,"message":"Capacity."}],"messages":[]}"#,
        r#"{"internalCode":3040,"message":"InferenceUpstreamError","name":"AiError","description":"Capacity."}"#,
    ] {
        let error = WorkersAi.read_error(429, body);
        assert_eq!((error.status, error.message.as_str(), error.code.as_deref()), (429, "Capacity.", Some("3040")));
    }
    assert_eq!(WorkersAi.read_error(500, "oops").message, "oops");
}
