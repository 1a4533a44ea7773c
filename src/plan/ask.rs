//! What a request is, as far as planning goes.

use super::Wishes;
use crate::{
    dialect::{Dialect, Facts, surface::Operation},
    features::Features,
};

/// What the caller asks, as far as planning goes.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub dialect: Dialect,
    pub facts: &'a Facts,
    /// The provider that keeps what `facts.continues` names.
    pub owner: Option<&'a str>,
    /// What is asked for besides generating.
    pub operation: Option<Operation>,
    /// What only the canonical request tells; there when [`needs_features`] says so.
    pub features: Option<&'a Features>,
    pub origin: Origin<'a>,
    pub key: KeyHolder<'a>,
    /// The caller's, names in lower case.
    pub headers: &'a [(String, String)],
    pub wishes: &'a Wishes,
    /// It was held so long because no target could take it.
    pub waited_ms: u64,
}

/// Where the request came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// One of the platform's location hints.
    pub region: &'a str,
    pub country: &'a str,
    pub colo: &'a str,
}

/// Whose gateway key it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyHolder<'a> {
    pub name: &'a str,
    pub tags: &'a [String],
}

impl<'a> Ask<'a> {
    pub const fn generate(dialect: Dialect, facts: &'a Facts) -> Self {
        static NONE: Wishes = Wishes::NONE;
        Self {
            dialect,
            facts,
            owner: None,
            operation: None,
            features: None,
            origin: Origin { region: "", country: "", colo: "" },
            key: KeyHolder { name: "", tags: &[] },
            headers: &[],
            wishes: &NONE,
            waited_ms: 0,
        }
    }
}
