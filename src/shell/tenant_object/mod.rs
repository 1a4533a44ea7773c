//! What one tenant used and may use: its ledger, its limits and its chain of audit entries, in SQLite. One object a tenant.

use std::cell::Cell;

use js_sys::Array;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    serve::text,
};
use crate::config::own_entry;

/// The tenant's own keys for providers, by their path and where they are kept.
pub const OWN_KEYS: &str = "own_keys";

#[wasm_bindgen]
pub struct TenantObject {
    state: JsValue,
    /// This life of the object has seen its tables.
    has_tables: Cell<bool>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl TenantObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue) -> Self {
        Self { state, has_tables: Cell::new(false) }
    }

    /// A message by POST or a question by GET, at the name of who asked: `ledger`, `usage`, `audit`.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
        let url = request.url();
        let path = url.split_once("://object/").map_or("", |(_, path)| path);
        Ok(text(200, "application/json", &self.answer(path, &message)?))
    }

    pub async fn alarm(&self) -> Result<(), JsValue> {
        Ok(())
    }
}

impl TenantObject {
    /// Without waiting for anything in between: all of it is stored together, or none.
    fn answer(&self, path: &str, message: &str) -> Result<String, JsValue> {
        if !self.has_tables.replace(true) {
            self.run("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
        }
        if path == OWN_KEYS {
            return self.own_keys(message);
        }
        Err(format!("nothing is known of {path}, {} bytes", message.len()).into())
    }

    /// A tenant's own keys: edited here, one after the other, for KV has no transactions. The answer is all of them.
    fn own_keys(&self, edit: &str) -> Result<String, JsValue> {
        let stored = self.run("SELECT value FROM about WHERE name = ?", &[OWN_KEYS.into()])?;
        if edit.is_empty() {
            return Ok(stored);
        }
        let edited = own_entry::edited(&stored, edit).map_err(|error| JsValue::from_str(&error.message))?;
        self.run("INSERT OR REPLACE INTO about (name, value) VALUES (?, ?)", &[OWN_KEYS.into(), edited.as_str().into()])?;
        Ok(edited)
    }

    fn run(&self, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
        bindings::sql(&self.state, statement, &values.iter().collect::<Array>())
    }
}

/// Asks a tenant's object.
pub async fn ask(env: &Env, tenant: &str, path: &str, message: &str) -> Result<String, String> {
    Object { binding: "TENANT", name: tenant, hint: "" }.ask(env, path, message).await
}
