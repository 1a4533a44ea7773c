//! Content parts of a caller's messages, and of the results of its tools.

use serde_json::Value;

use super::{Dialect, piece};
use crate::{
    chat::request::{CacheHint, Part, Source},
    dialect::openai_chat::data_url,
    error::Error,
    wire::fields::{Fields, missing, must_be},
};

/// OpenAI takes only PDF as bare base64.
const DEFAULT_FILE_TYPE: &str = "application/pdf";

/// Frames a second are said beside the video.
const FPS: &str = "fps";

/// A text, or parts.
pub(super) fn read_content(content: Value, path: &str, dropped: &mut Vec<String>) -> Result<Vec<Part>, Error> {
    match content {
        Value::Null => Ok(vec![]),
        Value::String(text) => Ok(text_part(text).into_iter().collect()),
        Value::Array(list) => {
            let mut parts = vec![];
            for (i, item) in list.into_iter().enumerate() {
                if let Value::String(text) = item {
                    parts.extend(text_part(text));
                } else {
                    parts.extend(read_part(Fields::read(item, format!("{path}[{i}]"))?, dropped)?);
                }
            }
            Ok(parts)
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(must_be(path, "a string or an array of parts")),
    }
}

/// No dialect takes an empty text block.
fn text_part(text: String) -> Option<Part> {
    (!text.is_empty()).then(|| Part::text(text))
}

fn read_part(mut part: Fields, dropped: &mut Vec<String>) -> Result<Option<Part>, Error> {
    let kind = part.need_str("type")?;
    let hint = part.take("prompt_cache_breakpoint").map(|_| CacheHint { ttl: None });
    let found = match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            let citations = part.take_array("annotations")?.unwrap_or_default().iter().map(piece::read_citation).collect();
            // How likely an earlier answer was is nothing to go on from.
            part.take("logprobs");
            let text = part.need_str("text")?;
            (!text.is_empty()).then_some(Part::Text { text, cache: hint, citations })
        }
        "refusal" => Some(Part::Refusal { text: part.need_str("refusal")? }),
        "input_image" | "image_url" | "computer_screenshot" => Some(read_image(&mut part, hint)?),
        "input_file" => Some(read_file(&mut part, hint)?),
        "input_audio" => Some(read_audio(&mut part)?),
        "input_video" => Some(read_video(&mut part)?),
        other => {
            let path = part.path_of("type");
            return Err(Error::invalid(path.as_str(), format!("`{path}` is `{other}`, which is not a content part known here.")));
        }
    };
    part.leave(dropped);
    Ok(found)
}

/// A URL by itself, or chat's object around it.
fn take_url(part: &mut Fields, key: &str) -> Result<Option<(String, Option<Fields>)>, Error> {
    let path = part.path_of(key);
    match part.take(key) {
        None => Ok(None),
        Some(Value::String(url)) => Ok(Some((url, None))),
        Some(value) => {
            let mut holder = Fields::read(value, path)?;
            Ok(Some((holder.need_str("url")?, Some(holder))))
        }
    }
}

fn source(part: &mut Fields, key: &str) -> Result<(Source, Option<Fields>), Error> {
    let path = part.path_of(key);
    match (part.take_str("file_id")?, take_url(part, key)?) {
        (Some(id), _) => Ok((Source::Id { dialect: Dialect::OpenAiResponses, id }, None)),
        (None, Some((url, holder))) => Ok((url_source(&url, &path)?, holder)),
        (None, None) => Err(missing(&path)),
    }
}

fn url_source(url: &str, path: &str) -> Result<Source, Error> {
    data_url::source(url).ok_or_else(|| must_be(path, "a URL or a valid data URL"))
}

fn read_image(part: &mut Fields, cache: Option<CacheHint>) -> Result<Part, Error> {
    let (source, holder) = source(part, "image_url")?;
    let inner = holder.map(|mut holder| holder.take_str("detail")).transpose()?.flatten();
    let detail = part.take_str("detail")?.or(inner);
    Ok(Part::Image { source, detail, cache })
}

fn read_video(part: &mut Fields) -> Result<Part, Error> {
    let (source, holder) = source(part, "video_url")?;
    let inner = holder.map(|mut holder| holder.take_number(FPS)).transpose()?.flatten();
    Ok(Part::Video { source, fps: part.take_number(FPS)?.or(inner) })
}

fn read_file(part: &mut Fields, cache: Option<CacheHint>) -> Result<Part, Error> {
    let (id, url, data) = (part.take_str("file_id")?, part.take_str("file_url")?, part.take_str("file_data")?);
    let (name, path) = (part.take_str("filename")?, part.path_of("file_data"));
    let source = match (id, url, data) {
        (Some(id), _, _) => Source::Id { dialect: Dialect::OpenAiResponses, id },
        (None, Some(url), _) => url_source(&url, &part.path_of("file_url"))?,
        (None, None, Some(data)) if data.contains(':') => url_source(&data, &path)?,
        (None, None, Some(data)) => Source::Inline {
            media_type: DEFAULT_FILE_TYPE.to_owned(),
            data: data_url::clean_base64(&data).ok_or_else(|| must_be(&path, "a data URL or base64"))?,
        },
        (None, None, None) => return Err(missing(&path)),
    };
    Ok(Part::File { source, name, cache })
}

fn read_audio(part: &mut Fields) -> Result<Part, Error> {
    let mut audio = part.take_fields("input_audio")?.ok_or_else(|| missing(&part.path_of("input_audio")))?;
    let (data, format) = (audio.need_str("data")?, audio.need_str("format")?);
    let data = data_url::clean_base64(&data).ok_or_else(|| must_be(&audio.path_of("data"), "base64"))?;
    Ok(Part::Audio { source: Source::Inline { media_type: format!("audio/{format}"), data }, transcript: None })
}
