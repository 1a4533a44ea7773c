//! What a message holds, read.

use serde_json::Value;

use super::{audio, data_url, reasoning, request_tools::read_cache};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Part, Source, ToolCall, ToolResult},
    },
    error::Error,
    wire::{
        compose::Members,
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// OpenAI takes only PDF as bare base64.
const DEFAULT_FILE_TYPE: &str = "application/pdf";

/// `content`: a text, or parts. A `cache_control` of the message is its last part's.
pub fn read_content(message: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Part>, Error> {
    let path = message.path_of("content");
    let mut parts = vec![];
    match message.take("content") {
        None => {}
        Some(Value::String(text)) => parts.extend(text_part(text, None)),
        Some(Value::Array(list)) => {
            for (i, item) in list.into_iter().enumerate() {
                if let Value::String(text) = item {
                    parts.extend(text_part(text, None));
                } else {
                    parts.extend(read_part(Fields::read(item, format!("{path}[{i}]"))?, dropped)?);
                }
            }
        }
        Some(_) => return Err(must_be(&path, "a string or an array of parts")),
    }
    if let Some(hint) = read_cache(message, dropped)?
        && let Some(Part::Text { cache, .. } | Part::Image { cache, .. } | Part::File { cache, .. }) = parts.last_mut()
    {
        *cache = Some(hint);
    }
    Ok(parts)
}

/// No dialect takes an empty text block.
fn text_part(text: String, cache: Option<CacheHint>) -> Option<Part> {
    (!text.is_empty()).then_some(Part::Text { text, cache, citations: vec![] })
}

pub fn read_part(mut part: Fields, dropped: &mut Vec<String>) -> Result<Option<Part>, Error> {
    let kind = part.need_str("type")?;
    let found = match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            let cache = read_cache(&mut part, dropped)?;
            text_part(part.need_str("text")?, cache)
        }
        "image_url" | "input_image" => Some(read_image(&mut part, dropped)?),
        "input_audio" => Some(read_audio(&mut part, dropped)?),
        "audio_url" => {
            let (url, path, holder) = read_url(&mut part, "audio_url")?;
            holder.into_iter().for_each(|holder| holder.leave(dropped));
            Some(Part::Audio { source: read_source(&url, &path)?, transcript: None })
        }
        "video_url" => Some(read_video(&mut part, dropped)?),
        "file" => Some(read_file(&mut part, dropped)?),
        "image" => Some(read_foreign_image(&mut part, dropped)?),
        "tool_use" => Some(read_foreign_call(&mut part, dropped)?),
        "tool_result" => Some(read_foreign_result(&mut part, dropped)?),
        "refusal" => Some(Part::Refusal { text: part.need_str("refusal")? }),
        "thinking" => {
            let value = Value::Object(part.into_map());
            return Ok(Some(Part::Reasoning { text: reasoning::thinking(&value), signature: None }));
        }
        // Mistral's, and no other dialect's.
        "reference" => {
            let mut value = part.into_map();
            value.put("type", kind);
            return Ok(Some(Part::Opaque { dialect: Dialect::OpenAiChat, value: Value::Object(value) }));
        }
        other => {
            return Err(Error::invalid(
                part.path_of("type"),
                format!("`{}` is `{other}`, which is not a content part known here.", part.path_of("type")),
            ));
        }
    };
    part.leave(dropped);
    Ok(found)
}

fn read_image(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let cache = read_cache(part, dropped)?;
    let (url, path, holder) = read_url(part, "image_url")?;
    let mut detail = part.take_str("detail")?;
    if let Some(mut image) = holder {
        detail = image.take_str("detail")?.or(detail);
        image.leave(dropped);
    }
    Ok(Part::Image { source: read_source(&url, &path)?, detail, cache })
}

fn read_video(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let (url, path, holder) = read_url(part, "video_url")?;
    let mut fps = part.take_number("fps")?;
    if let Some(mut video) = holder {
        fps = video.take_number("fps")?.or(fps);
        video.leave(dropped);
    }
    Ok(Part::Video { source: read_source(&url, &path)?, fps })
}

