//! The object's side of one subject: what was used, what is leased, what is held by requests under way.

use super::{Amounts, LEASE_MS, Lease, Meter, Numbers, Refusal, SILENT_MS, What, period, window::Window};
use crate::{
    config::{Budget, Period, Rules},
    sorted::SortedMap,
    units::{Millis, Money},
};

/// The part of what is left that is leased at once, to all isolates together: what one of them holds and another lacks.
const SHARE: u64 = 4;
/// The part of a limit that is asked for request by request.
const LAST: u64 = 4;
/// An isolate that was not heard of for so long gets no share.
const PRESENT_MS: u64 = 10_000;
/// For a place, or for money that requests under way may not need: nobody knows when.
const SOON_MS: u64 = 1_000;

/// A budget came to one of its thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub subject: String,
    pub budget: Budget,
    /// When the period began.
    pub from: Millis,
    /// The highest threshold that was reached.
    pub percent: u64,
    pub spent: Money,
}

/// An allowance that an isolate takes from without asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Out {
    pub isolate: u64,
    pub number: u64,
    pub left: Amounts,
    pub until: Millis,
    /// The isolate gave back what it had not taken.
    pub is_over: bool,
}

/// What was spent in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Total {
    pub per: Period,
    pub from: Millis,
    pub spent: Money,
}

/// The highest threshold that was told of, of the budget with this limit in this period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub per: Period,
    pub from: Millis,
    pub limit: Money,
    pub percent: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub rules: Rules,
    pub requests: Window,
    pub tokens: Window,
    pub leases: Vec<Out>,
    /// The last lease.
    pub number: u64,
    pub totals: Vec<Total>,
    pub said: Vec<Said>,
    /// Places and money of requests under way; not stored, for the entries are.
    pub held: Amounts,
    /// Requests under way.
    pub open: u64,
    /// Who asked of late; not stored.
    pub present: SortedMap<u64, Millis>,
}

impl Sheet {
    pub(super) fn forget(&mut self, now: Millis) {
        self.requests.forget(now);
        self.tokens.forget(now);
        let is_kept = |lease: &Out| lease.until.plus(SILENT_MS) > now && !(lease.is_over && lease.left == Amounts::default());
        self.leases.retain(is_kept);
        self.said.retain(|said| period::begins(said.per, now) == said.from);
        self.present.retain(|_, seen| seen.plus(PRESENT_MS) > now);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open == 0 && self.leases.is_empty() && self.requests.0.is_empty() && self.tokens.0.is_empty()
    }

    pub(super) fn meet(&mut self, isolate: u64, now: Millis) {
        self.present.insert(isolate, now);
    }

    pub(super) fn spent(&self, per: Period, now: Millis) -> Money {
        let from = period::begins(per, now);
        self.totals.iter().find(|total| total.per == per && total.from == from).map_or(Money(0), |total| total.spent)
    }

    pub(super) fn spend(&mut self, cost: Money, now: Millis) {
        for (_, per) in Period::ALL {
            let (from, spent) = (period::begins(per, now), self.spent(per, now).plus(cost));
            self.totals.retain(|total| total.per != per);
            self.totals.push(Total { per, from, spent });
        }
    }

    /// What was counted for a request that was guessed to be lost.
    pub(super) fn withdraw(&mut self, cost: Money, then: Millis, now: Millis) {
        for total in &mut self.totals {
            if period::begins(total.per, then) == period::begins(total.per, now) {
                total.spent = Money(total.spent.0.saturating_sub(cost.0));
            }
        }
    }

    fn leased(&self) -> Amounts {
        self.leases.iter().fold(Amounts::default(), |sum, lease| sum.plus(lease.left))
    }

    fn has_left(&self, budget: &Budget, now: Millis) -> u64 {
        let held = self.held.money.plus(self.leased().money);
        budget.limit.0.saturating_sub(self.spent(budget.per, now).plus(held).0)
    }

    fn hard(&self) -> impl Iterator<Item = &Budget> {
        self.rules.budgets.iter().filter(|budget| !budget.soft)
    }

