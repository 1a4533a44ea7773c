//! Amazon's event stream: messages cut anywhere, and those that cannot be trusted.

use portolan::wire::{
    base64,
    framing::{Decoder, Framing, Unreadable},
};
use serde_json::{Value, json};

use super::messages::{crc, event, exception, message, sealed};

/// Made with Python's zlib: `messageStop`, `{"stopReason":"end_turn"}`.
const STOP: &str = concat!(
    "000000590000003076f8427f0d3a6d6573736167652d747970650700056576656e740b3a6576656e742d7479706507000b6d65737361676553746f",
    "707b2273746f70526561736f6e223a22656e645f7475726e227def4f02c7",
);

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

type Seen = Vec<(String, String, String)>;

/// Name, data and raw text of each frame.
fn collect<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Seen, Unreadable> {
    let (mut decoder, mut seen) = (Decoder::new(Framing::EventStream), vec![]);
    for chunk in chunks {
        decoder.push(chunk)?;
        while let Some(frame) = decoder.next_frame() {
            let raw = String::from_utf8(frame.raw.to_vec()).unwrap();
            seen.push((frame.event.unwrap().into_owned(), frame.data.unwrap().into_owned(), raw));
        }
    }
    assert!(decoder.last_frame().is_none());
    Ok(seen)
}

fn one(message: &[u8]) -> (String, Value, String) {
    let mut seen = collect([message]).unwrap();
    assert_eq!(seen.len(), 1);
    let (name, data, raw) = seen.remove(0);
    (name, serde_json::from_str(&data).unwrap(), raw)
}

#[test]
fn a_message_is_the_server_sent_event_that_says_the_same() {
    let (name, data, raw) = one(&bytes(STOP));
    assert_eq!((name.as_str(), data), ("messageStop", json!({"stopReason": "end_turn"})));
    assert_eq!(raw, "event: messageStop\ndata: {\"stopReason\":\"end_turn\"}\n\n");
    // JSON may be laid out over lines, and an event's data not.
    let (_, data, raw) = one(&event("metadata", "{\r\n  \"a\": 1\n}"));
    assert_eq!(data, json!({"a": 1}));
    assert_eq!(raw.matches('\n').count(), 3, "{raw:?}");
}

#[test]
fn what_ends_a_line_for_some_is_escaped_and_nothing_is_lost() {
    let (_, data, raw) = one(&event("contentBlockDelta", "{\"text\":\"a\u{2028}b\u{2029}c\u{85}\"}"));
    assert_eq!(data, json!({"text": "a\u{2028}b\u{2029}c\u{85}"}));
    assert_eq!(raw, "event: contentBlockDelta\ndata: {\"text\":\"a\\u2028b\\u2029c\\u0085\"}\n\n");
}

#[test]
fn any_cut_of_the_bytes_gives_the_same_events() {
    let stream = [event("messageStart", r#"{"role":"assistant"}"#), event("é", "{\"text\":\"…\"}"), bytes(STOP)].concat();
    let whole = collect([stream.as_slice()]).unwrap();
    assert_eq!(whole.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), ["messageStart", "é", "messageStop"]);
    for cut in 0..stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(collect([left, right]).unwrap(), whole, "cut at {cut}");
    }
    assert_eq!(collect(stream.chunks(1)).unwrap(), whole, "byte by byte");
}

#[test]
fn a_message_that_is_cut_off_is_pending_and_no_frame() {
    let whole = bytes(STOP);
    let mut decoder = Decoder::new(Framing::EventStream);
    decoder.push(&whole[..whole.len() - 1]).unwrap();
    assert_eq!(decoder.next_frame(), None);
    assert_eq!(decoder.pending(), whole.len() - 1);
    assert_eq!(decoder.last_frame(), None);
    decoder.push(&whole[whole.len() - 1..]).unwrap();
    assert!(decoder.next_frame().is_some());
    assert_eq!(decoder.pending(), 0);
}

#[test]
fn every_changed_byte_is_noticed() {
    let whole = [bytes(STOP), bytes(STOP)].concat();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(collect([changed.as_slice()]).is_err(), "byte {at}");
        assert!(collect(changed.chunks(7)).is_err(), "byte {at}, in pieces");
    }
}

