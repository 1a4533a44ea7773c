//! Blocks of a caller's stream while they are open, and the pieces of calls.

use serde_json::Value;

use super::reasoning;
use crate::{
    chat::request::{Citation, Signature, ToolCall},
    wire::compose::json,
};

/// What was written of one answer.
#[derive(Default)]
pub struct Said {
    pub calls: usize,
    /// Of text.
    pub characters: u64,
}

pub enum Open {
    /// Where its text begins, and what it cites: told at its end, for only then the place is known.
    Text {
        start: u64,
        citations: Vec<Citation>,
    },
    /// The thought so far: its signature is valid beside the whole text only.
    Reasoning {
        thought: String,
    },
    Audio,
    /// Its place among the calls, and whether arguments were written. `held`: the arguments so far of a function that
    /// stands in for a custom tool, whose input can only be told from all of them.
    Call {
        place: usize,
        custom: bool,
        held: Option<String>,
        has_arguments: bool,
    },
    Other,
}

impl Open {
    pub fn arguments(&mut self, more: &str, legacy: bool) -> Option<Value> {
        let Self::Call { place, custom, held, has_arguments } = self else { return None };
        *has_arguments = true;
        if let Some(held) = held {
            held.push_str(more);
            return None;
        }
        more_piece(*place, (*custom, legacy), more)
    }
}

/// The first piece of a call. Calls are counted over calls only, whatever other blocks there are; the old form has one.
pub fn call_piece(call: &ToolCall, place: usize, custom: bool, legacy: bool) -> Option<Value> {
    let (name, arguments) = (&call.name, &call.arguments);
    if legacy {
        return (place == 0).then(|| json!({"function_call": {"name": name, "arguments": arguments}}));
    }
    let mut piece = if custom {
        let input = if call.custom { arguments } else { "" };
        json!({"index": place, "id": &call.id, "type": "custom", "custom": {"name": name, "input": input}})
    } else {
        json!({"index": place, "id": &call.id, "type": "function", "function": {"name": name, "arguments": arguments}})
    };
    if let Some(extra) = reasoning::google_extra(call.signature.as_ref()) {
        piece["extra_content"] = extra;
    }
    Some(json!({"tool_calls": [piece]}))
}

fn more_piece(place: usize, (custom, legacy): (bool, bool), more: &str) -> Option<Value> {
    if legacy {
        return (place == 0).then(|| json!({"function_call": {"arguments": more}}));
    }
    let piece = if custom {
        json!({"index": place, "custom": {"input": more}})
    } else {
        json!({"index": place, "function": {"arguments": more}})
    };
    Some(json!({"tool_calls": [piece]}))
}

/// The last piece: what was held, or where there were no arguments the words for none.
pub fn argument_piece(place: usize, form: (bool, bool), held: Option<&str>, has_arguments: bool) -> Option<Value> {
    match held {
        Some(held) => {
            let input = ToolCall::custom_input(held);
            (!input.is_empty()).then(|| more_piece(place, form, &input))?
        }
        None if has_arguments || form.0 => None,
        None => more_piece(place, form, "{}"),
    }
}

/// A call's signature goes beside it, any other into a detail with the whole thought.
pub fn signature_piece(open: &mut Open, signature: &Signature, index: usize) -> Option<Value> {
    match open {
        Open::Call { place, .. } => {
            let extra = reasoning::google_extra(Some(signature))?;
            Some(json!({"tool_calls": [{"index": *place, "function": {"arguments": ""}, "extra_content": extra}]}))
        }
        Open::Reasoning { thought } => {
            Some(json!({"reasoning_details": [reasoning::signed(&std::mem::take(thought), Some(signature), index)]}))
        }
        Open::Text { .. } | Open::Audio | Open::Other => {
            Some(json!({"reasoning_details": [reasoning::signed("", Some(signature), index)]}))
        }
    }
}
