//! What the tests of Amazon's and Cohere's recordings share.

use std::{fs, path::Path};

use portolan::{
    chat::{
        event::{Event, UpstreamError},
        fold,
        request::Part,
        response::Response,
    },
    dialect::Upstream,
    wire::framing::{Decoder, Framing},
};
use serde_json::{Value, json};

/// Cuts at random, of each stream.
const RANDOM_CUTS: u64 = 20;

pub struct Case {
    pub name: String,
    pub status: u16,
    pub kind: String,
    pub request: Value,
    pub body: Value,
    pub derived: Value,
}

pub fn cases(folder: &str) -> Vec<Case> {
    let root = std::env::var("PORTOLAN_CORPUS").unwrap();
    let mut cases: Vec<Case> = fs::read_dir(Path::new(&root).join(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let at = |pointer: &str| case.pointer(pointer).cloned().unwrap_or_default();
            Case {
                name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
                status: u16::try_from(at("/response/status").as_u64().unwrap()).unwrap(),
                kind: at("/response/kind").as_str().unwrap().to_owned(),
                request: at("/request/body"),
                body: at("/response/body"),
                derived: at("/derived"),
            }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn events(dialect: &dyn Upstream, framing: Framing, chunks: &[&[u8]]) -> (Vec<Event>, Option<Value>) {
    let (mut reader, mut decoder, mut out) = (dialect.event_reader(), Decoder::new(framing), vec![]);
    for chunk in chunks {
        decoder.push(chunk).unwrap();
        while let Some(frame) = decoder.next_frame() {
            reader.read(&frame, &mut out);
        }
    }
    if let Some(frame) = decoder.last_frame() {
        reader.read(&frame, &mut out);
    }
    reader.close(&mut out);
    (out, reader.raw_usage().cloned())
}

/// The stream in one piece, byte by byte, and cut at random: all say the same, and keep the rules of streams.
pub fn streamed(dialect: &dyn Upstream, framing: Framing, name: &str, bytes: &[u8]) -> Result<Response, UpstreamError> {
    let (whole, raw_usage) = events(dialect, framing, &[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(events(dialect, framing, &single).0, whole, "{name}: byte by byte");
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..RANDOM_CUTS {
        let (mut pieces, mut rest) = (vec![], bytes);
        while !rest.is_empty() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let size = usize::try_from(dice >> 33).unwrap() % 400 + 1;
            let (piece, left) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        assert_eq!(events(dialect, framing, &pieces).0, whole, "{name}: random cuts");
    }
    let checked = crate::fold::fold(&whole);
    assert!(checked.ended && checked.malformed == 0 && checked.failed.is_none(), "{name}: {checked:?}");
    fold::fold(whole).map(|response| Response { raw_usage, ..response })
}

/// What a reader of the answer sees.
pub fn seen(response: &Response) -> Value {
    let (mut text, mut thoughts, mut proof, mut calls, mut cited) = (String::new(), String::new(), String::new(), vec![], vec![]);
    let mut opaque = 0;
    for part in &response.parts {
        if let Part::Text { text: said, citations, .. } = part {
            text.push_str(said);
            cited.extend(citations.iter().filter_map(|citation| Some(citation.native.as_ref()?.1.clone())));
        } else if let Part::Reasoning { text: thought, signature } = part {
            thoughts.push_str(thought);
            proof.push_str(signature.as_ref().map_or("", |signature| &signature.value));
        } else if let Part::ToolCall(call) = part {
            let arguments: Value = serde_json::from_str(&call.json_arguments()).unwrap();
            calls.push(json!([call.id, call.name, arguments]));
        } else if let Part::Opaque { .. } = part {
            opaque += 1;
        }
    }
    let usage = response.usage.unwrap();
    json!({
        "text": text,
        "thoughts": thoughts,
        "proof": proof,
        "calls": calls,
        "cited": cited,
        "opaque": opaque,
        "stop": format!("{:?}", response.stop),
        "usage": [usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning],
        "raw_usage": response.raw_usage,
    })
}
