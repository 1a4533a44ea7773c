//! What went by of a stream, for the receipt: the provider's own counts, or an estimate where it reported none.

use crate::{
    chat::{event::Event, usage::Usage},
    ledger::Receipt,
};

/// Bytes of English text in a token, for estimates when a provider reports nothing.
pub(super) const BYTES_PER_TOKEN: u64 = 4;

#[derive(Default)]
pub(super) struct Meter {
    pub receipt: Receipt,
    request_bytes: u64,
    text_bytes: u64,
    /// Of these, what went by before the last report of usage.
    reported_bytes: u64,
}

impl Meter {
    pub fn new(request_bytes: u64) -> Self {
        Self { request_bytes, ..Self::default() }
    }

    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Usage(usage) => {
                self.receipt.usage = Some(*usage);
                self.reported_bytes = self.text_bytes;
            }
            Event::Malformed => self.receipt.malformed = self.receipt.malformed.saturating_add(1),
            Event::BlockDelta { delta, .. } => self.text_bytes = self.text_bytes.saturating_add(delta.bytes()),
            Event::Start { id, model } => {
                self.receipt.id.clone_from(id);
                if model.is_some() {
                    self.receipt.model.clone_from(model);
                }
            }
            Event::BlockStart { .. } | Event::BlockEnd { .. } | Event::Stop { .. } | Event::End | Event::Failed(_) => {}
        }
    }

    /// Bytes of text that went by.
    pub const fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Of a stream that passed natively only the last `read` bytes were seen, and `skipped` before them were not: their
    /// share of text is taken to be that of what was read since `before`.
    pub fn add_skipped(&mut self, before: u64, skipped: u64, read: u64) {
        let share = self.text_bytes.saturating_sub(before).saturating_mul(skipped) / read.max(1);
        if self.reported_bytes > before {
            self.reported_bytes = self.reported_bytes.saturating_add(share);
        }
        self.text_bytes = self.text_bytes.saturating_add(share);
    }

    /// The stream is over. A report in one that broke off later counts what was said until then: Anthropic's first one,
    /// nothing.
    pub fn estimate(&mut self, is_whole: bool) {
        let unreported = self.text_bytes.saturating_sub(self.reported_bytes);
        if self.receipt.usage.is_some() && (is_whole || unreported == 0) {
            return;
        }
        let mut usage: Usage = self.receipt.usage.unwrap_or_default();
        if usage.prompt() == 0 {
            usage.input = self.request_bytes.div_ceil(BYTES_PER_TOKEN);
        }
        usage.output = usage.output.saturating_add(unreported.div_ceil(BYTES_PER_TOKEN));
        self.reported_bytes = self.text_bytes;
        self.receipt.usage = Some(usage);
        self.receipt.estimated = true;
    }
}
