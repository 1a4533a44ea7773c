//! Messages.

use serde_json::Value;

use super::{is_name, list, need, word};

/// The least that thinking may be given.
const LEAST_BUDGET: u64 = 1024;
const MOST_CACHE_MARKS: usize = 4;

pub fn check(body: &Value, out: &mut Vec<String>) {
    need(!word(body, "model").is_empty(), "no model", out);
    need(body["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "no max_tokens", out);
    need(body["system"].is_null() || body["system"].is_string() || body["system"].is_array(), "a system of another shape", out);
    for block in list(body, "system") {
        need(block["type"] == "text" && !word(block, "text").is_empty(), "a system block that is no text", out);
    }
    let messages = list(body, "messages");
    need(!messages.is_empty(), "no messages", out);
    need(messages.first().is_none_or(|message| message["role"] == "user"), "begins with another role than user", out);
    let (mut before, mut waiting): (&str, Vec<&str>) = ("", vec![]);
    for message in messages {
        let role = word(message, "role");
        need(role == "user" || role == "assistant", &format!("role `{role}`"), out);
        need(role != before, "roles do not alternate", out);
        before = role;
        turn(message, role, &mut waiting, out);
    }
    need(waiting.is_empty() || before == "assistant", "a call without its result", out);
    let marks = body.to_string().matches("\"cache_control\":{").count();
    need(marks <= MOST_CACHE_MARKS, "more than four cache marks", out);
    tools(body, out);
    sampling(body, out);
}

fn turn<'a>(message: &'a Value, role: &str, waiting: &mut Vec<&'a str>, out: &mut Vec<String>) {
    let content = &message["content"];
    need(content.as_str().is_some_and(|text| !text.is_empty()) || !list(message, "content").is_empty(), "an empty turn", out);
    let mut calls = vec![];
    let mut other = false;
    for block in list(message, "content") {
        let kind = word(block, "type");
        match kind {
            "text" => need(!word(block, "text").trim().is_empty(), "a blank text", out),
            "tool_use" => {
                need(role == "assistant", "a call outside the assistant's turn", out);
                need(is_name(word(block, "id"), 256), "a call without a proper id", out);
                need(is_name(word(block, "name"), 128), "a call without a proper name", out);
                need(block["input"].is_object(), "an input that is no object", out);
                need(!calls.contains(&word(block, "id")), "two calls of one id", out);
                calls.push(word(block, "id"));
            }
            "tool_result" => {
                let id = word(block, "tool_use_id");
                need(role == "user" && waiting.contains(&id), "a result that answers no call", out);
                need(!other, "a result after other content", out);
                waiting.retain(|waits| *waits != id);
            }
            "thinking" => need(role == "assistant" && !word(block, "signature").is_empty(), "a thought without its proof", out),
            "redacted_thinking" => need(role == "assistant" && !word(block, "data").is_empty(), "an empty redacted thought", out),
            "image" | "document" => {
                need(block["source"].is_object() && role == "user", "a medium without source, or not the user's", out)
            }
            "" => out.push("a block without type".to_owned()),
            // Server tools and what comes next.
            _ => {}
        }
        other |= kind != "tool_result";
    }
    if role == "user" {
        need(waiting.is_empty(), "a call without its result", out);
        waiting.clear();
    } else {
        *waiting = calls;
    }
}

fn tools(body: &Value, out: &mut Vec<String>) {
    let mut names = vec![];
    for tool in list(body, "tools") {
        let name = word(tool, "name");
        need(!names.contains(&name), "two tools of one name", out);
        names.push(name);
        if tool["type"].is_null() || tool["type"] == "custom" {
            need(is_name(name, 128), "a tool without a proper name", out);
            need(tool["input_schema"]["type"] == "object", "a schema that is no object's", out);
        }
    }
    let choice = &body["tool_choice"];
    need(choice.is_null() || !names.is_empty(), "a choice among no tools", out);
    need(choice["type"] != "tool" || names.contains(&word(choice, "name")), "a choice of an unknown tool", out);
    let forced = choice["type"] == "tool" || choice["type"] == "any";
    need(!forced || body["thinking"]["type"] != "enabled", "a forced call beside thinking", out);
}

fn sampling(body: &Value, out: &mut Vec<String>) {
    let thinking = &body["thinking"];
    if let Some(budget) = thinking["budget_tokens"].as_u64() {
        need(budget >= LEAST_BUDGET, "too small a budget", out);
        need(body["max_tokens"].as_u64().is_some_and(|most| most > budget), "a budget beyond max_tokens", out);
        need(body["temperature"].is_null() || body["temperature"].as_f64() == Some(1.0), "temperature beside thinking", out);
        need(body["top_k"].is_null(), "top_k beside thinking", out);
    }
    need(body["temperature"].as_f64().unwrap_or(1.0) <= 1.0, "temperature above 1", out);
    need(
        list(body, "stop_sequences").iter().all(|stop| !stop.as_str().unwrap_or_default().trim().is_empty()),
        "a blank stop sequence",
        out,
    );
}
