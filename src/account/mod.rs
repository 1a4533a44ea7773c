//! What one tenant's keys, tags and end users may still use: exact in its object, and cheap on the way.
//!
//! An isolate holds a lease of the allowance ([`Local`]) and takes from it without asking; the object ([`Account`]) counts
//! what is leased as if it were used. Near a limit there are no leases, and each request asks. Plain values both ways; the
//! shell carries the bytes and stores what the object says.
//!
//! On the way, in the isolate:
//!
//! 1. [`subjects`] are those that have rules. There are none for most requests, and then there is nothing more to do.
//! 2. [`Local::admit`] says `Go`, or `Ask`, or refuses. Either of the first two puts into the opening whose allowance it
//!    takes (`holds`): the ledger carries it along, and stores it with what is under way.
//! 3. With every call to the object goes [`Local::message`], if there is one; [`Local::learned`] takes its reply, and hands
//!    out the verdicts. A call that failed goes to [`Local::undelivered`].
//!
//! In the object, which lives again and again:
//!
//! 1. At the beginning of a life [`Account::restore`] each request that the ledger has as open.
//! 2. Of each call, after the ledger has left out what it knew: load what [`Account::unknown`] names and let it
//!    [`Account::know`] that; [`Account::hear`]; store `states`, and `opened` as the ledger's. The sweep is heard as well.

mod amounts;
mod local;
mod message;
mod notice;
mod object;
mod packing;
pub mod period;
mod refusal;
mod sheet;
mod subject;
mod window;

pub use amounts::Amounts;
pub use local::{Admission, Local};
pub use message::{Lease, Message, Meter, Numbers, Reply, Return, Verdict};
pub use object::{Account, Heard, Told};
pub use refusal::{Refusal, What};
pub use sheet::Alert;
pub use subject::{Subject, Who, subjects};

/// A lease ends so long after it was asked for: a budget that is closed is in force everywhere by then.
const LEASE_MS: u64 = 5_000;
/// A request that nobody told of for so long holds no place any more, and a lease that ended so long ago no money.
const SILENT_MS: u64 = 30_000;
