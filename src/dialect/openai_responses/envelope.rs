//! The response object around an answer, with everything strict clients look for: much of it is the request's own words.

use serde_json::{Map, Value};

use super::{tools::Toolbox, usage};
use crate::{
    chat::{event::Stamp, response::StopReason, usage::Usage},
    dialect::Asked,
    units::Money,
    wire::{
        compose::{Members, json},
        json::Outline,
    },
};

/// What OpenAI's ids of responses begin with.
const ID_PREFIX: &str = "resp_";

/// What every answer to one request has in common.
pub(super) struct Envelope {
    pub(super) stamp: Stamp,
    pub(super) toolbox: Toolbox,
    echo: Map<String, Value>,
}

/// How an answer stands.
#[derive(Clone, Copy)]
pub(super) enum Status<'a> {
    InProgress,
    Done(StopReason),
    Failed { code: &'a str, message: &'a str },
}

/// Members that repeat the request, with what holds when it does not say.
fn echoed() -> [(&'static str, Value); 18] {
    [
        ("background", false.into()),
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("max_tool_calls", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", true.into()),
        ("previous_response_id", Value::Null),
        ("prompt_cache_key", Value::Null),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("safety_identifier", Value::Null),
        ("service_tier", Value::Null),
        ("temperature", json!(1.0)),
        ("text", json!({"format": {"type": "text"}})),
        ("tool_choice", "auto".into()),
        ("tools", json!([])),
        ("top_logprobs", 0.into()),
        ("top_p", json!(1.0)),
        ("user", Value::Null),
    ]
}

impl Envelope {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let body = Outline::read(asked.body).ok();
        let said = |key: &str| serde_json::from_str::<Value>(body.as_ref()?.get(key)?).ok();
        let mut echo: Map<String, Value> =
            echoed().into_iter().map(|(key, default)| (key.to_owned(), completed(key, said(key), default))).collect();
        let toolbox = Toolbox::read(echo.get("tools").map(items_of).unwrap_or_default());
        if let Some(tools) = echo.get_mut("tools") {
            say_strict(tools);
        }
        // A translated answer is stored nowhere, and nothing of the input is cut off.
        echo.put("store", false);
        echo.put("truncation", "disabled");
        Self { stamp: asked.stamp.clone(), toolbox, echo }
    }

    /// An item's id: the same for the same answer, told over and over.
    pub(super) fn item_id(&self, kind: &str, place: usize) -> String {
        format!("{kind}_{}_{place}", self.own_id())
    }

    /// Never the provider's id: whoever asks for a response by it must be told that this one is kept nowhere.
    fn own_id(&self) -> &str {
        self.stamp.id.strip_prefix(ID_PREFIX).unwrap_or(&self.stamp.id)
    }

    pub(super) fn write(&self, told: Told<'_>, status: Status<'_>, output: Value, usage: Value) -> Value {
        let (word, reason) = match status {
            Status::InProgress => ("in_progress", None),
            Status::Done(StopReason::Length) => ("incomplete", Some("max_output_tokens")),
            Status::Done(StopReason::ContentFilter) => ("incomplete", Some("content_filter")),
            Status::Done(StopReason::End | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause) => {
                ("completed", None)
            }
            Status::Failed { .. } => ("failed", None),
        };
        let error = match status {
            Status::Failed { code, message } => json!({"code": code, "message": message}),
            Status::InProgress | Status::Done(_) => Value::Null,
        };
        let mut out = json!({
            "id": format!("{ID_PREFIX}{}", self.own_id()),
            "object": "response",
            "created_at": self.stamp.created,
            "status": word,
            "error": error,
            "incomplete_details": reason.map(|reason| json!({"reason": reason})),
            "model": told.model.unwrap_or(&self.stamp.model),
            "output": output,
            "usage": usage,
        });
        if let Some(out) = out.as_object_mut() {
            out.extend(self.echo.iter().map(|(key, value)| (key.clone(), value.clone())));
            if let Some(tier) = told.service_tier {
                out.put("service_tier", tier);
            }
        }
        out
    }
}

/// What the provider said of the whole answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    pub(super) model: Option<&'a str>,
    pub(super) service_tier: Option<&'a str>,
}

pub(super) fn write_usage(counted: Option<&Usage>, cost: Option<Money>) -> Value {
    counted.map_or(Value::Null, |counted| usage::write(counted, cost))
}

/// Of an object, what the request left out of it.
fn completed(key: &str, said: Option<Value>, default: Value) -> Value {
    match (said, default) {
        (None, default) => default,
        (Some(Value::Object(mut said)), Value::Object(default)) if key != "metadata" => {
            for (key, value) in default {
                said.entry(key).or_insert(value);
            }
            Value::Object(said)
        }
        (Some(said), _) => said,
    }
}

fn items_of(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Functions are told with all that a strict client's type requires.
fn say_strict(tools: &mut Value) {
    for tool in tools.as_array_mut().into_iter().flatten() {
        if super::text(tool, "type") == Some("function")
            && let Some(tool) = tool.as_object_mut()
        {
            tool.entry("strict").or_insert(true.into());
            tool.entry("parameters").or_insert(Value::Null);
        }
    }
}
