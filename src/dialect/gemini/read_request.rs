//! Requests, from wire to chat.

use serde_json::Value;

use super::{members::Members, read_contents, read_tools, schema};
use crate::{
    chat::request::{Effort, Format, Reasoning, Request},
    dialect::{Translated, dropped},
    error::{Error, Kind},
};

const MODALITIES: [&str; 5] = ["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"];
const LEVELS: [&str; 5] = ["THINKING_LEVEL_UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "MINIMAL"];
const TIERS: [&str; 4] = ["UNSPECIFIED", "STANDARD", "FLEX", "PRIORITY"];

/// The model and whether to stream are in the path.
pub(super) fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value: Value = serde_json::from_str(body)
        .map_err(|error| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {error}.")))?;
    let mut body = Members::read(value, "")?;
    let (messages, mut dropped) = read_contents::read(&mut body)?;
    let mut request = Request {
        model: body.text("model")?.map(|model| model.trim_start_matches("models/").to_owned()).unwrap_or_default(),
        include_usage: true,
        messages,
        tools: read_tools::read(&mut body, &mut dropped)?,
        tool_choice: read_tools::read_choice(&mut body, &mut dropped)?,
        service_tier: read_tier(&mut body, &mut dropped)?,
        store: body.flag("store")?,
        metadata: body.take("labels"),
        ..Request::default()
    };
    if let Some(config) = body.object("generationConfig")? {
        read_config(config, &mut request, &mut dropped)?;
    }
    // An empty list of them sets nothing.
    let settings = body.path_of("safetySettings");
    if !body.list("safetySettings").is_empty() {
        dropped.push(settings);
    }
    body.leave(&mut dropped);
    Ok(Translated { value: request, dropped: dropped::tidy(&dropped) })
}

fn read_tier(body: &mut Members, dropped: &mut Vec<String>) -> Result<Option<String>, Error> {
    let path = body.path_of("serviceTier");
    Ok(match body.word("serviceTier", &TIERS)?.as_deref() {
        Some("STANDARD") => Some("default".to_owned()),
        Some("FLEX") => Some("flex".to_owned()),
        Some("PRIORITY") => Some("priority".to_owned()),
        None | Some("UNSPECIFIED" | "SERVICE_TIER_UNSPECIFIED") => None,
        Some(_) => {
            dropped.push(path);
            None
        }
    })
}

fn read_config(mut config: Members, request: &mut Request, dropped: &mut Vec<String>) -> Result<(), Error> {
    request.max_tokens = config.count("maxOutputTokens")?;
    request.temperature = config.number("temperature")?;
    request.top_p = config.number("topP")?;
    request.top_k = config.number("topK")?;
    request.presence_penalty = config.number("presencePenalty")?;
    request.frequency_penalty = config.number("frequencyPenalty")?;
    request.seed = config.number("seed")?;
    request.stop = config.texts("stopSequences")?;
    request.n = config.count("candidateCount")?.filter(|n| *n > 1);
    request.logprobs = config.flag("responseLogprobs")?.unwrap_or(false);
    request.top_logprobs = config.count("logprobs")?;
    request.modalities = read_modalities(&mut config);
    request.format = read_format(&mut config, dropped)?;
    if let Some(thinking) = config.object("thinkingConfig")? {
        read_thinking(thinking, request, dropped)?;
    }
    config.leave(dropped);
    Ok(())
}

/// Text alone goes without saying.
fn read_modalities(config: &mut Members) -> Vec<String> {
    let listed = config.list("responseModalities");
    let words = listed.iter().filter_map(|value| super::members::word(value, &MODALITIES));
    let words: Vec<String> = words.map(|word| word.to_ascii_lowercase()).collect();
    if words.iter().any(|word| word != "text") { words } else { vec![] }
}

/// A schema without a type means JSON; one of text (`text/x.enum`) has no word elsewhere.
fn read_format(config: &mut Members, dropped: &mut Vec<String>) -> Result<Option<Format>, Error> {
    let path = config.path_of("responseMimeType");
    let kind = config.text("responseMimeType")?;
    if kind.as_deref().is_some_and(|kind| !matches!(kind, "application/json" | "text/plain" | "")) {
        dropped.push(path);
        return Ok(None);
    }
    let schema = config.take("responseSchema").map(schema::to_json_schema);
    let schema = config.take("responseJsonSchema").or_else(|| config.take("_responseJsonSchema")).or(schema);
    Ok(match schema {
        Some(schema) => Some(Format::Schema { name: None, description: None, schema, strict: None }),
        None => (kind.as_deref() == Some("application/json")).then_some(Format::Json),
    })
}

fn read_thinking(mut thinking: Members, request: &mut Request, dropped: &mut Vec<String>) -> Result<(), Error> {
    request.show_reasoning = thinking.flag("includeThoughts")?;
    let path = thinking.path_of("thinkingLevel");
    let level = thinking.word("thinkingLevel", &LEVELS)?;
    let level = match level.as_deref() {
        Some("MINIMAL") => Some(Effort::Minimal),
        Some("LOW") => Some(Effort::Low),
        Some("MEDIUM") => Some(Effort::Medium),
        Some("HIGH") => Some(Effort::High),
        None | Some("THINKING_LEVEL_UNSPECIFIED") => None,
        Some(_) => {
            dropped.push(path);
            None
        }
    };
    request.reasoning = match (thinking.whole("thinkingBudget")?, level) {
        (_, Some(effort)) => Some(Reasoning::Effort(effort)),
        (Some(0), None) => Some(Reasoning::Off),
        // Minus one: as much as the model finds right.
        (Some(tokens), None) => Some(u64::try_from(tokens).map_or(Reasoning::Adaptive, Reasoning::Budget)),
        (None, None) => None,
    };
    thinking.leave(dropped);
    Ok(())
}
