//! A whole answer, and whole answers where streams were asked for and the other way round.

use super::{
    Exchange, State, Task,
    reply::{self, Body, Reply},
};
use crate::{
    chat::{
        event::{Event, UpstreamError},
        fold,
        request::Part,
        response::{Response, StopReason},
    },
    dialect::{Asked, Facts, Upstream},
    ledger::{Spent, numbers, record::OK},
    plan::{Attempt, health::Signal, outcome},
    units::{Millis, Money},
    wire::sse::Frames,
};

pub(super) const JSON: &str = "application/json";

/// The type of a stream as it was asked for.
pub(super) const fn stream_type(facts: &Facts) -> &'static str {
    if facts.array { JSON } else { "text/event-stream; charset=utf-8" }
}

impl Exchange {
    pub(super) fn received_whole(&mut self, bytes: &[u8], now: Millis) {
        if let Task::Operate(operation) = self.call.task {
            return self.received_operation(operation, bytes, now);
        }
        let text = String::from_utf8_lossy(bytes);
        let Some(attempt) = self.plan.attempts.get(self.attempt).cloned() else { return };
        let status = self.current.head.as_ref().map_or(0, |h| h.status);
        let upstream = attempt.dialect.upstream();
        if !(200..300).contains(&status) {
            return self.refused(upstream, &text, now);
        }
        if self.after.is_resumed() {
            // A stream was asked for, and there is one to go on with.
            return self.judge(outcome::broken(status), &UpstreamError::default(), now);
        }
        let is_stream = is_events(&text);
        let read = if is_stream { read_events(upstream, bytes) } else { upstream.read_response(&text) };
        match read {
            Err(error) => self.judge(outcome::in_band(&error), &error, now),
            Ok(response) if is_withheld(&response) && self.moves_on_when_filtered() => {
                self.judge(outcome::filtered(), &UpstreamError::default(), now);
            }
            Ok(response) => {
                self.answer(&attempt, &response, (bytes, is_stream), now);
            }
        }
    }

    /// A whole answer, on its way to the caller.
    fn answer(&mut self, attempt: &Attempt, response: &Response, (bytes, is_stream): (&[u8], bool), now: Millis) {
        self.receipt.usage = response.usage;
        self.receipt.raw_usage = response.raw_usage.as_ref().and_then(numbers::of);
        self.receipt.model.clone_from(&response.model);
        self.receipt.id.clone_from(&response.id);
        self.served(now);
        let cost = self.cost(attempt);
        // A provider that ignores `stream` has answered in the other form.
        let as_it_is = self.call.is_verbatim(attempt) && is_stream == self.call.facts.stream;
        let body = if as_it_is { Body::Upstream } else { Body::Text(self.write(attempt, response, cost)) };
        // In a stream that was read as a whole nobody counts what could not be read.
        if !is_stream {
            self.keep_answer(Some(response.stop), &body, bytes, now);
        }
        let content_type = if self.call.facts.stream { stream_type(&self.call.facts) } else { JSON };
        self.deliver(body, (content_type, cost), now);
    }

    /// The provider said no.
    pub(super) fn refused(&mut self, upstream: &dyn Upstream, text: &str, now: Millis) {
        let Some(head) = &self.current.head else { return };
        let error = upstream.read_error(head.status, text);
        let outcome = outcome::of_answer(head.status, &head.headers, &error, now);
        self.judge(outcome, &error, now);
    }

    /// The provider gave a whole answer.
    pub(super) fn served(&mut self, now: Millis) {
        let status = self.current.head.as_ref().map_or(200, |h| h.status);
        self.note_try(now, status, OK);
        self.learn_good(Signal::Served);
    }

    /// Of what the receipt counts.
    pub(super) fn cost(&self, attempt: &Attempt) -> Option<Money> {
        let price = self.config.price(&attempt.provider, &attempt.model);
        Spent::of(self.receipt.usage?, price, self.receipt.estimated).cost
    }

    pub(super) fn deliver(&mut self, body: Body, (content_type, cost): (&str, Option<Money>), now: Millis) {
        self.end_other(now);
        self.last = None;
        self.words = None;
        let status = self.current.head.as_ref().filter(|_| !self.served_here).map_or(200, |h| h.status);
        let mut headers = self.story(now);
        headers.extend(cost.map(|cost| ("x-portolan-cost".to_owned(), cost.dollars())));
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        if self.receipt.estimated && self.receipt.usage.is_none() {
            headers.push(("x-portolan-estimated".to_owned(), "true".to_owned()));
        }
        self.state = State::Done(Reply { status, headers, body });
    }

    /// The answer in the caller's dialect and in the form it asked for.
    fn write(&self, attempt: &Attempt, response: &Response, cost: Option<Money>) -> String {
        let facts = &self.call.facts;
        let asked = Asked { stamp: reply::stamp(&self.call, attempt), facts, body: &self.call.body };
        if !facts.stream {
            return self.call.caller.write_response(response, &asked, cost);
        }
        let (events, finish) = fold::unfold(response, cost);
        let (mut writer, mut out) = (self.call.caller.event_writer(&asked), String::new());
        for event in &events {
            writer.write(event, &mut out);
        }
        writer.finish(&finish, &mut out);
        out
    }
}

/// Whether the provider's filter let nothing of the answer through.
fn is_withheld(response: &Response) -> bool {
    let is_empty = |part: &Part| matches!(part, Part::Text { text, .. } if text.is_empty());
    response.stop == StopReason::ContentFilter && response.parts.iter().all(is_empty)
}

/// Whether an answer is a stream's text: `data:`, `event:` or a comment where JSON should begin.
fn is_events(text: &str) -> bool {
    let text = text.trim_start();
    ["data:", "event:", ":"].iter().any(|start| text.starts_with(start))
}

fn read_events(upstream: &dyn Upstream, bytes: &[u8]) -> Result<Response, UpstreamError> {
    let cut = |message: &str| UpstreamError { message: message.to_owned(), ..UpstreamError::default() };
    let (mut frames, mut reader, mut events) = (Frames::default(), upstream.event_reader(), vec![]);
    frames.push(bytes).map_err(|_| cut("The answer is too large."))?;
    while let Some(frame) = frames.next_frame() {
        reader.read(&frame, &mut events);
    }
    if let Some(frame) = frames.last_frame() {
        reader.read(&frame, &mut events);
    }
    reader.close(&mut events);
    let is_whole = events.iter().any(|event| matches!(event, Event::End | Event::Failed(_)));
    if is_whole { fold::fold(events) } else { Err(cut("The answer is a stream that broke off.")) }
}
