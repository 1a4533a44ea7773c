//! Why a target is where it is in a plan, or why it is not there.

use std::fmt;

use super::health::Standing;
use crate::{
    catalog::Feature,
    units::{Millis, Money},
};

/// Why a target is where it is. Places count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller named it, or it is first in priority.
    Priority {
        place: usize,
    },
    Weighted {
        place: usize,
    },
    /// Of this request, estimated; `None`: nobody knows its price.
    LeastCost {
        cost: Option<Money>,
    },
    /// To the first token; `None`: too few samples.
    LeastLatency {
        p50_ms: Option<u64>,
    },
    /// Least latency, and one of which too little is known had its turn.
    Explored,
    /// The score in thousandths, 1000 for the best there can be.
    Balanced {
        score: u64,
        cost: Option<Money>,
        p50_ms: Option<u64>,
    },
    Sticky {
        place: usize,
    },
    /// The caller's own order of providers.
    Wished {
        place: usize,
    },
    /// Its circuit was open long enough; this request finds out whether it is back.
    Probe,
    /// All targets were out, and the route says to try anyway.
    TriedAnyway,
    /// The plan had no room for it, but the request was too long for those that had.
    LargerWindow,
}

/// A candidate that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// A target, or a route that was not entered.
    pub target: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The provider's secret is missing; its usual names.
    NoCredential(Vec<String>),
    /// It has no dialect in which text is asked for: embeddings only.
    NoText,
    /// The request needs what it cannot do.
    Lacks(Feature),
    /// The request with its answer is longer than its window, whatever slack the estimate is given.
    TooLong {
        tokens: u64,
        context: u64,
    },
    /// Only targets that keep nothing are wanted, and nobody marked it so.
    KeepsData,
    /// The same, and what is asked for is a job that is kept until it is fetched.
    KeepsJobs,
    /// Not for requests that come in there.
    Elsewhere {
        region: String,
    },
    TooDear,
    /// There is a ceiling, and nobody knows what it costs.
    NoPrice,
    /// The route requires it, and it is not known to have it.
    Unproven(&'static str),
    /// The caller leaves this provider out, or asks for others only.
    Unwanted,
    /// The gateway key is for other providers only.
    NotForKey,
    /// What it stands in the route for is not the case.
    ConditionFails,
    /// The stored response that the request goes on from is kept elsewhere.
    NotKept,
    /// It does not do what is asked.
    NoOperation,
    /// The plan has this model already, with other parameters.
    Duplicate,
    CircuitOpen {
        until: Millis,
    },
    Cooling {
        until: Millis,
    },
    /// By the operator's word.
    Shut {
        until: Millis,
    },
    /// The provider does not serve where the request came in, it said.
    Blocked {
        until: Millis,
    },
    /// The plan was full.
    Surplus,
    /// The caller wants the first target, and nothing else.
    NoFallback,
    /// The routes lead to more targets than are looked at.
    TooMany,
}

impl Reason {
    /// The same at this place in the plan.
    pub(super) const fn at(self, place: usize) -> Self {
        match self {
            Self::Priority { .. } => Self::Priority { place },
            Self::Weighted { .. } => Self::Weighted { place },
            Self::Sticky { .. } => Self::Sticky { place },
            Self::Wished { .. } => Self::Wished { place },
            Self::LeastCost { .. }
            | Self::LeastLatency { .. }
            | Self::Explored
            | Self::Balanced { .. }
            | Self::Probe
            | Self::TriedAnyway
            | Self::LargerWindow => self,
        }
    }
}

impl Why {
    pub(super) const fn out(standing: Standing) -> Self {
        match standing {
            Standing::Cooling { until } => Self::Cooling { until },
            Standing::Open { until } => Self::CircuitOpen { until },
            Standing::Shut { until } => Self::Shut { until },
            Standing::Up | Standing::Degraded { .. } | Standing::Ramping { .. } | Standing::Probe | Standing::Drained => {
                Self::Surplus
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Priority { place } => write!(f, "priority {place}"),
            Self::Weighted { place } => write!(f, "weighted draw {place}"),
            Self::LeastCost { cost } => write!(f, "least cost {}", Cost(*cost)),
            Self::LeastLatency { p50_ms } => write!(f, "{}", Latency(*p50_ms)),
            Self::Explored => f.write_str("least latency, exploring"),
            Self::Balanced { score, cost, p50_ms } => {
                write!(f, "score {}.{:03}: {}, {}", score / 1_000, score % 1_000, Cost(*cost), Latency(*p50_ms))
            }
            Self::Sticky { place } => write!(f, "sticky {place}"),
            Self::Wished { place } => write!(f, "caller's order {place}"),
            Self::Probe => f.write_str("probe"),
            Self::TriedAnyway => f.write_str("all unavailable, tried anyway"),
            Self::LargerWindow => f.write_str("larger context window"),
        }
    }
}

struct Cost(Option<Money>);

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cost) => write!(f, "{} USD", cost.dollars()),
            None => f.write_str("price unknown"),
        }
    }
}

struct Latency(Option<u64>);

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ms) => write!(f, "p50 {ms} ms"),
            None => f.write_str("latency unknown"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.target, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential(names) if !names.is_empty() => write!(f, "no secret {}", names.join(" or ")),
            Self::TooLong { tokens, context } => write!(f, "some {tokens} tokens are too many for its {context}"),
            Self::Elsewhere { region } => write!(f, "not for requests from {region}"),
            Self::Unproven(what) => write!(f, "the route requires {what}, and it is not known to have it"),
            Self::CircuitOpen { until } => write!(f, "circuit open until {}", until.0),
            Self::Cooling { until } => write!(f, "cooling until {}", until.0),
            Self::Shut { until } => write!(f, "shut by the operator until {}", until.0),
            Self::Blocked { until } => write!(f, "does not serve where this came in, asked again at {}", until.0),
            Self::NoCredential(_) => f.write_str("the provider is not configured"),
            Self::Lacks(feature) => f.write_str(lacks(*feature)),
            Self::NoText => f.write_str("writes no text"),
            Self::KeepsData => f.write_str("not marked as keeping nothing (`zdr`)"),
            Self::KeepsJobs => f.write_str("keeps what it makes until it is fetched, and zero data retention is required"),
            Self::TooDear => f.write_str("costs more than the ceiling"),
            Self::NoPrice => f.write_str("there is a price ceiling, and its price is not known"),
            Self::Unwanted => f.write_str("left out by the caller's `provider`"),
            Self::NotForKey => f.write_str("not of the providers that the gateway key may use"),
            Self::ConditionFails => f.write_str("its `when` does not hold"),
            Self::NotKept => f.write_str("does not keep the response that this one goes on from"),
            Self::NoOperation => f.write_str("does not do this"),
            Self::Duplicate => f.write_str("in the plan already"),
            Self::Surplus => f.write_str("not needed"),
            Self::NoFallback => f.write_str("the caller wants no fallback"),
            Self::TooMany => f.write_str("the routes lead to more targets than are looked at"),
        }
    }
}

const fn lacks(feature: Feature) -> &'static str {
    match feature {
        Feature::Tools => "cannot call tools",
        Feature::Vision => "cannot see images",
        Feature::JsonSchema => "cannot be held to a JSON schema",
        Feature::Reasoning => "cannot reason",
        Feature::Audio => "cannot hear audio",
        Feature::Video => "cannot watch video",
        Feature::Files => "cannot read files",
    }
}
