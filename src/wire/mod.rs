//! Bytes only: JSON text, streams' events, URLs, signatures. Knows no AI.

pub mod base64;
pub(crate) mod compose;
pub mod digest;
pub mod event_stream;
pub mod fields;
pub mod framing;
pub mod json;
pub mod multipart;
pub mod name;
pub mod percent;
pub mod query;
pub mod sigv4;
pub mod sse;
pub mod time;
pub mod trace;
pub mod webhook;
