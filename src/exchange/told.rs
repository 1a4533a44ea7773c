//! What a caller was told of an answer, for another target to go on with; and how what that one says is put there.

use super::overlap::Overlap;
use crate::{
    chat::event::{Block, Delta, Event},
    ledger::Spent,
};

/// Bytes of text that are sent along at most: as much as is held before a commit, and more than most answers have.
const MAX_SAID: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Told {
    /// The text of the answer so far.
    text: String,
    /// It holds what only its own provider can go on with.
    barred: bool,
    /// Blocks that are open, and whether each is a text.
    open: Vec<(usize, bool)>,
    /// The number of the next block.
    next: usize,
    /// What the targets before this one were paid.
    pub spent: Option<Spent>,
    splice: Option<Splice>,
}

/// Where a second target's answer is joined to the first's.
struct Splice {
    /// The number of its first block.
    base: usize,
    /// Its block that goes on in a text that is open, and that text.
    joined: Option<(usize, usize)>,
    /// Its thoughts, which nobody waits for in the middle of a text.
    mute: Vec<usize>,
    /// Until it has said something new.
    overlap: Option<Overlap>,
    /// The block that what is held by `overlap` belongs to.
    at: usize,
    /// What came before its first content: nothing is told of a target that then fails.
    early: Vec<Event>,
}

impl Told {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether another target can go on from here.
    pub const fn is_open(&self) -> bool {
        !self.barred
    }

    /// Another target goes on: its events are put behind what was told.
    pub fn hand_over(&mut self) {
        self.splice = Some(Splice {
            base: self.next,
            joined: None,
            mute: vec![],
            overlap: Some(Overlap::new(&self.text)).filter(|_| !self.text.is_empty()),
            at: self.next,
            early: vec![],
        });
    }

    /// What the caller is told of what a provider said. `committed`: it has said something.
    pub fn follow(&mut self, events: Vec<Event>, committed: bool) -> Vec<Event> {
        let mut out = vec![];
        match &mut self.splice {
            None => out = events,
            Some(splice) if !committed => splice.early.extend(events),
            Some(splice) => {
                let early = std::mem::take(&mut splice.early);
                for event in early.into_iter().chain(events) {
                    self.put(event, &mut out);
                }
                return out;
            }
        }
        out.iter().for_each(|event| self.note(event));
        out
    }

    fn tell(&mut self, event: Event, out: &mut Vec<Event>) {
        self.note(&event);
        out.push(event);
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::BlockStart { choice, index, block } => {
                let is_plain = matches!(block, Block::Text | Block::Reasoning);
                self.barred |= *choice > 0 || !is_plain;
                self.open.push((*index, *block == Block::Text));
                self.next = self.next.max(index + 1);
            }
            Event::BlockDelta { delta, .. } => match delta {
                Delta::Text(text) if self.text.len() + text.len() <= MAX_SAID => self.text.push_str(text),
                Delta::Logprobs(tokens) => self.barred |= !tokens.is_empty(),
                Delta::Text(_) | Delta::Refusal(_) | Delta::Arguments(_) | Delta::Signature(_) | Delta::Audio(_) => {
                    self.barred = true;
                }
                Delta::Reasoning(_) | Delta::Citation(_) => {}
            },
            Event::BlockEnd { index } => self.open.retain(|(open, _)| open != index),
            Event::Start { .. } | Event::Usage(_) | Event::Stop { .. } | Event::End | Event::Failed(_) | Event::Malformed => {}
        }
    }

    /// One event of the target that goes on.
    fn put(&mut self, event: Event, out: &mut Vec<Event>) {
        match event {
            // The answer has its names.
            Event::Start { .. } => {}
            Event::BlockStart { choice, index, block } => self.put_block(choice, index, block, out),
            Event::BlockDelta { index, delta } => self.put_delta(index, delta, out),
            Event::BlockEnd { index } => {
                if let Some(index) = self.place(index) {
                    self.release(out);
                    self.tell(Event::BlockEnd { index }, out);
                }
            }
            Event::Stop { .. } | Event::End => {
                self.release(out);
                self.tell(event, out);
            }
            Event::Usage(_) | Event::Failed(_) | Event::Malformed => self.tell(event, out),
        }
    }

    /// A block's number for the caller; `None` for one that it is not told of.
    fn place(&self, index: usize) -> Option<usize> {
        let splice = self.splice.as_ref()?;
        if let Some((_, text)) = splice.joined.filter(|(joined, _)| *joined == index) {
            return Some(text);
        }
        (!splice.mute.contains(&index)).then(|| splice.base + index)
    }

    fn put_block(&mut self, choice: usize, index: usize, block: Block, out: &mut Vec<Event>) {
        let has_text = !self.text.is_empty();
        let text = self.open.iter().find(|(_, is_text)| *is_text).map(|(index, _)| *index);
        let Some(splice) = &mut self.splice else { return };
        let is_thought = matches!(block, Block::Reasoning | Block::RedactedReasoning { .. });
        if choice > 0 || is_thought && has_text {
            return splice.mute.push(index);
        }
        let base = splice.base;
        let is_old = |index: usize| index < base;
        if let (Block::Text, Some(text), None) = (&block, text.filter(|text| is_old(*text)), splice.joined) {
            splice.joined = Some((index, text));
            return;
        }
        if block != Block::Text || splice.overlap.as_ref().is_some_and(Overlap::is_begun) {
            self.release(out);
        }
        let left: Vec<usize> = self.open.iter().map(|(index, _)| *index).filter(|index| is_old(*index)).collect();
        for index in left {
            self.tell(Event::BlockEnd { index }, out);
        }
        self.tell(Event::BlockStart { choice, index: base + index, block }, out);
    }

    fn put_delta(&mut self, index: usize, delta: Delta, out: &mut Vec<Event>) {
        let Some(place) = self.place(index) else { return };
        let Some(splice) = &mut self.splice else { return };
        let delta = match (delta, splice.joined.is_some_and(|(joined, _)| joined == index)) {
            (Delta::Text(text), _) => {
                splice.at = place;
                let new = match &mut splice.overlap {
                    Some(overlap) => overlap.push(&self.text, &text),
                    None => Some(text),
                };
                let Some(new) = new else { return };
                splice.overlap = None;
                if new.is_empty() {
                    return;
                }
                Delta::Text(new)
            }
            // Of a text that began elsewhere they prove and weigh nothing.
            (Delta::Signature(_) | Delta::Logprobs(_), true) => return,
            (Delta::Citation(mut citation), true) => {
                (citation.start, citation.end, citation.native) = (None, None, None);
                Delta::Citation(citation)
            }
            (delta, _) => delta,
        };
        self.tell(Event::BlockDelta { index: place, delta }, out);
    }

    /// Nothing more of this text comes: what was held is told.
    fn release(&mut self, out: &mut Vec<Event>) {
        let Some(splice) = &mut self.splice else { return };
        let Some(mut overlap) = splice.overlap.take() else { return };
        let (index, rest) = (splice.at, overlap.rest(&self.text));
        if rest.is_empty() {
            return;
        }
        self.tell(Event::BlockDelta { index, delta: Delta::Text(rest) }, out);
    }
}
