//! A caller's stream, written as chunks.

use serde_json::Value;

use super::write_response::{outward_id, write_logprobs, write_stop};
use crate::{
    chat::{
        event::{Delta, Event, Finish, Stamp},
        response::StopReason,
    },
    dialect::{
        EventWriter, continued,
        openai_chat::{characters, error, usage},
    },
    error::Error,
    sorted::SortedMap,
    wire::{
        compose::json,
        json::json_text,
        sse::{self, Frame},
    },
};

pub struct Writer {
    stamp: Stamp,
    wants_usage: bool,
    begun: bool,
    /// The names are those of the provider's own chunks.
    adopted: bool,
    /// Of each block, which answer it belongs to.
    choices: SortedMap<usize, usize>,
    /// Characters of each answer so far, its log probabilities' tokens not counted twice.
    said: SortedMap<usize, u64>,
}

impl Writer {
    pub const fn new(stamp: Stamp, wants_usage: bool) -> Self {
        Self { stamp, wants_usage, begun: false, adopted: false, choices: SortedMap::new(), said: SortedMap::new() }
    }

    fn chunk(&self, choices: &Value, usage: Option<Value>, out: &mut String) {
        let Stamp { id, created, model } = &self.stamp;
        let mut chunk = json!({"id": id, "object": "text_completion", "created": created, "model": model, "choices": choices});
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        sse::write(out, None, &json_text(&chunk));
    }

    fn choice(&mut self, index: usize, (text, logprobs): (&str, Value), reason: Option<&str>, out: &mut String) {
        self.begun = true;
        // `null` before the report, if one was asked for.
        let usage = self.wants_usage.then_some(Value::Null);
        self.chunk(&json!([{"text": text, "index": index, "logprobs": logprobs, "finish_reason": reason}]), usage, out);
    }

    fn delta(&mut self, index: usize, delta: &Delta, out: &mut String) {
        let choice = self.choices.get(&index).copied().unwrap_or(0);
        match delta {
            Delta::Text(text) | Delta::Refusal(text) if !text.is_empty() => {
                *self.said.or_default(choice) += characters(text);
                self.choice(choice, (text, Value::Null), None, out);
            }
            Delta::Logprobs(tokens) if !tokens.is_empty() => {
                let tokens_said: u64 = tokens.iter().map(|token| characters(&token.token)).sum();
                let offset = self.said.get(&choice).copied().unwrap_or(0).saturating_sub(tokens_said);
                self.choice(choice, ("", write_logprobs(tokens, offset)), None, out);
            }
            Delta::Text(_) | Delta::Refusal(_) | Delta::Logprobs(_) => {}
            // There is no place for these.
            Delta::Reasoning(_) | Delta::Arguments(_) | Delta::Signature(_) | Delta::Citation(_) | Delta::Audio(_) => {}
        }
    }

    fn stop(&mut self, index: usize, reason: StopReason, out: &mut String) {
        self.choice(index, ("", Value::Null), Some(write_stop(reason)), out);
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
            }
            Event::BlockStart { choice, index, .. } => {
                self.choices.insert(*index, *choice);
            }
            Event::BlockDelta { index, delta } => self.delta(*index, delta, out),
            Event::BlockEnd { .. } | Event::Usage(_) | Event::Stop { .. } => {}
            Event::End | Event::Failed(_) | Event::Malformed => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        self.stop(0, finish.stop, out);
        for (choice, reason) in &finish.more {
            self.stop(*choice, *reason, out);
        }
        if self.wants_usage {
            self.chunk(&json!([]), Some(usage::write(&finish.usage, finish.cost)), out);
        }
        sse::write(out, None, "[DONE]");
    }

    /// SDKs raise at the `error`; those that do not look for it see a reason that is no success.
    fn fail(&mut self, error: &Error, out: &mut String) {
        sse::write(out, None, &json_text(&error::write(error, None)));
        self.choice(0, ("", Value::Null), Some("error"), out);
    }

    fn adopt(&mut self, frame: &Frame<'_>) {
        self.adopted = self.adopted || continued::adopt(&mut self.stamp, frame);
    }
}
