//! Does a chain hold? One pass, in pages of any size.

use serde_json::Value;

use super::{CHECKPOINT, Entry, Head, read_checkpoint};
use crate::{
    sorted::in_order,
    wire::{
        compose::json,
        digest::{Hash, hex, unhex},
    },
};

/// The first thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The entry's hash is not that of its contents.
    Changed,
    /// Entries between the one before and this one are gone.
    Missing { after: u64 },
    /// The number was there already, or a higher one.
    OutOfOrder { after: u64 },
    /// It names another entry before it than the one that is.
    Unlinked,
    /// It is of another chain.
    Foreign(String),
    /// The chain begins here, and no checkpoint says that what was before was dropped.
    Beheaded,
    /// Its head was published with another hash.
    Rewritten,
    /// Its head was published, and the chain ends before.
    Truncated { last: u64 },
}

impl Broken {
    pub fn words(&self, seq: u64) -> String {
        match self {
            Self::Changed => format!("Entry {seq} was changed: its hash is not that of its contents."),
            Self::Missing { after } => {
                format!("Entries {} to {} are missing.", after.saturating_add(1), seq.saturating_sub(1))
            }
            Self::OutOfOrder { after } => format!("Entry {seq} stands after entry {after}: it was moved, or is there twice."),
            Self::Unlinked => format!("Entry {seq} does not follow from the entry before it."),
            Self::Foreign(tenant) => format!("Entry {seq} belongs to the chain of `{tenant}`."),
            Self::Beheaded => {
                format!("The chain begins with entry {seq}, and no checkpoint says that the entries before it were dropped.")
            }
            Self::Rewritten => format!("Entry {seq} is not the one whose hash was published: the chain was rewritten."),
            Self::Truncated { last } => {
                format!("Entry {seq} was published as head, and the chain ends with entry {last}: its tail is missing.")
            }
        }
    }
}

/// How far a verification has come: what goes on from one page to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub checked: u64,
    /// The first entry, as the head before it.
    pub before: Option<Head>,
    pub last: Option<Head>,
    /// The first entry may be the first.
    pub is_anchored: bool,
    /// Published heads that were met.
    pub heads: u64,
}

impl State {
    pub fn write(&self) -> Value {
        let head = |head: Option<Head>| head.map(|head| json!([head.seq, hex(&head.hash)]));
        json!({
            "checked": self.checked,
            "before": head(self.before),
            "last": head(self.last),
            "is_anchored": self.is_anchored,
            "heads": self.heads,
        })
    }

    /// What [`Self::write`] wrote; anything else is a new beginning.
    pub fn read(value: &Value) -> Self {
        let number = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or_default();
        let head = |key: &str| {
            let head = value.get(key)?;
            Some(Head { seq: head.get(0)?.as_u64()?, hash: unhex(head.get(1)?.as_str()?)? })
        };
        Self {
            checked: number("checked"),
            before: head("before"),
            last: head("last"),
            is_anchored: value.get("is_anchored").and_then(Value::as_bool).unwrap_or_default(),
            heads: number("heads"),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub checked: u64,
    pub first: u64,
    /// Where the chain ends, as far as it holds.
    pub head: Head,
    /// Published heads that stand in the chain as they were published.
    pub heads: u64,
    /// Published heads of entries that were dropped since.
    pub heads_before: u64,
    pub broken: Option<(u64, Broken)>,
}

impl Verdict {
    pub const fn is_ok(&self) -> bool {
        self.broken.is_none()
    }
}

pub struct Verifier<'a> {
    tenant: &'a str,
    /// In order.
    published: Vec<Head>,
    state: State,
    /// How many of the published are behind.
    behind: usize,
    broken: Option<(u64, Broken)>,
}

impl<'a> Verifier<'a> {
    /// `published` are heads that somebody kept outside the chain's reach.
    pub fn new(tenant: &'a str, published: &[Head], state: State) -> Self {
        let published = in_order(published.iter().copied(), |a, b| a.seq <= b.seq);
        let last = state.last.map(|last| last.seq);
        let behind = published.iter().take_while(|head| last.is_some_and(|last| head.seq <= last)).count();
        Self { tenant, published, state, behind, broken: None }
    }