#[test]
fn impossible_lengths_are_refused_before_anything_is_collected() {
    // Their checksums are right: only the lengths are not.
    for (total, headers, expected) in [
        (15, 0, Unreadable::Corrupt),
        (20, 5, Unreadable::Corrupt),
        (16, u32::MAX, Unreadable::Corrupt),
        ((16 << 20) + 1, 0, Unreadable::TooLarge),
        (u32::MAX, 0, Unreadable::TooLarge),
    ] {
        let mut prelude = [u32::to_be_bytes(total), headers.to_be_bytes()].concat();
        prelude.extend_from_slice(&crc(&prelude).to_be_bytes());
        assert_eq!(collect([prelude.as_slice()]), Err(expected), "{total} {headers}");
    }
    let mut decoder = Decoder::new(Framing::EventStream);
    assert_eq!(decoder.push(&vec![0; (16 << 20) + 1]), Err(Unreadable::TooLarge));
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = vec![];
    for (kind, size) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.extend(vec![0xff; size]);
    }
    headers.extend_from_slice(&[1, b'y', 6, 0, 3, 1, 2, 3]);
    headers.extend_from_slice(b"\x0b:event-type\x07\x00\x04ping");
    let (name, data, _) = one(&sealed(&headers, b"{}"));
    assert_eq!((name.as_str(), data), ("ping", json!({})));
}

#[test]
fn what_a_chunk_wraps_comes_out_named_by_its_type() {
    for (inner, name) in [
        (r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":37}}"#, "message_stop"),
        (r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"é\n"}}"#, "content_block_delta"),
        (r#"{"completion":"","stop_reason":"stop_sequence"}"#, "chunk"),
    ] {
        let payload = json!({"bytes": base64::encode(inner.as_bytes()), "p": "abcdef"});
        let (seen, data, raw) = one(&event("chunk", &payload.to_string()));
        assert_eq!(seen, name);
        assert_eq!(data, serde_json::from_str::<Value>(inner).unwrap());
        assert_eq!(raw, format!("event: {name}\ndata: {inner}\n\n"));
    }
    // Not a wrapping at all: passed on as it is.
    let (seen, data, _) = one(&event("chunk", r#"{"bytes":"%%%"}"#));
    assert_eq!((seen.as_str(), data), ("chunk", json!({"bytes": "%%%"})));
}

#[test]
fn a_failure_is_told_where_any_reader_looks_for_one() {
    let rows = [
        (
            exception("throttlingException", r#"{"message":"Too many requests."}"#),
            "throttlingException",
            json!({"message": "Too many requests.", "error": {"type": "throttlingException", "message": "Too many requests."}}),
        ),
        (
            exception("modelStreamErrorException", r#"{"message":"m","originalStatusCode":500}"#),
            "modelStreamErrorException",
            json!({"message": "m", "originalStatusCode": 500, "error": {"type": "modelStreamErrorException", "message": "m"}}),
        ),
        (
            exception("internalServerException", "no JSON"),
            "internalServerException",
            json!({"error": {"type": "internalServerException", "message": "no JSON"}}),
        ),
        (
            message(&[(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "An error.")], ""),
            "InternalError",
            json!({"error": {"type": "InternalError", "message": "An error."}}),
        ),
    ];
    for (bytes, name, expected) in rows {
        let (seen, data, _) = one(&bytes);
        assert_eq!((seen.as_str(), data), (name, expected));
    }
}

#[test]
fn the_content_type_tells_the_framing() {
    for (content_type, framing) in [
        ("application/vnd.amazon.eventstream", Framing::EventStream),
        ("Application/vnd.Amazon.EventStream; charset=utf-8", Framing::EventStream),
        ("text/event-stream", Framing::Sse),
        ("application/json", Framing::Sse),
        ("", Framing::Sse),
    ] {
        assert_eq!(Framing::of(content_type), framing, "{content_type}");
    }
    let mut decoder = Decoder::default();
    decoder.push(b"event: a\ndata: 1\n\ndata: 2").unwrap();
    assert_eq!(decoder.next_frame().unwrap().data.unwrap(), "1");
    assert!(decoder.next_frame().is_none());
    assert_eq!(decoder.pending(), 7);
    assert_eq!(decoder.last_frame().unwrap().data.unwrap(), "2");
}
