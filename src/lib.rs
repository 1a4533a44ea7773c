//! Portolan: an AI gateway that is one Cloudflare Worker.

#[cfg(target_arch = "wasm32")]
mod shell;
