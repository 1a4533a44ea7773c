//! Requests, from chat to wire.

use serde_json::{Map, Number, Value, json};

use super::{write_block as block, write_turns::Turns};
use crate::{
    chat::{
        Dialect,
        request::{Effort, Format, Message, Part, Reasoning, Request, Role, Tool, ToolChoice},
    },
    dialect::Translated,
    wire::json::json_text,
};

/// Anthropic wants a limit. Every model can write this much; whoever knows the model's maximum sets `max_tokens` before.
const DEFAULT_MAX_TOKENS: u64 = 4096;
/// The least budget Anthropic takes.
const MIN_BUDGET: u64 = 1024;
/// Beyond four marks Anthropic refuses the request. The first (tools, system) and the last (newest turns) save most.
const MAX_MARKS: usize = 4;
/// The longest `user_id` that Anthropic takes.
const MAX_USER_ID: usize = 512;
/// With thinking on, Anthropic takes a `top_p` from here to 1.
const MIN_THINKING_TOP_P: f64 = 0.95;
const JSON_INSTRUCTION: &str = "Answer with one valid JSON object and nothing else: no prose, no code fence.";

/// What is said about thinking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thinking {
    Unsaid,
    Off,
    Budget(u64),
    Adaptive,
}

impl Thinking {
    const fn is_on(self) -> bool {
        match self {
            Self::Budget(_) | Self::Adaptive => true,
            Self::Unsaid | Self::Off => false,
        }
    }
}

pub(super) fn write(request: &Request) -> Translated<String> {
    let mut dropped = vec![];
    let leading = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (first, rest) = request.messages.split_at(leading);
    let mut system = system_blocks(first, &mut dropped);
    if request.format == Some(Format::Json) {
        system.push(json!({"type": "text", "text": JSON_INSTRUCTION}));
    }
    let mut turns = Turns::write(rest, leading, &mut dropped);
    let thinking = thinking(request, &turns, &mut dropped);
    if !thinking.is_on() {
        turns.forget_last_thoughts();
    }
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("model", Value::from(request.model.as_str()));
    put("max_tokens", Value::from(max_tokens(request, thinking, &mut dropped)));
    if turns.is_empty() {
        // At least one turn is required: instructions alone are what the user says.
        put("messages", if system.is_empty() { json!([]) } else { json!([{"role": "user", "content": system}]) });
    } else {
        if let Some(system) = joined(system) {
            put("system", system);
        }
        put("messages", turns.into_value());
    }
    let tools = tools(&request.tools, &mut dropped);
    if let Some(choice) = tool_choice(request, thinking, tools.is_empty(), &mut dropped) {
        put("tool_choice", choice);
    }
    if !tools.is_empty() {
        put("tools", Value::Array(tools));
    }
    match thinking {
        Thinking::Unsaid => None,
        Thinking::Off => put("thinking", json!({"type": "disabled"})),
        Thinking::Budget(tokens) => put("thinking", json!({"type": "enabled", "budget_tokens": tokens})),
        Thinking::Adaptive => put("thinking", json!({"type": "adaptive"})),
    };
    if let Some(Format::Schema { schema, .. }) = &request.format {
        put("output_config", json!({"format": {"type": "json_schema", "schema": closed(schema)}}));
    }
    if request.stream {
        put("stream", Value::Bool(true));
    }
    sampling(request, thinking, &mut body, &mut dropped);
    limit_marks(&mut body, &mut dropped);
    Translated { value: json_text(&Value::Object(body)), dropped }
}

fn system_blocks(messages: &[Message], dropped: &mut Vec<String>) -> Vec<Value> {
    let mut blocks = vec![];
    for (i, message) in messages.iter().enumerate() {
        for (j, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text { text, cache, .. } => blocks.extend(block::text(text, cache.as_ref())),
                Part::Image { .. }
                | Part::File { .. }
                | Part::Audio { .. }
                | Part::Video { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::ToolResult(_)
                | Part::Opaque { .. } => dropped.push(format!("messages[{i}].parts[{j}]")),
            }
        }
    }
    blocks
}

/// One plain block is a string.
fn joined(mut blocks: Vec<Value>) -> Option<Value> {
    match blocks.as_mut_slice() {
        [] => None,
        [Value::Object(only)] if !only.contains_key("cache_control") => only.get_mut("text").map(Value::take),
        _ => Some(Value::Array(blocks)),
    }
}

