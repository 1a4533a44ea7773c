//! The pure brain: which targets, in which order, and why.

pub mod health;
pub mod outcome;
pub mod strategy;
