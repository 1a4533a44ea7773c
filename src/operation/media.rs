//! Images and videos, asked of who speaks as OpenAI does: the body passes but for the model.

use serde_json::Value;

use super::{Answer, text, value};
use crate::{
    chat::{event::UpstreamError, usage::Usage},
    error::Error,
    wire::{
        fields::missing,
        json::{Edit, Outline, Piece, items, quoted},
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

/// What is drawn is all that is answered, unless the answer tells words from it.
fn counted(usage: &Value) -> Usage {
    let of = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let output = of("/output_tokens").unwrap_or(0);
    Usage {
        input: of("/input_tokens").unwrap_or(0),
        input_image: of("/input_tokens_details/image_tokens").unwrap_or(0),
        output,
        output_image: of("/output_tokens_details/image_tokens").unwrap_or(output),
        ..Usage::default()
    }
}

/// The answer passes as it came; what it counted is counted, and so are its pictures.
pub fn read(answer: &Outline<'_>) -> Result<Answer, UpstreamError> {
    let raw_usage = value(answer, "usage").filter(Value::is_object);
    let images = answer.get("data").and_then(items).map_or(0, |made| u64::try_from(made.len()).unwrap_or_default());
    let usage = raw_usage.as_ref().map(counted).or((images > 0).then(Usage::default)).map(|usage| Usage { images, ..usage });
    Ok(Answer { body: None, usage, estimated: false, raw_usage, id: text(answer, "id") })
}
