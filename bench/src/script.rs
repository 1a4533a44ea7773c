//! What the scripted upstream says: rendered once per connection and path, so that sending it costs one `write` an event.

use std::time::Duration;

use serde_json::{Value, json};

/// Stands once in every piece of an answer's text, and nowhere else.
pub const MARKER: &[u8] = b"@@";

/// A piece of text that makes an event of about 300 bytes, envelope included.
const OPENAI_PIECE: &str = "@@ a word, and another ";
const ANTHROPIC_PIECE: &str = "@@ The quick brown fox jumps over the lazy dog, and the dog, who has seen many foxes in his time, \
    turns over once more, sighs, and goes on sleeping in the shade of the old pear tree behind the mill.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Anthropic,
}

/// What one path of the upstream asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub dialect: Dialect,
    /// Pieces of the stream, or a whole answer when absent.
    pub pieces: Option<u32>,
    pub pause: Duration,
}

/// `/n100/p10/v1/chat/completions` is a stream of 100 pieces, 10 ms apart; without `n…` the answer comes whole.
pub fn read_path(path: &str) -> Option<Ask> {
    let dialect = match path.rsplit('/').next()? {
        "completions" => Dialect::OpenAi,
        "messages" => Dialect::Anthropic,
        _ => return None,
    };
    let number = |letter: char| path.split('/').find_map(|part| part.strip_prefix(letter)?.parse::<u32>().ok());
    Some(Ask { dialect, pieces: number('n'), pause: Duration::from_millis(number('p').unwrap_or_default().into()) })
}

/// The rendered answer to one `Ask`.
pub struct Script {
    /// Sent one after another, each after `pause`: the opening (head included), then the pieces.
    pub opening: Vec<Vec<u8>>,
    pub piece: Vec<u8>,
    pub pieces: u32,
    pub pause: Duration,
    /// Sent at once after the last piece.
    pub closing: Vec<Vec<u8>>,
}

/// How many events a whole stream of that many pieces has.
pub fn events(dialect: Dialect, pieces: u32) -> u64 {
    let around = opening(dialect).len() + closing(dialect).len();
    u64::from(pieces) + u64::try_from(around).unwrap_or_default()
}

pub fn render(ask: Ask) -> Script {
    let Some(pieces) = ask.pieces else {
        return render_answer(ask);
    };
    let mut opening: Vec<Vec<u8>> = opening(ask.dialect).iter().map(|event| chunk(event)).collect();
    let mut closing: Vec<Vec<u8>> = closing(ask.dialect).iter().map(|event| chunk(event)).collect();
    if let Some(first) = opening.first_mut() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
            x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n";
        first.splice(0..0, head.bytes());
    }
    if let Some(last) = closing.last_mut() {
        last.extend_from_slice(b"0\r\n\r\n");
    }
    let text = match ask.dialect {
        Dialect::OpenAi => openai_event(&json!({"content": OPENAI_PIECE}), &Value::Null),
        Dialect::Anthropic => anthropic_event(&json!({
            "type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANTHROPIC_PIECE}
        })),
    };
    Script { opening, piece: chunk(&text), pieces, pause: ask.pause, closing }
}

fn render_answer(ask: Ask) -> Script {
    let text = format!("@@ {}", "All the roads of the old town lead down to the harbour. ".repeat(9));
    let body = match ask.dialect {
        Dialect::OpenAi => json!({
            "id": "chatcmpl-bench0000000000000000000000", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null, "annotations": []},
                "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 250, "completion_tokens": 120, "total_tokens": 370,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}},
            "service_tier": "default", "system_fingerprint": "fp_bench000"
        }),
        Dialect::Anthropic => json!({
            "id": "msg_bench0000000000000000", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 250, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 120}
        }),
    }
    .to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    Script { opening: vec![format!("{head}{body}").into_bytes()], piece: vec![], pieces: 0, pause: ask.pause, closing: vec![] }
}

fn opening(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::OpenAi => vec![openai_event(&json!({"role": "assistant", "content": "", "refusal": null}), &Value::Null)],
        Dialect::Anthropic => vec![
            anthropic_event(&json!({"type": "message_start", "message": {
                "id": "msg_bench0000000000000000", "type": "message", "role": "assistant", "model": "m", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 250, "output_tokens": 1}
            }})),
            anthropic_event(&json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
            anthropic_event(&json!({"type": "ping"})),
        ],
    }
}

fn closing(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::OpenAi => vec![openai_event(&json!({}), &json!("stop")), openai_usage(), "data: [DONE]\n\n".to_owned()],
        Dialect::Anthropic => vec![
            anthropic_event(&json!({"type": "content_block_stop", "index": 0})),
            anthropic_event(&json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                "usage": {"output_tokens": 120}})),
            anthropic_event(&json!({"type": "message_stop"})),
        ],
    }
}

fn openai_event(delta: &Value, finish_reason: &Value) -> String {
    openai_chunk(&json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]), &Value::Null)
}

fn openai_usage() -> String {
    openai_chunk(&json!([]), &json!({"prompt_tokens": 250, "completion_tokens": 120, "total_tokens": 370}))
}

fn openai_chunk(choices: &Value, usage: &Value) -> String {
    let body = json!({
        "id": "chatcmpl-bench0000000000000000000000", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
        "service_tier": "default", "system_fingerprint": "fp_bench000", "choices": choices, "usage": usage
    });
    format!("data: {body}\n\n")
}

fn anthropic_event(body: &Value) -> String {
    format!("event: {}\ndata: {body}\n\n", body.get("type").and_then(Value::as_str).unwrap_or_default())
}

/// One HTTP chunk.
fn chunk(event: &str) -> Vec<u8> {
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_says_dialect_pieces_and_pause() {
        let ms = Duration::from_millis;
        for (path, expected) in [
            ("/n100/p10/v1/chat/completions", Some(Ask { dialect: Dialect::OpenAi, pieces: Some(100), pause: ms(10) })),
            ("/n5/p0/v1/messages", Some(Ask { dialect: Dialect::Anthropic, pieces: Some(5), pause: ms(0) })),
            ("/v1/chat/completions", Some(Ask { dialect: Dialect::OpenAi, pieces: None, pause: ms(0) })),
            ("/v1/models", None),
        ] {
            assert_eq!(read_path(path), expected, "{path}");
        }
    }

    #[test]
    fn pieces_weigh_about_300_bytes_in_every_dialect() {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            let script = render(Ask { dialect, pieces: Some(1), pause: Duration::ZERO });
            assert!((280..340).contains(&script.piece.len()), "{dialect:?}: {}", script.piece.len());
            assert_eq!(memchr::memmem::find_iter(&script.piece, MARKER).count(), 1, "{dialect:?}");
        }
    }
}