fn thinking(request: &Request, turns: &Turns, dropped: &mut Vec<String>) -> Thinking {
    let wanted = match &request.reasoning {
        None => Thinking::Unsaid,
        Some(Reasoning::Off) => Thinking::Off,
        Some(Reasoning::Adaptive) => Thinking::Adaptive,
        Some(Reasoning::Budget(tokens)) => Thinking::Budget(MIN_BUDGET.max(*tokens)),
        Some(Reasoning::Effort(effort)) => Thinking::Budget(budget(*effort)),
    };
    // An answer begun by the caller cannot be thought about; with a budget, neither can a tool loop without its proofs.
    let impossible =
        wanted.is_on() && turns.ends_with_assistant() || matches!(wanted, Thinking::Budget(_)) && turns.lacks_thoughts();
    if impossible {
        dropped.push("reasoning".to_owned());
        return Thinking::Unsaid;
    }
    wanted
}

/// Budgets that fit the output limits of all thinking models.
const fn budget(effort: Effort) -> u64 {
    match effort {
        Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 4096,
        Effort::High => 16_384,
        Effort::XHigh => 24_576,
        Effort::Max => 31_999,
    }
}

/// Thoughts count as output: the limit must leave room for an answer beside them.
fn max_tokens(request: &Request, thinking: Thinking, dropped: &mut Vec<String>) -> u64 {
    let limit = request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    match thinking {
        Thinking::Budget(budget) if limit <= budget => {
            if request.max_tokens.is_some() {
                dropped.push("max_tokens".to_owned());
            }
            limit.saturating_add(budget)
        }
        Thinking::Budget(_) | Thinking::Unsaid | Thinking::Off | Thinking::Adaptive => limit,
    }
}

fn tools(tools: &[Tool], dropped: &mut Vec<String>) -> Vec<Value> {
    let mut out = vec![];
    for (i, tool) in tools.iter().enumerate() {
        match tool {
            Tool::Function { name, description, parameters, strict, cache } => {
                let mut written = Map::new();
                written.insert("name".to_owned(), Value::from(name.as_str()));
                if let Some(description) = description {
                    written.insert("description".to_owned(), Value::from(description.as_str()));
                }
                written.insert("input_schema".to_owned(), input_schema(parameters.as_ref()));
                if let Some(strict) = strict {
                    written.insert("strict".to_owned(), Value::Bool(*strict));
                }
                out.push(block::with_cache(Value::Object(written), cache.as_ref()));
            }
            Tool::Opaque { dialect: Dialect::Anthropic, value } => out.push(value.clone()),
            Tool::Custom { .. } | Tool::Opaque { .. } => dropped.push(format!("tools[{i}]")),
        }
    }
    out
}

/// Anthropic refuses a schema without `type: object`.
fn input_schema(parameters: Option<&Value>) -> Value {
    let Some(Value::Object(schema)) = parameters else { return json!({"type": "object", "properties": {}}) };
    let mut schema = schema.clone();
    if schema.get("type").is_none_or(Value::is_null) {
        schema.insert("type".to_owned(), Value::from("object"));
        schema.entry("properties").or_insert_with(|| json!({}));
    }
    Value::Object(schema)
}

/// With thinking on, Anthropic takes only `auto` and `none`; without tools nothing.
fn tool_choice(request: &Request, thinking: Thinking, no_tools: bool, dropped: &mut Vec<String>) -> Option<Value> {
    if no_tools {
        return None;
    }
    let mut choice = match &request.tool_choice {
        None if request.parallel_tool_calls != Some(false) => return None,
        None | Some(ToolChoice::Auto) => json!({"type": "auto"}),
        Some(ToolChoice::None) => return Some(json!({"type": "none"})),
        Some(ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Among { required: true, .. }) if thinking.is_on() => {
            dropped.push("tool_choice".to_owned());
            json!({"type": "auto"})
        }
        Some(ToolChoice::Among { required: false, .. }) => json!({"type": "auto"}),
        Some(ToolChoice::Required | ToolChoice::Among { .. }) => json!({"type": "any"}),
        Some(ToolChoice::Function(name)) => json!({"type": "tool", "name": name}),
    };
    if let (Some(parallel), Value::Object(choice)) = (request.parallel_tool_calls, &mut choice) {
        choice.insert("disable_parallel_tool_use".to_owned(), Value::Bool(!parallel));
    }
    Some(choice)
}

