//! Limits and budgets: the calendar, leases, refusals, and many isolates at once.

mod calendar;
mod notice;
mod storm;
mod world;
