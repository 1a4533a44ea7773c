//! One of the answers in a provider's stream: deltas in, blocks out.

use serde_json::Value;

use super::{
    audio, citations, items, logprobs,
    reasoning::{self, google_signature},
    response::read_image,
    stop::{self, Stop},
    stream_call::Calls,
    text,
};
use crate::chat::{
    event::{Block, Delta, Event, UpstreamError},
    request::{Citation, Part, Signature, Source},
    response::StopReason,
};

/// Where a choice's events go.
pub struct Out<'a> {
    pub choice: usize,
    /// The number of the next block.
    pub next: &'a mut usize,
    /// The answer's.
    pub id: Option<&'a str>,
    pub events: &'a mut Vec<Event>,
}

impl Out<'_> {
    pub fn begin(&mut self, block: Block) -> usize {
        let index = *self.next;
        *self.next += 1;
        self.events.push(Event::BlockStart { choice: self.choice, index, block });
        index
    }

    pub fn delta(&mut self, index: usize, delta: Delta) {
        self.events.push(Event::BlockDelta { index, delta });
    }

    pub fn end(&mut self, index: usize) {
        self.events.push(Event::BlockEnd { index });
    }
}

#[derive(Default)]
pub struct Choice {
    open: Option<Open>,
    calls: Calls,
    stop: Option<StopReason>,
    /// Whether it has said anything.
    begun: bool,
    /// Characters of text in blocks that are closed, and in all.
    before: u64,
    said: u64,
    cited: bool,
    /// What was searched, to be cited by the whole text.
    pub sources: Vec<Citation>,
}

/// The block that text goes on in. Blocks of calls stay open beside it, for their pieces may interleave.
struct Open {
    index: usize,
    kind: Kind,
    /// The detail that a thought belongs to, and whether it is complete.
    detail: Option<u64>,
    signed: bool,
    /// Bytes of thought that came without a detail.
    plain: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    Refusal,
    Audio(&'static str),
}

impl Choice {
    pub const fn has_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether nothing was said yet.
    pub const fn is_fresh(&self) -> bool {
        !self.begun && self.calls.is_empty()
    }

    /// The provider says that all is told.
    pub fn end(&mut self, out: &mut Out<'_>) {
        if self.stop.is_none() && !self.is_fresh() {
            self.stop("", out);
        }
        self.close_text(out);
    }

    /// `Some` where the reason is a failure.
    pub fn stop(&mut self, reason: &str, out: &mut Out<'_>) -> Option<UpstreamError> {
        let is_text = self.open.as_ref().is_some_and(|open| open.kind == Kind::Text);
        if is_text && !self.cited {
            for citation in std::mem::take(&mut self.sources) {
                self.cite(citation, out);
            }
        }
        self.close_text(out);
        let called = self.calls.close(out);
        match stop::read(reason, called) {
            Stop::Failed => {
                let message = format!("The provider gave up on this answer ({reason}).");
                Some(UpstreamError { message, ..UpstreamError::default() })
            }
            Stop::Reason(reason) => {
                self.stop = Some(reason);
                out.events.push(Event::Stop { choice: out.choice, reason, sequence: None });
                None
            }
        }
    }

    /// `choice` holds what is said about the delta.
    pub fn delta(&mut self, delta: &Value, choice: &Value, out: &mut Out<'_>) {
        self.thoughts(delta, out);
        self.content(delta, out);
        self.tokens(choice, out);
        for annotation in items(delta, "annotations") {
            self.cite(citations::read(annotation), out);
        }
        if let Some(refusal) = text(delta, "refusal") {
            self.say(Kind::Refusal, Delta::Refusal(refusal.to_owned()), out);
        }
        if let Some(sound) = delta.get("audio").filter(|sound| sound.is_object()) {
            self.sound(sound, out);
        }
        for item in items(delta, "images") {
            self.image(item, out);
        }
        if let Some(signature) = google_signature(delta) {
            // Of the text that is open; else of a thought.
            let is_text = self.open.as_ref().is_some_and(|open| open.kind == Kind::Text);
            let kind = if is_text { Kind::Text } else { Kind::Reasoning };
            self.say(kind, Delta::Signature(signature), out);
        }
        // Text may still follow the finish reason (OpenRouter's Gemini); calls that do are repetitions.
        if self.stop.is_some() {
            return;
        }
        let legacy = delta.get("function_call").filter(|call| call.is_object());
        let legacy = legacy.map(|function| (&Value::Null, function));
        let pieces = items(delta, "tool_calls").iter().map(|piece| {
            let custom = piece.get("custom").filter(|custom| custom.is_object());
            (piece, custom.or_else(|| piece.get("function")).unwrap_or(&Value::Null))
        });
        for (piece, function) in pieces.chain(legacy) {
            if self.calls.piece(piece, function, out) {
                self.close_text(out);
                self.calls.open(out);
            }
        }
    }

    /// Of a text completion.
    pub fn continuation(&mut self, choice: &Value, out: &mut Out<'_>) {
        if let Some(said) = text(choice, "text") {
            self.text(said, out);
        }
        self.tokens(choice, out);
    }

