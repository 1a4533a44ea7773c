//! FAILOVER 5: after the commit point the caller gets the whole answer, or learns that it did not.

use std::rc::Rc;

use portolan::{config::Snapshot, dialect::Dialect, exchange::relay::Ended, wire::sse::Frames};
use serde_json::Value;

use super::{
    driver::{Case, Run, gateway},
    script::{
        Ending::{Clean, Cut, Stall},
        block_start, data, done, event, message, message_end, message_start, role, says, stop, stream, text_delta, told, usage,
    },
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    ChatNative,
    ChatPumped,
    AnthropicNative,
    ToAnthropic,
    ToChat,
}

const WAYS: [Way; 5] = [Way::ChatNative, Way::ChatPumped, Way::AnthropicNative, Way::ToAnthropic, Way::ToChat];

impl Way {
    fn case(self, config: &Rc<Snapshot>) -> Case {
        let (dialect, model) = match self {
            Self::ChatNative | Self::ChatPumped => (Dialect::OpenAiChat, "alpha/small"),
            Self::AnthropicNative => (Dialect::Anthropic, "gamma/claude"),
            Self::ToAnthropic => (Dialect::Anthropic, "alpha/small"),
            Self::ToChat => (Dialect::OpenAiChat, "gamma/claude"),
        };
        let mut case = Case::with(Rc::clone(config), dialect, model, true);
        if self == Self::ChatNative {
            case.body = case.body.replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#);
        }
        case
    }

    fn is_native(self) -> bool {
        matches!(self, Self::ChatNative | Self::AnthropicNative)
    }

    fn is_from_chat(self) -> bool {
        matches!(self, Self::ChatNative | Self::ChatPumped | Self::ToAnthropic)
    }

    fn is_to_chat(self) -> bool {
        matches!(self, Self::ChatNative | Self::ChatPumped | Self::ToChat)
    }

    /// The beginning of an answer that says these things.
    fn begun(self, words: &[&str]) -> Vec<String> {
        let mut frames = if self.is_from_chat() { vec![role()] } else { vec![message_start(), block_start()] };
        frames.extend(words.iter().map(|word| if self.is_from_chat() { says(word) } else { text_delta(word) }));
        frames
    }

    fn cell(self) -> &'static str {
        if self.is_from_chat() { "alpha/small" } else { "gamma/claude" }
    }
}

/// What a caller's parser makes of it: kind and data of each event; data that is no JSON is `Null`.
fn events(body: &str) -> Vec<(String, Value)> {
    let (mut frames, mut out) = (Frames::default(), vec![]);
    frames.push(body.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        if let Some(data) = frame.data {
            let kind = frame.event.unwrap_or_default().into_owned();
            out.push((kind, serde_json::from_str(&data).unwrap_or_default()));
        }
    }
    assert_eq!(frames.pending(), 0, "the last event is complete: {body}");
    out
}

fn ends_cleanly(way: Way, body: &str) -> bool {
    if way.is_to_chat() {
        body.contains("[DONE]") || body.contains(r#""finish_reason":"stop""#)
    } else {
        body.contains("message_stop")
    }
}

/// The caller's dialect says that it broke, in events a parser can read.
fn says_broken(way: Way, body: &str) -> bool {
    let events = events(body);
    let told = |value: &Value| value["error"]["message"].is_string() && value["error"]["type"].is_string();
    let Some((kind, last)) = events.last() else { return false };
    if way.is_to_chat() {
        last["choices"][0]["finish_reason"] == "error" && events.iter().any(|(_, value)| told(value))
    } else {
        kind == "error" && told(last)
    }
}

fn plain() -> Rc<Snapshot> {
    gateway("", r#"{"timeouts":{"total_ms":60000}}"#)
}

#[test]
fn a_stream_is_looked_at_only_where_something_is_to_be_done() {
    let config = plain();
    for way in WAYS {
        let answer = if way.is_from_chat() { stream(told()) } else { stream(message()) };
        let run = way.case(&config).run([answer]);
        assert_eq!(run.native, Some(way.is_native()), "{way:?}");
        let bytes = if way.is_from_chat() { told().concat() } else { message().concat() };
        match way {
            Way::ChatNative | Way::AnthropicNative => assert_eq!(run.body, bytes, "{way:?}: the very bytes"),
            // The one edit beside it: without it the test above could not fail.
            Way::ChatPumped => assert_eq!(run.body, bytes.replace(&usage(), ""), "only the report that nobody asked for is gone"),
            Way::ToAnthropic | Way::ToChat => assert!(ends_cleanly(way, &run.body) && !run.body.contains("\"error\""), "{way:?}"),
        }
        assert_eq!(run.learned(), [format!("signal {} Ok", way.cell())], "{way:?}");
        let usage = run.record().usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output, run.record().estimated), (6, 4, 5, false), "{way:?}");
    }
}

