//! Answers on their way to a caller: events → parts of candidates.

use serde_json::{Map, Value};

use super::{
    grounding::{self, Cited},
    logprobs,
    parts::Parts,
    seal,
};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish},
        request::{Citation, Signature, ToolCall},
        response::{StopReason, TokenLogprob},
    },
    wire::compose::{Members, json},
};

pub(super) struct Answers {
    /// Google sends thoughts on request only, and callers who did not ask would take them for the answer.
    shows_thoughts: bool,
    /// Nothing is taken before the end.
    is_whole: bool,
    choices: Vec<Choice>,
    blocks: Vec<Written>,
}

#[derive(Default)]
struct Choice {
    parts: Parts,
    /// All of it so far, which citations are counted in.
    text: String,
    cited: Vec<Source>,
    logprobs: Vec<TokenLogprob>,
    refused: bool,
}

struct Source {
    citation: Citation,
    /// Where its block begins in the choice's text.
    from: usize,
    part: usize,
}

struct Written {
    choice: usize,
    kind: Kind,
}

enum Kind {
    Text {
        from: usize,
    },
    Reasoning {
        is_empty: bool,
    },
    /// Google's calls come whole, and in their order.
    Call {
        call: ToolCall,
        ended: bool,
    },
    Sound {
        media_type: String,
        said: String,
    },
    Done,
}

impl Answers {
    pub fn new(shows_thoughts: bool, is_whole: bool) -> Self {
        Self { shows_thoughts, is_whole, choices: vec![Choice::default()], blocks: vec![] }
    }

    /// The choice that the event said something of.
    pub fn note(&mut self, event: &Event) -> Option<usize> {
        match event {
            Event::BlockStart { choice, block, .. } => {
                if self.choices.len() <= *choice {
                    self.choices.resize_with(choice + 1, Choice::default);
                }
                let kind = self.choices.get_mut(*choice)?.begin(block);
                self.blocks.push(Written { choice: *choice, kind });
                Some(*choice)
            }
            Event::BlockDelta { index, delta } => {
                let Written { choice, kind } = self.blocks.get_mut(*index)?;
                let (part, shows) = (self.is_whole, self.shows_thoughts);
                self.choices.get_mut(*choice)?.add(kind, delta, part, shows);
                Some(*choice)
            }
            Event::BlockEnd { index } => {
                let Written { choice, kind } = self.blocks.get_mut(*index)?;
                let at = *choice;
                self.choices.get_mut(at)?.end(kind);
                self.release(false);
                Some(at)
            }
            Event::Start { .. } | Event::Usage(_) | Event::Stop { .. } | Event::End | Event::Failed(_) | Event::Malformed => None,
        }
    }

    /// Writes the calls that are complete and have no open one before them; at the end all.
    fn release(&mut self, all: bool) {
        for Written { choice, kind } in &mut self.blocks {
            let Kind::Call { call, ended } = kind else { continue };
            if !*ended && !all {
                return;
            }
            if let Some(choice) = self.choices.get_mut(*choice) {
                choice.parts.call(call, call.signature.as_ref().map(seal::seal));
            }
            *kind = Kind::Done;
        }
    }

    /// What a choice has to say since it was last asked.
    pub fn take(&mut self, choice: usize) -> Option<Value> {
        let at = self.choices.get_mut(choice)?;
        if at.parts.all.is_empty() && at.logprobs.is_empty() {
            return None;
        }
        Some(Value::Object(at.candidate(choice)))
    }

    /// The last of every choice, and why it stopped.
    pub fn finish(&mut self, finish: &Finish) -> Vec<Value> {
        self.release(true);
        let is_whole = self.is_whole;
        let candidate = |(i, choice): (usize, &mut Choice)| {
            choice.parts.flush();
            let grounding = choice.grounding(is_whole);
            let stop =
                if i == 0 { Some(finish.stop) } else { finish.more.iter().find(|(at, _)| *at == i).map(|(_, stop)| *stop) };
            let mut candidate = choice.candidate(i);
            candidate.put("finishReason", reason(stop.unwrap_or_default(), choice.refused));
            if let Some(grounding) = grounding {
                candidate.put("groundingMetadata", grounding);
            }
            Value::Object(candidate)
        };
        self.choices.iter_mut().enumerate().map(candidate).collect()
    }
}

