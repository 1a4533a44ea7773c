//! Workers AI's own shape, made into OpenAI's chat.

use serde_json::{Map, Value};

use crate::{chat::event::UpstreamError, wire::compose::json, wire::json::json_text};

/// A stream's chunks, one after the other.
#[derive(Default)]
pub(super) struct Chunks {
    /// Some were of the own shape, which has no word for why it ended.
    seen: bool,
    calls: usize,
}

/// A whole answer; `None` for one that is of OpenAI's shape already, or of none.
pub(super) fn answer(body: &str) -> Option<String> {
    let own = own_shape(body)?;
    let calls: Vec<Value> = calls(&own).enumerate().map(|(at, call)| made(call, at)).collect();
    let reason = reason(calls.len());
    let mut message = json!({"role": "assistant", "content": text(&own)});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    let choice = json!({"index": 0, "message": message, "finish_reason": reason});
    Some(json_text(&json!({"choices": [choice], "usage": own.get("usage")})))
}

impl Chunks {
    /// One chunk's data; `None` as above.
    pub(super) fn read(&mut self, data: &str) -> Option<String> {
        let own = own_shape(data)?;
        self.seen = true;
        let mut delta = json!({"content": text(&own)});
        let calls: Vec<Value> = calls(&own).enumerate().map(|(at, call)| made(call, self.calls + at)).collect();
        if !calls.is_empty() {
            self.calls += calls.len();
            delta["tool_calls"] = Value::Array(calls);
        }
        Some(json_text(&json!({"choices": [{"index": 0, "delta": delta}], "usage": own.get("usage")})))
    }

    /// What OpenAI's would say before its end. Nothing where its own chunks did.
    pub(super) fn last(&mut self) -> Option<String> {
        let seen = std::mem::take(&mut self.seen);
        seen.then(|| json_text(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason(self.calls)}]})))
    }
}

/// `{"errors":[{"code":3040,"message":"…"}],"success":false}`, or what the binding makes of it:
/// `{"internalCode":3040,"description":"…"}`
pub(super) fn error(status: u16, body: &str) -> Option<UpstreamError> {
    let value: Value = serde_json::from_str(body).ok()?;
    let first = value.get("errors").and_then(|errors| errors.get(0)).or_else(|| value.get("internalCode").map(|_| &value))?;
    let words = ["description", "message"].into_iter().find_map(|key| first.get(key)?.as_str());
    let message = words?.to_owned();
    let code = first
        .get("code")
        .or_else(|| first.get("internalCode"))
        .map(|code| code.as_str().map_or_else(|| json_text(code), str::to_owned));
    Some(UpstreamError { status, message, code, ..UpstreamError::default() })
}

/// The object inside `{"result":…}`, where there is one, if it speaks for itself.
fn own_shape(text: &str) -> Option<Map<String, Value>> {
    let Value::Object(mut outer) = serde_json::from_str(text).ok()? else { return None };
    let inner = match outer.remove("result") {
        Some(Value::Object(inner)) => inner,
        Some(_) | None => outer,
    };
    let is_own = inner.contains_key("response") || inner.contains_key("tool_calls");
    (is_own && !inner.contains_key("choices")).then_some(inner)
}

/// With a schema the answer is an object, not its text.
fn text(own: &Map<String, Value>) -> Value {
    match own.get("response") {
        Some(Value::String(text)) => Value::String(text.clone()),
        None | Some(Value::Null) => Value::Null,
        Some(other) => Value::String(json_text(other)),
    }
}

fn calls(own: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    own.get("tool_calls").and_then(Value::as_array).into_iter().flatten()
}

/// `{name, arguments}` with the arguments as an object, or what OpenAI makes of it.
fn made(call: &Value, index: usize) -> Value {
    let function = call.get("function").unwrap_or(call);
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => json_text(other),
    };
    let function = json!({"name": function.get("name"), "arguments": arguments});
    json!({"index": index, "id": call.get("id"), "type": "function", "function": function})
}

const fn reason(calls: usize) -> &'static str {
    if calls > 0 { "tool_calls" } else { "stop" }
}
