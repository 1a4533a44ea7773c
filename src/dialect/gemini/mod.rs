//! Gemini generateContent.

mod answer;
mod candidate;
mod contents;
mod error;
mod grounding;
mod logprobs;
mod media;
mod members;
mod part;
mod parts;
mod read_contents;
mod read_part;
mod read_request;
mod read_tools;
mod repair;
mod request;
mod response;
mod schema;
mod seal;
mod stream;
mod thinking;
mod write_response;

use serde_json::Value;

use super::{Asked, Caller, EventReader, EventWriter, Facts, Translated, Upstream, continued::appended};
use crate::{
    chat::{event::UpstreamError, profile::Profile, request::Request, response::Response},
    error::Error,
    units::Money,
    wire::{
        compose::json,
        json::{Edit, Outline, json_text},
        percent,
    },
};

/// The dialect.
pub struct Gemini;

/// What callers call the fields of the canonical form, the longest first.
const SPELLING: [(&str, &str); 27] = [
    ("messages[].parts[].tool_result", "contents[].parts[].functionResponse"),
    ("messages[].parts[].tool_call", "contents[].parts[].functionCall"),
    ("messages[].parts[].reasoning", "contents[].parts[].thought"),
    ("messages[].parts[].parts[]", "contents[].parts[].functionResponse.parts[]"),
    ("messages[].parts[].detail", "contents[].parts[].mediaResolution"),
    ("messages[].parts[].opaque", "contents[].parts[]"),
    ("tools[].parameters", "tools[].functionDeclarations[].parameters"),
    ("frequency_penalty", "generationConfig.frequencyPenalty"),
    ("presence_penalty", "generationConfig.presencePenalty"),
    ("show_reasoning", "generationConfig.thinkingConfig.includeThoughts"),
    ("tools[].opaque", "tools[]"),
    ("format.schema", "generationConfig.responseSchema"),
    ("service_tier", "serviceTier"),
    ("top_logprobs", "generationConfig.logprobs"),
    ("temperature", "generationConfig.temperature"),
    ("tool_choice", "toolConfig.functionCallingConfig"),
    ("messages[]", "contents[]"),
    ("modalities", "generationConfig.responseModalities"),
    ("reasoning", "generationConfig.thinkingConfig"),
    ("logprobs", "generationConfig.responseLogprobs"),
    ("metadata", "labels"),
    ("format", "generationConfig.responseMimeType"),
    ("top_p", "generationConfig.topP"),
    ("top_k", "generationConfig.topK"),
    ("stop", "generationConfig.stopSequences"),
    ("seed", "generationConfig.seed"),
    ("n", "generationConfig.candidateCount"),
];

impl Caller for Gemini {
    /// The path says the rest.
    fn facts(&self, body: &Outline<'_>) -> Result<Facts, Error> {
        let config: Option<Value> = body
            .get("generationConfig")
            .or_else(|| body.get("generation_config"))
            .and_then(|config| serde_json::from_str(config).ok());
        let max_output =
            config.as_ref().and_then(|config| config.get("maxOutputTokens").or_else(|| config.get("max_output_tokens")));
        Ok(Facts {
            wants_usage: true,
            tools: body.get("tools").is_some_and(has_items),
            max_output: max_output.and_then(Value::as_u64),
            ..Facts::default()
        })
    }

    fn read_request(&self, body: &str) -> Result<Translated<Request>, Error> {
        read_request::read(body)
    }

    fn write_response(&self, response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
        write_response::write(response, asked, cost)
    }

    fn event_writer(&self, asked: &Asked<'_>) -> Box<dyn EventWriter> {
        Box::new(write_response::Writer::new(asked))
    }

    fn spelling(&self) -> &'static [(&'static str, &'static str)] {
        &SPELLING
    }

    /// None: the stream just ends.
    fn terminal(&self) -> &'static str {
        ""
    }

    /// Google's Python SDK takes a comment for data, and fails; blank lines are skipped, also within an array.
    fn heartbeat(&self) -> &'static str {
        "\r\n"
    }

    fn continued(&self, body: &Outline<'_>, said: &str, then: Option<&str>) -> Option<Edit> {
        let turn = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
        let turns: Vec<Value> = std::iter::once(turn("model", said)).chain(then.map(|then| turn("user", then))).collect();
        appended(body, "contents", &turns)
    }

    fn write_error(&self, error: &Error, request_id: &str) -> String {
        json_text(&error::write(error, Some(request_id)))
    }
}

impl Upstream for Gemini {
    fn path(&self, model: &str, stream: bool) -> String {
        let model = percent::encoded(model.strip_prefix("models/").unwrap_or(model));
        let operation = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        format!("/v1beta/models/{model}:{operation}")
    }

    fn write_request(&self, request: &Request, profile: &Profile) -> Translated<String> {
        request::write(request, profile)
    }

    /// The model is in the path.
    fn edits(&self, body: &Outline<'_>, model: &str, _report_usage: bool) -> Vec<Edit> {
        repair::repairs(body, model)
    }

    fn always_reports_usage(&self) -> bool {
        true
    }

    fn read_response(&self, body: &str) -> Result<Response, UpstreamError> {
        response::read(body)
    }

    fn event_reader(&self) -> Box<dyn EventReader> {
        Box::new(stream::Reader::default())
    }

    fn read_error(&self, status: u16, body: &str) -> UpstreamError {
        error::read(status, body)
    }
}

/// Whether the text of an array has an item, seen without parsing it; one tool may stand without its array.
fn has_items(text: &str) -> bool {
    text.strip_prefix('[').is_none_or(|rest| !rest.trim_start().starts_with(']'))
}
