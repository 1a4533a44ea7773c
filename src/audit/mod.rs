//! A chain of entries per tenant: each names the hash of the one before, so none can be changed, taken out or put elsewhere
//! without the hashes after it telling.
//!
//! The format is told byte for byte in `docs/audit.md`, for verifiers that are not ours.

mod change;
mod line;
mod publish;
pub mod report;
mod row;
mod verify;

pub use change::{Change, fingerprint};
pub use line::{read_head, read_line, write_head, write_line};
pub use publish::{Pending, Published, due, folder};
pub use row::{Row, extend, first_kept, linked, read_rows, write_rows};
pub use verify::{Broken, State, UNKNOWN, Verdict, Verifier, verify};

use serde_json::Value;

use crate::{
    units::Millis,
    wire::{
        compose::json,
        digest::{Hash, hex, sha256, unhex},
        json::json_text,
    },
};

/// What the first hash of every chain is made of, so that another format never continues one of this.
pub const FORMAT: &str = "portolan-audit-1";

/// The chain of what is no single tenant's. No tenant is called so: their names do not begin with `@`.
pub const OPERATOR: &str = "@operator";

/// What an entry speaks of. A verifier needs to know none but [`CHECKPOINT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An operator changed something.
    Change,
    /// A request was closed in the ledger.
    Request,
    /// The head of the chain was published.
    Head,
    /// The oldest entries were dropped.
    Checkpoint,
}

const CHECKPOINT: &str = "checkpoint";

impl Kind {
    pub const ALL: [Self; 4] = [Self::Change, Self::Request, Self::Head, Self::Checkpoint];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Request => "request",
            Self::Head => "head",
            Self::Checkpoint => CHECKPOINT,
        }
    }
}

/// Where a chain has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub fn genesis(tenant: &str) -> Self {
        let mut text = vec![];
        put(&mut text, FORMAT);
        put(&mut text, tenant);
        Self { seq: 0, hash: sha256([text.as_slice()]) }
    }
}

/// One link. Entries of a chain count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub tenant: String,
    pub seq: u64,
    pub time: Millis,
    pub kind: String,
    /// JSON text. It is hashed as it is written: another spelling of the same value is another text.
    pub body: String,
    /// The hash of the entry before.
    pub previous: Hash,
    pub hash: Hash,
}

impl Entry {
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The hash of what the entry says: numbers in eight bytes, the highest first, and before each text its length so.
    pub fn digest(&self) -> Hash {
        let mut text = Vec::with_capacity(self.body.len() + 128);
        text.extend(self.previous);
        put(&mut text, &self.tenant);
        text.extend(self.seq.to_be_bytes());
        text.extend(self.time.0.to_be_bytes());
        put(&mut text, &self.kind);
        put(&mut text, &self.body);
        sha256([text.as_slice()])
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

/// The entry that follows a head.
pub fn append(head: Head, tenant: &str, (kind, body): (Kind, String), now: Millis) -> Entry {
    let (tenant, kind, hash) = (tenant.to_owned(), kind.name().to_owned(), Hash::default());
    let entry = Entry { tenant, seq: head.seq.saturating_add(1), time: now, kind, body, previous: head.hash, hash };
    Entry { hash: entry.digest(), ..entry }
}

/// The body of a closed request's entry: the gateway's own id of it, and the digest of its line in the ledger.
pub fn request(id: &str, digest: &str) -> String {
    json_text(&json!({"request": id, "digest": digest}))
}

/// What a text is known by.
pub fn digest(text: &str) -> String {
    hex(&sha256([text.as_bytes()]))
}

/// The body of a checkpoint: the oldest entry that is kept, and the hash before it.
pub fn checkpoint(first: u64, previous: &Hash) -> String {
    json_text(&json!({"first": first, "previous": hex(previous)}))
}

/// The same, read.
pub fn read_checkpoint(body: &str) -> Option<Head> {
    let body: Value = serde_json::from_str(body).ok()?;
    let hash = unhex(body.get("previous")?.as_str()?)?;
    Some(Head { seq: body.get("first")?.as_u64()?.checked_sub(1)?, hash })
}
