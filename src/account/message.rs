//! What an isolate and its tenant's object tell each other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Amounts, Refusal};
use crate::{
    config::Rules,
    ledger::entry::{Closing, Opening},
    sorted::SortedMap,
    units::Millis,
};

/// A request, and whose allowance it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub opening: Opening,
    pub holds: Vec<Hold>,
}

/// A subject of a request, and the lease that the isolate took its allowance from; 0: none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub subject: String,
    pub lease: u64,
}

/// From an isolate to its tenant's object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Value", try_from = "Value")]
pub struct Message {
    pub isolate: u64,
    /// By the isolate's clock; the reply says it again.
    pub sent: Millis,
    /// Of the subjects that are named below, as the isolate's configuration has them.
    pub rules: SortedMap<String, Rules>,
    /// Requests that go on when the reply says so.
    pub asks: Vec<Entry>,
    /// Requests that went on, on leases or without limits.
    pub opened: Vec<Entry>,
    pub closed: Vec<Closing>,
    /// Requests still under way.
    pub alive: Vec<String>,
    /// What leases would be for, by subject.
    pub wants: Vec<(String, Amounts)>,
    /// Leases that nothing more is taken from: subject and number.
    pub returned: Vec<(String, u64)>,
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
    /// Of what comes a second time, because a reply was lost, nothing is counted twice: what the ledger has closed is left
    /// out. What is still open the account knows itself.
    pub fn leave_out(&mut self, is_closed: impl Fn(&str) -> bool) {
        self.asks.retain(|entry| !is_closed(&entry.opening.id));
        self.opened.retain(|entry| !is_closed(&entry.opening.id));
        self.closed.retain(|closing| !is_closed(&closing.id));
    }
}
