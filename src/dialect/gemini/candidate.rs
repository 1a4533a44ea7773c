//! One of the answers of a stream, as far as it came.

use serde_json::Value;

use super::{
    grounding, logprobs,
    part::{self, Piece},
};
use crate::{
    chat::{
        Dialect,
        event::{Block, Delta, Event},
        request::{Citation, Signature, ToolCall},
        response::StopReason,
    },
    wire::base64,
};

#[derive(Default)]
pub(super) struct Candidate {
    /// The block that more may be added to, and its number.
    open: Option<(Open, usize)>,
    /// Of the open text.
    text: String,
    /// The open text is signed: no more may be added to it.
    sealed: bool,
    /// The last part was a signature of nothing visible, which is not the next one's.
    bare: bool,
    calls: usize,
    /// Chunks repeat what they told of their sources.
    cited: Vec<Citation>,
    /// Citations without a text to stand on.
    held: Vec<Citation>,
    /// Held to the end: chunks with usage or a signature follow it, and a later reason is the truer one.
    pub stop: Option<StopReason>,
}

#[derive(Clone, PartialEq, Eq)]
enum Open {
    Text,
    Reasoning,
    /// With bytes that do not fill a group of base64 yet, so that what was told can be joined.
    Sound {
        media_type: String,
        rest: Vec<u8>,
    },
}

/// Where events go, and how blocks are numbered over all candidates.
struct Out<'a> {
    choice: usize,
    blocks: &'a mut usize,
    events: &'a mut Vec<Event>,
}

impl Out<'_> {
    fn begin(&mut self, block: Block) -> usize {
        let index = *self.blocks;
        *self.blocks += 1;
        self.events.push(Event::BlockStart { choice: self.choice, index, block });
        index
    }

    fn add(&mut self, index: usize, delta: Delta) {
        self.events.push(Event::BlockDelta { index, delta });
    }

    /// A block that comes in one piece.
    fn whole(&mut self, block: Block, delta: Option<Delta>) {
        let index = self.begin(block);
        delta.into_iter().for_each(|delta| self.add(index, delta));
        self.events.push(Event::BlockEnd { index });
    }
}

impl Candidate {
    pub fn read(
        &mut self,
        choice: usize,
        parts: Vec<Value>,
        candidate: &Value,
        response_id: Option<&str>,
        blocks: &mut usize,
        events: &mut Vec<Event>,
    ) {
        let mut out = Out { choice, blocks, events };
        let pieces: Vec<Piece> = parts.into_iter().filter_map(part::read).collect();
        // What is said of the text comes while its block is open: behind the last text of this chunk, or before all else.
        let last = pieces.iter().rposition(|piece| matches!(piece, Piece::Text { .. }));
        if last.is_none() {
            self.tell_of_text(candidate, &mut out);
        }
        for (i, piece) in pieces.into_iter().enumerate() {
            self.tell(piece, response_id, &mut out);
            if last == Some(i) {
                self.tell_of_text(candidate, &mut out);
            }
        }
    }

    pub fn end(&mut self, choice: usize, blocks: &mut usize, events: &mut Vec<Event>) {
        let mut out = Out { choice, blocks, events };
        self.close(&mut out);
        if self.held.is_empty() {
            return;
        }
        let index = self.open(Open::Text, &mut out);
        std::mem::take(&mut self.held).into_iter().for_each(|citation| out.add(index, Delta::Citation(citation)));
        self.close(&mut out);
    }

    pub fn reason(&self) -> StopReason {
        let stop = self.stop.unwrap_or_default();
        if stop == StopReason::End && self.calls > 0 { StopReason::ToolCalls } else { stop }
    }

    fn tell_of_text(&mut self, candidate: &Value, out: &mut Out<'_>) {
        let text = self.open.as_ref().filter(|(open, _)| *open == Open::Text).map(|(_, index)| *index);
        let tokens = logprobs::read(candidate);
        if let Some(index) = text.filter(|_| !tokens.is_empty()) {
            out.add(index, Delta::Logprobs(tokens));
        }
        for mut citation in grounding::read(candidate, &self.text) {
            if self.cited.contains(&citation) {
                continue;
            }
            self.cited.push(citation.clone());
            match text {
                Some(index) => out.add(index, Delta::Citation(citation)),
                None => {
                    (citation.start, citation.end) = (None, None);
                    self.held.push(citation);
                }
            }
        }
    }

