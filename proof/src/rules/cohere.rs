//! Cohere's chat, version 2.

use serde_json::Value;

use super::{is_json_object, list, need, word};

pub fn check(body: &Value, out: &mut Vec<String>) {
    need(!word(body, "model").is_empty(), "no model", out);
    need(!list(body, "messages").is_empty(), "no messages", out);
    let mut waiting: Vec<&str> = vec![];
    for message in list(body, "messages") {
        let role = word(message, "role");
        need(["system", "user", "assistant", "tool"].contains(&role), &format!("role `{role}`"), out);
        if role == "tool" {
            let id = word(message, "tool_call_id");
            need(waiting.contains(&id), "a tool message that answers no call", out);
            waiting.retain(|waits| *waits != id);
        } else {
            need(waiting.is_empty(), "a call without its tool message", out);
            waiting = list(message, "tool_calls").iter().map(|call| word(call, "id")).collect();
        }
        let content = &message["content"];
        need(!content.is_null() || !list(message, "tool_calls").is_empty(), "a message without content", out);
        need(!content.as_array().is_some_and(Vec::is_empty), "an empty list of content", out);
        for call in list(message, "tool_calls") {
            need(!word(call, "id").is_empty() && !word(&call["function"], "name").is_empty(), "a call without id or name", out);
            need(is_json_object(word(&call["function"], "arguments")), "arguments that are no object's text", out);
        }
    }
    for tool in list(body, "tools") {
        need(tool["type"] == "function" && tool["function"]["parameters"].is_object(), "a tool that is no function", out);
    }
    let choice = &body["tool_choice"];
    need(choice.is_null() || choice == "REQUIRED" || choice == "NONE", "a choice that is unknown", out);
}
