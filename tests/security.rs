//! What an attacker would try: one with a limited key, one with none, one with a page that the operator visits, one with an
//! upstream; and what an operator does by mistake. What takes the platform is in `tests/e2e/security.test.mjs`.

mod addresses;
mod forms;
mod forwarded;
mod headers;
mod json;
mod keys;
mod names;
mod pages;
mod upstreams;
