//! Whole answers.

use serde_json::Value;

use super::{
    envelope::{Envelope, Status, Told, write_usage},
    item, piece, seal, text, usage,
    write_items::image_item,
};
use crate::{
    chat::{
        Dialect,
        event::UpstreamError,
        request::{Part, Signature, Source, ToolCall},
        response::{Response, StopReason, TokenLogprob},
    },
    dialect::{Asked, openai_chat::error},
    units::Money,
    wire::{compose::json, json::json_text},
};

pub(super) fn read(body: &str) -> Result<Response, UpstreamError> {
    let failed = |message: &str| UpstreamError { message: message.to_owned(), ..UpstreamError::default() };
    let value = serde_json::from_str::<Value>(body).map_err(|_| failed("The provider's answer is not JSON."))?;
    if is_failed(&value) {
        return Err(error::of_value(0, &value));
    }
    match text(&value, "status") {
        Some("in_progress" | "queued") => return Err(failed("The provider's answer is not finished.")),
        Some("cancelled") => return Err(failed("The provider cancelled this answer.")),
        Some(_) | None => {}
    }
    let Some(output) = value.get("output").and_then(Value::as_array) else {
        return Err(failed("The provider's answer has no output."));
    };
    let (mut parts, mut logprobs) = (vec![], vec![]);
    for (more, tokens) in output.iter().map(item::read) {
        parts.extend(more);
        logprobs.extend(tokens);
    }
    let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let reported = value.get("usage").filter(|usage| usage.is_object());
    Ok(Response {
        id: text(&value, "id").map(str::to_owned),
        model: text(&value, "model").map(str::to_owned),
        parts,
        stop: read_stop(&value, calls),
        logprobs,
        usage: reported.and_then(|reported| usage::read(reported, text(&value, "service_tier"))),
        raw_usage: reported.cloned(),
        service_tier: text(&value, "service_tier").map(str::to_owned),
        ..Response::default()
    })
}

/// An error can come in a 200.
pub(super) fn is_failed(value: &Value) -> bool {
    text(value, "status") == Some("failed")
        || value.get("error").is_some_and(|e| e.is_object() || e.as_str().is_some_and(|e| !e.is_empty()))
}

pub(super) fn read_stop(response: &Value, calls: bool) -> StopReason {
    let reason = response.get("incomplete_details").and_then(|details| text(details, "reason"));
    match (text(response, "status"), reason) {
        (_, Some("content_filter")) => StopReason::ContentFilter,
        (Some("incomplete"), _) | (_, Some("max_output_tokens")) => StopReason::Length,
        _ if calls => StopReason::ToolCalls,
        _ => StopReason::End,
    }
}

pub(super) fn write(response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
    let envelope = Envelope::new(asked);
    let mut output = Output { envelope: &envelope, items: vec![], message: vec![] };
    let mut logprobs = Some(response.logprobs.as_slice());
    for part in &response.parts {
        output.write(part, &mut logprobs);
    }
    output.say();
    let mut items = output.items;
    if response.stop == StopReason::Length
        && let Some(last) = items.last_mut().filter(|item| text(item, "type") == Some("message"))
    {
        last["status"] = "incomplete".into();
    }
    let told = Told { model: response.model.as_deref(), service_tier: response.service_tier.as_deref() };
    let counted = response.usage.unwrap_or_default();
    json_text(&envelope.write(told, Status::Done(response.stop), items.into(), write_usage(Some(&counted), cost)))
}

struct Output<'a> {
    envelope: &'a Envelope,
    items: Vec<Value>,
    /// Texts that follow each other are one message.
    message: Vec<Value>,
}