/// How a stream breaks off, and what is made of it.
struct Break {
    name: &'static str,
    ending: super::script::Ending,
    /// Milliseconds before each piece.
    pace: u64,
    leaves_at: Option<u64>,
    traps_after: Option<usize>,
    outcome: &'static str,
    fault: &'static str,
    counts: bool,
    took: u64,
}

fn breaks() -> Vec<Break> {
    let of = |name, ending, outcome, took| Break {
        name,
        ending,
        pace: 0,
        leaves_at: None,
        traps_after: None,
        outcome,
        fault: "provider",
        counts: true,
        took,
    };
    let caller = |other: Break| Break { fault: "caller", counts: false, ..other };
    vec![
        of("cut", Cut, "transient", 0),
        of("closed before its end", Clean, "broken", 0),
        of("silent", Stall, "silent", 20_000),
        Break { traps_after: Some(10), fault: "gateway", counts: false, ..of("our own failure", Stall, "gateway", 0) },
        caller(Break { pace: 19_000, ..of("the whole took too long", Stall, "deadline", 60_000) }),
        caller(Break { leaves_at: Some(5_000), ..of("the client left", Stall, "gone", 5_000) }),
    ]
}

#[test]
fn a_broken_stream_never_ends_cleanly() {
    let config = plain();
    for way in WAYS {
        for fault in breaks() {
            let mut answer = stream(way.begun(&["Hi ", "there", "and", "so", "on"])).ending(fault.ending);
            answer.chunks.iter_mut().skip(3).for_each(|chunk| chunk.0 = fault.pace);
            let case = Case { leaves_at: fault.leaves_at, traps_after: fault.traps_after, ..way.case(&config) };
            let run = case.run([answer]);
            let what = format!("{way:?}, {}: {}", fault.name, run.body);
            assert_eq!((run.status, run.took), (200, fault.took), "{what}");
            assert!(!ends_cleanly(way, &run.body), "{what}");
            assert_eq!(says_broken(way, &run.body), fault.outcome != "gone", "{what}");
            assert_eq!(run.body.contains("ncomplete"), fault.outcome != "gone", "{what}");
            let record = run.record();
            assert_eq!((record.status, record.outcome, record.fault), (200, fault.outcome, Some(fault.fault)), "{what}");
            let learned = if fault.counts { vec![format!("signal {} Failed", way.cell())] } else { vec![] };
            assert_eq!(run.learned(), learned, "{what}: health learns it once, and never from the caller's fault");
            assert!(record.estimated && record.usage.is_some() && record.cost.is_some(), "{what}: what was used is billed");
        }
    }
}

#[test]
fn an_error_is_readable_wherever_the_cut_is() {
    let config = plain();
    for way in WAYS {
        let frames = way.begun(&["Hi ", "there"]);
        let (first, last) = frames.split_at(frames.len() - 1);
        for at in 0..last[0].len() {
            for ending in [Cut, Clean] {
                let run = way.case(&config).run([stream([&first.concat(), &last[0][..at]]).ending(ending)]);
                assert!(says_broken(way, &run.body), "{way:?} {ending:?} cut at {at}: {}", run.body);
                assert!(!ends_cleanly(way, &run.body), "{way:?} {ending:?} cut at {at}");
            }
        }
    }
}

