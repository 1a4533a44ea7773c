//! One binary for all native tests: tables and fixtures of every room.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod account;
mod admin;
mod anthropic;
mod architecture;
mod audit;
mod cache;
mod catalog;
mod cohere;
mod config;
mod converse;
mod dialects_doc;
mod exchange;
mod features;
#[path = "support/fold.rs"]
mod fold;
mod gemini;
mod guard;
mod health_calls;
mod journal;
#[path = "support/json_schema.rs"]
mod json_schema;
mod ledger;
mod long_histories;
mod metrics;
mod mock;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod operation;
mod plan;
mod prices;
mod privacy_doc;
mod security;
#[path = "support/sequence.rs"]
mod sequence;
mod surface;
mod switching;
mod telemetry;
mod tool_pairs;
mod verbatim;
mod wire;
mod workers_ai;