impl Output<'_> {
    fn write(&mut self, part: &Part, logprobs: &mut Option<&[TokenLogprob]>) {
        let item = match part {
            Part::Text { text, .. } | Part::Refusal { text } | Part::Reasoning { text, signature: None } if text.is_empty() => {
                return;
            }
            Part::Text { text, citations, .. } => {
                let annotations = citations.iter().map(|citation| piece::write_citation(citation, text)).collect();
                let tokens = piece::write_logprobs(logprobs.take().unwrap_or_default());
                return self.message.push(text_part(text, annotations, tokens));
            }
            Part::Refusal { text } => return self.message.push(refusal_part(text)),
            Part::Audio { transcript: Some(text), .. } => {
                return self.message.push(text_part(text, json!([]), json!([])));
            }
            Part::ToolCall(call) => {
                self.say();
                return self.call(call);
            }
            Part::Reasoning { text, signature } => reasoning_item(&self.id("rs"), text, signature.as_ref()),
            Part::RedactedReasoning { data, dialect } => sealed_item(&self.id("rs"), &seal::hidden(*dialect, data)),
            Part::Image { source: Source::Inline { media_type, data }, .. } => image_item(media_type, data, &self.id("ig")),
            Part::Opaque { dialect: Dialect::OpenAiResponses, value } => value.clone(),
            Part::Image { .. }
            | Part::File { .. }
            | Part::Audio { .. }
            | Part::Video { .. }
            | Part::ToolResult(_)
            | Part::Opaque { .. } => return,
        };
        self.say();
        self.items.push(item);
    }

    /// The id of the next item, after the message that is being collected.
    fn id(&self, kind: &str) -> String {
        self.envelope.item_id(kind, self.items.len() + usize::from(!self.message.is_empty()))
    }

    fn say(&mut self) {
        if !self.message.is_empty() {
            let content = std::mem::take(&mut self.message);
            let id = self.id("msg");
            self.items.push(json!({
                "id": id, "type": "message", "status": "completed", "role": "assistant", "content": content,
            }));
        }
    }

    fn call(&mut self, call: &ToolCall) {
        if let Some(signature) = &call.signature {
            self.items.push(sealed_item(&self.id("rs"), &seal::call(&call.id, signature)));
        }
        let custom = call.custom || self.envelope.toolbox.is_custom(&call.name);
        let id = self.id(if custom { "ctc" } else { "fc" });
        let mut item = self.envelope.toolbox.call_item(&id, &call.id, &call.name, custom);
        finish_call(&mut item, &call_input(call, custom));
        self.items.push(item);
    }
}

/// What a call says, in the form of its tool.
pub(super) fn call_input(call: &ToolCall, custom: bool) -> String {
    match (custom, call.custom) {
        (true, true) => call.arguments.clone(),
        (true, false) => ToolCall::custom_input(&call.arguments),
        (false, _) => call.json_arguments().into_owned(),
    }
}

pub(super) fn finish_call(item: &mut Value, input: &str) {
    let key = if text(item, "type") == Some("custom_tool_call") { "input" } else { "arguments" };
    item[key] = input.into();
    item["status"] = "completed".into();
}

pub(super) fn text_part(said: &str, annotations: Value, logprobs: Value) -> Value {
    json!({"type": "output_text", "text": said, "annotations": annotations, "logprobs": logprobs})
}

pub(super) fn refusal_part(said: &str) -> Value {
    json!({"type": "refusal", "refusal": said})
}

/// Thoughts of this dialect's own providers come as they were, those of others sealed.
fn reasoning_item(id: &str, said: &str, signature: Option<&Signature>) -> Value {
    let own = signature.filter(|signature| signature.dialect == Dialect::OpenAiResponses);
    if let Some(item) = own.and_then(|signature| item::restored(&signature.value)) {
        return item;
    }
    let mut item = sealed_item(id, &seal::own(signature));
    if !said.is_empty() {
        item["summary"] = json!([{"type": "summary_text", "text": said}]);
    }
    item
}

pub(super) fn sealed_item(id: &str, sealed: &str) -> Value {
    json!({"id": id, "type": "reasoning", "summary": [], "encrypted_content": sealed})
}
