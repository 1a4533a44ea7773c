//! Gemini generateContent, spoken by providers only.

/// The dialect.
pub struct Gemini;
