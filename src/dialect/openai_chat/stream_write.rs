//! A caller's stream, written as chunks.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{error, reasoning, response::outward_id, stop, usage, write_messages::image};
use crate::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        request::{Part, Signature, Source, ToolCall},
        response::StopReason,
    },
    dialect::EventWriter,
    error::Error,
    wire::{json::json_text, sse},
};

pub struct Writer {
    stamp: Stamp,
    wants_usage: bool,
    /// Whether the first chunk, which names the role, was written.
    begun: bool,
    /// What must be remembered of the blocks that are open.
    blocks: BTreeMap<usize, Open>,
    calls: usize,
}

enum Open {
    /// Its place among the calls, and whether arguments were written.
    Call { place: usize, has_arguments: bool },
    /// The thought so far: its signature is valid beside the whole text only.
    Reasoning { thought: String },
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice],
    /// `null` before the report, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Choice {
    index: u8,
    delta: Value,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

impl Writer {
    pub const fn new(stamp: Stamp, wants_usage: bool) -> Self {
        Self { stamp, wants_usage, begun: false, blocks: BTreeMap::new(), calls: 0 }
    }

    fn chunk(&self, choices: &[Choice], usage: Option<Value>, out: &mut String) {
        let Stamp { id, created, model } = &self.stamp;
        let chunk = Chunk { id, object: "chat.completion.chunk", created: *created, model, choices, usage };
        // Writing to a string cannot fail.
        if let Ok(text) = serde_json::to_string(&chunk) {
            sse::write(out, None, &text);
        }
    }

    fn delta(&mut self, delta: Value, out: &mut String) {
        self.begin(out);
        self.choice(delta, None, out);
    }

    fn choice(&self, delta: Value, finish_reason: Option<&'static str>, out: &mut String) {
        let usage = self.wants_usage.then_some(Value::Null);
        self.chunk(&[Choice { index: 0, delta, logprobs: None, finish_reason }], usage, out);
    }

    fn begin(&mut self, out: &mut String) {
        if !self.begun {
            self.begun = true;
            self.choice(json!({"role": "assistant", "content": "", "refusal": null}), None, out);
        }
    }

    fn start_block(&mut self, index: usize, block: &Block, out: &mut String) {
        match block {
            Block::Text | Block::Refusal | Block::Audio { .. } => {}
            Block::Reasoning => {
                self.blocks.insert(index, Open::Reasoning { thought: String::new() });
            }
            Block::RedactedReasoning { data, dialect } => {
                self.delta(json!({"reasoning_details": [reasoning::encrypted(data, *dialect, index)]}), out);
            }
            Block::ToolCall(call) => self.start_call(index, call, out),
            Block::Image { media_type, data } => {
                let source = Source::Inline { media_type: media_type.clone(), data: data.clone() };
                self.delta(json!({"images": [image(&source, None)]}), out);
            }
            Block::Opaque { dialect, value } => {
                let part = Part::Opaque { dialect: *dialect, value: value.clone() };
                if reasoning::is_detail(&part) {
                    self.delta(json!({"reasoning_details": [value]}), out);
                }
            }
        }
    }

    /// Calls are counted over calls only, whatever other blocks there are.
    fn start_call(&mut self, index: usize, call: &ToolCall, out: &mut String) {
        let place = self.calls;
        self.calls += 1;
        self.blocks.insert(index, Open::Call { place, has_arguments: !call.arguments.is_empty() });
        let function = json!({"name": call.name, "arguments": call.arguments});
        let mut piece = json!({"index": place, "id": call.id, "type": "function", "function": function});
        if let Some(extra) = reasoning::google_extra(call.signature.as_ref()) {
            piece["extra_content"] = extra;
        }
        self.delta(json!({"tool_calls": [piece]}), out);
    }

    fn write_arguments(&mut self, index: usize, arguments: &str, out: &mut String) {
        let Some(Open::Call { place, has_arguments }) = self.blocks.get_mut(&index) else { return };
        *has_arguments = true;
        let piece = json!({"index": *place, "function": {"arguments": arguments}});
        self.delta(json!({"tool_calls": [piece]}), out);
    }

    /// A call's signature goes beside it, any other into a detail with the whole thought.
    fn write_signature(&mut self, index: usize, signature: &Signature, out: &mut String) {
        let delta = match self.blocks.get_mut(&index) {
            Some(Open::Call { place, .. }) => {
                let Some(extra) = reasoning::google_extra(Some(signature)) else { return };
                json!({"tool_calls": [{"index": *place, "function": {"arguments": ""}, "extra_content": extra}]})
            }
            Some(Open::Reasoning { thought }) => {
                json!({"reasoning_details": [reasoning::signed(&std::mem::take(thought), Some(signature), index)]})
            }
            None => json!({"reasoning_details": [reasoning::signed("", Some(signature), index)]}),
        };
        self.delta(delta, out);
    }

    /// A call without arguments is one with none to give: `{}`.
    fn end_block(&mut self, index: usize, out: &mut String) {
        if let Some(Open::Call { has_arguments: false, .. }) = self.blocks.get(&index) {
            self.write_arguments(index, "{}", out);
        }
        self.blocks.remove(&index);
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::Start { id, model } => {
                if !self.begun {
                    self.stamp.id = outward_id(id.as_deref(), &self.stamp);
                    if let Some(model) = model {
                        self.stamp.model.clone_from(model);
                    }
                }
                self.begin(out);
            }
            Event::BlockStart { index, block, .. } => self.start_block(*index, block, out),
            Event::BlockDelta { index, delta } => match delta {
                Delta::Text(text) if !text.is_empty() => self.delta(json!({"content": text}), out),
                Delta::Refusal(text) if !text.is_empty() => self.delta(json!({"refusal": text}), out),
                Delta::Reasoning(text) if !text.is_empty() => {
                    if let Some(Open::Reasoning { thought }) = self.blocks.get_mut(index) {
                        thought.push_str(text);
                    }
                    self.delta(json!({"reasoning_content": text}), out);
                }
                Delta::Arguments(text) if !text.is_empty() => self.write_arguments(*index, text, out),
                Delta::Text(_) | Delta::Refusal(_) | Delta::Reasoning(_) | Delta::Arguments(_) => {}
                Delta::Citation(_) | Delta::Logprobs(_) | Delta::Audio(_) => {}
                Delta::Signature(signature) => self.write_signature(*index, signature, out),
            },
            Event::BlockEnd { index } => self.end_block(*index, out),
            Event::Usage(_) | Event::Stop { .. } | Event::End | Event::Failed(_) | Event::Malformed => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        self.begin(out);
        let open: Vec<usize> = self.blocks.keys().copied().collect();
        for index in open {
            self.end_block(index, out);
        }
        let stop = if self.calls > 0 && finish.stop == StopReason::End { StopReason::ToolCalls } else { finish.stop };
        self.choice(json!({}), Some(stop::write(stop)), out);
        if self.wants_usage {
            self.chunk(&[], Some(usage::write(&finish.usage, finish.cost)), out);
        }
        sse::write(out, None, "[DONE]");
    }

    /// SDKs raise at the `error`; those that do not look for it see a reason that is no success.
    fn fail(&mut self, error: &Error, out: &mut String) {
        sse::write(out, None, &json_text(&error::write(error, None)));
        self.choice(json!({}), Some("error"), out);
    }
}