    fn thoughts(&mut self, delta: &Value, out: &mut Out<'_>) {
        let mut told = false;
        for item in items(delta, "reasoning_details") {
            match reasoning::read_detail(item) {
                Some(Part::Reasoning { text, signature }) => {
                    told |= !text.is_empty();
                    self.thought(&text, signature, item.get("index").and_then(Value::as_u64), out);
                }
                Some(Part::RedactedReasoning { data, dialect }) => self.whole(Block::RedactedReasoning { data, dialect }, out),
                Some(Part::Opaque { dialect, value }) => self.whole(Block::Opaque { dialect, value }, out),
                Some(_) | None => {}
            }
        }
        if let Some(thought) = reasoning::plain(delta).filter(|_| !told) {
            self.thought(thought, None, None, out);
        }
    }

    /// A text, or Mistral's parts.
    fn content(&mut self, delta: &Value, out: &mut Out<'_>) {
        if let Some(said) = text(delta, "content") {
            return self.text(said, out);
        }
        for item in items(delta, "content") {
            match text(item, "type") {
                Some("thinking") => self.thought(&reasoning::thinking(item), None, None, out),
                Some("image_url") => self.image(item, out),
                _ => {
                    if let Some(said) = text(item, "text") {
                        self.text(said, out);
                    }
                }
            }
        }
    }

    fn text(&mut self, said: &str, out: &mut Out<'_>) {
        self.say(Kind::Text, Delta::Text(said.to_owned()), out);
        self.said += citations::characters(said);
    }

    fn tokens(&mut self, choice: &Value, out: &mut Out<'_>) {
        let tokens = logprobs::read(choice);
        if !tokens.is_empty() {
            self.say(Kind::Text, Delta::Logprobs(tokens), out);
        }
    }

    /// Places of citations count the whole answer's characters.
    fn cite(&mut self, citation: Citation, out: &mut Out<'_>) {
        self.cited = true;
        let is_text = self.open.as_ref().is_some_and(|open| open.kind == Kind::Text);
        let before = if is_text { self.before } else { self.said };
        self.say(Kind::Text, Delta::Citation(citations::after(citation, before)), out);
    }

    fn sound(&mut self, sound: &Value, out: &mut Out<'_>) {
        let data = text(sound, "data");
        let kind = match self.open.as_ref().map(|open| open.kind) {
            Some(kind @ Kind::Audio(_)) => kind,
            Some(Kind::Text | Kind::Reasoning | Kind::Refusal) | None => {
                Kind::Audio(data.and_then(audio::media_type).unwrap_or(audio::RAW))
            }
        };
        if let Some(transcript) = text(sound, "transcript") {
            self.say(kind, Delta::Text(transcript.to_owned()), out);
        }
        if let Some(data) = data {
            self.say(kind, Delta::Audio(data.to_owned()), out);
        }
    }

    /// A signed thought is complete: what follows is another one, as is what names another detail.
    fn thought(&mut self, thought: &str, signature: Option<Signature>, detail: Option<u64>, out: &mut Out<'_>) {
        if thought.is_empty() && signature.is_none() {
            return;
        }
        let ends = |open: &Open| open.signed || (detail.is_some() && open.detail.is_some() && detail != open.detail);
        if self.open.as_ref().is_some_and(|open| open.kind == Kind::Reasoning && ends(open)) {
            self.close_text(out);
        }
        let signed = signature.is_some();
        // A proof is valid beside the whole text: that comes once more in the detail of a thought which was told plainly.
        let repeats = |open: &Open| open.kind == Kind::Reasoning && open.plain == thought.len();
        let is_told = signed && self.open.as_ref().is_some_and(repeats);
        if !thought.is_empty() && !is_told {
            self.say(Kind::Reasoning, Delta::Reasoning(thought.to_owned()), out);
        }
        if let Some(signature) = signature {
            self.say(Kind::Reasoning, Delta::Signature(signature), out);
        }
        if let Some(open) = &mut self.open {
            open.detail = detail;
            open.signed = signed;
            open.plain += if detail.is_none() { thought.len() } else { 0 };
        }
    }

    fn say(&mut self, kind: Kind, delta: Delta, out: &mut Out<'_>) {
        let index = match &self.open {
            Some(open) if open.kind == kind => open.index,
            _ => {
                self.close_text(out);
                let index = out.begin(match kind {
                    Kind::Text => Block::Text,
                    Kind::Reasoning => Block::Reasoning,
                    Kind::Refusal => Block::Refusal,
                    Kind::Audio(media_type) => Block::Audio { media_type: media_type.to_owned() },
                });
                self.begun = true;
                self.open = Some(Open { index, kind, detail: None, signed: false, plain: 0 });
                index
            }
        };
        out.delta(index, delta);
    }

    fn image(&mut self, item: &Value, out: &mut Out<'_>) {
        // An image the provider only links to has no place in a stream of blocks.
        if let Some(Part::Image { source: Source::Inline { media_type, data }, .. }) = read_image(item) {
            self.whole(Block::Image { media_type, data }, out);
        }
    }

    fn whole(&mut self, block: Block, out: &mut Out<'_>) {
        self.close_text(out);
        self.begun = true;
        let index = out.begin(block);
        out.end(index);
    }

    fn close_text(&mut self, out: &mut Out<'_>) {
        if let Some(open) = self.open.take() {
            self.before = self.said;
            out.end(open.index);
        }
    }
}
