//! Streams of this dialect, as providers send them.

use portolan::{
    chat::{event::Event, response::StopReason, usage::Usage},
    dialect::openai_chat::OpenAiChat,
};

use crate::fold::{calls, events, fold, texts};

use super::show;

/// Chunks as a stream; each line that is not JSON is written as it is.
fn sse(chunks: &[&str]) -> String {
    chunks
        .iter()
        .map(|chunk| if chunk.starts_with('{') { format!("data: {chunk}\n\n") } else { format!("{chunk}\n\n") })
        .collect()
}

const DONE: &str = "data: [DONE]";
const STOP: &str = r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const CALLS: &str = r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;

fn delta(delta: &str) -> String {
    format!(r#"{{"id":"x","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

fn call(piece: &str) -> String {
    delta(&format!(r#"{{"tool_calls":[{piece}]}}"#))
}

/// Every way to cut the bytes tells the same; returns what it tells.
fn all_cuts(name: &str, text: &str) -> Vec<Event> {
    let bytes = text.as_bytes();
    let whole = events(&OpenAiChat, [bytes]);
    assert_eq!(events(&OpenAiChat, bytes.chunks(1)), whole, "{name}: byte by byte");
    for at in 0..bytes.len() {
        let (left, right) = bytes.split_at(at);
        assert_eq!(events(&OpenAiChat, [left, right]), whole, "{name}: cut at {at}");
    }
    whole
}

#[test]
fn blocks_are_put_together_whatever_the_provider_cuts_them_into() {
    let (first, second) = (
        r#"{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}"#,
        r#"{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}"#,
    );
    for (name, chunks, expected) in [
        ("text", vec![delta(r#"{"role":"assistant","content":""}"#), delta(r#"{"content":"Grü"}"#), delta(r#"{"content":"ße"}"#), STOP.into()], "text Grüße"),
        ("thoughts, then text", vec![delta(r#"{"reasoning_content":"hm"}"#), delta(r#"{"content":"so"}"#), STOP.into()], "think hm | text so"),
        ("thoughts under the other name", vec![delta(r#"{"reasoning":"h"}"#), delta(r#"{"reasoning":"m","content":""}"#), STOP.into()], "think hm"),
        ("both names say the same", vec![delta(r#"{"reasoning":"hm","reasoning_content":"hm"}"#), STOP.into()], "think hm"),
        ("details and text say the same", vec![delta(r#"{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","index":0}]}"#), STOP.into()], "think hm"),
        ("a signature ends its thought", vec![
            delta(r#"{"reasoning_details":[{"type":"reasoning.text","text":"a","format":"anthropic-claude-v1","index":0}]}"#),
            delta(r#"{"reasoning_details":[{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0}]}"#),
            delta(r#"{"reasoning_details":[{"type":"reasoning.text","text":"b","format":"anthropic-claude-v1","index":0}]}"#), STOP.into()], "think a [S]@anthropic | think b"),
        ("a thought told plainly, and whole once more with its proof", vec![
            delta(r#"{"reasoning_content":"a"}"#), delta(r#"{"reasoning_content":"b"}"#),
            delta(r#"{"reasoning_details":[{"type":"reasoning.text","text":"ab","signature":"S","format":"anthropic-claude-v1","index":0}]}"#), STOP.into()], "think ab [S]@anthropic"),
        ("another index, another thought", vec![
            delta(r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"a","index":0}]}"#),
            delta(r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"b","index":1}]}"#), STOP.into()], "think a | think b"),
        ("encrypted thoughts", vec![delta(r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"D","format":"google-gemini-v1"}]}"#), STOP.into()], "redacted D@gemini"),
        ("a call in pieces", vec![call(first), call(r#"{"index":0,"function":{"arguments":"{\"a\""}}"#), call(r#"{"index":0,"function":{"arguments":":1}"}}"#), CALLS.into()], r#"call c1 f {"a":1}"#),
        ("parallel calls, interleaved", vec![call(first), call(second), call(r#"{"index":0,"function":{"arguments":"{}"}}"#), CALLS.into()], "call c1 f {} | call c2 g {}"),
        ("id, type and name in every piece", vec![call(r#"{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{"}}"#), call(r#"{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"}"}}"#), CALLS.into()], "call c1 f {}"),
        ("no index, whole", vec![delta(r#"{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"}},{"id":"c2","function":{"name":"f","arguments":"{}"}}]}"#), CALLS.into()], "call c1 f {} | call c2 f {}"),
        ("no index, in pieces", vec![call(r#"{"id":"c1","function":{"name":"f","arguments":"{"}}"#), call(r#"{"function":{"arguments":"}"}}"#), CALLS.into()], "call c1 f {}"),
        ("all numbered 0", vec![delta(r#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"c2","function":{"name":"g","arguments":"{}"}}]}"#), CALLS.into()], "call c1 f {} | call c2 g {}"),
        ("the name comes late", vec![call(r#"{"index":0,"id":"c1","function":{"name":null,"arguments":"{\"a\""}}"#), call(r#"{"index":0,"function":{"name":"f","arguments":":1}"}}"#), CALLS.into()], r#"call c1 f {"a":1}"#),
        ("arguments null, then an object", vec![call(r#"{"index":0,"id":"c1","function":{"name":"f","arguments":null}}"#), call(r#"{"index":0,"function":{"arguments":{"b":1.0}}}"#), CALLS.into()], r#"call c1 f {"b":1.0}"#),
        ("no id at all", vec![call(r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#), CALLS.into()], "call call_x_0 f {}"),
        ("whole in the finish chunk", vec![r#"{"id":"x","choices":[{"delta":{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"},"index":0}]},"finish_reason":"tool_calls"}]}"#.into()], "call c1 f {}"),
        ("finish told twice, call repeated", vec![call(first), CALLS.into(), r#"{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}]}"#.into()], "call c1 f "),
        ("the legacy call", vec![delta(r#"{"function_call":{"name":"f","arguments":""}}"#), delta(r#"{"function_call":{"arguments":"{}"}}"#), CALLS.into()], "call call_x_0 f {}"),
        ("Google's signature beside the call", vec![call(r#"{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S"}}}"#), CALLS.into()], "call c1 f {} [S]@gemini"),
        ("Mistral's parts", vec![delta(r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"so"}]}"#), STOP.into()], "think hm | text so"),
        ("a refusal", vec![delta(r#"{"refusal":"n"}"#), delta(r#"{"refusal":"o"}"#), STOP.into()], "refusal no"),
        ("Azure's preamble", vec![r#"{"id":"","model":"","choices":[],"prompt_filter_results":[]}"#.into(), delta(r#"{"content":"a"}"#), STOP.into()], "text a"),
        ("another choice between", vec![delta(r#"{"content":"a"}"#), r#"{"id":"x","choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"stop"}]}"#.into(), delta(r#"{"content":"b"}"#), STOP.into()], "text ab"),
        ("delta and the whole message", vec![r#"{"id":"x","choices":[{"delta":{"content":"a"},"message":{"content":"a"},"finish_reason":""}]}"#.into(), r#"{"id":"x","choices":[{"delta":{"content":"b"},"message":{"content":"ab"}}]}"#.into(), STOP.into()], "text ab"),
        ("text after the finish", vec![STOP.into(), delta(r#"{"content":"late"}"#)], "text late"),
        ("an image", vec![delta(r#"{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#), STOP.into()], "image image/png,AAAA"),
    ] {
        let mut chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
        chunks.push(DONE);
        let folded = fold(&all_cuts(name, &sse(&chunks)));
        assert_eq!(show(&folded.parts), expected, "{name}");
        assert_eq!((folded.id.as_deref(), folded.ended, folded.malformed), (Some("x"), true, 0), "{name}");
    }
}

#[test]
fn how_a_stream_ends() {
    let (text, error) = (delta(r#"{"content":"a"}"#), r#"{"error":{"message":"too busy","code":502},"user_id":"u"}"#);
    let first = call(r#"{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}}"#);
    let finish = |reason: &str| format!(r#"{{"id":"x","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
    let whole = |reason| Some(reason);
    for (name, chunks, stop, ended, failed) in [
        ("as it should", vec![&*text, STOP, DONE], whole(StopReason::End), true, None),
        ("no [DONE] (Cerebras)", vec![&*text, STOP], whole(StopReason::End), true, None),
        ("cut before the finish", vec![&*text], None, false, None),
        ("[DONE] without a finish", vec![&*text, DONE], whole(StopReason::End), true, None),
        ("nothing at all", vec![DONE], None, true, None),
        ("stop after a forced call", vec![&*first, STOP, DONE], whole(StopReason::ToolCalls), true, None),
        ("its length", vec![&*text, &finish("length"), DONE], whole(StopReason::Length), true, None),
        ("Mistral's length", vec![&*text, &finish("model_length"), DONE], whole(StopReason::Length), true, None),
        ("z.ai's filter", vec![&*text, &finish("sensitive"), DONE], whole(StopReason::ContentFilter), true, None),
        ("Together's eos", vec![&*text, &finish("eos"), DONE], whole(StopReason::End), true, None),
        ("an error in a chunk (OpenRouter)", vec![&*text, error, DONE], None, false, Some("too busy")),
        (
            "an error event (Groq)",
            vec![&*text, "event: error\ndata: {\"error\":{\"message\":\"bad tool\",\"status_code\":400}}"],
            None,
            false,
            Some("bad tool"),
        ),
        ("an error event in plain words", vec!["event: error\ndata: oh no"], None, false, Some("oh no")),
        (
            "an error in the choice",
            vec![
                r#"{"id":"x","choices":[{"index":0,"delta":{},"error":{"message":"gone","code":502},"finish_reason":"error"}]}"#,
            ],
            None,
            false,
            Some("gone"),
        ),
        (
            "the finish is an error",
            vec![&*text, &finish("error"), DONE],
            None,
            false,
            Some("The provider gave up on this answer (error)."),
        ),
    ] {
        let folded = fold(&all_cuts(name, &sse(&chunks)));
        assert_eq!((folded.stop, folded.ended, folded.failed.as_deref()), (stop, ended, failed), "{name}");
    }
    let failed = events(&OpenAiChat, [sse(&[error]).as_bytes()]);
    assert!(matches!(failed.as_slice(), [Event::Failed(error)] if error.status == 502), "{failed:?}");
}

#[test]
fn usage_is_the_last_report_wherever_it_stands() {
    let counted = |input, output| Some(Usage { input, output, ..Usage::default() });
    let report = r#""usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#;
    let early = r#""usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}"#;
    for (name, chunks, expected) in [
        ("none", vec![STOP.to_owned()], None),
        ("null", vec![r#"{"id":"x","choices":[],"usage":null}"#.to_owned(), STOP.to_owned()], None),
        ("without a choice", vec![STOP.to_owned(), format!(r#"{{"id":"x","choices":[],{report}}}"#)], counted(3, 2)),
        (
            "in the finish chunk",
            vec![format!(r#"{{"id":"x","choices":[{{"delta":{{}},"finish_reason":"stop"}}],{report}}}"#)],
            counted(3, 2),
        ),
        (
            "in every chunk (Perplexity)",
            vec![
                format!(r#"{{"id":"x","choices":[{{"delta":{{"content":"a"}}}}],{early}}}"#),
                format!(r#"{{"id":"x","choices":[{{"delta":{{}},"finish_reason":"stop"}}],{report}}}"#),
            ],
            counted(3, 2),
        ),
        (
            "twice (Groq)",
            vec![
                format!(r#"{{"id":"x","choices":[{{"delta":{{}},"finish_reason":"stop"}}],"x_groq":{{{report}}}}}"#),
                format!(r#"{{"id":"x","choices":[],{report}}}"#),
            ],
            counted(3, 2),
        ),
        (
            "in the choice (Moonshot)",
            vec![format!(r#"{{"id":"x","choices":[{{"delta":{{}},"finish_reason":"stop",{report}}}]}}"#)],
            counted(3, 2),
        ),
        ("beside an error", vec![format!(r#"{{"error":{{"message":"m"}},{report}}}"#)], counted(3, 2)),
    ] {
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).chain([DONE]).collect();
        let events = all_cuts(name, &sse(&chunks));
        assert_eq!(fold(&events).usage, expected, "{name}");
        let reports = events.iter().filter(|event| matches!(event, Event::Usage(_))).count();
        assert!(reports <= 2 && (reports > 0) == expected.is_some(), "{name}: {reports} reports");
    }
}

#[test]
fn what_nobody_can_read_is_counted_and_skipped() {
    let text = delta(r#"{"content":"a"}"#);
    for (junk, malformed) in [
        ("data: {\"cut", 1),
        ("data: 17", 1),
        (": keep-alive", 0),
        ("event: ping\ndata: {\"type\": \"ping\"}", 0),
        ("data:", 0),
        ("data:   [DONE]", 0),
    ] {
        let folded = fold(&all_cuts(junk, &sse(&[&text, junk, STOP, DONE])));
        assert_eq!((folded.malformed, folded.ended, texts(&folded.parts).0.as_str()), (malformed, true, "a"), "{junk}");
    }
}

#[test]
fn a_reader_may_start_in_the_middle() {
    for (name, chunks, expected) in [
        ("in a text", vec![delta(r#"{"content":"b"}"#), STOP.to_owned()], "text b"),
        ("in a call", vec![call(r#"{"index":1,"function":{"arguments":"1}"}}"#), CALLS.to_owned()], "call call_x_0  1}"),
        ("before the usage", vec![STOP.to_owned()], ""),
    ] {
        let chunks: Vec<&str> = chunks.iter().map(String::as_str).chain([DONE]).collect();
        let folded = fold(&all_cuts(name, &sse(&chunks)));
        assert_eq!((show(&folded.parts).as_str(), folded.ended), (expected, true), "{name}");
        assert_eq!(calls(&folded.parts).len(), expected.matches("call call_").count(), "{name}");
    }
}
