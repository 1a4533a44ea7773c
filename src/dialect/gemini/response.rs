//! A whole answer: read as a stream of one chunk, so that both kinds say the same.

use serde_json::Value;

use super::{error, stream::Reader};
use crate::{
    chat::{event::UpstreamError, fold::fold, response::Response},
    dialect::EventReader,
};

pub fn read(body: &str) -> Result<Response, UpstreamError> {
    let value: Value = serde_json::from_str(body.trim()).map_err(|_| no_answer("The answer is not JSON."))?;
    if let Some(error) = error::find(&value) {
        return Err(error::from_value(0, error));
    }
    if !is_answer(&value) {
        return Err(no_answer("The answer has neither candidates nor the reason why."));
    }
    let (mut reader, mut events) = (Reader::default(), vec![]);
    reader.read_value(value, &mut events);
    reader.finish(&mut events);
    let raw_usage = reader.raw_usage().cloned();
    let tier = raw_usage.as_ref().and_then(|usage| usage.get("serviceTier")?.as_str());
    let service_tier = tier.map(|tier| if tier == "standard" { "default" } else { tier }.to_owned());
    Ok(Response { raw_usage, service_tier, ..fold(events)? })
}

fn is_answer(value: &Value) -> bool {
    if let Value::Array(chunks) = value {
        return chunks.iter().any(is_answer);
    }
    let has_candidate = value.get("candidates").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    has_candidate || value.pointer("/promptFeedback/blockReason").is_some()
}

fn no_answer(message: &str) -> UpstreamError {
    UpstreamError { message: message.to_owned(), ..UpstreamError::default() }
}
