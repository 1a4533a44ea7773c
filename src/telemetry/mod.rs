//! What is told outside of each request as it comes to be: spans for a collector, records for a webhook, and how long
//! they wait for a receiver that is slow.

mod attribute;
mod queue;
mod span;
mod verdict;

pub use queue::Queue;
pub use span::{SPANS_PATH, is_told, spans};
pub use verdict::{Answer, Verdict, deliveries, judge};
