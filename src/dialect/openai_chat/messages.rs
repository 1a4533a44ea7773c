//! A caller's messages, read into turns.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    data_url, reasoning,
    request::{read_cache, read_source},
};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Message, Part, Role, Source, ToolCall, ToolResult},
    },
    error::Error,
    wire::{
        fields::{Fields, missing, must_be},
        json::json_text,
    },
};

/// OpenAI takes only PDF as bare base64.
const DEFAULT_FILE_TYPE: &str = "application/pdf";

/// "RIFF" in base64: what every WAV file begins with.
const WAV_START: &str = "UklGR";

pub fn read(top: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Message>, Error> {
    if top.peek("messages").is_none() {
        return Err(missing("messages"));
    }
    let mut turns = Turns::default();
    for (place, message) in top.take_objects("messages")?.into_iter().enumerate() {
        turns.read(message, place, dropped)?;
    }
    Ok(turns.messages)
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
    /// Names of the called tools by the id of the call.
    names: HashMap<String, String>,
    /// Ids of the calls whose results have not come yet.
    open: Vec<String>,
}

impl Turns {
    fn read(&mut self, mut message: Fields, place: usize, dropped: &mut Vec<String>) -> Result<(), Error> {
        let role = message.need_str("role")?;
        match role.as_str() {
            "system" | "developer" => {
                let parts = read_content(&mut message, dropped)?;
                self.push(Role::System, parts);
            }
            "user" => {
                let parts = read_content(&mut message, dropped)?;
                self.push(Role::User, parts);
            }
            "assistant" => {
                let parts = self.read_assistant(&mut message, place, dropped)?;
                self.push(Role::Assistant, parts);
            }
            "tool" => {
                let id = message.take_str("tool_call_id")?;
                self.push_result(id, &mut message, dropped)?;
            }
            "function" => self.push_result(None, &mut message, dropped)?,
            _ => return Err(must_be(&message.path_of("role"), "`system`, `developer`, `user`, `assistant` or `tool`")),
        }
        message.leave(dropped);
        Ok(())
    }

    /// A turn of the same role goes on; one that says nothing is none.
    fn push(&mut self, role: Role, mut parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last.role == role && role != Role::System => last.parts.append(&mut parts),
            _ => self.messages.push(Message { role, parts }),
        }
    }

    /// Results come before the other parts of their user turn.
    fn push_result(&mut self, id: Option<String>, message: &mut Fields, dropped: &mut Vec<String>) -> Result<(), Error> {
        let said = message.take_str("name")?;
        let Some(id) = id.or_else(|| self.answered(said.as_deref())) else {
            return Err(missing(&message.path_of("tool_call_id")));
        };
        self.open.retain(|open| *open != id);
        let name = self.names.get(&id).cloned().or(said).unwrap_or_default();
        let cache = read_cache(message, dropped)?;
        let parts = read_content(message, dropped)?;
        let result = Part::ToolResult(ToolResult { id, name, parts, is_error: false, cache });
        match self.messages.last_mut() {
            Some(last) if last.role == Role::User => {
                let after = last.parts.iter().take_while(|part| matches!(part, Part::ToolResult(_))).count();
                last.parts.insert(after, result);
            }
            _ => self.messages.push(Message { role: Role::User, parts: vec![result] }),
        }
        Ok(())
    }

    /// The call that a result without an id answers: the first open one, of that name if it says one. So are the results
    /// of the legacy `function_call`, and some providers take tool results like that.
    fn answered(&self, name: Option<&str>) -> Option<String> {
        let is_named = |id: &&String| self.names.get(*id).map(String::as_str) == name;
        self.open.iter().find(is_named).or_else(|| self.open.first()).cloned()
    }

    fn called(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), name.to_owned());
        self.open.push(id.to_owned());
    }

    fn read_assistant(&mut self, message: &mut Fields, place: usize, dropped: &mut Vec<String>) -> Result<Vec<Part>, Error> {
        let details = message.take("reasoning_details").unwrap_or_default();
        let (content, other) = (message.take("reasoning_content"), message.take("reasoning"));
        let plain = content.as_ref().and_then(Value::as_str).or_else(|| other.as_ref().and_then(Value::as_str));
        let thoughts = reasoning::read(details.as_array().map(Vec::as_slice).unwrap_or_default(), plain);
        let mut parts = read_content(message, dropped)?;
        if let Some(text) = message.take_str("refusal")?.filter(|text| !text.is_empty()) {
            parts.push(Part::Refusal { text });
        }
        for image in message.take_objects("images")? {
            parts.extend(read_part(image, dropped)?);
        }
        for call in message.take_objects("tool_calls")? {
            parts.push(self.read_call(call, dropped)?);
        }
        if let Some(mut call) = message.take_fields("function_call")? {
            let (name, arguments) = (call.need_str("name")?, call.take_str("arguments")?.unwrap_or_default());
            // Unlike any other in the history, and the same at every turn of it.
            let id = format!("call_{place}");
            self.called(&id, &name);
            parts.push(Part::ToolCall(ToolCall { id, name, arguments, ..ToolCall::default() }));
        }
        Ok(reasoning::weave(thoughts, parts))
    }

    fn read_call(&mut self, mut call: Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
        call.take("index");
        let kind = call.take_str("type")?;
        if kind.as_ref().is_some_and(|kind| kind != "function") {
            let mut value = call.into_map();
            value.insert("type".to_owned(), kind.into());
            return Ok(Part::Opaque { dialect: Dialect::OpenAiChat, value: Value::Object(value) });
        }
        let id = call.need_str("id")?;
        let mut function = call.take_fields("function")?.ok_or_else(|| missing(&call.path_of("function")))?;
        let name = function.need_str("name")?;
        let arguments = match function.take("arguments") {
            Some(Value::String(text)) => text,
            Some(value) => json_text(&value),
            None => String::new(),
        };
        function.leave(dropped);
        let cache = read_cache(&mut call, dropped)?;
        let extra =
            call.take("extra_content").map(|extra| Value::Object([("extra_content".to_owned(), extra)].into_iter().collect()));
        let signature = extra.as_ref().and_then(reasoning::google_signature);
        call.leave(dropped);
        self.called(&id, &name);
        Ok(Part::ToolCall(ToolCall { id, name, arguments, signature, cache, ..ToolCall::default() }))
    }
}

