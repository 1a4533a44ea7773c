//! Limits and budgets: the calendar, the window, leases, refusals, and many isolates at once.

mod calendar;
mod talk;
