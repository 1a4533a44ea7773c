//! What a recording says that its answer is: `derived`, in canonical words.

use portolan::{
    chat::{
        request::Part,
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::Dialect,
};
use serde_json::{Value, json};

use crate::recording::{Recording, text};

/// Where an answer differs from what was recorded, one line each.
pub fn differences(recording: &Recording, dialect: Dialect, read: &Response) -> Vec<String> {
    let derived = &recording.derived;
    if !derived.is_object() {
        return vec![];
    }
    let mut out = vec![];
    let mut compare = |what: &str, seen: Value, expected: Value| {
        if seen != expected {
            out.push(format!("{what}: read {seen}, recorded {expected}"));
        }
    };
    compare(
        "text",
        joined(read, |part| if let Part::Text { text, .. } = part { Some(text) } else { None }),
        told(derived, "text"),
    );
    let thought = joined(read, |part| if let Part::Reasoning { text, .. } = part { Some(text) } else { None });
    compare("reasoning", thought, told(derived, "reasoning"));
    let refused = joined(read, |part| if let Part::Refusal { text } = part { Some(text) } else { None });
    compare("refusal", refused, told(derived, "refusal"));
    let (seen, expected) = calls(read, derived);
    let custom = read.parts.iter().any(|part| matches!(part, Part::ToolCall(call) if call.custom));
    let any = custom || expected.as_array().is_some_and(|calls| !calls.is_empty());
    compare("tool calls", seen, expected);
    if let Some(expected) = stop(dialect, derived, any) {
        let seen =
            if read.stop == StopReason::StopSequence && dialect != Dialect::Anthropic { StopReason::End } else { read.stop };
        compare("stop", json!(format!("{seen:?}")), json!(format!("{expected:?}")));
    }
    let counted = usage(dialect, &recording.provider, &derived["usage"]);
    compare("usage", json!(read.usage.map(plain)), json!(counted));
    out
}

fn told(derived: &Value, key: &str) -> Value {
    json!(text(&derived[key]))
}

fn joined(read: &Response, word: fn(&Part) -> Option<&String>) -> Value {
    json!(read.parts.iter().filter_map(word).map(String::as_str).collect::<String>())
}

/// The calls as read and as recorded: id, name and arguments. An id that was not recorded is made up, and counts as equal.
fn calls(read: &Response, derived: &Value) -> (Value, Value) {
    // Calls of custom tools are recorded without a name, or not at all: the recorder did not look into them.
    let named = |call: &&Value| !text(&call["name"]).is_empty();
    let mut expected: Vec<&Value> = derived["tool_calls"].as_array().into_iter().flatten().filter(named).collect();
    let is_known = |id: &str| derived["tool_calls"].as_array().into_iter().flatten().filter(named).any(|call| call["id"] == id);
    expected.extend(Some(&derived["function_call"]).filter(|call| call.is_object()));
    let mut seen = vec![];
    for part in &read.parts {
        let Part::ToolCall(call) = part else { continue };
        if call.custom && !is_known(&call.id) {
            continue;
        }
        let recorded = expected.get(seen.len()).map_or(&Value::Null, |call| &call["id"]);
        let id = if text(recorded).is_empty() && !call.id.is_empty() { &Value::Null } else { &json!(call.id) };
        let arguments = if call.custom { json!(call.arguments) } else { parsed(&call.json_arguments()) };
        seen.push(json!([id, call.name, arguments]));
    }
    let recorded = |call: &&Value| {
        let id = Some(&call["id"]).filter(|id| !text(id).is_empty()).unwrap_or(&Value::Null);
        let arguments = text(&call["arguments"]);
        json!([id, call["name"], parsed(if arguments.is_empty() { "{}" } else { arguments })])
    };
    (seen.into(), expected.iter().map(recorded).collect())
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments))
}

/// `None` where the recording does not say why it stopped.
fn stop(dialect: Dialect, derived: &Value, calls: bool) -> Option<StopReason> {
    if !derived["block_reason"].is_null() {
        return Some(StopReason::ContentFilter);
    }
    let finish = &derived["finish"];
    let end = if calls { StopReason::ToolCalls } else { StopReason::End };
    Some(match text(finish) {
        // Vertex counts its reasons when asked to.
        "" => match finish.as_u64()? {
            2 => StopReason::Length,
            3 => StopReason::ContentFilter,
            _ => end,
        },
        "stop_sequence" => StopReason::StopSequence,
        "length" | "max_tokens" | "MAX_TOKENS" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolCalls,
        "content_filter" | "refusal" | "SAFETY" | "RECITATION" | "MODEL_ARMOR" => StopReason::ContentFilter,
        "pause_turn" => StopReason::Pause,
        "incomplete" if text(&derived["incomplete"]) == "content_filter" => StopReason::ContentFilter,
        "incomplete" => StopReason::Length,
        // The turn ended, calls or not: Anthropic alone tells these apart by the reason.
        "end_turn" if dialect == Dialect::Anthropic => StopReason::End,
        _ => end,
    })
}

/// The counts that every dialect has.
fn plain(usage: Usage) -> Usage {
    let Usage { input, cache_read, cache_write, output, reasoning, .. } = usage;
    Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() }
}

fn usage(dialect: Dialect, provider: &str, usage: &Value) -> Option<Usage> {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let either = |one: &str, other: &str| if usage.pointer(one).is_some() { count(one) } else { count(other) };
    usage.as_object().filter(|usage| !usage.is_empty())?;
    Some(match dialect {
        Dialect::Anthropic | Dialect::Converse | Dialect::Cohere => Usage {
            input: count("/input_tokens"),
            cache_read: count("/cache_read_input_tokens"),
            cache_write: count("/cache_creation_input_tokens"),
            output: count("/output_tokens"),
            reasoning: count("/output_tokens_details/thinking_tokens"),
            ..Usage::default()
        },
        Dialect::Gemini => {
            let prompt = count("/promptTokenCount") + count("/toolUsePromptTokenCount");
            let (cache_read, thoughts) = (count("/cachedContentTokenCount").min(prompt), count("/thoughtsTokenCount"));
            if prompt == 0 && usage.get("candidatesTokenCount").is_none() {
                return None;
            }
            let output = count("/candidatesTokenCount") + thoughts;
            Usage { input: prompt - cache_read, cache_read, output, reasoning: thoughts, ..Usage::default() }
        }
        Dialect::OpenAiChat | Dialect::OpenAiCompletions | Dialect::OpenAiResponses | Dialect::WorkersAi => {
            let prompt = either("/prompt_tokens", "/input_tokens");
            let cached = either("/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens").min(prompt);
            let written = either("/prompt_tokens_details/cache_write_tokens", "/input_tokens_details/cache_write_tokens");
            let thought = either("/completion_tokens_details/reasoning_tokens", "/output_tokens_details/reasoning_tokens");
            let answer = either("/completion_tokens", "/output_tokens");
            // xAI's chat counts thoughts beside the answer.
            let beside = provider == "xai" && dialect == Dialect::OpenAiChat;
            let output = if beside { answer + thought } else { answer };
            let cache_write = written.min(prompt - cached);
            let input = prompt - cached - cache_write;
            Usage { input, cache_read: cached, cache_write, output, reasoning: thought.min(output), ..Usage::default() }
        }
    })
}
