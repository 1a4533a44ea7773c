//! A request for a provider that speaks nothing else: its turns as one prompt.

use serde_json::{Map, Value};

use crate::{
    chat::{
        profile::Profile,
        request::{Message, Part, Reasoning, Request, Role, ToolChoice},
    },
    dialect::Translated,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// OpenAI refuses more stop sequences.
const MAX_STOP: usize = 4;

/// Between turns.
const GAP: &str = "\n\n";

pub fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let (mut out, mut dropped) = (Map::new(), vec![]);
    let mut put = |key: &str, value: Value| {
        out.put(key, value);
    };
    put("model", request.model.as_str().into());
    put("prompt", write_prompt(&request.messages, &mut dropped).into());
    if request.stream {
        put("stream", true.into());
        put("stream_options", json!({"include_usage": true}));
    }
    let limit = request.max_tokens.map(|limit| limit.min(profile.max_output.unwrap_or(limit)));
    for (key, number) in [
        ("max_tokens", limit.map(Into::into)),
        ("temperature", request.temperature.clone()),
        ("top_p", request.top_p.clone()),
        ("presence_penalty", request.presence_penalty.clone()),
        ("frequency_penalty", request.frequency_penalty.clone()),
        ("seed", request.seed.clone()),
        ("n", request.n.map(Into::into)),
        ("logprobs", request.logprobs.then(|| request.top_logprobs.unwrap_or(0).into())),
    ] {
        if let Some(number) = number {
            put(key, Value::Number(number));
        }
    }
    if !request.stop.is_empty() {
        let kept: Vec<&str> = request.stop.iter().take(MAX_STOP).map(String::as_str).collect();
        put("stop", kept.into());
    }
    if let Some(user) = &request.user {
        put("user", user.as_str().into());
    }
    let unsaid = unsaid(request, limit).filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned());
    dropped.extend(unsaid);
    Translated { value: json_text(&Value::Object(out)), dropped }
}

/// What this dialect has no word for, and whether the request says it.
fn unsaid(request: &Request, limit: Option<u64>) -> impl Iterator<Item = (&'static str, bool)> {
    let is_thinking = !matches!(request.reasoning, None | Some(Reasoning::Off));
    let is_forced = !matches!(request.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None));
    let is_said = |word: &Option<String>, default: &str| word.as_ref().is_some_and(|word| word != default);
    [
        ("max_tokens", limit != request.max_tokens),
        ("stop[]", request.stop.len() > MAX_STOP),
        ("tools", !request.tools.is_empty()),
        ("tool_choice", is_forced),
        ("top_k", request.top_k.is_some()),
        ("format", request.format.is_some()),
        ("reasoning", is_thinking),
        ("service_tier", is_said(&request.service_tier, "auto")),
        ("verbosity", is_said(&request.verbosity, "medium")),
        ("store", request.store == Some(true)),
        ("metadata", request.metadata.is_some()),
        ("cache_key", request.cache_key.is_some()),
        ("modalities", !request.modalities.is_empty()),
    ]
    .into_iter()
}

/// One turn of a user is the prompt as it is. More are told as a conversation that the assistant goes on with.
fn write_prompt(messages: &[Message], dropped: &mut Vec<String>) -> String {
    let turns: Vec<(Role, String)> =
        messages.iter().map(|message| (message.role, write_parts(&message.parts, dropped))).collect();
    let spoken = turns.iter().filter(|(role, _)| *role != Role::System).count();
    let is_plain = spoken <= 1 && turns.iter().all(|(role, _)| *role != Role::Assistant);
    let mut prompt = String::new();
    for (role, text) in &turns {
        if !prompt.is_empty() {
            prompt.push_str(GAP);
        }
        prompt.push_str(match role {
            Role::User if !is_plain => "User: ",
            Role::Assistant => "Assistant: ",
            Role::System | Role::User => "",
        });
        prompt.push_str(text);
    }
    if !is_plain && turns.last().is_some_and(|(role, _)| *role != Role::Assistant) {
        prompt.push_str(GAP);
        prompt.push_str("Assistant:");
    }
    prompt
}

fn write_parts(parts: &[Part], dropped: &mut Vec<String>) -> String {
    let mut out = String::new();
    for part in parts {
        let (text, lost) = match part {
            Part::Text { text, cache: Some(_), .. } => (text.as_str(), Some("cache")),
            Part::Text { text, citations, .. } => (text.as_str(), (!citations.is_empty()).then_some("citations")),
            Part::Refusal { text } => (text.as_str(), None),
            Part::Audio { transcript, .. } => (transcript.as_deref().unwrap_or_default(), Some("audio")),
            Part::Image { .. } => ("", Some("image")),
            Part::File { .. } => ("", Some("file")),
            Part::Video { .. } => ("", Some("video")),
            Part::Reasoning { text, .. } => ("", (!text.is_empty()).then_some("reasoning")),
            Part::RedactedReasoning { .. } => ("", Some("reasoning")),
            Part::ToolCall(_) => ("", Some("tool_call")),
            Part::ToolResult(_) => ("", Some("tool_result")),
            Part::Opaque { .. } => ("", Some("opaque")),
        };
        out.push_str(text);
        let path = lost.map(|what| format!("messages[].parts[].{what}"));
        dropped.extend(path.filter(|path| !dropped.contains(path)));
    }
    out
}
