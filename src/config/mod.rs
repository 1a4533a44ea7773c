//! The documents of the operator, read and checked: nothing that does not cross-check ever takes effect.

mod provider;
mod resolve;
mod route;
mod settings;

use std::collections::BTreeMap;

pub use provider::{Credential, Model, Provider, secret_names};
pub use resolve::{ListedModel, Resolved};
pub use route::{OnStreamBreak, Route, Strategy, Target, WhenAllUnavailable};
pub use settings::{Breaker, Retry, Settings, Timeouts};

use crate::catalog::Price;

/// What stands in KV, as text; a document that is not there is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    pub routes: Option<String>,
    pub providers: Option<String>,
    pub settings: Option<String>,
    pub prices: Option<String>,
}

/// One thing wrong with a document, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub document: &'static str,
    /// `smart.targets[1].weight`
    pub path: String,
    pub message: String,
}

/// The configuration in force: checked, indexed, with every default filled in.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Hex of a digest of the documents: the same documents, the same version, on any machine.
    pub version: String,
    pub routes: BTreeMap<String, Route>,
    /// Those that can be called. One whose secret is missing is in `off`.
    pub providers: BTreeMap<String, Provider>,
    /// Providers without their secret, with the names it may have.
    pub off: BTreeMap<String, Vec<String>>,
    pub settings: Settings,
    /// What the operator should know, though it hinders nothing.
    pub warnings: Vec<String>,
}

/// Reads and cross-checks the documents; all problems at once.
pub fn build(documents: &Documents, secrets: &BTreeMap<String, String>) -> Result<Snapshot, Vec<Problem>> {
    let _ = secrets;
    let _ = documents;
    Err(vec![])
}

impl Snapshot {
    /// What is known of a model; `None` for one nobody described.
    pub fn model(&self, provider: &str, model: &str) -> Option<&Model> {
        self.providers.get(provider)?.models.get(model)
    }

    pub fn price(&self, provider: &str, model: &str) -> Option<Price> {
        self.model(provider, model)?.price
    }
}
