//! The way back of a stream: from the provider's bytes to the caller's, through the commit point to a truthful end.
//!
//! Until it is committed a relay only collects, and may be thrown away unseen. After that it never ends cleanly unless
//! the answer was whole.

use std::rc::Rc;

use serde_json::Value;

pub use super::ended::Ended;
use super::{
    carriage::{Carriage, Shape},
    meter::Meter,
};
use crate::{
    catalog::Price,
    chat::{
        event::{Event, Finish, Stamp, UpstreamError},
        response::StopReason,
    },
    dialect::{Asked, Caller, Dialect, EventReader, EventWriter, Facts},
    error::{Error, Kind},
    ledger::{Receipt, cost},
    plan::outcome::{self, Outcome, Phase, Transport},
    wire::{
        framing::{Decoder, Framing},
        sse::Frame,
    },
};

/// Metadata held back before the first content: events and bytes. A provider that sends more is talking, and is let through.
const MAX_HELD_EVENTS: usize = 64;
const MAX_HELD_BYTES: usize = 256 << 10;

/// Ends a line and an event that the provider left open: what follows would be lost in them.
const BLANK: &[u8] = b"\n\n";

/// What a relay is made for.
pub struct Route {
    pub caller: &'static dyn Caller,
    pub upstream_dialect: Dialect,
    /// The caller's dialect is the provider's: its data pass as they are.
    pub verbatim: bool,
    /// How the provider cuts its stream.
    pub framing: Framing,
    pub request_id: String,
    pub facts: Facts,
    pub body: Rc<Vec<u8>>,
    pub stamp: Stamp,
    /// The provider's name, for errors.
    pub provider: String,
    pub price: Option<Price>,
    /// An answer that the provider's filter withheld whole is a failure.
    pub moves_on_when_filtered: bool,
    /// For the estimate when the provider reports no usage.
    pub request_bytes: u64,
}

pub struct Relay {
    frames: Decoder,
    framing: Framing,
    reader: Box<dyn EventReader>,
    writer: Box<dyn EventWriter>,
    carriage: Carriage,
    terminal: &'static str,
    caller: &'static dyn Caller,
    request_id: String,
    provider: String,
    price: Option<Price>,
    moves_on_when_filtered: bool,
    held_events: usize,
    held_bytes: usize,
    committed: bool,
    /// The terminal marker went to the caller.
    closed: bool,
    failure: Option<(UpstreamError, Outcome)>,
    /// How it ended without its provider saying anything.
    broke_off: Option<Ended>,
    trap: Vec<u8>,
    meter: Meter,
    stop: Option<(StopReason, Option<String>)>,
    /// Of further answers.
    more: Vec<(usize, StopReason)>,
}

impl Relay {
    pub fn new(route: Route) -> Self {
        let upstream = route.upstream_dialect.upstream();
        let hide_usage = !route.facts.wants_usage && !upstream.always_reports_usage();
        let carriage = match (route.verbatim, route.facts.array) {
            (true, false) => Carriage::Verbatim { hide_usage },
            (true, true) => Carriage::Reframed(Shape::Array { begun: false }),
            (false, _) => Carriage::Translated,
        };
        let body = if route.verbatim { &[] } else { route.body.as_slice() };
        let asked = Asked { stamp: route.stamp, facts: &route.facts, body };
        let mut trap = String::new();
        let failed = Error::new(Kind::Internal, Ended::Trap.message());
        route.caller.event_writer(&asked).fail(&failed, &mut trap);
        Self {
            frames: Decoder::new(route.framing),
            framing: route.framing,
            reader: upstream.event_reader(),
            writer: route.caller.event_writer(&asked),
            carriage,
            terminal: route.caller.terminal(),
            caller: route.caller,
            request_id: route.request_id,
            price: route.price,
            moves_on_when_filtered: route.moves_on_when_filtered,
            held_events: 0,
            held_bytes: 0,
            committed: false,
            closed: false,
            failure: None,
            broke_off: None,
            provider: route.provider,
            trap: trap.into_bytes(),
            meter: Meter::new(route.request_bytes),
            stop: None,
            more: vec![],
        }
    }

