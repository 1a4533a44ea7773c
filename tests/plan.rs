//! Tests of the room `plan`.

mod bodies;
mod case;
mod headers;
mod health;
mod history;
mod judge;
mod law;
mod numbers;
mod operator;
mod outage;
mod outcome;
mod permits;
mod planning;
mod routes;
mod strategies;
mod strategy;
mod sync;
mod verdict;
mod wishes;
