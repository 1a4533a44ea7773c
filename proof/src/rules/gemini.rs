//! `generateContent`.

use serde_json::Value;

use super::{list, need, word};

pub fn check(body: &Value, out: &mut Vec<String>) {
    let contents = list(body, "contents");
    need(!contents.is_empty(), "no contents", out);
    let (mut before, mut calls): (&str, Vec<(String, Value)>) = ("", vec![]);
    for content in contents {
        let (role, parts) = (word(content, "role"), list(content, "parts"));
        need(role == "user" || role == "model", &format!("role `{role}`"), out);
        need(role != before, "roles do not alternate", out);
        before = role;
        need(!parts.is_empty(), "a turn without parts", out);
        let told = |kind: &str| -> Vec<(String, Value)> {
            let told = parts.iter().map(|part| &part[kind]).filter(|call| call.is_object());
            told.map(|call| (word(call, "name").to_owned(), call["id"].clone())).collect()
        };
        need(told("functionResponse") == calls, "not as many results as calls, in their order", out);
        calls = told("functionCall");
        need(calls.is_empty() || role == "model", "a call outside the model's turn", out);
        parts.iter().for_each(|part| check_part(part, out));
    }
    let mut names = vec![];
    for function in list(body, "tools").iter().flat_map(|tool| list(tool, "functionDeclarations")) {
        let name = word(function, "name");
        need(is_function_name(name), "a function without a proper name", out);
        need(!names.contains(&name), "two functions of one name", out);
        names.push(name);
        let (own, json) = (&function["parameters"], &function["parametersJsonSchema"]);
        need(own.is_null() || json.is_null(), "two schemas of one function", out);
        need((own.is_null() || own.is_object()) && (json.is_null() || json.is_object()), "parameters that are no schema", out);
    }
    let config = &body["toolConfig"]["functionCallingConfig"];
    for name in list(config, "allowedFunctionNames") {
        need(names.contains(&name.as_str().unwrap_or_default()), "a choice of an unknown function", out);
        need(config["mode"] == "ANY" || config["mode"] == "VALIDATED", "allowed names without ANY", out);
    }
    need(config["mode"] != "ANY" || !names.is_empty(), "a forced call of no function", out);
    let system = &body["systemInstruction"];
    need(system.is_null() || !list(system, "parts").is_empty(), "an empty system instruction", out);
    let generation = &body["generationConfig"];
    let schema = !generation["responseSchema"].is_null() || !generation["responseJsonSchema"].is_null();
    need(!schema || generation["responseMimeType"] == "application/json", "a schema without its type", out);
    for known in ["model", "messages", "stream"] {
        need(body[known].is_null(), &format!("`{known}` in the body"), out);
    }
}

fn check_part(part: &Value, out: &mut Vec<String>) {
    let signed = !part["thoughtSignature"].is_null();
    need(part["text"] != "" || signed, "an empty text", out);
    let kinds = [
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    ];
    need(kinds.iter().filter(|kind| !part[**kind].is_null()).count() == 1, "a part that is not one thing", out);
    let (call, result) = (&part["functionCall"], &part["functionResponse"]);
    need(call.is_null() || call["args"].is_object(), "a call without args", out);
    need(call.is_null() || !word(call, "name").is_empty(), "a call without a name", out);
    need(result.is_null() || result["response"].is_object(), "a result that is no object", out);
    need(result.is_null() || !word(result, "name").is_empty(), "a result without a name", out);
    let inline = &part["inlineData"];
    need(inline.is_null() || (!word(inline, "mimeType").is_empty() && inline["data"].is_string()), "data without type", out);
    let file = &part["fileData"];
    need(file.is_null() || !word(file, "fileUri").is_empty(), "a file without its place", out);
}

/// Google's also have dots and colons, and begin with a letter or `_`.
fn is_function_name(name: &str) -> bool {
    let ok = |b: u8| b.is_ascii_alphanumeric() || b"_-.:".contains(&b);
    name.len() <= 128 && name.bytes().all(ok) && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
}
