//! A request in its tenant's ledger: opened before the call, closed exactly once.

use serde::{Deserialize, Serialize};

use super::{Payer, counted::is_fine, record::Record};
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
    /// The target that is tried first.
    pub provider: String,
    pub model: String,
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
    /// From the request to its end, and how much of that some provider was waited for.
    pub ms: u64,
    pub upstream_ms: u64,
    /// It was given up as lost, and this came after all.
    pub corrected: bool,
}

/// One request, as isolates tell of it and as it is kept. Whoever tells of its end tells of its beginning too, so that
/// messages may come twice, or not in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    pub open: Opening,
    pub close: Option<Closing>,
}

/// More than any request costs, ten thousand dollars: a price that is wrong must not make sums overflow.
const MAX_COST: Money = Money(10_000_000_000_000_000);
/// What became of a request that was never heard of again.
pub const LOST: &str = "lost";
/// Its caller left.
const GONE: &str = "gone";

impl Opening {
    /// Of one whose size nobody knows, or that no provider is asked about.
    pub fn passed(id: &str, at: Millis, payer: &Payer, (what, provider): (&str, &str)) -> Self {
        Self {
            id: id.to_owned(),
            at,
            key: payer.key.clone(),
            tags: payer.tags.clone(),
            route: what.to_owned(),
            provider: provider.to_owned(),
            ..Self::default()
        }
    }

    /// Its end, when it was not sent: nothing is held back for it any more.
    pub fn unsent(&self, now: Millis) -> Closing {
        Closing { close: Close::Finish, outcome: "refused".to_owned(), ..self.left(now) }
    }

    /// Its end, when the caller left before there was anything else to tell.
    pub fn left(&self, now: Millis) -> Closing {
        Closing {
            id: self.id.clone(),
            at: now,
            close: Close::Disconnect,
            outcome: GONE.to_owned(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            ms: now.since(self.at),
            ..Closing::default()
        }
    }

    /// Its end, when nobody tells of it: what is known to have been sent is owed.
    pub fn swept(&self, now: Millis) -> Closing {
        Closing {
            id: self.id.clone(),
            at: now,
            close: Close::Sweep,
            outcome: LOST.to_owned(),
            provider: self.provider.clone(),
            model: self.model.clone(),
            cost: self.prompt.min(MAX_COST),
            estimated: true,
            ms: now.since(self.at),
            ..Closing::default()
        }
    }
}

impl Closing {
    /// What a request's record says of its end.
    pub fn of(record: &Record) -> Self {
        let (usage, (cost, unpriced)) = (record.used(), record.paid());
        let is_gone = record.outcome == GONE;
        Self {
            id: record.id.clone(),
            at: record.time.plus(record.total_ms),
            close: if is_gone { Close::Disconnect } else { Close::Finish },
            status: record.status,
            outcome: record.outcome.to_owned(),
            provider: record.provider.clone().unwrap_or_default(),
            model: record.model.clone().unwrap_or_default(),
            input: usage.input,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            output: usage.output,
            cost: cost.min(MAX_COST),
            unpriced,
            estimated: record.estimated,
            failovers: u32::try_from(record.failovers()).unwrap_or(u32::MAX),
            ms: record.total_ms,
            upstream_ms: record.upstream_ms,
            corrected: false,
        }
    }

    /// Whether the caller was left without what it asked for, by no doing of its own.
    pub fn is_error(&self) -> bool {
        self.close != Close::Disconnect && !is_fine(&self.outcome)
    }
}
