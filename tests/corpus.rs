//! The dialects against recorded traffic of real providers and clients, which is not part of this repository.
//!
//! `PORTOLAN_CORPUS=… PORTOLAN_CLIENTS=… cargo test --test corpus -- --ignored`

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should say where")]

#[path = "corpus/anthropic.rs"]
mod anthropic;
#[path = "corpus/bedrock.rs"]
mod bedrock;
#[path = "corpus/cohere.rs"]
mod cohere;
#[path = "support/fold.rs"]
mod fold;
#[path = "corpus/gemini.rs"]
mod gemini;
#[path = "corpus/gemini_requests.rs"]
mod gemini_requests;
#[path = "corpus/openai_chat.rs"]
mod openai_chat;
#[path = "corpus/openai_completions.rs"]
mod openai_completions;
#[path = "corpus/openai_responses.rs"]
mod openai_responses;
#[path = "corpus/operations.rs"]
mod operations;
#[path = "corpus/recorded.rs"]
mod recorded;
#[path = "support/sequence.rs"]
mod sequence;
