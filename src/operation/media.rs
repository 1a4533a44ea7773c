//! Images and videos, asked of who speaks as OpenAI does: the body passes but for the model.

use serde_json::Value;

use super::{Answer, number, text, value};
use crate::{
    chat::{event::UpstreamError, usage::Usage},
    error::Error,
    wire::{
        fields::missing,
        json::{Edit, Outline, Piece, quoted},
        multipart,
    },
};

/// What is asked for in a body of either form: JSON, or a form with files.
pub enum Body<'a> {
    Json(Outline<'a>),
    Form { bytes: &'a [u8], boundary: &'a str },
}

impl<'a> Body<'a> {
    pub fn read(bytes: &'a [u8], content_type: &'a str) -> Result<Self, Error> {
        match multipart::boundary(content_type) {
            Some(boundary) => Ok(Self::Form { bytes, boundary }),
            None => Outline::read(bytes).map(Self::Json),
        }
    }

    pub fn model(&self) -> Result<String, Error> {
        let found = match self {
            Self::Json(outline) => outline.parse("model", "a string")?,
            Self::Form { bytes, boundary } => multipart::field(bytes, boundary, "model")
                .and_then(|range| Some(std::str::from_utf8(bytes.get(range)?).ok()?.to_owned())),
        };
        found.ok_or_else(|| missing("model"))
    }

    /// The same body for another model.
    pub fn with_model(&self, model: &str) -> Result<Vec<Piece>, Error> {
        match self {
            Self::Json(outline) if outline.get("stream").is_some_and(|stream| stream == "true") => {
                Err(Error::invalid("stream", "Pictures in the making are not passed on yet: leave `stream` out."))
            }
            Self::Json(outline) => Ok(outline.edit(&[Edit::Set("model".into(), quoted(model))])),
            Self::Form { bytes, boundary } => {
                let range = multipart::field(bytes, boundary, "model").ok_or_else(|| missing("model"))?;
                let (before, after) = (0..range.start, range.end..bytes.len());
                Ok(vec![Piece::Kept(before), Piece::New(model.to_owned()), Piece::Kept(after)])
            }
        }
    }
}

/// The answer passes as it came; what it counted is counted.
pub fn read(answer: &Outline<'_>) -> Result<Answer, UpstreamError> {
    let raw_usage = value(answer, "usage").filter(Value::is_object);
    let usage = answer.get("usage").and_then(|usage| Outline::read(usage.as_bytes()).ok()).map(|usage| Usage {
        input: number(&usage, "input_tokens").unwrap_or(0),
        output: number(&usage, "output_tokens").unwrap_or(0),
        ..Usage::default()
    });
    Ok(Answer { body: None, usage, estimated: false, raw_usage, id: text(answer, "id") })
}
