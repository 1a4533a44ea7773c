//! A request for a provider, written.

use serde_json::{Map, Value, json};

use super::write_messages::{Dropped, write_messages};
use crate::{
    chat::{
        Dialect,
        request::{Effort, Format, Reasoning, Request, Tool, ToolChoice},
    },
    dialect::Translated,
    wire::json::json_text,
};

/// OpenAI refuses more stop sequences.
const MAX_STOP: usize = 4;

/// Up to these many tokens of thought an effort is `low` or `medium`: the geometric middle between the budgets that the
/// three words are usually worth (1024, 4096, 16384).
const LOW_BUDGET: u64 = 2048;
const MEDIUM_BUDGET: u64 = 8192;

pub fn write(request: &Request) -> Translated<String> {
    let (mut out, mut dropped) = (Map::new(), Dropped::default());
    out.insert("model".to_owned(), request.model.as_str().into());
    out.insert("messages".to_owned(), write_messages(&request.messages, &mut dropped).into());
    if request.stream {
        out.insert("stream".to_owned(), true.into());
        out.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    write_tools(request, &mut out, &mut dropped);
    for (key, number) in [
        ("max_completion_tokens", request.max_tokens.map(Into::into)),
        ("temperature", request.temperature.clone()),
        ("top_p", request.top_p.clone()),
        ("presence_penalty", request.presence_penalty.clone()),
        ("frequency_penalty", request.frequency_penalty.clone()),
        ("seed", request.seed.clone()),
    ] {
        if let Some(number) = number {
            out.insert(key.to_owned(), Value::Number(number));
        }
    }
    if request.top_k.is_some() {
        dropped.push("top_k");
    }
    if !request.stop.is_empty() {
        let kept: Vec<&str> = request.stop.iter().take(MAX_STOP).map(String::as_str).collect();
        out.insert("stop".to_owned(), kept.into());
    }
    for extra in MAX_STOP..request.stop.len() {
        dropped.push(&format!("stop[{extra}]"));
    }
    if let Some(format) = &request.format {
        out.insert("response_format".to_owned(), write_format(format));
    }
    if let Some(effort) = request.reasoning.as_ref().and_then(write_effort) {
        out.insert("reasoning_effort".to_owned(), effort.into());
    }
    if let Some(user) = &request.user {
        out.insert("user".to_owned(), user.as_str().into());
    }
    Translated { value: json_text(&Value::Object(out)), dropped: dropped.paths }
}

/// Without tools OpenAI refuses the members that speak about them.
fn write_tools(request: &Request, out: &mut Map<String, Value>, dropped: &mut Dropped) {
    let mut tools = vec![];
    for (i, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { name, description, parameters, strict, cache } => {
                if cache.is_some() {
                    dropped.cache();
                }
                let mut function = Map::new();
                function.insert("name".to_owned(), name.as_str().into());
                insert_text(&mut function, "description", description.as_deref());
                if let Some(parameters) = parameters {
                    function.insert("parameters".to_owned(), parameters.clone());
                }
                if let Some(strict) = strict {
                    function.insert("strict".to_owned(), (*strict).into());
                }
                tools.push(json!({"type": "function", "function": function}));
            }
            Tool::Opaque { dialect: Dialect::OpenAiChat, value } => tools.push(value.clone()),
            Tool::Custom { .. } | Tool::Opaque { .. } => dropped.push(&format!("tools[{i}]")),
        }
    }
    if tools.is_empty() {
        return;
    }
    out.insert("tools".to_owned(), tools.into());
    if let Some(choice) = &request.tool_choice {
        out.insert(
            "tool_choice".to_owned(),
            match choice {
                ToolChoice::Auto => "auto".into(),
                ToolChoice::None => "none".into(),
                ToolChoice::Required => "required".into(),
                ToolChoice::Among { names, required } => {
                    let tools: Vec<Value> =
                        names.iter().map(|name| json!({"type": "function", "function": {"name": name}})).collect();
                    let mode = if *required { "required" } else { "auto" };
                    json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
                }
                ToolChoice::Function(name) => json!({"type": "function", "function": {"name": name}}),
            },
        );
    }
    if let Some(parallel) = request.parallel_tool_calls {
        out.insert("parallel_tool_calls".to_owned(), parallel.into());
    }
}

/// OpenAI requires a name of a schema; other dialects have none.
const DEFAULT_SCHEMA_NAME: &str = "answer";

fn write_format(format: &Format) -> Value {
    match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let mut out = Map::new();
            out.insert("name".to_owned(), name.as_deref().unwrap_or(DEFAULT_SCHEMA_NAME).into());
            insert_text(&mut out, "description", description.as_deref());
            out.insert("schema".to_owned(), schema.clone());
            if let Some(strict) = strict {
                out.insert("strict".to_owned(), (*strict).into());
            }
            json!({"type": "json_schema", "json_schema": out})
        }
    }
}

const fn write_effort(reasoning: &Reasoning) -> Option<&'static str> {
    Some(match reasoning {
        Reasoning::Off | Reasoning::Budget(0) => "none",
        Reasoning::Effort(Effort::Minimal) => "minimal",
        Reasoning::Effort(Effort::Low) | Reasoning::Budget(..=LOW_BUDGET) => "low",
        Reasoning::Effort(Effort::Medium) | Reasoning::Budget(..=MEDIUM_BUDGET) => "medium",
        Reasoning::Effort(Effort::High) | Reasoning::Budget(_) => "high",
        Reasoning::Effort(Effort::XHigh) => "xhigh",
        Reasoning::Effort(Effort::Max) => "max",
        Reasoning::Adaptive => return None,
    })
}

fn insert_text(out: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.insert(key.to_owned(), text.into());
    }
}
