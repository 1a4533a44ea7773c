//! An answer in every dialect, as providers tell it, and as callers read it.

use portolan::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        response::StopReason,
        usage::Usage,
    },
    config::OnStreamBreak,
    dialect::{
        Asked, Dialect,
        Dialect::{Anthropic, Cohere, Converse, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses, WorkersAi},
        Facts,
        surface::Place,
    },
    wire::sse::Frames,
};
use serde_json::Value;

use super::driver::{Case, gateway};

/// Words, so that a cut falls between any two of them. It holds what must be escaped, and more than ASCII.
pub const WORDS: [&str; 9] = ["Once ", "upon ", "a \"time\" ", "in the ", "Größe ", "of a\n\n", "valley, ", "all ", "was well."];

pub fn whole() -> String {
    WORDS.concat()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asks {
    pub dialect: Dialect,
    pub array: bool,
}

pub const CALLERS: [Asks; 6] = [
    Asks { dialect: OpenAiChat, array: false },
    Asks { dialect: OpenAiResponses, array: false },
    Asks { dialect: OpenAiCompletions, array: false },
    Asks { dialect: Anthropic, array: false },
    Asks { dialect: Gemini, array: false },
    Asks { dialect: Gemini, array: true },
];

pub const TARGETS: [&str; 3] = ["alpha/small", "gamma/claude", "google/gemini-2.5-flash"];
pub const FALLBACKS: [&str; 3] = ["beta/large", "gamma/claude", "google/gemini-2.5-flash"];

impl Asks {
    pub fn case(self, targets: &str, mode: OnStreamBreak) -> Case {
        let mut case = Case::with(gateway("", ""), self.dialect, targets, true);
        let messages = r#""messages":[{"role":"user","content":"Hello"}]"#;
        case.body = match self.dialect {
            OpenAiResponses => case.body.replace(messages, r#""input":"Hello""#).replace("max_tokens", "max_output_tokens"),
            OpenAiCompletions => case.body.replace(messages, r#""prompt":"Hello""#),
            Gemini => r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#.to_owned(),
            OpenAiChat => case.body.replace("\"stream\":true", r#""stream":true,"stream_options":{"include_usage":true}"#),
            Anthropic | Converse | Cohere | WorkersAi => case.body,
        };
        if self.dialect == Gemini {
            case.place = Place { model: Some(targets.to_owned()), stream: true, array: self.array };
        }
        Case { on_break: mode, ..case }
    }
}

/// A stream that says these words, as a provider of this dialect would tell it, frame by frame.
pub fn told(dialect: Dialect, id: &str, words: &[&str]) -> Vec<String> {
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

pub fn id(dialect: Dialect, name: &str) -> String {
    let prefix = match dialect {
        OpenAiChat => "chatcmpl-",
        OpenAiResponses => "resp_",
        OpenAiCompletions => "cmpl-",
        Anthropic => "msg_",
        Gemini | Converse | Cohere | WorkersAi => "",
    };
    format!("{prefix}{name}")
}

/// What a client makes of a stream: the data of its events, and what these say.
pub struct Read {
    pub events: Vec<Value>,
    pub text: String,
    pub ends: usize,
    pub failed: bool,
    pub usage: Option<Usage>,
}

pub fn frames(text: &str) -> Vec<String> {
    let (mut frames, mut all) = (Frames::default(), vec![]);
    frames.push(text.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        let event = frame.event.map(|event| format!("event: {event}\n")).unwrap_or_default();
        all.extend(frame.data.map(|data| format!("{event}data: {data}\n\n")));
    }
    assert_eq!(frames.pending(), 0, "the last event is complete: {text}");
    all
}

pub fn read(asks: Asks, body: &str) -> Read {
    let body = if asks.array {
        let items: Vec<Value> = serde_json::from_str(body).unwrap();
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
        if let Event::BlockDelta { delta: Delta::Text(more), .. } = event {
            text.push_str(more);
        }
        if let Event::Usage(report) = event {
            usage = Some(*report);
        }
    }
    let ends = events.iter().filter(|event| **event == Event::End).count();
    let failed = events.iter().any(|event| matches!(event, Event::Failed(_)));
    Read { events: out, text, ends, failed, usage }
}

/// All values of these keys, wherever they stand; each once.
pub fn all(events: &[Value], keys: &[&str]) -> Vec<String> {
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
pub fn assert_one_answer(asks: Asks, read: &Read, what: &str) {
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
        OpenAiResponses | Converse | Cohere | WorkersAi => {
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
pub fn said(dialect: Dialect, frames: &[String]) -> String {
    read(Asks { dialect, array: false }, &frames.concat()).text
}
