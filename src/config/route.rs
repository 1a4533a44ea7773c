//! `routes`: public model names and what stands behind them.

use super::{Retry, Timeouts};
use crate::wire::json::Edit;

/// In which order targets are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    Priority,
    Weighted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenAllUnavailable {
    #[default]
    TryAnyway,
    Fail,
}

/// After the commit point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStreamBreak {
    /// The stream ends with an error frame.
    #[default]
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub strategy: Strategy,
    pub targets: Vec<Target>,
    pub retry: Retry,
    /// For what all attempts share; each target has its own besides.
    pub timeouts: Timeouts,
    pub when_all_unavailable: WhenAllUnavailable,
    pub on_stream_break: OnStreamBreak,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Canonical name: a key of `Snapshot::providers`, or of `off`.
    pub provider: String,
    /// As the provider knows it.
    pub model: String,
    pub weight: u64,
    /// `params`, for the body as it is sent to this target.
    pub edits: Vec<Edit>,
    pub timeouts: Timeouts,
}

impl Target {
    /// `openai/gpt-5.4`
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }
}
