//! May this caller do this now?

mod entry;
mod key;

pub use key::{digest, entry_name, is_well_formed, presented};

use crate::{
    config::Resolved,
    error::{Error, Kind},
    units::Millis,
};

/// Who calls, as far as the gateway is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: String,
    pub tenant: Option<String>,
    pub tags: Vec<String>,
    /// Models it may name: `openai/gpt-5.4`, `openai/*`. `None`: no such limit.
    models: Option<Vec<String>>,
    /// Routes it may use. `None`: no such limit.
    routes: Option<Vec<String>>,
}

/// What the gateway keeps to check a key against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locks<'a> {
    /// The secret `GATEWAY_KEY`.
    pub gateway_key: Option<&'a str>,
    /// The text of the KV entry `entry_name(key)`, if there is one.
    pub entry: Option<&'a str>,
    /// Whether any key is set up at all; only a refusal's wording depends on it.
    pub any_entries: bool,
}

/// The KV entry to read before `admit`; none when the key is the secret one, or cannot be any of ours.
pub fn needs_entry(key: &str, gateway_key: Option<&str>) -> Option<String> {
    (!key::is_same(key, gateway_key) && is_well_formed(key)).then(|| entry_name(key))
}

/// Who is this?
pub fn admit(key: Option<&str>, locks: Locks<'_>, now: Millis) -> Result<Caller, Error> {
    let _ = (key, locks, now);
    Err(Error::new(Kind::Unauthenticated, ""))
}

impl Caller {
    /// May it use what it named?
    pub fn permit(&self, resolved: &Resolved) -> Result<(), Error> {
        let _ = (resolved, &self.models, &self.routes);
        Ok(())
    }
}
