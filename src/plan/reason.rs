//! Why a target is where it is in a plan, or why it is not there.

use std::fmt;

use super::health::Standing;
use crate::{config::Strategy, units::Millis};

/// Why a target is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller named it, or it is first in priority.
    Priority {
        place: usize,
    },
    Weighted {
        place: usize,
    },
    /// Its circuit was open long enough; this request finds out whether it is back.
    Probe,
    /// All targets were out, and the route says to try anyway.
    TriedAnyway,
}

/// A candidate that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub target: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The provider's secret is missing; its usual names.
    NoCredential(Vec<String>),
    /// It has no dialect in which text is asked for: embeddings only.
    NoText,
    NoTools,
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
}

impl Reason {
    pub(super) const fn of(standing: Standing, strategy: Strategy, tried_anyway: bool, place: usize) -> Self {
        match (tried_anyway, standing, strategy) {
            (true, _, _) => Self::TriedAnyway,
            (_, Standing::Probe, _) => Self::Probe,
            (_, _, Strategy::Weighted) => Self::Weighted { place },
            (_, _, Strategy::Priority | Strategy::LeastCost | Strategy::LeastLatency | Strategy::Balanced | Strategy::Sticky) => {
                Self::Priority { place }
            }
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
            Self::Probe => write!(f, "probe"),
            Self::TriedAnyway => write!(f, "all unavailable, tried anyway"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.target)?;
        match &self.why {
            Why::NoCredential(names) if names.is_empty() => write!(f, "the provider is not configured"),
            Why::NoCredential(names) => write!(f, "no secret {}", names.join(" or ")),
            Why::NoText => write!(f, "writes no text"),
            Why::NoTools => write!(f, "cannot call tools"),
            Why::NotKept => write!(f, "does not keep the response that this one goes on from"),
            Why::NoOperation => write!(f, "does not do this"),
            Why::Duplicate => write!(f, "in the plan already"),
            Why::CircuitOpen { until } => write!(f, "circuit open until {}", until.0),
            Why::Cooling { until } => write!(f, "cooling until {}", until.0),
            Why::Shut { until } => write!(f, "shut by the operator until {}", until.0),
            Why::Blocked { until } => write!(f, "does not serve where this came in, asked again at {}", until.0),
            Why::Surplus => write!(f, "not needed"),
        }
    }
}
