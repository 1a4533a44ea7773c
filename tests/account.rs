//! Limits and budgets: the calendar, leases, refusals, and many isolates at once.

mod calendar;
mod storm;
mod told;
mod world;
