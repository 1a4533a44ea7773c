//! From the name a caller uses to a route.

use super::{Route, Snapshot};
use crate::{
    catalog::{Price, Supports},
    error::{Error, Kind},
};

/// What a caller's model name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The route's name, or the name asked for.
    pub route: String,
    /// A route of the operator; otherwise the caller named the targets.
    pub is_route: bool,
    pub route_config: Route,
}

/// One line of `GET /v1/models`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// `openai/gpt-5.4`, or a route's name.
    pub id: String,
    /// The provider; `portolan` for a route.
    pub owner: String,
    pub context: Option<u64>,
    pub max_output: Option<u64>,
    pub supports: Option<Supports>,
    pub price: Option<Price>,
}

impl Snapshot {
    /// A route, `provider/model`, several of these separated by commas, or a bare model of the catalog.
    pub fn resolve(&self, name: &str) -> Result<Resolved, Error> {
        Err(Error::new(Kind::ModelNotFound, name))
    }

    /// What callers may name: routes first, then the known models of each provider that is on.
    pub fn model_list(&self) -> Vec<ListedModel> {
        vec![]
    }
}
