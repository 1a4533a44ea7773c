//! Calls and results that a client cut apart: to every provider each call has one result, and no result is without its call.

use portolan::{
    chat::{
        profile::Profile,
        request::{Message, Part, Request, Role, ToolCall, ToolResult},
    },
    dialect::Dialect::{self, Anthropic, Cohere, Converse, Gemini, OpenAiChat, OpenAiResponses},
};
use serde_json::Value;

/// A history in a line: `q` a question, `s` an instruction, `+a` a call, `-a` its result, a space between turns.
fn history(line: &str) -> Request {
    let turn = |turn: &str| {
        let mut parts = vec![];
        let mut role = Role::User;
        for word in turn.split(',') {
            let (kind, id) = word.split_at(1);
            parts.push(match kind {
                "+" => {
                    role = Role::Assistant;
                    Part::ToolCall(ToolCall { id: id.to_owned(), name: "f".to_owned(), ..ToolCall::default() })
                }
                "-" => {
                    let (id, name, parts) = (id.to_owned(), "f".to_owned(), vec![Part::text(word)]);
                    Part::ToolResult(ToolResult { id, name, parts, is_error: false, cache: None })
                }
                kind => {
                    role = if kind == "s" { Role::System } else { Role::User };
                    Part::text(word)
                }
            });
        }
        Message { role, parts }
    };
    Request { model: "m".to_owned(), messages: line.split(' ').map(turn).collect(), max_tokens: Some(9), ..Request::default() }
}

/// The same of a provider's body. A result that the gateway made up is `!a`.
fn told(dialect: Dialect, body: &Value) -> String {
    let mut out: Vec<String> = vec![];
    let mut say = |mark: &str, id: &Value, said: &Value| {
        let said = said.to_string();
        let mark = if mark == "-" && said.to_lowercase().contains("no result") { "!" } else { mark };
        out.push(format!("{mark}{}", id.as_str().unwrap_or_default()));
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match dialect {
        OpenAiChat | Cohere => {
            for message in list(&body["messages"]) {
                match message["role"].as_str() {
                    Some("tool") => say("-", &message["tool_call_id"], &message["content"]),
                    Some("assistant") => list(&message["tool_calls"]).iter().for_each(|call| say("+", &call["id"], &Value::Null)),
                    role => say(role.map_or("", |role| role.get(..1).unwrap_or_default()), &Value::Null, &Value::Null),
                }
            }
        }
        OpenAiResponses => {
            for item in list(&body["input"]) {
                match item["type"].as_str() {
                    Some("function_call") => say("+", &item["call_id"], &Value::Null),
                    Some("function_call_output") => say("-", &item["call_id"], &item["output"]),
                    Some(_) | None => say(
                        item["role"].as_str().map_or("", |role| role.get(..1).unwrap_or_default()),
                        &Value::Null,
                        &Value::Null,
                    ),
                }
            }
        }
        Anthropic | Converse | Gemini => {
            for turn in list(&body["messages"]).into_iter().chain(list(&body["contents"])) {
                for block in list(&turn["content"]).into_iter().chain(list(&turn["parts"])) {
                    let (call, result) = (&block["toolUse"], &block["toolResult"]);
                    let (called, answered) = (&block["functionCall"], &block["functionResponse"]);
                    match block["type"].as_str() {
                        Some("tool_use") => say("+", &block["id"], &Value::Null),
                        Some("tool_result") => say("-", &block["tool_use_id"], &block["content"]),
                        Some(_) | None if call.is_object() => say("+", &call["toolUseId"], &Value::Null),
                        Some(_) | None if result.is_object() => say("-", &result["toolUseId"], &result["content"]),
                        Some(_) | None if called.is_object() => say("+", &called["id"], &Value::Null),
                        Some(_) | None if answered.is_object() => say("-", &answered["id"], &answered["response"]),
                        Some(_) | None => say("u", &Value::Null, &Value::Null),
                    }
                }
            }
        }
        Dialect::OpenAiCompletions | Dialect::WorkersAi => {}
    }
    out.join(" ")
}

#[test]
fn every_call_has_its_result() {
    for (line, chat, responses, anthropic) in [
        ("q +a -a", "u +a -a", "u +a -a", "u +a -a"),
        ("q +a,+b -b,-a q", "u +a +b -b -a u", "u +a +b -b -a u", "u +a +b -b -a u"),
        // One result is missing, and all are.
        ("q +a,+b -a,q", "u +a +b -a !b u", "u +a +b -a u !b", "u +a +b -a !b u"),
        ("q +a q +b -b", "u +a !a u +b -b", "u +a u !a +b -b", "u +a !a u +b -b"),
        // The call was cut from the history.
        ("q -a,q +b -b", "u u +b -b", "u u +b -b", "u u +b -b"),
        // Something is said before the results are there.
        ("q +a,+b -a s -b", "u +a +b -a -b s", "u +a +b -a s -b", "u +a +b -a -b u"),
    ] {
        for (dialect, expected) in
            [(OpenAiChat, chat), (OpenAiResponses, responses), (Anthropic, anthropic), (Converse, anthropic)]
        {
            let written = dialect.upstream().write_request(&history(line), &Profile::DEFAULT);
            let body = serde_json::from_str(&written.value).unwrap();
            assert_eq!(told(dialect, &body), expected, "{dialect:?}: {line}");
            let is_cut = line.contains("q -a");
            assert_eq!(written.dropped.contains(&"messages[].parts[].tool_result".to_owned()), is_cut, "{dialect:?}: {line}");
        }
        for dialect in [Gemini, Cohere] {
            let body = serde_json::from_str(&dialect.upstream().write_request(&history(line), &Profile::DEFAULT).value).unwrap();
            let told = told(dialect, &body);
            for call in told.split(' ').filter_map(|word| word.strip_prefix('+')) {
                let answers = told.split(' ').filter(|word| word.strip_prefix(['-', '!']) == Some(call)).count();
                assert_eq!(answers, 1, "{dialect:?}: {line}: {told}");
            }
        }
    }
}
