//! Requests, from wire to chat.

use serde_json::Value;

use super::read_block::{Scope, read_cache, read_content};
use crate::{
    chat::{
        Dialect,
        request::{CacheHint, Effort, Format, Message, Part, Reasoning, Request, Role, Tool, ToolChoice},
    },
    dialect::{Translated, dropped},
    error::{Error, Kind},
    wire::fields::{Fields, missing, must_be},
};

/// Begins the system block in which Claude Code tells Anthropic whom to bill: no instruction, and new with every session,
/// which would keep others from caching the prompt.
const BILLING: &str = "x-anthropic-billing-header:";

pub(super) fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value: Value = serde_json::from_str(body)
        .map_err(|error| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {error}.")))?;
    let mut fields = Fields::read(value, "")?;
    let mut scope = Scope::default();
    let stream = fields.take_bool("stream")?.unwrap_or(false);
    let model = fields.need_str("model")?;
    let max_tokens = fields.take_u64("max_tokens")?.ok_or_else(|| missing("max_tokens"))?;
    let mut messages = read_messages(&mut fields, &mut scope)?;
    if let Some(hint) = read_cache(&mut fields, &mut scope.dropped)? {
        mark_last(&mut messages, hint, &mut scope.dropped);
    }
    let (tool_choice, parallel_tool_calls) = read_tool_choice(&mut fields, &mut scope.dropped)?;
    let (format, effort) = read_output_config(&mut fields, &mut scope.dropped)?;
    let (reasoning, show_reasoning) = read_thinking(&mut fields, effort, &mut scope.dropped)?;
    let request = Request {
        model,
        stream,
        include_usage: stream,
        messages,
        tools: read_tools(&mut fields, &mut scope.dropped)?,
        tool_choice,
        parallel_tool_calls,
        max_tokens: Some(max_tokens),
        temperature: fields.take_number("temperature")?,
        top_p: fields.take_number("top_p")?,
        top_k: fields.take_number("top_k")?,
        stop: read_stop(&mut fields)?,
        format,
        reasoning,
        show_reasoning,
        user: read_user(&mut fields, &mut scope.dropped)?,
        service_tier: read_tier(&mut fields, &mut scope.dropped)?,
        ..Request::default()
    };
    fields.leave(&mut scope.dropped);
    Ok(Translated { value: request, dropped: dropped::tidy(&scope.dropped) })
}

fn read_messages(fields: &mut Fields, scope: &mut Scope) -> Result<Vec<Message>, Error> {
    let mut messages = vec![];
    if let Some(system) = fields.take("system") {
        let mut parts = read_content(system, "system", scope)?;
        let before = parts.len();
        parts.retain(|part| !matches!(part, Part::Text { text, .. } if text.starts_with(BILLING)));
        if parts.len() < before {
            scope.dropped.push(format!("system[].{}", BILLING.trim_end_matches(':')));
        }
        push(&mut messages, Role::System, parts);
    }
    if fields.peek("messages").is_none() {
        return Err(missing("messages"));
    }
    for mut turn in fields.take_objects("messages")? {
        let path = turn.path_of("content");
        let role = match turn.need_str("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(must_be(&turn.path_of("role"), "`user`, `assistant` or `system`")),
        };
        let content = turn.take("content").ok_or_else(|| missing(&path))?;
        push(&mut messages, role, read_content(content, &path, scope)?);
        turn.leave(&mut scope.dropped);
    }
    for message in &mut messages {
        let is_result = |part: &Part| matches!(part, Part::ToolResult(_));
        let (results, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut message.parts).into_iter().partition(is_result);
        message.parts = results;
        message.parts.extend(rest);
    }
    Ok(messages)
}

/// A mark of the whole request is one on the last block that can bear it.
fn mark_last(messages: &mut [Message], hint: CacheHint, dropped: &mut Vec<String>) {
    let slot = messages.last_mut().and_then(|message| message.parts.iter_mut().rev().find_map(cache_slot));
    match slot {
        Some(slot) => *slot = slot.take().or(Some(hint)),
        None => dropped.push("cache_control".to_owned()),
    }
}

const fn cache_slot(part: &mut Part) -> Option<&mut Option<CacheHint>> {
    match part {
        Part::Text { cache, .. } | Part::Image { cache, .. } | Part::File { cache, .. } => Some(cache),
        Part::ToolCall(call) => Some(&mut call.cache),
        Part::ToolResult(result) => Some(&mut result.cache),
        Part::Audio { .. }
        | Part::Video { .. }
        | Part::Reasoning { .. }
        | Part::RedactedReasoning { .. }
        | Part::Refusal { .. }
        | Part::Opaque { .. } => None,
    }
}

/// Neighbours of one role are one turn, as the server has it; a turn without content says nothing.
fn push(messages: &mut Vec<Message>, role: Role, parts: Vec<Part>) {
    match messages.last_mut() {
        _ if parts.is_empty() => {}
        Some(last) if last.role == role && role != Role::System => last.parts.extend(parts),
        _ => messages.push(Message { role, parts }),
    }
}

