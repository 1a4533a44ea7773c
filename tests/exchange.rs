//! Tests of the room `exchange`: a scripted upstream, virtual time, whole requests.

mod breaks;
mod commit;
mod driver;
mod failover;
mod foreign;
mod forms;
mod forward;
mod gemini;
mod hosting;
mod large;
mod models;
mod operations;
mod relay;
mod scenarios;
mod script;
mod sending;
mod story;
mod transcripts;
