//! What is asked besides generating: each call once, and whole.

use super::{Call, Exchange, State, Task, answer::JSON, reply::Body};
use crate::{
    catalog::{Endpoint, Operation, Style},
    chat::Dialect,
    dialect::Facts,
    error::{Error, Kind},
    ledger::numbers,
    operation::{self, Answer, Sent, media},
    plan::{Attempt, outcome},
    units::Millis,
    wire::multipart,
};

/// The shape in which a caller of this dialect asks.
pub const fn style(operation: Operation, caller: Dialect) -> Style {
    match (operation, caller) {
        (_, Dialect::Gemini) => Style::Gemini,
        (Operation::CountTokens, Dialect::Anthropic) => Style::Anthropic,
        (Operation::Rerank, _) => Style::Jina,
        (Operation::Embed | Operation::Moderate | Operation::CountTokens | Operation::Image | Operation::Video, _) => {
            Style::OpenAi
        }
    }
}

/// What routing needs of a body of this type.
pub fn facts(operation: Operation, caller: Dialect, bytes: &[u8], content_type: &str) -> Result<Facts, Error> {
    match (operation, media::Body::read(bytes, content_type)?) {
        (Operation::Image | Operation::Video, body) => Ok(Facts { model: body.model()?, ..Facts::default() }),
        (Operation::Embed | Operation::Rerank | Operation::Moderate | Operation::CountTokens, media::Body::Json(outline)) => {
            operation::facts(operation, style(operation, caller), &outline)
        }
        (_, media::Body::Form { .. }) => Err(Error::new(Kind::InvalidRequest, "Send JSON here, no form.")),
    }
}

impl Call {
    /// Of the body; JSON where nobody says.
    pub(super) fn content_type(&self) -> &str {
        self.header("content-type").filter(|_| self.is_form()).unwrap_or(JSON)
    }

    fn is_form(&self) -> bool {
        self.header("content-type").and_then(multipart::boundary).is_some()
    }
}

/// The call to the provider of an attempt.
pub(super) fn write(operation: Operation, call: &Call, (endpoint, model): (Endpoint, &str)) -> Result<Sent, Error> {
    if call.is_form() {
        let body = media::Body::read(&call.body, call.content_type())?.with_model(model)?;
        return Ok(Sent { path: endpoint.path.to_owned(), body, dropped: vec![] });
    }
    operation::write(operation, style(operation, call.dialect), endpoint, &call.body, model)
}

/// Statuses of who has nothing at the path: it does not count, then.
const NOTHING_THERE: [u16; 3] = [404, 405, 501];

impl Exchange {
    pub(super) fn received_operation(&mut self, operation: Operation, bytes: &[u8], now: Millis) {
        let Some(attempt) = self.plan.attempts.get(self.attempt).cloned() else { return };
        let Some(endpoint) = attempt.endpoint else { return };
        let from = style(operation, self.call.dialect);
        let status = self.current.head.as_ref().map_or(0, |h| h.status);
        if operation == Operation::CountTokens && NOTHING_THERE.contains(&status) {
            return self.estimate(&attempt, now);
        }
        if !(200..300).contains(&status) {
            return self.refused(operation::dialect(endpoint.style).upstream(), &String::from_utf8_lossy(bytes), now);
        }
        // A form is no JSON, and nothing in it is needed to read the answer.
        let asked = if self.call.is_form() { b"{}".as_slice() } else { &self.call.body };
        match operation::read(operation, (from, endpoint.style), asked, bytes, &attempt.model) {
            Err(error) => self.judge(outcome::in_band(&error), &error, now),
            Ok(answer) => {
                self.served(now);
                self.give(&attempt, answer, bytes, now);
            }
        }
    }

    /// The provider does not count tokens: the gateway reckons.
    pub(super) fn estimate(&mut self, attempt: &Attempt, now: Millis) {
        let Task::Operate(operation) = self.call.task else { return };
        self.served_here = true;
        match operation::count::estimated(style(operation, self.call.dialect), &self.call.body, &attempt.model) {
            Ok(answer) => self.give(attempt, answer, &[], now),
            Err(error) => self.state = State::Done(self.refuse(&error, now)),
        }
    }

    fn give(&mut self, attempt: &Attempt, answer: Answer, bytes: &[u8], now: Millis) {
        self.receipt.usage = answer.usage;
        self.receipt.id = answer.id;
        self.receipt.estimated = answer.estimated;
        self.receipt.raw_usage = answer.raw_usage.as_ref().and_then(numbers::of);
        let cost = self.cost(attempt);
        let body = answer.body.map_or(Body::Upstream, Body::Text);
        self.keep_answer(None, &body, bytes, now);
        self.deliver(body, (JSON, cost), now);
    }
}
