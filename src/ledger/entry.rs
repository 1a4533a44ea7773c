//! A request in its tenant's ledger: opened before the call, closed exactly once.

use serde::{Deserialize, Serialize};

use crate::units::{Millis, Money};

/// A request that is about to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Opening {
    /// The gateway's own id: a caller's says nothing of who is billed.
    pub id: String,
    pub at: Millis,
    pub key: String,
    pub tags: Vec<String>,
    /// A digest of the end user's name; empty where none was named.
    pub user: String,
    pub route: String,
    /// The most it may cost, held back until it is closed.
    pub reserved: Money,
    /// What its prompt costs at least, for one that is never heard of again.
    pub prompt: Money,
    /// Tokens it was admitted with.
    pub tokens: u64,
    /// Whose limits and budgets it is under, each with the lease its part was taken from; 0: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<(String, u64)>,
}

/// Who closed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    #[default]
    Finish,
    /// The client left.
    Disconnect,
    /// Nobody did, in time.
    Sweep,
}

/// How it ended, and what is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Closing {
    pub id: String,
    pub at: Millis,
    pub close: Close,
    pub status: u16,
    /// `ok`, or what went wrong last.
    pub outcome: String,
    pub provider: String,
    pub model: String,
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub output: u64,
    /// What was paid, as far as a price is known.
    pub cost: Money,
    /// No price is known for some of it.
    pub unpriced: bool,
    /// Reckoned from sizes, for the provider told nothing.
    pub estimated: bool,
    /// Targets after the first.
    pub failovers: u32,
}
