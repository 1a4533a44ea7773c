//! Rust's side of `crypt.js`: what is sealed before it is stored.

use std::fmt;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, wasm_bindgen_futures::JsFuture};

#[wasm_bindgen(module = "/src/shell/crypt.js")]
extern "C" {
    #[wasm_bindgen(js_name = seal)]
    fn js_seal(env: &JsValue, purpose: &str, associated: &str, bytes: &Uint8Array) -> Promise;
    #[wasm_bindgen(js_name = open)]
    fn js_open(env: &JsValue, purpose: &str, associated: &str, sealed: &Uint8Array) -> Promise;
}

/// What is sealed for one purpose opens for no other: each has a key of its own.
#[derive(Clone, Copy)]
pub enum Purpose {
    TenantKeys,
    Cache,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::TenantKeys => "tenant-keys",
            Self::Cache => "cache",
        }
    }
}

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// No `ENCRYPTION_SECRET`, or one that is too short.
    NoSecret,
    /// Sealed under another secret, for another purpose or owner, or changed since.
    Foreign,
    /// The platform would not hand out the secret; it may do so later.
    Unreadable,
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSecret => {
                "The Worker secret `ENCRYPTION_SECRET` is missing or shorter than 32 characters: run `openssl rand -base64 32 | \
                 wrangler secret put ENCRYPTION_SECRET`."
            }
            Self::Foreign => {
                "This was sealed under another `ENCRYPTION_SECRET`, or changed since: if the secret was replaced, set the old one \
                 as `ENCRYPTION_SECRET_PREVIOUS`; otherwise store it again."
            }
            Self::Unreadable => "`ENCRYPTION_SECRET` could not be read from the Secrets Store: try again.",
        })
    }
}

/// Seals bytes. They open only with the same `associated`, which says whose they are: a sealed message that is moved to
/// another's place does not open there.
pub async fn seal(env: &Env, purpose: Purpose, associated: &str, bytes: &Uint8Array) -> Result<Uint8Array, Locked> {
    done(js_seal(env, purpose.name(), associated, bytes)).await
}

/// What `seal` was given.
pub async fn open(env: &Env, purpose: Purpose, associated: &str, sealed: &Uint8Array) -> Result<Uint8Array, Locked> {
    done(js_open(env, purpose.name(), associated, sealed)).await
}

async fn done(errand: Promise) -> Result<Uint8Array, Locked> {
    let word = match JsFuture::from(errand).await {
        Ok(bytes) => return bytes.dyn_into().map_err(|_| Locked::Unreadable),
        Err(word) => word.as_string().unwrap_or_default(),
    };
    Err(match word.as_str() {
        "missing" => Locked::NoSecret,
        "foreign" => Locked::Foreign,
        _ => Locked::Unreadable,
    })
}
