//! Bytes only: JSON text, base64, server-sent events, URLs. Knows no AI.

pub mod base64;
pub mod fields;
pub mod json;
pub mod percent;
mod scan;
pub mod sse;
