//! One vector: a JSON array of numbers, or the base64 of its little-endian 32-bit floats.

use crate::wire::{base64, json::quoted};

/// How vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Numbers,
    Base64,
}

/// A vector as the JSON text that a provider wrote; `None` for what is no vector.
pub(super) fn form(vector: &str) -> Option<Form> {
    match vector.as_bytes().first()? {
        b'[' => Some(Form::Numbers),
        b'"' => Some(Form::Base64),
        _ => None,
    }
}

/// The vector in this form; `None` when it cannot be read.
pub(super) fn convert(vector: &str, to: Form) -> Option<String> {
    match (form(vector)?, to) {
        (Form::Numbers, Form::Numbers) | (Form::Base64, Form::Base64) => Some(vector.to_owned()),
        (Form::Numbers, Form::Base64) => {
            let numbers: Vec<f32> = serde_json::from_str(vector).ok()?;
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            Some(quoted(&base64::encode(&bytes)))
        }
        (Form::Base64, Form::Numbers) => {
            let text: String = serde_json::from_str(vector).ok()?;
            let (groups, rest) = base64::decode(&text).map(|bytes| {
                let (groups, rest) = bytes.as_chunks::<4>();
                (groups.iter().map(|group| f32::from_le_bytes(*group)).collect::<Vec<f32>>(), rest.len())
            })?;
            (rest == 0).then(|| serde_json::to_string(&groups).unwrap_or_default())
        }
    }
}

/// Perplexity packs a signed byte a dimension: the numbers they stand for.
pub(super) fn of_bytes(vector: &str) -> Option<String> {
    if form(vector)? == Form::Numbers {
        return Some(vector.to_owned());
    }
    let text: String = serde_json::from_str(vector).ok()?;
    let numbers: Vec<i8> = base64::decode(&text)?.into_iter().map(|byte| i8::from_le_bytes([byte])).collect();
    serde_json::to_string(&numbers).ok()
}
