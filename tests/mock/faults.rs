//! What the mock breaks, where and how; and what it refuses.

use portolan::{chat::event::Event, dialect::openai_chat::OpenAiChat, mock::Ending};
use serde_json::{Value, json};

use super::{ANTHROPIC, OPENAI, SEED, ask, played, streamed, text, with};

#[test]
fn streams_break_where_they_are_told_to() {
    for wire in [OPENAI, ANTHROPIC] {
        let body = streamed(&ask("one two three four"));
        let sound = wire.play("echo", &body);
        let count = sound.chunks.len();
        for (options, frames, ending) in [
            ("cut=0", 0, Ending::Cut),
            ("cut=3", 3, Ending::Cut),
            ("cut=1000", count, Ending::Clean),
            ("stall_at=2", 2, Ending::Stall),
            ("stall_at=2&stall_ms=9", count, Ending::Clean),
            ("malformed=2", count + 1, Ending::Clean),
            ("no_done", count - 1, Ending::Clean),
        ] {
            let script = wire.play(&format!("echo?{options}"), &body);
            assert_eq!((script.chunks.len(), script.ending), (frames, ending), "{} {options}", wire.name);
        }
        for options in ["cut=3", "stall_at=3", "error_at=3", "malformed=3", "no_done"] {
            let events = wire.events(&wire.play(&format!("echo?{options}"), &body));
            let seen = |wanted: fn(&Event) -> bool| events.iter().any(wanted);
            let facts = (
                seen(|event| *event == Event::End),
                seen(|event| *event == Event::Malformed),
                seen(|event| matches!(event, Event::Failed(_))),
            );
            let expected = match options {
                "malformed=3" => (true, true, false),
                "error_at=3" => (false, false, true),
                // Readers take a reason to stop for an end.
                "no_done" => (true, false, false),
                _ => (false, false, false),
            };
            assert_eq!(facts, expected, "{} {options}", wire.name);
        }
        let error = wire.play("echo?error_at=2", &body);
        assert_eq!(error.chunks.get(..2), sound.chunks.get(..2), "{}", wire.name);
        assert!(text(&error).contains("failed inside its answer"), "{}", wire.name);
    }
}

#[test]
fn whole_answers_break_in_their_middle() {
    let body = ask("one two three four");
    let sound = text(&OPENAI.play("echo", &body));
    for (options, half, ending) in [
        ("cut=1", true, Ending::Cut),
        ("stall_at=1", true, Ending::Stall),
        ("malformed=1", true, Ending::Clean),
        ("stall_ms=5", false, Ending::Clean),
        ("no_done", false, Ending::Clean),
    ] {
        let script = OPENAI.play(&format!("echo?{options}"), &body);
        let said = text(&script);
        assert_eq!((said.len() < sound.len() * 2 / 3, script.ending), (half, ending), "{options}");
        assert_eq!(serde_json::from_str::<Value>(&said).is_err(), half, "{options}");
    }
    let script = OPENAI.play("echo?error_at=1", &body);
    assert_eq!(script.status, 200);
    assert!(OPENAI.upstream.read_response(&text(&script)).is_err(), "an error in a 200 body");
}

#[test]
fn waits_are_where_they_were_asked_for() {
    let waits = |model: &str, body: &Value| {
        let script = OPENAI.play(model, body);
        (script.delay_ms, script.chunks.iter().take(4).map(|chunk| chunk.after_ms).collect::<Vec<_>>())
    };
    let stream = streamed(&ask("one two three four"));
    for (model, body, expected) in [
        ("echo", &stream, (0, vec![0, 20, 20, 20])),
        ("echo?delay_ms=5&first_ms=6&pace_ms=7", &stream, (5, vec![6, 7, 7, 7])),
        ("echo?stall_ms=100", &stream, (0, vec![0, 120, 20, 20])),
        ("echo?stall_ms=100&stall_at=0&pace_ms=0", &stream, (0, vec![100, 0, 0, 0])),
        ("echo?delay_ms=5&first_ms=6&stall_ms=1", &ask("x"), (5, vec![7])),
        ("echo?fail=500&delay_ms=5", &stream, (5, vec![0])),
    ] {
        assert_eq!(waits(model, body), expected, "{model}");
    }
}

#[test]
fn failures_speak_the_caller_s_dialect() {
    for (model, status, retry_after, kind) in [
        ("flaky", 503, None, "overloaded_error"),
        ("flaky?fail=429&retry_after=3", 429, Some("3"), "rate_limit_error"),
        ("echo?fail=529", 529, None, "overloaded_error"),
        ("echo?fail=401", 401, None, "authentication_error"),
    ] {
        let script = ANTHROPIC.play(model, &ask("x"));
        let header = |name: &str| script.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let read = ANTHROPIC.upstream.read_error(status, &text(&script));
        assert_eq!((script.status, header("retry-after")), (status, retry_after), "{model}");
        assert_eq!(read.kind.as_deref(), Some(kind), "{model}");
        assert_eq!(script.ending, Ending::Clean);
        assert_eq!(OPENAI.play(model, &ask("x")).status, status);
    }
}

#[test]
fn options_stand_in_the_name_or_in_the_body() {
    let status = |model: &str, mock: Value| OPENAI.play(model, &with(&ask("x"), json!({ "mock": mock }))).status;
    for (model, mock, expected) in [
        ("echo", json!({ "fail": 503 }), 503),
        ("echo", json!({ "fail": "429", "rate": 1 }), 429),
        ("echo", json!({ "fail": 503, "no_done": true, "rate": 0.0 }), 200),
        ("echo?fail=500", json!({ "fail": 503 }), 500),
        ("echo?", json!({}), 200),
        ("echo", json!(null), 200),
        ("echo", json!([]), 400),
        ("echo", json!({ "fail": {} }), 400),
    ] {
        assert_eq!(status(model, mock.clone()), expected, "{model} {mock}");
    }
}

#[test]
fn what_the_mock_does_not_know_it_says() {
    for (model, status, part) in [
        ("gpt", 404, "It has: echo, lorem, tools, json, reason, flaky."),
        ("", 404, "It has: echo"),
        ("echo?speed=1", 400, "no option `speed`. It has: fail, rate"),
        ("echo?fail=200", 400, "`fail` must be a whole number from 400 to 599"),
        ("echo?fail", 400, "from 400 to 599"),
        ("echo?rate=2", 400, "`rate` must be a number from 0 to 1"),
        ("echo?rate=-1", 400, "`rate`"),
        ("echo?rate=0.1234567", 400, "`rate`"),
        ("echo?delay_ms=120001", 400, "from 0 to 120000"),
        ("lorem?words=10001", 400, "from 0 to 10000"),
        ("tools?calls=0", 400, "from 1 to 16"),
    ] {
        for wire in [OPENAI, ANTHROPIC] {
            let script = wire.play(model, &ask("x"));
            let error = wire.upstream.read_error(script.status, &text(&script));
            assert_eq!(script.status, status, "{model}");
            assert!(error.message.contains(part), "{model}: {}", error.message);
        }
    }
    for body in ["", "[]", "{\"model\":\"x\"", "{\"model\":\"x\",\"messages\":7}"] {
        let script = played(&OpenAiChat, "echo", body, SEED);
        assert_eq!(script.status, 400, "{body}");
    }
}
