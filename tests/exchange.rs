//! Tests of the room `exchange`: a scripted upstream, virtual time, whole requests.

mod breaks;
pub mod case;
mod commit;
mod credentials;
pub mod driver;
mod failover;
mod filters;
mod foreign;
mod forms;
mod forward;
mod gemini;
mod hedge;
mod hosting;
mod large;
mod models;
mod operations;
mod probe;
mod relay;
mod resumed;
mod retold;
mod scenarios;
pub mod script;
mod sending;
mod story;
pub mod transcripts;
