//! What one tenant's keys, tags and end users may still use: exact in its object, and cheap on the way.
//!
//! An isolate holds a lease of the allowance ([`Local`]) and takes from it without asking; the object ([`Account`]) counts
//! what is leased as if it were used. Near a limit there are no leases, and each request asks. Plain values both ways; the
//! shell carries the bytes and stores what the object says.

mod amounts;
mod local;
mod message;
mod object;
mod packing;
pub mod period;
mod refusal;
mod sheet;
mod subject;
mod window;

pub use amounts::Amounts;
pub use local::{Admission, Local};
pub use message::{Entry, Hold, Lease, Message, Meter, Numbers, Reply, Verdict};
pub use object::{Account, Heard, Swept};
pub use refusal::{Refusal, What};
pub use sheet::Alert;
pub use subject::{Subject, Who, subjects};

/// A lease ends so long after it was asked for: a budget that is closed is in force everywhere by then.
const LEASE_MS: u64 = 5_000;
/// An isolate tells so often what is under way.
pub const ALIVE_MS: u64 = 10_000;
/// A request that nobody told of for so long holds no place any more, and a lease that ended so long ago no money.
const SILENT_MS: u64 = 30_000;
/// A request that nobody told of for so long is closed by the sweep.
const ORPHAN_MS: u64 = 120_000;
