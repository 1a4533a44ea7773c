//! The harness of proof: the core against recorded traffic, arbitrary values and mutated bytes.
//!
//! Everything here asks [`portolan::dialect::Dialect::ALL`] what there is: a new dialect is tested by being listed there.
//! `bin/recordings` walks folders of recordings, `bin/fuzz` mutates, `tests/properties.rs` makes values up. What is known
//! to be lost stands in `pinned/`.

pub mod amazon;
pub mod answers;
pub mod arbitrary;
pub mod arbitrary_request;
pub mod base64;
pub mod clients;
pub mod clock;
pub mod counts;
pub mod expected;
pub mod facets;
pub mod fuzz;
pub mod not_spoken;
pub mod operations;
pub mod pins;
pub mod random;
pub mod recording;
pub mod request_facets;
pub mod requests;
pub mod rules;
pub mod sim;
pub mod stream;
