//! A streamed answer: whole responses, each with an increment, and no marker at the end.

use serde_json::Value;

use super::{
    candidate::Candidate,
    error,
    part::{self, Ending},
};
use crate::{
    chat::{
        event::{Event, UpstreamError},
        response::StopReason,
        usage::Usage,
    },
    dialect::EventReader,
    wire::sse::Frame,
};

/// Answers to one question: more than Google gives.
const MAX_CANDIDATES: usize = 128;

#[derive(Default)]
pub struct Reader {
    started: bool,
    /// Nothing is said after an error.
    failed: bool,
    response_id: Option<String>,
    /// Blocks begun so far.
    blocks: usize,
    /// By their index.
    candidates: Vec<Candidate>,
    usage: Option<Usage>,
    raw_usage: Option<Value>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let bare = || std::str::from_utf8(frame.raw).ok().map(str::trim).filter(|text| text.starts_with(['{', '[']));
        let Some(text) = frame.data.as_deref().map(str::trim).or_else(bare) else { return };
        // Gateways in between add OpenAI's marker.
        if text.is_empty() || text == "[DONE]" {
            return;
        }
        match serde_json::from_str(text) {
            Ok(value) => self.read_value(value, out),
            Err(_) => out.push(Event::Malformed),
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if !self.has_stopped() {
            return;
        }
        for (choice, candidate) in self.candidates.iter_mut().enumerate() {
            candidate.end(choice, &mut self.blocks, out);
        }
        for (choice, candidate) in self.candidates.iter().enumerate() {
            out.push(Event::Stop { choice, reason: candidate.reason(), sequence: None });
        }
        out.push(Event::End);
    }

    fn has_stopped(&self) -> bool {
        !self.failed && self.candidates.first().is_some_and(|first| first.stop.is_some())
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    /// One response, or an array of them (a call without `alt=sse`).
    pub fn read_value(&mut self, value: Value, out: &mut Vec<Event>) {
        if self.failed {
            return;
        }
        if let Some(error) = error::find(&value) {
            return self.fail(error::from_value(0, error), out);
        }
        match value {
            Value::Array(items) => items.into_iter().for_each(|item| self.read_value(item, out)),
            Value::Object(_) => self.read_chunk(value, out),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push(Event::Malformed),
        }
    }

    /// A whole answer needs no reason to be whole.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        if let Some(first) = self.candidate(0) {
            first.stop.get_or_insert(StopReason::End);
        }
        self.close(out);
    }

    fn read_chunk(&mut self, mut chunk: Value, out: &mut Vec<Event>) {
        self.start(&chunk, out);
        // First, for callers whose opening frame tells the prompt's tokens.
        if let Some(reported) = chunk.get("usageMetadata") {
            let usage = part::read_usage(reported);
            if usage.is_some() {
                self.raw_usage = Some(reported.clone());
            }
            if let Some(usage) = usage.filter(|usage| self.usage != Some(*usage)) {
                self.usage = Some(usage);
                out.push(Event::Usage(usage));
            }
        }
        let candidates = chunk.get_mut("candidates").map(Value::take).unwrap_or_default();
        for candidate in candidates.as_array().into_iter().flatten() {
            // Before its parts are told: then another target may still answer.
            if let Some(Ending::Failed(error)) = part::read_ending(candidate) {
                return self.fail(error, out);
            }
        }
        let Value::Array(candidates) = candidates else { return self.blocked(&chunk) };
        for candidate in candidates {
            self.read_candidate(candidate, out);
        }
        self.blocked(&chunk);
    }

    fn read_candidate(&mut self, mut value: Value, out: &mut Vec<Event>) {
        let choice = value.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
        let mut blocks = self.blocks;
        let response_id = self.response_id.clone();
        let Some(candidate) = self.candidate(choice) else { return };
        if let Some(Ending::Stop(reason)) = part::read_ending(&value) {
            candidate.stop = Some(reason);
        }
        let parts = value.pointer_mut("/content/parts").map(Value::take).unwrap_or_default();
        let parts = if let Value::Array(parts) = parts { parts } else { vec![] };
        candidate.read(choice, parts, &value, response_id.as_deref(), &mut blocks, out);
        self.blocks = blocks;
    }

    fn candidate(&mut self, choice: usize) -> Option<&mut Candidate> {
        if self.candidates.len() <= choice && choice < MAX_CANDIDATES {
            self.candidates.resize_with(choice + 1, Candidate::default);
        }
        self.candidates.get_mut(choice)
    }

    fn blocked(&mut self, chunk: &Value) {
        if chunk.pointer("/promptFeedback/blockReason").is_some_and(|reason| !reason.is_null())
            && let Some(first) = self.candidate(0)
        {
            first.stop = Some(StopReason::ContentFilter);
        }
    }

    fn start(&mut self, chunk: &Value, out: &mut Vec<Event>) {
        let text = |key: &str| chunk.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        if self.started {
            return;
        }
        self.started = true;
        self.response_id = text("responseId");
        out.push(Event::Start { id: self.response_id.clone(), model: text("modelVersion") });
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        self.failed = true;
        out.push(Event::Failed(error));
    }
}
