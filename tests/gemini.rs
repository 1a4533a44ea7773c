//! Tests of the room `gemini`.