    /// What is neither used nor promised; of what has no limit, nothing that anybody counts.
    fn free(&self, now: Millis) -> Amounts {
        let limits = &self.rules.limits;
        let left = |limit: Option<u64>, used: u64| limit.map_or(u64::MAX, |limit| limit.saturating_sub(used));
        Amounts {
            requests: left(limits.requests_per_minute, self.requests.sum()),
            tokens: left(limits.tokens_per_minute, self.tokens.sum()),
            slots: left(limits.concurrent, self.held.slots.saturating_add(self.leased().slots)),
            money: Money(self.hard().map(|budget| self.has_left(budget, now)).min().unwrap_or(u64::MAX)),
        }
    }

    /// Why it may not have this.
    pub(super) fn refuse(&self, subject: &str, need: Amounts, now: Millis) -> Option<Refusal> {
        let free = self.free(now);
        let limits = &self.rules.limits;
        let lacks = |limit: Option<u64>, need: u64, free: u64| limit.filter(|_| need > free);
        let refusal = |what, limit, need, wait_ms| Some(Refusal { subject: subject.to_owned(), what, limit, need, wait_ms });
        if let Some(short) = self.hard().find(|budget| self.has_left(budget, now) < need.money.0) {
            let is_spent = self.spent(short.per, now).plus(need.money) > short.limit;
            return refusal(What::Budget(short.per), short.limit.0, need.money.0, (!is_spent).then_some(SOON_MS));
        }
        if let Some(limit) = lacks(limits.tokens_per_minute, need.tokens, free.tokens) {
            let wait = limit.checked_sub(need.tokens).map(|room| self.soonest(&self.tokens, room, now));
            return refusal(What::Tokens, limit, need.tokens, wait);
        }
        if let Some(limit) = lacks(limits.requests_per_minute, need.requests, free.requests) {
            let wait = limit.checked_sub(need.requests).map(|room| self.soonest(&self.requests, room, now));
            return refusal(What::Requests, limit, need.requests, wait);
        }
        let limit = lacks(limits.concurrent, need.slots, free.slots)?;
        refusal(What::Concurrent, limit, need.slots, Some(SOON_MS))
    }

    /// What is leased may come back unused.
    fn soonest(&self, window: &Window, room: u64, now: Millis) -> u64 {
        let ends = self.leases.iter().map(|lease| lease.until.since(now)).filter(|ms| *ms > 0);
        ends.chain([window.wait(room, now)]).min().unwrap_or(0).max(SOON_MS)
    }

    /// A request goes on. What it took from a lease was counted as used when that ends.
    pub(super) fn open(&mut self, lease: u64, need: Amounts, now: Millis) {
        let mut at = now;
        if let Some(lease) = self.leases.iter_mut().find(|known| known.number == lease) {
            let used = lease.left.min(need.under(&self.rules));
            lease.left = lease.left.minus(used);
            at = now.min(lease.until);
            self.requests.take(lease.until, used.requests);
            self.tokens.take(lease.until, used.tokens);
        }
        self.requests.put(at, need.requests);
        self.tokens.put(at, need.tokens);
        self.hold(Amounts { requests: 0, tokens: 0, ..need });
    }

    pub(super) fn hold(&mut self, held: Amounts) {
        self.open = self.open.saturating_add(1);
        self.held = self.held.plus(held);
    }

    /// It is over.
    pub(super) fn release(&mut self, held: Amounts) {
        self.open = self.open.saturating_sub(1);
        self.held = self.held.minus(held);
    }

    /// It took other tokens than it was counted with.
    pub(super) fn correct(&mut self, then: Millis, counted: u64, taken: u64, now: Millis) {
        self.tokens.take(then, counted.saturating_sub(taken));
        self.tokens.put(now, taken.saturating_sub(counted));
    }

    /// It does not hold its place any more, or again.
    pub(super) fn place(&mut self, is_held: bool) {
        let one = Amounts { slots: 1, ..Amounts::default() };
        self.held = if is_held { self.held.plus(one) } else { self.held.minus(one) };
    }

