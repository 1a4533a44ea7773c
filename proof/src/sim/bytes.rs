//! What goes over the wires: requests, answers in each provider's tongue, and what a client makes of what it got.
//!
//! Answers consist of words like `p2w7`, the eighth word of provider 2: whoever reads them knows what is missing, what came
//! twice and whose it was.

use portolan::dialect::{Dialect, surface::Place};
use serde_json::{Value, json};

use super::{
    config::route_name,
    scenario::{Arrival, Tongue},
};

/// A request's body, and what its path says.
pub fn request(arrival: &Arrival) -> (String, Place) {
    let (model, stream, say) = (route_name(arrival.route), arrival.stream, "Say your words.");
    let messages = json!([{ "role": "user", "content": say }]);
    let body = match arrival.dialect {
        Dialect::Anthropic => json!({ "model": model, "max_tokens": 100, "stream": stream, "messages": messages }),
        Dialect::OpenAiResponses => json!({ "model": model, "stream": stream, "input": say }),
        Dialect::Gemini => json!({ "contents": [{ "role": "user", "parts": [{ "text": say }] }] }),
        Dialect::OpenAiChat | Dialect::OpenAiCompletions | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => {
            json!({ "model": model, "stream": stream, "messages": messages })
        }
    };
    let place =
        if arrival.dialect == Dialect::Gemini { Place { model: Some(model), stream, array: false } } else { Place::default() };
    (body.to_string(), place)
}

fn word(provider: usize, index: usize) -> String {
    format!("p{provider}w{index} ")
}

/// A whole answer.
pub fn whole(tongue: Tongue, provider: usize, words: usize) -> String {
    let text: String = (0..words).map(|index| word(provider, index)).collect();
    let value = match tongue {
        Tongue::OpenAi => json!({
            "id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": "up",
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 10, "completion_tokens": words, "total_tokens": 10 + words },
        }),
        Tongue::Anthropic => json!({
            "id": "msg_up", "type": "message", "role": "assistant", "model": "up",
            "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": { "input_tokens": 10, "output_tokens": words },
        }),
        Tongue::Gemini => json!({
            "candidates": [{ "index": 0, "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": words, "totalTokenCount": 10 + words },
            "modelVersion": "up", "responseId": "up",
        }),
    };
    value.to_string()
}

/// The frames of a stream, and after how many of them it may be called whole.
pub fn stream(tongue: Tongue, provider: usize, words: usize) -> (Vec<String>, usize) {
    let mut frames = vec![];
    let texts = (0..words).map(|index| word(provider, index));
    match tongue {
        Tongue::OpenAi => {
            let chunk = |choices: Value| {
                data(
                    &json!({ "id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": choices }),
                )
            };
            frames.push(chunk(json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }])));
            frames.extend(texts.map(|text| chunk(json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }]))));
            frames.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }])));
            let whole = frames.len();
            frames.push("data: [DONE]\n\n".to_owned());
            (frames, whole)
        }
        Tongue::Anthropic => {
            let usage = json!({ "input_tokens": 10, "output_tokens": 1 });
            let message = json!({ "id": "msg_up", "type": "message", "role": "assistant", "model": "up", "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage });
            frames.push(event(&json!({ "type": "message_start", "message": message })));
            frames.push(event(
                &json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            ));
            let delta =
                |text| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
            frames.extend(texts.map(|text| event(&delta(text))));
            frames.push(event(&json!({ "type": "content_block_stop", "index": 0 })));
            let stop = json!({ "stop_reason": "end_turn", "stop_sequence": null });
            frames.push(event(&json!({ "type": "message_delta", "delta": stop, "usage": { "output_tokens": words } })));
            let whole = frames.len();
            frames.push(event(&json!({ "type": "message_stop" })));
            (frames, whole)
        }
        Tongue::Gemini => {
            let usage = json!({ "promptTokenCount": 10, "candidatesTokenCount": words, "totalTokenCount": 10 + words });
            for (index, text) in texts.enumerate() {
                let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": [{ "text": text }] } });
                if index + 1 == words
                    && let Some(candidate) = candidate.as_object_mut()
                {
                    candidate.insert("finishReason".to_owned(), json!("STOP"));
                }
                frames.push(data(
                    &json!({ "candidates": [candidate], "usageMetadata": usage, "modelVersion": "up", "responseId": "up" }),
                ));
            }
            let whole = frames.len();
            (frames, whole)
        }
    }
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn event(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value.get("type").and_then(Value::as_str).unwrap_or_default())
}

/// A provider's words for a refusal.
pub struct Words {
    pub status: u16,
    pub openai: &'static str,
    pub anthropic: &'static str,
    pub gemini: &'static str,
    pub message: &'static str,
}

pub fn refusal(tongue: Tongue, words: &Words) -> String {
    let Words { status, message, .. } = words;
    let value = match tongue {
        Tongue::OpenAi => json!({ "error": { "message": message, "type": words.openai, "code": words.openai, "param": null } }),
        Tongue::Anthropic => json!({ "type": "error", "error": { "type": words.anthropic, "message": message } }),
        Tongue::Gemini => json!({ "error": { "code": status, "message": message, "status": words.gemini } }),
    };
    value.to_string()
}

/// The same inside a stream.
pub fn refusal_event(tongue: Tongue, words: &Words) -> String {
    let text = refusal(tongue, words);
    if tongue == Tongue::Anthropic { format!("event: error\ndata: {text}\n\n") } else { format!("data: {text}\n\n") }
}

/// What a client understands of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Provider and index of each word, in order.
    pub words: Vec<(usize, usize)>,
    /// Its dialect's sign that all is well and over.
    pub is_clean: bool,
}

pub fn seen(dialect: Dialect, is_stream: bool, body: &str) -> Seen {
    let lines =
        body.lines().filter(|line| !is_stream || dialect != Dialect::OpenAiResponses || line.contains("output_text.delta"));
    let words = lines.flat_map(words_of).collect();
    let end = match dialect {
        Dialect::Anthropic => "event: message_stop",
        Dialect::OpenAiResponses => "event: response.completed",
        Dialect::Gemini => "\"finishReason\":\"STOP\"",
        Dialect::OpenAiChat | Dialect::OpenAiCompletions | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => {
            "data: [DONE]"
        }
    };
    let is_clean = if is_stream { body.contains(end) } else { serde_json::from_str::<Value>(body).is_ok() };
    Seen { words, is_clean }
}

fn words_of(line: &str) -> Vec<(usize, usize)> {
    let number = |text: &str| text.parse::<usize>().ok();
    line.split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|part| {
            let (provider, index) = part.strip_prefix('p')?.split_once('w')?;
            Some((number(provider)?, number(index)?))
        })
        .collect()
}
