//! Bytes only: JSON text, server-sent events, URLs. Knows no AI.

pub mod base64;
pub mod fields;
pub mod json;
pub mod percent;
mod scan;
pub mod sse;
