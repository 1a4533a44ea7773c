//! What a plan was made of: with a record, to make it again and compare; typed by an operator, to see what would be.
//!
//! A record keeps what planning looked at and nothing besides: no content, and of the caller's headers and labels only
//! those that a rule of the route reads.

mod keep;
mod read;

pub use keep::{keep, keep_held, looked_at};

use super::{Ask, Plan, Wishes, ask, health::View, wishes::Sort};
use crate::{
    config::{OwnKey, Snapshot},
    dialect::{Dialect, Facts, surface::Operation},
    error::Error,
    features::Features,
    units::Millis,
};

/// All that planning is given besides the configuration.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub dialect: Dialect,
    pub operation: Option<Operation>,
    pub facts: Facts,
    /// The provider that keeps what `facts.continues` names.
    pub owner: Option<String>,
    pub features: Option<Features>,
    pub origin: Origin,
    pub key: String,
    pub tags: Vec<String>,
    /// Providers that alone may serve the key.
    pub providers: Option<Vec<String>>,
    pub headers: Vec<(String, String)>,
    pub wishes: Wishes,
    /// A hash of the caller's conversation, where no more of it is known.
    pub conversation: Option<u64>,
    pub health: View,
    /// Providers to which the tenant has keys of its own, with their fingerprints.
    pub own_keys: Vec<(String, String)>,
    pub now: Millis,
    pub seed: u64,
}

/// Where the request came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub region: String,
    pub country: String,
    pub colo: String,
}

impl Inputs {
    pub fn ask(&self) -> Ask<'_> {
        let Origin { region, country, colo } = &self.origin;
        Ask {
            dialect: self.dialect,
            facts: &self.facts,
            owner: self.owner.as_deref(),
            operation: self.operation,
            features: self.features.as_ref(),
            origin: ask::Origin { region, country, colo },
            key: ask::KeyHolder { name: &self.key, tags: &self.tags, providers: self.providers.as_deref() },
            headers: &self.headers,
            wishes: &self.wishes,
            conversation: self.conversation,
        }
    }

    pub fn plan(&self, config: &Snapshot) -> Result<Plan, Error> {
        if self.own_keys.is_empty() {
            return super::plan(self.ask(), config, &self.health, self.now, self.seed);
        }
        // That there was one is all that planning goes by.
        let key = |(provider, fingerprint): &(String, String)| OwnKey {
            provider: provider.clone(),
            fingerprint: fingerprint.clone(),
            // Without a fingerprint it could not be opened.
            value: (!fingerprint.is_empty()).then(String::new),
        };
        let keys: Vec<OwnKey> = self.own_keys.iter().map(key).collect();
        super::plan(self.ask(), &config.with_own(&keys), &self.health, self.now, self.seed)
    }
}

/// How long the request was held for a target to be back, in milliseconds.
const HELD: &str = "held_ms";
const OWN_KEYS: &str = "own_keys";

const SORTS: [(&str, Sort); 3] = [("price", Sort::Price), ("latency", Sort::Latency), ("throughput", Sort::Throughput)];

/// The word of a value in a table that has all of them.
fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

fn meant<T: Copy>(table: &[(&'static str, T)], said: &str) -> Option<T> {
    table.iter().find(|(word, _)| *word == said).map(|(_, known)| *known)
}
