//! Blocks that the canonical form wants whole: they are collected until their end.

use serde_json::{Map, Value};

use crate::{
    chat::{Dialect, event::Block},
    wire::{
        base64,
        compose::{Members, json},
    },
};

pub(super) enum Held {
    /// Thoughts as the provider sealed them, in bytes: pieces of base64 do not join.
    Redacted(Vec<u8>),
    Image {
        format: String,
        data: String,
    },
    /// Of a tool that the provider runs itself.
    Call {
        call: Value,
        input: String,
    },
    Result {
        result: Value,
        content: Vec<Value>,
    },
    Whole(Value),
}

impl Held {
    pub(super) const fn redacted() -> Self {
        Self::Redacted(vec![])
    }

    pub(super) fn image(start: &Value) -> Self {
        let format = start.get("format").and_then(Value::as_str).unwrap_or("png").to_owned();
        Self::Image { format, data: String::new() }
    }

    pub(super) const fn call(call: Value) -> Self {
        Self::Call { call, input: String::new() }
    }

    pub(super) const fn result(result: Value) -> Self {
        Self::Result { result, content: vec![] }
    }

    pub(super) const fn whole(block: Value) -> Self {
        Self::Whole(block)
    }

    pub(super) fn add_redacted(&mut self, piece: &str) {
        if let Self::Redacted(bytes) = self {
            bytes.extend(base64::decode(piece).unwrap_or_default());
        }
    }

    pub(super) fn add_image(&mut self, piece: &Value) {
        if let (Self::Image { data, .. }, Some(bytes)) = (self, piece.pointer("/source/bytes").and_then(Value::as_str)) {
            data.push_str(bytes);
        }
    }

    pub(super) fn add_input(&mut self, piece: &str) {
        if let Self::Call { input, .. } = self {
            input.push_str(piece);
        }
    }

    pub(super) fn add_results(&mut self, pieces: Value) {
        if let (Self::Result { content, .. }, Value::Array(pieces)) = (self, pieces) {
            content.extend(pieces);
        }
    }

    pub(super) fn into_block(self) -> Block {
        let opaque = |value| Block::Opaque { dialect: Dialect::Converse, value };
        match self {
            Self::Redacted(bytes) => Block::RedactedReasoning { data: base64::encode(&bytes), dialect: Dialect::Converse },
            Self::Image { format, data } => Block::Image { media_type: format!("image/{format}"), data },
            Self::Call { call, input } => {
                let input = serde_json::from_str(&input).unwrap_or_else(|_| Value::Object(Map::new()));
                opaque(json!({"toolUse": with(call, "input", input)}))
            }
            Self::Result { result, content } => opaque(json!({"toolResult": with(result, "content", Value::Array(content))})),
            Self::Whole(block) => opaque(block),
        }
    }
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Value::Object(map) = &mut object {
        map.put(key, value);
    }
    object
}
