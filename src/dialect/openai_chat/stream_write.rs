//! A caller's stream, written as chunks.

use serde::Serialize;
use serde_json::Value;

use super::{
    asked::Form,
    audio, citations, error, logprobs, reasoning, stop,
    stream_open::{Open, Said, argument_piece, call_piece, signature_piece},
    usage,
    write_part::image,
    write_response::outward_id,
};
use crate::{
    chat::{
        event::{Block, Delta, Event, Finish, Stamp},
        request::{Part, Source},
        response::{StopReason, TokenLogprob},
    },
    dialect::{EventWriter, continued},
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
    form: Form,
    /// The names are those of the provider's own chunks.
    adopted: bool,
    /// What must be remembered of each answer, and of the blocks that are open, with the answer they belong to.
    choices: SortedMap<usize, Said>,
    blocks: SortedMap<usize, (usize, Open)>,
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
    index: usize,
    delta: Value,
    logprobs: Value,
    finish_reason: Option<&'static str>,
}

impl Writer {
    pub const fn new(stamp: Stamp, wants_usage: bool, form: Form) -> Self {
        Self { stamp, wants_usage, form, adopted: false, choices: SortedMap::new(), blocks: SortedMap::new() }
    }

    fn chunk(&self, choices: &[Choice], usage: Option<Value>, out: &mut String) {
        let Stamp { id, created, model } = &self.stamp;
        let chunk = Chunk { id, object: "chat.completion.chunk", created: *created, model, choices, usage };
        // Writing to a string cannot fail.
        if let Ok(text) = serde_json::to_string(&chunk) {
            sse::write(out, None, &text);
        }
    }

    fn choice(&self, choice: Choice, out: &mut String) {
        let usage = self.wants_usage.then_some(Value::Null);
        self.chunk(&[choice], usage, out);
    }

    fn delta(&mut self, index: usize, delta: Value, out: &mut String) {
        self.begin(index, out);
        self.choice(Choice { index, delta, logprobs: Value::Null, finish_reason: None }, out);
    }

    /// The first chunk of an answer names the role.
    fn begin(&mut self, index: usize, out: &mut String) {
        if !self.choices.contains_key(&index) {
            self.choices.insert(index, Said::default());
            let delta = json!({"role": "assistant", "content": "", "refusal": null});
            self.choice(Choice { index, delta, logprobs: Value::Null, finish_reason: None }, out);
        }
    }

    fn said(&mut self, choice: usize) -> &mut Said {
        self.choices.or_default(choice)
    }

    fn start_block(&mut self, choice: usize, index: usize, block: &Block, out: &mut String) {
        self.begin(choice, out);
        let open = match block {
            Block::Refusal => Open::Other,
            Block::Text => Open::Text { start: self.said(choice).characters, citations: vec![] },
            Block::Reasoning => Open::Reasoning { thought: String::new() },
            Block::Audio { .. } => {
                self.delta(choice, json!({"audio": {"id": audio::id(&self.stamp.id)}}), out);
                Open::Audio
            }
            Block::RedactedReasoning { data, dialect } => {
                self.delta(choice, json!({"reasoning_details": [reasoning::encrypted(data, *dialect, index)]}), out);
                Open::Other
            }
            Block::ToolCall(call) => {
                let place = self.said(choice).calls;
                self.said(choice).calls += 1;
                let custom = self.form.is_custom(call);
                if let Some(piece) = call_piece(call, place, custom, self.form.legacy) {
                    self.delta(choice, piece, out);
                }
                let held = (custom && !call.custom).then(|| call.arguments.clone());
                Open::Call { place, custom, held, has_arguments: !call.arguments.is_empty() }
            }
            Block::Image { media_type, data } => {
                let source = Source::Inline { media_type: media_type.clone(), data: data.clone() };
                self.delta(choice, json!({"images": [image(&source, None)]}), out);
                Open::Other
            }
            Block::Opaque { dialect, value } => {
                if reasoning::is_detail(&Part::Opaque { dialect: *dialect, value: value.clone() }) {
                    self.delta(choice, json!({"reasoning_details": [value]}), out);
                }
                Open::Other
            }
        };
        self.blocks.insert(index, (choice, open));
    }

