//! FAILOVER 5: a stream that broke, gone on with by another target.

use portolan::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        response::StopReason,
        usage::Usage,
    },
    config::OnStreamBreak::{self, Atomic, Continue},
    dialect::{
        Asked, Dialect,
        Dialect::{Anthropic, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses},
        Facts,
        surface::Place,
    },
    wire::sse::Frames,
};
use serde_json::Value;

use super::{
    driver::{Case, gateway},
    script::{
        Ending::{Clean, Cut, Stall},
        block_start, chunk, data, done, error, message_end, message_start, role, says, served, stop, stream, text_delta, usage,
    },
};

/// Words, so that a cut falls between any two of them. It holds what must be escaped, and more than ASCII.
const WORDS: [&str; 9] = ["Once ", "upon ", "a \"time\" ", "in the ", "Größe ", "of a\n\n", "valley, ", "all ", "was well."];

fn whole() -> String {
    WORDS.concat()
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Asks {
    dialect: Dialect,
    array: bool,
}

const CALLERS: [Asks; 6] = [
    Asks { dialect: OpenAiChat, array: false },
    Asks { dialect: OpenAiResponses, array: false },
    Asks { dialect: OpenAiCompletions, array: false },
    Asks { dialect: Anthropic, array: false },
    Asks { dialect: Gemini, array: false },
    Asks { dialect: Gemini, array: true },
];

const TARGETS: [&str; 3] = ["alpha/small", "gamma/claude", "google/gemini-2.5-flash"];
const FALLBACKS: [&str; 3] = ["beta/large", "gamma/claude", "google/gemini-2.5-flash"];

impl Asks {
    fn case(self, targets: &str, mode: OnStreamBreak) -> Case {
        let mut case = Case::with(gateway("", ""), self.dialect, targets, true);
        let messages = r#""messages":[{"role":"user","content":"Hello"}]"#;
        case.body = match self.dialect {
            OpenAiResponses => case.body.replace(messages, r#""input":"Hello""#).replace("max_tokens", "max_output_tokens"),
            OpenAiCompletions => case.body.replace(messages, r#""prompt":"Hello""#),
            Gemini => r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#.to_owned(),
            OpenAiChat => case.body.replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#),
            _ => case.body,
        };
        if self.dialect == Gemini {
            case.place = Place { model: Some(targets.to_owned()), stream: true, array: self.array };
        }
        Case { on_break: mode, ..case }
    }
}

/// A stream that says these words, as a provider of this dialect would tell it, frame by frame.
fn told(dialect: Dialect, id: &str, words: &[&str]) -> Vec<String> {
    let facts = Facts { stream: true, wants_usage: true, ..Facts::default() };
    let stamp = Stamp { id: id.to_owned(), created: 7, model: "m".to_owned() };
    let mut writer = dialect.caller().unwrap().event_writer(&Asked { stamp, facts: &facts, body: b"{}" });
    let usage = Usage { input: 10, output: 5, ..Usage::default() };
    let mut events = vec![
        Event::Start { id: Some(id.to_owned()), model: Some(format!("model-of-{id}")) },
        Event::Usage(Usage { output: 0, ..usage }),
        Event::BlockStart { choice: 0, index: 0, block: Block::Text },
    ];
    events.extend(words.iter().map(|word| Event::BlockDelta { index: 0, delta: Delta::Text((*word).to_owned()) }));
    events.push(Event::BlockEnd { index: 0 });
    let mut text = String::new();
    for event in &events {
        writer.write(event, &mut text);
    }
    let finish = Finish { stop: StopReason::End, stop_sequence: None, more: vec![], usage, cost: None };
    writer.finish(&finish, &mut text);
    let end = if dialect == Gemini { "\r\n\r\n" } else { "\n\n" };
    text.split_inclusive(end).map(str::to_owned).collect()
}

fn id(dialect: Dialect, name: &str) -> String {
    let prefix = match dialect {
        OpenAiChat => "chatcmpl-",
        OpenAiResponses => "resp_",
        OpenAiCompletions => "cmpl-",
        Anthropic => "msg_",
        _ => "",
    };
    format!("{prefix}{name}")
}

/// What a client makes of a stream: the data of its events, and what these say.
struct Read {
    events: Vec<Value>,
    text: String,
    ends: usize,
    failed: bool,
    usage: Option<Usage>,
}

fn frames(text: &str) -> Vec<String> {
    let (mut frames, mut all) = (Frames::default(), vec![]);
    frames.push(text.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        let event = frame.event.map(|event| format!("event: {event}\n")).unwrap_or_default();
        all.extend(frame.data.map(|data| format!("{event}data: {data}\n\n")));
    }
    assert_eq!(frames.pending(), 0, "the last event is complete: {text}");
    all
}

fn read(asks: Asks, body: &str) -> Read {
    let body = if asks.array {
        let items: Vec<Value> = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        items.iter().map(|item| format!("data: {item}\n\n")).collect()
    } else {
        body.to_owned()
    };
    let (mut reader, mut events, mut out) = (asks.dialect.upstream().event_reader(), vec![], vec![]);
    for text in frames(&body) {
        let mut one = Frames::default();
        one.push(text.as_bytes()).unwrap();
        let frame = one.next_frame().unwrap();
        out.extend(frame.data.as_deref().and_then(|data| serde_json::from_str(data).ok()));
        reader.read(&frame, &mut events);
    }
    reader.close(&mut events);
    let (mut text, mut usage) = (String::new(), None);
    for event in &events {
        match event {
            Event::BlockDelta { delta: Delta::Text(more), .. } => text.push_str(more),
            Event::Usage(report) => usage = Some(*report),
            _ => {}
        }
    }
    let ends = events.iter().filter(|event| **event == Event::End).count();
    let failed = events.iter().any(|event| matches!(event, Event::Failed(_)));
    Read { events: out, text, ends, failed, usage }
}

/// All values of these keys, wherever they stand; each once.
fn all(events: &[Value], keys: &[&str]) -> Vec<String> {
    fn walk(value: &Value, keys: &[&str], out: &mut Vec<String>) {
        if let Some(object) = value.as_object() {
            for (key, value) in object {
                if keys.contains(&key.as_str()) && (value.is_string() || value.is_number()) {
                    out.push(value.to_string());
                }
                walk(value, keys, out);
            }
        }
        value.as_array().into_iter().flatten().for_each(|value| walk(value, keys, out));
    }
    let mut out = vec![];
    events.iter().for_each(|event| walk(event, keys, &mut out));
    out.sort();
    out.dedup();
    out
}

/// The answer has one name and one model, and its numbers go on.
fn assert_one_answer(asks: Asks, read: &Read, what: &str) {
    let top = |key: &str| {
        let mut found: Vec<String> = read.events.iter().filter_map(|event| Some(event.get(key)?.to_string())).collect();
        found.dedup();
        found
    };
    match asks.dialect {
        OpenAiChat | OpenAiCompletions => {
            assert_eq!((top("id").len(), top("model").len(), top("created").len()), (1, 1, 1), "{what}: {:?}", read.events);
        }
        Gemini => assert_eq!((top("responseId").len(), top("modelVersion").len()), (1, 1), "{what}: {:?}", read.events),
        Anthropic => {
            assert_eq!(read.events.iter().filter(|event| event["type"] == "message_start").count(), 1, "{what}");
            let mut open = None;
            let mut next = 0;
            for event in &read.events {
                match event["type"].as_str().unwrap() {
                    "content_block_start" => {
                        assert_eq!((open, event["index"].as_u64()), (None, Some(next)), "{what}: {:?}", read.events);
                        open = Some(next);
                        next += 1;
                    }
                    "content_block_delta" => assert_eq!(event["index"].as_u64(), open, "{what}: {:?}", read.events),
                    "content_block_stop" => assert_eq!(event["index"].as_u64(), open.take(), "{what}: {:?}", read.events),
                    _ => {}
                }
            }
            assert_eq!(open, None, "{what}");
        }
        _ => {
            let numbers: Vec<u64> = read.events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (0..).take(numbers.len()).collect::<Vec<u64>>(), "{what}");
            let responses: Vec<Value> = read.events.iter().filter_map(|event| event.get("response").cloned()).collect();
            assert_eq!(all(&responses, &["created_at"]).len(), 1, "{what}");
            let mut names: Vec<&Value> = responses.iter().map(|response| &response["id"]).collect();
            names.dedup();
            assert_eq!(names.len(), 1, "{what}: {names:?}");
            assert_eq!(all(&read.events, &["item_id"]).len(), 1, "{what}: {:?}", read.events);
            let last = responses.last().unwrap();
            assert_eq!(last["output"].as_array().unwrap().len(), 1, "{what}: {last}");
            let parts = last["output"][0]["content"].as_array().unwrap();
            let text: String = parts.iter().map(|part| part["text"].as_str().unwrap()).collect();
            assert_eq!(text, read.text, "{what}: what was told piece by piece is what was told in the whole");
        }
    }
}

/// The text a caller has once these frames were passed on.
fn said(dialect: Dialect, frames: &[String]) -> String {
    read(Asks { dialect, array: false }, &frames.concat()).text
}

/// The way the second target goes on with an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Exactly,
    Anew,
    LastWords,
}

impl Way {
    fn words(self, said: &str) -> Vec<String> {
        let (all, rest) = (whole(), whole()[said.len()..].to_owned());
        let text = match self {
            // White space at the end is not sent along.
            Self::Exactly => all[said.trim_end().len()..].to_owned(),
            Self::Anew if said.len() >= 4 => all,
            Self::LastWords if said.trim_end().chars().count() >= 20 => {
                let said = said.trim_end();
                let at = said.char_indices().rev().nth(15).unwrap().0;
                all[at..].to_owned()
            }
            Self::Anew | Self::LastWords => rest,
        };
        // Cut anew, in other places than the words.
        let chars: Vec<char> = text.chars().collect();
        chars.chunks(5).map(|piece| piece.iter().collect()).collect()
    }
}

fn played(asks: Asks, first: &str, second: &str, way: Way) -> usize {
    let case = asks.case(&format!("{first},{second}"), Continue);
    let dialects: Vec<Dialect> = case.plan().attempts.iter().map(|attempt| attempt.dialect).collect();
    let frames = told(dialects[0], &id(dialects[0], "first"), &WORDS);
    let mut runs = 0;
    for cut in 1..frames.len() {
        let said = said(dialects[0], &frames[..cut]);
        // Before the first word nothing was committed; after the last the answer may be complete.
        if said.is_empty() || said.len() == whole().len() {
            continue;
        }
        let ending = [Cut, Clean, Stall][cut % 3];
        let words = way.words(&said);
        let rest = told(dialects[1], &id(dialects[1], "second"), &words.iter().map(String::as_str).collect::<Vec<_>>());
        // One half of the next event has come as well.
        let half = frames[cut].char_indices().nth(frames[cut].chars().count() / 2).unwrap().0;
        let mut sent = frames[..cut].to_vec();
        sent.extend((cut % 2 == 0).then(|| frames[cut][..half].to_owned()));
        let run = case.run([stream(&sent).ending(ending), stream(&rest)]);
        let what = format!("{asks:?} {first} {second} {way:?} cut at {cut}, {ending:?}:\n{}", run.body);
        let read = read(asks, &run.body);
        assert_eq!(read.text, whole(), "{what}");
        assert_eq!((read.ends, read.failed), (1, false), "{what}");
        assert_one_answer(asks, &read, &what);
        let record = run.record();
        assert_eq!((record.status, record.outcome, record.fault), (200, "ok", None), "{what}");
        assert_eq!(record.tries.len(), 2, "{what}");
        let outcome = match ending {
            Cut => "transient",
            Clean => "broken",
            Stall => "silent",
        };
        assert_eq!((record.tries[0].outcome, record.tries[1].outcome), (outcome, "ok"), "{what}");
        // The first told of the prompt's tokens, or they are estimated; the second of all of its own.
        let usage = record.usage.unwrap();
        assert!(usage.input > 10 && usage.output > 5, "{what}: {usage:?}");
        if asks.dialect != OpenAiCompletions || read.usage.is_some() {
            assert_eq!(read.usage.unwrap().total(), usage.total(), "{what}");
        }
        assert_eq!(run.learned().len(), 2, "{what}: {:?}", run.learned());
        let asked = &run.sends[1].body;
        let end = Value::from(said.trim_end()).to_string();
        assert!(asked.contains(end.trim_matches('"')), "{what}: {asked}");
        runs += 1;
    }
    runs
}

#[test]
fn another_target_goes_on_wherever_it_broke() {
    let mut runs = 0;
    for asks in CALLERS {
        for first in TARGETS {
            for second in FALLBACKS.into_iter().filter(|second| *second != first) {
                runs += played(asks, first, second, Way::Exactly);
                if first == TARGETS[0] {
                    runs += played(asks, first, second, Way::Anew) + played(asks, first, second, Way::LastWords);
                }
            }
        }
    }
    assert!(runs > 500, "{runs}");
}

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
        let run = case.run([
            stream(&first[..4]).ending(Cut),
            stream(&first[..4]).ending(Cut),
            error(503, "x", "Down."),
            error(503, "x", "Down."),
        ]);
        assert_eq!((run.status, run.hosts().as_str()), (503, "alpha alpha gamma gamma"), "{asks:?}: {}", run.body);
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
