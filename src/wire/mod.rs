//! Bytes only: JSON text and server-sent events. Knows no AI.

pub mod fields;
pub mod json;
mod scan;
pub mod sse;
