//! Bedrock's Converse.

use serde_json::Value;

use super::{is_name, list, need, word};

pub fn check(body: &Value, out: &mut Vec<String>) {
    let messages = list(body, "messages");
    need(!messages.is_empty(), "no messages", out);
    need(messages.first().is_none_or(|message| message["role"] == "user"), "begins with another role than user", out);
    let (mut before, mut waiting, mut used): (&str, Vec<&str>, bool) = ("", vec![], false);
    for message in messages {
        let role = word(message, "role");
        need(role == "user" || role == "assistant", &format!("role `{role}`"), out);
        need(role != before, "roles do not alternate", out);
        before = role;
        let content = list(message, "content");
        need(!content.is_empty(), "an empty turn", out);
        let mut calls = vec![];
        for block in content {
            need(block["text"].as_str().is_none_or(|text| !text.trim().is_empty()), "a blank text", out);
            let (call, result) = (&block["toolUse"], &block["toolResult"]);
            used |= call.is_object() || result.is_object();
            if call.is_object() {
                need(is_name(word(call, "toolUseId"), 64), "a call without a proper id", out);
                need(is_name(word(call, "name"), 64), "a call without a proper name", out);
                need(call["input"].is_object() && role == "assistant", "a call without input, or not the assistant's", out);
                calls.push(word(call, "toolUseId"));
            }
            if result.is_object() {
                let id = word(result, "toolUseId");
                need(waiting.contains(&id) && role == "user", "a result that answers no call", out);
                waiting.retain(|waits| *waits != id);
                need(result["content"].is_array(), "a result without content", out);
            }
        }
        if role == "user" {
            need(waiting.is_empty(), "a call without its result", out);
        }
        waiting = calls;
    }
    let tools = list(&body["toolConfig"], "tools");
    need(!used || !tools.is_empty(), "calls without a list of tools", out);
    need(body["toolConfig"].is_null() || !tools.is_empty(), "an empty list of tools", out);
    for spec in tools.iter().map(|tool| &tool["toolSpec"]).filter(|spec| spec.is_object()) {
        need(is_name(word(spec, "name"), 64), "a tool without a proper name", out);
        need(spec["inputSchema"]["json"].is_object(), "a tool without a schema", out);
        need(spec["description"] != "", "an empty description", out);
    }
    for known in ["model", "stream", "max_tokens"] {
        need(body[known].is_null(), &format!("`{known}` in the body"), out);
    }
}
