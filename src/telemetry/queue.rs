//! What waits for a receiver: never more than there is room for, and sent by one at a time.

use std::collections::VecDeque;

use crate::units::Millis;

/// Of one kind: some megabytes, of the 128 that the isolate has.
const MAX_WAITING: usize = 1_024;
/// Sent together: half a megabyte of spans, which collectors take.
const BATCH: usize = 256;
/// Who has been sending for so long was ended by the runtime: longer than all tries of a batch.
const STUCK_MS: u64 = 40_000;

pub struct Queue<T> {
    waiting: VecDeque<T>,
    lost: u64,
    sending: Option<Millis>,
    /// The receiver is left alone until then.
    rests_until: Millis,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), lost: 0, sending: None, rests_until: Millis(0) }
    }
}

impl<T> Queue<T> {
    /// Takes in what is to be told; without room it is lost, and counted.
    pub fn push(&mut self, item: T) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(item);
        } else {
            self.lost = self.lost.saturating_add(1);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A full batch does not wait, where it can be sent.
    pub fn is_due(&self, now: Millis) -> bool {
        self.waiting.len() >= BATCH && self.is_free(now)
    }

    fn is_free(&self, now: Millis) -> bool {
        now >= self.rests_until && self.sending.is_none_or(|at| now.since(at) >= STUCK_MS)
    }

    /// The next batch, unless another is under way or the receiver rests. Who takes one says how it went.
    pub fn take(&mut self, now: Millis) -> Vec<T> {
        if !self.is_free(now) || self.waiting.is_empty() {
            return vec![];
        }
        self.sending = Some(now);
        let count = self.waiting.len().min(BATCH);
        self.waiting.drain(..count).collect()
    }

    /// The batch is dealt with.
    pub fn sent(&mut self) {
        self.sending = None;
    }

    /// The batch could not be sent, and is gone.
    pub fn gave_up(&mut self, until: Millis) {
        (self.sending, self.rests_until) = (None, until);
    }

    /// The batch could not be sent, and is sent again before all others; what has no room is lost.
    pub fn put_back(&mut self, batch: Vec<T>, until: Millis) {
        for item in batch.into_iter().rev() {
            if self.waiting.len() < MAX_WAITING {
                self.waiting.push_front(item);
            } else {
                self.lost = self.lost.saturating_add(1);
            }
        }
        self.gave_up(until);
    }

    /// How many were lost for want of room since this was asked last.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}
