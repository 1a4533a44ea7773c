//! Portolan: an AI gateway that is one Cloudflare Worker.

pub mod admin;
pub mod catalog;
pub mod chat;
pub mod config;
pub mod dialect;
pub mod error;
pub mod exchange;
pub mod guard;
pub mod ledger;
pub mod mock;
pub mod plan;
#[cfg(target_arch = "wasm32")]
mod shell;
pub mod units;
pub mod wire;
