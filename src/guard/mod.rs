//! May this caller do this now?

mod caller;
mod entry;
mod key;
mod page;
mod throttle;

pub use caller::Caller;
use caller::Scopes;
pub use entry::{Entry, MEMBERS, OWN_MEMBERS, read_entry, unknown};
pub use key::{PREFIX as KEYS, digest, entry_name, hint, id_of_name, is_id, is_well_formed, mint, name_of_id, presented};
pub use page::{Header, check_operator_page, cors, preflight};
pub use throttle::{Door, MAX_ADDRESSES, MAX_FAILED, Throttle, WINDOW_MS};

use crate::{
    config::canonical_name,
    error::{Blame, Error, Kind},
    units::Millis,
};

/// The caller who holds `GATEWAY_KEY`.
const OWNER: &str = "gateway";
/// Outages of KV are short, or they are long: then it does not matter.
const RETRY_MS: u64 = 5_000;

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

/// What a look-up of an entry came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    Entry(T),
    Nothing,
    /// KV does not answer, and nothing is known of it here.
    Unreachable,
}

/// A key that may be right, where nobody can tell now.
pub fn unreachable() -> Error {
    let message = "Gateway keys cannot be looked up now: try again in some seconds.";
    Error::new(Kind::Unavailable, message).with_blame(Blame::Gateway).with_wait(Some(RETRY_MS))
}

/// The KV entry to read before `admit`; none when the key is the secret one, or cannot be any of ours.
pub fn needs_entry(key: &str, gateway_key: Option<&str>) -> Option<String> {
    (!key::is_same(key, gateway_key) && is_well_formed(key)).then(|| entry_name(key))
}

/// Whether the operator's token is presented; nobody is while there is none.
pub fn is_operator(headers: &[(String, String)], token: Option<&str>) -> bool {
    presented(headers, None).is_some_and(|presented| key::is_same(&presented, token))
}

/// Who is this?
pub fn admit(key: Option<&str>, locks: Locks<'_>, now: Millis) -> Result<Caller, Error> {
    if locks.gateway_key.is_none_or(|key| key.trim().is_empty()) && locks.entry.is_none() && !locks.any_entries {
        return Err(refused(
            "No gateway key is set: run `wrangler secret put GATEWAY_KEY`, then send that key as `Authorization: Bearer` or \
             `x-api-key`.",
        ));
    }
    let Some(key) = key else {
        return Err(refused("A gateway key is missing: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`."));
    };
    if key::is_same(key, locks.gateway_key) {
        let name = OWNER.to_owned();
        return Ok(Caller { name, overrides: true, ..Caller::default() });
    }
    let Some(entry) = locks.entry.filter(|_| is_well_formed(key)) else {
        return Err(refused("This gateway key is not known: check that it is whole, or ask the operator for another."));
    };
    let entry = read_entry(entry).map_err(|error| {
        let message = "The gateway's entry of this key cannot be read: the operator must correct it.";
        Error::new(Kind::Internal, message).with_detail(format!("{}: {}", entry_name(key), error.message))
    })?;
    let name = &entry.name;
    if entry.disabled {
        return Err(refused(format!("The gateway key `{name}` is disabled: ask the operator.")));
    }
    if entry.is_expired(now) {
        return Err(refused(format!("The gateway key `{name}` has expired: ask the operator for another.")));
    }
    let canonical = |models: Vec<String>| models.iter().map(|name| canonical_name(name)).collect();
    Ok(Caller {
        id: entry.account.unwrap_or_else(|| digest(key)),
        name: entry.name,
        tenant: entry.tenant,
        tags: entry.tags,
        overrides: entry.overrides,
        zdr: entry.zdr,
        rules: entry.rules,
        providers: entry.providers,
        scopes: Scopes {
            models: entry.models.map(canonical),
            routes: entry.routes,
            dialects: entry.dialects,
            endpoints: entry.endpoints,
        },
    })
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::Unauthenticated, message)
}