impl Choice {
    fn begin(&mut self, block: &Block) -> Kind {
        match block {
            Block::Text => Kind::Text { from: self.text.len() },
            Block::Refusal => {
                self.refused = true;
                Kind::Text { from: self.text.len() }
            }
            Block::Reasoning => Kind::Reasoning { is_empty: true },
            Block::RedactedReasoning { data, dialect } => {
                self.parts.thought("", Some(&seal::seal_redacted(data, *dialect)));
                Kind::Done
            }
            Block::ToolCall(call) => Kind::Call { call: call.clone(), ended: false },
            Block::Image { media_type, data } => {
                self.parts.push(json!({ "inlineData": { "mimeType": media_type.as_str(), "data": data } }));
                Kind::Done
            }
            Block::Audio { media_type } => Kind::Sound { media_type: media_type.clone(), said: String::new() },
            Block::Opaque { dialect: Dialect::Gemini, value } => {
                self.parts.flush();
                self.parts.push(value.clone());
                Kind::Done
            }
            Block::Opaque { .. } => Kind::Done,
        }
    }

    fn add(&mut self, kind: &mut Kind, delta: &Delta, is_whole: bool, shows_thoughts: bool) {
        match (kind, delta) {
            (Kind::Text { .. }, Delta::Text(text) | Delta::Refusal(text)) => {
                self.text.push_str(text);
                // An empty one may be the opening of any stream.
                if is_whole || !text.is_empty() {
                    self.parts.text(text);
                }
            }
            (Kind::Text { .. }, Delta::Signature(signature)) => {
                self.parts.proof(seal::seal(signature));
                self.parts.flush();
            }
            (Kind::Text { from }, Delta::Citation(citation)) => {
                let part = self.parts.all.len().saturating_sub(1);
                self.cited.push(Source { citation: citation.clone(), from: *from, part });
            }
            (Kind::Text { .. }, Delta::Logprobs(tokens)) => self.logprobs.extend(tokens.iter().cloned()),
            (Kind::Reasoning { is_empty }, Delta::Reasoning(text)) if !text.is_empty() => {
                *is_empty = false;
                if shows_thoughts {
                    self.parts.thought(text, None);
                }
            }
            (Kind::Reasoning { is_empty }, Delta::Signature(signature)) => self.proof(signature, *is_empty, shows_thoughts),
            (Kind::Call { call, .. }, Delta::Arguments(text)) => call.arguments.push_str(text),
            (Kind::Call { call, .. }, Delta::Signature(signature)) => call.signature = Some(signature.clone()),
            (Kind::Sound { media_type, .. }, Delta::Audio(data)) => {
                self.parts.push(json!({ "inlineData": { "mimeType": media_type.as_str(), "data": data } }));
            }
            (Kind::Sound { said, .. }, Delta::Text(text)) => said.push_str(text),
            // Empty, or not of this block.
            (Kind::Text { .. } | Kind::Reasoning { .. } | Kind::Call { .. } | Kind::Sound { .. } | Kind::Done, _) => {}
        }
    }

    /// Google's own of no thought is that of the next part. A proof is worth nothing without the thought that it is of.
    fn proof(&mut self, signature: &Signature, is_empty: bool, shows_thoughts: bool) {
        let sealed = seal::seal(signature);
        if is_empty && signature.dialect == Dialect::Gemini {
            self.parts.proof(sealed);
        } else if is_empty || shows_thoughts {
            self.parts.sign_thought(&sealed);
        }
    }

    fn end(&mut self, kind: &mut Kind) {
        match kind {
            Kind::Call { ended, .. } => *ended = true,
            Kind::Text { from } => {
                if *from == self.text.len() {
                    self.parts.flush();
                }
            }
            Kind::Sound { said, .. } => {
                if !said.is_empty() {
                    self.text.push_str(said);
                    self.parts.text(said);
                }
            }
            Kind::Reasoning { .. } | Kind::Done => {}
        }
    }

    /// Never without a part: Google's SDKs forget the whole answer then.
    fn candidate(&mut self, index: usize) -> Map<String, Value> {
        let mut parts = std::mem::take(&mut self.parts.all);
        if parts.is_empty() {
            parts.push(json!({ "text": "" }));
        }
        let tokens = std::mem::take(&mut self.logprobs);
        let mut candidate = Map::new();
        candidate.put("content", json!({ "parts": parts, "role": "model" }));
        candidate.put("index", index);
        if !tokens.is_empty() {
            candidate.put("logprobsResult", logprobs::write(&tokens));
        }
        candidate
    }

    /// Of a stream the texts are counted as one, of a whole answer each part is.
    fn grounding(&self, is_whole: bool) -> Option<Value> {
        grounding::write(self.cited.iter().map(|Source { citation, from, part }| Cited {
            citation,
            text: self.text.get(*from..).unwrap_or_default(),
            base: if is_whole { 0 } else { *from },
            part: if is_whole { *part } else { 0 },
        }))
    }
}

/// Google's words only: clients throw at others, and a call ends with `STOP`.
const fn reason(stop: StopReason, refused: bool) -> &'static str {
    match stop {
        StopReason::Length => "MAX_TOKENS",
        StopReason::ContentFilter => "SAFETY",
        StopReason::End | StopReason::StopSequence if refused => "SAFETY",
        StopReason::End | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause => "STOP",
    }
}