#[test]
fn a_last_event_without_its_blank_line_counts() {
    let config = plain();
    for way in WAYS {
        let text = if way.is_from_chat() { told().concat() } else { message().concat() };
        for trimmed in [text.trim_end().to_owned(), text.trim_end().to_owned() + "\n"] {
            let run = way.case(&config).run([stream([role_or_start(way, &trimmed).0, role_or_start(way, &trimmed).1])]);
            assert_eq!(run.record().outcome, "ok", "{way:?}");
            events(&run.body);
            assert!(ends_cleanly(way, &run.body), "{way:?}: {}", run.body);
        }
    }
    // The reason to stop has none, and the end mark is missing: both are there for the caller.
    for way in [Way::ChatNative, Way::ChatPumped, Way::ToAnthropic] {
        let run = way.case(&config).run([stream([role(), says("Hi"), stop().trim_end().to_owned()])]);
        assert_eq!(run.record().outcome, "ok", "{way:?}");
        let count = events(&run.body).len();
        assert!(ends_cleanly(way, &run.body) && count >= 4, "{way:?}: {}", run.body);
    }
}

/// Cut in the middle, so that the end comes after the commit point.
fn role_or_start(way: Way, text: &str) -> (String, String) {
    let first = way.begun(&["Hi "]).concat();
    let at = if way.is_from_chat() { first.len() } else { text.len() / 2 };
    (text[..at].to_owned(), text[at..].to_owned())
}

