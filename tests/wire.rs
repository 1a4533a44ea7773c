//! Tests of the room `wire`, where they need more than a file of its own.

#[path = "wire/digest.rs"]
mod digest;
#[path = "wire/event_stream.rs"]
mod event_stream;
#[path = "support/messages.rs"]
pub mod messages;
#[path = "wire/sigv4.rs"]
mod sigv4;
#[path = "wire/trace.rs"]
mod trace;
#[path = "wire/webhook.rs"]
mod webhook;
