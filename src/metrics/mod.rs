//! What all requests come to: counters and spreads of times, by what they can be asked by.
//!
//! An isolate counts into a [`Table`] of its own, and tells it as a [`Delta`] that counts once however often it is told. One
//! object adds them up by the minute, the quarter of an hour and the hour; a [`Question`] is answered from its rows.

mod delta;
mod histogram;
mod question;
mod report;
mod rows;
mod series;
mod table;

pub use delta::{Delta, TELL_MS};
pub use histogram::Histogram;
pub use question::Question;
pub use report::Report;
pub use rows::{Grain, KEPT, MINUTE_MS, Message, minute, rolled_up};
pub use series::{COUNTS, LABELS, Names, Series, TIMES};
pub use table::{MAX_SERIES, OTHER, Table};