fn sampling(request: &Request, thinking: Thinking, body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let mut put = |key: &str, value: Option<Value>| value.map(|value| body.insert(key.to_owned(), value));
    if let Some(temperature) = &request.temperature {
        // With thinking on, Anthropic takes its default only.
        let fits = !thinking.is_on() || temperature.as_f64() == Some(1.0);
        let taken = fits.then(|| clamped(temperature));
        if taken.as_ref() != Some(temperature) {
            dropped.push("temperature".to_owned());
        }
        put("temperature", taken.map(Value::Number));
    }
    if let Some(top_p) = &request.top_p {
        let fits = !thinking.is_on() || top_p.as_f64().is_some_and(|p| p >= MIN_THINKING_TOP_P);
        if fits {
            put("top_p", Some(Value::Number(top_p.clone())))
        } else {
            note(dropped, "top_p")
        };
    }
    if let Some(top_k) = &request.top_k {
        if thinking.is_on() {
            note(dropped, "top_k")
        } else {
            put("top_k", Some(Value::Number(top_k.clone())))
        };
    }
    let (stop, blank): (Vec<_>, Vec<_>) = request.stop.iter().partition(|stop| !stop.trim().is_empty());
    if !blank.is_empty() {
        dropped.push("stop".to_owned());
    }
    put("stop_sequences", (!stop.is_empty()).then(|| json!(stop)));
    if let Some(user) = &request.user {
        if user.len() <= MAX_USER_ID {
            put("metadata", Some(json!({"user_id": user})))
        } else {
            note(dropped, "user")
        };
    }
    let unknown = [
        ("presence_penalty", &request.presence_penalty),
        ("frequency_penalty", &request.frequency_penalty),
        ("seed", &request.seed),
    ];
    dropped.extend(unknown.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.to_owned()));
}

fn note<T>(dropped: &mut Vec<String>, name: &str) -> Option<T> {
    dropped.push(name.to_owned());
    None
}

/// 0 to 1, where others go to 2.
fn clamped(temperature: &Number) -> Number {
    match temperature.as_f64() {
        Some(value) if value > 1.0 => Number::from(1),
        Some(value) if value < 0.0 => Number::from(0),
        _ => temperature.clone(),
    }
}

/// Anthropic refuses an object schema that does not say it is closed.
fn closed(schema: &Value) -> Value {
    if let Value::Array(items) = schema {
        return items.iter().map(closed).collect();
    }
    let Value::Object(map) = schema else { return schema.clone() };
    // These hold values, not schemas.
    let is_data = |key: &str| matches!(key, "enum" | "const" | "default" | "examples");
    let mut out: Map<String, Value> =
        map.iter().map(|(key, value)| (key.clone(), if is_data(key) { value.clone() } else { closed(value) })).collect();
    if out.get("type").and_then(Value::as_str) == Some("object") {
        out.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    Value::Object(out)
}

/// Takes cache marks from the middle until there are no more than Anthropic allows.
fn limit_marks(body: &mut Map<String, Value>, dropped: &mut Vec<String>) {
    let mut marked = vec![];
    let (mut tools, mut system, mut messages) = (None, None, None);
    for (key, value) in body.iter_mut() {
        match key.as_str() {
            "tools" => tools = Some(value),
            "system" => system = Some(value),
            "messages" => messages = Some(value),
            _ => {}
        }
    }
    // The order of the cached prefix, which is not that of the body.
    for value in [tools, system, messages].into_iter().flatten() {
        collect_marks(value, &mut marked);
    }
    let surplus = marked.len().saturating_sub(MAX_MARKS);
    if surplus > 0 {
        dropped.push("cache".to_owned());
    }
    for block in marked.into_iter().skip(MAX_MARKS / 2).take(surplus) {
        block.shift_remove("cache_control");
    }
}

fn collect_marks<'a>(value: &'a mut Value, marked: &mut Vec<&'a mut Map<String, Value>>) {
    if let Value::Array(items) = value {
        for item in items {
            collect_marks(item, marked);
        }
    } else if let Value::Object(map) = value {
        if map.contains_key("cache_control") {
            marked.push(map);
        } else if let Some(content) = map.get_mut("content") {
            collect_marks(content, marked);
        }
    }
}
