//! Responses.

use serde_json::Value;

use super::{is_name, list, need, word};

pub fn check(body: &Value, out: &mut Vec<String>) {
    need(!word(body, "model").is_empty(), "no model", out);
    need(body["messages"].is_null(), "messages in a Responses request", out);
    let input = list(body, "input");
    need(body["input"].as_str().is_some_and(|text| !text.is_empty()) || !input.is_empty(), "no input", out);
    let mut waiting: Vec<&str> = vec![];
    for item in input {
        match word(item, "type") {
            "message" | "" => message(item, out),
            "function_call" => {
                need(is_name(word(item, "name"), 128), "a call without a proper name", out);
                need(super::is_json_object(word(item, "arguments")), "arguments that are no object's text", out);
                need(
                    !word(item, "call_id").is_empty() && !waiting.contains(&word(item, "call_id")),
                    "calls without ids of their own",
                    out,
                );
                waiting.push(word(item, "call_id"));
            }
            "custom_tool_call" => {
                need(item["input"].is_string(), "a custom call without input", out);
                waiting.push(word(item, "call_id"));
            }
            "function_call_output" | "custom_tool_call_output" => {
                let id = word(item, "call_id");
                need(waiting.contains(&id) || !body["previous_response_id"].is_null(), "an output that answers no call", out);
                waiting.retain(|waits| *waits != id);
                need(item["output"].is_string() || item["output"].is_array(), "no output", out);
            }
            "reasoning" => need(item["summary"].is_array(), "a thought without summary", out),
            // Built-in tools' items, kept as they came.
            _ => {}
        }
    }
    need(waiting.is_empty(), "a call without its output", out);
    tools(body, out);
    let format = &body["text"]["format"];
    need(format["type"] != "json_schema" || is_name(word(format, "name"), 64), "a schema without a proper name", out);
}

fn message(item: &Value, out: &mut Vec<String>) {
    let role = word(item, "role");
    need(["system", "developer", "user", "assistant"].contains(&role), &format!("role `{role}`"), out);
    need(item["content"].is_string() || !list(item, "content").is_empty(), "a message without content", out);
    for part in list(item, "content") {
        let kind = word(part, "type");
        let fits = if role == "assistant" { ["output_text", "refusal"].contains(&kind) } else { kind.starts_with("input_") };
        need(fits, &format!("a `{kind}` part in a message of the {role}"), out);
    }
}

fn tools(body: &Value, out: &mut Vec<String>) {
    let mut names = vec![];
    for tool in list(body, "tools") {
        if tool["type"] == "function" {
            need(is_name(word(tool, "name"), 128), "a tool without a proper name", out);
            need(!names.contains(&word(tool, "name")), "two tools of one name", out);
            names.push(word(tool, "name"));
            need(tool["function"].is_null(), "a nested function", out);
            need(tool["parameters"].is_null() || tool["parameters"].is_object(), "parameters that are no schema", out);
        }
        need(!word(tool, "type").is_empty(), "a tool without type", out);
    }
    need(body["tool_choice"].is_null() || !list(body, "tools").is_empty(), "a choice among no tools", out);
}
