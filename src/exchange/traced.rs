//! A request's place in a trace, as it is told on.

use super::{Call, Exchange};
use crate::{
    config::Otlp,
    wire::trace::{Trace, is_traceparent, try_span},
};

pub const TRACEPARENT: &str = "traceparent";

impl Call {
    pub fn trace(&self) -> Trace {
        Trace::of(&self.id, self.header(TRACEPARENT))
    }
}

impl Exchange {
    /// The trace as the provider of a try is told it, or, without a try, the caller.
    pub(super) fn traced(&self, number: Option<usize>) -> Option<(String, String)> {
        traced(self.config.settings.traces(), &self.call.trace(), self.call.header(TRACEPARENT), number)
    }
}

/// Where nothing is told to a collector it passes as the caller said it: a span that nobody ever sees would tear the trace in two.
pub fn traced(otlp: Option<&Otlp>, trace: &Trace, said: Option<&str>, number: Option<usize>) -> Option<(String, String)> {
    let value = match otlp {
        Some(otlp) => {
            let span = number.map_or_else(|| trace.span_id.clone(), |number| try_span(&trace.span_id, number));
            trace.header(&span, otlp.samples(&trace.trace_id, trace.is_sampled()))
        }
        None => said.filter(|text| is_traceparent(text))?.to_owned(),
    };
    Some((TRACEPARENT.to_owned(), value))
}
