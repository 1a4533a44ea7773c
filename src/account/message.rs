//! What an isolate and its tenant's object tell each other of limits and budgets.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Amounts, Refusal};
use crate::{config::Rules, ledger::entry::Opening, sorted::SortedMap, units::Millis};

/// From an isolate to its tenant's object, beside what it tells of requests that began and ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Message {
    pub isolate: u64,
    /// By the isolate's clock; the reply says it again.
    pub sent: Millis,
    /// Of the subjects that requests came for, as the isolate's configuration has them.
    pub rules: SortedMap<String, Rules>,
    /// Requests that go on when the reply says so.
    pub asks: Vec<Opening>,
    /// What leases would be for, by subject.
    pub wants: Vec<(String, Amounts)>,
    pub returned: Vec<Return>,
}

/// A lease that nothing more is taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Return {
    pub subject: String,
    pub number: u64,
    /// What nobody took. Of the rest the openings tell, sooner or later.
    pub left: Amounts,
}

/// From the object to an isolate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Reply {
    /// Of the message.
    pub sent: Millis,
    /// By request.
    pub verdicts: Vec<(String, Verdict)>,
    pub leases: Vec<Lease>,
    pub numbers: Vec<(String, Numbers)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Go,
    Refused(Refusal),
}

/// An allowance to be taken without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub subject: String,
    pub number: u64,
    pub left: Amounts,
    /// After the message was sent.
    pub for_ms: u64,
}

/// How a subject stands, for headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub requests: Option<Meter>,
    pub tokens: Option<Meter>,
    /// Picodollars that the tightest budget still has.
    pub money: Option<u64>,
}

/// One limit: how much there is, how much is left, and how long until all of it is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    pub limit: u64,
    pub left: u64,
    pub reset_ms: u64,
}

impl Message {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.asks.is_empty() && self.wants.is_empty() && self.returned.is_empty()
    }
}
