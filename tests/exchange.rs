//! Tests of the room `exchange`: a scripted upstream, virtual time, whole requests.

mod breaks;
mod case;
mod commit;
mod credentials;
mod driver;
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
mod own_keys;
mod probe;
mod relay;
mod resumed;
mod retold;
mod scenarios;
mod script;
mod sending;
mod story;
mod transcripts;
