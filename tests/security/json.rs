//! JSON that is meant to break its reader, in requests. What answers say is in `upstreams`.

use std::thread;

use portolan::{
    dialect::{Caller, Dialect, Upstream},
    operation::estimate,
    wire::json::Outline,
};
use serde_json::Value;

use crate::exchange::{driver::Case, script::json};

/// What a wasm instance has. A stack that runs over is a trap, and takes every request of the isolate along.
const STACK: usize = 1 << 20;

/// On a stack of that size. Tests are built with frames several times those of the Worker.
pub fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

pub fn nested(open: &str, close: &str, depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// As deep as a body may be, and deeper by far.
const DEPTHS: [usize; 4] = [60, 120, 127, 5_000];

#[test]
fn what_is_too_deep_is_refused_before_anybody_descends() {
    on_a_small_stack(|| {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
            for (depth, is_fine) in [
                (50, true),
                (100, open != r#"[{"a":"#),
                (127, open != r#"[{"a":"#),
                (128, false),
                (200_000, false),
                (3_000_000, false),
            ] {
                let body = format!(r#"{{"x":{}}}"#, nested(open, close, depth, "1"));
                assert_eq!(Outline::read(body.as_bytes()).is_ok(), is_fine, "{open} {depth}");
                // Cut off, it is no better.
                let cut = format!(r#"{{"x":{}"#, open.repeat(depth));
                assert!(Outline::read(cut.as_bytes()).is_err());
            }
        }
    });
}

#[test]
fn no_two_readers_find_different_members() {
    for (body, is_fine) in [
        (r#"{"model":"a","stream":true}"#, true),
        (r#"{"model":"a","model":"b"}"#, false),
        (r#"{"model":"a","mod\u0065l":"b"}"#, false),
        (r#"{"\u006dodel":"a","mod\u0065l":"b"}"#, false),
        (r#"{"model":"a","model":null}"#, false),
        (r#"{"model":"a","Model":"b"}"#, false),
        (r#"{"MODEL":"b","model":"a"}"#, false),
        (r#"{"model":"a","\u004dodel":"b"}"#, false),
        (r#"{"stream":false,"ſtream":true}"#, false),
        ("{\"tokens\":1,\"to\u{212a}ens\":2}", false),
        (r#"{"a":1,"a":1}"#, false),
        (r#"{"é":1,"É":2}"#, true),
        (r#"{"systemInstruction":1,"system_instruction":2}"#, true),
        (r#"{"__proto__":1,"constructor":2,"toString":3}"#, true),
        (r#"{"__proto__":1,"__proto__":2}"#, false),
        // Not JSON, though somebody may read it.
        ("\u{feff}{\"model\":\"a\"}", false),
        (r#"{"model":"a",}"#, false),
        (r#"{"model":"a"}{"model":"b"}"#, false),
        (r#"{"model":"a"}//"#, false),
        (r#"{"model":"a"/**/}"#, false),
        (r#"{'model':'a'}"#, false),
        (r#"{model:"a"}"#, false),
        (r#"{"model":NaN}"#, false),
        (r#"{"model":Infinity}"#, false),
        (r#"{"model":0x1}"#, false),
        (r#"{"model":01}"#, false),
        (r#"{"model":+1}"#, false),
        (r#"{"model":.5}"#, false),
        (r#"{"model":"a\x"}"#, false),
        ("{\"model\":\"a\u{0}\"}", false),
        ("{\"model\":\"a\n\"}", false),
        (r#"["model"]"#, false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(Outline::read(body.as_bytes()).is_ok(), is_fine, "{body}");
    }
    for bytes in [
        &b"{\"model\":\"\xff\"}"[..],
        b"{\"model\":\"\xed\xa0\x80\"}",
        b"{\"model\":\"\xc0\xae\"}",
        b"\xff\xfe{\0}\0",
        b"{\"model\":\"a\x80\"}",
    ] {
        assert!(Outline::read(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn many_and_long_members_are_counted() {
    let members = |count: usize| (0..count).map(|n| format!(r#""m{n}":{n}"#)).collect::<Vec<_>>().join(",");
    for (count, is_fine) in [(1, true), (1_024, true), (1_025, false), (200_000, false)] {
        assert_eq!(Outline::read(format!("{{{}}}", members(count)).as_bytes()).is_ok(), is_fine, "{count}");
    }
    let long = "k".repeat(4 << 20);
    let body = format!(r#"{{"model":"alpha/small","{long}":1,"messages":[{{"role":"user","content":"Hello"}}]}}"#);
    let outline = Outline::read(body.as_bytes()).unwrap();
    assert_eq!(outline.get("model"), Some(r#""alpha/small""#));
    let twice = format!(r#"{{"{long}":1,"{long}":1}}"#);
    let error = Outline::read(twice.as_bytes()).err().unwrap();
    assert!(error.message.len() < 1_000, "an error repeats {} bytes", error.message.len());
}

/// Values that stand where others are expected, and as large as they come.
fn odd_values() -> Vec<String> {
    let mut odd: Vec<String> = [
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "1.5",
        "1e999",
        "-1e999",
        "1e-999",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        r#""""#,
        r#""x""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0000""#,
        "[]",
        "{}",
        "[null]",
        "[[]]",
        r#"[{"type":"text"}]"#,
        r#"{"type":{"type":"type"}}"#,
        r#"{"__proto__":{"a":1}}"#,
        r#"{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["constructor"]}"#,
        r##"{"$ref":"#"}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##,
    ]
    .map(str::to_owned)
    .to_vec();
    odd.push("9".repeat(400));
    odd.push(format!("1e{}", "9".repeat(400)));
    for depth in DEPTHS {
        odd.push(nested("[", "]", depth, ""));
        odd.push(nested(r#"{"type":"object","properties":{"a":"#, "}}", depth, "{}"));
        odd.push(nested(r#"{"type":"array","items":"#, "}", depth, "{}"));
        odd.push(nested(r#"{"anyOf":["#, "]}", depth, "{}"));
        odd.push(nested(r#"[{"type":"tool_result","tool_use_id":"t","content":"#, "}]", depth, r#""x""#));
        // A text that is JSON in its turn: arguments of tools.
        odd.push(Value::from(nested("[", "]", depth, "")).to_string());
        odd.push(Value::from(nested(r#"{"a":"#, "}", depth, "1")).to_string());
    }
    odd
}

/// Bodies with a hole for an odd value, at each place that some code of ours descends into.
const BODIES: [(Dialect, &str); 34] = [
    (Dialect::OpenAiChat, r#"{"model":"M","messages":ODD}"#),
    (Dialect::OpenAiChat, r#"{"model":"M","messages":[ODD]}"#),
    (Dialect::OpenAiChat, r#"{"model":"M","messages":[{"role":"user","content":ODD}]}"#),
    (Dialect::OpenAiChat, r#"{"model":"M","messages":[{"role":"user","content":[ODD]}]}"#),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":ODD}}]}]}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":ODD}}]},{"role":"tool","tool_call_id":"t","content":"x"}]}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t","content":ODD}]}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":ODD}}]}"#,
    ),
    (Dialect::OpenAiChat, r#"{"model":"M","messages":[{"role":"user","content":"x"}],"tools":ODD}"#),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":ODD}}}"#,
    ),
    (Dialect::OpenAiChat, r#"{"model":"M","messages":[{"role":"user","content":"x"}],"metadata":ODD,"user":ODD}"#),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"}],"max_tokens":ODD,"n":ODD,"seed":ODD,"temperature":ODD,"logit_bias":ODD}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"}],"stop":ODD,"tool_choice":ODD,"stream_options":ODD}"#,
    ),
    (
        Dialect::OpenAiChat,
        r#"{"model":"M","messages":[{"role":"user","content":"x"}],"provider":ODD,"models":ODD,"fallbacks":ODD}"#,
    ),
    (Dialect::OpenAiChat, r#"{"model":ODD,"messages":[{"role":"user","content":"x"}]}"#),
    (Dialect::OpenAiResponses, r#"{"model":"M","input":ODD}"#),
    (Dialect::OpenAiResponses, r#"{"model":"M","input":[ODD]}"#),
    (Dialect::OpenAiResponses, r#"{"model":"M","input":[{"role":"user","content":[ODD]}]}"#),
    (
        Dialect::OpenAiResponses,
        r#"{"model":"M","input":[{"type":"function_call","call_id":"t","name":"f","arguments":ODD},{"type":"function_call_output","call_id":"t","output":ODD}]}"#,
    ),
    (
        Dialect::OpenAiResponses,
        r#"{"model":"M","input":"x","tools":[{"type":"function","name":"f","parameters":ODD}],"text":{"format":ODD}}"#,
    ),
    (
        Dialect::OpenAiResponses,
        r#"{"model":"M","input":"x","text":{"format":{"type":"json_schema","name":"s","schema":ODD}},"reasoning":ODD,"prompt":ODD}"#,
    ),
    (
        Dialect::OpenAiResponses,
        r#"{"model":"M","input":"x","previous_response_id":ODD,"include":ODD,"store":ODD,"conversation":ODD}"#,
    ),
    (Dialect::OpenAiCompletions, r#"{"model":"M","prompt":ODD}"#),
    (Dialect::OpenAiCompletions, r#"{"model":"M","prompt":"x","suffix":ODD,"logprobs":ODD,"echo":ODD}"#),
    (Dialect::Anthropic, r#"{"model":"M","max_tokens":9,"messages":ODD}"#),
    (Dialect::Anthropic, r#"{"model":"M","max_tokens":9,"messages":[{"role":"user","content":ODD}]}"#),
    (
        Dialect::Anthropic,
        r#"{"model":"M","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":ODD}]}]}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"model":"M","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":ODD}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}]}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"model":"M","max_tokens":ODD,"system":ODD,"messages":[{"role":"user","content":"x"}],"thinking":ODD,"metadata":ODD}"#,
    ),
    (
        Dialect::Anthropic,
        r#"{"model":"M","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":ODD}],"tool_choice":ODD}"#,
    ),
    (Dialect::Gemini, r#"{"contents":ODD,"systemInstruction":ODD}"#),
    (Dialect::Gemini, r#"{"contents":[{"role":"user","parts":[ODD]}],"generationConfig":ODD,"safetySettings":ODD}"#),
    (
        Dialect::Gemini,
        r#"{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":ODD}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":ODD}}]}]}"#,
    ),
    (
        Dialect::Gemini,
        r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":ODD,"parametersJsonSchema":ODD}]}],"generationConfig":{"responseSchema":ODD}}"#,
    ),
];

/// Read by its dialect and written in each that providers speak: an error or a body, never a trap.
#[test]
fn odd_values_in_any_place_end_in_an_answer() {
    on_a_small_stack(|| {
        let (mut written, mut refused) = (0, 0);
        for (dialect, template) in BODIES {
            for odd in odd_values() {
                let body = template.replace("ODD", &odd).replace("\"M\"", "\"alpha/small\"");
                match through(dialect, &body) {
                    Some(count) => written += count,
                    None => refused += 1,
                }
            }
        }
        // Both happen, or this would show nothing.
        assert!(written > 1_000 && refused > 200, "{written} {refused}");
    });
}

/// How many providers' bodies came of it, each of which is JSON again.
fn through(dialect: Dialect, body: &str) -> Option<usize> {
    let caller: &dyn Caller = dialect.caller().unwrap();
    let outline = Outline::read(body.as_bytes()).ok()?;
    let facts = caller.facts(&outline);
    drop(portolan::plan::Wishes::read(&outline, &[]));
    let read = caller.read_request(body).ok()?;
    facts.ok()?;
    let _features = portolan::features::of(&read.value);
    let mut count = 0;
    for to in Dialect::ALL {
        let upstream: &dyn Upstream = to.upstream();
        for profile in
            [Default::default(), portolan::catalog::profile(portolan::catalog::provider("anthropic").unwrap(), "claude-opus-4-8")]
        {
            let text = upstream.write_request(&read.value, &profile).value;
            // What is nested is put deeper by some dialects: then it is refused before it is sent.
            assert!(Outline::read(text.as_bytes()).is_ok() || deep(&text) > 100, "{to:?}: {text:.300}");
            count += 1;
        }
        if to == dialect {
            drop(outline.edit(&upstream.edits(&outline, "m", true)));
            drop(upstream.repairs(&outline, &Default::default()));
        }
    }
    Some(count)
}

pub fn deep(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The same through a whole request, to a provider of another dialect: a 400 that says so, and nothing is sent that a
/// provider cannot read.
#[test]
fn what_cannot_be_written_is_refused_not_sent() {
    on_a_small_stack(|| {
        let arguments = Value::from(nested(r#"{"a":"#, "}", 126, "1")).to_string();
        let body = format!(
            r#"{{"model":"gamma/claude","max_tokens":9,"messages":[{{"role":"user","content":"x"}},{{"role":"assistant","tool_calls":[{{"id":"t","type":"function","function":{{"name":"f","arguments":{arguments}}}}}]}},{{"role":"tool","tool_call_id":"t","content":"x"}}]}}"#
        );
        let case = Case::chat("x").body(&body);
        let run = case.run([]);
        assert_eq!(run.status, 400, "{}", run.body);
        assert!(run.body.contains("nested too deeply"), "{}", run.body);
        let fine = body.replace(&arguments, &Value::from(nested(r#"{"a":"#, "}", 60, "1")).to_string());
        assert_eq!(case.body(&fine).run([json(400, "{}")]).sends.len(), 1);
    });
}

#[test]
fn an_estimate_of_anything_ends() {
    on_a_small_stack(|| {
        for text in [
            "\u{0}".repeat(1 << 20),
            "\u{200d}".repeat(1 << 18),
            "𓀀".repeat(1 << 18),
            " ".repeat(1 << 20),
            "a\u{301}".repeat(1 << 18),
        ] {
            assert!(estimate::of_text(&text) <= 2 * u64::try_from(text.len()).unwrap() + 16);
        }
    });
}
