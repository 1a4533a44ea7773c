//! Anthropic Messages.

/// The dialect.
pub struct Anthropic;
