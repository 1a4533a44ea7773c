//! What one tenant used and may use: its ledger, its limits and its chain of audit entries, in SQLite. One object a tenant.

mod audit;
mod ledger;
mod limits;
mod versions;
mod webhooks;

use std::cell::{Cell, RefCell};

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    clock,
    serve::text,
};
use crate::{
    account::{self, Account},
    config::own_entry,
    ledger::{
        book::{self, Known, Posting},
        outbox::Message,
    },
    units::Millis,
};

/// Where in KV it is said that there is such a tenant, for reports over all of them.
pub const LISTED: &str = "tenant:";

/// Asked by isolates about requests.
pub const LEDGER: &str = "ledger";

/// The tenant's own keys for providers, by their path and where they are kept.
pub const OWN_KEYS: &str = "own_keys";

#[wasm_bindgen]
pub struct TenantObject {
    state: JsValue,
    env: Env,
    chain: audit::Chain,
    /// This life of the object has seen its tables.
    has_tables: Cell<bool>,
    /// This life of the object has set the alarm, and it has not gone off.
    is_armed: Cell<bool>,
    /// KV knows of this tenant.
    is_listed: Cell<bool>,
    /// Limits and budgets, once there was something to do for them in this life.
    account: RefCell<Option<Account>>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl TenantObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self {
            state,
            env,
            chain: audit::Chain::default(),
            has_tables: Cell::default(),
            is_armed: Cell::default(),
            is_listed: Cell::default(),
            account: RefCell::default(),
        }
    }

    /// A message by POST or a question by GET, at the name of who asked: `ledger`, `usage`, `audit`.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
        let url = request.url();
        let path = url.split_once("://object/").map_or("", |(_, path)| path);
        let (answer, new) = self.answer(path, &message)?;
        if let Some(tenant) = new {
            self.list(&tenant).await;
        }
        self.chain.arm(&self.state).await?;
        Ok(text(200, "application/json", &answer))
    }

    /// Closes what was never heard of again, and drops what is old.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.is_armed.set(false);
        self.prepare()?;
        self.sweep(clock::now())?;
        self.deliver().await?;
        self.chain.look_after(&self.state, &self.env).await
    }
}

impl TenantObject {
    /// Without waiting for anything in between: all of it is stored together, or none. With the tenant's name where KV
    /// does not know it.
    fn answer(&self, path: &str, message: &str) -> Result<(String, Option<String>), JsValue> {
        self.prepare()?;
        if path == OWN_KEYS {
            return Ok((self.own_keys(message)?, None));
        }
        if let Some(asked) = path.strip_prefix("audit/") {
            return Ok((self.chain.answer(&self.state, asked, message)?, None));
        }
        if let Some(asked) = path.strip_prefix("versions/") {
            return Ok((versions::answer(&self.state, asked, message)?, None));
        }
        if let Some(query) = path.strip_prefix("usage?") {
            return Ok((self.report(query, clock::now())?, None));
        }
        if path != LEDGER {
            return Err(format!("nothing is known of {path}").into());
        }
        let Message { tenant, entries, alive, account } = serde_json::from_str(message).map_err(|error| error.to_string())?;
        let mut account = account.map(account::Message::try_from).transpose()?;
        let now = clock::now();
        let asks = account.iter().flat_map(|account| &account.asks);
        let known = self.known(entries.iter().map(|entry| &entry.open).chain(asks))?;
        if let Some(account) = &mut account {
            account.asks.retain(|ask| known.get(&ask.id).is_none_or(|known| *known == Known::Open));
        }
        let reply = self.post(&book::post(entries, known), account.as_ref(), &alive, now)?;
        Ok((reply, (!self.is_listed.replace(true)).then_some(tenant)))
    }

    /// Takes in what was told, as far as it is news: the reply.
    fn post(
        &self,
        posting: &Posting,
        message: Option<&account::Message>,
        alive: &[String],
        now: Millis,
    ) -> Result<String, JsValue> {
        let heard = bindings::stored_together(&self.state, || {
            let reply = self.hear_limits(posting, message, alive, now)?;
            self.store(posting, now)?;
            self.hear(alive, now)?;
            Ok(reply)
        });
        if heard.is_err() {
            // Nothing of it is stored: what was counted in memory is read anew.
            self.account.replace(None);
        }
        heard
    }

    fn prepare(&self) -> Result<(), JsValue> {
        if self.has_tables.replace(true) {
            return Ok(());
        }
        self.run("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
        ledger::TABLES
            .iter()
            .chain(&limits::TABLES)
            .chain([&webhooks::TABLE])
            .try_for_each(|table| self.run(table, &[]).map(drop))?;
        self.is_listed.set(!self.run("SELECT value FROM about WHERE name = 'listed'", &[])?.is_empty());
        // An earlier life may have died before it set the alarm.
        self.sweep(clock::now())
    }

    async fn list(&self, tenant: &str) {
        let listed = bindings::put(&self.env, &format!("{LISTED}{tenant}"), "{}").await;
        let noted = listed.map(|()| self.run("INSERT OR IGNORE INTO about VALUES ('listed', 'yes')", &[]));
        if let Err(error) = noted {
            self.is_listed.set(false);
            console_error!("the tenant could not be listed: {error}");
        }
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
        bindings::sql(&self.state, statement, values)
    }
}

pub use audit::BUCKET as AUDIT_BUCKET;

pub const BINDING: &str = "TENANT";

/// Asks a tenant's object.
pub async fn ask(env: &Env, tenant: &str, path: &str, message: &str) -> Result<String, String> {
    Object { binding: BINDING, name: tenant, hint: "" }.ask(env, path, message).await
}
