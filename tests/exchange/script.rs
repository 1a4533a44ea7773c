//! What a provider answers, told as data.

use std::collections::VecDeque;

use portolan::{
    mock::{self, Script},
    plan::outcome::Transport,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Clean,
    Cut,
    /// Never closes.
    Stall,
}

/// One answer. By default an empty 200.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Until the head; `None` with `never`.
    pub after: u64,
    pub never: bool,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Each with the wait before it.
    pub chunks: VecDeque<(u64, Vec<u8>)>,
    pub ending: Ending,
    /// Instead of any answer.
    pub refusal: Option<Transport>,
}

impl Answer {
    /// The mock's.
    pub fn of(script: Script) -> Self {
        let ending = match script.ending {
            mock::Ending::Clean => Ending::Clean,
            mock::Ending::Cut => Ending::Cut,
            mock::Ending::Stall => Ending::Stall,
        };
        Self {
            after: script.delay_ms,
            status: script.status,
            headers: script.headers,
            chunks: script.chunks.into_iter().map(|chunk| (chunk.after_ms, chunk.bytes)).collect(),
            ending,
            ..Self::default()
        }
    }

    pub fn head_after(&self) -> Option<u64> {
        (!self.never).then_some(self.after)
    }

    /// Until the next chunk or the end; `None` where nothing more comes.
    pub fn next_after(&self) -> Option<u64> {
        let ending = (self.ending != Ending::Stall).then_some(0);
        self.chunks.front().map(|(after, _)| *after).or(ending)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub const fn after(mut self, ms: u64) -> Self {
        self.after = ms;
        self
    }

    pub const fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// A wait of `ms` before chunk `at`.
    pub fn wait(mut self, at: usize, ms: u64) -> Self {
        self.chunks[at].0 = ms;
        self
    }

    /// The same bytes, cut after the first `at`.
    pub fn split(mut self, at: usize) -> Self {
        let bytes: Vec<u8> = self.chunks.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let (left, right) = bytes.split_at(at);
        self.chunks = [left, right].into_iter().map(|bytes| (0, bytes.to_vec())).collect();
        self
    }

    pub fn len(&self) -> usize {
        self.chunks.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

/// A JSON answer.
pub fn json(status: u16, body: &str) -> Answer {
    Answer { status, chunks: [(0, body.as_bytes().to_vec())].into(), ..Answer::default() }
        .header("content-type", "application/json")
}

/// OpenAI's envelope of an error.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    json(status, &format!(r#"{{"error":{{"message":"{message}","type":"{code}","code":"{code}"}}}}"#))
}

/// Server-sent events, one chunk an item.
pub fn stream<T: AsRef<str>>(frames: impl IntoIterator<Item = T>) -> Answer {
    let chunks = frames.into_iter().map(|frame| (0, frame.as_ref().as_bytes().to_vec())).collect();
    Answer { status: 200, chunks, ..Answer::default() }.header("content-type", "text/event-stream; charset=utf-8")
}

pub fn fails(transport: Transport) -> Answer {
    Answer { refusal: Some(transport), ..Answer::default() }
}

pub fn silent() -> Answer {
    Answer { never: true, ..Answer::default() }
}

/// A whole answer of OpenAI's dialect: 10 tokens in, 4 of them cached, 5 out.
pub const CHAT: &str = r#"{"id":"chatcmpl-up","object":"chat.completion","created":1,"model":"small-2026","choices":[{"index":0,"message":{"role":"assistant","content":"Hi there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}"#;

/// The same of Anthropic's.
pub const MESSAGE: &str = r#"{"id":"msg_up","type":"message","role":"assistant","model":"claude-2026","content":[{"type":"text","text":"Hi there"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":0,"output_tokens":5}}"#;

pub fn served() -> Answer {
    json(200, CHAT)
}

pub fn data(text: &str) -> String {
    format!("data: {text}\n\n")
}

pub fn chunk(choice: &str) -> String {
    data(&format!(
        r#"{{"id":"chatcmpl-up","object":"chat.completion.chunk","created":1,"model":"small-2026","choices":[{choice}]}}"#
    ))
}

pub fn role() -> String {
    chunk(r#"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}"#)
}

pub fn says(text: &str) -> String {
    chunk(&format!(r#"{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}"#))
}

pub fn stop() -> String {
    chunk(r#"{"index":0,"delta":{},"finish_reason":"stop"}"#)
}

pub fn usage() -> String {
    data(
        r#"{"id":"chatcmpl-up","object":"chat.completion.chunk","created":1,"model":"small-2026","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}"#,
    )
}

pub fn done() -> String {
    data("[DONE]")
}

/// A whole stream: role, two pieces of text, stop, usage, end.
pub fn told() -> Vec<String> {
    vec![role(), says("Hi "), says("there"), stop(), usage(), done()]
}

/// An event of Anthropic's dialect.
pub fn event(kind: &str, rest: &str) -> String {
    let comma = if rest.is_empty() { "" } else { "," };
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{comma}{rest}}}\n\n")
}

pub fn message_start() -> String {
    event(
        "message_start",
        r#""message":{"id":"msg_up","type":"message","role":"assistant","model":"claude-2026","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":6,"cache_read_input_tokens":4,"output_tokens":1}}"#,
    )
}

pub fn block_start() -> String {
    event("content_block_start", r#""index":0,"content_block":{"type":"text","text":""}"#)
}

pub fn text_delta(text: &str) -> String {
    event("content_block_delta", &format!(r#""index":0,"delta":{{"type":"text_delta","text":"{text}"}}"#))
}

pub fn message_end() -> Vec<String> {
    vec![
        event("content_block_stop", r#""index":0"#),
        event("message_delta", r#""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}"#),
        event("message_stop", ""),
    ]
}

pub fn message() -> Vec<String> {
    let mut frames = vec![message_start(), block_start(), event("ping", ""), text_delta("Hi "), text_delta("there")];
    frames.extend(message_end());
    frames
}
