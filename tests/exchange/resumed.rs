//! FAILOVER 5: streams that nobody can go on with, answers that are held, and ends without a mark.

use portolan::{
    config::OnStreamBreak::{self, Atomic, Continue},
    dialect::{
        Dialect,
        Dialect::{Gemini, OpenAiChat},
    },
};

use super::{
    driver::Case,
    retold::{Asks, CALLERS, TARGETS, WORDS, assert_one_answer, id, read, told, whole},
    script::{
        Ending::{Clean, Cut, Stall},
        block_start, chunk, data, done, error, message_end, message_start, role, says, served, stop, stream, text_delta, usage,
    },
};

/// What may not be joined of two halves, and when nobody is left to go on.
#[test]
fn what_cannot_be_gone_on_with_ends_with_its_error() {
    let call = r#"{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]},"finish_reason":null}"#;
    let weights = r#"{"index":0,"delta":{"content":"so"},"logprobs":{"content":[{"token":"so","logprob":-0.1,"bytes":null,"top_logprobs":[]}]},"finish_reason":null}"#;
    let other = r#"{"index":1,"delta":{"content":"so"},"finish_reason":null}"#;
    let sealed =
        r#"{"index":0,"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"x","index":0}]},"finish_reason":null}"#;
    let filtered = r#"{"error":{"message":"Refused.","type":"invalid_request_error","code":"content_filter"}}"#;
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}},"#;
    let large = "x".repeat(257 << 10);
    let two = "alpha/small,beta/large";
    for (what, targets, asked, more) in [
        ("a call", two, "", chunk(call)),
        ("weights", two, "", chunk(weights)),
        ("another answer", two, "", chunk(other)),
        ("a sealed thought", two, "", chunk(sealed)),
        ("too much said", two, "", says(&large)),
        ("refused by a filter", two, "", data(filtered)),
        ("a schema is to be kept to", two, schema, says("so")),
        ("JSON is wanted", two, r#""response_format":{"type":"json_object"},"#, says("so")),
        ("weights are wanted", two, r#""logprobs":true,"#, says("so")),
        ("several answers are wanted", two, r#""n":2,"#, says("so")),
        ("nobody is left", "alpha/small", "", says("so")),
    ] {
        let case = Case { on_break: Continue, ..Case::chat_stream(targets) };
        let case = Case { body: case.body.replacen('{', &format!("{{{asked}"), 1), ..case };
        let run = case.run([stream([role(), says("Hi "), more]).ending(Cut)]);
        let said = &run.body[run.body.len().saturating_sub(1_000)..];
        assert!(run.body.contains("\"error\":{") && run.body.contains("\"finish_reason\":\"error\""), "{what}: {said}");
        assert!(!run.body.contains("[DONE]") && run.body.contains("Hi "), "{what}: {said}");
        let record = run.record();
        let outcome = if what == "refused by a filter" { "content_filter" } else { "transient" };
        assert_eq!((record.status, record.outcome, record.tries.len()), (200, outcome, 1), "{what}");
    }
}

/// FAILOVER 7, S14: whatever becomes of the second target, the caller is told how the first one broke.
#[test]
fn who_goes_on_and_fails_is_not_told_of() {
    let refuses = || error(400, "invalid_request_error", "This model does not support assistant message prefill.");
    let begun = || stream([role(), says("Hi "), says("there")]).ending(Cut);
    let rest = || stream([role(), says(", friend"), stop(), usage(), done()]);
    let friend = || [vec![message_start(), block_start(), text_delta(", friend")], message_end()].concat();
    let told = "broke off before its end";
    let three = "alpha/small,gamma/claude-3-haiku,beta/large";
    for (what, targets, answers, hosts, text) in [
        (
            "refuses prefill, then goes on when asked",
            "alpha/small,gamma/claude-3-haiku",
            vec![begun(), refuses(), stream(friend())],
            "alpha gamma gamma",
            "Hi there, friend",
        ),
        ("refuses both", "alpha/small,gamma/claude-3-haiku", vec![begun(), refuses(), refuses()], "alpha gamma gamma", ""),
        (
            "is down",
            "alpha/small,beta/large",
            vec![begun(), error(503, "x", "Down."), error(503, "x", "Down.")],
            "alpha beta beta",
            "",
        ),
        ("breaks before it says anything", "alpha/small,beta/large", vec![begun(), stream([role()])], "alpha beta", ""),
        (
            "says that it failed",
            "alpha/small,beta/large",
            vec![begun(), stream([data(r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#)])],
            "alpha beta",
            "",
        ),
        ("gives a whole answer", "alpha/small,beta/large", vec![begun(), served()], "alpha beta", ""),
        (
            "refuses, and the third goes on",
            three,
            vec![begun(), refuses(), refuses(), rest()],
            "alpha gamma gamma beta",
            "Hi there, friend",
        ),
        (
            "breaks as well, and the third goes on",
            three,
            vec![
                begun(),
                stream([message_start(), block_start(), text_delta(", fri")]),
                stream([role(), says("end"), stop(), done()]),
            ],
            "alpha gamma beta",
            "Hi there, friend",
        ),
    ] {
        let case = Case { on_break: Continue, ..Case::chat_stream(targets) };
        let run = case.run(answers);
        let what = format!("{what}: {}", run.body);
        assert_eq!(run.hosts(), hosts, "{what}");
        let asks = Asks { dialect: OpenAiChat, array: false };
        let read = read(asks, &run.body);
        let record = run.record();
        assert_eq!(record.status, 200, "{what}");
        if text.is_empty() {
            assert!(read.failed && run.body.contains(told) && !run.body.contains("prefill"), "{what}");
            assert_eq!((record.outcome, record.provider.as_deref()), ("transient", Some("alpha")), "{what}");
            assert!(record.usage.is_some() && record.cost.is_some(), "{what}: what was used is billed");
        } else {
            assert_eq!((read.text.as_str(), read.ends, read.failed), (text, 1, false), "{what}");
            assert_one_answer(asks, &read, &what);
            assert_eq!((record.outcome, record.provider.as_deref()), ("ok", Some(hosts.rsplit(' ').next().unwrap())), "{what}");
        }
    }
}

/// Both are paid, each at its own price.
#[test]
fn a_spliced_answer_costs_what_both_cost() {
    let case = Case { on_break: Continue, ..Case::chat_stream("alpha/small,beta/large") };
    let begun = stream([role(), says("Hi "), usage(), says("there")]).ending(Cut);
    let run = case.run([begun, stream(super::script::told())]);
    let record = run.record();
    let usage = record.usage.unwrap();
    // Two reports of 10 in, 4 of them cached, and 5 out; what followed the first report is reckoned.
    assert_eq!((usage.input, usage.cache_read, usage.output), (12, 8, 12), "{usage:?}");
    let (alpha, beta) = (6 * 1_250_000 + 4 * 125_000 + 7 * 10_000_000, 6 * 2_000_000 + 4 * 200_000 + 5 * 20_000_000);
    assert_eq!(record.cost.unwrap().0, alpha + beta);
    assert!(record.estimated);
}

/// Nobody hears of what was said by targets that broke.
#[test]
fn nothing_is_sent_before_the_answer_is_whole() {
    for asks in CALLERS {
        let case = asks.case("alpha/small,gamma/claude", Atomic);
        let dialects: Vec<Dialect> = case.plan().attempts.iter().map(|attempt| attempt.dialect).collect();
        let first = told(dialects[0], &id(dialects[0], "first"), &WORDS);
        let second = told(dialects[1], &id(dialects[1], "second"), &WORDS);
        for cut in 1..first.len() {
            let ending = [Clean, Stall][cut % 2];
            let run = case.run([stream(&first[..cut]).ending(ending), stream(&second)].into_iter().take(
                // Complete but for its mark.
                if said_stop(dialects[0], &first[..cut]) { 1 } else { 2 },
            ));
            let what = format!("{asks:?} cut at {cut} {ending:?}: {}", run.body);
            let read = read(asks, &run.body);
            assert_eq!((read.text, read.ends, read.failed), (whole(), 1, false), "{what}");
            assert_eq!((run.status, run.native), (200, None), "{what}");
            assert_eq!(run.record().outcome, "ok", "{what}");
        }
        let run = case.run([stream(&first[..4]).ending(Cut), error(503, "x", "Down."), error(503, "x", "Down.")]);
        assert_eq!((run.status, run.hosts().as_str()), (503, "alpha gamma gamma"), "{asks:?}: {}", run.body);
        assert!(run.record().usage.is_some(), "{asks:?}: what was said in vain is paid");
    }
}

fn said_stop(dialect: Dialect, frames: &[String]) -> bool {
    read(Asks { dialect, array: false }, &frames.concat()).ends > 0
}

/// More than is held is passed on as it comes.
#[test]
fn an_answer_too_large_to_be_held_breaks_like_any_other() {
    let case = Case { on_break: Atomic, ..Case::chat_stream("alpha/small,beta/large") };
    let frames = std::iter::once(role()).chain((0..5).map(|_| says(&"x".repeat(1 << 20))));
    let run = case.run([stream(frames).ending(Cut)]);
    assert_eq!((run.native, run.record().outcome, run.record().tries.len()), (Some(false), "transient", 1));
    assert!(run.body.contains("\"finish_reason\":\"error\"") && !run.body.contains("[DONE]"));
}

/// FAILOVER 7, S11.
#[test]
fn a_stream_that_told_why_it_stopped_and_stays_open_is_finished() {
    for mode in [OnStreamBreak::Error, Continue, Atomic] {
        for (asks, target) in CALLERS.into_iter().flat_map(|asks| TARGETS.map(|target| (asks, target))) {
            let case = asks.case(&format!("{target},beta/large"), mode);
            let dialect = case.plan().attempts[0].dialect;
            let mut frames = told(dialect, &id(dialect, "first"), &WORDS);
            if dialect != Gemini {
                frames.pop();
            }
            let run = case.run([stream(&frames).ending(Stall)]);
            let what = format!("{asks:?} {target} {mode:?}: {}", run.body);
            let read = read(asks, &run.body);
            assert_eq!((read.text, read.ends, read.failed), (whole(), 1, false), "{what}");
            assert!(run.took <= 8_000, "{what}: {} ms", run.took);
            assert_eq!(run.record().usage.unwrap().output, 5, "{what}");
        }
    }
}
