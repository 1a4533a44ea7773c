//! Tests of the room `anthropic`.
