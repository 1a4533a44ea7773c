//! A body may hold as many calls and results as fit in it: what they cost must grow with their number, not its square.

use std::time::{Duration, Instant};

use portolan::{chat::profile::Profile, dialect::Dialect};

/// A history of chat with `n` calls at once, and their results from the last to the first.
fn history(n: usize, id: &dyn Fn(usize) -> String) -> String {
    let call = |i| format!(r#"{{"id":"{}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}"#, id(i));
    let result = |i| format!(r#"{{"role":"tool","tool_call_id":"{}","content":"r"}}"#, id(i));
    let calls: Vec<String> = (0..n).map(call).collect();
    let results: Vec<String> = (0..n).rev().map(result).collect();
    let (calls, results) = (calls.join(","), results.join(","));
    format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"q"}},{{"role":"assistant","tool_calls":[{calls}]}},{results}]}}"#
    )
}

/// What each room takes for it: reading it, writing it for every dialect, and reading that again.
#[expect(clippy::disallowed_methods, reason = "tests run natively, and this one measures")]
fn times(body: &str) -> Vec<(String, Duration)> {
    let mut out = vec![];
    let mut timed = |name: String, work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        out.push((name, start.elapsed()));
    };
    let chat = Dialect::OpenAiChat.caller().unwrap();
    let mut read = chat.read_request(body).unwrap().value;
    timed("reading".to_owned(), &mut || drop(chat.read_request(body).unwrap()));
    read.max_tokens = Some(9);
    for dialect in Dialect::ALL {
        let mut written = String::new();
        timed(format!("writing {dialect:?}"), &mut || {
            written = dialect.upstream().write_request(&read, &Profile::DEFAULT).value;
        });
        if let Some(caller) = dialect.caller().filter(|_| dialect != Dialect::OpenAiCompletions) {
            let again = |written: &str| caller.read_request(written).map(drop).unwrap();
            timed(format!("reading {dialect:?}"), &mut || again(&written));
        }
    }
    out
}

#[test]
fn many_calls_cost_no_more_each_than_few() {
    let distinct = |i: usize| format!("c{i}");
    let same = |_: usize| "the same".to_owned();
    let long = |i: usize| format!("{}{i}", "x".repeat(70));
    let ids: [(&str, &dyn Fn(usize) -> String); 3] = [("distinct", &distinct), ("the same", &same), ("too long", &long)];
    for (name, id) in ids {
        let (few, many) = (history(500, id), history(4000, id));
        let mut slow = vec![];
        // Eight times the calls: linear work takes eight times as long, quadratic sixty-four. Others use this machine too.
        for _ in 0..4 {
            let (few, many) = (times(&few), times(&many));
            let is_slow = |((_, few), (_, many)): &(&(String, Duration), &(String, Duration))| {
                *many > *few * 24 + Duration::from_millis(20)
            };
            slow = few.iter().zip(&many).filter(is_slow).map(|(few, many)| (few.clone(), many.1)).collect();
            if slow.is_empty() {
                break;
            }
        }
        assert!(slow.is_empty(), "{name}: {slow:?}");
    }
}

#[test]
fn what_a_caller_invents_is_named_up_to_a_limit() {
    let invented: Vec<String> = (0..50_000).map(|i| format!(r#""x{i}{}":1"#, "y".repeat(i % 400))).collect();
    let invented = invented.join(",");
    for (dialect, body) in [
        (Dialect::OpenAiChat, r#"{"model":"m","messages":[{"role":"user","content":"q",@}]}"#),
        (Dialect::OpenAiResponses, r#"{"model":"m","input":[{"role":"user","content":"q",@}]}"#),
        (Dialect::OpenAiCompletions, r#"{"model":"m","prompt":"q",@}"#),
        (Dialect::Anthropic, r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"q",@}]}"#),
        (Dialect::Gemini, r#"{"contents":[{"role":"user","parts":[{"text":"q"}],@}]}"#),
    ] {
        let read = dialect.caller().unwrap().read_request(&body.replace('@', &invented)).unwrap();
        assert_eq!(read.dropped.len(), 128, "{dialect:?}");
        assert!(read.dropped.iter().all(|path| path.chars().count() <= 201), "{dialect:?}");
    }
}
