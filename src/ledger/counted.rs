//! What a record counts as, wherever it is counted: in ledgers, in metrics, in traces.

use super::record::{FORWARDED, GIVEN, HEDGE, HEDGED, OK, OWN_CREDENTIAL, Record, Try};
use crate::{chat::usage::Usage, error::Blame, units::Money};

/// Whether a request ended well, as far as the gateway can tell.
pub fn is_fine(outcome: &str) -> bool {
    matches!(outcome, OK | FORWARDED)
}

/// From the request to the first content of what was answered, failed tries included.
pub fn begun_ms(tries: &[Try]) -> Option<u64> {
    tries.iter().find(|t| t.outcome == OK).map(|t| t.at_ms.saturating_add(t.ms))
}

impl Try {
    /// Whether it was sent while another was awaited.
    pub fn is_hedge(&self) -> bool {
        self.reason.starts_with(HEDGE)
    }

    pub fn is_to_the_target_of(&self, other: &Self) -> bool {
        (&self.provider, &self.model) == (&other.provider, &other.model)
    }
}

impl Record {
    /// The tokens it used: those of an answer that was given before were counted then.
    pub fn used(&self) -> Usage {
        self.usage.filter(|_| self.cache != Some(GIVEN)).unwrap_or_default()
    }

    /// What the operator pays for it, and whether no price is known of what it used. What the provider bills the tenant for is
    /// none of the operator's money, and no budget's.
    pub fn paid(&self) -> (Money, bool) {
        if self.credential == Some(OWN_CREDENTIAL) {
            return (Money(0), false);
        }
        let is_unpriced = self.cost.is_none() && (self.usage.is_some() || self.outcome == FORWARDED);
        (self.cost.unwrap_or_default(), is_unpriced)
    }

    /// Targets that were tried after the first one. One that was cancelled because another answered is none.
    pub fn failovers(&self) -> usize {
        let tries = || self.tries.iter().filter(|t| t.outcome != HEDGED);
        let is_new = |(at, t): &(usize, &Try)| !tries().take(*at).any(|other| t.is_to_the_target_of(other));
        tries().enumerate().filter(is_new).count().saturating_sub(1)
    }

    pub fn is_callers_fault(&self) -> bool {
        self.fault == Some(Blame::Caller.name())
    }
}
