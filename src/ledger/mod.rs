//! What a request used, cost and is remembered by.

pub mod cost;
pub mod numbers;
pub mod record;

use crate::chat::usage::Usage;

/// What was seen go by on the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    pub usage: Option<Usage>,
    /// The provider's own numbers.
    pub raw_usage: Option<serde_json::Value>,
    /// The provider reported none, and `usage` was reckoned from sizes.
    pub estimated: bool,
    /// The model as the provider named it.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Frames nobody could read.
    pub malformed: u32,
}