#[test]
fn a_providers_own_error_after_content_is_passed_on() {
    let config = plain();
    let chat = data(r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#);
    let anthropic = event("error", r#""error":{"type":"overloaded_error","message":"Overloaded"}"#);
    for way in WAYS {
        let mut frames = way.begun(&["Hi"]);
        frames.push(if way.is_from_chat() { chat.clone() } else { anthropic.clone() });
        // Some close properly even so.
        frames.extend(way.is_from_chat().then(done));
        let run = way.case(&config).run([stream(frames)]);
        let record = run.record();
        assert_eq!((record.outcome, record.fault), ("transient", Some("provider")), "{way:?}");
        assert_eq!(run.learned(), [format!("signal {} Failed", way.cell())], "{way:?}");
        let told = events(&run.body).iter().filter(|(_, value)| value["error"].is_object()).count();
        assert_eq!(told, 1, "{way:?}, once: {}", run.body);
        if !way.is_native() {
            assert!(says_broken(way, &run.body) && !ends_cleanly(way, &run.body), "{way:?}: {}", run.body);
        }
    }
}

#[test]
fn the_end_of_a_long_native_stream_tells_its_usage() {
    let config = plain();
    for way in [Way::ChatNative, Way::AnthropicNative] {
        let (mut frames, end) = if way.is_from_chat() {
            (vec![role()], vec![stop(), usage(), done()])
        } else {
            (vec![message_start(), block_start()], message_end())
        };
        let word = if way.is_from_chat() { says("0123456789") } else { text_delta("0123456789") };
        for count in [1, 10, 400] {
            let mut whole = frames.clone();
            whole.extend(vec![word.clone(); count]);
            let cut = stream(&whole).ending(Cut);
            whole.extend(end.clone());
            let run = way.case(&config).run([stream(&whole)]);
            assert_eq!((run.native, run.body.len()), (Some(true), whole.concat().len()), "{way:?} {count}");
            let (usage, record) = (run.record().usage.unwrap(), run.record());
            assert_eq!((usage.input, usage.cache_read, usage.output), (6, 4, 5), "{way:?} {count}");
            assert_eq!((record.estimated, record.outcome), (false, "ok"), "{way:?} {count}");
            // Cut off before the report: what went by is reckoned, four bytes a token, and said to be so.
            let record = way.case(&config).run([cut]);
            let usage = record.record().usage.unwrap();
            let tokens = 10 * u64::try_from(count).unwrap() / 4;
            assert!(record.record().estimated, "{way:?} {count}");
            assert!(usage.output.abs_diff(tokens) <= 2 + tokens / 20, "{way:?} {count}: {} for {tokens}", usage.output);
            assert!(usage.prompt() > 0);
        }
        frames.clear();
    }
}

#[test]
fn a_provider_that_reports_nothing_is_reckoned() {
    let config = plain();
    for way in [Way::ChatNative, Way::ChatPumped, Way::ToAnthropic] {
        let run = way.case(&config).run([stream([role(), says("twelve bytes"), stop(), done()])]);
        let (record, usage) = (run.record(), run.record().usage.unwrap());
        assert_eq!((record.outcome, record.estimated, usage.output), ("ok", true, 3), "{way:?}");
        let request = u64::try_from(way.case(&config).body.len()).unwrap();
        assert_eq!(usage.input, request.div_ceil(4), "{way:?}");
        assert!(record.cost.is_some_and(|cost| cost.0 > 0));
    }
    let run = Way::ChatPumped.case(&config).run([stream(told())]);
    assert_eq!(run.record().cost.unwrap().dollars(), "0.000058", "6 × 1.25 + 4 × 0.125 + 5 × 10 dollars a million");
}

#[test]
fn nothing_follows_the_end() {
    let config = plain();
    for way in WAYS {
        if way.is_native() {
            continue;
        }
        let mut frames = if way.is_from_chat() { told() } else { message() };
        let whole = way.case(&config).run([stream(&frames)]).body;
        frames.extend(way.begun(&["more"]));
        for ending in [Clean, Cut, Stall] {
            let run: Run = way.case(&config).run([stream(&frames).ending(ending)]);
            assert_eq!((run.body.as_str(), run.record().outcome), (whole.as_str(), "ok"), "{way:?} {ending:?}");
        }
    }
}

#[test]
fn an_event_too_large_for_us_ends_the_stream() {
    let config = plain();
    let piece = "x".repeat(1 << 20);
    for way in [Way::ChatPumped, Way::ToAnthropic] {
        let mut frames = vec![role(), says("Hi"), "data: {\"x\":\"".to_owned()];
        frames.extend(vec![piece.clone(); 17]);
        let run = way.case(&config).run([stream(frames)]);
        assert_eq!(run.record().outcome, "broken", "{way:?}");
        assert!(says_broken(way, &run.body) && run.body.len() < 10_000, "{way:?}");
    }
}

#[test]
fn the_shells_words_for_an_end_are_known() {
    for (word, ended) in [
        ("end", Ended::Closed),
        ("idle", Ended::Idle),
        ("total", Ended::Total),
        ("gone", Ended::Gone),
        ("trap", Ended::Trap),
        ("cut", Ended::Cut),
        ("anything", Ended::Cut),
    ] {
        assert_eq!(Ended::read(word), ended);
    }
}

#[test]
fn a_client_that_leaves_at_any_stage_says_nothing_of_the_provider() {
    let config = plain();
    for way in WAYS {
        let slow = || stream(way.begun(&["Hi ", "there"])).after(1_000).wait(1, 1_000).wait(2, 1_000).ending(Stall);
        for (leaves_at, status) in [(500, 499), (1_500, 499), (12_000, 200)] {
            let run = Case { leaves_at: Some(leaves_at), ..way.case(&config) }.run([slow()]);
            let record = run.record();
            assert_eq!((record.outcome, record.fault, record.status), ("gone", Some("caller"), status), "{way:?} {leaves_at}");
            assert_eq!((run.learned(), record.tries.len(), run.took), (vec![], 1, leaves_at), "{way:?} {leaves_at}");
        }
    }
}
