//! FAILOVER 4: nothing reaches the caller before the first content.

use portolan::dialect::Dialect;

use super::{
    driver::Case,
    script::{
        Answer, Ending::Cut, block_start, data, error, event, message, message_start, role, says, served, stop, stream,
        text_delta, told, usage,
    },
};

const TWO: &str = "alpha/small,beta/large";

fn asked(mut case: Case) -> Case {
    case.body = case.body.replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#);
    case
}

/// Where the first content's last byte is: cut there or later, and the stream is committed.
fn commits_at(frames: &[String], content: usize) -> usize {
    frames.iter().take(content + 1).map(String::len).sum()
}

#[test]
fn every_byte_split_commits_at_the_first_content() {
    let azure = data(r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#);
    let empty = says("");
    let tool = data(
        r#"{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
    );
    let refusal = data(r#"{"id":"c","choices":[{"index":0,"delta":{"refusal":"No"}}]}"#);
    let thought = data(r#"{"id":"c","choices":[{"index":0,"delta":{"reasoning_content":"Hm"}}]}"#);
    let (chat, claude) = ("alpha/small", "gamma/claude");
    let ping = || event("ping", "");
    for (rule, target, frames, content) in [
        ("text", chat, vec![role(), says("Hi")], 1),
        ("text after much metadata", chat, vec![azure, role(), empty.clone(), ": x\n\n".to_owned(), empty, says("Hi")], 5),
        ("a tool call", chat, vec![role(), tool], 1),
        ("a refusal", chat, vec![role(), refusal], 1),
        ("a thought", chat, vec![role(), thought], 1),
        ("a stop: an empty answer is one", chat, vec![role(), stop()], 1),
        ("usage is no content", chat, vec![role(), usage(), says("Hi")], 2),
        ("Anthropic's text", claude, vec![message_start(), ping(), block_start(), text_delta("Hi")], 3),
    ] {
        let edge = commits_at(&frames, content);
        // A cut after the reason to stop costs nothing but the end mark.
        let stopped = frames.contains(&stop());
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
            let case = Case::of(dialect, target, true);
            let bytes = frames.concat().into_bytes();
            // The point is the provider's; how the caller is written to changes nothing about it.
            let step = if dialect == Dialect::OpenAiChat { 1 } else { 7 };
            for at in (0..=bytes.len()).step_by(step) {
                // Cut after `at` bytes: before the content another try follows, unseen.
                let cut = Answer { chunks: [(0, bytes[..at].to_vec())].into(), ..stream([""; 0]) }.ending(Cut);
                let committed = at >= edge;
                let good = if target == chat { stream(told()) } else { stream(message()) };
                let run = case.run([cut, good].into_iter().take(if committed { 1 } else { 2 }));
                let what = format!("{rule}, {}, cut at {at} of {edge}", dialect.name());
                assert_eq!(run.status, 200, "{what}");
                assert_eq!(run.record().outcome, if committed && !stopped { "transient" } else { "ok" }, "{what}");
                if !committed {
                    assert_eq!(run.body.matches("Hi").count(), 1, "{what}: {}", run.body);
                }
            }
        }
    }
}

#[test]
fn any_split_of_a_good_stream_gives_the_same_answer() {
    for (targets, frames) in [("alpha/small", told()), ("gamma/claude", message())] {
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
            let case = Case::of(dialect, targets, true);
            let whole = case.run([stream(&frames)]);
            for at in 0..=stream(&frames).len() {
                let run = case.run([stream(&frames).split(at)]);
                assert_eq!(run.body, whole.body, "{targets} {} split at {at}", dialect.name());
                assert_eq!((run.record().usage, run.record().outcome), (whole.record().usage, "ok"), "split at {at}");
            }
            let bytes = frames.concat().into_bytes().into_iter().map(|byte| (0, vec![byte])).collect();
            let run = case.run([Answer { chunks: bytes, ..stream([""; 0]) }]);
            assert_eq!(run.body, whole.body, "byte by byte");
        }
    }
}

#[test]
fn what_was_held_is_sent_first_and_in_order() {
    let frames =
        [": hello\n\n".to_owned(), role(), ": again\n\n".to_owned(), says(""), says("Hi"), stop(), usage(), data("[DONE]")];
    let run = asked(Case::chat_stream(TWO)).run([stream(&frames)]);
    assert_eq!((run.native, run.body.as_str()), (Some(true), frames.concat().as_str()));
    assert_eq!(&run.body[..run.committed], &frames[..5].concat(), "all of it came with the first content");
    let run = Case::chat_stream(TWO).run([stream(&frames)]);
    assert_eq!((run.native, run.body), (Some(false), frames.concat().replace(&usage(), "")));
}

#[test]
fn a_provider_that_talks_without_end_is_let_through() {
    let note = |length: usize| data(&format!(r#"{{"id":"c","choices":[],"note":"{}"}}"#, "x".repeat(length)));
    for (rule, frames, held) in [
        ("64 events are held", vec![role(); 64], true),
        ("the 65th is not", vec![role(); 65], false),
        ("256 KiB are held", vec![note(1 << 15); 7], true),
        ("more is not", vec![note(1 << 15); 9], false),
        ("nor in one event", vec![note(300 << 10)], false),
    ] {
        let answers = [stream(&frames).ending(Cut), stream(told())];
        let run = asked(Case::chat_stream("alpha/small")).run(answers.into_iter().take(if held { 2 } else { 1 }));
        assert_eq!(run.record().outcome, if held { "ok" } else { "transient" }, "{rule}");
        assert_eq!(run.body.contains("error"), !held, "{rule}");
    }
}

#[test]
fn an_error_after_content_is_the_callers_to_see() {
    let fault = error(500, "oops", "Oops.");
    let run = Case::chat_stream(TWO).run([fault, stream([role(), says("Hi")]).ending(Cut)]);
    assert_eq!(run.hosts(), "alpha alpha");
    assert!(run.body.contains("Hi") && run.body.contains("\"error\"") && !run.body.contains("[DONE]"), "{}", run.body);
    // Without stream nothing is shown before all of it is there.
    let cut = Answer { ending: Cut, ..served() };
    let run = Case::chat(TWO).run([cut.clone(), cut, served()]);
    assert_eq!((run.hosts().as_str(), run.status), ("alpha alpha beta", 200));
}
