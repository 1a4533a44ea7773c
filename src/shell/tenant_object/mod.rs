//! What one tenant used and may use: its ledger, its limits and its chain of audit entries, in SQLite. One object a tenant.

mod audit;

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

#[wasm_bindgen]
pub struct TenantObject {
    state: JsValue,
    env: Env,
    chain: audit::Chain,
    /// This life of the object has seen its tables.
    has_tables: Cell<bool>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl TenantObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self { state, env, chain: audit::Chain::default(), has_tables: Cell::new(false) }
    }

    /// A message by POST or a question by GET, at the name of who asked: `ledger`, `usage`, `audit`.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
        let url = request.url();
        let path = url.split_once("://object/").map_or("", |(_, path)| path);
        let answer = self.answer(path, &message)?;
        self.chain.arm(&self.state).await?;
        Ok(text(200, "application/json", &answer))
    }

    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.chain.look_after(&self.state, &self.env).await
    }
}

impl TenantObject {
    /// Without waiting for anything in between: all of it is stored together, or none.
    fn answer(&self, path: &str, message: &str) -> Result<String, JsValue> {
        if !self.has_tables.replace(true) {
            self.run("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
        }
        if let Some(asked) = path.strip_prefix("audit/") {
            return self.chain.answer(&self.state, asked, message);
        }
        Err(format!("nothing is known of {path}, {} bytes", message.len()).into())
    }

    fn run(&self, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
        bindings::sql(&self.state, statement, &values.iter().collect::<Array>())
    }
}

pub use audit::BUCKET as AUDIT_BUCKET;

pub const BINDING: &str = "TENANT";

/// Asks a tenant's object.
pub async fn ask(env: &Env, tenant: &str, path: &str, message: &str) -> Result<String, String> {
    Object { binding: BINDING, name: tenant, hint: "" }.ask(env, path, message).await
}