    /// Whether the rest may pass without being looked at: nothing is to be done inside it.
    pub const fn is_native(&self) -> bool {
        matches!((&self.carriage, self.framing), (Carriage::Verbatim { hide_usage: false }, Framing::Sse))
    }

    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    /// The failure that the provider reported before anything was committed.
    pub fn failure(&self) -> Option<&(UpstreamError, Outcome)> {
        self.failure.as_ref()
    }

    pub const fn receipt(&self) -> &Receipt {
        &self.meter.receipt
    }

    /// The provider's own report of usage.
    pub fn raw_usage(&self) -> Option<&Value> {
        self.reader.raw_usage()
    }

    /// Chunk in, bytes for the caller out. Before the commit point the caller of this function keeps them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        if self.closed || self.failure.is_some() {
            return out;
        }
        let native = self.is_native();
        if native {
            out.extend_from_slice(bytes);
        }
        if self.frames.push(bytes).is_err() {
            self.fail(
                UpstreamError { message: "an event was too large".to_owned(), ..UpstreamError::default() },
                outcome::broken(0),
            );
            self.write_failure(&mut out);
            return out;
        }
        let mut frames = std::mem::take(&mut self.frames);
        while let Some(frame) = frames.next_frame() {
            self.frame(&frame, if native { None } else { Some(&mut out) });
            if self.closed || self.failure.is_some() {
                break;
            }
        }
        self.frames = frames;
        self.held_bytes = self.held_bytes.saturating_add(bytes.len());
        if self.failure.is_none() && (self.held_events > MAX_HELD_EVENTS || self.held_bytes > MAX_HELD_BYTES) {
            self.committed = true;
        }
        out
    }

    /// The last bytes for the caller: none when what went by was whole, else what is missing, else an error.
    ///
    /// `tail` is the end of what passed natively, and `passed` how many bytes that was in all.
    pub fn end(&mut self, how: Ended, tail: &[u8], passed: u64) -> Vec<u8> {
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
            self.finish(out, true);
            return;
        }
        let outcome = match how {
            Ended::Closed => outcome::broken(0),
            Ended::Cut => outcome::of_transport(Transport::Reset),
            Ended::Idle => outcome::of_transport(Transport::Timeout(Phase::Idle)),
            Ended::Total => outcome::of_transport(Transport::Timeout(Phase::Total)),
            Ended::Gone => outcome::of_transport(Transport::ClientGone),
            Ended::Trap => outcome::broken(0),
        };
        self.fail(UpstreamError::default(), outcome);
        self.broke_off = Some(how);
        self.write_failure(out);
    }

    fn frame(&mut self, frame: &Frame<'_>, out: Option<&mut Vec<u8>>) {
        let mut events = Vec::new();
        if frame.data.is_some() {
            self.reader.read(frame, &mut events);
            self.held_events += 1;
        }
        for event in &events {
            self.note(event);
        }
        match (out, &mut self.carriage) {
            (None, _) => {
                if events.contains(&Event::End) && self.failure.is_none() {
                    self.finish(&mut Vec::new(), false);
                }
            }
            (Some(out), Carriage::Verbatim { hide_usage }) => {
                let hide_usage = *hide_usage;
                self.pass(frame, &events, hide_usage, out);
            }
            (Some(out), Carriage::Reframed(shape)) => {
                let is_good = !events.contains(&Event::Malformed) && self.failure.is_none();
                if let Some(data) = frame.data.as_deref().filter(|_| is_good) {
                    shape.write(data, out);
                }
                self.after_events(&events, out);
            }
            (Some(out), Carriage::Translated) => self.translate(&events, out),
        }
    }

    fn after_events(&mut self, events: &[Event], out: &mut Vec<u8>) {
        if self.failure.is_some() {
            self.write_failure(out);
        } else if events.contains(&Event::End) {
            self.finish(out, false);
        }
    }

    /// The same dialect, but looked at: the report nobody asked for and frames nobody can read stay out.
    fn pass(&mut self, frame: &Frame<'_>, events: &[Event], hide_usage: bool, out: &mut Vec<u8>) {
        let only_usage = !events.is_empty() && events.iter().all(|e| matches!(e, Event::Usage(_)));
        let malformed = events.contains(&Event::Malformed);
        let failed = self.failure.is_some();
        if !(malformed || failed || hide_usage && only_usage) {
            out.extend_from_slice(frame.raw);
        }
        if failed {
            self.write_failure(out);
        } else if events.contains(&Event::End) {
            self.finish(&mut Vec::new(), false);
        }
    }

    fn translate(&mut self, events: &[Event], out: &mut Vec<u8>) {
        let mut text = String::new();
        for event in events {
            self.writer.write(event, &mut text);
        }
        out.extend_from_slice(text.as_bytes());
        self.after_events(events, out);
    }

    /// What went by, for the receipt; no bytes.
    fn note(&mut self, event: &Event) {
        if self.moves_on_when_filtered
            && !self.committed
            && matches!(event, Event::Stop { choice: 0, reason: StopReason::ContentFilter, .. })
        {
            self.fail(UpstreamError::default(), outcome::filtered());
        }
        self.committed |= event.is_content() && self.failure.is_none();
        self.meter.note(event);
        match event {
            Event::Stop { choice: 0, reason, sequence } => self.stop = Some((*reason, sequence.clone())),
            Event::Stop { choice, reason, .. } => self.more.push((*choice, *reason)),
            Event::Failed(error) => {
                self.fail(error.clone(), outcome::in_band(error));
            }
            // An end with nothing before it, not even the reason for it: no answer.
            Event::End if !self.committed => self.fail(UpstreamError::default(), outcome::broken(0)),
            Event::Start { .. }
            | Event::BlockStart { .. }
            | Event::BlockDelta { .. }
            | Event::BlockEnd { .. }
            | Event::Usage(_)
            | Event::Malformed
            | Event::End => {}
        }
    }

    fn fail(&mut self, error: UpstreamError, outcome: Outcome) {
        if self.failure.is_none() {
            self.failure = Some((error, outcome));
        }
    }

    fn write_failure(&mut self, out: &mut Vec<u8>) {
        let Some((upstream, outcome)) = &self.failure else { return };
        let mut error = outcome.to_error(&self.provider, upstream);
        if let Some(how) = self.broke_off {
            how.message().clone_into(&mut error.message);
        }
        let mut text = String::new();
        if let Carriage::Reframed(shape) = &mut self.carriage {
            shape.write(&self.caller.write_error(&error, &self.request_id), out);
            shape.close(out);
            return;
        }
        self.writer.fail(&error, &mut text);
        out.extend_from_slice(text.as_bytes());
    }

    /// The answer is whole. `supply`: the provider left out its terminal marker, and the caller's SDK waits for one.
    fn finish(&mut self, out: &mut Vec<u8>, supply: bool) {
        self.closed = true;
        self.meter.estimate(self.closed);
        match &self.carriage {
            Carriage::Verbatim { .. } if supply => out.extend_from_slice(self.terminal.as_bytes()),
            Carriage::Verbatim { .. } => {}
            Carriage::Reframed(shape) => shape.close(out),
            Carriage::Translated => {
                let (stop, stop_sequence) = self.stop.take().unwrap_or((StopReason::End, None));
                let usage = self.meter.receipt.usage.unwrap_or_default();
                let cost = self.price.as_ref().map(|price| cost::of(&usage, price));
                let mut text = String::new();
                self.writer.finish(&Finish { stop, stop_sequence, more: std::mem::take(&mut self.more), usage, cost }, &mut text);
                out.extend_from_slice(text.as_bytes());
            }
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

    /// The frames to send should this relay die with the instance it lives in.
    pub fn trap_frames(&self) -> &[u8] {
        &self.trap
    }

    /// How it ended, for health and the record; `None` when the answer was whole.
    pub fn fault(&self) -> Option<&Outcome> {
        self.failure.as_ref().map(|(_, outcome)| outcome)
    }
}
