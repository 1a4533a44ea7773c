//! What a request is, as far as planning goes.

use super::{Wishes, seed::hash};
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
    /// A hash of the caller's conversation, where a record has no more of it.
    pub conversation: Option<u64>,
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
    /// Providers that alone may serve it; `None`: any.
    pub providers: Option<&'a [String]>,
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
            key: KeyHolder { name: "", tags: &[], providers: None },
            headers: &[],
            wishes: &NONE,
            conversation: None,
        }
    }

    /// What the caller named, each with the member or header it stands in: a key is admitted to each.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let model = self.wishes.route.is_none().then_some(("model", self.facts.model.as_str()));
        model.into_iter().chain(self.wishes.named())
    }

    /// A hash of the caller's conversation: as it names it, else of its end user, else of how it begins.
    pub(super) fn conversation(&self) -> Option<u64> {
        let named = self.wishes.session.as_deref().or(self.facts.user.as_deref()).map(hash);
        let begins = || self.features.map(|features| features.opening).filter(|opening| *opening != 0);
        self.conversation.or(named).or_else(begins)
    }
}
