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
    told::Told,
};
use crate::{
    cache::MAX_BYTES,
    catalog::Price,
    chat::{
        event::{Event, Stamp, UpstreamError},
        response::StopReason,
    },
    config::OnStreamBreak,
    dialect::{Asked, Caller, Dialect, EventReader, EventWriter, Facts},
    error::{Error, Kind},
    ledger::Receipt,
    plan::outcome::{self, Outcome},
    wire::{
        framing::{Decoder, Framing},
        sse::Frame,
    },
};

/// Metadata held back before the first content: events and bytes. A provider that sends more is talking, and is let through.
const MAX_HELD_EVENTS: usize = 64;
const MAX_HELD_BYTES: usize = 256 << 10;

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
    pub on_break: OnStreamBreak,
    pub price: Option<Price>,
    /// An answer that the provider's filter withheld whole is a failure.
    pub moves_on_when_filtered: bool,
    /// For the estimate when the provider reports no usage.
    pub request_bytes: u64,
}

pub struct Relay {
    pub(super) frames: Decoder,
    pub(super) framing: Framing,
    pub(super) dialect: Dialect,
    pub(super) reader: Box<dyn EventReader>,
    pub(super) writer: Box<dyn EventWriter>,
    pub(super) carriage: Carriage,
    pub(super) terminal: &'static str,
    pub(super) caller: &'static dyn Caller,
    pub(super) request_id: String,
    pub(super) provider: String,
    pub(super) price: Option<Price>,
    moves_on_when_filtered: bool,
    held_events: usize,
    held_bytes: usize,
    /// Nothing passes unseen, for its end matters to what follows.
    watched: bool,
    pub(super) committed: bool,
    /// The terminal marker went to the caller.
    pub(super) closed: bool,
    pub(super) failure: Option<(UpstreamError, Outcome)>,
    /// How it ended without its provider saying anything.
    pub(super) broke_off: Option<Ended>,
    trap: Vec<u8>,
    pub(super) meter: Meter,
    pub(super) stop: Option<(StopReason, Option<String>)>,
    /// Of further answers.
    pub(super) more: Vec<(usize, StopReason)>,
    /// Kept where another target may go on; then it is not for the relay to say that it broke.
    pub(super) told: Option<Box<Told>>,
    /// A filter ended one of its answers.
    filtered: bool,
    /// What the caller was sent, where it is kept.
    recorded: Option<Vec<u8>>,
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
        let follows = route.on_break == OnStreamBreak::Continue;
        let body = if route.verbatim && !follows { &[] } else { route.body.as_slice() };
        let asked = Asked { stamp: route.stamp, facts: &route.facts, body };
        let mut trap = String::new();
        let failed = Error::new(Kind::Internal, Ended::Trap.message());
        route.caller.event_writer(&asked).fail(&failed, &mut trap);
        Self {
            frames: Decoder::new(route.framing),
            framing: route.framing,
            dialect: route.upstream_dialect,
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
            watched: route.on_break != OnStreamBreak::Error,
            committed: false,
            closed: false,
            failure: None,
            broke_off: None,
            provider: route.provider,
            trap: trap.into_bytes(),
            meter: Meter::new(route.request_bytes),
            stop: None,
            more: vec![],
            told: follows.then(Box::default),
            filtered: false,
            recorded: None,
        }
    }

    /// What the caller is sent is to be kept: then every byte is seen.
    pub fn record(&mut self) {
        self.watched = true;
        self.recorded = Some(vec![]);
    }

    /// All that the caller was sent, if it is a whole answer that nobody withheld or mangled.
    pub fn take_recorded(&mut self) -> Option<Vec<u8>> {
        let is_whole = self.closed && self.failure.is_none() && self.broke_off.is_none() && self.meter.receipt.malformed == 0;
        self.recorded.take().filter(|_| is_whole && !self.filtered)
    }

    pub(super) fn note_sent(&mut self, out: &[u8]) {
        let Some(recorded) = &mut self.recorded else { return };
        recorded.extend_from_slice(out);
        if recorded.len() > MAX_BYTES {
            self.recorded = None;
        }
    }

    /// Whether the rest may pass without being looked at: nothing is to be done inside it.
    pub const fn is_native(&self) -> bool {
        !self.watched && matches!((&self.carriage, self.framing), (Carriage::Verbatim { hide_usage: false }, Framing::Sse))
    }

    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    /// Whether nothing that comes still counts.
    pub const fn is_over(&self) -> bool {
        self.closed || self.failure.is_some()
    }

    /// Whether the answer is complete, though its stream may stay open. `tail`: the end of what passed natively.
    pub fn is_told(&self, tail: &[u8]) -> bool {
        if self.closed || self.reader.has_stopped() {
            return true;
        }
        let (mut frames, mut reader, mut events) = (Decoder::new(self.framing), self.dialect.upstream().event_reader(), vec![]);
        if frames.push(tail).is_err() {
            return false;
        }
        while let Some(frame) = frames.next_frame() {
            reader.read(&frame, &mut events);
        }
        reader.has_stopped() || events.contains(&Event::End)
    }

    /// Whether the caller's stream outlives this one, should it break.
    pub const fn is_followed(&self) -> bool {
        self.told.is_some()
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
        let out = self.pushed(bytes);
        self.note_sent(&out);
        out
    }

    fn pushed(&mut self, bytes: &[u8]) -> Vec<u8> {
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

    pub(super) fn frame(&mut self, frame: &Frame<'_>, out: Option<&mut Vec<u8>>) {
        let mut events = Vec::new();
        if frame.data.is_some() {
            self.reader.read(frame, &mut events);
            self.held_events += 1;
        }
        for event in &events {
            self.note(event);
        }
        let events = self.follow(events);
        match (out, &mut self.carriage) {
            (None, _) => {
                if events.contains(&Event::End) && self.failure.is_none() {
                    self.finish(&mut Vec::new(), false);
                }
            }
            (Some(out), Carriage::Verbatim { hide_usage }) => {
                let hide_usage = *hide_usage;
                self.pass(frame, &events, hide_usage, out);
                self.shadow(frame, &events);
            }
            (Some(out), Carriage::Reframed(shape)) => {
                let is_good = !events.contains(&Event::Malformed) && self.failure.is_none();
                if let Some(data) = frame.data.as_deref().filter(|_| is_good) {
                    shape.write(data, out);
                }
                self.after_events(&events, out);
                self.shadow(frame, &events);
            }
            (Some(out), Carriage::Translated) => self.translate(&events, out),
        }
    }

    /// What the caller is told, where another target may go on with it.
    pub(super) fn follow(&mut self, events: Vec<Event>) -> Vec<Event> {
        match &mut self.told {
            Some(told) => told.follow(events, self.committed),
            None => events,
        }
    }

    /// The writer learns what the caller was sent without it: it may have to go on.
    fn shadow(&mut self, frame: &Frame<'_>, events: &[Event]) {
        if self.told.is_some() && self.failure.is_none() {
            let mut unsent = String::new();
            for event in events {
                self.writer.write(event, &mut unsent);
            }
            self.writer.adopt(frame);
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
        self.write(events, out);
        self.after_events(events, out);
    }

    pub(super) fn write(&mut self, events: &[Event], out: &mut Vec<u8>) {
        let mut text = String::new();
        for event in events {
            self.writer.write(event, &mut text);
        }
        out.extend_from_slice(text.as_bytes());
    }

    /// What went by, for the receipt; no bytes.
    pub(super) fn note(&mut self, event: &Event) {
        if self.moves_on_when_filtered
            && !self.committed
            && matches!(event, Event::Stop { choice: 0, reason: StopReason::ContentFilter, .. })
        {
            self.fail(UpstreamError::default(), outcome::filtered());
        }
        self.committed |= event.is_content() && self.failure.is_none();
        self.meter.note(event);
        self.filtered |= matches!(event, Event::Stop { reason: StopReason::ContentFilter, .. });
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

    pub(super) fn fail(&mut self, error: UpstreamError, outcome: Outcome) {
        if self.failure.is_none() {
            self.failure = Some((error, outcome));
        }
    }

    /// The frames to send should this relay die with the instance it lives in.
    pub fn trap_frames(&self) -> &[u8] {
        &self.trap
    }

    pub fn heartbeat(&self) -> &'static str {
        self.caller.heartbeat()
    }

    /// How it ended, for health and the record; `None` when the answer was whole.
    pub fn fault(&self) -> Option<&Outcome> {
        self.failure.as_ref().map(|(_, outcome)| outcome)
    }

    /// Whether it died with the instance it lived in.
    pub fn has_trapped(&self) -> bool {
        self.broke_off == Some(Ended::Trap)
    }
}
