//! The two impure numbers: now, and the id from which the seed comes.

use super::edge;
use crate::{exchange::reply::ID_PREFIX, plan::seed, units::Millis};

/// The clock of the platform: it stands still while we compute, and moves with I/O.
pub fn now() -> Millis {
    #[expect(clippy::as_conversions, reason = "whole milliseconds of this age fit; the crate's own way makes an object a call")]
    Millis(js_sys::Date::now() as u64)
}

/// A new request's id, and the seed of all its choices.
pub fn identify() -> (String, u64) {
    let id = format!("{ID_PREFIX}{}", edge::random_id().replace('-', ""));
    let seed = seed::hash(&id);
    (id, seed)
}
