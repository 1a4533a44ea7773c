//! What a request takes of an allowance, and what is left of one.

use crate::{config::Rules, units::Money};

/// Requests, tokens, places for requests under way, and picodollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub requests: u64,
    pub tokens: u64,
    pub slots: u64,
    pub money: Money,
}

impl Amounts {
    /// One request.
    pub const fn one(tokens: u64, money: Money) -> Self {
        Self { requests: 1, tokens, slots: 1, money }
    }

    pub(super) const fn row(self) -> [u64; 4] {
        [self.requests, self.tokens, self.slots, self.money.0]
    }

    pub(super) const fn of_row([requests, tokens, slots, money]: [u64; 4]) -> Self {
        Self { requests, tokens, slots, money: Money(money) }
    }

    fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        let mut row = self.row();
        row.iter_mut().zip(other.row()).for_each(|(mine, theirs)| *mine = each(*mine, theirs));
        Self::of_row(row)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    pub(super) fn min(self, other: Self) -> Self {
        self.with(other, u64::min)
    }

    pub(super) fn covers(self, need: Self) -> bool {
        self.row().iter().zip(need.row()).all(|(left, need)| *left >= need)
    }

    /// Only what these rules limit: of the rest nobody keeps an allowance.
    pub(super) fn under(self, rules: &Rules) -> Self {
        let limits = &rules.limits;
        Self {
            requests: limits.requests_per_minute.map_or(0, |_| self.requests),
            tokens: limits.tokens_per_minute.map_or(0, |_| self.tokens),
            slots: limits.concurrent.map_or(0, |_| self.slots),
            money: if rules.budgets.iter().any(|budget| !budget.soft) { self.money } else { Money(0) },
        }
    }
}
