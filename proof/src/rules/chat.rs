//! Chat Completions.

use serde_json::Value;

use super::{is_json_object, is_name, list, need, only, word};

const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];

pub fn check(body: &Value, out: &mut Vec<String>) {
    need(!word(body, "model").is_empty(), "no model", out);
    let messages = list(body, "messages");
    need(!messages.is_empty(), "no messages", out);
    let mut waiting: Vec<&str> = vec![];
    for message in messages {
        let role = word(message, "role");
        need(ROLES.contains(&role), &format!("role `{role}`"), out);
        if role == "tool" {
            let id = word(message, "tool_call_id");
            need(waiting.contains(&id), "a tool message that answers no call", out);
            waiting.retain(|waits| *waits != id);
            content(message, &["text"], out);
            continue;
        }
        need(waiting.is_empty(), "a call without its tool message", out);
        if role == "assistant" {
            waiting = assistant(message, out);
        } else {
            let kinds: &[&str] =
                if role == "user" { &["text", "image_url", "input_audio", "file", "video_url"] } else { &["text"] };
            content(message, kinds, out);
            need(message["tool_calls"].is_null(), "calls outside the assistant's turn", out);
        }
    }
    tools(body, out);
    need(body["stream_options"].is_null() || body["stream"] == true, "stream_options without stream", out);
    need(body["top_logprobs"].is_null() || body["logprobs"] == true, "top_logprobs without logprobs", out);
    let format = &body["response_format"];
    need(
        format["type"] != "json_schema" || is_name(word(&format["json_schema"], "name"), 64),
        "a schema without a proper name",
        out,
    );
}

fn assistant<'a>(message: &'a Value, out: &mut Vec<String>) -> Vec<&'a str> {
    let calls = list(message, "tool_calls");
    let says = !message["content"].is_null() || !message["refusal"].is_null() || message["audio"].is_object();
    need(says || !calls.is_empty() || message["function_call"].is_object(), "an assistant who says nothing", out);
    if !message["content"].is_null() {
        content(message, &["text", "refusal"], out);
    }
    let mut ids = vec![];
    for call in calls {
        let id = word(call, "id");
        need(!id.is_empty() && !ids.contains(&id), "calls without ids of their own", out);
        ids.push(id);
        if word(call, "type") == "custom" {
            need(call["custom"]["input"].is_string() && is_name(word(&call["custom"], "name"), 64), "a bad custom call", out);
            continue;
        }
        need(word(call, "type") == "function", "a call of an unknown type", out);
        need(!word(&call["function"], "name").is_empty(), "a call without a name", out);
        need(is_json_object(word(&call["function"], "arguments")), "arguments that are no object's text", out);
    }
    ids
}

fn content(message: &Value, kinds: &[&str], out: &mut Vec<String>) {
    let content = &message["content"];
    need(content.is_string() || content.is_array(), "content that is neither text nor parts", out);
    need(!content.as_array().is_some_and(Vec::is_empty), "content without parts", out);
    for part in list(message, "content") {
        let kind = word(part, "type");
        need(kinds.contains(&kind), &format!("a `{kind}` part in a {} message", word(message, "role")), out);
        need(part[if kind == "file" { "file" } else { kind }] != Value::Null, "an empty part", out);
        if kind == "image_url" {
            need(!word(&part["image_url"], "url").is_empty(), "an image without url", out);
        }
    }
}

fn tools(body: &Value, out: &mut Vec<String>) {
    let tools = list(body, "tools");
    need(body["tools"].is_null() || !tools.is_empty(), "an empty list of tools", out);
    let mut names = vec![];
    for tool in tools {
        let kind = word(tool, "type");
        if kind != "function" && kind != "custom" {
            // A provider's own (OpenRouter's web search, Z.ai's): not ours to judge.
            continue;
        }
        let function = &tool[kind];
        only(tool, &["type", kind, "cache_control"], "a tool", out);
        need(is_name(word(function, "name"), 64), "a tool without a proper name", out);
        need(!names.contains(&word(function, "name")), "two tools of one name", out);
        names.push(word(function, "name"));
        need(function["parameters"].is_null() || function["parameters"].is_object(), "parameters that are no schema", out);
    }
    need(body["tool_choice"].is_null() || !tools.is_empty(), "a choice among no tools", out);
    need(body["parallel_tool_calls"].is_null() || !tools.is_empty(), "parallel calls of no tools", out);
    let chosen = word(&body["tool_choice"]["function"], "name");
    need(chosen.is_empty() || names.contains(&chosen), "a choice of an unknown tool", out);
}