    /// Checks the next entry; false once the chain is broken.
    pub fn take(&mut self, entry: &Entry) -> bool {
        if self.broken.is_some() {
            return false;
        }
        self.broken = self.fault(entry).map(|broken| (entry.seq, broken));
        if self.broken.is_some() {
            return false;
        }
        self.state.last = Some(entry.head());
        self.state.checked = self.state.checked.saturating_add(1);
        if entry.kind == CHECKPOINT && read_checkpoint(&entry.body).is_some_and(|kept| self.state.before == Some(kept)) {
            self.state.is_anchored = true;
        }
        true
    }

    fn fault(&mut self, entry: &Entry) -> Option<Broken> {
        if entry.tenant != self.tenant {
            return Some(Broken::Foreign(entry.tenant.clone()));
        }
        let before = match self.state.last {
            Some(last) => last,
            None if entry.seq > 1 && entry.previous == UNKNOWN => return Some(Broken::Beheaded),
            None => self.begin(entry),
        };
        // Of the entry that was dropped last, too, a head may have been published.
        if self.state.last.is_none() && self.published.iter().any(|head| head.seq == before.seq && head.hash != before.hash) {
            return Some(Broken::Rewritten);
        }
        if entry.seq <= before.seq {
            return Some(Broken::OutOfOrder { after: before.seq });
        }
        if entry.seq - before.seq > 1 {
            return Some(Broken::Missing { after: before.seq });
        }
        if entry.previous != before.hash {
            return Some(Broken::Unlinked);
        }
        if entry.digest() != entry.hash {
            return Some(Broken::Changed);
        }
        self.meet(entry.head())
    }

    /// The head before the first entry: the genesis, or whatever the entry names. A checkpoint further on, or a head that was
    /// published, must say so too.
    fn begin(&mut self, first: &Entry) -> Head {
        let genesis = Head::genesis(self.tenant);
        let dropped = Head { seq: first.seq.saturating_sub(1), hash: first.previous };
        let before = if dropped.seq == 0 { genesis } else { dropped };
        self.state.is_anchored = before == genesis || self.published.contains(&before);
        self.state.before = Some(before);
        before
    }

    /// Compares with what was published of this entry.
    fn meet(&mut self, head: Head) -> Option<Broken> {
        while let Some(published) = self.published.get(self.behind).filter(|published| published.seq <= head.seq) {
            if published.seq == head.seq && published.hash != head.hash {
                return Some(Broken::Rewritten);
            }
            self.state.heads = self.state.heads.saturating_add(u64::from(published.seq == head.seq));
            self.behind = self.behind.saturating_add(1);
        }
        None
    }

    /// What goes on with the next page, or the first thing that is wrong.
    pub fn pause(self) -> Result<State, (u64, Broken)> {
        self.broken.map_or(Ok(self.state), Err)
    }

    /// After the last entry.
    pub fn finish(self) -> Verdict {
        let State { checked, before, last, is_anchored, heads } = self.state;
        let before = before.unwrap_or_else(|| Head::genesis(self.tenant));
        let head = last.unwrap_or(before);
        let beyond = self.published.iter().find(|published| published.seq > head.seq);
        let broken = match (self.broken, beyond) {
            (Some(broken), _) => Some(broken),
            (None, _) if checked > 0 && !is_anchored => Some((before.seq.saturating_add(1), Broken::Beheaded)),
            (None, Some(beyond)) => Some((beyond.seq, Broken::Truncated { last: head.seq })),
            (None, None) => None,
        };
        let heads_before = self.published.iter().filter(|published| published.seq <= before.seq).count();
        Verdict {
            checked,
            first: before.seq.saturating_add(1),
            head,
            heads,
            heads_before: u64::try_from(heads_before).unwrap_or(u64::MAX),
            broken,
        }
    }
}

/// All at once.
pub fn verify<'a>(tenant: &str, entries: impl IntoIterator<Item = &'a Entry>, published: &[Head]) -> Verdict {
    let mut verifier = Verifier::new(tenant, published, State::default());
    for entry in entries {
        if !verifier.take(entry) {
            break;
        }
    }
    verifier.finish()
}

/// In the place of the hash before a first entry, where nothing is left that says it.
pub const UNKNOWN: Hash = [0; 32];
