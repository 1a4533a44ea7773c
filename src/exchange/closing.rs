//! How a relay ends: well, with what its provider left out, or with an error; never cleanly unless the answer was whole.

use super::{carriage::Carriage, ended::Ended, relay::Relay, told::Told};
use crate::{
    chat::{
        event::{Event, Finish, UpstreamError},
        response::StopReason,
    },
    dialect::EventWriter,
    error::Error,
    ledger::Spent,
    plan::outcome::{self, Phase, Transport},
    wire::framing::Decoder,
};

/// Ends a line and an event that the provider left open: what follows would be lost in them.
const BLANK: &[u8] = b"\n\n";

/// A caller's stream between the relay that broke and the one that goes on.
pub(super) struct Thread {
    pub writer: Box<dyn EventWriter>,
    pub told: Box<Told>,
}

/// Stands where a writer has been taken away.
struct Silent;

impl EventWriter for Silent {
    fn write(&mut self, _event: &Event, _out: &mut String) {}
    fn finish(&mut self, _finish: &Finish, _out: &mut String) {}
    fn fail(&mut self, _error: &Error, _out: &mut String) {}
}

impl Relay {
    /// The last bytes for the caller: none when what went by was whole, else what is missing, else an error.
    ///
    /// `tail` is the end of what passed natively, and `passed` how many bytes that was in all.
    pub fn end(&mut self, how: Ended, tail: &[u8], passed: u64) -> Vec<u8> {
        let out = self.ended(how, tail, passed);
        self.note_sent(&out);
        out
    }

    fn ended(&mut self, how: Ended, tail: &[u8], passed: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.read_tail(tail, passed);
        if self.closed {
            return out;
        }
        if self.failure.is_none() {
            self.close(how, &mut out);
        }
        self.meter.estimate(self.closed);
        out
    }

    fn close(&mut self, how: Ended, out: &mut Vec<u8>) {
        let mut frames = std::mem::take(&mut self.frames);
        let native = self.is_native();
        if native && frames.pending() > 0 {
            out.extend_from_slice(BLANK);
        }
        if let Some(frame) = frames.last_frame().filter(|_| how == Ended::Closed) {
            self.frame(&frame, if native { None } else { Some(out) });
        }
        if matches!(self.carriage, Carriage::Verbatim { hide_usage: true }) && !out.is_empty() && self.failure.is_none() {
            out.extend_from_slice(BLANK);
        }
        if self.closed || self.failure.is_some() {
            return;
        }
        let mut events = Vec::new();
        // The reader knows whether the reason to stop was told: then however it ended, the answer is whole.
        self.reader.close(&mut events);
        for event in &events {
            self.note(event);
        }
        if events.contains(&Event::End) && self.failure.is_none() {
            let events = self.follow(events);
            if let (Carriage::Translated, true) = (&self.carriage, self.told.is_some()) {
                self.write(&events, out);
            }
            self.finish(out, true);
            return;
        }
        self.broke_off = Some(how);
        let outcome = match how {
            Ended::Closed => outcome::broken(0),
            Ended::Cut => outcome::of_transport(Transport::Reset),
            Ended::Idle => outcome::of_transport(Transport::Timeout(Phase::Idle)),
            Ended::Total => outcome::of_transport(Transport::Timeout(Phase::Total)),
            Ended::Gone => outcome::of_transport(Transport::ClientGone),
            // Nobody's fault but ours.
            Ended::Trap => return,
        };
        self.fail(UpstreamError::default(), outcome);
        self.write_failure(out);
    }

    /// Unless somebody else is to say it.
    pub(super) fn write_failure(&mut self, out: &mut Vec<u8>) {
        if self.told.is_none() {
            self.last_words(out);
        }
    }

    /// The closing frames of a broken answer.
    pub(super) fn last_words(&mut self, out: &mut Vec<u8>) {
        let Some(error) = self.error() else { return };
        if let Carriage::Reframed(shape) = &mut self.carriage {
            shape.write(&self.caller.write_error(&error, &self.request_id), out);
            shape.close(out);
            return;
        }
        let mut text = String::new();
        self.writer.fail(&error, &mut text);
        out.extend_from_slice(text.as_bytes());
    }

    /// The failure as the caller would be told it.
    pub(super) fn error(&self) -> Option<Error> {
        let (upstream, outcome) = self.failure.as_ref()?;
        let mut error = outcome.to_error(&self.provider, upstream);
        if let Some(how) = self.broke_off {
            how.message().clone_into(&mut error.message);
        }
        Some(error)
    }

    /// Gives up the caller's stream, for another relay to go on with.
    pub(super) fn hand_over(&mut self) -> Option<Thread> {
        let told = self.told.take()?;
        Some(Thread { writer: std::mem::replace(&mut self.writer, Box::new(Silent)), told })
    }

    /// Goes on with a caller's stream.
    pub(super) fn take_over(&mut self, thread: Thread) {
        self.carriage = Carriage::Translated;
        self.writer = thread.writer;
        self.told = Some(thread.told);
    }

    /// The answer is whole. `supply`: the provider left out its terminal marker, and the caller's SDK waits for one.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>, supply: bool) {
        self.closed = true;
        self.meter.estimate(self.closed);
        match &self.carriage {
            Carriage::Verbatim { .. } if supply => out.extend_from_slice(self.terminal.as_bytes()),
            Carriage::Verbatim { .. } => {}
            Carriage::Reframed(shape) => shape.close(out),
            Carriage::Translated => {
                let (stop, stop_sequence) = self.stop.take().unwrap_or((StopReason::End, None));
                let Spent { usage, cost, .. } = self.paid();
                let mut text = String::new();
                self.writer.finish(&Finish { stop, stop_sequence, more: std::mem::take(&mut self.more), usage, cost }, &mut text);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// What all targets of this answer were paid.
    fn paid(&self) -> Spent {
        let receipt = &self.meter.receipt;
        let own = Spent::of(receipt.usage.unwrap_or_default(), self.price.as_ref(), receipt.estimated);
        match self.told.as_ref().and_then(|told| told.spent) {
            Some(before) => before.plus(own),
            None => own,
        }
    }

    fn read_tail(&mut self, tail: &[u8], passed: u64) {
        if tail.is_empty() || self.closed {
            return;
        }
        let kept = u64::try_from(tail.len()).unwrap_or(u64::MAX);
        let whole = kept == passed;
        let before = self.meter.text_bytes();
        if !whole {
            self.frames = Decoder::new(self.framing);
        }
        if self.frames.push(tail).is_err() {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        let mut first = !whole;
        while let Some(frame) = frames.next_frame() {
            if !std::mem::take(&mut first) {
                self.frame(&frame, None);
            }
        }
        self.frames = frames;
        self.meter.add_skipped(before, passed.saturating_sub(kept), kept);
    }
}
