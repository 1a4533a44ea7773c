//! Tests of the room `plan`.

mod bodies;
mod headers;
mod health;
mod judge;
mod numbers;
mod operator;
mod outage;
mod outcome;
mod planning;
mod strategy;
mod sync;
mod verdict;
