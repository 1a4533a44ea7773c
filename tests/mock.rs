//! Tests of the room `mock`.
