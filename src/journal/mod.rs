//! The journal of records: what is asked of it, what each of its objects is to select, which object has what, and for how
//! long.
//!
//! Records stand in the order in which they came, which is the order in which requests ended: each has a number, its place,
//! made of the time it came. A tenant's first object is also its catalog: when the object that takes records in is full, the
//! next one does, with higher places. Hence a page is the newest object's rows and then the one's before, a cursor is a place,
//! and whoever goes on from one sees each record once, however many come meanwhile.

mod merge;
mod outbox;
mod question;
mod shards;
mod statement;

pub use merge::{Page, merged, written};
pub use outbox::{Batch, Outbox};
pub use question::{Cursor, Question};
pub use shards::{Policy, Shard, Stored, doomed, read_shards, rolls, visited};
pub use statement::{KEEP, OLD, STORE, TABLES, TEXTS};

use crate::units::Millis;

/// Places in one millisecond. Until the year 2255 they are whole numbers of JavaScript too.
const PLACES_PER_MS: u64 = 1_000;

/// The first place of a time.
pub const fn place(at: Millis) -> u64 {
    at.0.saturating_mul(PLACES_PER_MS)
}