fn read_tools(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Vec<Tool>, Error> {
    let mut tools = vec![];
    for mut tool in fields.take_objects("tools")? {
        if tool.peek("type").is_some_and(|kind| kind.as_str() != Some("custom")) {
            tools.push(Tool::Opaque { dialect: Dialect::Anthropic, value: Value::Object(tool.into_map()) });
            continue;
        }
        tool.take("type");
        tools.push(Tool::Function {
            name: tool.need_str("name")?,
            description: tool.take_str("description")?,
            parameters: tool.take("input_schema"),
            strict: tool.take_bool("strict")?,
            cache: read_cache(&mut tool, dropped)?,
        });
        forget_defaults(&mut tool);
        tool.leave(dropped);
    }
    Ok(tools)
}

/// Members that ask for what happens anyway, here or wherever the request goes.
fn forget_defaults(tool: &mut Fields) {
    if tool.peek("defer_loading").is_some_and(|deferred| *deferred == Value::Bool(false)) {
        tool.take("defer_loading");
    }
    if tool.peek("allowed_callers").is_some_and(|callers| callers.as_array().is_some_and(|all| all.iter().all(|c| c == "direct")))
    {
        tool.take("allowed_callers");
    }
    // All others stream arguments as they are made.
    tool.take("eager_input_streaming");
}

fn read_tool_choice(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<(Option<ToolChoice>, Option<bool>), Error> {
    let Some(mut choice) = fields.take_fields("tool_choice")? else { return Ok((None, None)) };
    let read = match choice.need_str("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(choice.need_str("name")?),
        _ => return Err(must_be("tool_choice.type", "`auto`, `any`, `tool` or `none`")),
    };
    let single = choice.take_bool("disable_parallel_tool_use")?;
    choice.leave(dropped);
    Ok((Some(read), single.map(|single| !single)))
}

/// `output_config`; its format was once the top-level `output_format`.
fn read_output_config(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<(Option<Format>, Option<Effort>), Error> {
    let old = fields.take_fields("output_format")?;
    let Some(mut config) = fields.take_fields("output_config")? else { return Ok((read_format(old, dropped)?, None)) };
    let format = config.take_fields("format")?.or(old);
    let effort = match config.take_str("effort")?.as_deref() {
        Some("low") => Some(Effort::Low),
        Some("medium") => Some(Effort::Medium),
        Some("high") => Some(Effort::High),
        Some("xhigh") => Some(Effort::XHigh),
        Some("max") => Some(Effort::Max),
        Some(_) => {
            dropped.push("output_config.effort".to_owned());
            None
        }
        None => None,
    };
    config.leave(dropped);
    Ok((read_format(format, dropped)?, effort))
}

fn read_format(format: Option<Fields>, dropped: &mut Vec<String>) -> Result<Option<Format>, Error> {
    let Some(mut format) = format else { return Ok(None) };
    if format.peek("type").and_then(Value::as_str) != Some("json_schema") {
        dropped.push(format.path().to_owned());
        return Ok(None);
    }
    format.take("type");
    let schema = format.take("schema").ok_or_else(|| missing(&format.path_of("schema")))?;
    format.leave(dropped);
    Ok(Some(Format::Schema { name: None, description: None, schema, strict: None }))
}

/// An effort says more than "adaptive" and less than a budget. Beside how much to think: whether to show it.
fn read_thinking(
    fields: &mut Fields,
    effort: Option<Effort>,
    dropped: &mut Vec<String>,
) -> Result<(Option<Reasoning>, Option<bool>), Error> {
    let Some(mut thinking) = fields.take_fields("thinking")? else { return Ok((effort.map(Reasoning::Effort), None)) };
    let kind = thinking.need_str("type")?;
    if effort.is_some() && kind != "adaptive" {
        dropped.push("output_config.effort".to_owned());
    }
    let reasoning = match kind.as_str() {
        "enabled" => {
            Some(Reasoning::Budget(thinking.take_u64("budget_tokens")?.ok_or_else(|| missing("thinking.budget_tokens"))?))
        }
        "disabled" => Some(Reasoning::Off),
        "adaptive" => Some(effort.map_or(Reasoning::Adaptive, Reasoning::Effort)),
        // `between_tools`, and what will be invented.
        _ => {
            dropped.push("thinking.type".to_owned());
            None
        }
    };
    let show = match thinking.take_str("display")?.as_deref() {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        Some(_) => {
            dropped.push("thinking.display".to_owned());
            None
        }
        None => None,
    };
    thinking.leave(dropped);
    Ok((reasoning, show))
}

/// In OpenAI's words: `auto` takes what was reserved, where something was.
fn read_tier(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<String>, Error> {
    Ok(match fields.take_str("service_tier")?.as_deref() {
        Some("auto") => Some("auto".to_owned()),
        Some("standard_only") => Some("default".to_owned()),
        Some(_) => {
            dropped.push("service_tier".to_owned());
            None
        }
        None => None,
    })
}

fn read_stop(fields: &mut Fields) -> Result<Vec<String>, Error> {
    let mut stop = vec![];
    for (i, value) in fields.take_array("stop_sequences")?.unwrap_or_default().into_iter().enumerate() {
        let Value::String(text) = value else { return Err(must_be(&format!("stop_sequences[{i}]"), "a string")) };
        stop.push(text);
    }
    Ok(stop)
}

fn read_user(fields: &mut Fields, dropped: &mut Vec<String>) -> Result<Option<String>, Error> {
    let Some(mut metadata) = fields.take_fields("metadata")? else { return Ok(None) };
    let user = metadata.take_str("user_id")?;
    metadata.leave(dropped);
    Ok(user)
}