/// `content`: a text, or parts. A `cache_control` of the message is its last part's.
fn read_content(message: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Part>, Error> {
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

fn read_part(mut part: Fields, dropped: &mut Vec<String>) -> Result<Option<Part>, Error> {
    let kind = part.need_str("type")?;
    let found = match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            let cache = read_cache(&mut part, dropped)?;
            text_part(part.need_str("text")?, cache)
        }
        "image_url" | "input_image" => Some(read_image(&mut part, dropped)?),
        "input_audio" => Some(read_audio(&mut part, dropped)?),
        "file" => Some(read_file(&mut part, dropped)?),
        "refusal" => Some(Part::Refusal { text: part.need_str("refusal")? }),
        "thinking" => {
            let value = Value::Object(part.into_map());
            return Ok(Some(Part::Reasoning { text: reasoning::thinking(&value), signature: None }));
        }
        // Known to several providers of this dialect, and to no other dialect.
        "video_url" | "reference" => {
            let mut value = part.into_map();
            value.insert("type".to_owned(), kind.into());
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
    let path = part.path_of("image_url");
    let (url, path, detail) = match part.take("image_url") {
        None => return Err(missing(&path)),
        Some(Value::String(url)) => (url, path, part.take_str("detail")?),
        Some(value) => {
            let mut image = Fields::read(value, path)?;
            let found = (image.need_str("url")?, image.path_of("url"), image.take_str("detail")?);
            image.leave(dropped);
            found
        }
    };
    Ok(Part::Image { source: read_source(&url, &path)?, detail, cache })
}

/// Mistral takes the bare base64 too, without a format.
fn read_audio(part: &mut Fields, dropped: &mut Vec<String>) -> Result<Part, Error> {
    let path = part.path_of("input_audio");
    let (data, path, format) = match part.take("input_audio") {
        None => return Err(missing(&path)),
        Some(Value::String(data)) => (data, path, None),
        Some(value) => {
            let mut audio = Fields::read(value, path)?;
            let found = (audio.need_str("data")?, audio.path_of("data"), Some(audio.need_str("format")?));
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
    let format = format.unwrap_or_else(|| if data.starts_with(WAV_START) { "wav" } else { "mp3" }.to_owned());
    Ok(Part::Audio { source: Source::Inline { media_type: format!("audio/{format}"), data }, transcript: None })
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
