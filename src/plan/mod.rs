//! The pure brain: which targets, in which order, and why.

pub mod breaker;
pub mod headers;
pub mod health;
pub mod outcome;
mod rules;
pub mod seed;
pub mod strategy;
pub mod sync;
