//! What is told to the outside: each counter and each spread of times, once, under both its names.

use super::{
    series::{ADDED, COST, COUNTS, FIRST, LABELS, Names, Series, WASTED, WHOLE},
    table::Table,
};
use crate::units::Money;

/// A counter.
pub(super) struct Family {
    count: &'static str,
    /// As Prometheus has it, without `portolan_` and `_total`.
    pub name: &'static str,
    /// As OpenTelemetry has it: the conventions' own where there is one.
    pub otlp: &'static str,
    pub unit: &'static str,
    pub help: &'static str,
}

const fn family(count: &'static str, name: &'static str, otlp: &'static str, unit: &'static str, help: &'static str) -> Family {
    Family { count, name, otlp, unit, help }
}

pub(super) const FAMILIES: [Family; COUNTS.len()] = [
    family("requests", "requests", "portolan.requests", "{request}", "Requests that ended."),
    family("errors", "errors", "portolan.errors", "{request}", "Requests that failed by the gateway's or a provider's fault."),
    family(
        "client_errors",
        "client_errors",
        "portolan.client_errors",
        "{request}",
        "Requests that failed by their caller's fault.",
    ),
    family("failovers", "failovers", "portolan.failovers", "{target}", "Targets that were tried after the first one."),
    family("breaks", "stream_breaks", "portolan.stream_breaks", "{request}", "Streams that broke after they had begun."),
    family("tries", "tries", "portolan.tries", "{try}", "Calls to providers, by how each of them ended."),
    family(
        "hedges",
        "hedged_requests",
        "portolan.hedged_requests",
        "{request}",
        "Requests for which a second call was sent beside the first.",
    ),
    family("cache_hits", "cache_hits", "portolan.cache_hits", "{request}", "Requests answered from the response cache."),
    family(
        "cache_misses",
        "cache_misses",
        "portolan.cache_misses",
        "{request}",
        "Requests that the response cache had no answer for.",
    ),
    family(
        "input",
        "input_tokens",
        "portolan.input_tokens",
        "{token}",
        "Tokens of prompts that were neither read from nor written to a prompt cache.",
    ),
    family(
        "cache_read",
        "cache_read_tokens",
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "{token}",
        "Tokens of prompts that were read from a prompt cache.",
    ),
    family(
        "cache_write",
        "cache_write_tokens",
        "gen_ai.client.inference.usage.cache_write.input_tokens",
        "{token}",
        "Tokens of prompts that were written to a prompt cache.",
    ),
    family(
        "output",
        "output_tokens",
        "gen_ai.client.inference.usage.output_tokens",
        "{token}",
        "Tokens of answers, with those of reasoning.",
    ),
    family(
        "reasoning",
        "reasoning_tokens",
        "gen_ai.client.inference.usage.reasoning.output_tokens",
        "{token}",
        "Tokens of reasoning, which are part of the output.",
    ),
    family("cost", "cost_dollars", "portolan.cost", "USD", "What requests cost, by the price book."),
    family(
        "wasted",
        "hedge_cost_dollars",
        "portolan.hedge_cost",
        "USD",
        "What cancelled calls of hedging cost at least, estimated; not part of the cost.",
    ),
    family("unpriced", "unpriced_requests", "portolan.unpriced_requests", "{request}", "Requests of which no price is known."),
];

impl Family {
    /// Its number in a series, if it has one.
    pub fn of(&self, series: &Series) -> Option<u64> {
        let at = COUNTS.iter().position(|count| *count == self.count)?;
        Some(series.count(at)).filter(|count| *count > 0)
    }

    pub fn is_money(&self) -> bool {
        [COST, WASTED].iter().any(|at| COUNTS.get(*at) == Some(&self.count))
    }

    pub fn text(&self, number: u64) -> String {
        if self.is_money() { Money(number).dollars() } else { number.to_string() }
    }
}

/// A spread of times.
pub(super) struct Times {
    pub which: usize,
    pub name: &'static str,
    pub otlp: &'static str,
    pub help: &'static str,
    /// Its shortest and longest edge: two to the power of so many milliseconds.
    first: u32,
    last: u32,
}

pub(super) const SPREADS: [Times; 3] = [
    Times {
        which: FIRST,
        name: "time_to_first_token_seconds",
        otlp: "gen_ai.server.time_to_first_token",
        help: "From a request to the first content of its stream, failed tries included.",
        first: 4,
        last: 17,
    },
    Times {
        which: WHOLE,
        name: "request_duration_seconds",
        otlp: "gen_ai.client.operation.duration",
        help: "From a request to the end of its answer.",
        first: 4,
        last: 19,
    },
    Times {
        which: ADDED,
        name: "gateway_duration_seconds",
        otlp: "portolan.gateway.duration",
        help: "What the gateway added to the times of providers.",
        first: 0,
        last: 12,
    },
];

impl Times {
    /// The longest times of its buckets, in milliseconds.
    pub fn edges(&self) -> impl Iterator<Item = u64> + use<> {
        (self.first..=self.last).map(|power| 1 << power)
    }
}

/// Seconds as exact decimal text.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// The series without their outcomes: times by outcome are more lines than anybody draws.
pub(super) fn without_outcomes(table: &Table) -> Vec<(Vec<&str>, Series)> {
    let mut out: Vec<(Vec<&str>, Series)> = vec![];
    for (names, series) in table.iter() {
        let names = known(names);
        // Neighbours, for the outcome is the last name.
        match out.last_mut() {
            Some((last, sum)) if *last == names => sum.merge(series),
            _ => out.push((names, series.clone())),
        }
    }
    out
}

/// All names but the outcome.
fn known(names: &Names) -> Vec<&str> {
    names.iter().take(LABELS.len() - 1).map(String::as_str).collect()
}
