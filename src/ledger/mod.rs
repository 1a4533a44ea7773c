//! What a request used, cost and is remembered by.

pub mod book;
pub mod cost;
pub mod counted;
pub mod entry;
pub mod numbers;
pub mod outbox;
mod payer;
pub mod record;
pub mod report;

pub use payer::{DEFAULT_TENANT, Payer};

use crate::{catalog::Price, chat::usage::Usage, ledger::cost::Tier, units::Money};

/// What was seen go by on the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    pub usage: Option<Usage>,
    /// The provider's own numbers.
    pub raw_usage: Option<serde_json::Value>,
    /// The provider reported none, and `usage` was reckoned from sizes.
    pub estimated: bool,
    /// The model as the provider named it.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Frames nobody could read.
    pub malformed: u32,
}

/// What targets were paid for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    pub usage: Usage,
    /// `None` once one of them has no known price.
    pub cost: Option<Money>,
    pub estimated: bool,
    /// Of the last of them.
    pub tier: Tier,
}

impl Spent {
    /// Where nobody says what a model costs, it is what its provider says that it asks.
    pub fn of(usage: Usage, price: Option<&Price>, estimated: bool) -> Self {
        let bill = price.map(|price| cost::bill(&usage, price));
        let tier = bill.map(|bill| bill.tier).unwrap_or_default();
        Self { usage, cost: bill.map(|bill| bill.cost).or(usage.reported), estimated, tier }
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            usage: self.usage.plus(other.usage),
            cost: self.cost.zip(other.cost).map(|(one, other)| one.plus(other)),
            estimated: self.estimated || other.estimated,
            tier: other.tier,
        }
    }
}