    fn write_delta(&mut self, index: usize, delta: &Delta, out: &mut String) {
        let legacy = self.form.legacy;
        let choice = self.blocks.get(&index).map_or(0, |(choice, _)| *choice);
        self.begin(choice, out);
        let (_, open) = self.blocks.or_insert(index, (choice, Open::Other));
        let written = match (delta, open) {
            (Delta::Text(text) | Delta::Refusal(text) | Delta::Reasoning(text) | Delta::Arguments(text), _)
                if text.is_empty() =>
            {
                None
            }
            (Delta::Text(text), Open::Audio) => Some(json!({"audio": {"transcript": text}})),
            (Delta::Text(text), _) => {
                self.said(choice).characters += citations::characters(text);
                Some(json!({"content": text}))
            }
            (Delta::Refusal(text), _) => Some(json!({"refusal": text})),
            (Delta::Reasoning(text), open) => {
                if let Open::Reasoning { thought } = open {
                    thought.push_str(text);
                }
                Some(json!({"reasoning_content": text}))
            }
            (Delta::Arguments(text), open) => open.arguments(text, legacy),
            // The old form has no place beside a call.
            (Delta::Signature(_), Open::Call { .. }) if legacy => None,
            (Delta::Signature(signature), open) => signature_piece(open, signature, index),
            (Delta::Citation(citation), Open::Text { citations, .. }) => {
                citations.push(citation.clone());
                None
            }
            (Delta::Citation(_), _) => None,
            (Delta::Logprobs(tokens), _) => return self.logprobs(choice, tokens, out),
            (Delta::Audio(data), _) => Some(json!({"audio": {"data": data}})),
        };
        if let Some(delta) = written {
            self.delta(choice, delta, out);
        }
    }

    fn logprobs(&mut self, index: usize, tokens: &[TokenLogprob], out: &mut String) {
        if !tokens.is_empty() {
            self.begin(index, out);
            let choice = Choice { index, delta: json!({"content": ""}), logprobs: logprobs::write(tokens), finish_reason: None };
            self.choice(choice, out);
        }
    }

    fn end_block(&mut self, index: usize, out: &mut String) {
        let Some((choice, open)) = self.blocks.remove(&index) else { return };
        let last = match open {
            Open::Text { start, citations } => {
                let end = self.said(choice).characters;
                let list: Vec<Value> = citations.iter().filter_map(|one| citations::write(one, (start, end))).collect();
                (!list.is_empty()).then(|| json!({"annotations": list}))
            }
            Open::Audio => Some(json!({"audio": {"expires_at": self.stamp.created}})),
            Open::Call { place, custom, held, has_arguments } => {
                argument_piece(place, (custom, self.form.legacy), held.as_deref(), has_arguments)
            }
            Open::Reasoning { .. } | Open::Other => None,
        };
        if let Some(delta) = last {
            self.delta(choice, delta, out);
        }
    }

    fn stop(&mut self, index: usize, reason: StopReason, out: &mut String) {
        self.begin(index, out);
        let reason = stop::called(reason, self.said(index).calls > 0);
        let finish_reason = Some(stop::write(reason, self.form.legacy));
        self.choice(Choice { index, delta: json!({}), logprobs: Value::Null, finish_reason }, out);
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut String) {
        match event {
            Event::Start { id, model } => {
                if self.choices.is_empty() {
                    self.stamp.id = outward_id(id.as_deref(), &self.stamp);
                    if let Some(model) = model {
                        self.stamp.model.clone_from(model);
                    }
                }
                self.begin(0, out);
            }
            Event::BlockStart { choice, index, block } => self.start_block(*choice, *index, block, out),
            Event::BlockDelta { index, delta } => self.write_delta(*index, delta, out),
            Event::BlockEnd { index } => self.end_block(*index, out),
            Event::Usage(_) | Event::Stop { .. } | Event::End | Event::Failed(_) | Event::Malformed => {}
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        self.begin(0, out);
        for index in self.blocks.keys().copied().collect::<Vec<_>>() {
            self.end_block(index, out);
        }
        self.stop(0, finish.stop, out);
        for (choice, reason) in &finish.more {
            self.stop(*choice, *reason, out);
        }
        if self.wants_usage {
            self.chunk(&[], Some(usage::write(&finish.usage, finish.cost)), out);
        }
        sse::write(out, None, "[DONE]");
    }

    /// SDKs raise at the `error`; those that do not look for it see a reason that is no success.
    fn fail(&mut self, error: &Error, out: &mut String) {
        sse::write(out, None, &json_text(&error::write(error, None)));
        self.choice(Choice { index: 0, delta: json!({}), logprobs: Value::Null, finish_reason: Some("error") }, out);
    }

    fn adopt(&mut self, frame: &Frame<'_>) {
        self.adopted = self.adopted || continued::adopt(&mut self.stamp, frame);
    }
}
