//! What the form of an answer depends on in its request.

use serde_json::Value;

use super::text;
use crate::{chat::request::ToolCall, dialect::Asked, wire::json::Outline};

/// The caller's own words for calls.
#[derive(Default)]
pub struct Form {
    /// Names of the tools that take any text.
    custom: Vec<String>,
    /// The caller only knows the old `function_call`.
    pub legacy: bool,
}

impl Form {
    pub fn of(asked: &Asked<'_>) -> Self {
        // An answer that passes verbatim has no body here, and needs none.
        let Ok(body) = Outline::read(asked.body) else { return Self::default() };
        let list = |key: &str| body.parse::<Vec<Value>>(key, "an array").ok().flatten().unwrap_or_default();
        let is_custom = |tool: &Value| text(tool, "type") == Some("custom") && tool.get("input_schema").is_none();
        let tools = list("tools");
        let custom = tools.iter().filter(|tool| is_custom(tool));
        let name = |tool: &Value| text(tool.get("custom").unwrap_or(tool), "name").map(str::to_owned);
        Self { custom: custom.filter_map(name).collect(), legacy: tools.is_empty() && !list("functions").is_empty() }
    }

    /// Whether a call is of a custom tool, though a function may have stood in for it.
    pub fn is_custom(&self, call: &ToolCall) -> bool {
        call.custom || self.custom.contains(&call.name)
    }
}
