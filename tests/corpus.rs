//! Recorded traffic of real providers, read in place: `PORTOLAN_CORPUS=folder cargo test --test corpus -- --ignored`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should say where")]

#[path = "support/fold.rs"]
mod fold;
#[path = "corpus/openai_chat.rs"]
mod openai_chat;
