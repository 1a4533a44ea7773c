//! Whole answers, written.

use serde_json::{Map, Value};

use crate::{
    chat::{
        event::Stamp,
        request::Part,
        response::{Response, StopReason, TokenLogprob},
    },
    dialect::openai_chat::{characters, stop, usage},
    units::Money,
    wire::{compose::json, json::json_text},
};

/// What OpenAI's ids begin with.
const ID_PREFIX: &str = "cmpl-";

pub fn outward_id(theirs: Option<&str>, stamp: &Stamp) -> String {
    theirs.filter(|id| id.starts_with(ID_PREFIX)).unwrap_or(&stamp.id).to_owned()
}

pub fn write(response: &Response, stamp: &Stamp, cost: Option<Money>) -> String {
    let choice = |index: usize, parts: &[Part], reason: StopReason, tokens: &[TokenLogprob]| json!({"text": said(parts), "index": index, "logprobs": write_logprobs(tokens, 0), "finish_reason": write_stop(reason)});
    let mut choices = vec![choice(0, &response.parts, response.stop, &response.logprobs)];
    let more = response.more.iter().enumerate();
    choices.extend(more.map(|(i, other)| choice(i + 1, &other.parts, other.stop, &other.logprobs)));
    let mut out = json!({
        "id": outward_id(response.id.as_deref(), stamp),
        "object": "text_completion",
        "created": stamp.created,
        "model": response.model.as_deref().unwrap_or(&stamp.model),
        "choices": choices,
    });
    if let Some(counted) = &response.usage {
        out["usage"] = usage::write(counted, cost);
    }
    json_text(&out)
}

/// Tools cannot be asked for here, so none was called.
pub const fn write_stop(reason: StopReason) -> &'static str {
    match reason {
        StopReason::ToolCalls => "stop",
        StopReason::End | StopReason::StopSequence | StopReason::Length | StopReason::ContentFilter | StopReason::Pause => {
            stop::write(reason, false)
        }
    }
}

/// What the model said; there is no place for anything else.
fn said(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        if let Part::Text { text, .. } | Part::Refusal { text } = part {
            out.push_str(text);
        }
    }
    out
}

/// Parallel lists, `null` where there is nothing to tell; `offset` is where the text of these tokens begins.
pub fn write_logprobs(tokens: &[TokenLogprob], offset: u64) -> Value {
    if tokens.is_empty() {
        return Value::Null;
    }
    let (mut words, mut values, mut tops, mut offsets) = (vec![], vec![], vec![], vec![]);
    let mut at = offset;
    for token in tokens {
        words.push(Value::from(token.token.as_str()));
        values.push(Value::from(token.logprob));
        let top: Map<String, Value> = token.top.iter().map(|t| (t.token.clone(), t.logprob.into())).collect();
        tops.push(if top.is_empty() { Value::Null } else { Value::Object(top) });
        offsets.push(Value::from(at));
        at = at.saturating_add(characters(&token.token));
    }
    json!({"tokens": words, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets})
}
