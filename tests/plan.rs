//! Tests of the room `plan`.

mod bodies;
mod headers;
mod health;
mod judge;
mod outage;
mod outcome;
mod planning;
mod strategies;
mod strategy;
mod sync;
mod verdict;
mod wishes;
