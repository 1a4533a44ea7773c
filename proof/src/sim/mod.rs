//! The deterministic simulator: the real core in a made-up world, in virtual time, all of it from one seed.
//!
//! A [`scenario::Scenario`] is plain data: providers and how they misbehave when, isolates and their deaths, requests.
//! The [`engine`] plays it with a queue of events. Requests are real exchanges on real plans; isolates and regional objects
//! are real health, and what they tell each other travels as JSON over a network that delays, reorders and loses.
//! [`checks`] and [`watch`] look on; [`shrink`] makes a failing scenario small. docs/simulator.md says what was found.

pub mod bytes;
pub mod checks;
pub mod compare;
pub mod config;
pub mod engine;
pub mod fleet;
pub mod incidents;
pub mod life;
pub mod metrics;
pub mod mutants;
pub mod plot;
pub mod policy;
pub mod queue;
pub mod report;
pub mod request;
pub mod rivals;
pub mod runs;
pub mod scenario;
pub mod shrink;
pub mod upstream;
pub mod watch;
pub mod worlds;