    fn tell(&mut self, piece: Piece, response_id: Option<&str>, out: &mut Out<'_>) {
        let after_bare = std::mem::take(&mut self.bare);
        match piece {
            Piece::Text { text, signature } => {
                if self.sealed {
                    self.close(out);
                }
                let is_signed = signature.is_some();
                self.proof(signature, after_bare, out);
                let index = self.open(Open::Text, out);
                self.sealed = is_signed;
                self.text.push_str(&text);
                out.add(index, Delta::Text(text));
            }
            Piece::Thought { text, signature } => {
                let index = self.open(Open::Reasoning, out);
                out.add(index, Delta::Reasoning(text));
                if let Some(signature) = signature {
                    out.add(index, Delta::Signature(ours(signature)));
                    self.close(out);
                }
            }
            Piece::Signature(signature) => {
                self.proof(Some(signature), false, out);
                self.bare = true;
            }
            Piece::Call { id, name, arguments, signature } => {
                let id = id.unwrap_or_else(|| part::mint_id(self.calls, response_id, &name, &arguments));
                let signature = signature.map(ours);
                self.calls += 1;
                self.close(out);
                let call = ToolCall { id, name, arguments: String::new(), signature, ..ToolCall::default() };
                out.whole(Block::ToolCall(call), Some(Delta::Arguments(arguments)));
            }
            Piece::Media { media_type, data, signature } => {
                self.proof(signature, after_bare, out);
                if media_type.starts_with("audio/") {
                    self.sound(media_type, data, out);
                } else {
                    self.close(out);
                    out.whole(Block::Image { media_type, data }, None);
                }
            }
            Piece::Opaque(value) => {
                self.close(out);
                out.whole(Block::Opaque { dialect: Dialect::Gemini, value }, None);
            }
        }
    }

    /// The signature of what follows, or of nothing visible. One of nothing is kept from what follows by an empty text.
    fn proof(&mut self, signature: Option<String>, after_bare: bool, out: &mut Out<'_>) {
        if let Some(signature) = signature {
            self.close(out);
            out.whole(Block::Reasoning, Some(Delta::Signature(ours(signature))));
        } else if after_bare {
            out.whole(Block::Text, None);
        }
    }

    fn sound(&mut self, media_type: String, data: String, out: &mut Out<'_>) {
        let goes_on = matches!(&self.open, Some((Open::Sound { media_type: now, .. }, _)) if *now == media_type);
        if !goes_on {
            self.close(out);
            let index = out.begin(Block::Audio { media_type: media_type.clone() });
            self.open = Some((Open::Sound { media_type, rest: vec![] }, index));
        }
        let Some((Open::Sound { rest, .. }, index)) = &mut self.open else { return };
        if rest.is_empty() && !data.ends_with('=') {
            return out.add(*index, Delta::Audio(data));
        }
        let Some(bytes) = base64::decode(&data) else { return out.add(*index, Delta::Audio(data)) };
        rest.extend(bytes);
        let left = rest.split_off(rest.len() - rest.len() % 3);
        let told = std::mem::replace(rest, left);
        if !told.is_empty() {
            out.add(*index, Delta::Audio(base64::encode(&told)));
        }
    }

    fn open(&mut self, kind: Open, out: &mut Out<'_>) -> usize {
        if let Some((open, index)) = &self.open
            && *open == kind
        {
            return *index;
        }
        self.close(out);
        let index = out.begin(if kind == Open::Text { Block::Text } else { Block::Reasoning });
        self.open = Some((kind, index));
        index
    }

    fn close(&mut self, out: &mut Out<'_>) {
        let Some((open, index)) = self.open.take() else { return };
        if let Open::Sound { rest, .. } = open
            && !rest.is_empty()
        {
            out.add(index, Delta::Audio(base64::encode(&rest)));
        }
        self.text.clear();
        self.sealed = false;
        out.events.push(Event::BlockEnd { index });
    }
}

const fn ours(value: String) -> Signature {
    Signature { dialect: Dialect::Gemini, value }
}
