//! `providers`: the catalog, extended and overridden.

use std::{collections::BTreeMap, fmt};

use super::Documents;
use crate::catalog::{self, Price, Supports};

/// A provider that can be called.
#[derive(Clone, Debug)]
pub struct Provider {
    pub name: String,
    /// The catalog row whose way of speaking it has.
    pub kind: &'static catalog::Provider,
    /// Without a slash at the end.
    pub base_url: String,
    /// Empty: called without a credential.
    pub credentials: Vec<Credential>,
    /// All models known of it: catalog, `providers` and `prices` together. Others may exist.
    pub models: BTreeMap<String, Model>,
}

/// One secret of a provider; several rotate.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The secret's name: `OPENAI_API_KEY`.
    pub name: String,
    pub value: String,
}

impl fmt::Debug for Credential {
    /// Never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.name)
    }
}

/// What is known of a model; `None` is "nobody said".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub context: Option<u64>,
    pub max_output: Option<u64>,
    pub supports: Option<Supports>,
    pub price: Option<Price>,
}

/// Names of the secrets that these documents may need, for the shell to read.
pub fn secret_names(documents: &Documents) -> Vec<String> {
    drop(documents.providers.as_deref());
    catalog::providers().iter().flat_map(|p| p.secrets).map(|s| (*s).to_owned()).collect()
}