/// `{url}` or the URL itself; the URL, its path, and what else is beside it.
fn read_url(part: &mut Fields, key: &str) -> Result<(String, String, Option<Fields>), Error> {
    let path = part.path_of(key);
    match part.take(key) {
        None => Err(missing(&path)),
        Some(Value::String(url)) => Ok((url, path, None)),
        Some(value) => {
            let mut holder = Fields::read(value, path)?;
            let url = holder.need_str("url")?;
            Ok((url, holder.path_of("url"), Some(holder)))
        }
    }
}

/// A URL of any kind; a data URL must be whole.
fn read_source(url: &str, path: &str) -> Result<Source, Error> {
    data_url::source(url).ok_or_else(|| must_be(path, "a URL or a valid data URL"))
}

/// Mistral takes the bare base64 too, without a format.
fn read_audio(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let path = part.path_of("input_audio");
    let (data, path, format) = match part.take("input_audio") {
        None => return Err(missing(&path)),
        Some(Value::String(data)) => (data, path, None),
        Some(value) => {
            let mut audio = Fields::read(value, path)?;
            let found = (audio.need_str("data")?, audio.path_of("data"), audio.take_str("format")?);
            audio.leave(dropped);
            found
        }
    };
    let data = match data_url::source(&data) {
        Some(Source::Inline { data, .. }) => data,
        Some(Source::Url(_) | Source::Id { .. }) | None => {
            data_url::clean_base64(&data).ok_or_else(|| must_be(&path, "base64"))?
        }
    };
    let media_type = match format {
        Some(format) if format.contains('/') => format,
        Some(format) => format!("audio/{format}"),
        None => audio::media_type(&data).unwrap_or("audio/mp3").to_owned(),
    };
    Ok(Part::Audio { source: Source::Inline { media_type, data }, transcript: None })
}

fn read_file(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let cache = read_cache(part, dropped)?;
    let mut file = part.take_fields("file")?.ok_or_else(|| missing(&part.path_of("file")))?;
    let (id, data, name) = (file.take_str("file_id")?, file.take_str("file_data")?, file.take_str("filename")?);
    let path = file.path_of("file_data");
    file.leave(dropped);
    let source = match (id, data) {
        (Some(id), _) => Source::Id { dialect: Dialect::OpenAiChat, id },
        (None, Some(data)) if data.contains(':') => read_source(&data, &path)?,
        (None, Some(data)) => Source::Inline {
            media_type: DEFAULT_FILE_TYPE.to_owned(),
            data: data_url::clean_base64(&data).ok_or_else(|| must_be(&path, "a data URL or base64"))?,
        },
        (None, None) => return Err(missing(&path)),
    };
    Ok(Part::File { source, name, cache })
}

/// Anthropic's image block: Cursor sends its blocks here for models named like Claude's.
fn read_foreign_image(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let cache = read_cache(part, dropped)?;
    let mut source = part.take_fields("source")?.ok_or_else(|| missing(&part.path_of("source")))?;
    source.take("type");
    let found = match source.take_str("url")? {
        Some(url) => read_source(&url, &source.path_of("url"))?,
        None => {
            let (media_type, path) = (source.need_str("media_type")?, source.path_of("data"));
            let data = data_url::clean_base64(&source.need_str("data")?).ok_or_else(|| must_be(&path, "base64"))?;
            Source::Inline { media_type, data }
        }
    };
    source.leave(dropped);
    Ok(Part::Image { source: found, detail: None, cache })
}

fn read_foreign_call(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let cache = read_cache(part, dropped)?;
    let (id, name) = (part.need_str("id")?, part.need_str("name")?);
    let arguments = part.take("input").map(|input| json_text(&input)).unwrap_or_default();
    Ok(Part::ToolCall(ToolCall { id, name, arguments, cache, ..ToolCall::default() }))
}

fn read_foreign_result(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let cache = read_cache(part, dropped)?;
    let (id, is_error) = (part.need_str("tool_use_id")?, part.take_bool("is_error")?.unwrap_or(false));
    let parts = read_content(part, dropped)?;
    Ok(Part::ToolResult(ToolResult { id, name: String::new(), parts, is_error, cache }))
}