    /// Nothing more is taken from a lease. What was taken is kept for the openings that will tell of it.
    pub(super) fn take_back(&mut self, isolate: u64, number: u64, unused: Amounts) {
        let is_it = |lease: &&mut Out| lease.isolate == isolate && lease.number == number && !lease.is_over;
        let Some(lease) = self.leases.iter_mut().find(is_it) else { return };
        let unused = unused.min(lease.left);
        lease.is_over = true;
        lease.left = lease.left.minus(unused);
        self.requests.take(lease.until, unused.requests);
        self.tokens.take(lease.until, unused.tokens);
    }

    /// A share of what is left, if there is enough of everything.
    pub(super) fn lease(&mut self, subject: &str, isolate: u64, want: Amounts, now: Millis) -> Option<Lease> {
        self.meet(isolate, now);
        let (free, want, limits) = (self.free(now), want.under(&self.rules), &self.rules.limits);
        let isolates = u64::try_from(self.present.len()).unwrap_or(u64::MAX).max(1);
        let budgets = self.hard().map(|budget| budget.limit.0).min();
        let all = [limits.requests_per_minute, limits.tokens_per_minute, limits.concurrent, budgets];
        let is_near = all.iter().zip(free.row()).any(|(limit, free)| limit.is_some_and(|limit| free < limit / LAST));
        // Were all to want so many requests, what one held and did not use would be missing at once where it is needed.
        let is_scarce = want.requests.saturating_mul(isolates) > free.requests;
        if is_near || is_scarce || want == Amounts::default() {
            return None;
        }
        let share = Amounts::of_row(free.row().map(|free| free / SHARE / isolates));
        let left = want.min(share);
        let is_short = want.row().iter().zip(left.row()).any(|(want, left)| *want > 0 && left == 0);
        if is_short {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let (number, until) = (self.number, now.plus(LEASE_MS));
        self.requests.put(until, left.requests);
        self.tokens.put(until, left.tokens);
        self.leases.push(Out { isolate, number, left, until, is_over: false });
        Some(Lease { subject: subject.to_owned(), number, left, for_ms: LEASE_MS })
    }

    /// As one isolate may tell of it: what it holds itself is not gone.
    pub(super) fn numbers(&self, isolate: u64, now: Millis) -> Numbers {
        let own = self.leases.iter().filter(|lease| lease.isolate == isolate && lease.until > now && !lease.is_over);
        let own = own.fold(Amounts::default(), |sum, lease| sum.plus(lease.left));
        let left = self.free(now).plus(own);
        let limits = &self.rules.limits;
        let meter =
            |limit: Option<u64>, left, window: &Window| limit.map(|limit| Meter { limit, left, reset_ms: window.wait(0, now) });
        Numbers {
            requests: meter(limits.requests_per_minute, left.requests, &self.requests),
            tokens: meter(limits.tokens_per_minute, left.tokens, &self.tokens),
            money: self.hard().next().map(|_| left.money.0),
        }
    }

    /// Thresholds that were passed since they were told of.
    pub(super) fn alerts(&mut self, subject: &str, now: Millis) -> Vec<Alert> {
        let mut alerts = vec![];
        for budget in &self.rules.budgets {
            let (spent, from) = (self.spent(budget.per, now), period::begins(budget.per, now));
            let is_passed = |percent: &&u64| u128::from(spent.0) * 100 >= u128::from(budget.limit.0) * u128::from(**percent);
            let Some(percent) = budget.alerts.iter().filter(is_passed).max().copied() else { continue };
            let known = self.said.iter_mut().find(|said| (said.per, said.from, said.limit) == (budget.per, from, budget.limit));
            match known {
                Some(said) if said.percent >= percent => continue,
                Some(said) => said.percent = percent,
                None => self.said.push(Said { per: budget.per, from, limit: budget.limit, percent }),
            }
            alerts.push(Alert { subject: subject.to_owned(), budget: budget.clone(), from, percent, spent });
        }
        alerts
    }
}
